"""Kernel distance between two samples of features: unbiased, so comparable at any sample size.

One idea: the squared maximum mean discrepancy under the cubic kernel, which compares means,
covariances and third moments.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.distribution.discrepancy import AT_LEAST, measured
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, TwoSample

KERNEL = Measure(
    "kernel distance",
    "How far the first three moments of features lie from those of real data.",
    "Averages, spreads, skews",
    "0 = no difference",
    DISTANCE,
)


def cubic_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return `(x . y / d + 1)^3` for rows (n, d) and (m, d) (Bińkowski et al. 2018, equation 3).

    Example:
        >>> cubic_kernel(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0]])).tolist()
        [[8.0]]
    """
    product = x @ y.T
    product /= x.shape[1]
    product += 1.0
    # a power of three goes through logarithms; two products do not
    cube = product * product
    cube *= product
    return cube


def kernel_distance(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Score `samples` against `reference` by the unbiased squared MMD with the cubic kernel; null
    0, may be negative.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.

    Raises:
        BadInput: fewer than 4 rows on a side, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> s = kernel_distance(x[:100], x[100:] + 3.0, "identity")
        >>> s.name, s.low > 0
        ('kernel distance [identity] vs test', True)
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    return _measure(
        samples, reference, MeasuredOn(features, fingerprint, reference_name), ids
    ).score


def _measure(
    samples: np.ndarray, reference: np.ndarray, on: MeasuredOn, ids: tuple[np.ndarray, np.ndarray]
) -> Measured:
    return measured(*two_samples(samples, reference, AT_LEAST), cubic_kernel, KERNEL, on, ids)


class KernelDistance(TwoSample):
    """The kernel distance, with first-order terms of both sides.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(200, 2)), np.arange(100)
        >>> (m,) = KernelDistance(DATA).measure(x[:100] + 2.0, x[100:], ids, ids)
        >>> m.score.low > 0, m.samples.terms.shape
        (True, (100,))
    """

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the kernel distance."""
        return [_measure(x, y, self.on, (x_ids, y_ids))]


METRIC = Metric.of(
    KERNEL, lambda card: [KernelDistance(view, card.reference_name) for view in card.features]
)
