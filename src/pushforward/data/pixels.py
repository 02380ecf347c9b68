"""Pictures in tables: a row a picture, a column a pixel, as `label,pixel0,...` files have them.

One idea: columns are pixels if there are as many as a square has, all of one name with a number
behind, and bytes in every cell.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd

from pushforward.data.array_layout import ArrayLayout, table_of_pixels
from pushforward.data.identity import IdentityEncoding
from pushforward.data.points import Label, PointsEncoding
from pushforward.data.source import Raw
from pushforward.data.tables.sheet import Sheet
from pushforward.data.tables.stored import OBJECTS, Stored

LABELS = ("label", "class")
FEWEST_PIXELS = 64
MOST_CLASSES = 256


def label_place(frame: pd.DataFrame) -> int | None:
    """Return the place of the column of labels: called `label` or `class`, of few different values,
    none of them missing."""
    for place, name in enumerate(frame.columns):
        if str(name).lower() in LABELS and len(frame.columns) > 1:
            series = frame.iloc[:, place]
            if series.dtype.kind not in "iufbO" and str(series.dtype) not in OBJECTS:
                return None
            fractions = series.dtype.kind == "f" and bool((series != series.round()).any())
            many = series.nunique() > max(2, 0.5 * len(series))
            return None if fractions or many or bool(series.isna().any()) else place
    return None


def pixels_of(sheet: Sheet) -> Raw | None:
    """Return pictures (n, side, side) as bytes, with a label for each, the reason, and the table
    that holds them; None if columns are no pixels."""
    frame = sheet.frame.drop(columns=list(sheet.dropped))
    if len(frame.columns) < FEWEST_PIXELS or any(
        series.dtype.kind not in "iu" for _, series in _without_words(frame)
    ):
        return None
    place = label_place(frame)
    place = _unnamed_label(frame, sheet) if place is None else place
    rest = frame if place is None else frame.drop(columns=frame.columns[place])
    side = math.isqrt(len(rest.columns))
    stems = {re.sub(r"\d+", "", str(name)).strip(" _-x").lower() for name in rest.columns}
    # without a header the columns are called x0, x1, ...
    if (
        side * side != len(rest.columns)
        or len(stems) > 1
        or any(series.dtype.kind not in "iu" for _, series in rest.items())
    ):
        return None
    x = rest.to_numpy(dtype=np.int64)
    if x.min() < 0 or x.max() > 255 or x.max() < 2:
        return None
    labels = None if place is None else [str(value) for value in frame.iloc[:, place].tolist()]
    which = "" if place is None else f" beside the labels in '{frame.columns[place]}'"
    said = f"{side * side} columns of whole numbers up to {int(x.max())}{which}, so pictures of {side} x {side} pixels"
    said = f"{said} (`-s data.kind=points` or `=table` keeps columns)"
    return Raw(
        x.astype(np.uint8).reshape(len(x), side, side),
        labels,
        [*sheet.notes, said],
        lost=[*sheet.lost, *(f"column '{name}': left out, as asked" for name in sheet.dropped)],
        encoding=IdentityEncoding(layout=ArrayLayout(table=_table(sheet, frame, place, labels))),
    )


def _table(
    sheet: Sheet, frame: pd.DataFrame, place: int | None, labels: list[str] | None
) -> PointsEncoding:
    """Return how the table of these pictures is written."""
    columns = [
        Stored(
            int(name) if isinstance(name, int | np.integer) else str(name),
            str(series.dtype),
            notation=None if sheet.written is None else sheet.written[str(name)].notation,
        )
        for name, series in frame.items()
    ]
    if place is None or labels is None:
        return table_of_pixels(columns, None, sheet.dialect)
    stored = columns.pop(place)
    if not sheet.header:
        # samples have a header, which has to name the labels
        stored = replace(stored, name="label")
        columns = [replace(one, name=f"x{i}") for i, one in enumerate(columns)]
    values = tuple(dict.fromkeys(zip(labels, frame.iloc[:, place].tolist(), strict=True)))
    return table_of_pixels(columns, Label(stored, place, values), sheet.dialect)


def _without_words(frame: pd.DataFrame) -> list[tuple[object, pd.Series]]:
    place = label_place(frame)
    return [(name, series) for i, (name, series) in enumerate(frame.items()) if i != place]


def _unnamed_label(frame: pd.DataFrame, sheet: Sheet) -> int | None:
    """Return the place of labels that no header names: first or last beside a square of pixels, and
    of few values."""
    side = math.isqrt(len(frame.columns) - 1)
    if sheet.header or side * side != len(frame.columns) - 1:
        return None
    few = [
        i
        for i in (0, len(frame.columns) - 1)
        if 2 <= frame.iloc[:, i].nunique() <= min(MOST_CLASSES, 0.2 * len(frame))
    ]
    top = int(frame.iloc[:, 1:-1].to_numpy().max())
    few = [i for i in few if int(frame.iloc[:, i].max()) < top]
    return few[0] if few else None
