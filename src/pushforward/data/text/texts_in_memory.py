"""Texts that a program holds: columns, arrays and lists of strings, and rows of a text beside its
label.

Two ideas: strings of which most differ are texts, because a column of such strings could only be an
identifier; whatever is neither is refused with the line of Python that makes texts of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, a_type
from pushforward.data.folders import counted
from pushforward.data.images.pictures_in_memory import is_picture
from pushforward.data.items import LABELS, Parts, is_scalar
from pushforward.data.tables.schema import infer


def texts_in(items: Any, what: str = "the list") -> list[str] | None:
    """Return a list, an array or a column of strings as texts, None if it holds no strings.

    Args:
        what: it is called in messages.

    Raises:
        BadInput: gaps or other things among strings, bytes, or names of files.

    Example:
        >>> texts_in(np.array([["one"], ["two"]])), texts_in([1, 2])
        (['one', 'two'], None)
    """
    if isinstance(items, np.ndarray):
        if items.dtype.kind not in "OUTS" or items.size != len(items):
            return None
        items = items.reshape(len(items))
    elif not isinstance(items, list | tuple | pd.Series | pd.Index):
        return None
    values = list(items) if isinstance(items, list | tuple) else items.tolist()
    if any(isinstance(value, bytes) for value in values) and all(
        isinstance(value, bytes) for value in values
    ):
        if is_picture(values[0]):
            return None
        raise BadInput(
            f"{counted(len(values), 'text')} as bytes in {what}",
            "strings",
            "decode them: [t.decode() for t in texts]",
        )
    if values and all(
        isinstance(value, os.PathLike) and not is_picture(value) for value in values[:3]
    ):
        raise _names_of_files(values, what)
    words = [isinstance(value, str) for value in values]
    if not any(words) or not all(map(is_scalar, values)):
        return None
    if not all(words):
        _refuse(values, words, what)
    if all(map(_is_file, values[:3])):
        raise _names_of_files(values, what)
    return values


def text_rows(items: Sequence[Any]) -> Parts | None:
    """Return the texts and labels of rows `(text, label)`, in either order; None of rows without
    strings.

    Raises:
        BadInput: rows of words that are no text beside a label.

    Example:
        >>> text_rows([("to be", 1), ("or not to be", 0)]).labels
        [1, 0]
    """
    if not all(isinstance(item, tuple | list) and all(map(is_scalar, item)) for item in items):
        return None
    if not any(isinstance(part, str) for item in items for part in item):
        return None
    widths = {len(item) for item in items}
    columns = list(zip(*items, strict=True)) if len(widths) == 1 else []
    found = (
        None
        if len(columns) != 2
        else _beside({i: list(column) for i, column in enumerate(columns)})
    )
    if found is not None:
        return found
    if len(columns) == 1:
        return Parts(texts_in(list(columns[0])))
    rows = f"rows of {widths.pop()} words or numbers" if columns else "lists of words"
    fix = ["pd.DataFrame(rows) is a table"] if columns else []
    fix += ["[row[0] for row in rows] is a part of each"] if columns else []
    words = all(isinstance(part, str) for item in items for part in item)
    fix += ["[' '.join(row) for row in rows] joins words"] if words else []
    raise BadInput(rows, "texts, each with its label or without", "; ".join(fix) or "bring strings")


def text_columns(frame: pd.DataFrame) -> Parts | None:
    """Return the texts of a table that holds nothing else, or nothing but a label of each; None of
    other tables.

    Example:
        >>> text_columns(pd.DataFrame({"text": ["to be", "or not"]})).examples
        ['to be', 'or not']
    """
    if not 1 <= frame.shape[1] <= 2 or not len(frame) or not frame.columns.is_unique:
        return None
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    columns = {
        name: frame[name].tolist() for name in frame.columns if frame[name].dtype.kind in "OUT"
    }
    if not columns:
        return None
    if frame.shape[1] == 1:
        name, column = next(iter(columns.items()))
        strings = [value for value in column if isinstance(value, str)]
        own = _differ(strings) and _is_no_column(frame)
        return Parts(texts_in(column, f"the column '{name}'")) if own else None
    prose = {
        name: column
        for name, column in columns.items()
        if _is_prose(column) and _is_no_column(frame.filter([name]))
    }
    return (
        None
        if len(prose) != 1
        else _beside({name: frame[name].tolist() for name in frame.columns}, prose)
    )


def _beside(
    columns: dict[Any, list[Any]], texts: dict[Any, list[Any]] | None = None
) -> Parts | None:
    """Return one of two columns as texts, the other as their labels."""
    strings = {
        name: column
        for name, column in columns.items()
        if any(isinstance(value, str) for value in column)
    }
    strings = strings if texts is None else texts
    key = max(strings, key=lambda name: len({str(value) for value in strings[name]}))
    (other,) = (name for name in columns if name != key)
    labels = columns[other]
    if not _differ([value for value in columns[key] if isinstance(value, str)]):
        return None
    repeated = len(set(map(str, labels))) <= max(2, len(labels) / 2)
    if not all(map(is_scalar, labels)) or not (repeated or other in LABELS):
        return None
    named = isinstance(key, str)
    where = (
        f"the column '{key}'"
        if named
        else "the first part of each"
        if key == 0
        else "the second part of each"
    )
    beside = f"'{other}'" if named else "the other"
    found = texts_in(columns[key], where)
    return Parts(
        found,
        labels,
        (f"{where} is a text, and {beside} its label",),
        label=other if named else None,
    )


def _differ(strings: Sequence[str]) -> bool:
    return 2 * len(set(strings)) > len(strings)


def _is_prose(column: Sequence[Any]) -> bool:
    """Return whether a column holds words in sentences, as no identifier does."""
    strings = [value for value in column if isinstance(value, str)]
    return (
        2 * len(strings) > len(column)
        and _differ(strings)
        and 2 * sum(len(one.split()) > 2 for one in strings) > len(strings)
    )


def _is_no_column(frame: pd.DataFrame) -> bool:
    """Return whether strings are neither numbers nor dates to a table: at best classes, at worst an
    identifier."""
    try:
        return infer(frame).table.columns[0].kind == "categorical"
    except BadInput:
        return True


def _is_file(value: str) -> bool:
    try:
        return "\n" not in value and len(value) < 4096 and Path(value).is_file()
    except (OSError, ValueError):
        return False


def _names_of_files(values: Sequence[Any], what: str) -> BadInput:
    came = f"{counted(len(values), 'name')} of files in {what}, such as '{values[0]}'"
    fix = "name the folder that they lie in, or read them first: [open(p).read() for p in paths]"
    return BadInput(came, "what is in them", fix)


def _refuse(values: Sequence[Any], words: Sequence[bool], what: str) -> None:
    others = [i for i, word in enumerate(words) if not word]
    gaps = [i for i in others if is_scalar(values[i]) and pd.isna(values[i])]
    if len(gaps) == len(others):
        came = f"{counted(len(gaps), 'gap')} among {len(values):,} texts in {what}, the first at {gaps[0]} ({values[gaps[0]]})"
        fix = "leave them out: [t for t in texts if isinstance(t, str)], or column.dropna()"
        raise BadInput(came, "a string each", fix)
    odd = next(i for i in others if i not in set(gaps))
    came = f"{a_type(values[odd])} at {odd} among texts in {what}"
    raise BadInput(came, "a string each", "leave it out, or make it one with str()")
