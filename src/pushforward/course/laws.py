"""What laws of exercises are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def number(found: Any) -> Tensor:
    """Return what an answer returned as a tensor of float64 without gradients."""
    return (
        found.detach().double() if isinstance(found, Tensor) else torch.as_tensor(np.asarray(found, dtype=np.float64))
    )


def equal(a: Any, b: Any) -> bool:
    """Return whether two answers hold equal numbers up to rounding.

    Example:
        >>> equal(1.0, torch.tensor(1.0 + 1e-12)), equal([1.0], [1.1])
        (True, False)
    """
    return bool(torch.allclose(number(a), number(b), rtol=1e-9, atol=1e-12))
