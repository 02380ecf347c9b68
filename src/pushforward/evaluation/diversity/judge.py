"""A judge of classes: a classifier that was fitted on real examples, and what it saw.

Two ideas: a judge is a name, a fingerprint and probabilities, whatever computes them; samples and
real examples pass the same one, so that its errors are part of what is expected.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import require
from pushforward.evaluation.measuring.metric import Judge
from pushforward.evaluation.measuring.statistic import Kept, Measured, MeasuredOn, Need, Statistic

AT_LEAST = 20


@runtime_checkable
class LabelProbabilities(Protocol):
    """Whatever gives probabilities of the labels that it was fitted with."""

    name: str
    fingerprint: str
    classes: tuple[int, ...]

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of each of its labels, shape (n, labels)."""
        ...


class Named:
    """A judge of a dataset's named classes, by a classifier that may not have met all of them.

    Args:
        classifier: its `classes` are places in `names`.
        names: names of all classes.

    Example:
        >>> class Sure:
        ...     name, fingerprint, classes = "sure", "", (0, 2)
        ...     def probabilities(self, x):
        ...         return np.tile([0.25, 0.75], (len(x), 1))
        >>> Named(Sure(), ("a", "b", "c")).probabilities(np.zeros(1)).tolist()
        [[0.25, 0.0, 0.75]]
    """

    def __init__(self, classifier: LabelProbabilities, names: tuple[str, ...]) -> None:
        self.classifier, self.classes = classifier, names
        self.name, self.fingerprint = classifier.name, classifier.fingerprint

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of each named class, zero of those the classifier never met."""
        found = np.zeros((len(x), len(self.classes)))
        found[:, list(self.classifier.classes)] = self.classifier.probabilities(x)
        return found


@dataclass(frozen=True)
class Judged:
    """Probabilities that a judge gave, checked.

    Attributes:
        name: name of the judge.
        fingerprint: its fingerprint.
        samples: probabilities of the model's examples, shape (n, classes).
        reference: those of real examples, shape (m, classes).
        ids: what tells the examples of either side apart, shapes (n,) and (m,).
        reference_name: which split the reference is.
    """

    name: str
    fingerprint: str
    samples: np.ndarray
    reference: np.ndarray
    ids: tuple[np.ndarray, np.ndarray]
    reference_name: str = "test"

    @staticmethod
    def by(
        judge: Judge,
        x: np.ndarray,
        y: np.ndarray,
        reference_name: str = "test",
        ids: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Judged:
        """Let a judge see samples `x` and reference examples `y`, which are numbered from zero
        unless `ids` are given.

        Raises:
            BadInput: fewer than 20 examples on a side, or what the judge returns are no
                probabilities of its classes.

        Example:
            >>> class Sign:
            ...     name, fingerprint, classes = "sign", "", ("negative", "positive")
            ...     def probabilities(self, x):
            ...         return np.stack([x[:, 0] < 0, x[:, 0] >= 0], axis=1).astype(float)
            >>> Judged.by(Sign(), np.ones((20, 1)), -np.ones((20, 1))).samples[0].tolist()
            [0.0, 1.0]
        """
        require(len(x), AT_LEAST, "samples")
        require(len(y), AT_LEAST, "reference examples")
        found = [seen(judge, rows) for rows in (x, y)]
        numbers = (np.arange(len(x)), np.arange(len(y))) if ids is None else ids
        return Judged(judge.name, judge.fingerprint, found[0], found[1], numbers, reference_name)

    @staticmethod
    def of_classes(
        samples: np.ndarray, reference: np.ndarray, classes: int, name: str = "labels"
    ) -> Judged:
        """Return what a judge without doubt saw: the class of each sample (n,) and of each
        reference example (m,).

        Example:
            >>> Judged.of_classes(np.array([0, 2]), np.array([1]), 3).samples.tolist()
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        """
        sure = np.eye(classes)
        ids = np.arange(len(samples)), np.arange(len(reference))
        return Judged(name, "", sure[samples], sure[reference], ids)

    def score(self, measure: Measure) -> Score:
        """Return a score without a value."""
        on = MeasuredOn(self.name, self.fingerprint, self.reference_name)
        return on.score(measure, math.nan, len(self.samples))


def seen(judge: Judge, x: np.ndarray) -> np.ndarray:
    """Return a judge's probabilities of examples, refusing what are none.

    Raises:
        BadInput: fewer than two classes, another shape, numbers outside [0, 1], or rows that do not
            sum to one.
    """
    if len(judge.classes) < 2:
        raise BadInput(f"a judge of {len(judge.classes)} classes", "at least two")
    p = np.asarray(judge.probabilities(x), dtype=np.float64)
    if p.shape != (len(x), len(judge.classes)):
        raise BadInput(f"probabilities of shape {p.shape}", f"({len(x)}, {len(judge.classes)})")
    if not ((p >= 0) & (p <= 1)).all() or np.abs(p.sum(axis=1) - 1).max() > 1e-4:
        raise BadInput(
            f"numbers of the judge '{judge.name}' that are no probabilities", "rows that sum to one"
        )
    return p / p.sum(axis=1, keepdims=True)


class Probabilities:
    """The view of examples as a judge sees them, so that it judges each of them once for all
    metrics.

    Args:
        judge: the classifier.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge, self.name = judge, judge.name
        self.fingerprint = f"probabilities, {judge.name}, {judge.fingerprint}"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of each class, shape (n, classes)."""
        return seen(self.judge, x)


class ClassMetric(Statistic):
    """A metric of what a judge sees in examples in data units.

    Args:
        judge: the classifier.
        reference_name: which split the reference is; part of every name.
        seed: seed of whatever the metric draws.
    """

    def __init__(self, judge: Judge, reference_name: str = "test", seed: int = 0) -> None:
        self.judge, self.reference_name, self.seed = judge, reference_name, seed
        self.view = Probabilities(judge)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the judge sees of both roles."""
        return Need("samples", self.view, "rows"), Need("reference", self.view, "rows")

    def compute(self, kept: Kept) -> list[Measured]:
        """Return one score of what the judge saw."""
        p, q = kept.rows("samples", self.view), kept.rows("reference", self.view)
        require(len(p), AT_LEAST, "samples")
        require(len(q), AT_LEAST, "reference examples")
        ids = kept.ids("samples", self.view), kept.ids("reference", self.view)
        judged = Judged(self.judge.name, self.judge.fingerprint, p, q, ids, self.reference_name)
        return [self.judged(judged, kept)]

    @abstractmethod
    def judged(self, judged: Judged, kept: Kept) -> Measured:
        """Return the score of what the judge saw."""
