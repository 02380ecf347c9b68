"""Columns of points whose few far values decide how all of them are scaled.

One idea: points are centred and scaled by mean and standard deviation of the training rows, so where
all but a few rows of a column span a small part of that scale, a model sees most points as one; and
where only rows that are held out are far, what is measured on those suffers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pushforward.core.moments import location_and_scale
from pushforward.data.folders import few

SHARE = 0.02  # of the rows, the furthest from the median
TIMES = 5.0  # 1.1 for a normal distribution, 1.3 for Student's t of 3 degrees, 3 for log-normal of sigma 2


def far_values(x: np.ndarray, train: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return which columns have values so far out that the rest is squeezed, or that what is
    measured rests on them; nothing if there are none.

    Args:
        x: finite numbers, shape (n, d).
        train: the places of the training rows.
        names: what the columns are called, nothing where they have no names.

    Example:
        >>> x = np.linspace(-1.0, 1.0, 1000)[:, None]
        >>> x[7] = 900.0
        >>> far_values(x, np.arange(1000), ["a"])[0][:62]
        'far values: the standard deviation of column a is 50 times wha'
        >>> far_values(x, np.arange(500, 1000), ["a"])[0][:56]
        'far values among the rows that are held out: column a, 9'
    """
    called = names or [f"{column} (counted from 0)" for column in range(x.shape[1])]
    times = _times(x[train])
    odd = np.flatnonzero(times > TIMES)
    if len(odd):
        worst = int(odd[np.argmax(times[odd])])
        others = few([called[k] for k in odd.tolist() if k != worst])
        also = f" (also of {others})" if others else ""
        return [
            f"far values: the standard deviation of column {called[worst]} is {times[worst]:.0f} times what it is "
            f"without the furthest fiftieth of the rows{also}, and columns are scaled by it, so that a model sees most "
            f"points as nearly one; repair or drop what is wrong (the furthest: {_furthest(x, train, worst)}), or take "
            "logarithms of a long tail"
        ]
    beyond = np.flatnonzero(_times(x) > TIMES)
    if not len(beyond):
        return []
    worst = int(beyond[0])
    others = np.setdiff1d(np.arange(len(x)), train)
    return [
        f"far values among the rows that are held out: column {called[worst]}, {_furthest(x, others, worst)}; what is "
        "measured on them is what a model makes of those"
    ]


def _times(x: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column over that without its furthest rows, 0 where
    nothing else varies."""
    found = np.zeros(x.shape[1])
    for column, values in enumerate(x.T):
        away = np.abs(values - np.median(values))
        near = values[away <= np.quantile(away, 1.0 - SHARE)]
        if np.ptp(near) > 0:
            parts = (
                location_and_scale(torch.from_numpy(one[:, None].copy())) for one in (values, near)
            )
            whole, rest = (float(scale[0]) for _, scale in parts)
            found[column] = whole / rest
    return found


def _furthest(x: np.ndarray, rows: np.ndarray, column: int) -> str:
    values = x[rows, column]
    row = int(rows[int(np.abs(values - np.median(x[:, column])).argmax())])
    return f"{x[row, column]:.4g} in row {row}, counted from 0"
