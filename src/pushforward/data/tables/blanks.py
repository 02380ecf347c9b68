"""Tables whose fields are set apart by blanks, as aligned columns and numeric programs write them.

One idea: blanks stand in words and dates too, so they separate fields only where every line has the
same number of pieces and something says that they are columns: runs of blanks, cells in quotes or
that are numbers, or names that are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pushforward.data.tables.notations.number_styles import find_numbers
from pushforward.data.tables.notations.numbers import PLAIN

_PIECE = re.compile(r'"(?:[^"\\]|""|\\.)*"(?!\S)|\S+')
_FEWEST = 3
Rows = list[tuple[int, list[str]]]


def rows_between_blanks(
    text: str, names: Collection[str] = (), fitting: float = 0.0
) -> Rows | None:
    """Return the rows of a text whose fields blanks separate, with the line of each; None where
    they do not.

    Args:
        names: of columns that are known, which a header may hold.
        fitting: the share of lines that another separator cuts into equally many fields.

    Example:
        >>> rows_between_blanks("  a    b\\n 1.5  p\\n12.5  q\\n")
        [(1, ['a', 'b']), (2, ['1.5', 'p']), (3, ['12.5', 'q'])]
        >>> rows_between_blanks("town\\nNew York\\nSan Jose\\n") is None
        True
    """
    if fitting == 1.0:
        return None
    lines = [
        (n, line.strip())
        for n, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1)
        if line.strip()
    ]
    rows: Rows = []
    table: list[list[str]] = []
    for n, line in lines:
        rows.append((n, _pieces(line)))
        if line.startswith("#"):
            continue
        table.append(rows[-1][1])
        if len(table[-1]) != len(table[min(1, len(table) - 1)]):
            return None
    short = len(table) > 1 and len(table[0]) == len(table[1]) - 1
    if len(table) > 1 and len(table[0]) != len(table[1]) and not short:
        return None
    if short and not _names_of_rows(table):
        return None
    if short:
        # R writes no name above the names of rows
        table[0].insert(0, "")
    if len(table) < _FEWEST or len(table[0]) < 2:
        return None
    spaced = sum(re.search(r"\S(?: {2,}| *\t)[ \t]*\S", line) is not None for _, line in lines)
    if 2 * spaced >= len(lines) or set(rows[0][1]) <= set(names):
        return rows
    if fitting == 0.0 and _quoted([line for _, line in lines]):
        return rows
    return rows if fitting == 0.0 and _of_numbers(table, [line for _, line in lines[1:]]) else None


def _pieces(line: str) -> list[str]:
    # a header behind `# ` belongs to its first name
    found = _PIECE.findall(re.sub(r"^#\s+", "#", line))
    return [
        piece[1:-1].replace('""', '"').replace('\\"', '"')
        if len(piece) > 1 and piece[0] == piece[-1] == '"'
        else piece
        for piece in found
    ]


def _names_of_rows(table: list[list[str]]) -> bool:
    """Return whether the first cells below the header can name rows: each one has its own."""
    first = [row[0] for row in table[1:]]
    return len(first) >= _FEWEST and len(set(first)) == len(first)


def _quoted(lines: list[str]) -> bool:
    """Return whether quotes say that lines are cells: names that all stand in them, or some in
    nearly every line."""
    cells = [_PIECE.findall(line) for line in lines if not line.startswith("#")]
    marked = [[len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in row] for row in cells]
    return (len(cells[0]) > 1 and all(marked[0])) or sum(map(any, marked)) >= 0.9 * len(marked)


def _of_numbers(table: list[list[str]], lines: list[str]) -> bool:
    """Return whether most cells below the first line are numbers, and whole lines are none: `1 234`
    is one, with its thousands."""
    below = [cell for row in table[1:] for cell in row]
    if 2 * sum(PLAIN.fullmatch(cell) is not None for cell in below) < len(below):
        return False
    whole = find_numbers(set(lines))
    return whole is None or len(whole.read) < len(set(lines))
