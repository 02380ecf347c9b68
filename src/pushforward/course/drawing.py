"""Random arguments for exercises: float64, of sizes that differ between cases, with a batch of one
among them."""

from __future__ import annotations

import torch
from torch import Tensor

SIZES = ((3, 2), (5, 4), (1, 3), (7, 1), (4, 5), (6, 6))


def sizes(case: int) -> tuple[int, int]:
    """Return batch and dimension of a case.

    Example:
        >>> sizes(0), sizes(2)
        ((3, 2), (1, 3))
    """
    return SIZES[case % len(SIZES)]


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Return standard normal numbers."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def uniform(generator: torch.Generator, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return uniform numbers between `low` and `high`."""
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


def integers(generator: torch.Generator, high: int, *shape: int) -> Tensor:
    """Return integers from 0 to `high - 1`."""
    return torch.randint(high, shape, generator=generator)
