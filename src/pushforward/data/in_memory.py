"""Data that a program holds already: lists, pairs, torch data sets, columns and records.

One idea: whatever people have in a notebook is brought to one of three shapes (an array, an array
with labels, a DataFrame) before it is opened, so that every verb takes what `load` takes and one
place says what is wrong with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image as Pillow
from torch import Tensor

from pushforward.core.errors import BadInput, refusing
from pushforward.core.in_memory import InMemory
from pushforward.data.class_names import named, names_beside, names_in
from pushforward.data.dataset import Dataset
from pushforward.data.folders import few
from pushforward.data.images.pictures_in_memory import Pictures, is_picture
from pushforward.data.items import EXAMPLES, LABELS, Parts, is_scalar, parts_of, parts_of_columns
from pushforward.data.tensors import plain_tensor
from pushforward.data.text.texts_in_memory import text_columns, text_rows, texts_in

MOST_ITEMS = 2_000_000


@dataclass(frozen=True)
class Held:
    """What a program held, as an array, pictures, one of them with labels, a DataFrame, strings or
    a path, and what was decided."""

    source: Any
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def opening(source: Any, as_rows: bool = True) -> Any:
    """Return what is opened of a source that may be in memory: a data set as it is, else an array,
    a frame or strings.

    Args:
        as_rows: see `held`.

    Example:
        >>> opening(InMemory([[0.0, 1.0], [2.0, 3.0]])).tolist(), opening("digits")
        ([[0.0, 1.0], [2.0, 3.0]], 'digits')
    """
    if not isinstance(source, InMemory):
        return source
    inner = source.source
    return inner if isinstance(inner, Dataset) else held(inner, as_rows=as_rows).source


def held(source: Any, labels: Any = None, as_rows: bool = False) -> Held:
    """Return what can be opened of something that a program holds; strings and paths are handed on
    as they are.

    Args:
        source: an array, tensor, DataFrame, `(examples, labels)`, a list of examples or of
            `(example, label)` pairs, a torch data set or loader, pictures of Pillow, a mapping of
            arrays or columns, records, or what converts itself `to_pandas`.
        labels: one label per example, beside them.
        as_rows: True if a table stays one where it holds texts.

    Raises:
        BadInput: ragged examples, labels twice or of another number, or something that holds no
            examples.

    Example:
        >>> pairs = [(np.zeros((1, 4, 4)), 0), (np.ones((1, 4, 4)), 1)]
        >>> x, y = held(pairs).source
        >>> x.shape, x.dtype.name, y.tolist()
        ((2, 1, 4, 4), 'float64', [0, 1])
    """
    for part in source if isinstance(source, tuple) else (source,):
        if isinstance(part, np.ma.MaskedArray) and bool(np.ma.getmaskarray(part).any()):
            gone = int(np.ma.getmaskarray(part).sum())
            fix = "fill them, drop those rows, or pass a DataFrame with missing values (a table has them)"
            raise BadInput(
                f"an array with {gone:,} masked values", "values that are all there", fix
            )
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        if labels is not None:
            raise BadInput(
                f"labels beside the path {source}",
                "labels in the source itself",
                "pass the array instead",
            )
        return Held(source)
    if isinstance(source, bytes | bytearray | memoryview):
        fix = "write them to a file and name it, or pass text as a list: [data.decode()]"
        raise BadInput(f"{len(source):,} bytes", "an array, a frame, strings or a path", fix)
    found = _shaped(source)
    if isinstance(found.source, pd.DataFrame) and not as_rows:
        found = _of_texts(found, source)
    if labels is None:
        pass
    elif isinstance(found.source, tuple):
        raise BadInput("examples that have labels, and labels beside them", "one of them")
    elif isinstance(found.source, pd.DataFrame):
        raise BadInput(
            "labels beside a DataFrame", "a column of labels in it", "add the column to the frame"
        )
    else:
        found = replace(found, source=(found.source, labels))
    return found


def _shaped(source: Any) -> Held:
    """Return an array, pictures, one of them with labels, a DataFrame, or a list of strings."""
    if isinstance(source, pd.Series):
        return of_frame(source.to_frame(source.name if source.name is not None else "x0"))
    if isinstance(source, pd.DataFrame):
        return of_frame(source)
    if isinstance(source, Tensor):
        return Held(plain_tensor(source))
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if isinstance(source, Pillow.Image):
        raise BadInput("one picture", "at least five examples", "pass a list of pictures")
    if hasattr(source, "toarray"):  # a sparse matrix of scipy
        return Held(source.toarray())
    if hasattr(source, "to_pandas"):
        found = source.to_pandas()
        return _shaped(found) if isinstance(found, pd.Series) else of_frame(found, source)
    if isinstance(source, Mapping):
        return _mapping(source)
    if (
        isinstance(source, tuple)
        and len(source) == 2
        and not is_scalar(source[0])
        and not is_picture(source[0])
    ):
        return Held((_array(source[0], "the examples"), source[1]))
    if hasattr(source, "dataset") and hasattr(
        source, "batch_size"
    ):  # a loader shuffles and transforms a data set
        source = getattr(source, "dataset")  # noqa: B009
    if isinstance(source, Sequence) or (
        hasattr(source, "__getitem__") and hasattr(source, "__len__")
    ):
        return _items(source)
    if hasattr(source, "__iter__"):
        return _items(list(source), source)
    if hasattr(source, "__array__"):
        return Held(np.asarray(source))
    raise BadInput(
        f"data of type {type(source).__name__}",
        "an array, a DataFrame, (examples, labels), a data set, strings or a path",
        "convert it with numpy.asarray",
    )


def _of_array(source: np.ndarray) -> Held:
    if source.ndim == 1 and source.dtype.names is not None:
        return Held(pd.DataFrame(source))
    if source.ndim == 1 and source.dtype == object and len(source) and not is_scalar(source[0]):
        return _items(source.tolist())
    texts = texts_in(source, "the array")
    return Held(source if texts is None else texts)


def _mapping(source: Mapping[Any, Any]) -> Held:
    """Return the arrays of a mapping that names examples as an `.npz` does, else its entries as
    columns."""
    sets = [str(name) for name, value in source.items() if _is_set(value)]
    if sets:
        came = f"a mapping of {len(sets)} data sets ({few(sets)})"
        raise BadInput(came, "one data set", f"choose one of them, such as data['{sets[0]}']")
    key = next((k for k in EXAMPLES if k in source), None)
    if key is not None and _is_stack(source[key]):
        about = next((k for k in LABELS if k in source), None)
        names_key, names = names_beside(source)
        x = _array(source[key], f"'{key}'")
        rest = [str(k) for k in source if k not in (key, about, names_key)]
        lost = (f"what lies beside the examples: {few(rest)}",) if rest else ()
        if about is None:
            return Held(x, lost=lost)
        y, notes = named(source[about], names)
        return Held((x, y), tuple(notes), lost)
    try:
        return of_frame(pd.DataFrame(dict(source)))
    except ValueError as error:
        raise BadInput(
            f"a mapping of columns ({error})", "columns of one length, or arrays called x and y"
        ) from None


def _is_set(value: Any) -> bool:
    """Return whether something is a data set of its own, as the splits are that come in one
    mapping."""
    if isinstance(
        value, Sequence | np.ndarray | Tensor | pd.Series | pd.DataFrame | pd.Index | Mapping
    ):
        return isinstance(value, pd.DataFrame)
    return (
        hasattr(value, "__getitem__")
        and hasattr(value, "__len__")
        and not hasattr(value, "__array__")
    )


def _is_stack(value: Any) -> bool:
    """Return whether an entry holds examples of several numbers each."""
    if isinstance(value, list | tuple):
        return len(value) > 0 and not is_scalar(value[0])
    return np.ndim(value) > 1


def _items(source: Any, whole: Any = None) -> Held:
    n = len(source)
    if n == 0:
        raise BadInput("an empty list", "a list of examples")
    if n > MOST_ITEMS:
        raise BadInput(
            f"{n:,} separate examples",
            f"at most {MOST_ITEMS:,} in a list",
            "stack them into one array",
        )
    whole = source if whole is None else whole
    items = source if isinstance(source, list) else [source[i] for i in range(n)]
    texts = texts_in(items)
    if texts is not None:
        return Held(texts)
    parts = parts_of(items) or text_rows(items)
    if parts is not None:
        return _apart(parts, whole)
    if all(isinstance(item, Mapping) for item in items) and not is_picture(items[0]):
        return Held(pd.DataFrame([dict(item) for item in items]))
    if all(is_dataclass(item) for item in items):
        return Held(pd.DataFrame(items))
    return Held(_array(items, "the list"))


def _apart(parts: Parts, whole: Any, labels: Any = None) -> Held:
    """Return examples with their labels, called as the data set calls them."""
    x = _array(parts.examples, "the examples")
    if parts.labels is None:
        return Held(x, parts.notes, parts.lost)
    if labels is None:
        with refusing("the labels of the items", "one label per example, all of one type"):
            labels = np.asarray([_plain(y) for y in parts.labels])
    y, notes = named(labels, names_in(whole, parts.label), whole)
    return Held((x, y), (*parts.notes, *notes), parts.lost)


def of_frame(frame: pd.DataFrame, whole: Any = None) -> Held:
    """Return a frame whose cells are pictures or arrays as the pair that it stands for, any other
    frame as it is."""
    odd = (
        [name for name in frame.columns if frame[name].dtype == object]
        if frame.columns.is_unique
        else []
    )
    if not len(frame) or not any(not is_scalar(frame[name].iloc[0]) for name in odd):
        return Held(frame)
    parts = parts_of_columns({str(name): frame[name].tolist() for name in frame.columns})
    if parts is None:
        return Held(frame)
    own = next((frame[name] for name in frame.columns if str(name) == parts.label), None)
    return _apart(
        parts, whole, own if isinstance(getattr(own, "dtype", None), pd.CategoricalDtype) else None
    )


def _of_texts(found: Held, whole: Any) -> Held:
    """Return a frame whose rows are texts, or texts with labels, as those, any other as it is."""
    parts = text_columns(found.source)
    if parts is None:
        return found
    texts = _apart(parts, whole)
    note = "a table of texts, so text: kind='table' opens it as a table"
    return replace(texts, notes=(*found.notes, note, *texts.notes), lost=(*found.lost, *texts.lost))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and np.size(value) == 1 else value


def _array(items: Any, what: str) -> Any:
    """Return examples as one array, or as pictures that are still to be read.

    Raises:
        BadInput: examples that are neither, or of different shapes.
    """
    if isinstance(items, Tensor):
        return plain_tensor(items)
    texts = texts_in(items, what)
    if texts is not None:
        return texts
    if isinstance(items, np.ndarray) and items.dtype == object and items.ndim == 1 and len(items):
        items = items.tolist()
    if isinstance(items, np.ndarray | pd.DataFrame):
        return items
    if hasattr(items, "to_numpy"):
        return items.to_numpy()
    pictures = [is_picture(item) for item in items]
    if any(pictures):
        return Pictures(tuple(items))
    with refusing(what, "arrays of numbers, or pictures", "convert them with numpy.asarray"):
        rows = [
            plain_tensor(item).numpy() if isinstance(item, Tensor) else np.asarray(item)
            for item in items
        ]
    shapes = {row.shape for row in rows}
    if len(shapes) > 1:
        if all(row.ndim in (2, 3) for row in rows):
            return Pictures(tuple(items))  # they may be resized, or drawn in other colours
        shown = " and ".join(map(str, sorted(shapes)[:3]))
        raise BadInput(
            f"{what} of different shapes ({shown})",
            "examples of one shape",
            "resize or pad them first",
        )
    return np.stack(rows) if rows else np.empty((0,))
