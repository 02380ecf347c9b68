"""Whether the first line of a table names its columns.

Two ideas: a name is of another kind than what stands below it (a word over numbers, whole numbers
over decimals, a row of years over anything but years), and where nothing tells them apart the
reader says what it took and which option decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pushforward.data.tables.notations.clock import find_times
from pushforward.data.tables.notations.coordinates import find_coordinates
from pushforward.data.tables.notations.dates import find_dates
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers
from pushforward.data.tables.notations.months import find_months
from pushforward.data.tables.notations.number_styles import find_numbers
from pushforward.data.tables.notations.numbers import PLAIN
from pushforward.data.tables.notations.spans import find_spans

LOOKED_AT = 1000
_MOST = 0.9
_ASK = "`-s data.header=yes` or `=no` decides"


@dataclass(frozen=True)
class Header:
    """Whether there is one, and what was decided, in a sentence."""

    found: bool
    note: str


_NAMES = Header(True, "the first line names the columns")
_DATA = Header(False, "the first line holds data, so columns are x0, x1, ...")


def header_of(
    rows: Sequence[Sequence[str]], names: Collection[str] = (), said: bool | None = None
) -> Header:
    """Return whether the first row is a header.

    Args:
        rows: of equal length, the first one in doubt.
        names: that a header is expected to hold.
        said: the user's own answer.

    Example:
        >>> header_of([["country", "2019", "2020"], ["France", "1.5", "2.5"], ["Chad", "0.5", "3.5"]]).found
        True
        >>> header_of([["39", "State-gov"], ["50", "Private"]]).found
        False
    """
    first = [cell.strip() for cell in rows[0]]
    if names and set(names) >= set(first):
        return _NAMES
    if said is not None:
        return Header(said, f"{(_NAMES if said else _DATA).note}, as asked")
    body = rows[1 : 1 + LOOKED_AT]
    if not body:
        # a line alone is a header if its cells can only be names
        return _DATA if any(_kind(cell) not in ("word", "") for cell in first) else _NAMES
    columns = [[row[place].strip() for row in body] for place in range(len(first))]
    kinds = [usual_kind(cells) for cells in columns]
    own = [
        _kind_above(cell, kind, cells)
        for cell, kind, cells in zip(first, kinds, columns, strict=True)
    ]
    typed = [place for place, kind in enumerate(kinds) if kind not in ("word", "")]
    named = [
        place for place in typed if own[place] == "word" and first[place] not in columns[place]
    ]
    alike = [place for place in typed if own[place] == kinds[place]]
    if named:
        return (
            _NAMES
            if len(named) >= len(alike) or _named_by_numbers(first, columns, alike)
            else _asking(True)
        )
    if not alike:
        return _of_words(first, columns)
    numbers = [place for place in alike if kinds[place] == "number"]
    words = [place for place, kind in enumerate(kinds) if kind == "word" and first[place]]
    if len(numbers) < len(alike) or any(first[place] in columns[place] for place in words):
        return _DATA
    if _named_by_numbers(first, columns, numbers):
        return _NAMES if words else _asking(True)
    return _asking(False) if _far_away(first, columns, numbers) else _DATA


def names_over_values(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a word stands over a column of numbers or dates, so that the first row can be
    nothing but names.

    Example:
        >>> names_over_values([["a", "b"], ["x", "1"], ["y", "2"]]), names_over_values([["a", "b"], ["x", "y"]])
        (True, False)
    """
    body = rows[1 : 1 + LOOKED_AT]
    for place, cell in enumerate(rows[0]):
        cells = [row[place].strip() for row in body]
        if usual_kind(cells) in ("number", "date") and _kind(cell.strip()) == "word":
            return True
    return False


def _asking(found: bool) -> Header:
    return Header(
        found,
        f"{(_NAMES if found else _DATA).note}, though its numbers could also be {'data' if found else 'names'} ({_ASK})",
    )


