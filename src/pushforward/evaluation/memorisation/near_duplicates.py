"""Near duplicates: samples that are one training example with little changed.

Two ideas: a copy is much closer to one training example than to the next ones, wherever the data
are dense; how close is suspicious is read off held-out examples, one in a hundred of which are
called near duplicates by construction.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import require
from pushforward.evaluation.distances import tiles
from pushforward.evaluation.intervals import extremes
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import MeasuredOn
from pushforward.evaluation.memorisation.roles import MemorisationCheck, on_last, three_roles

NEAR = Measure(
    "near duplicates",
    "Samples that are one training example with little changed.",
    "Near copies",
    "share of samples",
    MEMORISATION,
    "check",
)
NEIGHBOURS, RATE, AT_LEAST = 50, 0.01, 100


def closeness(rows: np.ndarray, train: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return the distance to the nearest training example over the mean distance to the nearest
    `neighbours` of them.

    In [0, 1]: 0 is an exact copy, 1 a point as far from its nearest as from the others (Carlini et
    al. 2023, section 4.2, measure images so). A row that coincides with all of its neighbours has
    0.

    Args:
        rows: shape (n, d).
        train: shape (m, d).
        neighbours: how many, at most m.

    Example:
        >>> closeness(np.array([[1.0], [5.0]]), np.array([[1.0], [2.0], [8.0]]), neighbours=2).tolist()
        [0.0, 1.0]
    """
    k = min(neighbours, len(train))
    found = np.empty(len(rows))
    for part, distance in tiles(rows, train):
        near = np.partition(distance, k - 1, axis=1)[:, :k]
        mean = near.mean(axis=1)
        found[part] = np.divide(near.min(axis=1), mean, out=np.zeros(len(mean)), where=mean > 0)
    return found


def near_duplicate_rate(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
) -> Score:
    """Return the share of samples closer to one training example than all but 1 % of held-out
    examples are.

    With `r` the `closeness` and q its k-th smallest value over h held-out examples, k = ceil(h /
    100), `mean 1[r(y) <= q]`, beside what `extremes` says of an honest model.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d), at least 100.
        features: name of the features.
        fingerprint: fingerprint of the features.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(900, 4))
        >>> near_duplicate_rate(x[:100] + 1e-3, x[:600], x[600:], "identity").value
        1.0
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    require(len(fresh), AT_LEAST, "held-out examples")
    found = extremes(closeness(rows, fitted), closeness(fresh, fitted), RATE)
    return MeasuredOn(features, fingerprint, "train").score(
        NEAR,
        found.share,
        len(rows),
        low=found.low,
        high=found.high,
        stderr=found.stderr,
        null=found.null,
        null_stderr=0.0,  # the standard error counts the held-out examples already
    )


class NearDuplicates(MemorisationCheck):
    """`near_duplicate_rate` of the rows kept."""

    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return one score."""
        return [near_duplicate_rate(samples, train, heldout, self.view.name, self.view.fingerprint)]


METRIC = Metric.of(NEAR, on_last(NearDuplicates), "held-out", at_least=AT_LEAST)
