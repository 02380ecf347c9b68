"""How much a statistic of two samples varies, from its values on parts of them.

Two ideas: disjoint parts of the data are independent, so the statistic's values on them scatter as
it does at that size, also where leaving rows out or drawing them twice misleads (neighbours,
integrated curves); a variance of order 1/n then scales to the whole.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pushforward.evaluation.intervals import t_quantile

BLOCKS, PARTITIONS, MOST = 4, 4, 1000
# standard errors in half of an interval, 2.45: each partition has three degrees of freedom, counted
# by half because all of them cut up the same rows
REACH = t_quantile(PARTITIONS * (BLOCKS - 1) // 2)


def block_sizes(n: int, m: int) -> tuple[int, int]:
    """Return how many rows of either sample one part has: the same fraction of both, at most a
    quarter, at most 1000 rows.

    Example:
        >>> block_sizes(400, 100), block_sizes(10_000, 5_000)
        ((100, 25), (1000, 500))
    """
    fraction = min(1.0 / BLOCKS, MOST / max(n, m))
    return int(fraction * n), int(fraction * m)


def subsampled_variance(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    seed: int = 0,
) -> np.ndarray:
    """Return the variance of every component of `statistic(x, y)`, estimated by subsampling without
    replacement.

    `Var T_(n,m) = f Var T_(fn,fm)` with f the fraction of rows in a part: the variance of T over
    four disjoint parts, on average over four random partitions (Politis, Romano & Wolf 1999,
    section 3.8, with disjoint blocks). It is unbiased at the size of a part.

    Args:
        statistic: function of samples (b, d) and reference (c, d) that returns shape (s,).
        x: samples, shape (n, d).
        y: reference, shape (m, d).
        seed: seed of the partitions.

    Example:
        >>> x = np.random.default_rng(2).normal(size=(2000, 1))
        >>> v = subsampled_variance(lambda a, b: a.mean(axis=0) - b.mean(axis=0), x[:1000], x[1000:])
        >>> bool(0.001 < v[0] < 0.004)
        True
    """
    rng = np.random.default_rng(seed)
    b, c = block_sizes(len(x), len(y))
    variances = []
    for _ in range(PARTITIONS):
        rows_x, rows_y = rng.permutation(len(x)), rng.permutation(len(y))
        values = [
            statistic(x[rows_x[k * b : (k + 1) * b]], y[rows_y[k * c : (k + 1) * c]])
            for k in range(BLOCKS)
        ]
        variances.append(np.var(values, axis=0, ddof=1))
    return np.mean(variances, axis=0) * (b / len(x) + c / len(y)) / 2
