"""Values as the checker sees them.

Two ideas: whatever an answer returns becomes a tuple of tensors, and two such tuples are equal up
to the rounding of float64 and the size of their numbers; what is equal only up to the rounding of a
coarser type is right too, and its precision has a name.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

# relative errors that a right answer may have: other orders of summation, other formulas, constants
# of float32
EXACT, SINGLE = 1e4 * torch.finfo(torch.float64).eps, 64 * torch.finfo(torch.float32).eps
# what a type of three or of two digits may be off by after a formula
COARSE = {
    torch.float16: 16 * torch.finfo(torch.float16).eps,
    torch.bfloat16: 8 * torch.finfo(torch.bfloat16).eps,
}


class NotAValue(Exception):
    """What came back is no number or tensor; the message says what it is."""


def values_of(found: Any, returns: tuple[str, ...]) -> tuple[Tensor, ...]:
    """Return what an answer returned as tensors, one for each name.

    Raises:
        NotAValue: None, another number of values, or something that is no number.

    Example:
        >>> [v.shape for v in values_of((1.0, [2.0, 3.0]), ("a", "b"))]
        [torch.Size([]), torch.Size([2])]
    """
    if found is None:
        raise NotAValue("it returns None; is a `return` missing?")
    parts = found
    if len(returns) == 1 and not (
        isinstance(found, tuple) and (len(found) == 1 or not _are_numbers(found))
    ):
        parts = (found,)
    elif isinstance(found, Tensor | np.ndarray) and found.ndim > 0 and len(found) == len(returns):
        parts = tuple(found)
    if not isinstance(parts, tuple | list):
        raise NotAValue(
            f"it returns one {_named(found)}, expected {len(returns)} values: {', '.join(returns)}"
        )
    if len(parts) != len(returns):
        raise NotAValue(
            f"it returns {len(parts)} values, expected {len(returns)}: {', '.join(returns)}"
        )
    return tuple(_tensor(part, name) for part, name in zip(parts, returns))


def same(a: tuple[Tensor, ...], b: tuple[Tensor, ...], error: float = EXACT) -> bool:
    """Return whether two tuples have equal shapes and, up to rounding, equal numbers.

    Numbers may differ by `error (|b| + max |b|)`; what is not finite must be the same.
    """
    return all(x.shape == y.shape and close(x, y, error) for x, y in zip(a, b))


def close(x: Tensor, y: Tensor, error: float = EXACT) -> bool:
    """Return whether two tensors that broadcast hold equal numbers up to a relative error."""
    x, y = torch.broadcast_tensors(x.detach().double(), y.detach().double())
    finite = y.isfinite()
    if not torch.equal(finite, x.isfinite()) or not torch.equal(
        x[~finite].nan_to_num(), y[~finite].nan_to_num()
    ):
        return False
    x, y = x[finite], y[finite]
    scale = float(y.abs().max()) if len(y) else 0.0
    return bool(((x - y).abs() <= error * (y.abs() + scale) + 1e-300).all())


def coarsest(values: Sequence[tuple[Tensor, ...]]) -> torch.dtype:
    """Return the coarsest type of floats in which values were made, by their type or because every
    number is one of that type.

    Example:
        >>> coarsest([(torch.tensor(0.1).half().double(),)]), coarsest([(torch.tensor(0.1).double() / 3,)])
        (torch.float16, torch.float64)
    """
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        for output in zip(*values):
            if any(v.dtype == dtype for v in output) or _fit(output, dtype):
                return dtype
    return torch.float64


def _fit(output: Sequence[Tensor], dtype: torch.dtype) -> bool:
    """Whether all numbers that do not fit every type, as 0, 1/2 and 1 do, are numbers of this
    one."""
    numbers = torch.cat([v.detach().double().flatten() for v in output])
    telling = numbers[numbers.isfinite() & (numbers * 8 % 1 != 0)]
    return len(telling) > 0 and torch.equal(telling.to(dtype).double(), telling)


def fresh(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments that may be changed without changing these; functions stay as they are."""
    return tuple(
        a.clone() if isinstance(a, Tensor) else a if callable(a) else copy.deepcopy(a)
        for a in arguments
    )


def shape_text(value: Tensor) -> str:
    """Return a shape in words.

    Example:
        >>> shape_text(torch.zeros(())), shape_text(torch.zeros(3, 2))
        ('a single number', 'shape (3, 2)')
    """
    return "a single number" if value.dim() == 0 else f"shape {tuple(value.shape)}"


def _tensor(part: Any, name: str) -> Tensor:
    if part is None or isinstance(part, str | bytes):
        raise NotAValue(f"its {name} is {_named(part)}, expected a number or a tensor")
    try:
        value = stacked(part)
        if value.is_complex() and not bool(value.imag.detach().abs().max() > 0):
            value = value.real
    except Exception:
        raise NotAValue(f"its {name} is {_named(part)}, expected a number or a tensor") from None
    if value.is_complex():
        raise NotAValue(f"its {name} is complex, expected real numbers")
    return value


def stacked(part: Any) -> Tensor:
    """Return numbers as one dense tensor on the CPU: a tensor of any layout, nested lists of
    tensors, an array, a number."""
    if isinstance(part, Tensor):
        if part.is_nested:
            raise TypeError("rows of different lengths")
        dense = (
            part.dequantize()
            if part.is_quantized
            else part.to_dense()
            if part.layout != torch.strided
            else part
        )
        return dense.as_subclass(Tensor).cpu() if type(dense) is not Tensor else dense.cpu()
    if isinstance(part, list | tuple) and any(
        isinstance(each, Tensor | list | tuple) for each in part
    ):
        return torch.stack([stacked(each) for each in part])
    if isinstance(part, bool | int | list | tuple):
        array = np.asarray(part)
        return torch.as_tensor(array if array.dtype.kind in "bi" else array.astype(np.float64))
    return torch.as_tensor(
        np.asarray(part, dtype=None if isinstance(part, np.ndarray | np.generic) else np.float64)
    )


def _are_numbers(parts: tuple[Any, ...]) -> bool:
    """Whether the parts of a tuple are the entries of one value and not several values."""
    return all(
        isinstance(p, int | float | np.number) or (isinstance(p, Tensor) and p.dim() == 0)
        for p in parts
    )


def _named(found: Any) -> str:
    return type(found).__name__


def brief(value: Tensor, digits: int = 5) -> str:
    """Return the first numbers of a tensor.

    Example:
        >>> brief(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
        '[1, 2, 3, 4, ...]'
    """
    flat = value.detach().flatten().double().tolist()
    texts = [f"{v:.{digits}g}" if math.isfinite(v) else str(v) for v in flat[:4]]
    return (
        texts[0] if value.dim() == 0 else "[" + ", ".join(texts + ["..."] * (len(flat) > 4)) + "]"
    )
