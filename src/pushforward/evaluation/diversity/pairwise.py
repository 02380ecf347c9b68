"""Mean distance between two examples of one sample.

One idea: a sampler that lost modes or drew too coldly has its examples nearer to each other than
real ones are; the mean over pairs is a U-statistic, unbiased at every size.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import DIVERSITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.distances import tiles
from pushforward.evaluation.intervals import t_quantile
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.real import against_real
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample

PAIRWISE = Measure(
    "mean pairwise distance",
    "How far apart two samples lie on average.",
    "Spread",
    "distance in features",
    DIVERSITY,
    better="higher",
)
AT_LEAST = 20
BEYOND = (
    "farther apart than real examples: noise is, so higher is not better beyond real data's value"
)


def mean_distances(rows: np.ndarray) -> np.ndarray:
    """Return the mean distance of each row to all other ones, shape (n,); their mean is the mean
    over pairs.

    Example:
        >>> mean_distances(np.array([[0.0], [1.0], [5.0]])).tolist()
        [3.0, 2.5, 4.5]
    """
    sums = np.empty(len(rows))
    for part, distance in tiles(rows, rows):
        sums[part] = distance.sum(axis=1)
    return sums / (len(rows) - 1)


def measure_pairwise(
    samples: np.ndarray, reference: np.ndarray, ids: np.ndarray, on: MeasuredOn
) -> Measured:
    """Return `pairwise_distance` with what every sample contributes to its error."""
    x, y = two_samples(samples, reference, AT_LEAST)
    own, real = mean_distances(x), mean_distances(y)
    terms = Terms(ids, 2.0 * Terms.of_mean(ids, own).terms)
    value, stderr = float(own.mean()), math.sqrt(terms.variance)
    reach = t_quantile(len(x) - 1) * stderr
    score = on.score(
        PAIRWISE, value, len(x), low=max(0.0, value - reach), high=value + reach, stderr=stderr
    )
    real_stderr = 2.0 * float(real.std(ddof=1)) / math.sqrt(len(y))
    return Measured(against_real(score, float(real.mean()), real_stderr, BEYOND), terms)


def pairwise_distance(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Score the mean distance `2 / (n (n - 1)) sum_{i < j} |x_i - x_j|`; null: that of reference
    examples.

    The standard error is that of a U-statistic of order two to first order, `2 sd(h) / sqrt(n)`
    with `h_i` the mean distance of example i to the others (Hoeffding 1948, section 5); the spread
    of the h_i counts the part of order 1/n^2, more than once.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.

    Raises:
        BadInput: fewer than 20 rows on a side, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> s = pairwise_distance(0.5 * x[:200], x[200:], "identity")
        >>> s.high < s.null
        True
    """
    on = MeasuredOn(features, fingerprint, reference_name)
    return measure_pairwise(samples, reference, np.arange(len(samples)), on).score


class PairwiseDistance(TwoSample):
    """`pairwise_distance` of the rows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return one score."""
        return [measure_pairwise(x, y, x_ids, self.on)]


METRIC = Metric.of(PAIRWISE, lambda card: [PairwiseDistance(card.features[0], card.reference_name)])
