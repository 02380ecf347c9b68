"""From the text of a CSV file to rows of cells: the delimiter, comments, a title above the header,
ragged lines.

One idea: a table is where the width is what most lines have; what stands above it is left out with
a note, what breaks it below is refused with its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pushforward.core.errors import BadInput
from pushforward.data.folders import counted
from pushforward.data.tables.blanks import rows_between_blanks
from pushforward.data.tables.header import names_over_values
from pushforward.data.tables.quotes import opened_in

DELIMITERS = {";": "semicolon", "\t": "tab", "|": "bar", ",": "comma"}
_TITLES, _SHOWN = 10, 40
_FEWEST_BELOW = 3
# what stands first in the files of Campbell's loggers, above names, units and ways of averaging
_LOGGERS = ("TOA5", "TOACI1")


@dataclass(frozen=True)
class Lines:
    """Rows of equal width with the line of each in its file, the delimiter, and what was left out.

    `quote` is what stands around quoted cells; `named` is True if a line `sep=;` names the
    delimiter; `ending` says which lines (`rows` or `header`) have a delimiter at their end that the
    others lack.
    """

    rows: list[list[str]]
    numbers: list[int]
    delimiter: str
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    quote: str = '"'
    named: bool = False
    ending: str = ""


def delimiter_of(text: str) -> str:
    """Return the delimiter under which the first lines have one number of fields, above one; a
    comma if none does.

    Example:
        >>> delimiter_of("a;b\\n1,5;2\\n"), delimiter_of("a\\n1\\n")
        (';', ',')
    """
    return _fitting(text)[0]


def _fitting(text: str) -> tuple[str, float]:
    """Return the delimiter, and the share of lines that have the same number of fields under it; 0
    if none separates any."""
    head = [line for line in _head(text) if not line.startswith("#")]
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        try:
            with fields_of_any_length():
                rows = csv.reader(head, delimiter=delimiter, skipinitialspace=True)
                widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
        except csv.Error:
            continue
        usual = max(widths, key=lambda width: (widths[width], width), default=0)
        agree = widths[usual] / widths.total() if usual > 1 else 0.0
        # a rarer character that fits as well is no accident: commas also separate decimals and
        # clauses
        if (agree, 0) > best and agree > 0.5:
            best, chosen = (agree, 0), delimiter
    return chosen, best[0]


def _head(text: str) -> list[str]:
    """Return the first lines, all of them whole."""
    lines = text[:65536].splitlines(keepends=True)
    if len(text) > 65536 and len(lines) <= 50 and not lines[-1].endswith(("\n", "\r")):
        # a cell may be longer than all that
        lines[-1] += re.split("[\r\n]", text[65536:], maxsplit=1)[0]
    return lines[:50]


@contextmanager
def fields_of_any_length() -> Iterator[None]:
    """Let `csv` read cells longer than its own limit of 131,072 characters, which a file that was
    read whole need not fear."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def read_lines(text: str, origin: str, names: Collection[str] = ()) -> Lines:
    """Return the rows of the text of a CSV file.

    Args:
        names: of the columns that are expected, if they are known.

    Raises:
        BadInput: no CSV, empty, or a line with more or fewer fields than the others.
    """
    first_line, _, rest = text.partition("\n")
    skipped, blanks = 0, None
    if first_line.strip().lower().startswith("sep=") and len(first_line.strip()) == 5:
        # what Excel writes to tell itself
        delimiter, text, skipped = first_line.strip()[4], rest, 1
    else:
        delimiter, fitting = _fitting(text)
        blanks = rows_between_blanks(text, names, fitting)
        delimiter = delimiter if blanks is None else " "
    quote = '"' if blanks is not None else quote_of(text, delimiter)
    rows = _rows(text, delimiter, origin, skipped, quote) if blanks is None else blanks
    usual = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    rows, notes = _without_comments(rows, usual, delimiter)
    rows, ending = _without_ending(rows)
    usual -= ending == "rows"
    rows, above = _without_title(rows, usual)
    rows, before = _without_preamble(rows, usual)
    above += before
    if not rows:
        raise BadInput(f"{origin} is empty", "a table with at least five rows")
    first, width = rows[0][0], len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            came = f"line {line} of {origin} has {counted(len(row), 'field')}"
            more = len(rows) > 2 and all(len(row) == width + 1 for _, row in rows[1:])
            hint = (
                "every row has one field more than the header: give the first or the last a name"
                if more
                else ""
            )
            raise BadInput(came, f"{width} as in line {first}", hint or "repair that line")
    lost = (*above, *notes)
    if delimiter != ",":
        named = "blanks" if delimiter == " " else f"a {DELIMITERS.get(delimiter, repr(delimiter))}"
        notes.append(f"fields are separated by {named}")
    if skipped:
        notes.append(f"the line {first_line.strip()!r} above it says so, and is written again")
    if ending:
        notes.append(
            f"a delimiter ends {'every row, but not the header' if ending == 'rows' else 'the header, but no row'}"
        )
    if quote != '"':
        notes.append("cells are quoted by '")
    numbers, cells = [line for line, _ in rows], [row for _, row in rows]
    return Lines(cells, numbers, delimiter, (*above, *notes), lost, quote, bool(skipped), ending)


