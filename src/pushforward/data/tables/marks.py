"""Rows of a table as the metrics see them: a missing value is a number of its own.

One idea: metrics compare numbers, so NaN becomes a mark outside a column's range, the same in every
row.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table


def missing_mark(column: Column) -> float:
    """Return the number that stands for a missing value of a column.

    Example:
        >>> missing_mark(Column("sex", "categorical", ("f", "m"), missing=True))
        -1.0
    """
    return -1.0 if column.discrete else column.low - max(1.0, column.high - column.low)


def filled(x: np.ndarray, space: Table) -> np.ndarray:
    """Return rows (n, columns) in which missing values are their column's mark.

    Raises:
        BadInput: missing values in a column that may not have any.
    """
    out = np.array(x, dtype=np.float64)
    for place, column in enumerate(space.columns):
        absent = np.isnan(out[:, place])
        if absent.any() and not column.missing:
            raise BadInput(f"missing values of '{column.name}'", "none, as in the training data")
        out[absent, place] = missing_mark(column)
    return out
