"""Where a quote of a table opens that none closes.

One idea: whoever has to repair a file looks for the line where the quote is, and a parser says only
where it gave up, which may be the end of the file.
"""

from __future__ import annotations

from collections.abc import Sequence


def opened_in(lines: Sequence[str], delimiter: str, quote: str) -> int | None:
    """Return the number (from 1) of the line in which the quote of the first field opens that does
    not end with one, None without such a field.

    Args:
        lines: with their ends, from the beginning of a row.

    Example:
        >>> opened_in(['1,"a"\\n', '2,"b\\n', "3,c\\n"], ",", '"')
        2
        >>> opened_in(['1,"a ""b"" "\\n'], ",", '"')
    """
    opened: int | None = None
    for number, line in enumerate(lines, 1):
        place, fresh = 0, opened is None  # whether a field begins here
        while place < len(line):
            one = line[place]
            if opened is None:
                if fresh and one == quote:
                    opened = number
                fresh = one == delimiter or (fresh and one == " ")
            elif one == quote:
                after = line[place + 1 : place + 2]
                if after == quote:
                    place += 1
                elif after in ("", delimiter, "\n", "\r"):
                    opened = None
                else:
                    return opened
            place += 1
    return opened
