"""Points from tables of numbers: the columns that vary are coordinates, one called `label` or `class` names the examples.

One idea: a file is read once, as a table; that it is opened as points must not cost it its names, its order or its decimals.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import Column
from pushforward.data.points import Label, PointsEncoding
from pushforward.data.tables.files import Reading, Sheet, read_file
from pushforward.data.tables.numeric import grid_of
from pushforward.data.tables.stored import OBJECTS, Stored, missing_word
from pushforward.data.tables.written import Dialect, cells_of

LABELS = ("label", "class")


@dataclass(frozen=True)
class Numbers:
    """Points (n, columns) in float64, a name per point (None without labels), what restores the file, and what was decided."""

    values: np.ndarray
    labels: list[str] | None
    encoding: PointsEncoding
    notes: tuple[str, ...]
    lost: tuple[str, ...] = ()


def label_of(frame: pd.DataFrame) -> int | None:
    """Return the place of the column of labels: called `label` or `class`, of few different values, none of them missing."""
    for place, name in enumerate(frame.columns):
        if str(name).lower() in LABELS and len(frame.columns) > 1:
            series = frame.iloc[:, place]
            if series.dtype.kind not in "iufbO" and str(series.dtype) not in OBJECTS:
                return None
            fractions = series.dtype.kind == "f" and bool((series != series.round()).any())
            many = series.nunique() > max(2, 0.5 * len(series))
            return None if fractions or many or bool(series.isna().any()) else place
    return None


def points_of(sheet: Sheet, varied: bool = True) -> Numbers:
    """Return the points in a table of numbers.

    Args:
        varied: whether columns of one value are left out (and restored in samples).

    Raises:
        BadInput: words, missing values or infinity where numbers belong, with their lines.
    """
    frame, place = sheet.frame, label_of(sheet.frame)
    written = sheet.written or {}
    notes, label, labels = list(sheet.notes), None, None
    stored: list[tuple[Stored, Column | None]] = []
    values: list[np.ndarray] = []
    for i, name in enumerate(frame.columns):
        series = frame.iloc[:, i].reset_index(drop=True)
        of_file = written.get(str(name))
        key = int(name) if isinstance(name, np.integer) else name
        kept = Stored(key, str(series.dtype), nothing=missing_word(series))
        if of_file is not None:
            kept = Stored(key, str(series.dtype), nothing="nan", notation=of_file.notation, absent=of_file.absent)
        if place is not None and i == place:
            labels = cells_of(series, kept)
            label = Label(kept, place, tuple(dict.fromkeys(zip(labels, series.tolist(), strict=True))))
            notes.append(f"the column '{name}' holds the labels")
            continue
        numbers = _numbers(series, str(name), sheet)
        if varied and len(numbers) > 1 and np.ptp(numbers) == 0:
            notes.append(f"column '{name}': one value only, so it is left out and restored as a constant")
            stored.append((kept.constantly(series.iloc[0]), None))
            continue
        step = None if not np.isfinite(numbers).all() else grid_of(numbers, str(series.dtype))
        low, high = float(numbers.min()), float(numbers.max())
        stored.append((kept, Column(str(name), "continuous", step=step, low=low, high=high)))
        values.append(numbers)
    if not values:
        raise BadInput(f"no column that varies in {sheet.origin}", "at least one column of numbers")
    encoding = PointsEncoding(tuple(stored), label, Dialect(sheet.delimiter or ",", sheet.header))
    return Numbers(np.stack(values, axis=1), labels, encoding, tuple(notes), sheet.lost)


def _numbers(series: pd.Series, name: str, sheet: Sheet) -> np.ndarray:
    lines = sheet.lines

    def where(row: int) -> str:
        return f"row {row} (counted from 0)" if lines is None else f"line {lines[row]}"

    gone = series.isna().to_numpy()
    if gone.any():
        row = int(np.argmax(gone))
        came = f"a missing value in column '{name}', {where(row)}"
        raise BadInput(came, "numbers throughout", "open it as a table: `-s data.kind=table`")
    if series.dtype.kind not in "iufb":
        row = next((i for i, value in enumerate(series) if not isinstance(value, int | float)), 0)
        hint = "only numeric columns and one called 'label' make points: `-s data.kind=table` takes all"
        raise BadInput(f"'{series.iloc[row]}' in column '{name}', {where(row)}", "a number", hint)
    numbers = series.to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        places = [int(row) if lines is None else lines[row] for row in bad[:10]]
        shown = f"{'lines' if sheet.lines else 'rows'} {', '.join(map(str, places))}" + (
            ", ..." if len(bad) > 10 else ""
        )
        came = f"NaN or infinity in {len(bad)} rows of {sheet.origin} ({shown})"
        raise BadInput(came, "finite numbers", "repair or drop those lines")
    return numbers


def read_csv(path: Path, reading: Reading | None = None) -> tuple[np.ndarray, list[str] | None, list[str]]:
    """Return the numbers (n, columns) of a file, the labels of a column called `label` or `class` if there is one, and notes.

    Raises:
        BadInput: what cannot be read as a table of numbers; see `read_file` and `points_of`.
    """
    found = points_of(read_file(path, reading or Reading()), varied=False)
    return found.values, found.labels, list(found.notes)
