"""One step over many noise levels: how a few-step student moves, and the solver steps that teach
it.

Two ideas: a leap is a DDIM step of a network of its own, so that a student begins as the teacher
that it is copied from; whatever a leap should have reached can be solved for the clean data it
should have named.
"""

from __future__ import annotations

from torch import Tensor

from pushforward.core.noise import Noise
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.noise_grids import karras_level
from pushforward.families.diffusion.solvers.sampler import HEUN
from pushforward.families.diffusion.solvers.schemes import Denoise


def _like(c: Tensor, y: Tensor) -> Tensor:
    return c.reshape(-1, *(1 for _ in y.shape[1:])).to(y)


def level_at(place: Tensor, path: Path) -> Tensor:
    """Return the noise level at a place in [0, 1] between the ends of a path; see
    `karras_level`."""
    return karras_level(place, path.sigma_min, path.sigma_max)


def noised(x: Tensor, noise_level: Tensor, noise: Noise) -> Tensor:
    """Return `x + s eps` for noise levels of shape (n,)."""
    return x + _like(noise_level, x) * noise.normal(*x.shape[1:])


def leap(clean: Tensor, y: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return `y + (1 - t/s) (D - y)`, the DDIM step from level s to t (Song, Meng and Ermon 2020)
    in `y = x/alpha`.

    At `t = s` it is y itself, exactly, whatever D is.

    Args:
        clean: D, shape (n, ...).
        start: s, shape () or (n,), as `end`.

    Example:
        >>> import torch
        >>> y, s = torch.tensor([[2.0]]), torch.tensor(4.0)
        >>> leap(torch.zeros(1, 1), y, s, torch.tensor(1.0)).item(), leap(torch.zeros(1, 1), y, s, s).item()
        (0.5, 2.0)
    """
    return y + _like(1.0 - end / start, y) * (clean - y)


def named(arrived: Tensor, y: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return the D whose leap from y arrives at a given point: `(y_t - (t/s) y)/(1 - t/s)`
    (Salimans and Ho 2022, algorithm 2).

    Example:
        >>> import torch
        >>> y, s, t = torch.tensor([[2.0]]), torch.tensor(4.0), torch.tensor(1.0)
        >>> round(named(leap(torch.tensor([[0.3]]), y, s, t), y, s, t).item(), 6)
        0.3
    """
    ratio = _like(end / start, y)
    return (arrived - ratio * y) / (1.0 - ratio)


def heun(denoise: Denoise, y: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return y carried along the flow from level s to t, both of shape (n,), by one step of Heun's
    method: two calls."""
    velocity = lambda state, s: (state - denoise(state, s.flatten())) / s  # noqa: E731
    return HEUN.step(velocity, y, _like(start, y), _like(end, y))
