"""What one column is found to be: discrete, or left out; what the inference of every kind shares.

One idea: a finding is the column of the space, how it is kept, a sentence with its reason, and what
of it is lost.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, a_type
from pushforward.core.table import Column, ColumnKind
from pushforward.data.tables.declaration import UNSAID, ColumnDeclaration
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.stored import OBJECTS, Scalar, Stored, level_names


@dataclass(frozen=True)
class Rules:
    """What a user asks of a column: a kind or levels, to keep an identifier, bounds; each row's
    line in its file, if there is one; the locale of the table's persons; all that was declared of
    the column; what the rest of a frame says of the order of days and months; and the names of all
    columns."""

    kind: str | tuple[Scalar, ...] | None
    keep: bool
    bounds: str
    lines: Sequence[int] | None = None
    locale: str = "en_US"
    own: ColumnDeclaration = UNSAID
    order: str = ""
    labels: Collection[str] = ()

    def where(self, row: int) -> str:
        """Return what a row is called."""
        return place_of(row, self.lines)


def place_of(row: int, lines: Sequence[int] | None = None) -> str:
    """Return what a row is called: by its line in a file, else by its number.

    Example:
        >>> place_of(1, [2, 3]), place_of(1)
        ('line 3', 'row 1 (counted from 0)')
    """
    return f"row {row} (counted from 0)" if lines is None else f"line {lines[row]}"


def require_finite(
    values: np.ndarray, rows: Sequence[int], label: str, lines: Sequence[int] | None
) -> None:
    """Refuse infinity in a column.

    Args:
        values: the numbers of a column, of its rows `rows`.

    Raises:
        BadInput: infinity, with the first place, how many there are, and what to do.
    """
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        fix = f"empty those cells to make them missing, or leave the column out with {option(label, 'drop')}"
        place = place_of(int(rows[int(wrong[0])]), lines)
        raise BadInput(
            f"infinity in column '{label}', {place}{more}", "finite numbers or missing values", fix
        )


def without_marks(series: pd.Series, marks: Collection[Scalar]) -> pd.Series:
    """Return a column without the words and numbers that mean that there is no value.

    Example:
        >>> without_marks(pd.Series([3, -999, 4]), ["-999"]).tolist()
        [3, <NA>, 4]
    """
    if not marks:
        return series
    if str(series.dtype) in OBJECTS:
        words = {str(mark) for mark in marks}
        there = series.map(lambda value: value is not None and str(value).strip() not in words)
        return series.where(there, None)
    if series.dtype.kind not in "iuf":
        return series
    numbers = [float(mark) for mark in marks if _is_number(mark)]
    gone = series.astype("Float64").isin(numbers)
    if not bool(gone.any()):
        return series
    whole = isinstance(series.dtype, np.dtype) and series.dtype.kind in "iu"
    nullable = str(series.dtype).replace("i", "I").replace("u", "U", 1)
    return series.astype(nullable).mask(gone) if whole else series.mask(gone)


def _is_number(mark: Scalar) -> bool:
    try:
        return math.isfinite(float(mark))
    except ValueError:
        return False


@dataclass(frozen=True)
class FoundColumn:
    """A column of the space (None if it is not modelled), how it is kept, why, and what is lost.

    Attributes:
        kind: the word that declares such a column, empty where its space says it.
        doubts: what else it could be.
        share: of the cells with a value, those that fit.
        gone: words that counted as missing among words.
        read: what was said of its cells when a file was read, which is in no other sentence.
        order: what its dates tell of others; `undecided` says which of them could be read in two
            ways, where nothing in the column decides it.
        aside: what its cells say beside their moments, None for most.
    """

    column: Column | None
    stored: Stored
    said: str
    lost: str = ""
    kind: str = ""
    doubts: tuple[Doubt, ...] = ()
    share: float = 1.0
    gone: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    order: str = ""
    undecided: tuple[tuple[str, str], ...] = ()
    aside: pd.Series | None = None


def shown_at(series: pd.Series, row: int) -> str:
    """Return the value of a row as a refusal shows it.

    Example:
        >>> shown_at(pd.Series([1, 2]), 1), shown_at(pd.Series(["x"]), 0)
        ('2', "'x'")
    """
    value = series.iloc[row]
    value = value.item() if isinstance(value, np.generic) else value
    return repr(value) if isinstance(value, str | int | float) else f"'{value}'"


def scalar(value: Any, label: str, row: int) -> Scalar:
    """Return a value as JSON can hold it.

    Raises:
        BadInput: a value of another type, with its place and the option that leaves the column out.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, str | int | float | bool):
        came = f"{a_type(value)} in column '{label}', row {row} (counted from 0)"
        if isinstance(value, datetime):
            came = (
                f"local times and times with a zone in column '{label}', row {row} (counted from 0)"
            )
            hint = f"write all in one way, or leave the column out with {option(label, 'drop')}"
            raise BadInput(came, "all with a zone, or none", hint)
        if isinstance(value, bytes | dict | list | tuple | np.ndarray):
            fix = "pictures are read from columns of their bytes; other arrays as numpy.savez('data.npz', x=..., y=...)"
            raise BadInput(
                came,
                "text, numbers, booleans or dates",
                f"{fix}, or leave it out with {option(label, 'drop')}",
            )
        hint = f"convert the column with .astype or pandas.to_datetime, or leave it out with {option(label, 'drop')}"
        raise BadInput(came, "text, numbers, booleans or dates", hint)
    return value


def sorted_levels(known: pd.Series, label: str) -> tuple[Scalar, ...]:
    """Return the different values of a column, numbers before words."""
    first = known.astype(object).drop_duplicates()
    distinct = [
        scalar(value, label, row) for row, value in zip(first.index, first.tolist(), strict=True)
    ]
    return tuple(sorted(distinct, key=lambda v: (isinstance(v, str), v)))


def discrete(
    kind: ColumnKind, levels: tuple[Scalar, ...], series: pd.Series, stored: Stored, said: str
) -> FoundColumn:
    """Return a column of categories."""
    gone = int(series.isna().sum())
    column = Column(stored.label, kind, level_names(levels), missing=gone > 0)
    return FoundColumn(
        column,
        replace(stored, levels=levels),
        said + _unseen(levels, series) + gaps(gone, len(series)),
    )


def _unseen(levels: tuple[Scalar, ...], series: pd.Series) -> str:
    """Return which levels are declared and never occur: the model gives them little probability,
    but some."""
    seen = set(series.dropna().astype(object).tolist())
    never = [str(level) for level in levels if level not in seen]
    if not never:
        return ""
    shown = ", ".join(f"'{name}'" for name in never[:5]) + (", ..." if len(never) > 5 else "")
    return f"; {len(never)} never occur{'s' * (len(never) == 1)} ({shown}) and may be drawn"


def gaps(gone: int, n: int) -> str:
    """Return what is said of missing values, nothing if there are none."""
    return f"; {gone} of {n} values are missing, and missing is modelled" if gone else ""


def keeping(label: str) -> str:
    """Return how an identifier is modelled anyway."""
    return f"`--keep {shlex.quote(label)}`, or keep=[{label!r}] in Python, models it"


def option(label: str, kind: str) -> str:
    """Return the option that declares a column.

    Example:
        >>> option("price", "drop")
        '`-s data.columns.price=drop`'
        >>> option("unit price", "drop")
        "`-s 'data.columns.unit price=drop'`"
    """
    return f"`-s {shlex.quote(f'data.columns.{label}={kind}')}`"
