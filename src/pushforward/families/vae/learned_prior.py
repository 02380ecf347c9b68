"""A prior that learns where codes lie, trained with encoder and decoder by the same bound.

One idea: `p(z | y) = prod_i p(z_i | z_<i, y)`, a mixture of Gaussians for each number of the code
by one masked network. Samples of a decoder are bad where the codes of data are not what the prior
draws; a prior that follows them closes the gap, and what it learns is no longer paid for in the
divergence (Tomczak & Welling 2018, section 2; Chen et al. 2017, section 3.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.families.vae.posterior import LOG_SCALES, DiagonalGaussian
from pushforward.families.vae.prior import CodePrior, PriorModel
from pushforward.nets.logistic import bounded
from pushforward.nets.masked import MaskedMLP

COMPONENTS = 4
WIDTH, DEPTH = 256, 1  # of the masked network


@dataclass(frozen=True)
class ChainPrior(CodePrior):
    """`prod_i sum_k w_k N(z_i; m_k, s_k^2)`, whose numbers a masked network says of z_<i and of what
    is given."""

    net: MaskedMLP
    context: Tensor | None

    @property
    def dimensions(self) -> int:  # type: ignore[override]
        """Numbers of a code."""
        return self.net.positions

    def mixtures(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-weights, means and log-scales of every number of codes (n, dimensions) given
        those before it, each (n, dimensions, components)."""
        raw = self.net(z.unsqueeze(-1), self.context)
        log_weight, mean, log_scale = raw.chunk(3, dim=-1)
        return log_weight.log_softmax(-1), mean, bounded(log_scale, *LOG_SCALES)

    def terms(self, z: Tensor) -> Tensor:
        """Return `log p(z_i | z_<i)` in nats, shape (n, dimensions)."""
        log_weight, mean, log_scale = self.mixtures(z)
        standard = (z.unsqueeze(-1) - mean) * torch.exp(-log_scale)
        log_normal = -0.5 * standard.square() - log_scale - 0.5 * math.log(2.0 * math.pi)
        return torch.logsumexp(log_weight + log_normal, dim=-1)

    def log_prob(self, z: Tensor) -> Tensor:
        """The chain rule's sum."""
        return self.terms(z).sum(1)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """One number after the other; a temperature narrows the components and sharpens the choice
        among them."""
        u, eps = noise.uniform(self.dimensions), noise.normal(self.dimensions)
        z = torch.zeros_like(eps)
        for i in range(self.dimensions):
            log_weight, mean, log_scale = (of[:, i] for of in self.mixtures(z))
            cdf = (log_weight / temperature).softmax(-1).cumsum(-1)
            # rounding may leave the last CDF below one
            k = (
                (u[:, i, None] * cdf[:, -1:] >= cdf)
                .sum(-1, keepdim=True)
                .clamp_(max=cdf.shape[1] - 1)
            )
            scale = temperature * log_scale.gather(1, k).exp()
            z[:, i] = (mean.gather(1, k) + scale * eps[:, i, None]).squeeze(1)
        return z

    def divergence(self, posterior: DiagonalGaussian, z: Tensor) -> Tensor:
        """`log q(z_i | x) - log p(z_i | z_<i)`, whose expectations are not negative."""
        return posterior.terms(z) - self.terms(z)

    def log_ratio(self, posterior: DiagonalGaussian, z: Tensor, eps: Tensor) -> Tensor:
        """`eps` says no more than z does."""
        return -self.divergence(posterior, z).sum(1)


class LearnedPrior(nn.Module, PriorModel):
    """The masked network of a `ChainPrior`.

    Args:
        dimensions: numbers of a code.
        context: numbers of what is given, 0 for nothing.

    Example:
        >>> from pushforward.core.noise import Streams
        >>> LearnedPrior(3, 0).given(None).sample(Streams(0, 5)).shape
        torch.Size([5, 3])
    """

    def __init__(self, dimensions: int, context: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.net = MaskedMLP(dimensions, 1, 3 * COMPONENTS, WIDTH, DEPTH, context)

    def given(self, context: Tensor | None) -> ChainPrior:
        """Return the chain of each example."""
        return ChainPrior(self.net, context)
