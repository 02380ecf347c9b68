"""From a path, an array or a built-in name to what it holds: examples as arrays and pictures, or a
table.

One idea: a source is asked of the formats, each of which knows its own; whatever one returns that a
program could hold as well is taken as if a program had brought it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from pushforward.core.errors import BadInput, nearest
from pushforward.data.builtin import builtins
from pushforward.data.class_names import order_of
from pushforward.data.formats.choosing import format_of, named_format
from pushforward.data.formats.format import Format, ReadOptions
from pushforward.data.images.options import ImageOptions, image_options
from pushforward.data.images.pictures_in_memory import GIVEN, Pictures, read_held
from pushforward.data.in_memory import held, of_frame
from pushforward.data.labels import as_labels
from pushforward.data.npz import set_labels
from pushforward.data.source import Raw
from pushforward.data.tables.sheet import GIVEN as GIVEN_TABLE
from pushforward.data.tables.sheet import Sheet, frame_of_array, no_table, sheet_of, sheet_of_frame
from pushforward.data.tables.table_dataset import BUILTIN as TABLE
from pushforward.data.tables.table_dataset import builtin_table
from pushforward.data.tensors import plain_tensor
from pushforward.data.unread import refusal


def read(source: Any, how: ReadOptions) -> tuple[str, Raw | Sheet, str]:
    """Return the name of a source, what it holds, and the words for it in messages.

    Raises:
        BadInput: no such data, or what cannot be read.
    """
    if isinstance(source, pd.DataFrame):
        return "table", sheet_of_frame(source), GIVEN_TABLE
    if not isinstance(source, str | Path):
        return _taken_for(how).held(source, how)
    if str(source) == TABLE:
        return TABLE, builtin_table(), TABLE
    taken = _taken_for(how)
    if str(source) == "digits" and taken.pictured:
        return "digits", _digits(), "digits"
    path = Path(source)
    if not path.exists():
        raise taken.missing(source)
    found = _read_path(path, how)
    return found.name if isinstance(found, Sheet) else path.stem or str(path), found, str(source)


class _Anything:
    """How a source is taken that may be whatever it is."""

    pictured = True

    def held(self, source: Any, how: ReadOptions) -> tuple[str, Raw | Sheet, str]:
        """Return arrays and pictures that a program holds."""
        options = how.images or image_options(None)
        if isinstance(source, tuple) and len(source) == 2:
            of_pictures = isinstance(source[0], Pictures)
            raw = _labelled(source[0], source[1], options, how.skip_bad)
            return ("pictures", raw, GIVEN) if of_pictures else ("array", raw, "the given array")
        if isinstance(source, Pictures):
            return "pictures", read_held(source, options, how.skip_bad)[0], GIVEN
        return "array", Raw(_to_array(source)), "the given array"

    def missing(self, source: str | Path) -> BadInput:
        """Return the refusal of a name that names nothing."""
        known = [name for name, _ in builtins()]
        hint = (
            nearest(str(source), known)
            if "/" not in str(source) and "." not in str(source)
            else "check the path"
        )
        return BadInput(f"no data called '{source}'", "a built-in name or an existing path", hint)

    def format_of(self, path: Path, kind: str | None) -> Format:
        """Return the format that reads a path: points may come in any."""
        found = format_of(path, kind) or format_of(path)
        if found is None:
            raise refusal(path)
        return found


class _Columns(_Anything):
    """How a source is taken of which the columns of a table are asked for: what has none is
    none."""

    pictured = False

    def held(self, source: Any, how: ReadOptions) -> tuple[str, Raw | Sheet, str]:
        """Return the columns of an array."""
        frame = frame_of_array(source) if isinstance(source, np.ndarray) else None
        if frame is None:
            raise no_table(source)
        return "table", sheet_of_frame(frame), GIVEN_TABLE

    def missing(self, source: str | Path) -> BadInput:
        """Return the refusal of a name that names no table."""
        named = named_format(Path(source))
        if named is not None and named.holds[0] == "table":
            return BadInput(
                f"no file at {source}",
                "the table",
                "a relative path starts from the folder you are in",
            )
        return no_table(source)

    def format_of(self, path: Path, kind: str | None) -> Format:
        """Return the format that reads the table at a path."""
        found = format_of(path, kind)
        if found is None:
            raise no_table(path)
        return found


_ANYTHING, _COLUMNS = _Anything(), _Columns()


def _taken_for(how: ReadOptions) -> _Anything:
    return _COLUMNS if how.kind == "table" else _ANYTHING


def _read_path(path: Path, how: ReadOptions) -> Raw | Sheet:
    made = _taken_for(how).format_of(path, how.kind).read(path, how)
    if isinstance(made, Raw | Sheet):
        return made
    if (sheet := sheet_of(made, path)) is not None:
        return sheet
    taken = held(made)
    raw = read(taken.source, how)[1]
    assert isinstance(raw, Raw), "frames are sheets already"
    raw.notes, raw.lost = [*taken.notes, *raw.notes], [*taken.lost, *raw.lost]
    return raw


def _labelled(x: Any, labels: Any, options: ImageOptions, skip_bad: bool) -> Raw:
    y, order = _to_array(labels), order_of(labels)
    if not isinstance(x, Pictures):
        raw = Raw(_to_array(x), order=order)
        set_labels(raw, y, "the given pair")
        return raw
    raw, owner = read_held(x, options, skip_bad)
    if y.ndim == 0 or len(y) != len(x):
        raise BadInput(f"{y.size} labels for {len(x)} pictures", "one label per picture")
    found = as_labels(y, len(x), "the given pair")
    raw.order = order
    raw.labels = None if found.names is None else [found.names[i] for i in owner]
    raw.notes += [found.note] if found.note else []
    raw.lost += [found.lost] if found.lost else []
    return raw


def _to_array(x: Any) -> np.ndarray:
    if isinstance(x, Tensor):
        return plain_tensor(x).numpy()
    return np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x)


def pictures_in(sheet: Sheet, options: ImageOptions, skip_bad: bool) -> Raw | None:
    """Return the pictures in the cells of a table, as data sets of the Hub file them, None if it
    holds none."""
    found = of_frame(sheet.frame.drop(columns=list(sheet.dropped)), Path(sheet.origin))
    x, labels = found.source if isinstance(found.source, tuple) else (found.source, None)
    if not isinstance(x, Pictures):
        return None
    raw = (
        read_held(x, options, skip_bad)[0]
        if labels is None
        else _labelled(x, labels, options, skip_bad)
    )
    raw.held = False
    own = [note.replace(", held by the program", ", in cells of the table") for note in raw.notes]
    raw.notes = [*sheet.notes, *found.notes, *own]
    raw.lost += [*found.lost, *sheet.lost]
    return raw


def _digits() -> Raw:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Raw(bunch.images.astype(np.uint8), [str(t) for t in bunch.target])
