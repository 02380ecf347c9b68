"""What one column is found to be: discrete, or left out; what the inference of every kind shares.

One idea: a finding is the column of the space, how it is kept, a sentence with its reason, and what of it is lost.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, a_type
from pushforward.core.table import Column, ColumnKind
from pushforward.data.tables.stored import Scalar, Stored, level_names


@dataclass(frozen=True)
class Rules:
    """What a user asks of a column: a kind, to keep an identifier, bounds."""

    kind: Any
    keep: bool
    bounds: str


@dataclass(frozen=True)
class Found:
    """A column of the space (None if it is not modelled), how it is kept, why, and what is lost."""

    column: Column | None
    stored: Stored
    said: str
    lost: str = ""


def scalar(value: Any, label: str, row: int) -> Scalar:
    """Return a value as JSON can hold it.

    Raises:
        BadInput: a value of another type, with its place and the option that leaves the column out.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, str | int | float | bool):
        came = f"{a_type(value)} in column '{label}', row {row} (counted from 0)"
        if isinstance(value, datetime):
            came = f"local times and times with a zone in column '{label}', row {row} (counted from 0)"
            hint = f"write all in one way, or leave the column out with {option(label, 'drop')}"
            raise BadInput(came, "all with a zone, or none", hint)
        if isinstance(value, bytes | dict | list | tuple | np.ndarray):
            fix = "pictures are read from columns of their bytes; other arrays as numpy.savez('data.npz', x=..., y=...)"
            raise BadInput(
                came, "text, numbers, booleans or dates", f"{fix}, or leave it out with {option(label, 'drop')}"
            )
        hint = f"convert the column with .astype or pandas.to_datetime, or leave it out with {option(label, 'drop')}"
        raise BadInput(came, "text, numbers, booleans or dates", hint)
    return value


def sorted_levels(known: pd.Series, label: str) -> tuple[Scalar, ...]:
    """Return the different values of a column, numbers before words."""
    first = known.astype(object).drop_duplicates()
    distinct = [scalar(value, label, row) for row, value in zip(first.index, first.tolist(), strict=True)]
    return tuple(sorted(distinct, key=lambda v: (isinstance(v, str), v)))


def discrete(kind: ColumnKind, levels: tuple[Scalar, ...], series: pd.Series, stored: Stored, said: str) -> Found:
    """Return a column of categories."""
    gone = int(series.isna().sum())
    column = Column(stored.label, kind, level_names(levels), missing=gone > 0)
    return Found(column, replace(stored, levels=levels), said + _unseen(levels, series) + gaps(gone, len(series)))


def _unseen(levels: tuple[Scalar, ...], series: pd.Series) -> str:
    """Return which levels are declared and never occur: the model gives them little probability, but some."""
    seen = set(series.dropna().astype(object).tolist())
    never = [str(level) for level in levels if level not in seen]
    if not never:
        return ""
    shown = ", ".join(f"'{name}'" for name in never[:5]) + (", ..." if len(never) > 5 else "")
    return f"; {len(never)} never occur{'s' * (len(never) == 1)} ({shown}) and may be drawn"


def excluded(stored: Stored, why: str, label: str) -> Found:
    """Return an identifier, which is left out."""
    said = f"{why}, so an identifier that is left out ({keeping(label)})"
    return Found(
        None, replace(stored, role="excluded", levels=()), said, f"left out as an identifier: {why} ({keeping(label)})"
    )


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
