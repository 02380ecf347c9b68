"""The text of a table, cut into cells and put together again with some of them filled.

One idea: what is not filled is never written anew, so that it comes back byte for byte, with its
quotes, blanks, comments and line ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushforward.data.tables.written import Dialect

Span = tuple[int, int]
BLANKS = " "
_PIECE = re.compile(r'"(?:[^"\\]|""|\\.)*"(?!\S)|[^\s]+')
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class RawCells:
    """Where the cells of a text stand.

    Attributes:
        text: all of it.
        records: for each line that ends a record, counted from 1, the spans of its cells.

    Example:
        >>> raw = raw_cells("a,b\\r\\n1,\\r\\n,'2'\\r\\n", Dialect())
        >>> raw.filled({(2, 1): "x"}, Dialect())
        "a,b\\r\\n1,x\\r\\n,'2'\\r\\n"
    """

    text: str
    records: Mapping[int, Sequence[Span]]

    def cell(self, line: int, place: int) -> str:
        """Return a cell as it stands there."""
        start, end = self.records[line][place]
        return self.text[start:end]

    def fits(self, lines: Sequence[int], width: int) -> bool:
        """Return whether each of some lines has so many cells, beside an empty one at its end."""
        for line in lines:
            spans = self.records.get(line, ())
            over = len(spans) - width
            if over not in (0, 1) or (over and self.cell(line, width).strip()):
                return False
        return True

    def filled(
        self,
        cells: Mapping[tuple[int, int], str],
        dialect: Dialect,
        more: Mapping[int, Sequence[str]] | None = None,
        width: int = 0,
    ) -> str:
        """Return the text with some cells filled, and others put behind the last one of some lines.

        Args:
            cells: words by the line and the place of a cell.
            more: words that follow a line's `width` cells.
        """
        edits: list[tuple[int, int, str]] = []
        for (line, place), word in cells.items():
            start, end = self.records[line][place]
            blank = " " * (dialect.spaced and place > 0)
            edits.append((start, end, blank + quoted(word, dialect)))
        for line, words in (more or {}).items():
            end = self.records[line][width - 1][1]
            blank = " " if dialect.spaced and dialect.delimiter != BLANKS else ""
            added = "".join(dialect.delimiter + blank + quoted(word, dialect) for word in words)
            edits.append((end, end, added))
        parts, at = [], 0
        for start, end, word in sorted(edits):
            parts += [self.text[at:start], word]
            at = end
        return "".join([*parts, self.text[at:]])


def quoted(word: str, dialect: Dialect) -> str:
    """Return a cell's words, in quotes where they need them.

    Example:
        >>> quoted('a, "b"', Dialect()), quoted("a b", Dialect(delimiter=" ")), quoted("a", Dialect())
        ('"a, ""b\"""', '"a b"', 'a')
    """
    needs = any(mark in word for mark in (dialect.delimiter, dialect.quote, "\n", "\r"))
    empty = dialect.delimiter == BLANKS and not word
    if empty:
        return "NA"  # nothing between blanks is no cell
    if not needs and word == word.strip():
        return word
    return dialect.quote + word.replace(dialect.quote, 2 * dialect.quote) + dialect.quote


def raw_cells(text: str, dialect: Dialect) -> RawCells:
    """Return where the cells of a text stand, cut as `csv` cuts them.

    Args:
        text: without its byte order mark.
    """
    if dialect.delimiter == BLANKS:
        return RawCells(text, _between_blanks(text))
    mark, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    # a cell in quotes may hold anything; one without ends at a delimiter or at the end of its line
    cell = re.compile(
        rf" *{quote}(?:[^{quote}]|{quote}{quote})*{quote}[^{mark}\r\n]*|[^{mark}\r\n]*"
    )
    records: dict[int, list[Span]] = {}
    at, line, spans = 0, 1, []
    while at <= len(text):
        found = cell.match(text, at)
        assert found is not None
        spans.append(found.span())
        line += len(_LINE_END.findall(found[0]))
        at = found.end()
        if text.startswith(dialect.delimiter, at):
            at += len(dialect.delimiter)
            continue
        records[line] = spans
        end = _LINE_END.match(text, at)
        if end is None:
            break
        at, line, spans = end.end(), line + 1, []
    return RawCells(text, records)


def _between_blanks(text: str) -> dict[int, list[Span]]:
    records: dict[int, list[Span]] = {}
    at = 0
    for line, body in enumerate(_LINE_END.split(text), start=1):
        records[line] = [(at + m.start(), at + m.end()) for m in _PIECE.finditer(body)]
        end = _LINE_END.match(text, at + len(body))
        at += len(body) + (0 if end is None else len(end[0]))
    return records
