"""Exact duplicates of training examples.

One idea: in a small discrete space real examples repeat too, so the rate is read against that of
held-out ones.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import require
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.batch import Batch, Role
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Kept,
    Measured,
    MeasuredOn,
    Need,
    Statistic,
)
from pushforward.evaluation.measuring.summaries import Contents
from pushforward.evaluation.memorisation.roles import three_roles

DUPLICATES = Measure(
    "exact duplicates",
    "Samples that are training examples, to the last digit.",
    "Copies of training data",
    "share of samples",
    MEMORISATION,
    "check",
    at_most=1.0,
)


def duplicate_rate(samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> Score:
    """Return the fraction of samples that occur in train, to single precision, in data units.

    The null is the same fraction for held-out examples: in a small discrete space real examples
    repeat too. `stderr` is that of the difference from the null under equal rates, `sqrt(p (1-p)
    (1/n + 1/h))` with the pooled rate p.

    Args:
        samples: the model's examples in data units, shape (n, ...).
        train: what the model was trained on, shape (m, ...).
        heldout: real examples it was not trained on, shape (h, ...).

    Example:
        >>> x = np.arange(30.0).reshape(30, 1)
        >>> s = duplicate_rate(x[:10], x[:20], x[20:])
        >>> s.value, s.null
        (1.0, 0.0)
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    kept = [Contents().add(Batch.of(x), x) for x in (rows, fitted, fresh)]
    return _rate(*kept)


def _rate(samples: Contents, train: Contents, heldout: Contents) -> Score:
    n, h = samples.total, heldout.total
    again, natural = samples.found_in(train), heldout.found_in(train)
    pooled = (again + natural) / (n + h)
    low, high = wilson(again, n)
    return MeasuredOn("data", reference="train").score(
        DUPLICATES,
        again / n,
        n,
        low=low,
        high=high,
        stderr=math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / h)),
        null=natural / h,
        null_stderr=0.0,  # the standard error is that of the difference already
    )


class Duplicates(Statistic):
    """`duplicate_rate` over every example, however many there are.

    Args:
        heldout: which role the held-out examples have.
    """

    def __init__(self, heldout: Role = "reference") -> None:
        self.heldout: Role = heldout

    @property
    def needs(self) -> tuple[Need, ...]:
        """The content of all three roles."""
        roles: tuple[Role, ...] = ("samples", "train", self.heldout)
        return tuple(Need(role, DATA, "contents") for role in roles)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return one score."""
        sides = [kept.contents(role) for role in ("samples", "train", self.heldout)]
        for side, role in zip(
            sides, ("samples", "training examples", "held-out examples"), strict=True
        ):
            require(side.total, 2, role)
        return [Measured(_rate(*sides))]


METRIC = Metric.of(DUPLICATES, lambda card: [Duplicates(card.null_role)], "held-out")
