"""Columns of points whose few far values decide how all of them are scaled.

One idea: points are centred and scaled by mean and standard deviation, so where the middle half of
a column spans a small part of that scale, a model sees most points as one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pushforward.data.folders import few

NORMAL = 1.349  # the middle half of a normal distribution in standard deviations
TIMES = 10.0  # an exponential distribution has 1.2, log-normal ones 1.4 (sigma 1) and 20 (sigma 2)


def far_values_note(x: np.ndarray, scale: np.ndarray, names: Sequence[str]) -> str | None:
    """Return which columns have values so far out that the rest is squeezed, None if there are
    none.

    Args:
        x: finite numbers, shape (n, d).
        scale: standard deviations, shape (d,).
        names: what the columns are called.

    Example:
        >>> x = np.linspace(-1.0, 1.0, 1000)[:, None]
        >>> far_values_note(x, x.std(axis=0), ["a"])
        >>> x[7] = 900.0
        >>> far_values_note(x, x.std(axis=0), ["a"])[:62]
        'far values: the standard deviation of column a is 38 times wha'
    """
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
    half = (high - low) / NORMAL
    odd = np.flatnonzero((half > 0) & (scale > TIMES * half))
    if not len(odd):
        return None
    worst = int(odd[np.argmax(scale[odd] / half[odd])])
    row = int(np.abs(x[:, worst] - middle[worst]).argmax())
    others = few([names[k] for k in odd.tolist() if k != worst])
    also = f" (also {others})" if others else ""
    return (
        f"far values: the standard deviation of column {names[worst]} is {scale[worst] / half[worst]:.0f} times what its "
        f"middle half has{also}, and columns are scaled by it, so that a model sees most points as nearly one; repair "
        f"or drop what is wrong (the furthest: {x[row, worst]:.4g} in row {row}, counted from 0), or take logarithms "
        "of a long tail"
    )
