"""What training minimises: a law of noise levels and a weight.

Two ideas: which levels are drawn and how much each counts are separate choices, and only `density x
weight` matters in expectation; quantiles are stratified over the batch, so that no batch misses a
decade of noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.registry import Registry
from pushforward.families.diffusion.paths.noise_law import NoiseLaw

Weight = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """Draw noise levels from `law`; weight the squared error of the denoised mean by
    `weight(noise_level)`."""

    law: NoiseLaw
    weight: Weight
    name: str

    def stratified(self, u: Tensor) -> Tensor:
        """Return one noise level per row from uniforms of shape (n,), one in each of n equal
        quantile bins."""
        n = u.shape[0]
        return self.law.quantile((torch.arange(n, device=u.device) + u) / n)


def likelihood_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`1/(s^2 p(log s))`: the diffusion term of the bound in nats, unbiased under any law, which
    changes the variance only.

    `1/2 int e^lambda |x - D|^2 d lambda` with `d lambda = 2 d log s` (Kingma et al. 2021, equation
    17).
    """
    return lambda s: 1.0 / (s**2 * law.density(s))


def edm_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`(s^2 + d^2)/(s d)^2`, which times c_out^2 is one (Karras et al. 2022, table 1)."""

    def weight(s: Tensor) -> Tensor:
        data = scale.to(s)
        return (s**2 + data**2) / (s * data) ** 2

    return weight


def noise_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`1/s^2`, the signal-to-noise ratio: the plain error of the noise, `|eps - eps_D|^2` (Ho et
    al. 2020, equation 14)."""
    return lambda s: 1.0 / s**2


def data_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """One: the plain error of the data."""
    return torch.ones_like


def velocity_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`1 + 1/s^2`: the plain error of `v = alpha eps - sigma x0` where `alpha^2 + sigma^2 = 1`
    (Salimans and Ho 2022)."""
    return lambda s: 1.0 + 1.0 / s**2


def flow_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`(1 + 1/s)^2`: the plain error of `u = eps - x0`, the velocity of a straight line (Lipman et
    al. 2022)."""
    return lambda s: (1.0 + 1.0 / s) ** 2


def truncated_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`max(1/s^2, 1)`: the worse of the errors of noise and data (Salimans and Ho 2022, section
    4)."""
    return lambda s: (1.0 / s**2).clamp(min=1.0)


def capped_weight(law: NoiseLaw, scale: Tensor) -> Weight:
    """`min(1/s^2, 5)`: no level counts more than its signal-to-noise ratio of five (Hang et al.
    2023)."""
    return lambda s: (1.0 / s**2).clamp(max=5.0)


@dataclass(frozen=True)
class ErrorWeight(Choice):
    """A weight that can be chosen; `says` is what the loss is called under it.

    Attributes:
        make: from a law and the scale of the data to the weight.
    """

    make: Callable[[NoiseLaw, Tensor], Weight]


WEIGHTS: Registry[ErrorWeight] = Registry(
    "weight",
    of="pushforward.families.diffusion.objectives.objective:ErrorWeight",
    choices=(
        ErrorWeight("likelihood", "diffusion term of -ELBO [nats/dim]", likelihood_weight),
        ErrorWeight("edm", "denoising error weighted by 1/c_out^2 [per dim]", edm_weight),
        ErrorWeight("noise", "error of the predicted noise [per dim]", noise_weight),
        ErrorWeight("data", "error of the predicted data [per dim]", data_weight),
        ErrorWeight("velocity", "error of the predicted velocity [per dim]", velocity_weight),
        ErrorWeight(
            "flow", "error of the predicted velocity of a straight line [per dim]", flow_weight
        ),
        ErrorWeight(
            "truncated-snr", "denoising error weighted by max(SNR, 1) [per dim]", truncated_weight
        ),
        ErrorWeight("min-snr", "denoising error weighted by min(SNR, 5) [per dim]", capped_weight),
    ),
)


def objective_of(law: NoiseLaw, weight: str, scale: Tensor) -> Objective:
    """Return what is minimised under a law of noise levels and a weight, two choices that know
    nothing of each other.

    Args:
        weight: a name in `WEIGHTS`.
        scale: standard deviation of the data.
    """
    chosen = WEIGHTS[weight]
    return Objective(law, chosen.make(law, scale), chosen.says)
