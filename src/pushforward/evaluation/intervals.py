"""Intervals that cover what they claim.

Two ideas: a mean gets a t interval, a rate gets Wilson's; a smooth functional of two samples gets a delete-a-block jackknife,
which also says how large the bias of order 1/n is. Nothing here is a bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


def normal_quantile(level: float = LEVEL) -> float:
    """Return the two-sided standard normal quantile: 1.96 at 95 %."""
    return float(stats.norm.ppf(0.5 + level / 2))


def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """Return Student's two-sided quantile: 2.09 for 19 degrees of freedom at 95 %."""
    return float(stats.t.ppf(0.5 + level / 2, freedom))


def mean_interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float, float, float]:
    """Return mean, low, high and standard error of independent numbers: `mean +- t_{n-1} sd / sqrt(n)`.

    Example:
        >>> mean, low, high, stderr = mean_interval(np.array([1.0, 2.0, 3.0]))
        >>> round(mean, 3), round(low, 3), round(high, 3)
        (2.0, -0.484, 4.484)
    """
    n = len(values)
    mean, stderr = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    reach = t_quantile(n - 1, level) * stderr
    return mean, mean - reach, mean + reach, stderr


def wilson(successes: float | int, n: float | int, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's score interval of a rate (Wilson 1927); it stays inside [0, 1] and is sane at 0 and n.

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


@dataclass(frozen=True)
class Jackknife:
    """What leaving blocks out says about a two-sample statistic.

    Attributes:
        value: the statistic on all rows.
        bias: estimated bias of order 1/n + 1/m; `value - bias` is the corrected statistic.
        stderr: standard error from both samples.
        reach: half-width of the 95 % interval.
    """

    value: float
    bias: float
    stderr: float
    reach: float


def jackknife(value: float, without_first: np.ndarray, without_second: np.ndarray, level: float = LEVEL) -> Jackknife:
    """Combine delete-a-block replicates of a statistic of two independent samples.

    With K equal blocks per sample, `Var = (K-1)/K sum_k (theta_k - mean)^2`, added over the samples, and
    `bias = (K-1)(mean - theta)`, likewise added (Quenouille 1956; Shao & Tu 1995, section 2.1).
    The quantile is Student's with K - 1 degrees of freedom.

    Args:
        value: the statistic on all rows.
        without_first: its values with block k of the first sample left out, shape (K,).
        without_second: the same for the second sample, shape (K,).
        level: coverage of the interval.
    """
    variance, bias = 0.0, 0.0
    for replicates in (without_first, without_second):
        k = len(replicates)
        variance += (k - 1) / k * float(((replicates - replicates.mean()) ** 2).sum())
        bias += (k - 1) * (float(replicates.mean()) - value)
    blocks = min(len(without_first), len(without_second))
    stderr = math.sqrt(variance)
    return Jackknife(value, bias, stderr, float(stats.t.ppf(0.5 + level / 2, blocks - 1)) * stderr)
