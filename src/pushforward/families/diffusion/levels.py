"""Integer levels on [-1, 1] seen through Gaussian noise: a decoder that sums to one, and the mean it implies.

One idea: `P(v | y) = N(y; v, s^2) / sum_w N(y; w, s^2)` over the L levels is an honest probability, whatever the noise s.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Decoder(ABC):
    """`log p(x | y)` for `y = x + sigma_min eps`, averaged over eps: the last step of a diffusion model to its data."""

    @abstractmethod
    def expected(self, x: Tensor) -> Tensor:
        """Return `E_eps log p(x | x + sigma_min eps)` of shape (n,), without Monte Carlo noise."""


class GaussianDecoder(Decoder):
    """`p(x | y) = N(x; y, sigma_min^2)` for continuous data: `E log p = -D/2 log(2 pi e sigma_min^2)`.

    Example:
        >>> round(float(GaussianDecoder(1.0).expected(torch.zeros(1, 2))), 4)
        -2.8379
    """

    def __init__(self, sigma_min: float) -> None:
        self.sigma_min = sigma_min

    def expected(self, x: Tensor) -> Tensor:
        """Return the negative entropy of D Gaussians, the same for every x."""
        nats = -0.5 * x[0].numel() * math.log(2.0 * math.pi * math.e * self.sigma_min**2)
        return torch.full((x.shape[0],), nats, dtype=x.dtype, device=x.device)


class LevelDecoder(Decoder):
    """`P(x | y)` proportional to `N(y; x, sigma_min^2)` over the levels of every pixel (Kingma et al. 2021, section 3.3).

    The expectation over eps depends on the level alone, so it is a table of L numbers, integrated once in float64.

    Example:
        >>> decoder = LevelDecoder(levels=3, sigma_min=0.1)
        >>> decoder.table.exp().round(decimals=3).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, levels: int, sigma_min: float) -> None:
        self.levels, self.sigma_min = levels, sigma_min
        # the trapezoid rule converges geometrically on a Gaussian integrand
        eps = torch.linspace(-8.0, 8.0, 257, dtype=torch.float64)
        weight = torch.softmax(-0.5 * eps**2, dim=0)
        values = level_values(levels).double()
        rows = []
        for index, value in enumerate(values):
            logits = -0.5 * ((value + sigma_min * eps).unsqueeze(1) - values) ** 2 / sigma_min**2
            rows.append((weight * logits.log_softmax(1)[:, index]).sum())
        self.table = torch.stack(rows)

    def expected(self, x: Tensor) -> Tensor:
        """Look every pixel up."""
        index = ((x + 1.0) * ((self.levels - 1) / 2.0)).round().long()
        return self.table.to(x)[index].flatten(1).sum(1)


def level_values(levels: int) -> Tensor:
    """Return the L evenly spaced values in [-1, 1].

    Example:
        >>> level_values(3).tolist()
        [-1.0, 0.0, 1.0]
    """
    return torch.linspace(-1.0, 1.0, levels)


FEW = 33  # so many levels are summed outright
REACH = 16  # of more levels, so many on either side are summed
FINE = 3.0  # up to a noise of so many spacings; above it the sum is an integral


def level_mean(y: Tensor, noise_level: Tensor, levels: int) -> Tensor:
    """Return the mean of the levels given y alone, `sum_v v N(y; v, s^2) / sum_v N(y; v, s^2)`, smooth in y at every noise.

    At noise far below the spacing this is rounding, far above it the mean of a truncated normal. Many levels are summed near y
    where the others weigh less than e^-14, and integrated to half a spacing beyond the last ones where the noise is wider: within
    0.03 s of the sum for y up to 3 s outside. A window of few levels that moves with y jumps where y crosses a midpoint, and a
    flow through a network that sees jumps has no density by its Jacobian.

    Args:
        y: noisy values, any shape.
        noise_level: s, of a shape that broadcasts to y's.
        levels: number of even levels on [-1, 1].

    Example:
        >>> level_mean(torch.tensor([0.1, 3.0]), torch.tensor(0.05), levels=3).tolist()
        [0.0, 1.0]
    """
    if levels <= FEW:
        values = level_values(levels).to(y)
        weight = (-0.5 * ((y.unsqueeze(-1) - values) / noise_level.unsqueeze(-1)) ** 2).softmax(-1)
        return (weight * values).sum(-1)
    spacing = 2.0 / (levels - 1)
    fine = noise_level < FINE * spacing
    # each branch sees noise that suits it, so that the other's gradient stays finite
    near = _near_mean(y, torch.where(fine, noise_level, FINE * spacing), levels)
    return torch.where(fine, near, _integrated_mean(y, torch.where(fine, FINE * spacing, noise_level), levels))


def _near_mean(y: Tensor, noise_level: Tensor, levels: int) -> Tensor:
    spacing = 2.0 / (levels - 1)
    index = ((y + 1.0) / spacing).round().clamp(0, levels - 1)
    total, weighted = torch.zeros_like(y), torch.zeros_like(y)
    base = index * spacing - 1.0
    peak = -0.5 * ((y - base) / noise_level) ** 2
    for offset in range(-REACH, REACH + 1):
        inside = (index + offset >= 0) & (index + offset <= levels - 1)
        logit = -0.5 * ((y - base - offset * spacing) / noise_level) ** 2 - peak
        weight = torch.where(inside, logit, -math.inf).exp()
        total = total + weight
        weighted = weighted + weight * (offset * spacing)
    return base + weighted / total


def _integrated_mean(y: Tensor, noise_level: Tensor, levels: int) -> Tensor:
    """Mean of a normal truncated half a spacing beyond the levels: `|y| - s (phi(a) - phi(b))/(Q(a) - Q(b))`, with the sign of y.

    Both differences are taken over phi(a), because the tails themselves have no digits far outside.
    """
    end = 1.0 + 1.0 / (levels - 1)
    size = torch.minimum(y.abs(), end + 20.0 * noise_level)
    a = ((size - end) / noise_level).clamp(min=-8.0)  # deeper inside nothing is cut off
    b = (size + end) / noise_level
    rest = (-0.5 * (b - a) * (b + a)).exp()
    tails = torch.special.erfcx(a / math.sqrt(2.0)) - rest * torch.special.erfcx(b / math.sqrt(2.0))
    drop = noise_level * (1.0 - rest) / (math.sqrt(0.5 * math.pi) * tails)
    return torch.sign(y) * (size - drop)
