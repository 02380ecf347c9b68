"""Paths from data to noise: `x_t = alpha x0 + sigma eps`, t = 0 is data and t = 1 is noise.

Two ideas: a path is two functions of time and their rates; `noise_level = sigma/alpha` is what a
denoiser sees, so that every path shares one denoiser and `x/alpha = x0 + noise_level eps` are the
coordinates in which paths agree.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.errors import BadInput


def add_noise(x: Tensor, noise_level: Tensor, eps: Tensor) -> Tensor:
    """Return `y = x0 + s eps`, the noisy example over alpha, at a noise level for each example.

    Shapes: x and eps (n, ...), noise_level (n,).

    Example:
        >>> add_noise(torch.ones(1, 2), torch.tensor([2.0]), torch.tensor([[1.0, -1.0]])).tolist()
        [[3.0, -1.0]]
    """
    return x + noise_level.reshape(-1, *(1 for _ in x.shape[1:])) * eps


@dataclass(frozen=True)
class Prior:
    """What stands at the noisy end of a path: `N(0, scale^2)` in every dimension of x, whatever the
    data.

    Example:
        >>> round(float(Prior(2.0).log_prob(torch.zeros(1, 3))), 4)
        -4.8363
    """

    scale: float

    def log_prob(self, x: Tensor) -> Tensor:
        """Return `-1/2 sum [x^2/scale^2 + log(2 pi scale^2)]` of x (n, ...), shape (n,)."""
        constant = math.log(2.0 * math.pi * self.scale**2)
        return -0.5 * ((x / self.scale).square() + constant).flatten(1).sum(1)

    def divergence(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """Return `KL(N(alpha x, sigma^2) || prior)`, shape (n,).

        `1/2 sum [(alpha^2 x^2 + sigma^2)/scale^2 - 1 - log(sigma^2/scale^2)]`
        """
        ratio = (sigma / self.scale) ** 2
        constant = ratio - 1.0 - math.log(ratio)
        return 0.5 * ((alpha / self.scale) ** 2 * x.square() + constant).flatten(1).sum(1)


class Path(ABC):
    """A Gaussian path between two noise levels; concrete paths are final. Times and levels are
    tensors of any shape.

    A formula may reach from no noise to nothing but noise; a path is the part of it between
    `sigma_min` and `sigma_max`, in units of the data, on which every conversion is finite.

    Attributes:
        reach: the noise level at time 1 of the formula, infinite if its signal-to-noise ratio ends
            at zero.

    Raises:
        BadInput: the levels are not `0 < sigma_min < sigma_max <= reach`.
    """

    reach: float = math.inf

    def __init__(self, sigma_min: float, sigma_max: float) -> None:
        if not 0.0 < sigma_min < sigma_max:
            raise BadInput(
                f"noise levels from {sigma_min} to {sigma_max}", "0 < sigma_min < sigma_max"
            )
        if sigma_max > self.reach or math.isinf(sigma_max):
            most = (
                "a finite one"
                if math.isinf(self.reach)
                else f"at most {self.reach:.4g}, where the path ends"
            )
            came = f"a largest noise level of {sigma_max:g} on the {type(self).__name__} path"
            if math.isinf(sigma_max):
                fix = "at a signal-to-noise ratio of zero predicted noise says nothing of the data; 1e3 is as good as none"
                raise BadInput(came, most, fix)
            raise BadInput(came, most)
        self.sigma_min, self.sigma_max = sigma_min, sigma_max

    @abstractmethod
    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(alpha, sigma)` at `time` in [0, 1]."""

    @abstractmethod
    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(d alpha/dt, d sigma/dt)`."""

    @abstractmethod
    def time(self, noise_level: Tensor) -> Tensor:
        """Return the time at which `sigma/alpha` equals `noise_level`."""

    def noise_level(self, time: Tensor) -> Tensor:
        """Return `sigma/alpha`, increasing in time."""
        alpha, sigma = self.scales(time)
        return sigma / alpha

    def log_snr(self, time: Tensor) -> Tensor:
        """Return `lambda = log(alpha^2/sigma^2)`."""
        return -2.0 * self.noise_level(time).log()

    def log_snr_rate(self, time: Tensor) -> Tensor:
        """Return `d lambda/dt = 2 (alpha'/alpha - sigma'/sigma)`, negative."""
        (alpha, sigma), (alpha_rate, sigma_rate) = self.scales(time), self.rates(time)
        return 2.0 * (alpha_rate / alpha - sigma_rate / sigma)

    def diffusion(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(f, g^2)` of `dx = f x dt + g dw`, whose marginals given x0 are the path's.

        `f = alpha'/alpha`, `g^2 = 2 sigma sigma' - 2 f sigma^2 = -sigma^2 d lambda/dt` (Kingma et
        al. 2021, appendix).
        """
        (alpha, sigma), (alpha_rate, _) = self.scales(time), self.rates(time)
        return alpha_rate / alpha, -(sigma**2) * self.log_snr_rate(time)

    @property
    def ends(self) -> tuple[float, float]:
        """The times of `sigma_min` and `sigma_max`."""
        levels = torch.tensor([self.sigma_min, self.sigma_max], dtype=torch.float64)
        start, end = self.time(levels).tolist()
        return start, end

    @property
    def last(self) -> tuple[float, float]:
        """`(alpha, sigma)` at `sigma_max`."""
        alpha, sigma = self.scales(self.time(torch.tensor(self.sigma_max, dtype=torch.float64)))
        return float(alpha), float(sigma)

    @property
    def prior(self) -> Prior:
        """The law of x at `sigma_max` for data of mean zero and variance one, which is nearly that
        of any data there."""
        return Prior(math.hypot(*self.last))

    @property
    def spread(self) -> float:
        """Standard deviation of `y = x/alpha` under the prior."""
        return self.prior.scale / self.last[0]

    @property
    def log_snr_range(self) -> float:
        """Length of the interval of `lambda = log(alpha^2/sigma^2)` that the path covers."""
        return 2.0 * math.log(self.sigma_max / self.sigma_min)


class VariancePreserving(Path):
    """`alpha^2 + sigma^2 = 1` with a log-SNR linear in time: `lambda(t) = lambda_max + t
    (lambda_min - lambda_max)`.

    `alpha^2 = sigmoid(lambda)` (Kingma et al. 2021, equations 2 and 3). The ends are given as noise
    levels `sigma/alpha = exp(-lambda/2)`, in units of the data.

    Example:
        >>> path = VariancePreserving(0.01, 100.0)
        >>> alpha, sigma = path.scales(torch.tensor(0.5, dtype=torch.float64))
        >>> round(float(alpha**2 + sigma**2), 12), round(float(path.noise_level(torch.tensor(0.5))), 6)
        (1.0, 1.0)
    """

    def log_snr(self, time: Tensor) -> Tensor:
        """Return `lambda(t)`."""
        return -2.0 * math.log(self.sigma_min) - self.log_snr_range * time

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(sqrt(sigmoid(lambda)), sqrt(sigmoid(-lambda)))`."""
        log_snr = self.log_snr(time)
        return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the time derivatives: `d alpha = alpha sigma^2/2 d lambda`, `d sigma = -sigma
        alpha^2/2 d lambda`."""
        alpha, sigma = self.scales(time)
        slope = -self.log_snr_range
        return 0.5 * slope * alpha * sigma**2, -0.5 * slope * sigma * alpha**2

    def time(self, noise_level: Tensor) -> Tensor:
        """Return the time of a noise level; the inverse of `noise_level`."""
        return 2.0 * (noise_level.log() - math.log(self.sigma_min)) / self.log_snr_range
