"""Squared maximum mean discrepancy of two samples under any kernel: unbiased, with its error, in
tiles.

Two ideas: it is a U-statistic, negative half of the time when nothing differs; its standard error
comes from the Hoeffding decomposition, so that the interval also holds at the null, where the
first-order term vanishes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pushforward.core.measure import Measure
from pushforward.evaluation.distribution.gram import (
    Kernel,
    between,
    degenerate_between,
    degenerate_within,
    within,
)
from pushforward.evaluation.distribution.relative import KernelRival
from pushforward.evaluation.intervals import normal_quantile
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms

AT_LEAST = 4
NEAR = 0.5  # errors of second order from which on the first-order variance is believed


@dataclass(frozen=True)
class Discrepancy:
    """A squared discrepancy with its error.

    Attributes:
        value: unbiased, may be negative.
        stderr: its standard error.
        low, high: 95 % interval.
        influence_x: what each sample contributes to first order; the statistic moves by its mean,
            shape (n,).
        influence_y: the same of each reference example, shape (m,).
        rows: for each sample the sum of the kernel over the other samples, shape (n,).
        crossing: for each sample the mean kernel with the reference, shape (n,).
        seen: for each reference example the mean kernel with the samples, shape (m,).
        second_order: variance of second order of all but the reference's own pairs.
    """

    value: float
    stderr: float
    low: float
    high: float
    influence_x: np.ndarray
    influence_y: np.ndarray
    rows: np.ndarray
    crossing: np.ndarray
    seen: np.ndarray
    second_order: float


def squared_mmd(x: np.ndarray, y: np.ndarray, kernel: Kernel) -> Discrepancy:
    """Return the unbiased squared MMD of two samples and its standard error.

    `mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j)` (Gretton et al.
    2012, equation 3). The variance of the influence values counts the second-order part twice (as a
    jackknife does), so that part is estimated without bias from centred kernel matrices and
    subtracted once. For the interval see `_interval`.

    Args:
        x: shape (n, d), n at least 4.
        y: shape (m, d), m at least 4.
        kernel: symmetric function of rows (a, d) and (b, d) that returns a new array (a, b).

    Example:
        >>> x = np.array([[0.0], [0.0], [0.0], [0.0]])
        >>> squared_mmd(x, x + 1.0, lambda a, b: -np.abs(a - b.T)).value
        2.0
    """
    n, m = len(x), len(y)
    xx, yy, xy = within(x, kernel), within(y, kernel), between(x, y, kernel)
    value = (
        xx.rows.sum() / (n * (n - 1))
        + yy.rows.sum() / (m * (m - 1))
        - 2.0 * xy.rows.sum() / (n * m)
    )
    influence_x = 2.0 * (xx.rows / (n - 1) - xy.rows / m)
    influence_y = 2.0 * (yy.rows / (m - 1) - xy.columns / n)
    first_order = float(influence_x.var(ddof=1)) / n + float(influence_y.var(ddof=1)) / m
    own = 2.0 * degenerate_within(xx, n) / (n * (n - 1)) + 4.0 * degenerate_between(xy, n, m) / (
        n * m
    )
    second_order = own + 2.0 * degenerate_within(yy, m) / (m * (m - 1))
    # the second-order part alone is a floor: at the null the difference of two noisy terms can fall
    # below it
    stderr = math.sqrt(max(first_order - second_order, second_order))
    sums = xx.rows, xy.rows / m, xy.columns / n
    ends = _interval(float(value), stderr, second_order)
    return Discrepancy(float(value), stderr, *ends, influence_x, influence_y, *sums, own)


def _interval(value: float, stderr: float, second_order: float) -> tuple[float, float]:
    """Return an interval that knows that the error grows with the value, as Wilson's of a rate
    does.

    The first-order variance vanishes with the discrepancy t itself, about in proportion, so that
    `Var = v_2 + c t` with v_2 of second order. The interval holds every t with `(T - t)^2 <= z^2
    (v_2 + c t)`: a value that came out too small has too small an error, and `T + z stderr` would
    miss above. c is `v_1 / T` far from the null; at it v_1 says nothing, and c turns into the most
    that it can be: with w the difference of mean embeddings, `Var w(X) <= |w|^2 l`, l the largest
    eigenvalue of the centred kernel, at most the root of its second moment, so `c <= sqrt(8 v_2)`
    for equal sizes. Where the normal interval holds zero its lower end stays, as the statistic is a
    skewed sum of chi-squares there. Measured coverage: LOG.md.
    """
    z, least = normal_quantile(), math.sqrt(second_order)
    beyond = max(stderr**2 - second_order, 0.0)
    level = max(value, 0.0) + NEAR * least
    slope = (beyond + NEAR * math.sqrt(8.0) * second_order) / level if level > 0 else 0.0
    centre = value + 0.5 * slope * z**2
    reach = z * math.sqrt(second_order + slope * max(value, 0.0) + (0.5 * slope * z) ** 2)
    low, high = value - z * stderr, value + z * stderr
    return (low if low <= 0.0 else min(centre - reach, value)), max(centre + reach, high)


def measured(
    x: np.ndarray,
    y: np.ndarray,
    kernel: Kernel,
    measure: Measure,
    on: MeasuredOn,
    ids: tuple[np.ndarray, np.ndarray],
    setting: str = "",
) -> Measured:
    """Return the squared discrepancy as a score: an interval, null 0, the first-order terms of both
    sides, and a test.

    Args:
        x: samples, checked, shape (n, d).
        y: reference, checked, shape (m, d).
        kernel: see `squared_mmd`.
        measure: what the score is of.
        on: what the rows are features of.
        ids: identities of the samples and of the reference.
        setting: what else defines the measure.
    """
    found = squared_mmd(x, y, kernel)
    ends = {"low": found.low, "high": found.high, "stderr": found.stderr}
    score = on.score(measure, found.value, len(x), **ends, null=0.0, setting=setting)
    rival = KernelRival(
        x, ids[0], ids[1], kernel, found.rows, found.crossing, found.seen, found.second_order
    )
    sides = map(Terms.of_mean, ids, (found.influence_x, found.influence_y))
    return Measured(score, *sides, rival=rival)
