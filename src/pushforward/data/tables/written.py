"""A frame as the text of a CSV file, its cells written as the columns' notations say.

One idea: what cells looked like is kept beside what they meant, so that rows made for a file cannot
be told by their spelling.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from pushforward.data.tables.lines import fields_of_any_length
from pushforward.data.tables.stored import OBJECTS, Stored


@dataclass(frozen=True)
class Dialect:
    """How a file was laid out.

    Attributes:
        delimiter: what separates its fields.
        header: whether its first line names the columns.
        charset: the name of its encoding.
        mark: whether it began with a byte order mark.
        line_end: what ends most of its lines.
        names: the header's names as they are written, by label, where these differ: with spaces, or
            empty.
        spaced: whether a space follows the delimiters of its rows.
        quoted, quoted_names, quote: the columns whose cells are quoted, whether the names are, and
            by what.
        named: whether a first line such as `sep=;` names the delimiter.
        ending: `rows` or `header` if only these end with a delimiter.
        arrow: of a Parquet or Feather file its types (see `arrow.py`), and nothing else.
    """

    delimiter: str = ","
    header: bool = True
    charset: str = "utf-8"
    mark: bool = False
    line_end: str = "\n"
    names: dict[str, str] = field(default_factory=dict)
    spaced: bool = False
    quoted: list[str] = field(default_factory=list)
    quoted_names: bool = False
    quote: str = '"'
    named: bool = False
    ending: str = ""
    arrow: str = ""

    def encoded(self, text: str) -> bytes:
        """Return text as the bytes of such a file; in UTF-8 if the file's own encoding lacks a
        letter of it.

        Example:
            >>> Dialect(charset="cp1252").encoded("é")
            b'\\xe9'
        """
        try:
            return ("\ufeff" * self.mark + text).encode(self.charset)
        except UnicodeEncodeError:
            return text.encode()


def cells_of(series: pd.Series, stored: Stored) -> list[str]:
    """Return the cells of a column.

    Example:
        >>> cells_of(pd.Series([1.5, None]), Stored("x", "float64", absent="?"))
        ['1.5', '?']
    """
    gone = series.isna().to_numpy()
    spelled = stored.notation is not None and stored.notation.kind == "boolean"
    notation = None if stored.text or (stored.levels and not spelled) else stored.notation
    if notation is None:
        # pandas knows how each of its own types is written
        words = series.astype(object) if str(series.dtype) in OBJECTS else series
        plain = pd.DataFrame({"x": words}).to_csv(
            index=False, header=False, na_rep="", lineterminator="\n"
        )
        with fields_of_any_length():
            written = [row[0] if row else "" for row in csv.reader(io.StringIO(plain, newline=""))]
        return [
            stored.absent if missing else cell for cell, missing in zip(written, gone, strict=True)
        ]
    return [
        stored.absent if missing else notation.write(value)
        for value, missing in zip(series.tolist(), gone, strict=True)
    ]


class _Bare:
    """A cell that Python's writer takes for a number, which it does not quote."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __float__(self) -> float:
        return 0.0

    def __str__(self) -> str:
        return self.text


Cell = str | _Bare


def _bare(cell: str | _Bare, dialect: Dialect) -> str | _Bare:
    """Return a cell that is written without quotes unless it needs them."""
    text = str(cell)
    needs = any(mark in text for mark in (dialect.delimiter, dialect.quote, "\n", "\r"))
    return text if needs else _Bare(text)


def to_csv(frame: pd.DataFrame, stored: Sequence[Stored], dialect: Dialect) -> str:
    """Return a frame as text, with a header in any case: without one nobody could tell the
    columns."""
    kept = {one.label: one for one in stored}
    columns: list[list[Cell]] = [
        list(cells_of(frame.iloc[:, place], kept[str(name)]))
        for place, name in enumerate(frame.columns)
    ]
    if dialect.delimiter == " ":
        # nothing between blanks is no field
        columns = [[cell or "NA" for cell in column] for column in columns]
    text = io.StringIO()
    if dialect.named:
        text.write(f"sep={dialect.delimiter}{dialect.line_end}")
    columns = [
        cells if str(name) in dialect.quoted else [_bare(cell, dialect) for cell in cells]
        for name, cells in zip(frame.columns, columns, strict=True)
    ]
    if dialect.spaced:
        columns = [
            *columns[:1],
            *([_bare(f" {cell}", dialect) for cell in column] for column in columns[1:]),
        ]
    if dialect.ending == "rows":
        columns.append([_Bare("")] * len(frame))
    # between blanks a name has none of its own
    spelled = {} if dialect.delimiter == " " else dialect.names
    names: list[Cell] = [spelled.get(str(name), str(name)) for name in frame.columns]
    names = names if dialect.quoted_names else [_bare(str(name), dialect) for name in names]
    ends = dialect.delimiter, dialect.line_end
    quoting = csv.QUOTE_NONNUMERIC
    writer = csv.writer(
        text, delimiter=ends[0], lineterminator=ends[1], quoting=quoting, quotechar=dialect.quote
    )
    writer.writerow([*names, _Bare("")] if dialect.ending == "header" else names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()
