"""Tables in files of text: any common delimiter, with or without a header, packed or not.

One idea: cells are read as text and typed column by column, so that every decision has a reason and
every bad cell has a line.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.formats.choosing import named_format
from pushforward.data.formats.file_formats import CSV, DATA, TSV
from pushforward.data.formats.format import ReadOptions
from pushforward.data.formats.packing import PACKED, members_of, unpack, unpacked_name
from pushforward.data.tables.cells import typed
from pushforward.data.tables.charsets import Decoded, decode
from pushforward.data.tables.column_hints import Asked
from pushforward.data.tables.dated import refuse_undecided
from pushforward.data.tables.frames_of_text import unframed
from pushforward.data.tables.headings import headings_of
from pushforward.data.tables.layout import LOOKED_AT, layout_of
from pushforward.data.tables.lines import delimiter_of, read_lines
from pushforward.data.tables.not_tables import require_table_text
from pushforward.data.tables.notations.notation import Written
from pushforward.data.tables.sheet import Reading, Sheet, require_columns, require_labels
from pushforward.data.tables.typed_values import Typed
from pushforward.data.tables.written import Dialect

__all__ = ["decode", "delimiter_of", "is_archive_of_rows", "read_delimited", "read_text"]

_PLAIN = Reading()


def is_archive_of_rows(path: Path) -> bool:
    """Return whether a path is a .zip whose own name does not say that a table of text is in it."""
    if path.suffix.lower() != ".zip" or unpacked_name(path).suffix or not path.is_file():
        return False
    endings = (*CSV.suffixes, *TSV.suffixes, *DATA.suffixes)
    return any(Path(name).suffix.lower() in endings for name in members_of(path))


def read_delimited(path: Path, how: ReadOptions) -> Sheet:
    """Return the table in a file of text.

    Raises:
        BadInput: damaged, empty, ragged, no text, numbers mixed with a few words.
    """
    raw, suffix = unpack(path)
    inner = named_format(Path(f"x{suffix}")) if path.suffix.lower() in PACKED else None
    if inner is not None and inner.holds[0] == "table" and inner not in (CSV, TSV, DATA):
        return inner.read(path, how)  # an archive called otherwise than what is in it
    return read_text(
        decode(raw, str(path)), unpacked_name(path).stem, str(path), how.table or _PLAIN
    )


def read_text(text: str | Decoded, name: str, origin: str, reading: Reading = _PLAIN) -> Sheet:
    """Return the table in the text of a CSV file; see `read_delimited`."""
    decoded = Decoded(text) if isinstance(text, str) else text
    require_table_text(decoded.text, origin)
    plain = unframed(decoded.text)
    found = read_lines(plain.text, origin, reading.names)
    width = len(found.rows[0])
    require_columns(width, origin)
    names = {*reading.names, *reading.declared}
    headings = headings_of(found.rows, found.numbers, names, reading.header)
    header = headings.header
    first = found.rows[0] if header.found else []
    labels, renamed = _labels(first, width, origin, found.rows[1:3])
    require_labels(list(reading.declared), labels)
    rows = headings.kept[1 if header.found else 0 :]
    body, lines = [found.rows[place] for place in rows], [found.numbers[place] for place in rows]
    if not body:
        raise BadInput(f"{origin} has a header and no rows", "at least five rows")
    columns = _columns(
        list(zip(*body, strict=True)), labels, lines, reading, origin, found.delimiter
    )
    by_name = dict(zip(labels, columns, strict=True))
    below = "".join(
        list(io.StringIO(plain.text, newline=""))[found.numbers[0] - 1 :][: 2 * LOOKED_AT]
    )
    layout = layout_of(below, found.delimiter, found.quote, first or None, labels)
    said = [f"column '{label}': {one}" for label, column in by_name.items() for one in column.said]
    lost = [f"column '{label}': {one}" for label, column in by_name.items() for one in column.lost]
    return Sheet(
        pd.DataFrame({label: column.series for label, column in by_name.items()}),
        name,
        origin,
        (*decoded.notes, header.note, *renamed, *plain.notes, *found.notes, *headings.notes, *said),
        tuple(lines),
        {label: _written_form(column, reading, label) for label, column in by_name.items()},
        (*plain.lost, *found.lost, *headings.notes, *layout.lost, *lost),
        Dialect(
            found.delimiter,
            header.found,
            decoded.charset,
            decoded.mark,
            decoded.line_end,
            layout.names,
            layout.spaced,
            layout.quoted,
            layout.quoted_names,
            found.quote,
            found.named,
            found.ending,
        ),
    )


def _written_form(column: Typed, reading: Reading, label: str) -> Written:
    """Return how the cells of a column are written."""
    decided = reading.reading_of(label) or column.reading
    return column.written(decided)


def _labels(
    first: Sequence[str], width: int, origin: str, below: Sequence[Sequence[str]]
) -> tuple[list[str], list[str]]:
    if not first:
        return [f"x{i}" for i in range(width)], []
    labels = [cell.strip() for cell in first]
    nameless = [place for place, label in enumerate(labels) if not label]
    taken = set(labels)
    for place in nameless:
        labels[place] = next(
            name
            for name in (f"column {place + 1}", f"unnamed column {place + 1}")
            if name not in taken
        )
    if len(set(labels)) < len(labels):
        seen: set[str] = set()
        twice = next(label for label in labels if label in seen or seen.add(label))
        two = len(below) > 1 and _is_second_header(*below)
        fix = (
            "line 2 looks like a second row of names: join the two rows into one, such as temp_min"
            if two
            else ""
        )
        raise BadInput(
            f"two columns named '{twice}' in {origin}",
            "different names",
            fix or "rename one of them",
        )
    shown = ", ".join(f"'{labels[place]}'" for place in nameless[:5]) + (
        ", ..." if len(nameless) > 5 else ""
    )
    return labels, [f"columns without a name are called {shown}"] if nameless else []


def _is_second_header(row: Sequence[str], next_row: Sequence[str]) -> bool:
    """Return whether a row holds words, or nothing, where the next one holds numbers."""

    def numbers(cells: Sequence[str]) -> int:
        return sum(any(c.isdigit() for c in cell) for cell in cells)

    return numbers(row) == 0 < numbers(next_row)


def _order_told(
    found: Sequence[Typed], decimal: str, delimiter: str, asked: Sequence[Asked]
) -> tuple[str, str]:
    """Return what the rest of a file says of the order of days and months, and why; empty where it
    says nothing, or both."""
    orders = {column.order for column in found if column.order}
    if orders:
        return (orders.pop(), "") if len(orders) == 1 else ("", "")
    for column, one in zip(found, asked, strict=True):
        if any(sign in column.around for sign in "€£"):
            return "dmy", f"'{one.label}' is in a currency of countries where"
    if decimal == ",":
        return "dmy", "a comma stands before decimals in another column, so"
    return ("dmy", "semicolons separate the fields, so") if delimiter == ";" else ("", "")


def _columns(
    cells: Sequence[Sequence[str]],
    labels: Sequence[str],
    lines: Sequence[int],
    reading: Reading,
    origin: str,
    delimiter: str,
) -> list[Typed]:
    """Type every column; what the others tell of decimals and days decides where one alone
    cannot."""
    by_comma = delimiter == "," and len(labels) > 1
    asked = [
        replace(reading.asked(label, f"field {place + 1} of {origin}"), by_comma=by_comma)
        for place, label in enumerate(labels)
    ]
    found = [typed(column, lines, one) for column, one in zip(cells, asked, strict=True)]
    unsure = [place for place, column in enumerate(found) if column.asks]
    if not unsure:
        return found
    decimals = {column.decimal for column in found if column.decimal}
    # a semicolon between fields leaves the comma to decimals
    likely = "," if delimiter == ";" and not decimals else ""
    decimal = decimals.pop() if len(decimals) == 1 else ""
    order, why = _order_told(found, decimal, delimiter, asked)
    for place in unsure:
        one = replace(asked[place], decimal=decimal, likely=likely, order=order, why=why)
        found[place] = typed(cells[place], lines, one)
        two, of_cells = found[place], cells[place]
        refuse_undecided(
            two.undecided,
            one.label,
            two.distinct,
            lambda cell, of_cells=of_cells: f"line {lines[of_cells.index(cell)]}",
        )
    return found