def quote_of(text: str, delimiter: str) -> str:
    """Return the quotation mark of a file: the single one where every name stands in it, or where
    rows need it to be equally wide.

    Example:
        >>> quote_of("'a','b'\\n'x, y',2\\n", ",")
        "'"
    """
    head = [line for line in _head(text) if line.strip()]
    mark = re.escape(delimiter)
    if (
        not head
        or any('"' in line for line in head)
        or not re.search(rf"(?m)(^|{mark})\s*'[^']*'\s*({mark}|$)", "".join(head))
    ):
        return '"'
    with fields_of_any_length():
        widths = {
            quote: {
                len(row)
                for row in csv.reader(
                    head, delimiter=delimiter, quotechar=quote, skipinitialspace=True
                )
            }
            for quote in "'\""
        }
    names = [cell.strip() for cell in head[0].split(delimiter)]
    all_quoted = all(len(cell) > 1 and cell[0] == "'" == cell[-1] for cell in names)
    return "'" if len(widths["'"]) == 1 and (all_quoted or len(widths['"']) > 1) else '"'


def _without_ending(rows: list[tuple[int, list[str]]]) -> tuple[list[tuple[int, list[str]]], str]:
    """Leave out an empty field at the end of every row, or of the header, that the other has
    not."""
    if len(rows) < 2:
        return rows, ""
    width, others = len(rows[0][1]), {len(row) for _, row in rows[1:]}
    if others == {width + 1} and not any(row[-1].strip() for _, row in rows[1:]):
        return [rows[0], *((line, row[:-1]) for line, row in rows[1:])], "rows"
    if width > 2 and others == {width - 1} and not rows[0][1][-1].strip():
        return [(rows[0][0], rows[0][1][:-1]), *rows[1:]], "header"
    return rows, ""


def _rows(
    text: str, delimiter: str, origin: str, skipped: int, quote: str
) -> list[tuple[int, list[str]]]:
    rows: list[tuple[int, list[str]]] = []
    ended = 0
    try:
        with fields_of_any_length():
            source = io.StringIO(text, newline="")
            reader = csv.reader(
                source, delimiter=delimiter, skipinitialspace=True, strict=True, quotechar=quote
            )
            for row in reader:
                ended = reader.line_num
                # a line of delimiters alone is a row without values, a blank one is none
                if len(row) > 1 or (row and row[0].strip()):
                    rows.append((ended + skipped, row))
    except csv.Error as error:
        opened = opened_in(list(io.StringIO(text, newline=""))[ended:], delimiter, quote)
        if opened is None:
            came = f"{origin} is no CSV ({error})"
            raise BadInput(came, "fields separated by a comma, semicolon, tab or bar") from None
        line = ended + opened + skipped
        raise BadInput(
            f"{origin} is no CSV ({error}): a quote opens in line {line} and no field ends with it",
            "a second quote at the end of that field",
            f"close it, or write {quote * 4} for a cell that is a quote",
        ) from None
    if not rows:
        raise BadInput(f"{origin} is empty", "a table with at least five rows")
    return rows


