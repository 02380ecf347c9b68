"""What points lose of the digits of their table.

One idea: samples are written with the digits that single precision tells apart beside the spread of
their column; whether a table has more is found by writing its own numbers as samples are written.
"""

from __future__ import annotations

import numpy as np
import torch

from pushforward.data.folders import few
from pushforward.data.points import PointsEncoding
from pushforward.data.tables.sheet import Sheet
from pushforward.data.tables.written import cells_of


def lost_of_points(sheet: Sheet, encoding: PointsEncoding, values: np.ndarray) -> list[str]:
    """Return what of a table its points lose: what was said of it, in the spelling that samples
    have, and a sentence on the digits that none of them has.

    Args:
        values: the coordinates as they were read, shape (n, columns).

    Example:
        >>> import pandas as pd
        >>> from pushforward.core.table import Column
        >>> from pushforward.data.tables.stored import Stored
        >>> frame = pd.DataFrame({"u": [0.1234567890123, 0.9876543210987]})
        >>> kept = (Stored("u", "float64"), Column("u", "continuous", low=0.1, high=1.0))
        >>> lost_of_points(Sheet(frame, "t", "t"), PointsEncoding((kept,)), frame.to_numpy())
        ["column 'u': samples have fewer digits than the data, such as '0.1234567890123', which comes back as '0.123456789'"]
    """
    lost, shorter, example = list(sheet.lost), [], ""
    back = encoding.decode(torch.from_numpy(np.array(values, dtype=np.float64)))
    places = {str(name): place for place, name in enumerate(sheet.frame.columns)}
    kept = {stored.label: stored for stored, column in encoding.columns if column is not None}
    for place, name in enumerate(map(str, back.columns)):
        if name not in kept:
            continue
        before = cells_of(sheet.frame.iloc[:, places[name]], kept[name])
        after = cells_of(back.iloc[:, place], kept[name])
        changed = {a: b for a, b in zip(before, after, strict=True) if a != b}
        if not changed:
            continue
        cell, written = next(iter(changed.items()))
        of_file = (sheet.written or {}).get(name)
        if of_file is not None and of_file.otherwise is not None:
            said, rest = of_file.otherwise.said, of_file.otherwise.without(changed)
            place_of_it = lost.index(f"column '{name}': {said}")
            lost[place_of_it : place_of_it + 1] = [f"column '{name}': {rest}"] if rest else []
            cell = of_file.otherwise.cell(cell)
        example = example or f"such as '{cell}', which comes back as '{written}'"
        shorter.append(f"'{name}'")
    if shorter:
        which = f"column{'s' if len(shorter) > 1 else ''} {few(shorter)}"
        lost.append(f"{which}: samples have fewer digits than the data, {example}")
    return lost
