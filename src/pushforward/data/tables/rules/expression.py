"""Rules that a user writes: comparisons of columns, numbers and names of categories.

One idea: a comparison with a missing value is neither true nor false, and only a rule that is false
is broken.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import refusing
from pushforward.core.table import Table
from pushforward.data.tables.rules.grammar import WrittenRule
from pushforward.data.tables.rules.reader import Reader, ReadWord
from pushforward.data.tables.rules.rule import Rule
from pushforward.data.tables.rules.solving import solved


class Expression(Rule):
    """A rule in words: comparisons, `and`, `or`, `not`, `if ... then ...`, `+ - * /`, `in`,
    `between`, and `column is missing`.

    Names are columns, in backticks where they are not plain words; texts are categories, or what a
    column's own cells would say. `day`, `hour`, ... are as many seconds beside dates. Numbers are
    compared to a relative 1e-12, since 0.1 + 0.2 is not 0.3 in binary, and what is computed equals
    a column to half of its step. Categories have an order if ordinal.

    Args:
        text: the rule.
        space: the table's columns.
        reads: the number behind a word of a column, from its place; None: numbers and dates in ISO
            8601.

    Raises:
        BadInput: something else than the grammar, an unknown column or category, or a comparison of
            different kinds.

    Example:
        >>> from pushforward.core.table import Column
        >>> status = Column("marital-status", "categorical", ("single", "married"))
        >>> space = Table((Column("age", "integer", low=0, high=99), status))
        >>> rule = Expression("if `marital-status` = 'married' then age >= 16", space)
        >>> rule.broken(np.array([[12.0, 0.0], [12.0, 1.0], [30.0, 1.0]]), space).tolist()
        [False, True, False]
    """

    def __init__(self, text: str, space: Table, reads: ReadWord | None = None) -> None:
        self.written = WrittenRule(text, [column.name for column in space.columns])
        self.reads = reads
        reader = self.reader(np.zeros((0, len(space.columns))), space)
        with refusing(f"the rule '{text[:80]}'", "comparisons of columns, numbers and names"):
            reader.truth(self.written.tree)
        self._places = frozenset(reader.places(self.written.tree))

    def __str__(self) -> str:
        return self.written.text

    @property
    def places(self) -> frozenset[int]:
        """Every column that is named."""
        return self._places

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which filled rows (n, columns) make the rule false; unknown is not false."""
        return self.reader(rows, space).truth(self.written.tree).false

    def repaired(self, rows: np.ndarray, space: Table, free: np.ndarray) -> np.ndarray:
        """Return rows with what an equality says, or a missing value, where it is free."""
        return solved(self.written.tree, lambda some: self.reader(some, space), rows, free)

    def reader(self, rows: np.ndarray, space: Table) -> Reader:
        """Return what reads the rule of some rows."""
        return Reader(self.written, rows, space, self.reads)
