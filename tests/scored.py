"""Scores for tests, by their whole name."""

from __future__ import annotations

from typing import Any

import numpy as np

from pushforward.core.logprob import LogProb
from pushforward.core.score import Score
from pushforward.evaluation.cards.metrics import declared
from pushforward.evaluation.likelihood.ranking import PairedTest, paired_test
from pushforward.evaluation.measuring.statistic import RawView


def called(name: str, value: float, n: int = 100, better: str = "lower", **more: Any) -> Score:
    """Return a score as a record has it that is older than the fields that its name is made from."""
    return Score.from_json(
        {"name": name, "value": value, "n": n, "better": better, **more}, declared()
    )


class Named(RawView):
    """Rows as they are, by another name."""

    def __init__(self, name: str, fingerprint: str = "") -> None:
        self.name, self.fingerprint = name, fingerprint


def scored(
    kind: Any,
    x: np.ndarray,
    y: np.ndarray,
    view: str = "f",
    features: str = "",
    reference: str = "test",
    **options: Any,
) -> list[Score]:
    """Return the scores of rows against rows by one kind of statistic."""
    statistic = kind(Named(view, features), reference, **options)
    return [m.score for m in statistic.measure(x, y, np.arange(len(x)), np.arange(len(y)))]


def paired(first: LogProb, second: LogProb, comparisons: int = 1) -> PairedTest:
    """Return the paired test of two log-probabilities of the same cases."""
    a, b = (lp.per_case().numpy() for lp in (first, second))
    return paired_test(a, b, first.unit.nats_per_unit, first.unit.name, comparisons)
