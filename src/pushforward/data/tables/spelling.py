"""Whether the cells of a column come back as they were written, and what stays text because it
would not.

One idea: nothing is promised that was not tried, so every different cell is written from its value
and compared with what it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pushforward.data.tables.column_hints import asking
from pushforward.data.tables.notations.aside import AsideNotation
from pushforward.data.tables.notations.digits import LONGEST
from pushforward.data.tables.notations.notation import Notation
from pushforward.data.tables.notations.number_styles import find_numbers
from pushforward.data.tables.notations.numbers import NumberNotation

# digits that any double gives back, without zeros that only a notation could know of
_SURE = re.compile(r"(?!-0(?:\.0*)?$)-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?")
_CODE = re.compile(r"\d+(?:[eE]\d+)?")
_VERSION = re.compile(r"\d+\.\d+")
AGAIN = ", and written so again"
FEW = 32


def respelled(cells: Sequence[str], series: pd.Series, notation: Notation) -> dict[str, str]:
    """Return the cells that come back otherwise, and as what.

    Args:
        cells, series: the cells of a column and their values, missing ones among them.

    Example:
        >>> respelled(["1.5", "1.50"], pd.Series([1.5, 1.5]), NumberNotation(places=2))
        {'1.50': '1.5'}
    """
    plain = (
        isinstance(notation, NumberNotation)
        and notation.plain
        and not (notation.exponent or notation.width)
    )
    # all digits that a double has, as `repr` gives them, are those that such a notation writes
    whole = plain and getattr(notation, "places", 0) is None
    changed: dict[str, str] = {}
    seen: set[str] = set()
    values, gone = series.tolist(), series.isna().tolist()
    for cell, value, missing in zip(cells, values, gone, strict=True):
        if missing or cell in seen:
            continue
        seen.add(cell)
        if plain and len(cell) < LONGEST - 1 and _SURE.fullmatch(cell):
            continue
        if whole and cell == repr(value) and cell[-1] != "0" and "e" not in cell:
            continue
        written = _written(cell, value, notation)
        if written != cell.strip():
            changed[cell] = written
    return changed


def _written(cell: str, value: Any, notation: Notation) -> str:
    """Return how a value is written; of dates that say more than a moment, `value` is the cell."""
    if not isinstance(notation, AsideNotation):
        return notation.write(value)
    moment, word = notation.value(cell), notation.aside(cell)
    return "" if moment is None or word is None else notation.write_as(moment, word)


def as_most_are(sentence: str) -> str:
    """Return what is said of a notation, where some cells come back otherwise."""
    return (
        sentence.replace(AGAIN, ", as all are written again")
        if sentence.endswith(AGAIN)
        else sentence
    )


def codes(known: Sequence[str], label: str) -> str:
    """Return why cells that look like numbers are words, because as numbers they would come back as
    others; empty for numbers.

    `2E05` beside `1E10` are codes, and 1.10 after 1.9 is a version.

    Example:
        >>> codes(["1.9", "1.10", "2.0"], "v")
        "as numbers '1.10' would come back as '1.1', so they are kept as text (`-s data.columns.v=number` reads numbers)"
        >>> codes(["1.90", "1.10", "2.00"], "v")
        ''
    """
    bare = [cell.strip() for cell in known]
    powers = any(c in cell for cell in bare for c in "eE") and all(map(_CODE.fullmatch, bare))
    if not powers and not _versions(bare):
        return ""
    found = find_numbers(bare)
    if found is None:
        return ""
    notation = found.notation
    values = {cell: value for cell in bare if (value := notation.value(cell)) is not None}
    other = next(
        ((cell, back) for cell, value in values.items() if (back := notation.write(value)) != cell),
        None,
    )
    if other is None:
        return ""
    reads = f"{asking(label, 'number')} reads numbers"
    return f"as numbers '{other[0]}' would come back as '{other[1]}', so they are kept as text ({reads})"


def may_be_code(known: Sequence[str], label: str) -> str:
    """Return what is asked about cells that are numbers with an exponent and could be codes; empty
    for all others.

    Example:
        >>> may_be_code(["1E10", "3E7"], "v")
        "'1E10' is taken for a number with an exponent (`-s data.columns.v=categorical` keeps codes)"
    """
    one = next((cell for cell in known if "e" in cell.lower()), "").strip()
    if not one or not all(_CODE.fullmatch(cell.strip()) for cell in known):
        return ""
    return f"'{one}' is taken for a number with an exponent ({asking(label, 'categorical')} keeps codes)"


def _versions(bare: Sequence[str]) -> bool:
    """Return whether numbers count behind their point: no zero begins what stands there, and one
    ends it (1.9, 1.10)."""
    if not all(map(_VERSION.fullmatch, bare)):
        return False
    rests = [cell.partition(".")[2] for cell in bare]
    if (
        any(len(rest) > 3 or (rest[0] == "0" and len(rest) > 1) for rest in rests)
        or len({*map(len, rests)}) == 1
    ):
        return False
    ends = {
        cell for cell, rest in zip(bare, rests, strict=True) if len(rest) > 1 and rest.endswith("0")
    }
    return bool(ends) and (len(bare) <= FEW or any(cell.rstrip("0") in bare for cell in ends))
