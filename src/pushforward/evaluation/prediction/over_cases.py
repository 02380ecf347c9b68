"""Means over rows that need not be independent.

One idea: rows of one case (a customer, a sensor) are alike, so that an error is over cases: the sum
of what each contributes.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.evaluation.intervals import t_quantile

MeanOver = tuple[float, float | None, float | None, float | None]


def totals(terms: np.ndarray, cases: np.ndarray | None) -> np.ndarray:
    """Return the sum of each case's terms; the terms themselves where each row is one.

    Example:
        >>> totals(np.array([1.0, 2.0, 4.0]), np.array([7, 7, 9])).tolist()
        [3.0, 4.0]
    """
    if cases is None:
        return terms
    _, place = np.unique(cases, return_inverse=True)
    return np.bincount(place.reshape(-1), weights=terms)


def reach_of(influence: np.ndarray, cases: np.ndarray | None) -> tuple[float, float]:
    """Return the standard error of a statistic, and the half-width of its 95 % interval.

    `se^2 = G / (G - 1) sum_g (sum_{i in g} u_i)^2` for influences u_i that add up to zero, which
    for a mean, `u_i = (v_i - mean) / n`, is the usual one where each row is a case.

    Args:
        influence: of each row on the statistic, (n,).

    Example:
        >>> v = np.array([1.0, 2.0, 3.0])
        >>> round(reach_of((v - v.mean()) / 3, None)[0], 4)
        0.5774
    """
    sums = totals(influence, cases)
    count = len(sums)
    if count < 2:
        return math.nan, math.nan
    stderr = math.sqrt(count / (count - 1) * float((sums**2).sum()))
    return stderr, t_quantile(count - 1) * stderr


def mean_over(values: np.ndarray, cases: np.ndarray | None) -> MeanOver:
    """Return the mean, the ends of its 95 % interval and its standard error; None where one case
    tells nothing, or a value is infinite.

    Example:
        >>> mean_over(np.array([1.0, 1.0]), np.array([4, 4]))
        (1.0, None, None, None)
    """
    mean = float(values.mean())
    if not math.isfinite(mean):
        return mean, None, None, None
    stderr, reach = reach_of((values - mean) / len(values), cases)
    if math.isnan(stderr):
        return mean, None, None, None
    return mean, mean - reach, mean + reach, stderr
