"""What every metric must do on real examples against real examples, one card for each kind of data."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from mixed_tables import MIXED, mixed_rows
from pushforward.core.measure import ASPECTS, TEXT
from pushforward.core.score import Score
from pushforward.core.space import Image, Points, Space
from pushforward.core.text import Text
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.measuring.evaluation import Evaluation, EvaluationState
from pushforward.evaluation.measuring.metric import CardSetting, Metric

N, ERRORS = 200, 4.5


class Nearest:
    """A judge of digits: their five nearest neighbours among those it was shown."""

    name, fingerprint, classes = "nearest", "digits", tuple("0123456789")

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self._known = KNeighborsClassifier(5).fit(x.reshape(len(x), -1), y)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self._known.predict_proba(x.reshape(len(x), -1))


def _sentences(rng: np.random.Generator) -> np.ndarray:
    """Windows of a text in which a token depends on the one before it."""
    steps = rng.integers(1, 4, size=(3 * N, 24))
    return (rng.integers(0, 9, size=(3 * N, 1)) + steps.cumsum(axis=1)) % 9


@cache
def examples() -> dict[str, tuple[Space, np.ndarray, np.ndarray | None]]:
    """Return 3 N examples of each kind of data, and their classes."""
    rng = np.random.default_rng(0)
    digits = load_digits()
    order = rng.permutation(len(digits.target))[: 3 * N]
    images = digits.images.astype(np.int64)[order, None]
    return {
        "points": (Points(3), rng.normal(size=(3 * N, 3)) @ rng.normal(size=(3, 3)), None),
        "image": (Image(1, 8, 8, levels=17), images, digits.target[order]),
        "text": (Text(9, 24, 8), _sentences(rng), None),
        "table": (MIXED, mixed_rows(3 * N, rng), None),
    }


@cache
def setting(kind: str) -> CardSetting:
    """Return what a card of a kind of data is about."""
    space, x, labels = examples()[kind]
    judge = None if labels is None else Nearest(x[2 * N :], labels[2 * N :])
    return CardSetting(
        space, default_features(space, x[2 * N :]), judge=judge, size=N, heldout_size=N
    )


def kinds_of(metric: Metric) -> list[str]:
    """Return the kinds of data whose card has a metric."""
    return [kind for kind in examples() if metric.applies(setting(kind))]


def scores(metric: Metric, kind: str, *, apart: bool = False) -> list[Score]:
    """Return a metric's scores of N real examples against N others, with N more as training examples.

    Args:
        apart: of the samples every coordinate is permuted by itself, which leaves the coordinates and nothing between them.
    """
    _, x, labels = examples()[kind]
    if apart:
        rng, x = np.random.default_rng(1), x.copy()
        flat = x[:N].reshape(N, -1)
        x[:N] = np.stack([rng.permutation(one) for one in flat.T], axis=1).reshape(x[:N].shape)
    evaluation = Evaluation(metric.on(setting(kind)))
    state: EvaluationState = evaluation.init()
    for place, role in enumerate(("samples", "reference", "train")):
        part = slice(place * N, (place + 1) * N)
        state = evaluation.take(state, role, x[part], None if labels is None else labels[part])
    return [measured.score for measured in evaluation.compute(state)]


def require_conforming(metric: Metric) -> None:
    """Hold a metric to its declaration, and its scores of real examples to their null where there is one.

    A null is missed by more than 4.5 standard errors by one honest metric in 150,000.
    """
    assert metric.says
    assert not metric.says.endswith(".")
    assert metric.measures
    for measure in metric.measures:
        assert measure.aspect in ASPECTS
    for kind in kinds_of(metric):
        found = scores(metric, kind)
        assert found
        for score in found:
            assert score.measure in metric.measures, score.name
            assert score.reference in ("test", "train", "held-out")
            assert score.low is None or score.low <= score.value <= (score.high or math.inf), (
                score.name
            )
            most = math.inf if score.measure.at_most is None else score.measure.at_most
            ends = [
                end for end in (score.value, score.high) if end is not None and not math.isnan(end)
            ]
            assert max(ends, default=most) <= most, score.name
            error = _error(score)
            if score.null is not None and error is not None:
                assert abs(score.value - score.null) <= ERRORS * error, (
                    score.name,
                    score.value,
                    score.null,
                    error,
                )


def require_direction(metric: Metric) -> None:
    """Hold the merits of a metric to their direction: what lost all that lies between coordinates is not better than real.

    By more than 4.5 standard errors of both a metric that is blind to it is so once in 300,000.
    """
    for kind in kinds_of(metric):
        for real, apart in zip(scores(metric, kind), scores(metric, kind, apart=True), strict=True):
            errors = _error(real), _error(apart)
            # tokens without an order repeat less, which is no merit but reads as one
            about = real.measure.aspect
            if real.measure.role != "merit" or about.two_sided or about == TEXT or None in errors:
                continue
            gain = (apart.value - real.value) * (1.0 if real.better == "higher" else -1.0)
            assert gain <= ERRORS * math.hypot(*errors), (real.name, real.value, apart.value)


def _error(score: Score) -> float | None:
    """Return the standard error of a score's distance to its null, from whichever says more."""
    known = [score.stderr] if score.stderr is not None else []
    known += [] if score.low is None or score.high is None else [(score.high - score.low) / 3.92]
    return math.hypot(max(known), score.null_stderr or 0.0) if known else None
