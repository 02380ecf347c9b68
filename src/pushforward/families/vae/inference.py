"""A batch and what a latent variable model says of it: the two sides of every bound.

One idea: objectives and estimators are functions of `q(z | x)`, `p(z)` and `p(x | z)` alone, so
that neither knows how these are made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pushforward.core.noise import Noise
from pushforward.families.vae.decoder import Observation
from pushforward.families.vae.posterior import DiagonalGaussian
from pushforward.families.vae.prior import CodePrior


@dataclass(frozen=True)
class Inference:
    """What bounds are made of.

    Attributes:
        x: an encoded batch, shape (n, *event).
        posterior: `q(z | x)`.
        prior: `p(z)`, of what is given where it looks at that.
        observation: `z -> p(x | z)`.
        noise: of the draws.
    """

    x: Tensor
    posterior: DiagonalGaussian
    prior: CodePrior
    observation: Callable[[Tensor], Observation]
    noise: Noise

    def divergence(self, z: Tensor) -> Tensor:
        """Return `KL(q(z | x) || p(z))` in nats, shape (n,), or an unbiased estimate of it from
        codes of the posterior."""
        return self.prior.divergence(self.posterior, z).sum(1)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Return codes of the posterior, and the noise that they stand for."""
        eps = self.noise.normal(self.prior.dimensions)
        return self.posterior.sample(eps), eps

    def fit(self, z: Tensor) -> Tensor:
        """Return `log p(x | z)` in nats, shape (n,)."""
        return self.observation(z).log_prob(self.x)

    def log_weight(self) -> Tensor:
        """Return `log p(x, z) / q(z | x)` of one draw, shape (n,) (Burda et al. 2016, equation
        8)."""
        z, eps = self.draw()
        return self.fit(z) + self.prior.log_ratio(self.posterior, z, eps)
