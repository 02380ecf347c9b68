"""Maximum mean discrepancy under a Gaussian kernel: sees any difference at the length of its
bandwidth.

Two ideas: the kernel is characteristic, so the population value is zero for equal distributions
only; two values compare at equal bandwidth only, so the bandwidth comes from the reference alone,
whatever the samples are, and stands in the name.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import pdist

from pushforward.core.errors import BadInput
from pushforward.core.measure import DISTANCE, Measure
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.distances import squared_distances
from pushforward.evaluation.distribution.discrepancy import AT_LEAST, measured
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, TwoSample, View

MMD = Measure(
    "squared mmd",
    "Any difference that shows at the typical distance between two real examples.",
    "Shape, at one scale",
    "0 = no difference",
    DISTANCE,
)

PAIRED_ROWS = 2000


def rbf_kernel(x: np.ndarray, y: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return `exp(-|x - y|^2 / (2 s^2))` for rows (n, d) and (m, d), s the bandwidth.

    Example:
        >>> rbf_kernel(np.array([[0.0]]), np.array([[2.0]]), 1.0).round(4).tolist()
        [[0.1353]]
    """
    exponent = squared_distances(x, y)
    exponent /= -2.0 * bandwidth**2
    return np.exp(exponent, out=exponent)


def median_bandwidth(reference: np.ndarray) -> float:
    """Return the median distance of two rows: the median heuristic (Gretton et al. 2012, section
    8), on the reference alone.

    Of more than 2000 rows, 2000 evenly spaced ones are taken, so that the result depends on nothing
    but the rows.

    Raises:
        BadInput: half of all pairs of rows are equal.

    Example:
        >>> median_bandwidth(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    spaced = (
        np.linspace(0, len(reference) - 1, min(len(reference), PAIRED_ROWS))
        .round()
        .astype(np.int64)
    )
    median = float(np.median(pdist(reference[spaced])))
    if median == 0.0:
        raise BadInput(
            "a median distance of zero between reference examples",
            "features that vary",
            "pass a bandwidth yourself",
        )
    return median


class MaximumMeanDiscrepancy(TwoSample):
    """The unbiased squared MMD with a Gaussian kernel, with first-order terms of both sides; null
    0, may be negative.

    Of N(0, I) and N(mu, I) in d dimensions it estimates `2 (s^2 / (s^2 + 2))^{d/2} (1 - exp(-|mu|^2
    / (2 (s^2 + 2))))`, s the bandwidth. The interval is that of `squared_mmd`.

    Args:
        view: features to look at.
        reference_name: which split the reference is.
        seed: not used.
        bandwidth: s, in units of the features; the median distance of the reference by default.

    Raises:
        BadInput: fewer than 4 rows on a side, a bandwidth that is not positive, a reference without
            spread, NaN, or different widths.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(200, 2)), np.arange(100)
        >>> (m,) = MaximumMeanDiscrepancy(DATA).measure(x[:100] + 2.0, x[100:], ids, ids)
        >>> m.score.low > 0, m.reference.terms.shape
        (True, (100,))
    """

    def __init__(
        self,
        view: View,
        reference_name: str = "test",
        seed: int = 0,
        bandwidth: float | None = None,
    ) -> None:
        super().__init__(view, reference_name, seed)
        self.bandwidth = bandwidth

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the squared MMD."""
        x, y = two_samples(x, y, AT_LEAST)
        s = median_bandwidth(y) if self.bandwidth is None else float(self.bandwidth)
        if not (math.isfinite(s) and s > 0):
            raise BadInput(f"a bandwidth of {s}", "a positive length in units of the features")
        centre = y.mean(axis=0)
        # distances do not mind the centre, and small numbers keep their digits
        kernel = lambda a, b: rbf_kernel(a - centre, b - centre, s)  # noqa: E731
        setting = f"gaussian kernel of bandwidth {s:.4g}"
        return [measured(x, y, kernel, MMD, self.on, (x_ids, y_ids), setting)]


METRIC = Metric.of(
    MMD,
    lambda card: [
        MaximumMeanDiscrepancy(card.features[0], card.reference_name, bandwidth=card.bandwidth)
    ],
    "spread",
)
