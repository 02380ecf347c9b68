"""Energy distance: how far two distributions are apart, in units of the features, from distances
alone.

Two ideas: it needs no bandwidth, and is zero for equal distributions only; it is the maximum mean
discrepancy of the kernel `-|x - y|` (Sejdinovic et al. 2013, theorem 22), so its error comes from
the same decomposition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from pushforward.core.measure import DISTANCE, Measure
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.distances import squared_distances
from pushforward.evaluation.distribution.discrepancy import AT_LEAST, measured
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, TwoSample

ENERGY = Measure(
    "energy distance",
    "Samples lie further from real data than real data from themselves.",
    "Shape, at every scale",
    "0 = no difference",
    DISTANCE,
)


def energy_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the unbiased squared energy distance of two samples.

    `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (Szekely & Rizzo 2013, equation 2.1), with pairs of
    distinct points inside each sample, so that its expectation is zero for equal distributions; it
    may be negative.

    Shapes: x (n, d), y (m, d) with n, m >= 2.

    Example:
        >>> energy_distance(np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]]))
        2.0
    """
    return float(2.0 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean())


def negative_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return `-|x - y|` for rows (n, d) and (m, d).

    Example:
        >>> negative_distance(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
        [[-5.0]]
    """
    distance = squared_distances(x, y)
    return np.negative(np.sqrt(distance, out=distance), out=distance)


class EnergyDistance(TwoSample):
    """The energy distance, with first-order terms of both sides; null 0, may be negative.

    The value is that of `energy_distance`, in tiles instead of whole matrices; the interval is that
    of `squared_mmd`.

    Raises:
        BadInput: fewer than 4 rows on a side, NaN, or different widths.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(200, 2)), np.arange(100)
        >>> (m,) = EnergyDistance(DATA).measure(x[:100] + 2.0, x[100:], ids, ids)
        >>> m.score.low > 0, m.samples.terms.shape
        (True, (100,))
    """

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the energy distance."""
        x, y = two_samples(x, y, AT_LEAST)
        centre = y.mean(axis=0)  # distances do not mind, and small numbers keep their digits
        kernel = lambda a, b: negative_distance(a - centre, b - centre)  # noqa: E731
        return [measured(x, y, kernel, ENERGY, self.on, (x_ids, y_ids))]


METRIC = Metric.of(ENERGY, lambda card: [EnergyDistance(card.features[0], card.reference_name)])
