"""What training minimises: a law of noise levels and a weight.

Two ideas: which levels are drawn and how much each counts are separate choices, and only `density x weight` matters in
expectation; quantiles are stratified over the batch, so that no batch misses a decade of noise.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.families.diffusion.path import Path


class NoiseLaw(ABC):
    """A distribution of noise levels, given by its quantile function."""

    @abstractmethod
    def quantile(self, u: Tensor) -> Tensor:
        """Return noise levels of quantiles `u` in [0, 1)."""

    @abstractmethod
    def density(self, noise_level: Tensor) -> Tensor:
        """Return the density per unit of log noise level."""


class LogUniform(NoiseLaw):
    """`log s` uniform between the ends of a path: uniform in log-SNR."""

    def __init__(self, path: Path) -> None:
        self.low, self.high = math.log(path.sigma_min), math.log(path.sigma_max)

    def quantile(self, u: Tensor) -> Tensor:
        """`exp(low + u (high - low))`."""
        return torch.exp(self.low + u * (self.high - self.low))

    def density(self, noise_level: Tensor) -> Tensor:
        """`1/(high - low)`."""
        return torch.full_like(noise_level, 1.0 / (self.high - self.low))


class LogNormal(NoiseLaw):
    """`log s ~ N(mean, std^2)`, cut to the path by clamping the quantile (Karras et al. 2022: -1.2 and 1.2)."""

    def __init__(self, path: Path, mean: float = -1.2, std: float = 1.2) -> None:
        self.mean, self.std = mean, std
        self.normal = torch.distributions.Normal(0.0, 1.0)
        ends = torch.tensor([path.sigma_min, path.sigma_max], dtype=torch.float64)
        self.low, self.high = self.normal.cdf((ends.log() - mean) / std).tolist()

    def quantile(self, u: Tensor) -> Tensor:
        """The truncated normal's quantile."""
        inner = (self.low + u.double() * (self.high - self.low)).clamp(1e-12, 1.0 - 1e-12)
        return torch.exp(self.mean + self.std * self.normal.icdf(inner)).to(u)

    def density(self, noise_level: Tensor) -> Tensor:
        """The truncated normal's density in log noise level."""
        z = (noise_level.log() - self.mean) / self.std
        return self.normal.log_prob(z).exp() / (self.std * (self.high - self.low))


@dataclass(frozen=True)
class Objective:
    """Draw noise levels from `law`; weight the squared error of the denoised mean by `weight(noise_level)`."""

    law: NoiseLaw
    weight: Callable[[Tensor], Tensor]
    name: str

    def stratified(self, u: Tensor) -> Tensor:
        """Return one noise level per row from uniforms of shape (n,), one in each of n equal quantile bins."""
        n = u.shape[0]
        return self.law.quantile((torch.arange(n, device=u.device) + u) / n)


def likelihood_objective(law: NoiseLaw) -> Objective:
    """The diffusion term of the bound in nats, unbiased under any law: `|x - D|^2 / (s^2 p(log s))`.

    `1/2 int e^lambda |x - D|^2 d lambda` with `d lambda = 2 d log s` (Kingma et al. 2021, equation 17). The law changes the
    variance only.
    """

    def weight(s: Tensor) -> Tensor:
        return 1.0 / (s**2 * law.density(s))

    return Objective(law, weight, "diffusion term of -ELBO [nats/dim]")


def edm_objective(law: NoiseLaw, sigma_data: Callable[[], Tensor]) -> Objective:
    """`(s^2 + d^2)/(s d)^2 |x - D|^2`, of which the weight times c_out^2 is one (Karras et al. 2022, table 1)."""

    def weight(s: Tensor) -> Tensor:
        data = sigma_data().to(s)
        return (s**2 + data**2) / (s * data) ** 2

    return Objective(law, weight, "denoising error weighted by 1/c_out^2 [per dim]")


def drop_condition(label: Tensor, u: Tensor, probability: float) -> Tensor:
    """Return labels of which those with `u < probability` are -1, "no condition": one decision per example.

    Example:
        >>> drop_condition(torch.tensor([4, 5]), torch.tensor([0.05, 0.5]), 0.1).tolist()
        [-1, 5]
    """
    return torch.where(u < probability, -1, label)
