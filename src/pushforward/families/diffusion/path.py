"""Paths from data to noise: `x_t = alpha x0 + sigma eps`, t = 0 is data and t = 1 is noise.

Two ideas: a path is two functions of time and their rates; `noise_level = sigma/alpha` is what a denoiser sees, so that every
path shares one denoiser and `x/alpha = x0 + noise_level eps` are the coordinates in which paths agree.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from pushforward.core.errors import BadInput


class Path(ABC):
    """A Gaussian path; concrete paths are final. Times and levels are tensors of any shape."""

    sigma_min: float
    sigma_max: float

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
        """Return `sigma/alpha`, from `sigma_min` at t = 0 to `sigma_max` at t = 1."""
        alpha, sigma = self.scales(time)
        return sigma / alpha

    @property
    def log_snr_range(self) -> float:
        """Length of the interval of `lambda = log(alpha^2/sigma^2)` that the path covers."""
        return 2.0 * math.log(self.sigma_max / self.sigma_min)


class VariancePreserving(Path):
    """`alpha^2 + sigma^2 = 1` with a log-SNR linear in time: `lambda(t) = lambda_max + t (lambda_min - lambda_max)`.

    `alpha^2 = sigmoid(lambda)` (Kingma et al. 2021, equations 2 and 3). The ends are given as noise levels
    `sigma/alpha = exp(-lambda/2)`, in units of the data.

    Raises:
        BadInput: the levels are not `0 < sigma_min < sigma_max`.

    Example:
        >>> path = VariancePreserving(0.01, 100.0)
        >>> alpha, sigma = path.scales(torch.tensor(0.5, dtype=torch.float64))
        >>> round(float(alpha**2 + sigma**2), 12), round(float(path.noise_level(torch.tensor(0.5))), 6)
        (1.0, 1.0)
    """

    def __init__(self, sigma_min: float, sigma_max: float) -> None:
        if not 0.0 < sigma_min < sigma_max:
            raise BadInput(f"noise levels from {sigma_min} to {sigma_max}", "0 < sigma_min < sigma_max")
        self.sigma_min, self.sigma_max = sigma_min, sigma_max

    def log_snr(self, time: Tensor) -> Tensor:
        """Return `lambda(t)`."""
        return -2.0 * math.log(self.sigma_min) - self.log_snr_range * time

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(sqrt(sigmoid(lambda)), sqrt(sigmoid(-lambda)))`."""
        log_snr = self.log_snr(time)
        return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the time derivatives: `d alpha = alpha sigma^2/2 d lambda`, `d sigma = -sigma alpha^2/2 d lambda`."""
        alpha, sigma = self.scales(time)
        slope = -self.log_snr_range
        return 0.5 * slope * alpha * sigma**2, -0.5 * slope * sigma * alpha**2

    def time(self, noise_level: Tensor) -> Tensor:
        """Return the time of a noise level; the inverse of `noise_level`."""
        return 2.0 * (noise_level.log() - math.log(self.sigma_min)) / self.log_snr_range


def karras_levels(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Return `steps` decreasing noise levels, in float64, of which the roots are evenly spaced.

    `sigma_i = (sigma_max^(1/rho) + i/(N-1) (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho`, Karras et al. 2022, equation 5.

    Raises:
        BadInput: fewer than one step.

    Example:
        >>> [round(float(s), 2) for s in karras_levels(18, 0.002, 80.0)[:3]]
        [80.0, 57.59, 40.79]
    """
    if steps < 1:
        raise BadInput(f"steps={steps}", "at least one step")
    if steps == 1:
        return torch.tensor([sigma_max], dtype=torch.float64)
    ramp = torch.linspace(0.0, 1.0, steps, dtype=torch.float64)
    low, high = sigma_min ** (1.0 / rho), sigma_max ** (1.0 / rho)
    levels = (high + ramp * (low - high)) ** rho
    # the power rounds; the ends are the path's own
    levels[0], levels[-1] = sigma_max, sigma_min
    return levels


def log_levels(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Return `steps + 1` increasing noise levels in float64, evenly spaced in their logarithm (hence in log-SNR).

    Example:
        >>> log_levels(2, 0.01, 100.0).tolist()
        [0.01, 1.0, 100.0]
    """
    ends = math.log10(sigma_min), math.log10(sigma_max)
    levels = torch.logspace(*ends, steps + 1, dtype=torch.float64)
    levels[0], levels[-1] = sigma_min, sigma_max
    return levels