def _of_words(first: list[str], columns: list[list[str]]) -> Header:
    # all words: a first line that recurs below it is data, and so is one that says the same twice
    known = [place for place, cell in enumerate(first) if cell]
    if any(first[place] in columns[place] for place in known) or not known:
        return _DATA
    return _NAMES


def _kind(cell: str) -> str:
    if cell in MISSING[:2] or (
        is_missing_among_numbers(cell) and not any(c.isalpha() for c in cell)
    ):
        return ""
    if PLAIN.fullmatch(cell) or find_numbers([cell]) is not None:
        return "number"
    if (
        find_dates([cell]) is not None
        or find_months([cell]) is not None
        or find_times([cell]) is not None
        or find_spans([cell]) is not None
    ):
        return "date"
    if find_coordinates([cell]) is not None:
        return "number"
    return "boolean" if cell in ("True", "False", "true", "false", "TRUE", "FALSE") else "word"


def _kind_above(cell: str, below: str, cells: list[str]) -> str:
    """Return the kind of a first cell over a column: `7 days` over bare numbers is a word."""
    kind = _kind(cell)
    lettered = any(c.isalpha() for c in cell) and PLAIN.fullmatch(cell) is None
    if (
        kind == below == "number"
        and lettered
        and all(PLAIN.fullmatch(one) or one in MISSING for one in cells[:200])
    ):
        return "word"
    return kind


def usual_kind(cells: list[str]) -> str:
    """Return the kind of most cells that are not missing: `number`, `date`, `boolean`, `word`, or
    empty if all are missing."""
    known = list(
        dict.fromkeys(
            cell for cell in cells if cell not in MISSING and not is_missing_among_numbers(cell)
        )
    )[:200]
    if not known:
        return ""
    if all(PLAIN.fullmatch(cell) for cell in known):
        return "number"
    kinds = [_kind(cell) for cell in known]
    if "date" in kinds and all(
        kind == "date" or _is_year(cell) for kind, cell in zip(kinds, known, strict=True)
    ):
        return "date"  # of which some say the year alone
    return next(
        (kind for kind in ("number", "date", "boolean") if kinds.count(kind) >= _MOST * len(kinds)),
        "word",
    )


def _named_by_numbers(first: list[str], columns: list[list[str]], places: list[int]) -> bool:
    """Return whether numbers in the first row are names: whole over decimals, or evenly spaced
    where no other row is."""
    cells = [first[place] for place in places]
    if not cells or not all(cell.isdecimal() for cell in cells) or len(set(cells)) < len(cells):
        return False
    below = [[cell for cell in columns[place] if cell not in MISSING] for place in places]
    fractions = [
        sum(not cell.lstrip("+-").isdecimal() for cell in column) >= _MOST * len(column)
        for column in below
        if column
    ]
    if fractions and all(fractions):
        return True
    rows = list(zip(*(columns[place] for place in places), strict=True))
    if len(places) == 1:
        # one year over numbers that are no years
        return _is_year(cells[0]) and not any(_is_year(row[0]) for row in rows)
    even = sum(_evenly_spaced(row) for row in rows)
    enough = len(places) > 2 or all(map(_is_year, cells))
    return enough and _evenly_spaced(cells) and even <= 0.05 * len(rows)


def _is_year(cell: str) -> bool:
    return cell.isdecimal() and 1800 <= int(cell) <= 2100


def _evenly_spaced(cells: Sequence[str]) -> bool:
    if not all(cell.isdecimal() and len(cell) < 10 for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers[1] != numbers[0] and len({b - a for a, b in pairwise(numbers)}) == 1


def _far_away(first: list[str], columns: list[list[str]], places: list[int]) -> bool:
    """Return whether the first row's whole numbers lie outside everything below them, in each of
    several columns."""
    if (
        len(places) < 2
        or not all(first[place].isdecimal() for place in places)
        or len(columns[0]) < 5
    ):
        return False
    for place in places:
        known = [float(cell) for cell in columns[place] if PLAIN.fullmatch(cell)]
        if not known or min(known) <= float(first[place]) <= max(known):
            return False
    return True
