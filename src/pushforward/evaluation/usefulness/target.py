"""Which column of a table is predicted where nobody says.

One idea: most tables end in what they are for, so it is the last column that holds classes, and a
rule that looks at the columns alone chooses the same on every card of a table.
"""

from __future__ import annotations

from collections.abc import Sequence

from pushforward.core.errors import BadInput, unknown
from pushforward.core.table import Column

MOST_CLASSES = 20


def target_of(columns: Sequence[Column], named: str | None = None) -> str:
    """Return the column that is predicted: the named one; else the last of 2 to 20 categories; else
    the last of numbers that vary; empty where there is none.

    Raises:
        BadInput: a column that the table does not have.

    Example:
        >>> columns = Column("pay", "boolean", ("no", "yes")), Column("age", "integer", step=1.0, high=9.0)
        >>> target_of(columns), target_of(columns, "age")
        ('pay', 'age')
    """
    names = [column.name for column in columns]
    if named is not None:
        if named not in names:
            raise BadInput(*unknown("column", named, names))
        return named
    for fits in (_classes, _varies):
        for column in reversed(columns):
            if fits(column):
                return column.name
    return ""


def _classes(column: Column) -> bool:
    return 2 <= len(column.categories) <= MOST_CLASSES


def _varies(column: Column) -> bool:
    return not column.discrete and column.low < column.high
