"""What is known about a column before its cells are read: what its user declared, what its run and
the rest of its file say.

One idea: whoever reads cells is told all of that at once, so that a declaration reaches every place
where a cell can mean two things.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pushforward.data.tables.notations.notation import Notation

# declarations that say how a column is read; what it then is, is inferred
READINGS = ("number", "day-first", "month-first", "year-first", "decimal-comma", "decimal-point")
ORDERS = {"day-first": "dmy", "month-first": "mdy", "year-first": "ymd"}
DECIMALS = {"decimal-comma": ",", "decimal-point": "."}


@dataclass(frozen=True)
class Asked:
    """What is known about a column before its cells are read.

    Attributes:
        where: for errors, such as `field 2 of prices.csv`.
        label: its name, for the option that decides.
        words: True leaves it as text.
        reading: one of `READINGS`, empty if nothing was declared.
        notation: that of the run, tried first.
        unit: what `lines` count: lines of a file, or rows of a frame.
        decimal, order: what the rest of the file says of decimals, and of days and months.
        likely: what separates decimals where fields are separated as in this file; a note asks all
            the same.
        by_comma: True if commas separate fields, where points hardly group digits.
        marks: words that counted as missing in the column of the run.
        values: words that are values here, though they say elsewhere that there is none.
        kind: what the column was declared to be, empty if nothing was.
        cells: how cells of that kind are read: as `numbers`, as `times`, or as `any`.
        why: what in the rest of the file decides the order of days and months.
    """

    where: str
    label: str = ""
    words: bool = False
    reading: str = ""
    notation: Notation | None = None
    decimal: str = ""
    order: str = ""
    likely: str = ""
    by_comma: bool = False
    unit: str = "line"
    marks: Collection[str] = ()
    values: Collection[str] = ()
    kind: str = ""
    cells: str = "any"
    why: str = ""

    @property
    def wants_numbers(self) -> bool:
        """Whether numbers were asked for, whatever else the cells look like."""
        return self.reading == "number" or self.cells == "numbers"


def asking(label: str, kind: str) -> str:
    """Return the option that decides how a column is read, as a note names it.

    Example:
        >>> asking("day", "day-first")
        '`-s data.columns.day=day-first`'
    """
    return f"`-s data.columns.{label}={kind}`"
