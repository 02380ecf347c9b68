"""What a metric computes on a card: what it keeps of each role, and the pure function from that to
scores.

Three ideas: a statistic declares its needs and the engine meets them, so that twenty of them share
one pass, one set of features and one sample; `Measured` carries what every example contributed, so
that two models can be compared in pairs over the reference they share; a statistic that sees rows
only is a function of two arrays and nothing more.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.summaries import BlockedMoments, Contents, Reservoir, Summary


@runtime_checkable
class View(Protocol):
    """What a statistic looks at: named features of examples."""

    name: str
    fingerprint: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return features (n, d) of examples in data units."""
        ...


class RawView:
    """The view of examples as they are, in data units."""

    name, fingerprint = "data", ""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the examples themselves."""
        return x


DATA = RawView()
Keeping = Literal["rows", "moments", "contents"]


@dataclass(frozen=True)
class MeasuredOn:
    """What scores were measured with and against.

    Attributes:
        view: name of the features, printed in brackets.
        features: their fingerprint.
        reference: which split the reference is.
        subject: what is held against it where it is no sample.

    Example:
        >>> MeasuredOn("pca-16").score(Measure("coverage"), 0.9, n=100).name
        'coverage [pca-16] vs test'
    """

    view: str
    features: str = ""
    reference: str = "test"
    subject: str = ""

    def score(self, measure: Measure, value: float, n: int, **more: Any) -> Score:
        """Return a score of a measure; `more` are its other fields."""
        return Score(measure, value, n, **{**vars(self), **more})


@dataclass(frozen=True)
class Need:
    """One thing that a statistic asks to be kept: of which role, seen how, in what form."""

    role: Role
    view: View
    keep: Keeping

    @property
    def key(self) -> str:
        """Name under which the summary is kept; equal needs of two statistics have equal names."""
        return f"{self.role}|{self.keep}|{self.view.name}|{self.view.fingerprint}"


@dataclass(frozen=True)
class Kept:
    """The summaries that a statistic computes from.

    Example:
        >>> Kept({}).rows("train", DATA)
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: no examples of the role 'train': expected some; update the evaluation with them
    """

    summaries: Mapping[str, Summary]

    def rows(self, role: Role, view: View) -> np.ndarray:
        """Return the rows kept of a role, at most the reservoir's capacity, in an order that is
        random but fixed."""
        rows = self._reservoir(role, view).rows
        if rows is None:
            raise _absent(role)
        return rows

    def labels(self, role: Role, view: View) -> np.ndarray:
        """Return the labels of `rows`."""
        labels = self._reservoir(role, view).labels
        if labels is None:
            raise _absent(role)
        return labels

    def ids(self, role: Role, view: View) -> np.ndarray:
        """Return the identities of `rows`."""
        ids = self._reservoir(role, view).ids
        if ids is None:
            raise _absent(role)
        return ids

    def cases(self, role: Role, view: View) -> np.ndarray | None:
        """Return what each of `rows` belongs to, None where each is a case by itself."""
        kept = self._reservoir(role, view)
        if kept.cases is None or kept.ids is None:
            raise _absent(role)
        return None if np.array_equal(kept.cases, kept.ids) else kept.cases

    def seen(self, role: Role, view: View) -> int:
        """Return how many rows a role had."""
        return self._reservoir(role, view).seen

    def moments(self, role: Role, view: View) -> BlockedMoments:
        """Return a role's moments in blocks."""
        found = self.summaries.get(Need(role, view, "moments").key)
        if not isinstance(found, BlockedMoments):
            raise _absent(role)
        return found

    def contents(self, role: Role, view: View = DATA) -> Contents:
        """Return a role's content hashes."""
        found = self.summaries.get(Need(role, view, "contents").key)
        if not isinstance(found, Contents):
            raise _absent(role)
        return found

    def _reservoir(self, role: Role, view: View) -> Reservoir:
        found = self.summaries.get(Need(role, view, "rows").key)
        if not isinstance(found, Reservoir):
            raise _absent(role)
        return found


def _absent(role: str) -> BadInput:
    return BadInput(f"no examples of the role '{role}'", "some", "update the evaluation with them")


@dataclass(frozen=True)
class Terms:
    """What the units of one side contribute to a value's error: `Var = sum t_i^2`, units being
    examples or blocks.

    Attributes:
        ids: identity of each unit, so that two models find the units that they share.
        terms: contribution of each unit, shape (units,).
    """

    ids: np.ndarray
    terms: np.ndarray

    @staticmethod
    def of_mean(ids: np.ndarray, values: np.ndarray) -> Terms:
        """Return the terms of a mean of independent values: `(v_i - mean) / sqrt(n (n - 1))`.

        Example:
            >>> t = Terms.of_mean(np.arange(3), np.array([1.0, 2.0, 3.0]))
            >>> round(t.variance, 4)
            0.3333
        """
        n = len(values)
        return Terms(ids, (values - values.mean()) / math.sqrt(n * (n - 1)))

    @property
    def variance(self) -> float:
        """Variance that this side contributes."""
        return float((self.terms**2).sum())


@dataclass(frozen=True)
class Contrast:
    """What is known of the difference of two models' values over one reference.

    Attributes:
        stderr: its standard error.
        p_value: of an exact test of equal laws, two-sided.
    """

    stderr: float
    p_value: float


@runtime_checkable
class Rival(Protocol):
    """One model's side of a test that needs the examples of both."""

    def against(self, other: Any) -> Contrast | None:
        """Return the contrast to a rival of the same metric, or None where both did not meet the
        same reference."""
        ...


@dataclass(frozen=True)
class Measured:
    """A score with what its error is made of.

    Attributes:
        score: the score.
        samples, reference: terms of either side, None where no linearisation is known.
        rival: what a sharper test against another model needs, None where terms are all there is.
    """

    score: Score
    samples: Terms | None = None
    reference: Terms | None = None
    rival: Rival | None = field(default=None, kw_only=True)


class Statistic(ABC):
    """What a metric computes from what was kept. Constructors store; `compute` is pure."""

    @property
    @abstractmethod
    def needs(self) -> tuple[Need, ...]:
        """What the engine has to keep."""

    @abstractmethod
    def compute(self, kept: Kept) -> list[Measured]:
        """Return the scores.

        Raises:
            BadInput: too few examples (says how many are needed), or rows that it cannot use.
        """


class TwoSample(Statistic):
    """A statistic of rows of samples against rows of a reference, in one view.

    Args:
        view: what it looks at.
        reference_name: which split the reference is; part of every name.
        seed: seed of whatever it draws.
    """

    def __init__(self, view: View, reference_name: str = "test", seed: int = 0) -> None:
        self.view, self.reference_name, self.seed = view, reference_name, seed

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of both roles."""
        return Need("samples", self.view, "rows"), Need("reference", self.view, "rows")

    @property
    def on(self) -> MeasuredOn:
        """What its scores are measured with and against."""
        return MeasuredOn(self.view.name, self.view.fingerprint, self.reference_name)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the scores of the rows kept."""
        x, y = kept.rows("samples", self.view), kept.rows("reference", self.view)
        return self.measure(x, y, kept.ids("samples", self.view), kept.ids("reference", self.view))

    @abstractmethod
    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the scores of samples `x` (n, d) against reference `y` (m, d) with these
        identities."""
