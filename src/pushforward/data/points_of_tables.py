"""Points from tables of numbers: the columns that vary are coordinates, one called `label` or
`class` names the examples.

One idea: a file is read once, as a table; that it is opened as points must not cost it its names,
its order or its decimals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.given import label_of as label_index
from pushforward.core.table import Column
from pushforward.data.folders import few
from pushforward.data.pixels import label_place, pixels_of
from pushforward.data.points import Label, PointsEncoding
from pushforward.data.points_digits import lost_of_points
from pushforward.data.source import Raw
from pushforward.data.tables.found import option, place_of
from pushforward.data.tables.numeric import grid_of
from pushforward.data.tables.sheet import Sheet
from pushforward.data.tables.stored import Stored, missing_word
from pushforward.data.tables.written import cells_of


@dataclass(frozen=True)
class TablePoints:
    """Points (n, columns) in float64, a name per point (None without labels), what restores the
    file, and what was decided."""

    values: np.ndarray
    labels: list[str] | None
    encoding: PointsEncoding
    notes: tuple[str, ...]
    lost: tuple[str, ...] = ()


def points_of(sheet: Sheet, varied: bool = True) -> TablePoints:
    """Return the points in a table of numbers.

    Args:
        varied: whether columns of one value are left out (and restored in samples), as examples to
            learn from must vary.

    Raises:
        BadInput: words, missing values or infinity where numbers belong, with their lines.
    """
    frame = sheet.frame.drop(columns=list(sheet.dropped))
    place = label_place(frame)
    if place is not None and varied and frame.iloc[:, place].nunique() < 2:
        place = None
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
            kept = replace(kept, nothing="nan", notation=of_file.notation, absent=of_file.absent)
            kept = replace(kept, reading=of_file.reading, marks=of_file.marks)
        if place is not None and i == place:
            labels = cells_of(series, kept)
            label = Label(
                kept, place, tuple(dict.fromkeys(zip(labels, series.tolist(), strict=True)))
            )
            notes.append(f"the column '{name}' holds the labels")
            continue
        numbers = _numbers(series, str(name), sheet)
        if varied and len(numbers) > 1 and numbers.min() == numbers.max():
            notes.append(
                f"column '{name}': one value only, so it is left out and restored as a constant"
            )
            stored.append((kept.constantly(series.iloc[0]), None))
            continue
        step = None if not np.isfinite(numbers).all() else grid_of(numbers, str(series.dtype))
        low, high = float(numbers.min()), float(numbers.max())
        stored.append((kept, Column(str(name), "continuous", step=step, low=low, high=high)))
        values.append(numbers)
    if not values:
        raise BadInput(f"no column that varies in {sheet.origin}", "at least one column of numbers")
    encoding = PointsEncoding(tuple(stored), label, sheet.dialect, excluded=sheet.dropped)
    found = np.stack(values, axis=1)
    lost = (
        *lost_of_points(replace(sheet, frame=frame), encoding, found),
        *(f"column '{name}': left out, as asked" for name in sheet.dropped),
    )
    return TablePoints(found, labels, encoding, tuple(notes), lost)


def _numbers(series: pd.Series, name: str, sheet: Sheet) -> np.ndarray:
    lines = sheet.lines

    gone = series.isna().to_numpy()
    if gone.any():
        row = int(np.argmax(gone))
        came = f"a missing value in column '{name}', {place_of(row, lines)}"
        raise BadInput(came, "numbers throughout", "open it as a table: `-s data.kind=table`")
    if series.dtype.kind not in "iufb":
        row = next((i for i, value in enumerate(series) if not isinstance(value, int | float)), 0)
        hint = "only numeric columns and one called 'label' make points: `-s data.kind=table` takes all"
        raise BadInput(
            f"'{series.iloc[row]}' in column '{name}', {place_of(row, lines)}", "a number", hint
        )
    numbers = series.to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        shown = few([str(row if lines is None else lines[row]) for row in bad.tolist()], 10)
        came = f"NaN or infinity in {len(bad)} rows of {sheet.origin} ({'rows' if lines is None else 'lines'} {shown})"
        fix = (
            f"repair or drop those lines, or leave column '{name}' out with {option(name, 'drop')}"
        )
        raise BadInput(came, "finite numbers", fix)
    return numbers


def raw_of_run(sheet: Sheet, encoding: PointsEncoding) -> Raw:
    """Return what a table of numbers holds as points of a run, whose names and order are kept to.

    Raises:
        BadInput: see `PointsEncoding.read`.
    """
    found = encoding.examples(sheet)
    index = label_index(found.given)
    labels = None if index is None else [encoding.classes[i] for i in index.tolist()]
    x = found.x.numpy()
    lost = lost_of_points(sheet, encoding, x)
    return Raw(x, labels, list(sheet.notes), lost=lost, encoding=encoding)


def raw_of(
    sheet: Sheet,
    pictured: bool = False,
    varied: bool = True,
) -> Raw:
    """Return what a table of numbers holds as points, or as pictures where its columns are pixels.

    Args:
        pictured: True takes columns that are named or ordered like pixels for pixels.
        varied: see `points_of`.

    Raises:
        BadInput: see `points_of`.
    """
    pixels = pixels_of(sheet) if pictured else None
    if pixels is not None:
        return pixels
    found = points_of(sheet, varied)
    return Raw(
        found.values,
        found.labels,
        list(found.notes),
        lost=list(found.lost),
        encoding=found.encoding,
    )
