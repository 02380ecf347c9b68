"""Means and spreads of columns of any size.

One idea: every column is divided by a power of two near its largest value first, which is exact, so
that squares of 1e300 do not overflow and those of 1e-300 do not vanish; what is constant is decided
relative to what rounding can do.
"""

from __future__ import annotations

import torch
from torch import Tensor


def location_and_scale(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and population standard deviation of each column, float64; a column that is
    constant up to rounding has scale 1.

    Args:
        x: finite numbers, shape (n, d).

    Example:
        >>> mean, scale = location_and_scale(torch.tensor([[1e300, 5.0], [3e300, 5.0]], dtype=torch.float64))
        >>> scale.tolist()
        [1e+300, 1.0]
    """
    x = x.double()
    largest = x.abs().amax(dim=0)
    _, exponent = torch.frexp(torch.where(largest > 0, largest, torch.ones_like(largest)))
    # in two steps, because the power itself may not be a number
    half = exponent // 2
    scaled = torch.ldexp(torch.ldexp(x, -half), half - exponent)
    mean = scaled.mean(dim=0)
    spread = (scaled - mean).square().mean(dim=0).sqrt()
    varies = spread > 4.0 * torch.finfo(torch.float64).eps * mean.abs()
    scale = torch.ldexp(torch.ldexp(spread, half), exponent - half)
    return torch.ldexp(torch.ldexp(mean, half), exponent - half), torch.where(
        varies, scale, torch.ones_like(scale)
    )
