"""Data that a program holds already: lists, pairs, torch data sets, columns and records.

One idea: whatever people have in a notebook is brought to one of three shapes (an array, an array with labels, a DataFrame)
before it is opened, so that every verb takes what `load` takes and one place says what is wrong with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image as Picture
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.data.tensors import plain_tensor

EXAMPLES = ("x", "X", "data", "image", "images", "img", "pixel_values", "arr_0")
LABELS = ("y", "Y", "label", "labels", "target", "targets", "class")
MOST_ITEMS = 2_000_000


@dataclass(frozen=True)
class Held:
    """What a program held, as an array, an `(array, labels)` pair, a DataFrame, strings, or a path."""

    source: Any
    notes: tuple[str, ...] = ()


def held(source: Any, labels: Any = None) -> Held:
    """Return what can be opened of something that a program holds; strings and paths are handed on as they are.

    Args:
        source: an array, tensor, DataFrame, `(examples, labels)`, a list of examples or of `(example, label)` pairs, a torch data
            set or loader, pictures of Pillow, a mapping of arrays or columns, records, or what converts itself `to_pandas`.
        labels: one label per example, beside them.

    Raises:
        BadInput: ragged examples, labels twice or of another number, or something that holds no examples.

    Example:
        >>> pairs = [(np.zeros((1, 4, 4)), 0), (np.ones((1, 4, 4)), 1)]
        >>> x, y = held(pairs).source
        >>> x.shape, x.dtype.name, y.tolist()
        ((2, 1, 4, 4), 'uint8', [0, 1])
    """
    for part in source if isinstance(source, tuple) else (source,):
        if isinstance(part, np.ma.MaskedArray) and bool(np.ma.getmaskarray(part).any()):
            gone = int(np.ma.getmaskarray(part).sum())
            fix = "fill them, drop those rows, or pass a DataFrame with missing values (a table has them)"
            raise BadInput(f"an array with {gone:,} masked values", "values that are all there", fix)
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        if labels is not None:
            raise BadInput(f"labels beside the path {source}", "labels in the source itself", "pass the array instead")
        return Held(source)
    if isinstance(source, bytes | bytearray | memoryview):
        fix = "write them to a file and name it, or pass text as a list: [data.decode()]"
        raise BadInput(f"{len(source):,} bytes", "an array, a frame, strings or a path", fix)
    found = _shaped(source)
    if labels is None:
        pass
    elif isinstance(found, tuple):
        raise BadInput("examples that have labels, and labels beside them", "one of them")
    elif isinstance(found, pd.DataFrame):
        raise BadInput("labels beside a DataFrame", "a column of labels in it", "add the column to the frame")
    else:
        found = (found, labels)
    return _with_levels(found)


def _shaped(source: Any) -> Any:
    """Return an array, an `(array, labels)` pair, a DataFrame, or a list of strings."""
    if isinstance(source, pd.Series):
        return source.to_frame(source.name if source.name is not None else "x0")
    if isinstance(source, pd.DataFrame):
        return _records(source)
    if isinstance(source, Tensor):
        return plain_tensor(source)
    if isinstance(source, np.ndarray):
        if source.ndim == 1 and source.dtype.names is not None:
            return pd.DataFrame(source)
        return source.tolist() if source.ndim == 1 and source.dtype.kind in "UT" else source
    if hasattr(source, "toarray"):  # a sparse matrix of scipy
        return source.toarray()
    if hasattr(source, "to_pandas"):
        return _records(source.to_pandas())
    if isinstance(source, Mapping):
        return _mapping(source)
    if isinstance(source, tuple) and len(source) == 2 and not _is_scalar(source[0]):
        return _array(source[0], "the examples"), source[1]
    if hasattr(source, "dataset") and hasattr(source, "batch_size"):  # a loader shuffles and transforms a data set
        source = getattr(source, "dataset")  # noqa: B009
    if isinstance(source, Sequence) or (hasattr(source, "__getitem__") and hasattr(source, "__len__")):
        return _items(source)
    if hasattr(source, "__iter__"):
        return _items(list(source))
    if hasattr(source, "__array__"):
        return np.asarray(source)
    raise BadInput(
        f"data of type {type(source).__name__}",
        "an array, a DataFrame, (examples, labels), a data set, strings or a path",
        "convert it with numpy.asarray",
    )


def _mapping(source: Mapping[str, Any]) -> Any:
    """Return the arrays of a mapping that names examples as an `.npz` does, else its entries as columns."""
    key = next((k for k in EXAMPLES if k in source), None)
    if key is not None and np.ndim(source[key]) > 1:
        about = next((k for k in LABELS if k in source), None)
        x = _array(source[key], f"'{key}'")
        return x if about is None else (x, source[about])
    try:
        return pd.DataFrame(dict(source))
    except ValueError as error:
        raise BadInput(f"a mapping of columns ({error})", "columns of one length, or arrays called x and y") from None


def _items(source: Any) -> Any:
    n = len(source)
    if n == 0:
        raise BadInput("an empty list", "at least five examples")
    if n > MOST_ITEMS:
        raise BadInput(f"{n:,} separate examples", f"at most {MOST_ITEMS:,} in a list", "stack them into one array")
    items = source if isinstance(source, list) else [source[i] for i in range(n)]
    if all(isinstance(item, str) for item in items):
        return items
    if all(isinstance(item, Mapping) for item in items):
        return _records(pd.DataFrame([dict(item) for item in items]))
    if all(_is_pair(item) for item in items):
        return _array([x for x, _ in items], "the examples"), np.asarray([_plain(y) for _, y in items])
    if all(isinstance(item, tuple) and len(item) == 1 for item in items):  # a `TensorDataset` of examples alone
        items = [item[0] for item in items]
    return _array(items, "the list")


def _records(frame: pd.DataFrame) -> Any:
    """Return a frame whose cells are pictures or arrays as the pair that it stands for, any other frame as it is."""
    key = (
        next((k for k in EXAMPLES if k in frame.columns and not _is_scalar(frame[k].iloc[0])), None)
        if len(frame)
        else None
    )
    if key is None:
        return frame
    about = next((k for k in LABELS if k in frame.columns), None)
    x = _array(frame[key].tolist(), f"'{key}'")
    return x if about is None else (x, frame[about].to_numpy())


def _is_scalar(item: Any) -> bool:
    return (
        isinstance(item, str | bytes | bool | int | float) or item is None or (hasattr(item, "ndim") and item.ndim == 0)
    )


def _is_pair(item: Any) -> bool:
    """Return whether an item is an example beside its label: two numbers are a point, an array and a number are a pair."""
    return isinstance(item, tuple | list) and len(item) == 2 and not _is_scalar(item[0]) and _is_scalar(item[1])


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _array(items: Any, what: str) -> Any:
    """Return examples as one array.

    Raises:
        BadInput: examples of different shapes.
    """
    if isinstance(items, Tensor):
        return plain_tensor(items)
    if isinstance(items, np.ndarray | pd.DataFrame):
        return items
    if hasattr(items, "to_numpy"):
        return items.to_numpy()
    rows = [np.asarray(_channels_first(item)) for item in items]
    shapes = {row.shape for row in rows}
    if len(shapes) > 1:
        shown = " and ".join(map(str, sorted(shapes)[:3]))
        raise BadInput(f"{what} of different shapes ({shown})", "examples of one shape", "resize or pad them first")
    return np.stack(rows) if rows else np.empty((0,))


def _channels_first(item: Any) -> Any:
    if isinstance(item, Tensor):
        return plain_tensor(item).numpy()
    if isinstance(item, Picture.Image):
        return np.asarray(item if item.mode in ("L", "RGB", "RGBA", "I;16", "I") else item.convert("RGB"))
    return item


def _with_levels(found: Any) -> Held:
    """Return intensities in [0, 1] that are whole 255ths, as tensors of pictures are, as the levels that they came from."""
    x = found[0] if isinstance(found, tuple) else found
    if not isinstance(x, np.ndarray | Tensor) or x.ndim < 3:
        return Held(found)
    array = x.detach().cpu().numpy() if isinstance(x, Tensor) else x
    whole = array.dtype.kind == "f" and array.size > 0 and bool(np.isfinite(array).all())
    if not whole or array.min() < 0 or array.max() > 1:
        return Held(found)
    levels = np.rint(array * 255.0)
    # a float32 quotient by 255 is off by at most half a unit of its last place
    if bool(np.abs(array * 255.0 - levels).max() > 1e-4):
        return Held(found)
    two = bool(((array == 0) | (array == 1)).all())
    levels = (array if two else levels).astype(np.uint8)
    note = (
        "intensities of 0 and 1, so two levels"
        if two
        else "intensities in whole 255ths, so 256 levels (255 times as large)"
    )
    return Held((levels, found[1]) if isinstance(found, tuple) else levels, (note,))
