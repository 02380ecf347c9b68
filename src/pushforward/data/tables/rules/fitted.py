"""Rules that hold what was seen in the data: which value goes with which, and which go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pushforward.core.table import Table
from pushforward.data.tables.rules.rule import Rule, absent, column_word


@dataclass(frozen=True, eq=False)
class Determines(Rule):
    """A functional dependency: rows of equal values in one column have equal values in another.

    Attributes:
        names: the deciding and the decided column.
        at: their places.
        values: values of the deciding column in training, ascending, shape (k,).
        decided: the value that goes with each, shape (k,).

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("zip", "integer", low=1, high=3), Column("town", "categorical", ("A", "B"))))
        >>> rule = Determines(("zip", "town"), (0, 1), np.array([1.0, 3.0]), np.array([0.0, 1.0]))
        >>> str(rule), rule.broken(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.0]]), space).tolist()
        ('zip decides town', [False, True, False])
    """

    names: tuple[str, str]
    at: tuple[int, int]
    values: np.ndarray
    decided: np.ndarray
    of_data = True

    def __str__(self) -> str:
        return " decides ".join(map(column_word, self.names))

    @property
    def places(self) -> frozenset[int]:
        """Both columns."""
        return frozenset(self.at)

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows contradict a pair of values seen in training."""
        seen, right = self._looked_up(rows)
        return seen & (right != rows[:, self.at[1]])

    def repaired(self, rows: np.ndarray, space: Table, free: np.ndarray) -> np.ndarray:
        """Return rows with the decided value where it is free."""
        seen, right = self._looked_up(rows)
        wrong = seen & free[:, self.at[1]] & (right != rows[:, self.at[1]])
        return put(rows, self.at[1], wrong, right)

    def to_json(self) -> dict[str, Any]:
        """Return its words and both lists of values."""
        pairs = {"values": self.values.tolist(), "decided": self.decided.tolist()}
        return {"rule": str(self), **pairs}

    def _looked_up(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = rows[:, self.at[0]]
        place = np.searchsorted(self.values, given).clip(max=len(self.values) - 1)
        return self.values[place] == given, self.decided[place]


@dataclass(frozen=True, eq=False)
class Fixed(Rule):
    """Fixed combinations: rows have no values together that no row of the data has.

    Attributes:
        names: the columns.
        at: their places.
        seen: the combinations in the data, (k, columns).

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("a", "categorical", ("x", "y")), Column("b", "categorical", ("u", "v"))))
        >>> rule = Fixed(("a", "b"), (0, 1), np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]))
        >>> str(rule), rule.broken(np.array([[0.0, 1.0], [1.0, 0.0]]), space).tolist()
        ('fixed(a, b)', [True, False])
    """

    names: tuple[str, ...]
    at: tuple[int, ...]
    seen: np.ndarray
    of_data = True

    def __str__(self) -> str:
        return f"fixed({', '.join(map(column_word, self.names))})"

    @property
    def places(self) -> frozenset[int]:
        """All its columns."""
        return frozenset(self.at)

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows have a combination of their own."""
        return ~np.isin(as_keys(rows[:, list(self.at)]), as_keys(self.seen))

    def to_json(self) -> dict[str, Any]:
        """Return its words and the combinations."""
        return {"rule": str(self), "seen": self.seen.tolist()}


@dataclass(frozen=True, eq=False)
class Unique(Rule):
    """Rows of which no two have the same values in some columns; where one is missing, nothing is
    said.

    Attributes:
        names: the columns.
        at: their places.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("seat", "integer", low=1, high=3),))
        >>> rule = Unique(("seat",), (0,))
        >>> str(rule), rule.broken(np.array([[1.0], [2.0], [1.0]]), space).tolist()
        ('unique(seat)', [False, False, True])
    """

    names: tuple[str, ...]
    at: tuple[int, ...]
    together = True

    def __str__(self) -> str:
        return f"unique({', '.join(map(column_word, self.names))})"

    @property
    def places(self) -> frozenset[int]:
        """All its columns."""
        return frozenset(self.at)

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows have what an earlier row has."""
        known = ~np.logical_or.reduce([absent(rows, space, place) for place in self.at])
        found = np.zeros(len(rows), dtype=bool)
        keys = as_keys(rows[known][:, list(self.at)])
        _, first = np.unique(keys, return_index=True)
        later = np.ones(len(keys), dtype=bool)
        later[first] = False
        found[known] = later
        return found


def as_keys(rows: np.ndarray) -> np.ndarray:
    """Return one value a row, (n,), equal for equal rows of numbers.

    Example:
        >>> keys = as_keys(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]))
        >>> bool(keys[0] == keys[1]), bool(keys[0] == keys[2])
        (True, False)
    """
    whole = np.ascontiguousarray(rows + 0.0)  # minus zero is zero
    return whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()


def put(rows: np.ndarray, place: int, where: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return rows with other values in one column at some rows; the same rows where there are
    none."""
    if not where.any():
        return rows
    found = rows.copy()
    found[where, place] = values[where]
    return found
