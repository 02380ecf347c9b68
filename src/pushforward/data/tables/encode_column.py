"""One column of another table as numbers of the training table's column, and what is done with rows
that hold what it cannot.

One idea: every check is a mask of rows and a sentence for one of them, so that
the same checks refuse a table or count its odd rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.table import Column, number_word
from pushforward.data.tables.carried import carrier_of, into_numbers
from pushforward.data.tables.cells import Asked, typed
from pushforward.data.tables.found import option, place_of, without_marks
from pushforward.data.tables.notations.aside import AsideNotation
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers
from pushforward.data.tables.stored import (
    OBJECTS,
    Stored,
    decimals_of,
    restore,
    seconds_of,
    snap,
    turned,
)
from pushforward.data.tables.wrapped import unwrapped


@dataclass(frozen=True)
class TableRows:
    """Rows of a table that is read.

    Attributes:
        lines: the line of each in its file, None if it came from none.
        odd: None refuses a table for its first row that does not fit; else such rows are collected
            here, each with its first reason, and numbers beyond a column's bounds or off its grid
            are kept.
        strict: such numbers are odd, too.
    """

    lines: Sequence[int] | None = None
    odd: dict[int, str] | None = None
    strict: bool = False

    def where(self, row: int) -> str:
        """Return what a row is called."""
        return place_of(row, self.lines)

    def refuse(
        self, wrong: np.ndarray, came: Callable[[int], str], expected: str, fix: str = ""
    ) -> None:
        """Refuse the table for the first wrong row, or collect them all.

        Raises:
            BadInput: a wrong row, where none is collected.
        """
        if self.odd is None and wrong.any():
            raise BadInput(came(int(np.argmax(wrong))), expected, fix)
        if self.odd is not None:
            for row in np.flatnonzero(wrong).tolist():
                said = f" (expected {expected})" if self.strict else ""
                self.odd.setdefault(row, came(row) + said)


def check_restored(
    stored: Stored, series: pd.Series, rows: TableRows, *, gaps: bool = False
) -> None:
    """Check a column that is left out and restored: it must hold what the training table held in
    every row, or with `gaps` nothing."""
    found = plain(series, stored, rows)
    found, expected = (
        found.astype(object),
        plain(restore(stored, None, np.zeros(1)), stored, rows).tolist()[0],
    )
    same = found.isna() if stored.role == "absent" else (found == expected).fillna(False)
    same = same | found.isna() if gaps else same

    def came(row: int) -> str:
        return f"{found.tolist()[row]!r} in column '{stored.label}', {rows.where(row)}"

    fix = "train again with this table"
    rows.refuse(
        ~same.to_numpy(dtype=bool), came, f"{expected!r} only, as in the training table", fix
    )


def plain(series: pd.Series, stored: Stored, rows: TableRows) -> pd.Series:
    """Return a column as numbers or moments: cells are read in their notation, dates, times and
    decimals as what carries them."""
    series = unwrapped(series).series
    if isinstance(stored.notation, AsideNotation):
        return _said_aside(series, stored, stored.notation, rows)
    series = without_marks(series, stored.marks)
    if stored.levels or stored.role in ("excluded", "surrogate"):
        return series
    if (
        str(series.dtype) in OBJECTS
        and stored.notation is not None
        and bool(series.map(lambda v: isinstance(v, str)).any())
    ):
        cells = [
            "" if gone else str(value)
            for value, gone in zip(series.tolist(), series.isna().tolist(), strict=True)
        ]
        lines = range(len(cells)) if rows.lines is None else rows.lines
        unit = "row" if rows.lines is None else "line"
        asked = Asked(
            f"column '{stored.label}'",
            stored.label,
            reading=stored.reading,
            notation=stored.notation,
            unit=unit,
            marks=stored.marks,
        )
        series = typed(cells, lines, asked).series
    elif series.dtype == object and stored.dtype == "object":
        # a word among Python numbers that says that there is none
        series = series.map(
            lambda value: None if isinstance(value, str) and _says_none(value, stored) else value
        )
    series = (
        _spans(series, stored, rows)
        if stored.carrier in ("time", "timedelta", "duration")
        else series
    )
    carrier = carrier_of(series)
    if "period" in (carrier, stored.carrier) and str(series.dtype) != stored.outer:
        expected = stored.outer if stored.carrier == "period" else "numbers or dates"
        raise BadInput(
            f"column '{stored.label}' of dtype {series.dtype}", expected, "convert it first"
        )
    return into_numbers(series, carrier)


def _said_aside(
    series: pd.Series, stored: Stored, notation: AsideNotation, rows: TableRows
) -> pd.Series:
    """Return the moments of dates that say more than that, or what they say beside."""
    gaps = {None, "", stored.absent, *stored.marks, *MISSING}
    series = series.map(lambda value: None if value in gaps else value)
    known = {cell: notation.aside(cell) for cell in series.dropna().unique().tolist()}
    wrong = series.map(lambda cell: not pd.isna(cell) and known[cell] is None)

    def came(row: int) -> str:
        return (
            f"{series.iloc[row]!r} in column '{stored.beside or stored.label}', {rows.where(row)}"
        )

    rows.refuse(wrong.to_numpy(dtype=bool), came, notation.said)
    fine = series.where(~wrong.astype(bool), None)
    return notation.words(fine) if stored.beside else notation.moments(fine)


def _says_none(word: str, stored: Stored) -> bool:
    return (
        is_missing_among_numbers(word) or word.strip() in stored.marks or stored.reading == "number"
    )


def _spans(series: pd.Series, stored: Stored, rows: TableRows) -> pd.Series:
    """Return times of day and durations that a file without a type for them holds as text."""
    if str(series.dtype) not in OBJECTS or not bool(series.map(lambda v: isinstance(v, str)).any()):
        return series
    spans = pd.to_timedelta(series.astype(object), errors="coerce")
    wrong = (spans.isna() & series.notna()).to_numpy()

    def came(row: int) -> str:
        return f"{series.iloc[row]!r} in column '{stored.label}', {rows.where(row)}"

    rows.refuse(wrong, came, "a time, such as 12:30:00")
    return spans


def encode_column(series: pd.Series, stored: Stored, column: Column, rows: TableRows) -> np.ndarray:
    """Return a column as float64; NaN where a value is missing, or where a row is odd.

    Raises:
        BadInput: what the column cannot hold, where `rows` collects no odd ones.
    """

    series = plain(series, stored, rows)
    if not column.missing:
        fix = "fill it, or train with a table that has some"
        gone = series.isna().to_numpy()
        said = f"a missing value in column '{column.name}', "
        rows.refuse(gone, lambda row: said + rows.where(row), "none, as in the training table", fix)
    if column.discrete:
        return _codes(series, stored, column, rows)
    exact = (
        _seconds(series, column, rows)
        if column.kind == "datetime"
        else _floats(series, column, rows)
    )
    infinite = np.isinf(exact)
    rows.refuse(
        infinite,
        lambda row: f"infinity in column '{column.name}', {rows.where(row)}",
        "finite numbers",
    )
    exact = turned(np.where(infinite, np.nan, exact), column)
    values, off = snap(exact, column, stored, str(series.dtype))
    if rows.odd is not None and not rows.strict:
        return np.where(off, exact, values)
    step = 0.0 if column.step is None else column.step
    came = f" in column '{column.name}', "
    expected = f"multiples of {step:g}, as in the training table"
    whole = (
        step in (0.0, 1.0)
        or decimals_of(step) is not None
        or bool(stored.carrier)
        or column.kind == "datetime"
    )
    fix = "" if whole else f"train with {option(stored.label, column.kind)} to allow others"
    rows.refuse(off, lambda row: f"{float(exact[row])!r}{came}{rows.where(row)}", expected, fix)
    outside = (column.bounded_below & (values < column.low)) | (
        column.bounded_above & (values > column.high)
    )
    least, most = (number_word(end, column.step) for end in (column.low, column.high))
    above = f" to {most}" if column.bounded_above else " or more"
    fix = "train with bounds='none' to model numbers beyond"
    rows.refuse(
        outside,
        lambda row: f"{number_word(float(values[row]), column.step)}{came}{rows.where(row)}",
        f"{least}{above}",
        fix,
    )
    return values


def _codes(series: pd.Series, stored: Stored, column: Column, rows: TableRows) -> np.ndarray:
    exact: dict[Any, int] = {level: i for i, level in enumerate(stored.levels)}
    named = {name: i for i, name in enumerate(column.categories)}
    if all(isinstance(level, bool) for level in stored.levels):
        named |= {
            spelled: i for name, i in named.items() for spelled in (name.lower(), name.upper())
        }
    codes, distinct = pd.factorize(series.astype(object), use_na_sentinel=True)
    table = np.full(len(distinct) + 1, np.nan)
    strange = np.zeros(len(distinct) + 1, dtype=bool)
    values = distinct.tolist()
    for i, value in enumerate(values):
        # another file may hold the same category as text, or a number as another type
        index = exact.get(value, named.get(str(value)))
        strange[i] = index is None
        table[i] = np.nan if index is None else index
    if strange.any():
        shown = ", ".join(column.categories[:20]) + (", ..." if len(column.categories) > 20 else "")
        came, where = "unknown category {!r} in column '{}', ", rows.where
        rows.refuse(
            strange[codes],
            lambda row: came.format(values[codes[row]], column.name) + where(row),
            f"one of {shown}",
            closest(str(values[int(np.argmax(strange))]), column.categories),
        )
    return table[codes]


def _floats(series: pd.Series, column: Column, rows: TableRows) -> np.ndarray:
    try:
        return series.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        pass
    numbers = np.asarray(pd.to_numeric(series.astype(object), errors="coerce"), dtype=np.float64)
    wrong = np.isnan(numbers) & series.notna().to_numpy()
    rows.refuse(
        wrong,
        lambda row: f"{series.iloc[row]!r} in column '{column.name}', {rows.where(row)}",
        "a number",
    )
    return numbers


def _seconds(series: pd.Series, column: Column, rows: TableRows) -> np.ndarray:
    if series.dtype.kind == "M":
        return seconds_of(series)
    words = series.astype("string")
    try:
        return seconds_of(pd.to_datetime(words, format="ISO8601"))
    except (ValueError, TypeError):
        read = pd.to_datetime(words, format="ISO8601", errors="coerce", utc=True)
    wrong = (read.isna() & series.notna()).to_numpy()
    if not wrong.any():
        raise BadInput(
            f"local times and times with a zone in column '{column.name}'",
            "all with a zone, or none",
        )
    came = f" in column '{column.name}' at "
    rows.refuse(
        wrong,
        lambda row: f"'{words.iloc[row]}'{came}{rows.where(row)}",
        "a date in ISO 8601, such as 2024-01-31",
    )
    return seconds_of(read)
