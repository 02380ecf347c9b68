"""Rules that whole rows of a table keep.

Two ideas: a row that says nothing about a rule, because a value is missing or was never seen in
training, does not break it; a rule says itself in words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pushforward.core.table import Column, Table, number_word
from pushforward.evaluation.marks import missing_mark


class Rule(ABC):
    """Something that rows keep or break; its text says what."""

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which filled rows (n, columns) break it, shape (n,)."""


def absent(rows: np.ndarray, space: Table, place: int) -> np.ndarray:
    """Return which rows have no value in a column, shape (n,)."""
    column = space.columns[place]
    return (
        (rows[:, place] == missing_mark(column))
        if column.missing
        else np.zeros(len(rows), dtype=bool)
    )


def said(column: Column, value: float) -> str:
    """Return a value as a reader knows it.

    Example:
        >>> said(Column("sex", "categorical", ("f", "m"), missing=True), 1.0), said(Column("n", "integer", low=0, high=9), 3.0)
        ("'m'", '3')
    """
    if column.missing and value == missing_mark(column):
        return "missing"
    if column.discrete:
        whole = value == int(value) and 0 <= value < len(column.categories)
        return f"'{column.categories[int(value)]}'" if whole else f"category {value:g}"
    return number_word(value, column.step)


@dataclass(frozen=True, eq=False)
class Determines(Rule):
    """A functional dependency: rows of equal values in one column have equal values in another.

    Attributes:
        names: the deciding and the decided column.
        places: their places.
        values: values of the deciding column in training, ascending, shape (k,).
        decided: the value that goes with each, shape (k,).

    Example:
        >>> space = Table((Column("zip", "integer", low=1, high=3), Column("town", "categorical", ("A", "B"))))
        >>> rule = Determines(("zip", "town"), (0, 1), np.array([1.0, 3.0]), np.array([0.0, 1.0]))
        >>> str(rule), rule.broken(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.0]]), space).tolist()
        ("'zip' decides 'town'", [False, True, False])
    """

    names: tuple[str, str]
    places: tuple[int, int]
    values: np.ndarray
    decided: np.ndarray

    def __str__(self) -> str:
        return f"'{self.names[0]}' decides '{self.names[1]}'"

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows contradict a pair of values seen in training."""
        given, found = rows[:, self.places[0]], rows[:, self.places[1]]
        place = np.searchsorted(self.values, given).clip(max=len(self.values) - 1)
        return (self.values[place] == given) & (self.decided[place] != found)


@dataclass(frozen=True)
class AtMost(Rule):
    """An order of two columns of numbers: the first is at most the second wherever both are known.

    Example:
        >>> space = Table(tuple(Column(n, "continuous", low=0.0, high=9.0, missing=True) for n in ("born", "died")))
        >>> rule = AtMost(("born", "died"), (0, 1))
        >>> str(rule), rule.broken(np.array([[1.0, 2.0], [3.0, 2.0], [3.0, -9.0]]), space).tolist()
        ("'born' <= 'died'", [False, True, False])
    """

    names: tuple[str, str]
    places: tuple[int, int]

    def __str__(self) -> str:
        return f"'{self.names[0]}' <= '{self.names[1]}'"

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows know both and have the first above the second."""
        first, second = self.places
        known = ~absent(rows, space, first) & ~absent(rows, space, second)
        return known & (rows[:, first] > rows[:, second])


@dataclass(frozen=True)
class Implies(Rule):
    """A column is missing, or never missing, wherever another has a certain value (which may be
    missing itself).

    Attributes:
        names: the deciding and the decided column.
        places: their places.
        value: value of the deciding column, its mark for missing.
        words: that value in words.
        missing: whether the decided column is missing there, or known.

    Example:
        >>> wage = Column("wage", "continuous", low=1.0, high=9.0, missing=True)
        >>> space = Table((Column("job", "categorical", ("none", "any")), wage))
        >>> rule = Implies(("job", "wage"), (0, 1), 0.0, "'none'", True)
        >>> str(rule), rule.broken(np.array([[0.0, -7.0], [0.0, 5.0], [1.0, 5.0]]), space).tolist()
        ("'wage' is missing where 'job' is 'none'", [False, True, False])
    """

    names: tuple[str, str]
    places: tuple[int, int]
    value: float
    words: str
    missing: bool

    def __str__(self) -> str:
        state = "missing" if self.missing else "known"
        return f"'{self.names[1]}' is {state} where '{self.names[0]}' is {self.words}"

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which rows have the value and the other state."""
        return (rows[:, self.places[0]] == self.value) & (
            absent(rows, space, self.places[1]) != self.missing
        )
