"""Tables in files: CSV of any common delimiter, packed or not, with or without a header, and the formats of `formats.py`.

One idea: cells are read as text and typed column by column, so that every decision has a reason and every bad cell has a line.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.limits import require_below
from pushforward.data.plain import ending_of, is_plain
from pushforward.data.tables.arrow import schema_of
from pushforward.data.tables.asked import READINGS, Asked
from pushforward.data.tables.cells import typed
from pushforward.data.tables.formats import FRAMES, JSON_LINES, is_folder_of_parts, read_frame
from pushforward.data.tables.frames_of_text import unframed
from pushforward.data.tables.headings import headings_of
from pushforward.data.tables.layout import LOOKED_AT, layout_of
from pushforward.data.tables.lines import delimiter_of, read_lines
from pushforward.data.tables.not_tables import require_table_text
from pushforward.data.tables.notations.missing import MISSING
from pushforward.data.tables.notations.notation import Notation, Written
from pushforward.data.tables.stored import Stored
from pushforward.data.tables.typed_values import Typed
from pushforward.data.tables.unpacking import PACKED, Decoded, decode, unpack, unpacked_name
from pushforward.data.tables.written import Dialect

__all__ = ["Reading", "Sheet", "decode", "delimiter_of", "is_table_file", "read_file", "read_text"]

TEXTS = (".csv", ".tsv", ".tab", ".data")
SUFFIXES = (*TEXTS, *FRAMES)
WORDS = ("categorical", "ordinal", "boolean", "drop")
# past this a schema of one sentence a column is no description any more, and no family here learns so many
MOST_COLUMNS = 20_000


@dataclass(frozen=True)
class Reading:
    """What is known about a table before it is read.

    Attributes:
        declared: kinds and readings by column name, as the user declared them.
        words: columns to leave as text.
        names: names that a header is expected to hold, so that a file of words alone is understood.
        notations: those of a run, by column name.
        readings, marks: how a run's columns are read as its user declared, and which words count as missing in them, by name.
        values: which words for a missing value are values in a run's columns, by name.
        header: the user's answer to whether the first line is one; None = find out.
    """

    declared: Mapping[str, Any] = field(default_factory=dict)
    words: Collection[str] = ()
    names: Collection[str] = ()
    notations: Mapping[str, Notation] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Collection[str]] = field(default_factory=dict)
    values: Mapping[str, Collection[str]] = field(default_factory=dict)
    header: bool | None = None

    def asked(self, label: str, where: str) -> Asked:
        """Return what is known about one column."""
        kind = self.declared.get(label)
        words = label in self.words or (kind is not None and (not isinstance(kind, str) or kind in WORDS))
        marks, values = self.marks.get(label, ()), self._values(label, kind)
        return Asked(where, label, words, self.reading_of(label), self.notations.get(label), marks=marks, values=values)

    def _values(self, label: str, kind: Any) -> Collection[str]:
        """Return the words that are values in a column: the levels that its user lists, or any word where words are asked for."""
        if kind in ("categorical", "ordinal"):
            return [word for word in MISSING if any(c.isalpha() for c in word)]
        return self.values.get(label, ()) if kind is None or isinstance(kind, str) else [str(level) for level in kind]

    def reading_of(self, label: str) -> str:
        """Return how a column is read, as its user declared now or when a run was trained; empty if nobody said so."""
        kind = self.declared.get(label)
        return kind if isinstance(kind, str) and kind in READINGS else self.readings.get(label, "")

    def like(self, kept: Collection[Stored]) -> Reading:
        """Return this reading with what a run knows of how its columns are read."""
        readings = {one.label: one.reading for one in kept if one.reading}
        values = {one.label: [level for level in one.levels if level in MISSING] for one in kept if one.levels}
        return replace(
            self, readings=readings, marks={one.label: one.marks for one in kept if one.marks}, values=values
        )


_PLAIN = Reading()


@dataclass(frozen=True)
class Sheet:
    """A table as it was found: the frame, what it is called, the reasons, and each row's line in its file.

    Attributes:
        written: how the columns of a file of text are written, by name; None for other sources.
        lost: what of the cells does not come back.
        dialect: how the file is laid out, if it is one of text.
        dropped: columns that the user leaves out.
        points: True if it is opened as points.
    """

    frame: pd.DataFrame
    name: str
    origin: str
    notes: tuple[str, ...] = ()
    lines: tuple[int, ...] | None = None
    written: Mapping[str, Written] | None = None
    lost: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    dropped: tuple[str, ...] = ()
    points: bool = False

    @property
    def header(self) -> bool:
        """Whether a line of the file names the columns."""
        return self.dialect.header


def is_table_file(path: Path) -> bool:
    """Return whether a file's name ends like that of a table, packed or not, or a folder holds parts of one.

    Example:
        >>> is_table_file(Path("a.csv.gz")), is_table_file(Path("a.gz"))
        (True, False)
    """
    if path.suffix.lower() in PACKED and not unpacked_name(path).suffix:
        return path.suffix.lower() == ".zip" and path.is_file() and _holds_table(path)
    return unpacked_name(path).suffix.lower() in SUFFIXES or is_folder_of_parts(path)


def may_be_table(source: Any) -> bool:
    """Return whether a source is a table's file, or one of plain text, which may hold rows if a table or points are asked for.

    Example:
        >>> may_be_table("a.jsonl"), may_be_table("a.txt"), may_be_table("a.png")
        (True, True, False)
    """
    if not isinstance(source, str | Path) or "\n" in str(source):
        return False
    path = Path(source)
    return ending_of(path) in (".txt", *JSON_LINES) or is_table_file(path) or is_plain(path)


def _holds_table(path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).suffix.lower() in TEXTS for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_file(path: Path, reading: Reading = _PLAIN) -> Sheet:
    """Return the table in a file, or in a folder of parts.

    Raises:
        BadInput: damaged, empty, ragged, no text, numbers mixed with a few words.
    """
    name = unpacked_name(path).stem
    if path.is_dir() or path.suffix.lower() in (*FRAMES, *JSON_LINES):
        frame, notes = read_frame(path)
        _require_columns(len(frame.columns), str(path))
        return Sheet(frame, name, str(path), notes, dialect=Dialect(arrow=schema_of(path)))
    raw, suffix = unpack(path)
    if suffix in FRAMES:
        frame, notes = read_frame(path, raw, suffix)
        _require_columns(len(frame.columns), str(path))
        return Sheet(frame, name, str(path), notes, dialect=Dialect(arrow=schema_of(path, raw, suffix)))
    return read_text(decode(raw, str(path)), name, str(path), reading)


def read_text(text: str | Decoded, name: str, origin: str, reading: Reading = _PLAIN) -> Sheet:
    """Return the table in the text of a CSV file; see `read_file`."""
    decoded = Decoded(text) if isinstance(text, str) else text
    require_table_text(decoded.text, origin)
    plain = unframed(decoded.text)
    found = read_lines(plain.text, origin, reading.names)
    width = len(found.rows[0])
    _require_columns(width, origin)
    headings = headings_of(found.rows, found.numbers, reading.names, reading.header)
    header = headings.header
    first = found.rows[0] if header.found else []
    labels, renamed = _labels(first, width, origin, found.rows[1:3])
    unknown = next((name for name in reading.declared if name not in labels), None)
    if unknown is not None:
        raise BadInput(f"a declaration of column '{unknown}'", "a column of the table", closest(str(unknown), labels))
    rows = headings.kept[1 if header.found else 0 :]
    body, lines = [found.rows[place] for place in rows], [found.numbers[place] for place in rows]
    if not body:
        raise BadInput(f"{origin} has a header and no rows", "at least five rows")
    columns = _columns(list(zip(*body, strict=True)), labels, lines, reading, origin, found.delimiter)
    by_name = dict(zip(labels, columns, strict=True))
    below = "".join(list(io.StringIO(plain.text, newline=""))[found.numbers[0] - 1 :][: 2 * LOOKED_AT])
    layout = layout_of(below, found.delimiter, found.quote, first or None, labels)
    said = [f"column '{label}': {one}" for label, column in by_name.items() for one in column.said]
    return Sheet(
        pd.DataFrame({label: column.series for label, column in by_name.items()}),
        name,
        origin,
        (*decoded.notes, header.note, *renamed, *plain.notes, *found.notes, *headings.notes, *said),
        tuple(lines),
        {
            label: Written(column.notation, column.absent, column.marks, reading.reading_of(label) or column.reading)
            for label, column in by_name.items()
        },
        (
            *plain.lost,
            *found.lost,
            *headings.notes,
            *layout.lost,
            *(f"column '{label}': {one}" for label, column in by_name.items() for one in column.lost),
        ),
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


def _require_columns(width: int, origin: str) -> None:
    fix = "choose the ones to model, or save numbers alone as .npy"
    require_below(width, MOST_COLUMNS, f"{origin} has {width:,} columns", "columns", fix)


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
            name for name in (f"column {place + 1}", f"unnamed column {place + 1}") if name not in taken
        )
    if len(set(labels)) < len(labels):
        seen: set[str] = set()
        twice = next(label for label in labels if label in seen or seen.add(label))
        two = len(below) > 1 and _is_second_header(*below)
        fix = "line 2 looks like a second row of names: join the two rows into one, such as temp_min" if two else ""
        raise BadInput(f"two columns named '{twice}' in {origin}", "different names", fix or "rename one of them")
    shown = ", ".join(f"'{labels[place]}'" for place in nameless[:5]) + (", ..." if len(nameless) > 5 else "")
    return labels, [f"columns without a name are called {shown}"] if nameless else []


def _is_second_header(row: Sequence[str], next_row: Sequence[str]) -> bool:
    """Return whether a row holds words, or nothing, where the next one holds numbers."""

    def numbers(cells: Sequence[str]) -> int:
        return sum(any(c.isdigit() for c in cell) for cell in cells)

    return numbers(row) == 0 < numbers(next_row)


def _columns(
    cells: Sequence[Sequence[str]],
    labels: Sequence[str],
    lines: Sequence[int],
    reading: Reading,
    origin: str,
    delimiter: str,
) -> list[Typed]:
    """Type every column; what the others tell of decimals and days decides where one alone cannot."""
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
    orders = {column.order for column in found if column.order}
    # a semicolon between fields leaves the comma to decimals
    likely = "," if delimiter == ";" and not decimals else ""
    decimal = decimals.pop() if len(decimals) == 1 else ""
    order = orders.pop() if len(orders) == 1 else ""
    for place in unsure:
        one = asked[place]
        found[place] = typed(cells[place], lines, replace(one, decimal=decimal, likely=likely, order=order))
    return found
