"""A table as it was found, and what is known of its columns before its cells are read.

One idea: every format of tables, and a frame that a program holds, is brought to one sheet before
anything is inferred from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.limits import require_below
from pushforward.data.folders import few
from pushforward.data.formats.choosing import format_of, readable_as
from pushforward.data.formats.format import ReadOptions
from pushforward.data.formats.packing import unpacked_name
from pushforward.data.tables.column_hints import Asked
from pushforward.data.tables.declaration import UNSAID, ColumnDeclaration
from pushforward.data.tables.notations.missing import MISSING
from pushforward.data.tables.notations.notation import Notation, Written
from pushforward.data.tables.stored import Stored
from pushforward.data.tables.written import Dialect

# past this a schema of one sentence a column is no description any more, and no family here learns
# so many
MOST_COLUMNS = 20_000
GIVEN = "the given table"


@dataclass(frozen=True)
class Reading:
    """What is known about a table before it is read.

    Attributes:
        declared: what the user says of columns, by name.
        words: columns to leave as text.
        names: names that a header is expected to hold, so that a file of words alone is understood.
        notations: those of a run, by column name.
        readings, marks: how a run's columns are read as its user declared, and which words count as
            missing in them, by name.
        values: which words for a missing value are values in a run's columns, by name.
        header: the user's answer to whether the first line is one; None = find out.
    """

    declared: Mapping[str, ColumnDeclaration] = field(default_factory=dict)
    words: Collection[str] = ()
    names: Collection[str] = ()
    notations: Mapping[str, Notation] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Collection[str]] = field(default_factory=dict)
    values: Mapping[str, Collection[str]] = field(default_factory=dict)
    header: bool | None = None

    def asked(self, label: str, where: str) -> Asked:
        """Return what is known about one column."""
        own = self.declared.get(label, UNSAID)
        missing = tuple(str(one) for one in own.missing)
        return Asked(
            where,
            label,
            label in self.words or own.cells == "words",
            self.reading_of(label),
            self.notations.get(label),
            marks=(*self.marks.get(label, ()), *missing),
            values=self._values(label, own),
            kind=own.kind,
            cells=own.cells,
        )

    def _values(self, label: str, own: ColumnDeclaration) -> Collection[str]:
        """Return the words that are values in a column: the levels that its user lists, or any word
        where words are asked for."""
        missing = {str(one) for one in own.missing}
        if own.levels:
            return [str(level) for level in own.levels]
        if own.kind in ("categorical", "ordinal"):
            lettered = (word for word in MISSING if any(c.isalpha() for c in word))
            return [word for word in lettered if word not in missing]
        return self.values.get(label, ())

    def reading_of(self, label: str) -> str:
        """Return how a column is read, as its user declared now or when a run was trained; empty if
        nobody said so."""
        return self.declared.get(label, UNSAID).reading or self.readings.get(label, "")

    def like(self, kept: Collection[Stored]) -> Reading:
        """Return this reading with what a run knows of how its columns are read."""
        readings = {one.label: one.reading for one in kept if one.reading}
        values = {
            one.label: [level for level in one.levels if level in MISSING]
            for one in kept
            if one.levels
        }
        return replace(
            self,
            readings=readings,
            marks={one.label: one.marks for one in kept if one.marks},
            values=values,
        )


@dataclass(frozen=True)
class Sheet:
    """A table as it was found: the frame, what it is called, the reasons, and each row's line in
    its file.

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


def read_sheet(path: Path, reading: Reading, kind: str = "table") -> Sheet | None:
    """Return the table in a file or a folder, None if there is none, or its format holds none.

    Args:
        kind: `table`, or `points` where these may also come as arrays, which are no table.

    Raises:
        BadInput: damaged, empty, ragged, no text, numbers mixed with a few words.
    """
    found = format_of(path, kind) if path.exists() else None
    return (
        None
        if found is None
        else sheet_of(found.read(path, ReadOptions(kind=kind, table=reading)), path)
    )


def sheet_of(found: Any, path: Path) -> Sheet | None:
    """Return what was read from a path as a table, None if it is none."""
    if isinstance(found, pd.DataFrame):
        require_columns(len(found.columns), str(path))
        return Sheet(found, unpacked_name(path).stem, str(path))
    return found if isinstance(found, Sheet) else None


def sheet_of_frame(frame: pd.DataFrame) -> Sheet:
    """Return a frame that a program holds, whose index is left out unless it only counts."""
    if isinstance(frame.index, pd.RangeIndex):
        return Sheet(frame, "table", GIVEN)
    name = ", ".join(str(name) for name in frame.index.names if name is not None)
    lost = f"the frame's index{f' ({name})' if name else ''}: make it a column with `reset_index()` to model it"
    return Sheet(frame, "table", GIVEN, ("the frame's index is left out",), lost=(lost,))


def frame_of_array(array: np.ndarray) -> pd.DataFrame | None:
    """Return an array of rows, or of records, as a table; None if it has no columns.

    Example:
        >>> list(frame_of_array(np.zeros((2, 3)))), frame_of_array(np.zeros(3))
        (['x0', 'x1', 'x2'], None)
    """
    if array.ndim == 1 and array.dtype.names is not None:
        return pd.DataFrame(array)
    return (
        pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
        if array.ndim == 2
        else None
    )


def no_table(source: object) -> BadInput:
    """Return the refusal of a source that was to be a table and holds none."""
    return BadInput(
        f"'{source}' as a table", f"a DataFrame, or a file that ends in {readable_as('table')}"
    )


def require_columns(width: int, origin: str) -> None:
    """Refuse a table of more columns than the limit."""
    fix = "choose the ones to model, or save numbers alone as .npy"
    require_below(width, MOST_COLUMNS, f"{origin} has {width:,} columns", "columns", fix)


def require_labels(names: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse declarations of what is no column.

    Raises:
        BadInput: with all such names, the nearest columns, and the columns that nobody declared.

    Example:
        >>> try:
        ...     require_labels(["agee", "city"], ["age", "sex"])
        ... except BadInput as error:
        ...     print(error)
        declarations of columns 'agee', 'city', which the table lacks: expected columns of the table;
        'age' for 'agee'? the table has 'age', 'sex', which nobody declared
    """
    known = set(labels)
    gone = [str(name) for name in names if name not in known]
    if len(gone) == 1 and len(names) == 1:
        fix = closest(gone[0], labels)
        raise BadInput(f"a declaration of column '{gone[0]}'", "a column of the table", fix)
    if not gone:
        return
    close = {name: get_close_matches(name, labels, n=1, cutoff=0.55) for name in gone}
    nearest = [f"'{found[0]}' for '{name}'?" for name, found in close.items() if found]
    rest = few([f"'{label}'" for label in labels if label not in set(names)])
    more = [*nearest[:5], f"the table has {rest}, which nobody declared" if rest else ""]
    one = len(gone) == 1
    came = (
        f"a declaration of column '{gone[0]}'"
        if one
        else f"declarations of columns {few([repr(name) for name in gone])}"
    )
    raise BadInput(
        f"{came}, which the table lacks",
        "a column of the table" if one else "columns of the table",
        " ".join(filter(None, more)),
    )
