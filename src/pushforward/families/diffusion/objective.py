"""What training minimises: a law of noise levels and a weight.

Two ideas: which levels are drawn and how much each counts are separate choices, and only `density x weight` matters in
expectation; quantiles are stratified over the batch, so that no batch misses a decade of noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.families.diffusion.noise_law import NoiseLaw


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


def edm_objective(law: NoiseLaw, sigma_data: Tensor) -> Objective:
    """`(s^2 + d^2)/(s d)^2 |x - D|^2`, of which the weight times c_out^2 is one (Karras et al. 2022, table 1)."""

    def weight(s: Tensor) -> Tensor:
        data = sigma_data.to(s)
        return (s**2 + data**2) / (s * data) ** 2

    return Objective(law, weight, "denoising error weighted by 1/c_out^2 [per dim]")


def drop_condition(label: Tensor, u: Tensor, probability: float) -> Tensor:
    """Return labels of which those with `u < probability` are -1, "no condition": one decision per example.

    Example:
        >>> drop_condition(torch.tensor([4, 5]), torch.tensor([0.05, 0.5]), 0.1).tolist()
        [-1, 5]
    """
    return torch.where(u < probability, -1, label)
