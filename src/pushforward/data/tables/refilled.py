"""A table that somebody brought, given back with gaps filled and columns added.

Two ideas: what was known stays as it was: in a file of text byte for byte, in a typed file by value
and type; what is added is written as the run writes it, so that the file can be read as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from pushforward.data.formats.choosing import output_format
from pushforward.data.formats.format import Samples
from pushforward.data.formats.packing import pack, unpack, unpacked_name
from pushforward.data.tables.charsets import decode
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.frames_of_text import unframed
from pushforward.data.tables.gapped import GappedRows
from pushforward.data.tables.raw_cells import RawCells, raw_cells
from pushforward.data.tables.stored import Stored, restore
from pushforward.data.tables.written import cells_of

TAB = "\t"
TABBED = (".tsv", ".tab")


@dataclass(frozen=True)
class Filling:
    """Values for some cells of a column.

    Attributes:
        where: (n,), booleans.
        values: one for every row, read where it is True.
    """

    where: np.ndarray
    values: pd.Series


@dataclass(frozen=True)
class Refilled:
    """Rows of a table with what is put into their gaps, and beside them.

    Attributes:
        rows: as they were read.
        encoding: of the run.
        path: the file that they came from, None for a frame.
        fillings: by the name of the column.
        more: columns that are added, (n, m).
        spelled: how those of them are written that are written as columns of the run, by name.
    """

    rows: GappedRows
    encoding: TableEncoding
    path: Path | None = None
    fillings: Mapping[str, Filling] = field(default_factory=dict)
    more: pd.DataFrame = field(default_factory=pd.DataFrame)
    spelled: Mapping[str, Stored] = field(default_factory=dict)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table as a frame."""
        own = self.rows.sheet.frame
        parts = [
            _filled(own.iloc[:, place], self.fillings.get(str(name)))
            for place, name in enumerate(own.columns)
        ]
        added = [
            self.more.iloc[:, place].set_axis(own.index) for place in range(self.more.shape[1])
        ]
        frame = pd.concat([*parts, *added], axis=1)
        frame.columns = pd.Index([*own.columns, *self.more.columns])
        return frame

    def text(self) -> str:
        """Return the table as text: that of its own file, or written as the run writes rows."""
        raw = self._raw(None)
        return self._writer.csv(self.frame) if raw is None else self._patched(raw)

    def file(self, output: Path) -> bytes:
        """Return the bytes of a file of that name.

        Raises:
            BadInput: an ending that no rows are written under.
        """
        shown = Samples(None, None, None, self.frame, self._writer)
        found = output_format(output, shown)
        raw = self._raw(output)
        if raw is None:
            return pack(found.made(shown, unpacked_name(output)), output)
        return pack(self.rows.sheet.dialect.encoded(self._patched(raw)), output)

    @property
    def as_it_was(self) -> bool:
        """Whether known cells of a file of text can come back byte for byte."""
        return self._raw(None) is not None

    @property
    def _writer(self) -> TableEncoding:
        """The dictionary that writes these rows, with their own layout and what was added."""
        names = {one.label for one in self.encoding.stored}
        added = [self._kept(name) for name in self.more.columns if str(name) not in names]
        stored = (*self.encoding.stored, *added)
        return replace(self.encoding, stored=stored, dialect=self.rows.sheet.dialect)

    def _raw(self, output: Path | None) -> RawCells | None:
        """Return the cells of the file if it is one of text that can be given back in this file."""
        if output is not None:
            ending, tabs = unpacked_name(output).suffix.lower(), self.rows.sheet.dialect.delimiter
            if ending not in (".csv", *TABBED) or (ending in TABBED and tabs != TAB):
                return None
        return self._cells

    @cached_property
    def _cells(self) -> RawCells | None:
        sheet = self.rows.sheet
        if self.path is None or sheet.written is None or sheet.lines is None:
            return None
        text = decode(unpack(self.path)[0], str(self.path)).text
        if unframed(text).text != text:
            return None  # a table with rules around it, which cells of other widths would break
        raw = raw_cells(text, sheet.dialect)
        fits = raw.fits(sheet.lines, sheet.frame.shape[1])
        return raw if fits and (self.more.empty or self._heading(raw) is not None) else None

    def _heading(self, raw: RawCells) -> int | None:
        """Return the line that names the columns, 0 for a file without one, None if it is not found."""
        sheet = self.rows.sheet
        assert sheet.lines is not None
        if not sheet.header:
            return 0
        names = {str(name) for name in sheet.frame.columns}
        names |= {name.strip() for name in sheet.dialect.names.values()}
        width, quote = sheet.frame.shape[1], sheet.dialect.quote
        for line in sorted(line for line in raw.records if line < sheet.lines[0]):
            if not raw.fits([line], width):
                continue
            cells = [raw.cell(line, place).strip().strip(quote) for place in range(width)]
            if 2 * sum(cell.lstrip("# ") in names for cell in cells) > width:
                return line
        return None

    def _patched(self, raw: RawCells) -> str:
        sheet, stored = self.rows.sheet, {one.label: one for one in self.encoding.stored}
        assert sheet.lines is not None
        names = [str(name) for name in sheet.frame.columns]
        cells: dict[tuple[int, int], str] = {}
        for label, filling in self.fillings.items():
            places = np.flatnonzero(filling.where)
            words = cells_of(filling.values.iloc[places].reset_index(drop=True), stored[label])
            at = names.index(label)
            for row, word in zip(places.tolist(), words, strict=True):
                cells[sheet.lines[row], at] = word
        more, text = self._added(raw), ""
        if more and not sheet.header:
            # without names nobody could tell the new columns
            text = sheet.dialect.delimiter.join([*names, *map(str, self.more.columns)])
            text += sheet.dialect.line_end
        return text + raw.filled(cells, sheet.dialect, more, len(names))

    def _kept(self, name: object) -> Stored:
        """Return how a column that is added is kept."""
        plain = Stored(str(name), str(self.more.dtypes[name]))
        return self.spelled.get(str(name), plain)

    def _added(self, raw: RawCells) -> dict[int, list[str]]:
        if self.more.empty:
            return {}
        lines = self.rows.sheet.lines
        assert lines is not None
        columns = [cells_of(series, self._kept(name)) for name, series in self.more.items()]
        found = {
            line: list(words) for line, words in zip(lines, zip(*columns, strict=True), strict=True)
        }
        if heading := self._heading(raw):
            found[heading] = [str(name) for name in self.more.columns]
        return found


