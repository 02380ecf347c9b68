"""Intervals that cover what they claim.

Two ideas: a mean gets a t interval, a rate gets Wilson's; a smooth functional of two samples gets a
delete-a-block jackknife, which also says how large the bias of order 1/n is. Nothing here is a
bootstrap.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

LEVEL = 0.95
SAME = 1e-12  # of the largest: numbers that differ by less differ by rounding


@functools.cache
def normal_quantile(level: float = LEVEL) -> float:
    """Return the two-sided standard normal quantile: 1.96 at 95 %."""
    return float(stats.norm.ppf(0.5 + level / 2))


@functools.cache
def t_quantile(freedom: float, level: float = LEVEL) -> float:
    """Return Student's two-sided quantile: 2.09 for 19 degrees of freedom at 95 %."""
    return float(stats.t.ppf(0.5 + level / 2, freedom))


def mean_interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float, float, float]:
    """Return mean, low, high and standard error of independent numbers: `mean +- t_{n-1} sd /
    sqrt(n)`.

    Numbers that differ by rounding alone have the error 0: what rounding leaves of a spread is no
    error.

    Example:
        >>> mean, low, high, stderr = mean_interval(np.array([1.0, 2.0, 3.0]))
        >>> round(mean, 3), round(low, 3), round(high, 3)
        (2.0, -0.484, 4.484)
    """
    n = len(values)
    if np.ptp(values) <= SAME * float(np.abs(values).max()):
        return float(values[0]), float(values[0]), float(values[0]), 0.0
    mean, stderr = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    reach = t_quantile(n - 1, level) * stderr
    return mean, mean - reach, mean + reach, stderr


def wilson(successes: float | int, n: float | int, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's score interval of a rate (Wilson 1927); it stays inside [0, 1] and is sane at
    0 and n.

    `n` counts independent trials; dependent ones may amount to a fraction.

    Example:
        >>> low, high = wilson(850, 1000)
        >>> round((low + high) / 2, 3), round((high - low) / 2, 3)
        (0.849, 0.022)
    """
    z2 = normal_quantile(level) ** 2
    rate = successes / n
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    reach = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def odds_interval(value: float, reach: float) -> tuple[float, float]:
    """Return the ends of a share whose error shrinks towards 0 and 1: those of its log-odds, never
    inside `value +- reach`.

    `logit(value) +- reach / (value (1 - value))`, the second term at most 1.5: beyond that odds say
    nothing.

    Args:
        value: between 0 and 1.
        reach: half-width of its normal interval.

    Example:
        >>> [round(end, 3) for end in odds_interval(0.8, 0.16)], odds_interval(0.0, 0.25)
        ([0.595, 0.96], (0.0, 0.25))
    """
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    spread = value * (1.0 - value)
    if spread <= 0.0:
        return low, high
    odds, step = special.logit(value), min(reach / spread, 1.5)
    return min(low, float(special.expit(odds - step))), max(high, float(special.expit(odds + step)))


def rate_stderr(successes: float | int, n: int) -> float:
    """Return the standard error of a rate, `sqrt(p (1 - p) / n)`; zero at 0 and n, where `wilson`
    is the sane one.

    Example:
        >>> rate_stderr(50, 100)
        0.05
    """
    rate = successes / n
    return math.sqrt(rate * (1 - rate) / n)


@dataclass(frozen=True)
class Extremes:
    """How many values are as small as the smallest of a natural sample.

    Attributes:
        threshold: the k-th smallest natural value.
        share: of the values at or below it, with Wilson's 95 % interval `low`, `high` for this
            threshold.
        natural_share: of the natural values at or below it; above k/h where some are tied.
        null: expected share if both come from one distribution.
        stderr: standard deviation of the share in that case.
    """

    threshold: float
    share: float
    low: float
    high: float
    natural_share: float
    null: float
    stderr: float


def extremes(values: np.ndarray, natural: np.ndarray, rate: float) -> Extremes:
    """Return the share of `values` that the smallest of `natural` ones call extreme.

    With q the k-th smallest of h natural values, k = ceil(rate h), and t of them at or below q, the
    number of n exchangeable values at or below q is beta-binomial with parameters t and h - t + 1,
    whatever their distribution: its mean is `n t / (h + 1)`.

    Args:
        values: shape (n,).
        natural: shape (h,).
        rate: share of the natural values to call extreme.

    Example:
        >>> found = extremes(np.array([0.0, 5.0]), np.arange(1.0, 101.0), 0.01)
        >>> found.threshold, found.share, round(found.null, 4)
        (1.0, 0.5, 0.0099)
    """
    n, h = len(values), len(natural)
    threshold = float(np.sort(natural)[math.ceil(rate * h) - 1])
    found, tied = int((values <= threshold).sum()), int((natural <= threshold).sum())
    law = stats.betabinom(n, tied, h - tied + 1)
    return Extremes(
        threshold,
        found / n,
        *wilson(found, n),
        tied / h,
        float(law.mean()) / n,
        float(law.std()) / n,
    )


@dataclass(frozen=True)
class Jackknife:
    """What leaving blocks out says about a two-sample statistic.

    Attributes:
        value: the statistic on all rows.
        bias: estimated bias of order 1/n + 1/m; `value - bias` is the corrected statistic.
        stderr: standard error from both samples.
        reach: half-width of the 95 % interval.
        first, second: contribution of each block of either sample, whose squares add up to
            `stderr^2`.
    """

    value: float
    bias: float
    stderr: float
    reach: float
    first: np.ndarray
    second: np.ndarray


def jackknife(
    value: float,
    without_first: np.ndarray,
    without_second: np.ndarray,
    level: float = LEVEL,
    sizes: tuple[np.ndarray, np.ndarray] | None = None,
) -> Jackknife:
    """Combine delete-a-block replicates of a statistic of two independent samples.

    With g blocks of m_j rows among n, `h_j = n / m_j` and pseudo-values `tau_j = h_j theta - (h_j -
    1) theta_(j)`, `bias = sum_j (1 - 1/h_j) theta_(j) - (g - 1) theta` and `Var = 1/g sum_j (tau_j
    - theta + bias)^2 / (h_j - 1)`, both added over the samples (Busing, Meijer & van der Leeden
    1999, equations 3.1 to 3.4); for equal blocks this is Quenouille's. The quantile is Student's
    with g - 1 degrees of freedom.

    Args:
        value: the statistic on all rows.
        without_first: its values with block k of the first sample left out, shape (g,).
        without_second: the same for the second sample.
        level: coverage of the interval.
        sizes: rows in each block of either sample; None for blocks of equal size.
    """
    sides = [
        _one_side(value, replicates, None if sizes is None else sizes[k])
        for k, replicates in enumerate((without_first, without_second))
    ]
    stderr = math.sqrt(sum(float((terms**2).sum()) for _, terms in sides))
    freedom = min(len(without_first), len(without_second)) - 1
    reach = t_quantile(freedom, level) * stderr
    return Jackknife(value, sides[0][0] + sides[1][0], stderr, reach, sides[0][1], sides[1][1])


def _one_side(
    value: float, replicates: np.ndarray, sizes: np.ndarray | None
) -> tuple[float, np.ndarray]:
    """Return the bias and the terms of one sample's blocks."""
    g = len(replicates)
    h = np.full(g, float(g)) if sizes is None else sizes.sum() / sizes
    bias = float(((1 - 1 / h) * replicates).sum()) - (g - 1) * value
    pseudo = h * value - (h - 1) * replicates
    return bias, (pseudo - value + bias) / np.sqrt(g * (h - 1))
