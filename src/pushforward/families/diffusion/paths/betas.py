"""DDPM's discrete schedules: 1,000 betas, and which noise levels they pass through.

Two ideas: a schedule is its product `alpha-bar_t = prod (1 - beta_i)`, and leaving steps out keeps
the products and changes the betas (Nichol and Dhariwal 2021, section 4); `s = sqrt(1/alpha-bar -
1)` turns a table into levels that any denoiser understands.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.families.diffusion.paths.path import Path

STEPS = 1000
LARGEST_BETA = 0.999


def linear_betas(steps: int = STEPS) -> Tensor:
    """From 1e-4 to 0.02 (Ho et al. 2020, section 4), in float64.

    Example:
        >>> round(float(alpha_bars(linear_betas())[-1]) * 1e5, 3)
        4.036
    """
    return torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)


def scaled_linear_betas(steps: int = STEPS) -> Tensor:
    """The square of a line from sqrt(0.00085) to sqrt(0.012) (Rombach et al. 2022), in float64.

    Example:
        >>> round(float(alpha_bars(scaled_linear_betas())[-1]) * 1e3, 2)
        4.66
    """
    return torch.linspace(math.sqrt(0.00085), math.sqrt(0.012), steps, dtype=torch.float64).square()


def cosine_betas(steps: int = STEPS) -> Tensor:
    """`1 - f(t+1)/f(t)` with `f = cos^2((t/T + 0.008)/1.008 pi/2)`, at most 0.999 (Nichol and
    Dhariwal 2021, equation 17).

    Only the last beta is clipped; without that the signal-to-noise ratio would end at zero.

    Example:
        >>> betas = cosine_betas()
        >>> f"{float(alpha_bars(betas)[-1]):.3g}", int((betas == LARGEST_BETA).sum())
        ('2.43e-09', 1)
    """
    time = torch.arange(steps + 1, dtype=torch.float64) / steps
    squared = torch.cos((time + 0.008) / 1.008 * (math.pi / 2.0)).square()
    return (1.0 - squared[1:] / squared[:-1]).clamp(max=LARGEST_BETA)


def alpha_bars(betas: Tensor) -> Tensor:
    """Return `prod_(i <= t) (1 - beta_i)`."""
    return torch.cumprod(1.0 - betas, dim=0)


TABLES = {
    "ddpm-1000": linear_betas,
    "scaled-linear-1000": scaled_linear_betas,
    "cosine-1000": cosine_betas,
}


def table_levels(table: str, steps: int, path: Path) -> Tensor:
    """Return `steps` decreasing noise levels of a table, evenly respaced over those strictly inside
    a path, between its ends.

    Raises:
        BadInput: more steps than the table has levels there.
    """
    bars = alpha_bars(TABLES[table]())
    levels = ((1.0 - bars) / bars).sqrt().flip(0)
    # a level next to an end would make an empty step
    inside = levels[
        (levels < path.sigma_max * (1.0 - 1e-6)) & (levels > path.sigma_min * (1.0 + 1e-6))
    ]
    levels = torch.cat(
        [levels.new_tensor([path.sigma_max]), inside, levels.new_tensor([path.sigma_min])]
    )
    if steps > len(levels):
        raise BadInput(
            f"{steps} steps of the grid '{table}'",
            f"at most {len(levels)}, its levels on this path",
        )
    return levels[torch.linspace(0, len(levels) - 1, steps, dtype=torch.float64).round().long()]
