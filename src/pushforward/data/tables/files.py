"""Tables in files: CSV of any common delimiter, with or without a header, and Parquet.

One idea: cells are read as text and typed column by column, so that every decision has a reason and every bad cell has a line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.tables.given import MISSING

DELIMITERS = {";": "semicolon", "\t": "tab", "|": "bar", ",": "comma"}
SUFFIXES = (".csv", ".tsv", ".data", ".parquet")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_PADDED = re.compile(r"[+-]?0\d+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?")
_TRUE, _FALSE = ("True", "true", "TRUE"), ("False", "false", "FALSE")


@dataclass(frozen=True)
class Sheet:
    """A table as it was found: the frame, what it is called, the reasons, and each row's line in its file."""

    frame: pd.DataFrame
    name: str
    origin: str
    notes: tuple[str, ...] = ()
    lines: tuple[int, ...] | None = None


def is_table_file(path: Path) -> bool:
    """Return whether a file's name ends like that of a table."""
    return path.suffix.lower() in SUFFIXES


def read_file(path: Path, words: Collection[str] = (), names: Collection[str] = ()) -> Sheet:
    """Return the table in a file; cells that are empty or read `?`, `NA`, `N/A`, `nan` or `null` are missing.

    Args:
        words: columns to leave as text.
        names: names that a header is expected to hold, so that a file of words alone is understood.

    Raises:
        BadInput: not UTF-8, empty, ragged, numbers mixed with a few words, or a damaged Parquet file.
    """
    if path.suffix.lower() == ".parquet":
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0]
            raise BadInput(f"{path} cannot be read ({said})", "a complete Parquet file") from None
        return Sheet(frame, path.stem, str(path), (f"a Parquet file of {len(frame.columns)} columns",))
    return read_text(decode(path.read_bytes(), str(path)), path.stem, str(path), words, names)


def decode(raw: bytes, where: str) -> str:
    """Return UTF-8 bytes as text, without a byte-order mark.

    Raises:
        BadInput: not UTF-8, with the offset of the first wrong byte.
    """
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadInput(f"{where} is not UTF-8 at byte {error.start}", "a UTF-8 text file") from None


def delimiter_of(text: str) -> str:
    """Return the delimiter under which the first lines have one number of fields, above one; a comma if none does.

    Example:
        >>> delimiter_of("a;b\\n1,5;2\\n"), delimiter_of("a\\n1\\n")
        (';', ',')
    """
    head = text[:65536].splitlines(keepends=True)[:50]
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        try:
            rows = csv.reader(head, delimiter=delimiter, skipinitialspace=True)
            widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
        except csv.Error:
            continue
        usual = max(widths, key=lambda width: (widths[width], width), default=0)
        agree = widths[usual] / widths.total() if usual > 1 else 0.0
        # a rarer character that fits as well is no accident: commas also separate decimals and clauses
        if (agree, 0) > best and agree > 0.5:
            best, chosen = (agree, 0), delimiter
    return chosen


def read_text(text: str, name: str, origin: str, words: Collection[str] = (), names: Collection[str] = ()) -> Sheet:
    """Return the table in the text of a CSV file; see `read_file`."""
    delimiter = delimiter_of(text)
    rows = _rows(text, delimiter, origin)
    header = _has_header([row for _, row in rows], names)
    labels = [cell.strip() for cell in rows[0][1]] if header else [f"x{i}" for i in range(len(rows[0][1]))]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise BadInput(f"two columns named '{twice}' in {origin}", "different names", "rename one of them")
    body = rows[1:] if header else rows
    if not body:
        raise BadInput(f"{origin} has a header and no rows", "at least five rows")
    notes = ["the first line names the columns" if header else "the first line holds data, so columns are x0, x1, ..."]
    if delimiter != ",":
        notes.append(f"fields are separated by a {DELIMITERS[delimiter]}")
    lines = [line for line, _ in body]
    columns: dict[str, pd.Series] = {}
    for place, label in enumerate(labels):
        cells = [row[place] for _, row in body]
        columns[label], said = _typed(cells, label in words, f"field {place + 1} of {origin}", lines)
        notes += [f"column '{label}': {sentence}" for sentence in said]
    return Sheet(pd.DataFrame(columns), name, origin, tuple(notes), tuple(lines))


