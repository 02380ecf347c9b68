"""Text whose lines are rows of numbers: people who bring it rarely mean its characters."""

from __future__ import annotations

import re

LOOKED_AT, FEWEST = 1000, 3
_COMMENTS = ("#", "%", "!", "//")


def numbers_in(text: str) -> int:
    """Return how many numbers each of the first lines holds, 0 where they are no rows of numbers.

    Names may stand in the first line, and comments anywhere; blanks, tabs, commas or semicolons
    separate numbers.

    Example:
        >>> numbers_in("# x y\\n1.0 2e-3\\n-0.5 nan\\n3 4\\n"), numbers_in("1984 was\\na bad\\nyear 1985\\n")
        (2, 0)
    """
    lines = text[: 1 << 16].split("\n")
    if len(text) > 1 << 16:
        lines = lines[:-1]  # it was cut
    rows = [re.findall(r"[^\s,;]+", line) for line in lines[:LOOKED_AT] if line.strip()]
    rows = [row for row in rows if row and not row[0].startswith(_COMMENTS)]
    if rows and not all(map(_is_number, rows[0])):
        rows = rows[1:]
    widths = {len(row) for row in rows}
    if (
        len(rows) < FEWEST
        or len(widths) > 1
        or not all(_is_number(piece) for row in rows for piece in row)
    ):
        return 0
    return widths.pop()


def _is_number(piece: str) -> bool:
    try:
        float(piece)
    except ValueError:
        return False
    return True
