"""Grids of noise levels for a sampler or an integral.

One idea: a grid is a tensor of levels in float64 whose ends are the path's own, so that no step is
empty and none is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.registry import Registry
from pushforward.families.diffusion.paths.betas import TABLES, table_levels
from pushforward.families.diffusion.paths.path import Path


def karras_level(place: Tensor, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Return the noise level at a place in [0, 1], of which the roots are evenly spaced; the ends
    are exact.

    `s(u) = (sigma_min^(1/rho) + u (sigma_max^(1/rho) - sigma_min^(1/rho)))^rho`, Karras et al.
    2022, equation 5, of a place that need not be on a grid.

    Example:
        >>> [round(float(s), 2) for s in karras_level(torch.tensor([0.0, 0.5, 1.0]), 0.01, 40.0)]
        [0.01, 2.02, 40.0]
    """
    low, high = sigma_min ** (1.0 / rho), sigma_max ** (1.0 / rho)
    level = (low + place.double() * (high - low)) ** rho
    level = torch.where(place <= 0.0, sigma_min, torch.where(place >= 1.0, sigma_max, level))
    return level.to(place)


def karras_levels(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Return `steps` decreasing noise levels in float64, evenly placed for `karras_level`; one step
    is the largest.

    Raises:
        BadInput: fewer than one step.

    Example:
        >>> [round(float(s), 2) for s in karras_levels(18, 0.002, 80.0)[:3]]
        [80.0, 57.59, 40.79]
    """
    if steps < 1:
        raise BadInput(f"steps={steps}", "at least one step")
    place = torch.linspace(1.0, 0.0, steps, dtype=torch.float64)
    return karras_level(place, sigma_min, sigma_max, rho)


def log_levels(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Return `steps + 1` increasing noise levels in float64, evenly spaced in their logarithm
    (hence in log-SNR).

    Example:
        >>> log_levels(2, 0.01, 100.0).tolist()
        [0.01, 1.0, 100.0]
    """
    ends = math.log10(sigma_min), math.log10(sigma_max)
    levels = torch.logspace(*ends, steps + 1, dtype=torch.float64)
    levels[0], levels[-1] = sigma_min, sigma_max
    return levels


def time_levels(steps: int, path: Path) -> Tensor:
    """Return `steps` decreasing noise levels in float64, evenly spaced in the time of a path: what
    respacing its steps gives.

    Example:
        >>> from pushforward.families.diffusion.paths.published import RectifiedFlow
        >>> [round(float(s), 3) for s in time_levels(3, RectifiedFlow(0.25, 4.0))]
        [4.0, 1.0, 0.25]
    """
    start, end = path.ends
    levels = path.noise_level(torch.linspace(end, start, steps, dtype=torch.float64))
    levels[0] = path.sigma_max
    if steps > 1:
        levels[-1] = path.sigma_min
    return levels


def _even_levels(steps: int, path: Path) -> Tensor:
    if steps == 1:
        return torch.tensor([path.sigma_max], dtype=torch.float64)
    return log_levels(steps - 1, path.sigma_min, path.sigma_max).flip(0)


@dataclass(frozen=True)
class NoiseGrid(Choice):
    """How the steps of a sampler are spaced.

    Attributes:
        levels: from a number of steps and a path to the decreasing noise levels.
    """

    levels: Callable[[int, Path], Tensor]


GRIDS: Registry[NoiseGrid] = Registry(
    "grid",
    of="pushforward.families.diffusion.solvers.noise_grids:NoiseGrid",
    choices=(
        NoiseGrid(
            "karras",
            "even in the seventh root of the noise level",
            lambda steps, path: karras_levels(steps, path.sigma_min, path.sigma_max),
        ),
        NoiseGrid("log-snr", "even in the log-SNR", _even_levels),
        NoiseGrid("time", "even in the time of the path", time_levels),
        *(
            NoiseGrid(name, f"the table {name}, respaced", partial(table_levels, name))
            for name in TABLES
        ),
    ),
)


def grid_levels(grid: str, steps: int, path: Path) -> Tensor:
    """Return the decreasing noise levels of a sampler of so many steps.

    Raises:
        BadInput: fewer than one step, or an unknown grid.
    """
    if steps < 1:
        raise BadInput(f"steps={steps}", "at least one step")
    return GRIDS[grid].levels(steps, path)


def remaining_levels(levels: Tensor, strength: float) -> Tensor:
    """Return the end of a grid of N levels on which the share `strength` of its N steps remains.

    The first level lies where `N (1 - strength)` steps have been taken, between two of the grid by
    the same share of their logarithms (between the last and zero by the level itself): it is
    continuous in the strength and goes to zero with it.

    Example:
        >>> grid = torch.tensor([8.0, 2.0, 0.5])
        >>> [remaining_levels(grid, strength).tolist() for strength in (1.0, 0.5, 1 / 3, 1 / 6)]
        [[8.0, 2.0, 0.5], [1.0, 0.5], [0.5], [0.25]]
    """
    # rounded, so that no step is left that only rounding makes
    taken = round(len(levels) * (1.0 - strength), 9)
    place = min(int(taken), len(levels) - 1)
    share = taken - place
    if place == len(levels) - 1:
        first = (1.0 - share) * levels[-1:]
    else:
        first = levels[place : place + 1] * (levels[place + 1] / levels[place]) ** share
    return torch.cat([first, levels[place + 1 :]])
