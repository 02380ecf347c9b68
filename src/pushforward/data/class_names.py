"""What a data set calls its classes, and their order.

One idea: where labels are numbers, the data set knows the names that they stand for; they and their
order are kept, so that nobody has to remember that 3 is a cat.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pushforward.data.folders import counted, few

NAMES = ("classes", "class_names", "label_names", "target_names", "categories")


def names_in(source: Any, field: str | None = None) -> tuple[str, ...]:
    """Return the names of a data set's classes by number, empty if it has none; a part of a data
    set has those of the whole.

    Args:
        field: what its labels are called, where it describes its fields.
    """
    if isinstance(source, Path):
        return _filed(source, field)
    for name in ("classes", "class_names"):
        if found := _names(getattr(source, name, None)):
            return found
    numbers = getattr(source, "class_to_idx", None)
    if isinstance(numbers, Mapping) and sorted(numbers.values(), key=str) == sorted(
        range(len(numbers)), key=str
    ):
        return tuple(map(str, sorted(numbers, key=lambda name: numbers[name])))
    described = getattr(source, "features", None)
    if isinstance(described, Mapping) and field in described:
        return _names(getattr(described[field], "names", None))
    whole = getattr(source, "dataset", None)
    if whole is not None and whole is not source:
        return names_in(whole, field)
    several = getattr(source, "datasets", None)
    if isinstance(several, Sequence) and several:
        found = {names_in(one, field) for one in several}
        return found.pop() if len(found) == 1 else ()
    return ()


def names_beside(columns: Mapping[Any, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return the key and the names of classes in a mapping that holds them beside its arrays, as
    scikit-learn's data sets do.

    Example:
        >>> names_beside({"data": 0, "target_names": ["a", "b"]})
        ('target_names', ('a', 'b'))
    """
    for key in NAMES:
        if key in columns and (found := _names(columns[key])):
            return key, found
    return None, ()


def named(labels: Any, names: Sequence[str], source: Any = None) -> tuple[Any, list[str]]:
    """Return labels with their names and the order of the classes, where the names are theirs, and
    what was decided.

    Example:
        >>> found, notes = named(np.array([1, 0, 1]), ("owl", "cat"))
        >>> list(found), list(found.categories), notes
        (['cat', 'owl', 'cat'], ['owl', 'cat'], ["the names of the classes are the data set's own"])
    """
    if labels is None or not names:
        return labels, []
    y = _numbers(np.asarray(labels))
    if y.ndim != 1 or y.size == 0:
        return labels, []
    if y.dtype.kind == "U" and set(y.tolist()) <= set(names):
        return _categories(y.tolist(), names), _absent(y.tolist(), names)
    if y.dtype.kind not in "iu":
        return labels, []
    if getattr(source, "target_transform", None) is not None:
        return labels, [
            "the data set changes its labels (target_transform), so its names of classes are not theirs"
        ]
    if int(y.min()) < 0 or int(y.max()) >= len(names):
        said = f"the data set names {counted(len(names), 'class').replace('classs', 'classes')}"
        return labels, [
            f"{said}, but has labels from {int(y.min())} to {int(y.max())}, so they stay numbers"
        ]
    told = [str(names[int(i)]) for i in y]
    return _categories(told, names), [
        "the names of the classes are the data set's own",
        *_absent(told, names),
    ]


def _numbers(y: np.ndarray) -> np.ndarray:
    """Return labels in a column, or one-hot, as one number each; others as they are."""
    if y.ndim > 1 and y.size == len(y):
        return y.reshape(len(y))
    one_hot = (
        y.ndim == 2
        and y.dtype.kind in "fiub"
        and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all())
    )
    return y.argmax(axis=1) if one_hot else y


def order_of(labels: Any) -> tuple[str, ...]:
    """Return the categories of labels whose order means something, empty for others.

    Example:
        >>> order_of(pd.Categorical(["low", "high"], ["low", "high"], ordered=True)), order_of(["low", "high"])
        (('low', 'high'), ())
    """
    kind = getattr(labels, "dtype", None)
    return (
        tuple(map(str, kind.categories))
        if isinstance(kind, pd.CategoricalDtype) and kind.ordered
        else ()
    )


def _categories(told: list[str], names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical(told, categories=list(names), ordered=True)


def _absent(told: Sequence[str], names: Sequence[str]) -> list[str]:
    there = set(told)
    absent = [name for name in names if name not in there]
    return [f"classes without examples: {few(absent)}"] if absent else []


def _filed(path: Path, field: str | None) -> tuple[str, ...]:
    """Return the names of classes that a Parquet file keeps beside its schema, as the Hub's do."""
    if not path.is_file():
        return ()
    import pyarrow.parquet

    try:
        described = json.loads((pyarrow.parquet.read_schema(path).metadata or {})[b"huggingface"])
        return _names(described["info"]["features"][field]["names"])
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def _names(found: Any) -> tuple[str, ...]:
    """Return names if something is a list of them; several words for one class are joined, and
    equal names told apart."""
    if isinstance(found, np.ndarray) and found.ndim == 1:
        found = found.tolist()
    if not isinstance(found, list | tuple) or len(found) < 2:
        return ()
    words = []
    for one in found:
        if isinstance(one, str | int) and not isinstance(one, bool):
            words.append(str(one))
        elif isinstance(one, list | tuple) and one and all(isinstance(word, str) for word in one):
            words.append(", ".join(one))
        else:
            return ()
    times = Counter(words)
    return tuple(f"{word} ({i})" if times[word] > 1 else word for i, word in enumerate(words))
