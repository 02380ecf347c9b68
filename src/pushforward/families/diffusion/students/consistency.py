"""Consistency: one function that maps every point of a path of the teacher's ODE to its end.

Two ideas: the end of a path is the same seen from a level and from the one a teacher's step below
it, which is all that training asks for; what the function returns may be noised again and returned
to it, so that more steps are better steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.walk import Walk
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.noise_grids import karras_levels, log_levels
from pushforward.families.diffusion.solvers.sampler import Denoised
from pushforward.families.diffusion.solvers.schemes import Denoise, Draw
from pushforward.families.diffusion.students.leap import heun, leap, level_at, noised
from pushforward.families.diffusion.students.lesson import Lesson, bound

SOFTNESS = 0.03
CURVE_LEVELS = 16


def to_the_end(path: Path, denoise: Denoise, y: Tensor, noise_level: Tensor) -> Tensor:
    """Return `f(y, s)`, the leap of a student's network from any level to the smallest, where it is
    y itself, exactly.

    For a preconditioned network F it is `c_skip y + c_out F` with `c_out = (s - sigma_min)
    d/sqrt(s^2 + d^2)`, as in Song et al. 2023, appendix C. With the weights of the teacher it is
    one Euler step of the teacher.
    """
    return leap(
        denoise(y, noise_level), y, noise_level, torch.full_like(noise_level, path.sigma_min)
    )


def pseudo_huber(error: Tensor, softness: float) -> Tensor:
    """Return `sqrt(|e|^2 + c^2) - c` per example, shape (n,) (Song and Dhariwal 2024): a square
    near zero, a distance far from it.

    Example:
        >>> pseudo_huber(torch.tensor([[3.0, 0.0]]), 4.0)
        tensor([1.])
    """
    return (error.flatten(1).square().sum(1) + softness**2).sqrt() - softness


class Consistency(Lesson):
    """`min E w(s) d(f(y_s, s), f'(y_r, r))`, y_r a Heun step of the teacher below `y_s = x + s
    eps`.

    The loss of consistency distillation (Song et al. 2023, definition 1). f' is f without a
    gradient; `w = 1/(s - r)` and d the pseudo-Huber distance (Song and Dhariwal 2024). Levels lie
    evenly in the place of `level_at`, and r is one of `intervals` equal steps below s, so that a
    perfect student is the teacher's Heun sampler.
    """

    name = "consistency along the teacher's path, pseudo-Huber, per noise level"

    def pair(
        self, y: Tensor, place: Tensor, teacher: Denoise, student: Denoise
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the two ends that should be one and the weight of their distance.

        Args:
            place: of the level of y, shape (n,), above 0.
        """
        s = level_at(place, self.path)
        r = level_at((place - 1.0 / self.intervals).clamp(min=0.0), self.path)
        with torch.no_grad():
            target = to_the_end(self.path, student, heun(teacher, y, s, r), r)
        return to_the_end(self.path, student, y, s), target, 1.0 / (s - r)

    def loss(
        self,
        x: Tensor,
        teacher: Denoiser,
        student: NetworkDenoiser,
        given: Given | None,
        noise: Noise,
    ) -> Tensor:
        """The weighted distance of the two ends, averaged over levels."""
        # one place in each of n equal bins, none of them at the end itself
        place = (torch.arange(len(x), device=x.device) + 1.0 - noise.uniform()) / len(x)
        y = noised(x, level_at(place, self.path), noise)
        end, target, weight = self.pair(y, place, bound(teacher, given), bound(student, given))
        return (weight * pseudo_huber(end - target, SOFTNESS * math.sqrt(x[0].numel()))).mean()

    def steps(self, asked: int | None) -> int:
        """Any number: the function knows every level."""
        return asked or self.calls

    def sampler(self, student: Denoise, draw: Draw, steps: int) -> Walk[Denoised]:
        """To the end, back up, and to the end again."""
        return ConsistencySampler(self.path, student, draw, steps)

    def ends(self, student: Denoise, x: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """The function itself."""
        levels = log_levels(CURVE_LEVELS - 1, self.path.sigma_min, self.path.sigma_max).to(x)
        found = []
        for level in levels:
            s = level.expand(len(x))
            found.append(to_the_end(self.path, student, noised(x, s, noise), s))
        return levels, torch.stack(found)


class ConsistencySampler(Walk[Denoised]):
    """`x = f(y, s)`; `y' = x + sqrt(s'^2 - sigma_min^2) z` at the next level, and again (Song et
    al. 2023, algorithm 1)."""

    def __init__(self, path: Path, student: Denoise, draw: Draw, steps: int) -> None:
        self.path, self.student, self.draw = path, student, draw
        self.length, self.calls = steps, float(steps)
        self.levels = karras_levels(steps + 1, path.sigma_min, path.sigma_max)[:-1]

    def start(self) -> Denoised:
        """Begin at the prior; nothing is known yet."""
        y = self.path.spread * self.draw()
        return Denoised(y, y * 0.0)

    def step(self, state: Denoised, index: int) -> Denoised:
        """Go to the end of the path, and back up to the next level."""
        levels = self.levels.to(state.noisy)
        clean = to_the_end(
            self.path, self.student, state.noisy, levels[index].expand(len(state.noisy))
        )
        if index == self.length - 1:
            return Denoised(clean, clean)
        fresh = (levels[index + 1] ** 2 - self.path.sigma_min**2).sqrt()
        return Denoised(clean + fresh * self.draw(), clean)

    def finish(self, state: Denoised) -> Tensor:
        """Return the last end."""
        return state.noisy

    def peek(self, state: Denoised) -> Tensor:
        """Return the latest end."""
        return state.clean
