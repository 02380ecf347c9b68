"""Is the model drawn to training examples rather than to held-out ones?

One idea: training and held-out examples are exchangeable for an honest model, whatever its quality,
so only a model that is nearer to the training half than chance allows has memorised; blur, noise
and collapse move every distance to train, but not that balance.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.distances import tiles
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import MeasuredOn
from pushforward.evaluation.memorisation.roles import MemorisationCheck, on_last, three_roles

PULL = Measure(
    "pull of training examples",
    "Above 3: samples lie nearer to training than to unseen data.",
    "Pull of training data",
    "standard errors",
    MEMORISATION,
    "check",
)


def training_pull(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Return how much more often than chance a sample's nearest real example is a training example,
    in standard errors.

    Pool the m training and h held-out examples. A sample with nearest and second-nearest pooled
    distances `d1 <= d2` gives its nearest pooled example the weight `1 - d1/d2`: a replay counts
    fully, a sample between examples hardly; examples tied for nearest share the weight, and d2 is
    the next larger distance. With `w_j` the weight of example j and l_j = 1 if it is a training
    example, `T = sum w_j l_j`. Whatever the samples look like, if the model did not treat training
    examples specially the labels are exchangeable, hence `E T = m W / N` and `Var T = m h / (N
    (N-1)) sum (w_j - W/N)^2`, where `W = sum w_j` and `N = m + h`.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.
        reference_name: which split `heldout` is.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> training_pull(x[:100], x[:200], x[200:], "identity").value > 5
        True
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    pool = np.concatenate([fitted, fresh])
    weights = np.zeros(len(pool))
    for _, distance in tiles(rows, pool):
        first = distance.min(axis=1)
        tied = distance == first[:, None]
        second = np.where(tied, np.inf, distance).min(axis=1)
        weights += ((1.0 - first / second) / tied.sum(axis=1)) @ tied
    m, total = len(fitted), len(pool)
    expected = m * float(weights.sum()) / total
    variance = (
        m * len(fresh) / (total * (total - 1)) * float(((weights - weights.mean()) ** 2).sum())
    )
    z = (float(weights[:m].sum()) - expected) / math.sqrt(variance) if variance > 0 else 0.0
    on = MeasuredOn(features, fingerprint, reference_name, "train")
    return on.score(PULL, z, len(rows), stderr=1.0, null=0.0, unit="standard errors")


class TrainingPull(MemorisationCheck):
    """`training_pull` of the rows kept."""

    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return one score."""
        view = self.view
        return [
            training_pull(samples, train, heldout, view.name, view.fingerprint, self.heldout_name)
        ]


METRIC = Metric.of(PULL, on_last(TrainingPull), "held-out")
