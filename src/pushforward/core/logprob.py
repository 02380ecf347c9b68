"""A log-probability that says what it is.

Two ideas: the kind (`exact`, `lower_bound`, `upper_bound`, `estimate`) and the measure travel with
the nats; combining numbers of different kinds or measures is an error and never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Measure, Unit

Kind = Literal["exact", "lower_bound", "upper_bound", "estimate"]


@dataclass(frozen=True, repr=False)
class LogProb:
    """Log-probabilities of N examples in data units.

    Attributes:
        nats: shape (N,), natural logarithm; large is good.
        kind: what the number is, relative to the true log-probability under the model.
        measure: `counting` or `lebesgue`.
        unit: the unit of the space the examples live in.
        estimator: how it was obtained (`exact`, `elbo`, `iwae-64`, ...).
        stderr: shape (N,) standard error of an estimator's own randomness, or None if it has none.
        calls: network calls per example.
        given: what it is conditioned on (`label`), empty for an unconditional model, `marginal` if
            labels were summed out.
        cases: shape (N,), the number of the case that each example is a part of (see `Examples`),
            None where each is one.
        errors: the parts of `stderr` by their cause, each of shape (N,) (`steps` of a solver,
            `draws`); empty if it has one cause.
        sizes: shape (N,), how many units each example counts for (bytes of a text), None where all
            count the same.

    Example:
        >>> from pushforward.core.space import Points
        >>> lp = LogProb(torch.tensor([-1.0, -3.0]), "exact", "lebesgue", Points(2).unit, "exact")
        >>> lp.mean_nats, lp.value, lp.unit.name
        (-2.0, 2.0, 'nats/point')
        >>> lp
        LogProb(2 examples: 2 +- 1 nats/point, exact)
    """

    nats: Tensor
    kind: Kind
    measure: Measure
    unit: Unit
    estimator: str
    stderr: Tensor | None = None
    calls: float = 1.0
    given: str = ""
    sizes: Tensor | None = None
    cases: Tensor | None = None
    errors: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.nats.dim() != 1:
            raise BadInput(
                f"log-probabilities of shape {tuple(self.nats.shape)}",
                "one number per example, shape (n,)",
            )

    def __len__(self) -> int:
        return int(self.nats.shape[0])

    def __repr__(self) -> str:
        error = f" +- {found:.2g}" if not math.isnan(found := self.standard_error) else ""
        how = self.kind if self.estimator == self.kind else f"{self.kind} by {self.estimator}"
        given = f", given {self.given}" if self.given else ""
        return (
            f"LogProb({len(self)} examples: {self.value:.4g}{error} {self.unit.name}, {how}{given})"
        )

    def cpu(self) -> LogProb:
        """Return it with its numbers on the processor."""
        return replace(
            self,
            nats=self.nats.cpu(),
            stderr=None if self.stderr is None else self.stderr.cpu(),
            sizes=None if self.sizes is None else self.sizes.cpu(),
            cases=None if self.cases is None else self.cases.cpu(),
            errors={name: error.cpu() for name, error in self.errors.items()},
        )

    @property
    def mean_nats(self) -> float:
        """Mean log-probability per example in nats."""
        return float(self.nats.double().mean())

    @property
    def value(self) -> float:
        """Mean code length in the unit of the space; lower is better. With sizes: all nats over all
        sizes."""
        return self.unit.from_nats(self.mean_nats) / self.mean_size

    @property
    def mean_size(self) -> float:
        """Mean number of units of an example, 1 without sizes."""
        return 1.0 if self.sizes is None else float(self.sizes.double().mean())

    @property
    def bits_per_dim(self) -> float:
        """Mean code length in bits per dimension: `-log2 p(x) / D`.

        Raises:
            BadInput: the space is not measured in bits/dim (a density on points has no bits).
        """
        if self.unit.name != "bits/dim":
            raise BadInput(
                f"log-probabilities in {self.unit.name}",
                "an image space",
                "read .value, which is in the space's own unit",
            )
        return self.value

    @property
    def standard_error(self) -> float:
        """Standard error of `value` over the N examples, estimator noise included: `sd / sqrt(N)`,
        in the unit.

        With sizes b the value is a ratio r of sums, and the deviations are those of `nats - r b`
        (Cochran 1977, equation 2.39). Parts of one case scatter together, so that N counts cases,
        each the sum of its parts. Not a number of one example alone.
        """
        if self._several() is not None:
            return self.by_case().standard_error
        if len(self) < 2:
            return math.nan
        lengths = self.nats.double()
        if self.sizes is not None:
            sizes = self.sizes.to(lengths)
            lengths = (lengths - lengths.sum() / sizes.sum() * sizes) / self.mean_size
        return float(lengths.std() / math.sqrt(len(self))) / self.unit.nats_per_unit

    def by_case(self) -> LogProb:
        """Return one log-probability for each case, the sum of its parts, with the sum of their
        sizes; itself where each is one.

        Example:
            >>> from pushforward.core.space import Points
            >>> parts = LogProb(torch.tensor([-1.0, -3.0, -5.0]), "exact", "lebesgue", Points(2).unit, "exact")
            >>> whole = replace(parts, cases=torch.tensor([4, 4, 7])).by_case()
            >>> whole.nats.tolist(), whole.value == parts.value
            ([-4.0, -5.0], True)
        """
        case = self._several()
        if case is None:
            return self
        zero = torch.zeros(int(case.max()) + 1, dtype=torch.float64, device=self.nats.device)
        summed = lambda each: zero.index_add(0, case, each.double())  # noqa: E731
        return replace(
            self,
            nats=summed(self.nats),
            stderr=None if self.stderr is None else summed(self.stderr.double().square()).sqrt(),
            sizes=summed(torch.ones_like(self.nats) if self.sizes is None else self.sizes),
            cases=None,
            errors={
                cause: summed(each.double().square()).sqrt() for cause, each in self.errors.items()
            },
        )

    def per_case(self) -> Tensor:
        """Return numbers, one for each case, whose mean is `mean_nats` and whose scatter is that of
        its sampling.

        `m + (G / N) sum_(i in case) (nats_i - m)` for G cases of N examples with mean m: linearised
        sums, whose variance over G is the cluster-robust one (Cochran 1977, section 9A.1). The nats
        themselves where each example is a case.

        Example:
            >>> from pushforward.core.space import Points
            >>> parts = LogProb(torch.tensor([-1.0, -3.0, -5.0]), "exact", "lebesgue", Points(2).unit, "exact")
            >>> replace(parts, cases=torch.tensor([4, 4, 7])).per_case().tolist()
            [-1.6666666666666667, -4.333333333333333]
        """
        nats, case = self.nats.double(), self._several()
        if case is None:
            return nats
        finite = nats[nats.isfinite()]
        mean = finite.mean() if len(finite) else nats.new_zeros(())
        zero = torch.zeros(int(case.max()) + 1, dtype=torch.float64, device=nats.device)
        return mean + zero.index_add(0, case, nats - mean) * (len(zero) / len(nats))

    def _several(self) -> Tensor | None:
        """Return the cases counted from 0; None where each example is one, or all are parts of the
        same."""
        case = None if self.cases is None else self.cases.unique(return_inverse=True)[1]
        return None if case is None or not case.any() else case

    def add(self, nats: Tensor, *, bound: bool = False) -> LogProb:
        """Return the log-probability after a change of variables that contributes `nats` (a
        log-determinant).

        With `bound=True` the contribution is a lower bound (dequantisation), so `exact` becomes
        `lower_bound`; an upper bound cannot absorb it.
        """
        kind: Kind = self.kind
        if bound and kind == "exact":
            kind = "lower_bound"
        elif bound and kind == "upper_bound":
            raise BadInput("a lower bound added to an upper bound", "two bounds of one direction")
        return replace(self, nats=self.nats + nats, kind=kind)

    def __add__(self, other: LogProb) -> LogProb:
        """Chain rule: `log p(a) + log p(b | a)` for numbers of one kind and one measure."""
        self.require_same(other, ("kind", "measure"))
        stderr = None
        if self.stderr is not None or other.stderr is not None:
            zero = torch.zeros_like(self.nats)
            a = zero if self.stderr is None else self.stderr
            b = zero if other.stderr is None else other.stderr
            stderr = torch.hypot(a, b)
        # D bits/dim of `a` and of `b` is one code of D_a + D_b dimensions
        unit = replace(self.unit, nats_per_unit=self.unit.nats_per_unit + other.unit.nats_per_unit)
        if self.unit.nats_per_unit == other.unit.nats_per_unit == 1.0:
            unit = self.unit
        return replace(
            self,
            nats=self.nats + other.nats,
            stderr=stderr,
            calls=self.calls + other.calls,
            unit=unit,
            errors={},
        )

    @staticmethod
    def concatenate(parts: list[LogProb]) -> LogProb:
        """Join batches of one and the same quantity along N."""
        if not parts:
            raise BadInput("no log-probabilities", "at least one batch")
        first = parts[0]
        for part in parts[1:]:
            first.require_same(part, ("kind", "measure", "unit", "estimator", "given"))
        stderr = None
        if first.stderr is not None:
            stderr = torch.cat(
                [p.stderr if p.stderr is not None else torch.zeros_like(p.nats) for p in parts]
            )
        sizes = (
            None
            if first.sizes is None
            else torch.cat([p.sizes for p in parts if p.sizes is not None])
        )
        cases = (
            None
            if first.cases is None
            else torch.cat([p.cases for p in parts if p.cases is not None])
        )
        errors = {cause: torch.cat([p.errors[cause] for p in parts]) for cause in first.errors}
        nats = torch.cat([p.nats for p in parts])
        return replace(first, nats=nats, stderr=stderr, sizes=sizes, cases=cases, errors=errors)

    def require_same(self, other: LogProb, fields: tuple[str, ...]) -> None:
        """Refuse two log-probabilities that differ in one of some attributes, because they have no
        order, sum or difference.

        Raises:
            BadInput: names the attribute and both values.
        """
        for name in fields:
            left, right = getattr(self, name), getattr(other, name)
            if left != right:
                raise BadInput(
                    f"log-probabilities whose {name} differ ({left} and {right})",
                    f"equal {name}",
                    "an exact value, a bound and an estimate are different quantities; keep them apart",
                )
