"""Do samples lie nearer to the training examples than held-out ones do?

One idea: the ranks of distances to train, samples among held-out examples, as Meehan et al. (2020)
test them.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import MeasuredOn
from pushforward.evaluation.memorisation.roles import MemorisationCheck, on_last, three_roles

COPYING = Measure(
    "copying statistic",
    "Far below zero: copied. Above zero: no merit.",
    "Nearer to training data than real data are",
    "standard errors",
    MEMORISATION,
    "check",
    "higher",
)


def copying_statistic(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Return the Mann-Whitney Z of distances to train, samples against held-out examples; negative:
    samples are nearer.

    `Z = (U - (n h / 2 - 1/2)) / sqrt(n h (n + h + 1) / 12)` (Meehan et al. 2020, section 3, one
    cell), ties counting half in U and lowering the variance. Standard normal if the model is the
    data distribution. Copying makes it negative, but so does crowding where the data are dense, and
    an honest model that collapsed to 12 digits scatters by 3.3 instead of 1 (measured): alone it
    convicts nobody.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.
        reference_name: which split `heldout` is.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> copying_statistic(x[:100], x[:200], x[200:], "identity").value < -10
        True
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    near, null = nearest(rows, fitted)[1], nearest(fresh, fitted)[1]
    n, h = len(near), len(null)
    ranks = stats.rankdata(np.concatenate([near, null]))
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    _, ties = np.unique(ranks, return_counts=True)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / ((n + h) * (n + h - 1))
    variance = n * h * (n + h + 1 - tied) / 12
    z = (u - (n * h / 2 - 0.5)) / math.sqrt(variance) if variance > 0 else 0.0
    warnings = (
        () if variance > 0 else ("all distances to train are equal; the statistic says nothing",)
    )
    on = MeasuredOn(features, fingerprint, reference_name, "train")
    return on.score(COPYING, z, n, stderr=1.0, null=0.0, unit="standard errors", warnings=warnings)


class CopyingStatistic(MemorisationCheck):
    """`copying_statistic` of the rows kept."""

    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return one score."""
        view = self.view
        return [
            copying_statistic(
                samples, train, heldout, view.name, view.fingerprint, self.heldout_name
            )
        ]


METRIC = Metric.of(COPYING, on_last(CopyingStatistic), "held-out")
