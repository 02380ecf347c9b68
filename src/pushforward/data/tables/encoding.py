"""Tables as tensors of float64 and back, with the user's own dtypes.

One idea: the schema was inferred once, from the training table; every other table must fit it, and what does not fit is named with
its column, value and row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Examples, Given
from pushforward.core.space import space_from_json
from pushforward.core.table import Column, Table
from pushforward.data.encoding import Encoding
from pushforward.data.tables.carried import carrier_of, into_numbers
from pushforward.data.tables.cells import Asked, typed
from pushforward.data.tables.files import Reading, may_be_table, read_file
from pushforward.data.tables.given import parse_known
from pushforward.data.tables.notations.missing import is_missing_among_numbers
from pushforward.data.tables.schema import Declared, Schema, infer
from pushforward.data.tables.stored import OBJECTS, Stored, restore, seconds_of, snap, stored_from_json
from pushforward.data.tables.written import Dialect, to_csv


@dataclass(frozen=True)
class TableEncoding(Encoding):
    """The dictionary of a table.

    `decode(encode(frame))` equals `frame` in names, order, dtypes and values, up to the declared `step` and without its index.
    Columns that were left out as identifiers do not come back.

    Example:
        >>> frame = pd.DataFrame({"age": [17, 90, 40], "sex": ["f", "m", None]})
        >>> encoding = TableEncoding.of(frame)
        >>> encoding.encode(frame).tolist()[:2], encoding.decode(encoding.encode(frame)).equals(frame)
        ([[17.0, 0.0], [90.0, 1.0]], True)
    """

    table: Table
    stored: tuple[Stored, ...]
    dialect: Dialect = field(default_factory=Dialect)
    kind = "table"

    @staticmethod
    def of(
        frame: pd.DataFrame,
        columns: Mapping[str, Declared] | None = None,
        keep: Collection[str] = (),
        bounds: str = "natural",
    ) -> TableEncoding:
        """Return the encoding of a frame's inferred schema; see `infer` for the arguments and errors."""
        return TableEncoding.of_schema(infer(frame, columns, keep, bounds))

    @staticmethod
    def of_schema(schema: Schema, dialect: Dialect | None = None) -> TableEncoding:
        """Return the encoding of a schema, and of how its file was laid out."""
        return TableEncoding(schema.table, schema.stored, dialect or Dialect())

    @property
    def space(self) -> Table:
        """The columns that are modelled."""
        return self.table

    @property
    def modelled(self) -> tuple[tuple[Stored, Column], ...]:
        """Every modelled column, in order, as it is kept and as it is modelled."""
        kept = [stored for stored in self.stored if stored.role == "modelled"]
        return tuple(zip(kept, self.table.columns, strict=True))

    def encode(self, frame: pd.DataFrame, lines: Sequence[int] | None = None) -> Tensor:
        """Return the rows of a frame as float64, (n, columns).

        Args:
            lines: the line of each row in the file it came from, for error messages.

        Raises:
            BadInput: missing or unknown columns; a category, number or missing value that the schema does not have.
        """
        labels = {str(name): place for place, name in enumerate(frame.columns)}
        self._check_names(labels)
        where = _Where(lines)
        for stored in self.stored:
            if stored.role in ("constant", "absent") and stored.label in labels:
                self._check_restored(stored, _plain(frame.iloc[:, labels[stored.label]], stored, where), where)
        rows = np.empty((len(frame), len(self.table.columns)))
        for place, (stored, column) in enumerate(self.modelled):
            series = _plain(frame.iloc[:, labels[stored.label]], stored, where)
            rows[:, place] = _encode_column(series, stored, column, where)
        return self.table.check(torch.from_numpy(rows))

    def decode(self, x: Tensor) -> pd.DataFrame:
        """Return rows as a DataFrame with the columns and dtypes of the training table."""
        values = self.table.check(x.detach().cpu()).numpy()
        places = {stored.label: place for place, (stored, _) in enumerate(self.modelled)}
        parts = []
        for stored in self.stored:
            if stored.role == "excluded":
                continue
            place = places.get(stored.label)
            column = None if place is None else self.table.columns[place]
            numbers = np.zeros(len(values)) if place is None else values[:, place]
            parts.append(restore(stored, column, numbers).rename(stored.name))
        frame = pd.concat(parts, axis=1)
        frame.columns = pd.Index([part.name for part in parts])
        return frame

    def read(self, source: Any) -> Examples:
        """Return a DataFrame, or the table at a path, as examples."""
        if isinstance(source, pd.DataFrame):
            return Examples(self.encode(source))
        path = Path(source)
        if not path.exists() or not may_be_table(path):
            raise BadInput(f"'{source}' as a table", "a .csv, .tsv or .parquet file, or a DataFrame", "check the path")
        sheet = read_file(path, self.reading)
        return Examples(self.encode(sheet.frame, sheet.lines))

    @property
    def reading(self) -> Reading:
        """How another file of this table is read: its names, the columns of words, and how the others are written."""
        words = {stored.label for stored, column in self.modelled if column.discrete}
        words |= {stored.label for stored in self.stored if stored.role == "excluded"}
        # words need no notation to be read
        known = [stored for stored in self.stored if stored.notation is not None and stored.label not in words]
        notations = {stored.label: stored.notation for stored in known if stored.notation is not None}
        names = {stored.label for stored in self.stored}
        return Reading(words=words, names=names, notations=notations, header=None if self.dialect.header else False)

    def csv(self, shown: pd.DataFrame) -> str:
        """Return rows as the text of a CSV file, written as the file that the table came from was."""
        return to_csv(shown, self.stored, replace(self.dialect, line_end="\n"))

    def csv_file(self, shown: pd.DataFrame) -> bytes:
        """Return what `csv` gives as the bytes of a file, in the character set and with the line ends of the source."""
        return self.dialect.encoded(to_csv(shown, self.stored, self.dialect))

    def parse_given(self, text: str, n: int) -> Given:
        """Return what `column=value,column=low..high` says is known, the same for n examples."""
        known = parse_known(text, self.table, self.stored)
        return Given(known=known.each(lambda tensor: tensor.expand(n, -1)))

    def to_json(self) -> dict[str, Any]:
        """Return the space and how every column is kept."""
        stored = [asdict(one) for one in self.stored]
        return {"kind": self.kind, "space": self.table.to_json(), "stored": stored, "dialect": asdict(self.dialect)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> TableEncoding:
        """Rebuild the encoding of `to_json`."""
        table = space_from_json(record["space"])
        assert isinstance(table, Table)
        return cls(table, tuple(map(stored_from_json, record["stored"])), Dialect(**record.get("dialect", {})))

    def _check_names(self, labels: Mapping[str, int]) -> None:
        names = [stored.label for stored in self.stored]
        for stored, _ in self.modelled:
            if stored.label not in labels:
                came = f"a table without the column '{stored.label}'"
                raise BadInput(came, "the columns of the training table", closest(stored.label, labels))
        for label in labels:
            if label not in names:
                came = f"a column '{label}' that the training table does not have"
                raise BadInput(came, "its columns only", closest(label, names) or "drop it")

    def _check_restored(self, stored: Stored, series: pd.Series, where: _Where) -> None:
        expected = _plain(restore(stored, None, np.zeros(1)), stored, where).iloc[0]
        same = series.isna() if stored.role == "absent" else (series == expected).fillna(False)
        wrong = np.flatnonzero(~same.to_numpy(dtype=bool))
        if len(wrong):
            came = f"{series.iloc[wrong[0]]!r} in column '{stored.label}', {where(int(wrong[0]))}"
            raise BadInput(came, f"{expected!r} only, as in the training table", "train again with this table")


@dataclass(frozen=True)
class _Where:
    lines: Sequence[int] | None

    def __call__(self, row: int) -> str:
        return f"row {row} (counted from 0)" if self.lines is None else f"line {self.lines[row]}"


def _plain(series: pd.Series, stored: Stored, where: _Where) -> pd.Series:
    """Return a column as numbers or moments: cells are read in their notation, dates, times and decimals as what carries them."""
    if stored.levels or stored.role == "excluded":
        return series
    if (
        str(series.dtype) in OBJECTS
        and stored.notation is not None
        and bool(series.map(lambda v: isinstance(v, str)).any())
    ):
        cells = [
            "" if gone else str(value) for value, gone in zip(series.tolist(), series.isna().tolist(), strict=True)
        ]
        lines = range(len(cells)) if where.lines is None else where.lines
        unit = "row" if where.lines is None else "line"
        series = typed(
            cells, lines, Asked(f"column '{stored.label}'", stored.label, notation=stored.notation, unit=unit)
        ).series
    elif series.dtype == object and stored.dtype == "object":
        # a word among Python numbers that says that there is none
        series = series.map(lambda value: None if isinstance(value, str) and is_missing_among_numbers(value) else value)
    carrier = carrier_of(series)
    if "period" in (carrier, stored.carrier) and str(series.dtype) != stored.outer:
        expected = stored.outer if stored.carrier == "period" else "numbers or dates"
        raise BadInput(f"column '{stored.label}' of dtype {series.dtype}", expected, "convert it first")
    return into_numbers(series, carrier)


def _encode_column(series: pd.Series, stored: Stored, column: Column, where: _Where) -> np.ndarray:
    missing = series.isna().to_numpy()
    if missing.any() and not column.missing:
        row = int(np.argmax(missing))
        came = f"a missing value in column '{column.name}', {where(row)}"
        raise BadInput(came, "none, as in the training table", "fill it, or train with a table that has some")
    if column.discrete:
        return _codes(series, stored, column, where)
    values = _seconds(series, column) if column.kind == "datetime" else _floats(series, column, where)
    wrong = np.isinf(values)
    if wrong.any():
        raise BadInput(f"infinity in column '{column.name}', {where(int(np.argmax(wrong)))}", "finite numbers")
    exact = values
    values, wrong = snap(exact, column, stored)
    if wrong.any():
        row = int(np.argmax(wrong))
        came = f"{float(exact[row])!r} in column '{column.name}', {where(row)}"
        raise BadInput(came, f"multiples of {column.step:g}, as in the training table")
    outside = (column.bounded_below & (values < column.low)) | (column.bounded_above & (values > column.high))
    if outside.any():
        row = int(np.argmax(outside))
        above = f" to {column.high:.10g}" if column.bounded_above else " or more"
        came = f"{values[row]:.10g} in column '{column.name}', {where(row)}"
        raise BadInput(came, f"{column.low:.10g}{above}", "train with bounds='none' to model numbers beyond")
    return values


def _codes(series: pd.Series, stored: Stored, column: Column, where: _Where) -> np.ndarray:
    exact: dict[Any, int] = {level: i for i, level in enumerate(stored.levels)}
    named = {name: i for i, name in enumerate(column.categories)}
    if all(isinstance(level, bool) for level in stored.levels):
        named |= {spelled: i for name, i in named.items() for spelled in (name.lower(), name.upper())}
    codes, distinct = pd.factorize(series.astype(object), use_na_sentinel=True)
    table = np.empty(len(distinct) + 1)
    table[-1] = np.nan
    for i, value in enumerate(distinct.tolist()):
        # another file may hold the same category as text, or a number as another type
        index = exact.get(value, named.get(str(value)))
        if index is None:
            row = int(np.argmax(codes == i))
            came = f"unknown category {value!r} in column '{column.name}', {where(row)}"
            shown = ", ".join(column.categories[:20]) + (", ..." if len(column.categories) > 20 else "")
            raise BadInput(came, f"one of {shown}", closest(str(value), column.categories))
        table[i] = index
    return table[codes]


def _floats(series: pd.Series, column: Column, where: _Where) -> np.ndarray:
    try:
        return series.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        pass
    numbers = np.asarray(pd.to_numeric(series.astype(object), errors="coerce"), dtype=np.float64)
    row = int(np.argmax(np.isnan(numbers) & series.notna().to_numpy()))
    raise BadInput(f"{series.iloc[row]!r} in column '{column.name}', {where(row)}", "a number") from None


def _seconds(series: pd.Series, column: Column) -> np.ndarray:
    if series.dtype.kind != "M":
        try:
            series = pd.to_datetime(series.astype("string"), format="ISO8601")
        except (ValueError, TypeError) as error:
            came = f"column '{column.name}' ({str(error).splitlines()[0]})"
            raise BadInput(came, "dates in ISO 8601, such as 2024-01-31") from None
    return seconds_of(series)
