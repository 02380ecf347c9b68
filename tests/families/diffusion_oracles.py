"""Closed-form denoisers: what a perfectly trained network would return."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from pushforward.core.given import Given
from pushforward.core.rng import generator
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.solvers.noise_grids import log_levels
from pushforward.families.diffusion.solvers.ode_coordinates import Coordinates
from pushforward.families.diffusion.solvers.sampler import Tableau


class MixtureDenoiser(Denoiser):
    """The posterior mean of a Gaussian mixture with diagonal covariances, and its exact density at any noise level."""

    def __init__(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        self.weights, self.means, self.variances = weights, means, variances
        self.seen = 0

    def _joint(self, y: Tensor, s: Tensor) -> Tensor:
        total = self.variances + s.reshape(-1, 1, 1) ** 2
        quadratic = (
            (y.unsqueeze(1) - self.means) ** 2 / total + total.log() + math.log(2 * math.pi)
        ).sum(-1)
        return self.weights.log() - 0.5 * quadratic

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        self.seen += 1
        s = noise_level.to(y).expand(len(y))
        responsibility = self._joint(y, s).softmax(1).unsqueeze(-1)
        gain = self.variances / (self.variances + s.reshape(-1, 1, 1) ** 2)
        return (responsibility * (self.means + gain * (y.unsqueeze(1) - self.means))).sum(1)

    def __call__(self, y: Tensor, noise_level: Tensor) -> Tensor:
        return self.denoise(y, noise_level, None)

    def log_density(self, y: Tensor, noise_level: float = 0.0) -> Tensor:
        s = torch.full((len(y),), noise_level, dtype=y.dtype)
        return torch.logsumexp(self._joint(y, s), dim=1)

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        k = torch.multinomial(self.weights, n, replacement=True, generator=rng)
        eps = torch.randn(n, self.means.shape[1], generator=rng, dtype=self.means.dtype)
        return self.means[k] + self.variances[k].sqrt() * eps


def gaussian() -> MixtureDenoiser:
    """One axis-aligned Gaussian off the origin, with unequal scales: no symmetry to hide a sign in."""
    t = torch.tensor
    return MixtureDenoiser(t([1.0]).double(), t([[0.7, -1.1]]).double(), t([[0.9, 0.04]]).double())


def mixture() -> MixtureDenoiser:
    """Three unequal components."""
    means = torch.tensor([[1.0, 0.2], [-0.8, 0.9], [-0.3, -1.2]]).double()
    variances = torch.tensor([[0.05, 0.2], [0.1, 0.03], [0.3, 0.08]]).double()
    return MixtureDenoiser(torch.tensor([0.5, 0.3, 0.2]).double(), means, variances)


def gaussian_flow(oracle: MixtureDenoiser, y: Tensor, start: float, end: float) -> Tensor:
    """The exact solution of the probability-flow ODE of one Gaussian: `m + (y - m) sqrt((v + end^2)/(v + start^2))`."""
    mean, variance = oracle.means[0], oracle.variances[0]
    return mean + (y - mean) * ((variance + end**2) / (variance + start**2)).sqrt()


def flow_error(where: Coordinates, tableau: Tableau, steps: int) -> float:
    """What a tableau in some coordinates misses of the flow of one Gaussian, over a moderate range of noise.

    There a coarse grid is already in the asymptotic regime.
    """
    oracle, levels = gaussian(), log_levels(steps, 0.3, 3.0)
    y0 = oracle.draw(8, generator(1))
    state = where.enter(y0, levels[0])
    for a, b in itertools.pairwise(levels):
        state = tableau.step(where.field(oracle), state, where.time(a), where.time(b))
    exact = gaussian_flow(oracle, y0, 0.3, 3.0)
    return float((where.leave(state, levels[-1]) - exact).abs().max())