def _rows(text: str, delimiter: str, origin: str) -> list[tuple[int, list[str]]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
        # a line of delimiters alone is a row without values, a blank one is none
        rows = [(reader.line_num, row) for row in reader if len(row) > 1 or (row and row[0].strip())]
    except csv.Error as error:
        raise BadInput(f"{origin} is no CSV ({error})", "fields separated by a comma, semicolon, tab or bar") from None
    if not rows:
        raise BadInput(f"{origin} is empty", "a table with at least five rows")
    first, width = rows[0][0], len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            came = f"line {line} of {origin} has {len(row)} fields"
            raise BadInput(came, f"{width} as in line {first}", "repair that line")
    return rows


def _has_header(rows: list[list[str]], names: Collection[str]) -> bool:
    first = [cell.strip() for cell in rows[0]]
    if names and set(names) >= set(first):
        return True
    if any(_NUMBER.fullmatch(cell) or cell in MISSING[1:] for cell in first):
        return False
    body = rows[1 : 1 + 1000]
    columns = [[row[place].strip() for row in body] for place in range(len(first))]
    if any(cells and all(_NUMBER.fullmatch(c) or c in MISSING for c in cells) for cells in columns):
        return True
    # all words: a first line that recurs below it is data
    return not any(cell in cells for cell, cells in zip(first, columns, strict=True))


def _typed(cells: list[str], as_words: bool, where: str, lines: list[int]) -> tuple[pd.Series, list[str]]:
    """Return the cells of a column as numbers, booleans, dates or text, None where missing, and what was decided."""
    counts = Counter(cells)
    empty = {cell for cell in counts if cell.strip() in MISSING}
    absent = sum(counts[cell] for cell in empty)
    shown = sorted({cell.strip() for cell in empty} - {""})
    said = [f"{', '.join(map(repr, shown))} counts as missing"] if shown else []
    known = [cell for cell in counts if cell not in empty]
    if not known:
        return pd.Series([None] * len(cells), dtype="float64"), said
    numbers = {cell for cell in known if _NUMBER.fullmatch(cell.strip())}
    if not as_words and any(_PADDED.fullmatch(cell.strip()) for cell in numbers):
        said.append("some numbers begin with zeros, so they are kept as text")
        as_words = True
    if not as_words and numbers and len(numbers) < len(known):
        words = sum(counts[cell] for cell in known if cell not in numbers)
        if words < 2 or words < 0.1 * (len(cells) - absent):
            row = next(i for i, cell in enumerate(cells) if cell not in numbers and cell not in empty)
            came = f"'{cells[row]}' in line {lines[row]}, {where}"
            raise BadInput(came, "a number, as in the other lines", "repair it, or declare the column categorical")
        said.append(f"numbers and words ({words} of {len(cells) - absent} values), so they are kept as text")
        as_words = True
    convert: dict[str, Any] = {cell: cell for cell in known}
    dtype: Any = None
    if not as_words and numbers:
        if all(_INTEGER.fullmatch(cell.strip()) for cell in known):
            convert, dtype = {cell: int(cell) for cell in known}, "Int64" if absent else "int64"
        elif any(re.fullmatch(r"[+-]?\d{19,}", cell.strip()) for cell in known):
            said.append("integers of more than 18 digits, so they are kept as text")
        else:
            convert, dtype = {cell: float(cell) for cell in known}, "float64"
    elif not as_words and all(cell.strip() in (*_TRUE, *_FALSE) for cell in known):
        convert, dtype = {cell: cell.strip() in _TRUE for cell in known}, "boolean" if absent else "bool"
    elif not as_words and all(_DATE.fullmatch(cell.strip()) for cell in known):
        moments = _moments(cells, empty)
        if moments is not None:
            return moments, said
    return pd.Series([convert.get(cell) for cell in cells], dtype=dtype), said


def _moments(cells: list[str], empty: set[str]) -> pd.Series | None:
    # behind the ten characters of the date, a sign begins a zone
    zoned = {bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", cell.strip()[10:])) for cell in cells if cell not in empty}
    known = [None if cell in empty else cell.strip() for cell in cells]
    try:
        moments = pd.Series(pd.to_datetime(known, format="ISO8601", utc=True in zoned))
    except ValueError:
        return None
    # local and zoned times in one column mean different moments: they stay text
    return moments if len(zoned) == 1 else None
