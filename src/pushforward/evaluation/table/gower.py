"""Distances between rows of mixed columns.

Two ideas: every column adds between 0 and 1, whatever its kind (Gower 1971); the scale is the
schema's range and nothing else is fitted, so training rows and held-out rows are treated alike,
which ranks or components fitted on training rows do not do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial.distance import cdist

from pushforward.core.errors import BadInput
from pushforward.core.table import Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.distances import TILE_NUMBERS
from pushforward.evaluation.features.named import fingerprint
from pushforward.evaluation.table.items import rows_of


class Gower:
    """Gower's distance on some columns of a table: a view that encodes rows, and distances between
    encoded rows.

    The mean over columns of `1[a != b]` for categories and `|a - b| / (high - low)` for numbers. A
    missing category is a category; a missing number lies half a range away from the middle of the
    range, so its distance to a known one is 0.5 to 1. A number that was constant in training is
    compared as a category. Numbers beyond the training range may be more than 1 apart.

    Args:
        space: the table's columns.
        places: which of them are compared; all by default.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("sex", "categorical", ("f", "m")), Column("age", "integer", step=1.0, low=0, high=100)))
        >>> gower = Gower(space)
        >>> rows = gower(np.array([[0.0, 20.0], [1.0, 70.0], [0.0, 30.0]]))
        >>> [d.round(3).tolist() for _, d in gower.tiles(rows[:1], rows)]
        [[[0.0, 0.75, 0.05]]]
    """

    name = "gower"

    def __init__(self, space: Table, places: Sequence[int] | None = None) -> None:
        self.space = space
        self.places = tuple(range(len(space.columns))) if places is None else tuple(places)
        if not self.places:
            raise BadInput("no columns to compare", "at least one")
        columns = [space.columns[place] for place in self.places]
        self._numbers = [
            p
            for p, c in zip(self.places, columns, strict=True)
            if not c.discrete and c.high > c.low
        ]
        self._gaps = [place for place in self._numbers if space.columns[place].missing]
        self.fingerprint = fingerprint(
            json.dumps(["gower", [column.record() for column in columns]])
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return filled rows (n, columns) as scaled numbers, marks of what is missing, and codes,
        shape (n, d)."""
        rows = rows_of(x, self.space, "rows")
        parts, gaps = [], []
        for place in self._numbers:
            column = self.space.columns[place]
            scaled = (rows[:, place] - column.low) / (column.high - column.low)
            if column.missing:
                gone = rows[:, place] == missing_mark(column)
                gaps.append(0.5 * gone)
                scaled = np.where(gone, 0.5, scaled)
            parts.append(scaled)
        codes = [rows[:, place] for place in self.places if place not in self._numbers]
        return np.stack([*parts, *gaps, *codes], axis=1)

    def tiles(self, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield `(rows, distances)` of encoded rows, distances of shape (rows, len(y)), at most 32
        MB each."""
        cut = len(self._numbers) + len(self._gaps)
        height = max(1, TILE_NUMBERS // max(1, len(y)))
        for start in range(0, len(x), height):
            rows = slice(start, min(start + height, len(x)))
            yield rows, self._between(x[rows], y, cut) / len(self.places)

    def nearest(self, x: np.ndarray, y: np.ndarray, k: int = 1) -> np.ndarray:
        """Return the indices of the k rows of `y` nearest to each row of `x`, both encoded, shape
        (n, k), in no order.

        Of rows at equal distance an arbitrary one is taken, for k = 1 the first.
        """
        found = np.empty((len(x), k), dtype=np.int64)
        for rows, distance in self.tiles(x, y):
            found[rows] = (
                distance.argmin(axis=1)[:, None]
                if k == 1
                else np.argpartition(distance, k - 1, axis=1)[:, :k]
            )
        return found

    @staticmethod
    def _between(x: np.ndarray, y: np.ndarray, cut: int) -> np.ndarray:
        codes = x.shape[1] - cut
        distance = cdist(x[:, :cut], y[:, :cut], "cityblock") if cut else np.zeros((len(x), len(y)))
        if codes:
            distance += codes * cdist(x[:, cut:], y[:, cut:], "hamming")
        return distance