def _filled(own: pd.Series, filling: Filling | None) -> pd.Series:
    """Return a column with some of its cells filled, of its own type if that holds them."""
    if filling is None or not filling.where.any():
        return own
    values = [
        new if put else old
        for old, new, put in zip(own.tolist(), filling.values.tolist(), filling.where, strict=True)
    ]
    for dtype in (filling.values.dtype, own.dtype):
        try:
            return pd.Series(values, dtype=dtype, index=own.index)
        except (ValueError, TypeError):
            continue
    return pd.Series(values, dtype=object, index=own.index)


def fillings_of(
    encoding: TableEncoding, rows: GappedRows, x: Tensor, seed: int
) -> dict[str, Filling]:
    """Return what is put into the gaps of every column that has some.

    Args:
        x: (n, columns), without gaps where one is filled; values that samples do not show are
            replaced as in samples.
    """
    decoded = encoding.seeded(seed).decode(x)
    gaps, found = rows.gaps.numpy(), {}
    names = {str(name): place for place, name in enumerate(decoded.columns)}
    for place, (stored, _) in enumerate(encoding.modelled):
        where = gaps[:, place]
        if stored.label in rows.there and where.any():
            found[stored.label] = Filling(where, decoded.iloc[:, names[stored.label]])
    for stored in encoding.stored:
        if stored.role != "constant" or stored.label not in rows.there:
            continue
        series = _own(rows, stored.label)
        where = series.isna().to_numpy()
        if where.any():
            found[stored.label] = Filling(where, restore(stored, None, np.zeros(len(series))))
    return found


def left_empty(encoding: TableEncoding, rows: GappedRows) -> dict[str, int]:
    """Return how many cells of which columns stay empty, because no model knows them: keys,
    personal data, texts."""
    found = {}
    for stored in encoding.stored:
        if stored.role in ("surrogate", "excluded") and stored.label in rows.there:
            empty = int(_own(rows, stored.label).isna().to_numpy().sum())
            if empty:
                found[stored.label] = empty
    return found


def _own(rows: GappedRows, label: str) -> pd.Series:
    names = [str(name) for name in rows.sheet.frame.columns]
    return rows.sheet.frame.iloc[:, names.index(label)]
