"""Labels from arrays: the name of each example's class, or the reason why the numbers are none.

One idea: a class is a name that many examples share; numbers that are quantities are not made into
thousands of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.folders import few

# so many different whole numbers may well be a quantity: the user is asked
ASK = 30
# with fewer different labels than this, even many rare ones are classes
FEW = 10


@dataclass(frozen=True)
class Labels:
    """Names of classes, one for each example, or None with the reason.

    Attributes:
        note: what was decided, empty if labels are names as they are.
        lost: what does not reach a model, empty if nothing is lost.
    """

    names: list[str] | None
    note: str = ""
    lost: str = ""


def as_labels(y: np.ndarray, n: int, where: str) -> Labels:
    """Return the labels in an array: names, whole numbers (also as floats), a column of them, or
    one-hot rows.

    Real numbers, rows that are not one-hot and labels that hardly repeat are no classes: they are
    left out, with the reason.

    Args:
        n: how many examples they are for.
        where: what the array is called, for messages.

    Raises:
        BadInput: another number of labels, missing values, Python objects.

    Example:
        >>> as_labels(np.array([[0.0, 1.0], [1.0, 0.0]]), 2, "y").names
        ['1', '0']
    """
    if y.ndim == 0:
        raise BadInput(f"one label for {n} examples in {where}", "one label per example")
    if y.dtype == object:
        y = _plain(y, where)
    y = _squeezed(y, n)
    if len(y) != n:
        raise BadInput(f"{len(y)} labels for {n} examples in {where}", "one label per example")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        rows = np.flatnonzero(~np.isfinite(y.reshape(n, -1)).all(axis=1))
        shown = few([str(row) for row in rows], 10)
        raise BadInput(
            f"NaN or infinity among the labels of {where} (rows {shown})",
            "a label per example",
            "drop them",
        )
    if y.ndim > 1:
        return _rows(y, where)
    if y.dtype.kind == "f" and not (y == np.round(y)).all():
        return _none(where, "they are real numbers, so a quantity and no classes")
    if y.dtype.kind not in "fiubSU":
        return _none(where, f"their type is {y.dtype}, which names no classes")
    return _names(y, where)


def _plain(y: np.ndarray, where: str) -> np.ndarray:
    """Return an array of Python strings as one of a plain type."""
    kinds = sorted({type(value).__name__ for value in y.ravel()})
    if kinds != ["str"]:
        came = f"labels of {where} that are Python objects ({', '.join(kinds[:4])})"
        raise BadInput(
            came,
            "names or whole numbers, all of one type",
            "convert them with numpy.asarray(..., dtype=str)",
        )
    return y.astype(str)


def _squeezed(y: np.ndarray, n: int) -> np.ndarray:
    """Return labels without axes of length 1 beside the one that counts examples."""
    if y.ndim > 1 and y.size == n and max(y.shape) == n:
        return y.reshape(n)
    return y


def _rows(y: np.ndarray, where: str) -> Labels:
    shape = f"shape {y.shape}"
    if y.ndim > 2 or y.dtype.kind not in "fiub":
        return _none(where, f"they have {shape}")
    if not np.isin(y, (0, 1)).all():
        return _none(where, f"they have {shape} and are not one-hot, so a quantity and no classes")
    if (y.sum(axis=1) != 1).any():
        return _none(where, f"they have {shape} and some rows hold several classes or none")
    names = [str(v) for v in y.argmax(axis=1).tolist()]
    return Labels(names, f"the labels in {where} are one-hot, so the class is the place of the 1")


def _names(y: np.ndarray, where: str) -> Labels:
    if y.dtype.kind == "S":
        try:
            y = np.char.decode(y, "utf-8")
        except UnicodeDecodeError:
            raise BadInput(
                f"labels of {where} as bytes that are no UTF-8", "UTF-8 names or whole numbers"
            ) from None
    number = y.dtype.kind in "fiu"
    values = y.astype(np.int64) if y.dtype.kind == "f" else y
    distinct = len(np.unique(values))
    if distinct > FEW and 2 * distinct > len(y):
        what = "a quantity or an identifier" if number else "identifiers"
        return _none(where, f"{distinct:,} of {len(y):,} are different, so {what} and no classes")
    note = (
        f"the labels in {where} are whole numbers written as real ones"
        if y.dtype.kind == "f"
        else ""
    )
    if number and distinct > ASK:
        note = (
            f"{distinct:,} different whole numbers in {where} are taken for classes: "
            "if they are a quantity, leave them out with -s data.labels=false"
        )
    return Labels([str(v) for v in values.tolist()], note)


def _none(where: str, why: str) -> Labels:
    return Labels(
        None, f"the labels in {where} are left out: {why}", f"the labels in {where}: {why}"
    )
