"""How the text of a CSV file is laid out beyond its delimiter: spaces, quotes, names as written, a
line for Excel.

One idea: what is cheap to write again is kept beside the table, and what is not is named.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pushforward.data.tables.lines import fields_of_any_length

LOOKED_AT = 200


@dataclass(frozen=True)
class Layout:
    """What of a file's spelling is written again, and what is lost.

    Attributes:
        names: the header's names as written, by their labels, where these differ.
        spaced: True if a space follows every delimiter of the rows.
        quoted: the columns whose cells all stand in quotes.
        quoted_names: True if the header's names do.
    """

    names: dict[str, str] = field(default_factory=dict)
    spaced: bool = False
    quoted: list[str] = field(default_factory=list)
    quoted_names: bool = False
    lost: tuple[str, ...] = ()


def layout_of(
    text: str, delimiter: str, quote: str, first: Sequence[str] | None, labels: Sequence[str]
) -> Layout:
    """Return how the first lines of a table are spelled.

    Args:
        text: that of the file from the table's first line on.
        first: the cells of its header, None if it has none.
        labels: what its columns are called.

    Example:
        >>> found = layout_of("a, b\\n1, 2\\n", ",", '"', ["a", "b"], ["a", "b"])
        >>> found.names, found.spaced
        ({'b': ' b'}, True)
    """
    width, start = len(labels), 0 if first is None else 1
    source = io.StringIO(text, newline="")
    with fields_of_any_length():
        raw = _of_width(
            islice(csv.reader(source, delimiter=delimiter, quotechar=quote), LOOKED_AT), width
        )
    names: dict[str, str] = {}
    if first is not None and raw:
        written = [_unquoted(cell, quote) for cell in raw[0]]
        names = {label: cell for label, cell in zip(labels, written, strict=True) if cell != label}
    body = raw[start:]
    later = [cell for row in body for cell in row[1:]]
    spaced = bool(later) and all(
        cell.startswith(" ") and not cell.startswith("  ") for cell in later
    )
    trimmed = [cell.removeprefix(" ") for cell in later] if spaced else later
    padded = any(cell != cell.strip() for cell in [*trimmed, *(row[0] for row in body)])
    # lines whose cells hold delimiters of their own are not looked at: they need their quotes
    lines = [line for line in io.StringIO(text[: 2**20]) if line.strip()][:LOOKED_AT]
    pieces = _of_width((line.rstrip("\r\n").split(delimiter) for line in lines), width)
    marks = [[_mark(cell, quote) for cell in row] for row in pieces]
    columns = [
        {mark for mark in column if mark is not None} for column in zip(*marks[start:], strict=True)
    ]
    quoted = [label for label, found in zip(labels, columns, strict=False) if found == {True}]
    quoted_names = first is not None and bool(marks) and all(marks[0])
    mixed = any(len(found) > 1 for found in columns) or (
        first is not None and bool(marks) and any(marks[0]) > quoted_names
    )
    lost = ["spaces around cells do not come back"] if padded else []
    lost += ["quotes around some cells that need none do not come back"] if mixed else []
    return Layout(names, spaced, quoted, quoted_names, tuple(lost))


def _of_width(rows: Iterable[list[str]], width: int) -> list[list[str]]:
    """Return the rows of a width, an empty cell at their end aside."""
    trimmed = (row[:-1] if len(row) == width + 1 and not row[-1].strip() else row for row in rows)
    return [row for row in trimmed if len(row) == width]


def _mark(cell: str, quote: str) -> bool | None:
    """Return whether a cell is quoted without need; None if it is empty or needs its quotes."""
    bare = cell.strip()
    if not bare or bare.count(quote) > 2:
        return None
    return len(bare) > 1 and bare[0] == quote == bare[-1]


def _unquoted(cell: str, quote: str) -> str:
    bare = cell.strip()
    quoted = cell[:1] == " " and len(bare) > 1 and bare[0] == quote == bare[-1]
    return cell[: len(cell) - len(cell.lstrip())] + bare[1:-1] if quoted else cell
