"""Features of a table's rows.

One idea: categories become indicators, numbers their training ranks and directions places on a
circle, so that no unit, no heavy tail and no seam decides a distance.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.table import Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.features.named import Features, PrincipalComponents


class ColumnFeatures(Features):
    """The leading principal components of indicators (categories, missing) and training ranks
    (numbers) of every column.

    Args:
        space: the table's columns.
        train: training rows, filled, which set ranks and components.
        components: most components.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("a", "boolean", ("no", "yes")), Column("b", "integer", step=1.0, low=0, high=9)))
        >>> f = ColumnFeatures(space, np.array([[0.0, 1.0], [1.0, 5.0], [1.0, 9.0]]))
        >>> f(np.array([[1.0, 5.0]])).shape[0]
        1
    """

    def __init__(self, space: Table, train: np.ndarray, components: int = 32) -> None:
        rows = as_rows(train, "training rows", at_least=2)
        self._space = space
        self._sorted = [np.sort(rows[:, place]) for place in range(rows.shape[1])]
        self._inner = PrincipalComponents(self._columns(rows), components)
        super().__init__(f"columns, {self._inner.name}", rows)

    def _map(self, x: np.ndarray) -> np.ndarray:
        return self._inner(self._columns(as_rows(x)))

    def _columns(self, rows: np.ndarray) -> np.ndarray:
        parts = []
        for place, column in enumerate(self._space.columns):
            values = rows[:, place]
            if column.missing:
                parts.append((values == missing_mark(column))[:, None])
            if column.period is not None:
                # both ends of a turn are one place; scaled to the variance of an even coin
                phase = 2.0 * np.pi * (values - column.low) / column.period
                there = 0.5 * (values != missing_mark(column))
                parts += [(there * wave(phase))[:, None] for wave in (np.sin, np.cos)]
            elif column.discrete:
                parts.append(values[:, None] == np.arange(len(column.categories)))
            else:
                known = self._sorted[place]
                # the middle of a tie's ranks, scaled to the variance of an even coin
                low, high = (
                    np.searchsorted(known, values, "left"),
                    np.searchsorted(known, values, "right"),
                )
                parts.append(((low + high) / (2 * len(known)) * np.sqrt(3.0))[:, None])
        return np.concatenate([part.astype(np.float64) for part in parts], axis=1)
