"""The dictionary of points that came from a table of numbers: names, labels, order, dtypes and
decimals.

One idea: points are numbers already, but a person's file calls them something and writes them
somehow; samples are rows of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.core.class_names import class_of
from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.space import Points, Space
from pushforward.core.table import Column
from pushforward.data.tables.as_file import RowsEncoding
from pushforward.data.tables.found import place_of
from pushforward.data.tables.sheet import Reading, Sheet, read_sheet
from pushforward.data.tables.stored import Scalar, Stored, restore, stored_from_json
from pushforward.data.tables.written import Dialect

GIVEN = "the given table"


@dataclass(frozen=True)
class Label:
    """The column of labels: how it is kept, its place among all columns, and the value behind each
    class name."""

    stored: Stored
    place: int
    values: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class PointsEncoding(RowsEncoding):
    """How points are a table of numbers.

    Attributes:
        columns: of the file without its labels, in order: how each is kept and, if it is a
            coordinate, its grid; None beside a constant, which is restored.
        label: the column of labels, None without.
        dialect: of the file.
        classes: names of the model's classes, in the order of their indices; empty without labels.
        excluded: columns that were left out on request; other files may have them.

    Example:
        >>> kept = (Stored("u", "float64"), Column("u", "continuous", step=0.1, low=0.0, high=1.0))
        >>> PointsEncoding((kept,)).decode(torch.tensor([[0.30000001]]))["u"].tolist()
        [0.3]
    """

    columns: tuple[tuple[Stored, Column | None], ...]
    label: Label | None = None
    dialect: Dialect = field(default_factory=Dialect)
    classes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    kind = "points"

    @property
    def space(self) -> Space:
        """Points of as many coordinates as columns vary."""
        return Points(len(self._coordinates))

    @property
    def names(self) -> list[str]:
        """The coordinates' names, in order."""
        return [stored.label for stored, _ in self._coordinates]

    @property
    def labelled(self) -> bool:
        """Whether one column holds labels."""
        return self.label is not None

    def with_classes(self, classes: tuple[str, ...]) -> PointsEncoding:
        """Return the dictionary of points of these classes."""
        return replace(self, classes=classes)

    @property
    def _coordinates(self) -> list[tuple[Stored, Column]]:
        return [(stored, column) for stored, column in self.columns if column is not None]

    def decode(self, x: Tensor, label: Tensor | None = None) -> pd.DataFrame:
        """Return points as rows of the file: its names and order, numbers on their columns' grids.

        Args:
            label: the class of each; without it there is no column of labels.
        """
        values = x.detach().cpu().double().numpy()
        rest = iter(values.T)
        parts = []
        for stored, column in self.columns:
            numbers = np.zeros(len(values)) if column is None else _shortened(next(rest), column)
            parts.append(restore(stored, column, numbers).rename(stored.name))
        if self.label is not None and label is not None:
            known = dict(self.label.values)
            cells = [known[self.classes[index]] for index in label.tolist()]
            parts.insert(
                self.label.place,
                pd.Series(cells, dtype=self.label.stored.dtype).rename(self.label.stored.name),
            )
        frame = pd.concat(parts, axis=1)
        frame.columns = pd.Index([part.name for part in parts])
        return frame

    @property
    def kept(self) -> list[Stored]:
        """How every column is kept, labels last."""
        return [stored for stored, _ in self.columns] + (
            [] if self.label is None else [self.label.stored]
        )

    def read(self, source: Any, labelled: bool | None = None) -> Examples:
        """Return a DataFrame, or the table at a path, as points; columns may come in any order,
        labels may be missing unless they are asked for.

        Raises:
            BadInput: a column that is missing or unknown, a constant that differs, an unknown
                label, or none.
        """
        found = self._read(source)
        if labelled and self.label is not None and label_of(found.given) is None:
            hint = f"this run was trained with labels, in the column '{self.label.stored.label}'"
            raise BadInput(
                f"{source} has no labels", f"labels among {', '.join(self.classes)}", hint
            )
        return found.without_labels() if labelled is False else found

    def _read(self, source: Any) -> Examples:
        if isinstance(source, pd.DataFrame):
            return self._examples(source, None, GIVEN)
        if not isinstance(source, str | Path):
            return self._unnamed(source)
        sheet = read_sheet(Path(source), self.reading, "points")
        return self._unnamed(source) if sheet is None else self.examples(sheet)

    def _unnamed(self, source: Any) -> Examples:
        # above this module: it opens what names nothing, arrays of all kinds
        from pushforward.data.open_in_space import open_like

        return open_like(source, self.space, self.classes, labels=None)

    def examples(self, sheet: Sheet) -> Examples:
        """Return the points in a table that was read already; see `read`."""
        frame, k = sheet.frame, len(self.columns)
        if not sheet.header and len(frame.columns) in (k, k + (self.label is not None)):
            # nobody named them, so their order does
            frame = frame.set_axis(
                self._bare_names() if len(frame.columns) == k else self._all_names(), axis=1
            )
        return self._examples(frame, sheet.lines, sheet.origin)

    @property
    def reading(self) -> Reading:
        """How another file of these points is read."""
        notations = {
            stored.label: stored.notation for stored in self.kept if stored.notation is not None
        }
        return Reading(
            words=self.excluded,
            names=self._all_names(),
            notations=notations,
            header=None if self.dialect.header else False,
        ).like(self.kept)

    def _bare_names(self) -> list[str]:
        return [stored.label for stored, _ in self.columns]

    def _all_names(self) -> list[str]:
        names = self._bare_names()
        if self.label is not None:
            names.insert(self.label.place, self.label.stored.label)
        return names

    def _examples(self, frame: pd.DataFrame, lines: Sequence[int] | None, origin: str) -> Examples:
        places = {str(name): place for place, name in enumerate(frame.columns)}
        known = self._all_names()
        for name in self.names:
            if name not in places:
                raise BadInput(
                    f"{origin} without the column '{name}'",
                    "the columns of the training data",
                    closest(name, places),
                )
        for name in places:
            if name not in known and name not in self.excluded:
                came = f"a column '{name}' in {origin} that the training data do not have"
                raise BadInput(came, "its columns only", closest(name, known) or "drop it")
        rows = np.empty((len(frame), len(self.names)))
        for place, (stored, _) in enumerate(self._coordinates):
            rows[:, place] = _floats(frame.iloc[:, places[stored.label]], stored, lines)
        self._check_constants(frame, places, origin)
        given = None
        if self.label is not None and self.classes and self.label.stored.label in places:
            given = Given(
                self._indices(frame.iloc[:, places[self.label.stored.label]], self.label, origin)
            )
        with np.errstate(over="ignore"):
            single = rows.astype(np.float32)
        exact = bool((single == rows).all())
        return Examples(torch.from_numpy(single if exact else rows), given)

    def _check_constants(self, frame: pd.DataFrame, places: Mapping[str, int], origin: str) -> None:
        for stored, column in self.columns:
            if column is None and stored.label in places:
                series = frame.iloc[:, places[stored.label]]
                other = series[series != stored.constant]
                if len(other):
                    came = f"{other.iloc[0]!r} in column '{stored.label}' of {origin}"
                    raise BadInput(
                        came,
                        f"{stored.constant!r} only, as in the training data",
                        "train again with this table",
                    )

    def _indices(self, series: pd.Series, label: Label, origin: str) -> Tensor:
        names = {value: name for name, value in label.values}
        cells = [names.get(value, str(value)) for value in series.tolist()]
        unknown = sorted(set(cells) - set(self.classes))
        if unknown:
            raise BadInput(
                f"unknown labels {', '.join(unknown[:5])} in {origin}",
                "among " + ", ".join(self.classes),
            )
        return torch.tensor([self.classes.index(cell) for cell in cells])

    def parse_given(self, text: str, n: int) -> Given:
        """Return the class that a word names, the same for n points."""
        return Given(torch.full((n,), class_of(text, self.classes), dtype=torch.long))

    def to_json(self) -> dict[str, Any]:
        """Return how every column is kept."""
        columns = [
            [asdict(stored), None if column is None else asdict(column)]
            for stored, column in self.columns
        ]
        label = None if self.label is None else asdict(self.label)
        return {
            "kind": self.kind,
            "columns": columns,
            "label": label,
            "dialect": asdict(self.dialect),
            "classes": list(self.classes),
            "excluded": list(self.excluded),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> PointsEncoding:
        """Rebuild the encoding of `to_json`."""
        columns = tuple(
            (
                stored_from_json(one),
                None if column is None else Column(**{**column, "categories": ()}),
            )
            for one, column in record["columns"]
        )
        found, label = record["label"], None
        if found is not None:
            label = Label(
                stored_from_json(found["stored"]),
                found["place"],
                tuple((name, value) for name, value in found["values"]),
            )
        return cls(
            columns,
            label,
            Dialect(**record["dialect"]),
            tuple(record["classes"]),
            tuple(record["excluded"]),
        )


def _shortened(values: np.ndarray, column: Column) -> np.ndarray:
    """Return numbers without digits that single precision cannot hold beside the spread of their
    column."""
    spread = column.high - column.low
    if column.step is not None or not 0.0 < spread < math.inf:
        return values
    places = 8 - math.floor(math.log10(spread))
    return np.round(values, places) if -300 < places < 300 else values


def _floats(series: pd.Series, stored: Stored, lines: Sequence[int] | None) -> np.ndarray:
    values = series.tolist()
    if stored.notation is not None:
        values = [
            stored.notation.value(value) if isinstance(value, str) else value for value in values
        ]
    numbers = np.asarray(
        pd.to_numeric(pd.Series(values, dtype=object), errors="coerce"), dtype=np.float64
    )
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        row = int(wrong[0])
        raise BadInput(
            f"{series.iloc[row]!r} in column '{stored.label}', {place_of(row, lines)}",
            "a finite number",
        )
    return numbers
