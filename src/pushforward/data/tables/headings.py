"""Lines of a table that are no rows though they have its width: names that recur, units and remarks
below the names.

One idea: such a line holds words where the column below it holds numbers or dates, and is left out
aloud.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pushforward.data.folders import few
from pushforward.data.tables.header import Header, header_of, names_over_values, usual_kind
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers

_MOST = 3  # units, ways of averaging, identifiers
_SHOWN = 60
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Headings:
    """Whether there is a header, which rows stay (the header among them), and what was left out."""

    header: Header
    kept: tuple[int, ...]
    notes: tuple[str, ...] = ()


def headings_of(
    rows: Rows, numbers: Sequence[int], names: Collection[str] = (), said: bool | None = None
) -> Headings:
    """Return the header of a table, and its rows without lines that repeat it or say its units.

    Args:
        rows: of equal length, the first one in doubt.
        numbers: the line of each.
        names: that a header is expected to hold.
        said: the user's own answer to whether there is one.

    Example:
        >>> found = headings_of([["t", "v"], ["s", "m/s"], ["1", "2.5"], ["2", "3.5"], ["t", "v"], ["3", "4.5"]], range(1, 7))
        >>> found.kept, found.notes[0]
        ((0, 2, 3, 5), 'line 5 repeats the header and is left out')
    """
    every = tuple(range(len(rows)))
    if said is False:
        return Headings(header_of(rows, names, said), every)
    first = [cell.strip() for cell in rows[0]]
    again = [place for place in every[1:] if [cell.strip() for cell in rows[place]] == first]
    body = [place for place in every[1:] if place not in set(again)]
    units = body[: _units(rows[0], [rows[place] for place in body[: _MOST + 200]])]
    # what an empty line sets apart from the names above it may be the names themselves
    units = (
        units if all(numbers[place] == numbers[0] + k for k, place in enumerate(units, 1)) else []
    )
    left = (0, *(place for place in body if place not in units))
    if not again and not units:
        return Headings(header_of(rows, names, said), every)
    kept = [rows[place] for place in left]
    known = said is True or (bool(names) and set(names) >= set(first))
    if len(kept) < 2 or not (known or names_over_values(kept)):
        return Headings(header_of(rows, names, said), every)
    notes = []
    if again:
        lines = few([str(numbers[place]) for place in again])
        verb = "repeats the header and is" if len(again) == 1 else "repeat the header and are"
        notes.append(f"line{'s' if len(again) > 1 else ''} {lines} {verb} left out")
    for place in units:
        shown = ", ".join(cell.strip() for cell in rows[place])[:_SHOWN]
        notes.append(f"line {numbers[place]} says more of the columns ({shown}) and is left out")
    return Headings(header_of(kept, names, said), left, tuple(notes))


def _units(names: Sequence[str], rows: Rows) -> int:
    """Return how many rows below the names hold words in most columns of numbers or dates, and
    nothing that recurs."""
    for many in range(min(_MOST, len(rows) - 3), 0, -1):
        below = rows[many:]
        columns = [[row[place].strip() for row in below] for place in range(len(names))]
        typed = [
            place for place, cells in enumerate(columns) if usual_kind(cells) in ("number", "date")
        ]
        words = [place for place in range(len(names)) if place not in typed]
        if typed and all(_says_units(row, typed, words, columns) for row in rows[:many]):
            return many
    return 0


def _says_units(
    row: Sequence[str], typed: list[int], words: list[int], columns: list[list[str]]
) -> bool:
    found = [row[place].strip() for place in typed]
    said = [cell for cell in found if cell not in MISSING and not is_missing_among_numbers(cell)]
    # a number below its detection limit is no unit
    if any(cell[0] in "<>=~+-.0123456789" or usual_kind([cell]) != "word" for cell in said):
        return False
    if 2 * len(said) < len(found):
        return False
    return not any(row[place].strip() in columns[place] for place in words if row[place].strip())
