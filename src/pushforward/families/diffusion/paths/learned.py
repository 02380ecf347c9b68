"""A schedule that is learned: where training looks, and the path that passes noise levels at that
pace.

Two ideas: a schedule is a density over log noise levels, constant in each of a few bins, so that
its quantile function is a broken line and monotone by construction; the bound does not depend on
it, only the spread of its estimate does, so that the spread is what it minimises (Kingma et al.
2021, section 4.1 and appendix on the noise schedule).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pushforward.families.diffusion.paths.noise_law import NoiseLaw
from pushforward.families.diffusion.paths.path import Path

BINS = 32
FLOOR = 0.1  # share of the mass spread evenly, so that no level is unseen and no weight explodes


class Schedule(NoiseLaw, nn.Module):
    """A density of log noise level between two ends, constant in each of `bins` even bins.

    Its logits minimise `int r^2/p` of contributions r to the integral that training estimates: the
    second moment of the estimate, least for p proportional to r. The gradient is that of
    `-E_p[(r/p)^2 log p]` with the square held fixed.

    Example:
        >>> schedule = Schedule(0.01, 100.0)
        >>> round(float(schedule.quantile(torch.tensor(0.5))), 4)
        1.0
    """

    def __init__(self, sigma_min: float, sigma_max: float, bins: int = BINS) -> None:
        super().__init__()
        self.low, self.width = math.log(sigma_min), math.log(sigma_max / sigma_min) / bins
        self.ends, self.bins = (sigma_min, sigma_max), bins
        self.logits = nn.Parameter(torch.zeros(bins))

    @property
    def mass(self) -> Tensor:
        """Probability of every bin."""
        return (1.0 - FLOOR) * self.logits.softmax(0) + FLOOR / self.bins

    def _corners(self) -> tuple[Tensor, Tensor]:
        mass = self.mass.detach().double()
        mass = mass / mass.sum()
        return mass, torch.cat([mass.new_zeros(1), mass.cumsum(0)])

    def quantile(self, u: Tensor) -> Tensor:
        """The inverse of `share`: a broken line in log noise level."""
        mass, corners = self._corners()
        v = u.double()
        k = (torch.searchsorted(corners, v.contiguous(), right=True) - 1).clamp(0, self.bins - 1)
        inside = (v - corners[k]) / mass[k]
        level = torch.exp(self.low + self.width * (k + inside))
        return level.clamp(*self.ends).to(u)

    def share(self, noise_level: Tensor) -> Tensor:
        """Return the probability of lower levels."""
        mass, corners = self._corners()
        place = (noise_level.double().log() - self.low) / self.width
        k = place.long().clamp(0, self.bins - 1)
        return (corners[k] + (place - k) * mass[k]).to(noise_level)

    def density(self, noise_level: Tensor) -> Tensor:
        """The mass of the bin, over its width; without a gradient."""
        return self.log_density(noise_level).detach().exp()

    def log_density(self, noise_level: Tensor) -> Tensor:
        """Return the logarithm of the density, with its gradient to the logits."""
        k = ((noise_level.double().log() - self.low) / self.width).long().clamp(0, self.bins - 1)
        return (self.mass[k] / self.width).log().to(noise_level)

    def spread(self, noise_level: Tensor, contribution: Tensor) -> Tensor:
        """Return a scalar whose gradient is that of the estimate's second moment, in units of that
        moment.

        Args:
            noise_level: drawn from this law, shape (n,).
            contribution: `r/p`, what each level added to the estimate, shape (n,).
        """
        square = contribution.detach().square()
        return -(square / square.mean().clamp(min=1e-30) * self.log_density(noise_level)).mean()


class LearnedPath(Path):
    """`alpha^2 + sigma^2 = 1` at a noise level of `quantile(t)`: every stretch of time adds as much
    to the bound."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(*schedule.ends)
        self.schedule = schedule

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(1/sqrt(1 + s^2), s/sqrt(1 + s^2))`."""
        s = self.schedule.quantile(time)
        alpha = (1.0 + s**2).rsqrt()
        return alpha, s * alpha

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `alpha' = -alpha sigma^2 u'`, `sigma' = sigma alpha^2 u'` with `u' = d log s/dt =
        1/density`."""
        alpha, sigma = self.scales(time)
        speed = 1.0 / self.schedule.density(sigma / alpha)
        return -alpha * sigma**2 * speed, sigma * alpha**2 * speed

    def time(self, noise_level: Tensor) -> Tensor:
        """The share of lower levels."""
        return self.schedule.share(noise_level)
