"""Toy densities in the plane whose log-density is exact, so that a model's distance to the truth
can be computed.

Two ideas: moons, spiral and rings *are* fine mixtures of Gaussians along a curve, sampled from the
very mixture that `log_prob` evaluates; entropies are integrals on a grid fine enough for four
digits.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Density(ABC):
    """A known distribution in the plane."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Return log p(x) in nats, float64; x has shape (n, 2)."""

    @abstractmethod
    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Return n points, float64, shape (n, 2)."""

    @property
    @abstractmethod
    def entropy(self) -> float:
        """Differential entropy `-E log p` in nats: the best held-out score any model can reach."""


class GaussianMixture(Density):
    """Equal-weight Gaussians with one scale: `p(x) = 1/K sum_k N(x; m_k, sigma^2 I)`.

    Example:
        >>> one = GaussianMixture(torch.zeros(1, 2), sigma=1.0)
        >>> round(float(one.log_prob(torch.zeros(1, 2))), 6), round(one.entropy, 4)
        (-1.837877, 2.8379)
    """

    def __init__(self, means: Tensor, sigma: float, entropy: float | None = None) -> None:
        self.means, self.sigma, self._entropy = means.double(), sigma, entropy

    def log_prob(self, x: Tensor) -> Tensor:
        """Evaluate the mixture in blocks."""
        parts = []
        for block in x.double().split(8192):
            squared = torch.cdist(block, self.means).square()
            parts.append(torch.logsumexp(-0.5 * squared / self.sigma**2, dim=1))
        constant = math.log(len(self.means)) + math.log(2 * math.pi * self.sigma**2)
        return torch.cat(parts) - constant

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Pick a component, then add noise."""
        k = torch.randint(len(self.means), (n,), generator=rng)
        return self.means[k] + self.sigma * torch.randn(n, 2, generator=rng, dtype=torch.float64)

    @property
    def entropy(self) -> float:
        """The stored entropy, which a test recomputes, or else the integral."""
        return self._integrate() if self._entropy is None else self._entropy

    def _integrate(self) -> float:
        """Integrate `-p log p` on a grid of step sigma/3; beyond eight sigma nothing is left."""
        low = self.means.min(0).values - 8 * self.sigma
        high = self.means.max(0).values + 8 * self.sigma
        step = max(self.sigma / 3, float((high - low).max()) / 1200)
        xs, ys = (
            torch.arange(float(a), float(b), step, dtype=torch.float64)
            for a, b in zip(low, high, strict=True)
        )
        total = 0.0
        for x in xs.split(64):
            points = torch.cartesian_prod(x, ys)
            log_p = self.log_prob(points)
            total -= float((log_p.exp() * log_p).sum()) * step**2
        return total


class Checkerboard(Density):
    """Uniform on the 8 black squares of side 2 of a 4 x 4 board on [-4, 4]^2 (FFJORD's, scaled by
    2); entropy ln 32.

    Example:
        >>> round(Checkerboard().entropy, 4)
        3.4657
    """

    def log_prob(self, x: Tensor) -> Tensor:
        """`-ln 32` on black squares, `-inf` elsewhere."""
        cell = torch.floor(x.double() / 2.0)
        inside = (x.double().abs() < 4.0).all(1) & ((cell.sum(1) % 2) == 0)
        out = torch.full((len(x),), -math.inf, dtype=torch.float64)
        out[inside] = -math.log(32.0)
        return out

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Pick a column, then one of the two black squares in it."""
        column = torch.randint(-2, 2, (n,), generator=rng)
        row = 2 * torch.randint(-1, 1, (n,), generator=rng) + (column % 2)
        corner = torch.stack([column, row], dim=1).double()
        return 2.0 * (corner + torch.rand(n, 2, generator=rng, dtype=torch.float64))

    @property
    def entropy(self) -> float:
        """The logarithm of the black area."""
        return math.log(32.0)


def _two_moons() -> GaussianMixture:
    angle = (torch.arange(512, dtype=torch.float64) + 0.5) / 512 * math.pi
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    return GaussianMixture(torch.cat([upper, lower]), sigma=0.1, entropy=1.007577)


def _spiral() -> GaussianMixture:
    # components spaced evenly in arc length, roughly: angle grows like the square root
    angle = torch.linspace(0.3, 1.0, 1024, dtype=torch.float64).sqrt() * 3 * math.pi
    arm = torch.stack([-angle.cos() * angle, angle.sin() * angle], 1) / 3.0
    return GaussianMixture(torch.cat([arm, -arm]), sigma=0.15, entropy=2.588158)


def _rings() -> GaussianMixture:
    means = []
    for radius, share in ((0.75, 1), (1.5, 2), (2.25, 3), (3.0, 4)):
        angle = torch.arange(160 * share, dtype=torch.float64) / (160 * share) * 2 * math.pi
        means.append(radius * torch.stack([angle.cos(), angle.sin()], 1))
    return GaussianMixture(torch.cat(means), sigma=0.08, entropy=2.745386)


def _gaussians_8() -> GaussianMixture:
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    return GaussianMixture(
        4.0 / 1.414 * torch.stack([angle.cos(), angle.sin()], 1),
        sigma=0.5 / 1.414,
        entropy=2.831880,
    )


def _gaussians_25() -> GaussianMixture:
    axis = torch.arange(-2, 3, dtype=torch.float64) * 2.0
    return GaussianMixture(torch.cartesian_prod(axis, axis), sigma=0.1, entropy=1.451583)


TOYS = {
    "two-moons": _two_moons,
    "gaussians-8": _gaussians_8,
    "gaussians-25": _gaussians_25,
    "checkerboard": Checkerboard,
    "spiral": _spiral,
    "rings": _rings,
}


def toy(name: str) -> Density:
    """Return a toy density by name."""
    return TOYS[name]()
