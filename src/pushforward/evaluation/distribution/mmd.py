"""Maximum mean discrepancy under a Gaussian kernel: sees any difference at the length of its bandwidth.

Two ideas: the kernel is characteristic, so the population value is zero for equal distributions only; two values compare at
equal bandwidth only, so the bandwidth comes from the reference alone, whatever the samples are, and stands in the name.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import pdist

from pushforward.core.errors import BadInput
from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.distances import squared_distances
from pushforward.evaluation.distribution.discrepancy import AT_LEAST, measured
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, TwoSample, View

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
    """Return the median distance of two rows: the median heuristic (Gretton et al. 2012, section 8), on the reference alone.

    Of more than 2000 rows, 2000 evenly spaced ones are taken, so that the result depends on nothing but the rows.

    Raises:
        BadInput: half of all pairs of rows are equal.

    Example:
        >>> median_bandwidth(np.array([[0.0], [1.0], [3.0]]))
        2.0
    """
    spaced = np.linspace(0, len(reference) - 1, min(len(reference), PAIRED_ROWS)).round().astype(np.int64)
    median = float(np.median(pdist(reference[spaced])))
    if median == 0.0:
        raise BadInput(
            "a median distance of zero between reference examples", "features that vary", "pass a bandwidth yourself"
        )
    return median


def maximum_mean_discrepancy(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    bandwidth: float | None = None,
) -> Score:
    """Score `samples` against `reference` by the unbiased squared MMD with a Gaussian kernel; null 0, may be negative.

    Of N(0, I) and N(mu, I) in d dimensions it estimates `2 (s^2 / (s^2 + 2))^{d/2} (1 - exp(-|mu|^2 / (2 (s^2 + 2))))`, s the
    bandwidth. The interval is that of `squared_mmd`.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        bandwidth: s, in units of the features; the median distance of the reference by default.

    Raises:
        BadInput: fewer than 4 rows on a side, a bandwidth that is not positive, a reference without spread, NaN, or different
            widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> s = maximum_mean_discrepancy(x[:100], x[100:] + 3.0, "identity", bandwidth=2.0)
        >>> s.name, s.low > 0
        ('squared mmd, gaussian kernel of bandwidth 2 [identity] vs test', True)
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    return _measure(samples, reference, MeasuredOn(features, fingerprint, reference_name), bandwidth, ids).score


def _measure(
    samples: np.ndarray,
    reference: np.ndarray,
    on: MeasuredOn,
    bandwidth: float | None,
    ids: tuple[np.ndarray, np.ndarray],
) -> Measured:
    x, y = two_samples(samples, reference, AT_LEAST)
    s = median_bandwidth(y) if bandwidth is None else float(bandwidth)
    if not (math.isfinite(s) and s > 0):
        raise BadInput(f"a bandwidth of {s}", "a positive length in units of the features")
    setting = f"gaussian kernel of bandwidth {s:.4g}"
    centre = y.mean(axis=0)
    # distances do not mind the centre, and small numbers keep their digits
    return measured(x, y, lambda a, b: rbf_kernel(a - centre, b - centre, s), MMD, on, ids, setting)


class MaximumMeanDiscrepancy(TwoSample):
    """The squared MMD with a Gaussian kernel, with first-order terms of both sides.

    Args:
        view: features to look at.
        reference_name: which split the reference is.
        seed: not used.
        bandwidth: in units of the features; the median distance of the reference by default.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(200, 2)), np.arange(100)
        >>> (m,) = MaximumMeanDiscrepancy(DATA).measure(x[:100] + 2.0, x[100:], ids, ids)
        >>> m.score.low > 0, m.reference.terms.shape
        (True, (100,))
    """

    def __init__(self, view: View, reference_name: str = "test", seed: int = 0, bandwidth: float | None = None) -> None:
        super().__init__(view, reference_name, seed)
        self.bandwidth = bandwidth

    def measure(self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray) -> list[Measured]:
        """Return the squared MMD."""
        return [_measure(x, y, self.on, self.bandwidth, (x_ids, y_ids))]


METRIC = Metric.of(
    MMD,
    lambda card: [MaximumMeanDiscrepancy(card.features[0], card.reference_name, bandwidth=card.bandwidth)],
    "spread",
)
