"""Items of a data set: which part of each is the example, which its label, and what is left over.

Two ideas: an item is a tuple, a record or an object, and its parts are columns whatever they are
called; a part that is not used is said to be lost, so that a mask or a box does not vanish
silently, nor becomes a channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.data.folders import few
from pushforward.data.images.pictures_in_memory import is_picture

EXAMPLES = ("x", "X", "data", "image", "images", "img", "pixel_values", "arr_0")
LABELS = ("y", "Y", "label", "labels", "target", "targets", "class")
_ENDINGS = ("label", "labels", "class", "target", "category")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Parts:
    """Examples and labels (None without labels), what was decided, and what the labels are
    called."""

    examples: Any
    labels: Any = None
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    label: str | None = None


def is_scalar(item: Any) -> bool:
    """Return whether something is one number or one word.

    Example:
        >>> is_scalar(3), is_scalar("a"), is_scalar(np.float64(1.0)), is_scalar([3])
        (True, True, True, False)
    """
    if isinstance(item, bytes):
        return not is_picture(item)
    return (
        isinstance(item, str | bool | int | float)
        or item is None
        or (hasattr(item, "ndim") and item.ndim == 0)
    )


def parts_of(items: Sequence[Any]) -> Parts | None:
    """Return the examples and labels of items that have parts, None of items that are examples
    themselves.

    Raises:
        BadInput: items of different layouts, or without anything that is an example.

    Example:
        >>> found = parts_of([(np.zeros((2, 2)), 1, "a.png"), (np.ones((2, 2)), 0, "b.png")])
        >>> found.labels, found.lost
        ([1, 0], ('the third part of each item (words)',))
    """
    rows = [_record(item) for item in items]
    if not any(row is not None and any(map(_is_whole, row.values())) for row in rows):
        return None
    first = next((row for row in rows if row is not None), {})
    for i, row in enumerate(rows):
        if row is None or list(row) != list(first):
            came = f"items of different layouts ({_layout(items[0], rows[0])}, and {_layout(items[i], row)} in item {i})"
            if set(row or ()) != set(first):
                raise BadInput(came, "items of one layout, such as (example, label)")
    return parts_of_columns(
        {name: [row[name] for row in rows if row is not None] for name in first}
    )


def parts_of_columns(columns: Mapping[Any, Sequence[Any]]) -> Parts | None:
    """Return the examples and labels among columns, None if no column holds arrays or pictures:
    then they are a table.

    Args:
        columns: by name; an integer is the place of a part that has no name.
    """
    whole = [name for name, column in columns.items() if len(column) and _is_whole(column[0])]
    named = [name for name in EXAMPLES if name in columns and name in whole]
    pictures = [name for name in whole if is_picture(columns[name][0])]
    arrays = [name for name in whole if isinstance(columns[name][0], np.ndarray | Tensor)]
    lists = [
        name
        for name in whole
        if isinstance(columns[name][0], list | tuple) and not isinstance(name, str)
    ]
    key = next(iter([*named, *pictures, *arrays, *lists]), None)
    if key is None:
        if whole and not all(isinstance(name, str) for name in columns):
            came = f"items of {len(columns)} parts ({_kinds(columns)})"
            raise BadInput(came, "an array or a picture among them, and perhaps its label")
        return None
    rest = {
        name: column for name, column in columns.items() if name != key and not _is_nothing(column)
    }
    label, labels = _label(key, rest)
    plain = (
        label is None
        or label in LABELS
        or (len(columns) == 2 and isinstance(key, int) and key == 0)
    )
    said = (
        [f"{_called(key)} of each item is the example, {_called(label)} its label"]
        if not plain
        else []
    )
    left = [name for name in rest if name != label or isinstance(rest[name][0], Mapping)]
    lost = tuple(_left(name, rest[name], name == label) for name in left)
    return Parts(columns[key], labels, tuple(said), lost, label if isinstance(label, str) else None)


def _record(item: Any) -> dict[Any, Any] | None:
    """Return the parts of an item by name or place, None of an item that is an example itself."""
    if is_picture(item) or isinstance(item, str | bytes | np.ndarray | Tensor):
        return None
    if isinstance(item, Mapping):
        return dict(item)
    if is_dataclass(item) and not isinstance(item, type):
        return {one.name: getattr(item, one.name) for one in fields(item)}
    if not isinstance(item, tuple | list):
        return None
    whole = [not is_scalar(part) for part in item]
    arrays = [isinstance(part, np.ndarray | Tensor) and part.ndim > 0 for part in item]
    parts = [
        array or isinstance(part, Mapping) or is_picture(part)
        for part, array in zip(item, arrays, strict=True)
    ]
    mixed = any(whole) and not all(whole)
    if not (mixed or (any(parts) and (isinstance(item, tuple) or not all(arrays)))):
        return None  # numbers, or a list of lists or of arrays: one array
    names = getattr(item, "_fields", None)
    return dict(zip(names or range(len(item)), item, strict=True))


def _is_whole(value: Any) -> bool:
    return not is_scalar(value)


def _is_nothing(column: Sequence[Any]) -> bool:
    return all(value is None for value in column)


def _label(key: Any, rest: Mapping[Any, Sequence[Any]]) -> tuple[Any, Any]:
    """Return which of the other columns is the label, and the labels in it."""
    single = {
        name: column for name, column in rest.items() if all(_is_single(value) for value in column)
    }
    for name in LABELS:
        if name in single:
            return name, single[name]
    words = [name for name in single if isinstance(name, str)]
    named = [name for name in words if name.lower().endswith(_ENDINGS)] or (
        words if len(words) == 1 else []
    )
    if named:
        return named[0], single[named[0]]
    places = [name for name in single if isinstance(name, int)]
    # an index or a file's name is another for every example, a class is not
    after = sorted(places, key=lambda place: (place < key, place))
    repeated = [
        place
        for place in after
        if len({str(_plain(v)) for v in single[place]}) < len(single[place])
    ]
    if after:
        chosen = (repeated or after)[0]
        return chosen, single[chosen]
    for name, column in rest.items():
        if all(isinstance(value, Mapping) for value in column):
            inner = next(
                (one for one in LABELS if all(_is_single(v.get(one, ())) for v in column)), None
            )
            if inner is not None:
                return name, [value[inner] for value in column]
        if _one_hot(column):
            return name, np.stack([np.asarray(value) for value in column])
    return None, None


def _is_single(value: Any) -> bool:
    return is_scalar(value) or (
        isinstance(value, np.ndarray | Tensor) and value.ndim == 1 and len(value) == 1
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _one_hot(column: Sequence[Any]) -> bool:
    if not all(
        isinstance(value, np.ndarray | Tensor | list) and np.ndim(value) == 1 for value in column
    ):
        return False
    if len({len(value) for value in column}) > 1:
        return False
    rows = np.stack([np.asarray(value) for value in column])
    return rows.dtype.kind in "fiub" and bool(
        np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all()
    )


def _left(name: Any, column: Sequence[Any], partly: bool) -> str:
    if partly:
        return f"what {_called(name)} of each item holds beside its label"
    return f"{_called(name)} of each item ({_kind(column)})"


def _called(name: Any) -> str:
    if isinstance(name, int):
        return f"the {_PLACES[name]} part" if name < len(_PLACES) else f"part {name + 1}"
    return f"'{name}'"


def _kind(column: Sequence[Any]) -> str:
    value = column[0]
    if is_picture(value):
        return "pictures"
    if isinstance(value, np.ndarray | Tensor) and value.ndim > 0:
        return "arrays"
    if isinstance(value, Mapping):
        return "records"
    if isinstance(value, list | tuple):
        return "lists"
    return "words" if isinstance(value, str) else "numbers"


def _kinds(columns: Mapping[Any, Sequence[Any]]) -> str:
    return few([_kind(column) for column in columns.values()])


def _layout(item: Any, row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return a_type(item)
    names = [str(name) for name in row]
    return f"{len(row)} parts" if all(isinstance(name, int) for name in row) else few(names)
