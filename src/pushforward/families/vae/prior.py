"""The prior of codes, and how far posteriors are from it.

Two ideas: a prior is of a condition, which most laws of codes ignore; one that knows a closed form
of its divergence from a posterior says so here, and any other estimates it from a code that the
posterior drew. The bound needs no more of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pushforward.core.noise import Noise
from pushforward.families.shared.base import Base, StandardNormal
from pushforward.families.vae.posterior import DiagonalGaussian


def kl_to_standard_normal(mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return `KL(N(m, s^2) || N(0, 1)) = -1/2 (1 + log s^2 - m^2 - s^2)` per dimension (Kingma &
    Welling 2013, appendix B).

    Example:
        >>> import torch
        >>> round(float(kl_to_standard_normal(torch.tensor(1.0), torch.tensor(0.0))), 4)
        0.5
    """
    return -0.5 * (1.0 + 2.0 * log_scale - mean.square() - (2.0 * log_scale).exp())


class PriorModel(ABC):
    """Laws of codes, one for each condition; one that learns is an `nn.Module` as well.

    Attributes:
        dimensions: numbers of a code.
    """

    dimensions: int

    @abstractmethod
    def given(self, context: Tensor | None) -> CodePrior:
        """Return the law of each example of a batch.

        Args:
            context: what is given of them, (n, context); None without conditions.
        """


class CodePrior(Base, PriorModel):
    """A law of codes before anything is seen; as a `PriorModel`, one that ignores conditions."""

    def given(self, context: Tensor | None) -> CodePrior:
        """The same law for every example."""
        return self

    @abstractmethod
    def divergence(self, posterior: DiagonalGaussian, z: Tensor) -> Tensor:
        """Return `KL(q(z | x) || p(z))` in nats, shape (n, parts), parts that add up: one for each
        dimension where it factorises.

        Args:
            z: codes that the posterior drew, (n, dimensions), of which this is an unbiased estimate
                where there is no closed form.
        """

    @abstractmethod
    def log_ratio(self, posterior: DiagonalGaussian, z: Tensor, eps: Tensor) -> Tensor:
        """Return `log p(z) - log q(z | x)` of the code that `eps` stands for, shape (n,)."""


@dataclass(frozen=True)
class GaussianPrior(CodePrior):
    """`N(0, I)`.

    Attributes:
        kl: `(mean, log_scale) -> KL`, shape (n, parts).
    """

    dimensions: int
    kl: Callable[[Tensor, Tensor], Tensor] = kl_to_standard_normal

    def log_prob(self, z: Tensor) -> Tensor:
        """The standard normal's."""
        return StandardNormal(self.dimensions).log_prob(z)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """Normal numbers, scaled."""
        return StandardNormal(self.dimensions).sample(noise, temperature)

    def divergence(self, posterior: DiagonalGaussian, z: Tensor) -> Tensor:
        """In closed form."""
        return self.kl(posterior.mean, posterior.log_scale)

    def log_ratio(self, posterior: DiagonalGaussian, z: Tensor, eps: Tensor) -> Tensor:
        """The normalising constants cancel."""
        return -0.5 * z.square().sum(1) + 0.5 * eps.square().sum(1) + posterior.log_scale.sum(1)
