"""What laws of exercises are made of."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from pushforward.course.values import stacked

# the relative error up to which two numbers of a law are equal: larger for an answer that is right
# up to the rounding of float32
ERROR: ContextVar[float] = ContextVar("ERROR", default=1e-9)


def number(found: Any) -> Tensor:
    """Return what an answer returned as a tensor of float64 without gradients."""
    return stacked(found).detach().double()


def equal(a: Any, b: Any) -> bool:
    """Return whether two answers hold equal numbers up to rounding.

    Example:
        >>> equal(1.0, torch.tensor(1.0 + 1e-12)), equal([1.0], [1.1])
        (True, False)
    """
    error = ERROR.get()
    return bool(
        torch.allclose(
            number(a), number(b), rtol=error, atol=error / 1000 if error < 1e-8 else error
        )
    )
