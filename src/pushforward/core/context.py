"""A context: what an example is about, as tokens or vectors that a model looks at as a whole.

One idea: a label is one of few, a prefix lies in the same space as the example; a context is
anything else that is known before the first position, so it has a space of its own, and the empty
one says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput


@dataclass(frozen=True)
class Context:
    """One context per example: example i has the first `length[i]` of its row, and what follows is
    never read.

    Attributes:
        values: tokens, integers of shape (n, longest), or vectors, floats of shape (n, longest,
            width).
        length: shape (n,), from 0 to longest.

    Example:
        >>> Context.of([torch.tensor([5, 6]), torch.tensor([7])]).values.tolist()
        [[5, 6], [7, 0]]
    """

    values: Tensor
    length: Tensor

    def __post_init__(self) -> None:
        fits = self.values.dim() == (3 if self.values.is_floating_point() else 2)
        if (
            not fits
            or self.length.shape != self.values.shape[:1]
            or self.length.is_floating_point()
        ):
            came = f"a context of shape {tuple(self.values.shape)} and dtype {self.values.dtype}"
            raise BadInput(
                came, "integers (n, longest) or floats (n, longest, width), and one length each"
            )

    @staticmethod
    def of(rows: Sequence[Tensor]) -> Context:
        """Align contexts of unequal length, tokens (length,) or vectors (length, width), on the
        left."""
        length = torch.tensor([len(row) for row in rows], dtype=torch.long)
        return Context(torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True), length)

    def each(self, change: Callable[[Tensor], Tensor]) -> Context:
        """Return the same with every tensor changed: moved, indexed, repeated."""
        return Context(change(self.values), change(self.length))

    def __getitem__(self, rows: slice | Tensor) -> Context:
        return self.each(lambda tensor: tensor[rows])

    def absent(self) -> Tensor:
        """Return True where a row has ended, shape (n, longest)."""
        return torch.arange(
            self.values.shape[1], device=self.values.device
        ) >= self.length.unsqueeze(1)


@dataclass(frozen=True)
class ContextSpace:
    """Sequences of at most `longest` tokens of a `vocabulary`, or of vectors of a `width`; the
    other of the two is 0.

    Example:
        >>> space = ContextSpace(longest=8, vocabulary=5)
        >>> space.check(Context.of([torch.tensor([4, 0])])).length.tolist()
        [2]
    """

    longest: int
    vocabulary: int = 0
    width: int = 0

    def __post_init__(self) -> None:
        if self.longest < 1 or (self.vocabulary > 0) == (self.width > 0):
            raise BadInput(f"{self}", "a positive length, and either a vocabulary or a width")

    def check(self, context: Context) -> Context:
        """Return a context of this space.

        Raises:
            BadInput: vectors for tokens or the reverse, another width, unknown tokens, non-finite
                numbers, a longer one.
        """
        values, longest = context.values, int(context.length.max()) if len(context.length) else 0
        if values.is_floating_point() != (self.width > 0) or (
            self.width and values.shape[2] != self.width
        ):
            raise BadInput(
                f"a context of shape {tuple(values.shape)} and dtype {values.dtype}",
                f"{self.described}",
            )
        if longest > self.longest:
            raise BadInput(
                f"a context of {longest} positions", f"at most {self.longest}", "shorten it"
            )
        if self.width:
            if not bool(torch.isfinite(values).all()):
                raise BadInput("a context with NaN or infinite numbers", "finite numbers")
        elif values.numel() and not 0 <= int(values.min()) <= int(values.max()) < self.vocabulary:
            raise BadInput(
                f"context tokens up to {int(values.max())}", f"0 to {self.vocabulary - 1}"
            )
        return context

    @property
    def described(self) -> str:
        """What a context is, in words."""
        if self.width and self.longest == 1:
            return f"one vector of width {self.width}"
        return f"at most {self.longest} " + (
            f"vectors of width {self.width}" if self.width else "tokens"
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON record."""
        return {"longest": self.longest, "vocabulary": self.vocabulary, "width": self.width}

    @classmethod
    def from_json(cls, record: dict[str, Any] | None) -> ContextSpace | None:
        """Rebuild it from `to_json`; None for None."""
        return None if record is None else cls(**record)
