"""Is a sample farther from its nearest training example than that example's own neighbour is?

One idea: the radius belongs to the training example; indexing it by the synthetic one, as a
published implementation does, calls two thousand copies of one row authentic.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.distances import kth_neighbour, nearest
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import MeasuredOn
from pushforward.evaluation.memorisation.roles import MemorisationCheck, on_last, three_roles

AUTHENTICITY = Measure(
    "authenticity",
    "Samples further from a training example than its own neighbour is.",
    "Not a copy",
    "share of samples",
    MEMORISATION,
    "check",
    "higher",
    at_most=1.0,
)


def _authentic(rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    index, distance = nearest(rows, train)
    asked, position = np.unique(index, return_inverse=True)
    radius = kth_neighbour(train, 1, asked)[position]
    return np.where(distance == radius, 0.5, (distance > radius).astype(np.float64))


def authenticity(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
) -> Score:
    """Return the fraction of samples farther from their nearest training example than that
    example's own nearest neighbour is.

    `mean 1[d(y, t*) > min_{t != t*} d(t*, t)]` with `t*` the training example nearest to y (Alaa et
    al. 2022, section 4.3): the radius is the *training* example's. Ties count half. The null is the
    same fraction for held-out examples. Quality moves it as well: samples off the data raise it,
    samples crowding where the data are dense lower it.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> s = authenticity(np.repeat(x[:1], 50, axis=0), x[:200], x[200:], "identity")
        >>> s.value, s.null > 0.3
        (0.0, True)
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    genuine, natural = _authentic(rows, fitted), _authentic(fresh, fitted)
    low, high = wilson(float(genuine.sum()), len(genuine))
    return MeasuredOn(features, fingerprint, "train").score(
        AUTHENTICITY,
        float(genuine.mean()),
        len(rows),
        low=low,
        high=high,
        stderr=float(genuine.std(ddof=1)) / math.sqrt(len(genuine)),
        null=float(natural.mean()),
        null_stderr=float(natural.std(ddof=1)) / math.sqrt(len(natural)),
    )


class Authenticity(MemorisationCheck):
    """`authenticity` of the rows kept."""

    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return one score."""
        view = self.view
        return [authenticity(samples, train, heldout, view.name, view.fingerprint)]


METRIC = Metric.of(AUTHENTICITY, on_last(Authenticity), "held-out")
