"""Values as the checker sees them.

One idea: whatever an answer returns becomes a tuple of tensors, and two such tuples are equal up to the rounding of their type
and the size of their numbers.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

ROUNDING = 1e4  # machine epsilons that a right answer may differ by: other orders of summation, other formulas


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
    parts = (found,) if len(returns) == 1 and not isinstance(found, tuple) else found
    if not isinstance(parts, tuple | list):
        raise NotAValue(f"it returns one {_named(found)}, expected {len(returns)} values: {', '.join(returns)}")
    if len(parts) != len(returns):
        raise NotAValue(f"it returns {len(parts)} values, expected {len(returns)}: {', '.join(returns)}")
    return tuple(_tensor(part, name) for part, name in zip(parts, returns))


def same(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> bool:
    """Return whether two tuples have equal shapes and, up to rounding, equal numbers.

    Numbers may differ by `1e4 eps (|b| + max |b|)`, eps that of the coarser type; what is not finite must be the same.
    """
    return all(x.shape == y.shape and close(x, y) for x, y in zip(a, b))


def close(x: Tensor, y: Tensor) -> bool:
    """Return whether two tensors that broadcast hold equal numbers up to rounding."""
    coarse = max((torch.finfo(t.dtype).eps for t in (x, y) if t.is_floating_point()), default=0.0)
    x, y = torch.broadcast_tensors(x.detach().double(), y.detach().double())
    finite = y.isfinite()
    if not torch.equal(finite, x.isfinite()) or not torch.equal(x[~finite].nan_to_num(), y[~finite].nan_to_num()):
        return False
    x, y = x[finite], y[finite]
    scale = float(y.abs().max()) if len(y) else 0.0
    return bool(((x - y).abs() <= ROUNDING * coarse * (y.abs() + scale) + 1e-300).all())


def fresh(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments that may be changed without changing these; functions stay as they are."""
    return tuple(a.clone() if isinstance(a, Tensor) else a if callable(a) else copy.deepcopy(a) for a in arguments)


def shape_text(value: Tensor) -> str:
    """Return a shape in words.

    Example:
        >>> shape_text(torch.zeros(())), shape_text(torch.zeros(3, 2))
        ('a single number', 'shape (3, 2)')
    """
    return "a single number" if value.dim() == 0 else f"shape {tuple(value.shape)}"


def _tensor(part: Any, name: str) -> Tensor:
    if isinstance(part, Tensor):
        return part
    if part is None or isinstance(part, str | bytes):
        raise NotAValue(f"its {name} is {_named(part)}, expected a number or a tensor")
    try:
        value = torch.as_tensor(np.asarray(part, dtype=None if isinstance(part, np.ndarray) else np.float64))
    except (TypeError, ValueError):
        raise NotAValue(f"its {name} is {_named(part)}, expected a number or a tensor") from None
    return value


def _named(found: Any) -> str:
    return type(found).__name__


def brief(value: Tensor) -> str:
    """Return the first numbers of a tensor.

    Example:
        >>> brief(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
        '[1, 2, 3, 4, ...]'
    """
    flat = value.detach().flatten().double().tolist()
    texts = [f"{v:.5g}" if math.isfinite(v) else str(v) for v in flat[:4]]
    return texts[0] if value.dim() == 0 else "[" + ", ".join(texts + ["..."] * (len(flat) > 4)) + "]"
