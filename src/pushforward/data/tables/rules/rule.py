"""Rules that whole rows of a table keep.

Three ideas: a row that says nothing about a rule, because a value is missing or was never seen in
training, does not break it; a rule says itself in words from which it can be made again; where a
rule says what a value has to be, it can put it there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from pushforward.core.table import Column, Table, number_word
from pushforward.data.tables.marks import missing_mark


class Rule(ABC):
    """Something that rows keep or break; its text says what.

    Rows are filled: what is missing is its column's mark (`data.tables.marks`).

    Attributes:
        together: True if a row breaks it by what other rows are, and only later ones do.
        of_data: True if it holds what was seen in the data.
    """

    together = False
    of_data = False

    @abstractmethod
    def __str__(self) -> str: ...

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    @abstractmethod
    def places(self) -> frozenset[int]:
        """Places of the columns that it is about."""

    @abstractmethod
    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which filled rows (n, columns) break it, shape (n,)."""

    def repaired(self, rows: np.ndarray, space: Table, free: np.ndarray) -> np.ndarray:
        """Return rows in which it is kept by putting in what it says, wherever it says that of a
        value that is free; the others as they are.

        Args:
            rows: filled rows (n, columns).
            free: values that may be changed, (n, columns).
        """
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return what `rule_from_json` makes it from again."""
        return {"rule": str(self)}


def absent(rows: np.ndarray, space: Table, place: int) -> np.ndarray:
    """Return which rows have no value in a column, shape (n,)."""
    column = space.columns[place]
    return (
        (rows[:, place] == missing_mark(column))
        if column.missing
        else np.zeros(len(rows), dtype=bool)
    )


def column_word(name: str) -> str:
    """Return a column's name as rules write it: in backticks where it is not a plain word.

    Example:
        >>> column_word("age"), column_word("marital-status"), column_word("in")
        ('age', '`marital-status`', '`in`')
    """
    return name if name.isidentifier() and name not in RESERVED else f"`{name}`"


def value_word(column: Column, value: float) -> str:
    """Return a value as rules write it.

    Example:
        >>> value_word(Column("sex", "categorical", ("f", "m")), 1.0), value_word(Column("n", "integer", low=0, high=9), 3.0)
        ("'m'", '3')
    """
    if column.discrete:
        whole = value == int(value) and 0 <= value < len(column.categories)
        return repr(column.categories[int(value)]) if whole else f"category {value:g}"
    if column.kind == "datetime":
        return repr(str(np.datetime64(round(value * 1e6), "us")).removesuffix("T00:00:00.000000"))
    return number_word(value, column.step)


# words of the grammar of rules, beside Python's
RESERVED = frozenset(
    {"and", "or", "not", "in", "is", "if", "then", "missing", "known", "decides", "fixed", "unique"}
    | {"True", "False", "None", "else", "lambda", "for", "true", "false", "null", "between"}
)