def _without_comments(
    rows: list[tuple[int, list[str]]], usual: int, delimiter: str
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Leave out lines behind `#`; the last of them above the table names its columns if it has as
    many fields."""
    marked = [place for place, (_, row) in enumerate(rows) if row[0].lstrip().startswith("#")]
    top = next(
        (place for place, (_, row) in enumerate(rows) if not row[0].lstrip().startswith("#")), 0
    )
    header = top - 1 if top and len(rows[top - 1][1]) == usual else None
    if header is not None and (usual > 1 or top == 1) and len(rows) > top:
        line, row = rows[header]
        rows[header] = (line, [row[0].lstrip().lstrip("#").lstrip(), *row[1:]])
    gone = [
        place
        for place in marked
        if place != header and (place < top or len(rows[place][1]) != usual)
    ]
    if not gone:
        return rows, []
    kept = [row for place, row in enumerate(rows) if place not in set(gone)]
    shown = rows[gone[0]][1][0].strip()[:_SHOWN]
    return kept, [f"{len(gone)} lines behind '#' are comments and left out ('{shown}')"]


def _without_title(
    rows: list[tuple[int, list[str]]], usual: int
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Leave out lines above the table that have one field, or one with anything in it, where the
    table has several."""
    top = 0
    while top < min(_TITLES, len(rows)) and usual > 1 and _is_title(rows[top][1], usual):
        top += 1
    below = sum(len(row) == usual for _, row in rows[top:])
    if not top or below < max(_FEWEST_BELOW, len(rows) - top):
        return rows, []
    numbers = ", ".join(str(line) for line, _ in rows[:top])
    title = next(cell for cell in rows[0][1] if cell.strip()).strip()[:_SHOWN]
    return rows[top:], [
        f"line{'s' if top > 1 else ''} {numbers} above the table {'are' if top > 1 else 'is'} left out ('{title}')"
    ]


def _without_preamble(
    rows: list[tuple[int, list[str]]], usual: int
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Leave out lines of several fields above the names: of another width than all that follow, or
    the first of a logger's file."""
    top = next((place for place, (_, row) in enumerate(rows) if len(row) == usual), 0)
    if not top and rows and rows[0][1][0].strip() in _LOGGERS:
        top = 1
    below = [row for _, row in rows[top:]]
    if (
        not 0 < top <= _TITLES
        or len(below) <= _FEWEST_BELOW
        or any(len(row) != usual for row in below)
    ):
        return rows, []
    # lines of words may follow the names: units, ways of averaging
    if not any(names_over_values([below[0], *below[1 + more :]]) for more in range(_FEWEST_BELOW)):
        return rows, []
    lines = f"line {rows[0][0]}" if top == 1 else f"lines {rows[0][0]} to {rows[top - 1][0]}"
    shown = ", ".join(rows[0][1])[:_SHOWN]
    return rows[top:], [
        f"{lines} above the table {'is' if top == 1 else 'are'} left out ('{shown}')"
    ]


def _is_title(row: list[str], usual: int) -> bool:
    filled = [cell for cell in row if cell.strip()]
    if len(filled) != 1 or not any(c.isalpha() for c in filled[0]):
        return False
    # a row of a table may lack all values but one: only more than two columns tell
    return len(row) == 1 or (len(row) == usual > 2 and bool(row[0].strip()))
