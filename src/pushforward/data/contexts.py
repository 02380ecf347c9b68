"""Contexts from arrays: vectors or tokens, one sequence an example.

One idea: the shape says what they are: floats (n, width) are one vector each, floats (n, longest,
width) sequences of vectors, integers (n, longest) sequences of tokens; an array `NAME_length` says
where each one ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pushforward.core.context import Context, ContextSpace
from pushforward.core.errors import BadInput, nearest
from pushforward.core.given import Given
from pushforward.data.array_files import load_array
from pushforward.data.formats.file_formats import NPY


def as_context(values: np.ndarray, length: np.ndarray | None, origin: str) -> Context:
    """Return n contexts from an array, all as long as it is if no lengths are given.

    Raises:
        BadInput: another shape, lengths that do not fit, or numbers that are not finite.

    Example:
        >>> as_context(np.zeros((4, 3)), None, "here").values.shape
        torch.Size([4, 1, 3])
    """
    whole = values.dtype.kind in "iub"
    if (
        values.ndim not in ((2,) if whole else (2, 3))
        or values.dtype.kind not in "iubf"
        or 0 in values.shape
    ):
        came = f"contexts of shape {values.shape} and dtype {values.dtype} in {origin}"
        raise BadInput(came, "floats (n, width) or (n, longest, width), or integers (n, longest)")
    if not whole and not np.isfinite(values).all():
        raise BadInput(f"contexts with NaN or infinite numbers in {origin}", "finite numbers")
    if whole and values.min() < 0:
        raise BadInput(f"context tokens down to {values.min()} in {origin}", "tokens from 0 on")
    if not whole and values.ndim == 2:
        values = values[:, None]
    tensor: Tensor = torch.from_numpy(values.astype(np.int64 if whole else np.float32))
    ends = np.full(len(values), values.shape[1]) if length is None else length
    if (
        ends.shape != (len(values),)
        or ends.dtype.kind not in "iu"
        or ends.min() < 0
        or ends.max() > values.shape[1]
    ):
        came = f"context lengths of shape {ends.shape} and dtype {ends.dtype} in {origin}"
        raise BadInput(came, f"{len(values)} whole numbers from 0 to {values.shape[1]}")
    return Context(tensor, torch.from_numpy(ends.astype(np.int64)))


def space_of(context: Context) -> ContextSpace:
    """Return the smallest space that holds some contexts.

    Example:
        >>> space_of(as_context(np.array([[3, 1]]), None, "here"))
        ContextSpace(longest=2, vocabulary=4, width=0)
    """
    longest = context.values.shape[1]
    if context.values.is_floating_point():
        return ContextSpace(longest, width=context.values.shape[2])
    return ContextSpace(longest, vocabulary=int(context.values.max()) + 1)


def read_context(
    arrays: Mapping[str, np.ndarray],
    name: str | None,
    n: int,
    path: Path,
    parts: tuple[str, ...] = ("",),
) -> Context | None:
    """Return the contexts of n examples that an `.npz` holds under a name; None for no name.

    Args:
        parts: endings of the names of arrays that are read one after another.

    Raises:
        BadInput: no such array, another number of contexts, or what `as_context` refuses.
    """
    if name is None:
        return None
    names = [name + part for part in parts]
    for one in names:
        if one not in arrays:
            raise BadInput(
                f"a context '{one}' of {path}", "the name of an array in it", nearest(one, arrays)
            )
    lengths = [f"{name}_length{part}" for part in parts]
    known = all(one in arrays for one in lengths)
    length = np.concatenate([arrays[one] for one in lengths]) if known else None
    found = as_context(
        np.concatenate([arrays[one] for one in names]), length, f"'{name}' of {path}"
    )
    if len(found.length) != n:
        raise BadInput(
            f"{len(found.length)} contexts for {n} examples in {path}", "one context an example"
        )
    return found


def in_context(found: Given | None, context: str, space: ContextSpace | None, n: int) -> Given:
    """Return the condition of n examples that are about a context, whatever else is known of them.

    Raises:
        BadInput: there are no contexts, or what `parse_context` refuses.
    """
    if space is None:
        raise BadInput(
            f"the context '{context}'",
            "none",
            "this run was trained without contexts; leave it out",
        )
    about = parse_context(context, space, n)
    return Given(context=about) if found is None else replace(found, context=about)


def parse_context(text: str, space: ContextSpace, n: int) -> Context:
    """Return the context that `--context` names, for n examples: numbers with commas, or the `.npy`
    of one or of n.

    Raises:
        BadInput: no numbers, no such file, or what the space does not hold.

    Example:
        >>> parse_context("0.5,2", ContextSpace(longest=1, width=2), 2).values.tolist()
        [[[0.5, 2.0]], [[0.5, 2.0]]]
    """
    values = load_array(Path(text)) if NPY.is_named(Path(text)) else _numbers(text, space)
    one = 2 if space.width else 1
    if space.width and values.ndim == 1:
        values = values[None]
    if values.ndim == one:
        values = np.broadcast_to(values, (n, *values.shape))
    if values.ndim != one + 1 or len(values) != n:
        raise BadInput(
            f"contexts of shape {values.shape} for {n} samples",
            f"one, or {n}; each {space.described}",
        )
    if values.size == 0:
        shape = (n, 0, space.width) if space.width else (n, 0)
        empty = torch.zeros(shape, dtype=torch.float32 if space.width else torch.int64)
        return Context(empty, torch.zeros(n, dtype=torch.int64))
    return space.check(as_context(np.ascontiguousarray(values), None, text))


def _numbers(text: str, space: ContextSpace) -> np.ndarray:
    words = [word for word in text.split(",") if word.strip()]
    try:
        return (
            np.array([float(w) for w in words])
            if space.width
            else np.array([int(w) for w in words], dtype=np.int64)
        )
    except ValueError:
        raise BadInput(
            f"the context '{text}'", f"numbers with commas, or an .npy file: {space.described}"
        ) from None
