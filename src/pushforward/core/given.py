"""Conditions, and examples that carry them.

Two ideas: `Given` is spelled the same in every verb of every family, whatever it holds (a class,
what comes before, the columns that are known); `Examples` is a batch together with its condition.
`None` always means unconditional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput
from pushforward.core.observed import Observed


@dataclass(frozen=True)
class Prefix:
    """Tokens that come before every example, right-aligned: example i has the last `length[i]` of
    its row.

    Attributes:
        tokens: shape (n, longest), integers; what lies left of a row's own length is padding and
            never read.
        length: shape (n,), from 0 to longest.

    Example:
        >>> Prefix.of([[5], [1, 2]]).tokens.tolist()
        [[0, 5], [1, 2]]
    """

    tokens: Tensor
    length: Tensor

    def __post_init__(self) -> None:
        if (
            self.tokens.dim() != 2
            or self.tokens.is_floating_point()
            or self.length.shape != self.tokens.shape[:1]
        ):
            came = f"a prefix of shape {tuple(self.tokens.shape)} and dtype {self.tokens.dtype}"
            raise BadInput(came, "integers of shape (n, longest) and one length each")

    @staticmethod
    def of(rows: list[list[int]]) -> Prefix:
        """Align rows of tokens of unequal length on the right."""
        longest = max((len(row) for row in rows), default=0)
        tokens = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            tokens[i, longest - len(row) :] = torch.tensor(row, dtype=torch.long)
        return Prefix(tokens, torch.tensor([len(row) for row in rows], dtype=torch.long))


@dataclass(frozen=True)
class Known:
    """Columns whose values are known: `values` (n, columns) in data units, read where `mask` (n,
    columns) is True.

    `low` and `high` (n, columns), infinite where nothing is known: a value that is not known lies
    between them, ends included. `present` (n, columns), booleans: a value that is not known is there
    where it is True, so that it is not drawn as missing.
    """

    values: Tensor
    mask: Tensor
    low: Tensor | None = None
    high: Tensor | None = None
    present: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise BadInput("a range with one end", "`low` and `high`", "use an infinite end")
        if self.low is not None and self.high is not None and bool((self.low > self.high).any()):
            raise BadInput("a range whose low end lies above its high end", "low <= high")
        if (
            self.values.dim() != 2
            or self.values.shape != self.mask.shape
            or self.mask.dtype != torch.bool
        ):
            came = f"known values {tuple(self.values.shape)} with a mask {tuple(self.mask.shape)} of {self.mask.dtype}"
            raise BadInput(came, "two tables of one shape, the mask of booleans")
        there = self.present
        if there is not None and (there.shape != self.mask.shape or there.dtype != torch.bool):
            raise BadInput(f"`present` of {there.dtype} {tuple(there.shape)}", "a second mask")

    def require_values(self) -> None:
        """Refuse what steers samples and has no probability here: ranges, and values that are there.

        Raises:
            BadInput: names which of the two.
        """
        if bool(self.ranged.any()):
            came, fix = "the probability of rows given a range", "ranges steer samples"
            raise BadInput(came, "known values only", fix)
        if self.present is not None and bool(self.present.any()):
            came, fix = "the probability of rows given that values are there", "they steer samples"
            raise BadInput(came, "known values only", fix)

    @property
    def ranged(self) -> Tensor:
        """Which columns are known to lie in a range, shape (n, columns)."""
        if self.low is None or self.high is None:
            return torch.zeros_like(self.mask)
        return torch.isfinite(self.low) | torch.isfinite(self.high)

    def each(self, change: Callable[[Tensor], Tensor]) -> Known:
        """Return the same with every tensor changed: moved, indexed, repeated."""
        rest = (None if t is None else change(t) for t in (self.low, self.high, self.present))
        return Known(change(self.values), change(self.mask), *rest)


@dataclass(frozen=True)
class Given:
    """A condition for a batch of n examples; what is None does not condition.

    Attributes:
        label: one class index per example, shape (n,).
        prefix: what comes before each example, for text.
        known: the columns that are known, for tables.
        context: tokens or vectors of another space that each example is about.
        observed: what was measured of each example, for images and points.
        start: an example to begin at, shape (n, *event), in data units.

    Example:
        >>> Given.of_label(3, n=2).label
        tensor([3, 3])
    """

    label: Tensor | None = None
    prefix: Prefix | None = None
    known: Known | None = None
    context: Context | None = None
    observed: Observed | None = None
    start: Tensor | None = None

    def __post_init__(self) -> None:
        if self.label is not None and (self.label.dim() != 1 or self.label.is_floating_point()):
            raise BadInput(
                f"labels of shape {tuple(self.label.shape)} and dtype {self.label.dtype}",
                "integers of shape (n,)",
            )
        sizes = {len(part) for part in self._tensors()}
        if len(sizes) != 1:
            raise BadInput(
                f"a condition of {sorted(sizes) or 'no'} examples",
                "at least one part, all of one length",
            )

    def __len__(self) -> int:
        return len(self._tensors()[0])

    def __getitem__(self, rows: slice | Tensor) -> Given:
        return self.each(lambda tensor: tensor[rows])

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of what conditions: `label`, `prefix`, `known`, `context`, `observed`, `start`."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)

    def to(self, device: torch.device) -> Given:
        """Return the condition on another device."""
        return self.each(lambda tensor: tensor.to(device))

    @staticmethod
    def of_label(label: int, n: int) -> Given:
        """Return the same class for n examples."""
        return Given(torch.full((n,), label, dtype=torch.long))

    def _tensors(self) -> list[Tensor]:
        found = [tensor for tensor in (self.label, self.start) if tensor is not None]
        for part in (self.prefix, self.known, self.context, self.observed):
            if part is not None:
                found += [
                    value
                    for f in fields(part)
                    if isinstance(value := getattr(part, f.name), Tensor)
                ]
        return found

    def each(self, change: Callable[[Tensor], Tensor]) -> Given:
        """Return the same with every tensor changed: moved, indexed, pinned."""
        prefix, known, context, observed = self.prefix, self.known, self.context, self.observed
        return Given(
            None if self.label is None else change(self.label),
            None if prefix is None else Prefix(change(prefix.tokens), change(prefix.length)),
            None if known is None else known.each(change),
            None if context is None else context.each(change),
            None if observed is None else observed.each(change),
            None if self.start is None else change(self.start),
        )


def label_of(given: Given | None) -> Tensor | None:
    """Return the labels of a condition, None if it has none.

    Example:
        >>> label_of(None) is None, label_of(Given.of_label(1, 1)).tolist()
        (True, [1])
    """
    return None if given is None else given.label


@dataclass(frozen=True)
class Examples:
    """N examples in data units (`uint8` images, real points, token windows, table rows) and their
    condition.

    Attributes:
        x: shape (n, *event).
        given: one condition per example.
        sizes: what one example counts for in the unit of its space (bytes of a text window), None =
            one each.
        cases: number of the case that each example is a part of (the document of a window), None =
            each is one by itself. Parts of one case are alike, so that errors and intervals are
            over cases.

    Example:
        >>> len(Examples(torch.zeros(5, 2)))
        5
    """

    x: Tensor
    given: Given | None = None
    sizes: Tensor | None = None
    cases: Tensor | None = None

    def __post_init__(self) -> None:
        if self.given is not None and len(self.given) != self.x.shape[0]:
            raise BadInput(
                f"{self.x.shape[0]} examples with {len(self.given)} labels", "one label per example"
            )
        for name, each in (("size", self.sizes), ("case", self.cases)):
            if each is not None and each.shape != self.x.shape[:1]:
                raise BadInput(
                    f"{self.x.shape[0]} examples with {len(each)} {name}s",
                    f"one {name} per example",
                )

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def __getitem__(self, rows: slice | Tensor) -> Examples:
        given = None if self.given is None else self.given[rows]
        sizes, cases = (None if each is None else each[rows] for each in (self.sizes, self.cases))
        return Examples(self.x[rows], given, sizes, cases)

    def to(self, device: torch.device) -> Examples:
        """Return the examples on another device."""
        return self.each(lambda tensor: tensor.to(device))

    def each(self, change: Callable[[Tensor], Tensor]) -> Examples:
        """Return the same with what is computed with changed: the examples and their condition."""
        given = None if self.given is None else self.given.each(change)
        return replace(self, x=change(self.x), given=given)

    @property
    def nbytes(self) -> int:
        """What the examples and their condition take, in bytes.

        Example:
            >>> Examples(torch.zeros(4, 2), Given.of_label(1, 4)).nbytes
            64
        """
        found: list[int] = []

        def noted(tensor: Tensor) -> Tensor:
            found.append(tensor.numel() * tensor.element_size())
            return tensor

        self.each(noted)
        return sum(found)

    def without_labels(self) -> Examples:
        """Return the examples with no class to condition on; a prefix or known columns stay."""
        if self.given is None or self.given.label is None:
            return self
        rest = self.given.parts != ("label",)
        return replace(self, given=replace(self.given, label=None) if rest else None)
