"""The approximate posterior `q(z | x)`: what the encoder's numbers mean.

One idea: a code is a deterministic function of the encoder's numbers and of noise that knows
nothing of them, so that gradients reach the encoder through the draw (Kingma & Welling 2013,
section 2.4).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.nets.logistic import bounded

LOG_SCALES = (-8.0, 4.0)


def reparameterised(mean: Tensor, log_scale: Tensor, eps: Tensor) -> Tensor:
    """Return `z = m + s eps` (Kingma & Welling 2013, equation 4).

    Example:
        >>> import torch
        >>> float(reparameterised(torch.tensor(1.0), torch.tensor(0.0), torch.tensor(-2.0)))
        -1.0
    """
    return mean + log_scale.exp() * eps


@dataclass(frozen=True)
class DiagonalGaussian:
    """`N(m, diag s^2)` of the codes of a batch: `mean` and `log_scale` of shape (n, latent)."""

    mean: Tensor
    log_scale: Tensor
    draw: Callable[[Tensor, Tensor, Tensor], Tensor] = reparameterised

    def sample(self, eps: Tensor) -> Tensor:
        """Return the codes that standard normal noise (n, latent) stands for."""
        return self.draw(self.mean, self.log_scale, eps)

    def terms(self, z: Tensor) -> Tensor:
        """Return `log q(z_i | x)` of codes, in nats, shape (n, latent)."""
        standard = (z - self.mean) * torch.exp(-self.log_scale)
        return -0.5 * standard.square() - self.log_scale - 0.5 * math.log(2.0 * math.pi)


class Posterior(ABC):
    """A family of laws of codes, one for each output of the encoder."""

    @abstractmethod
    def outputs(self, latent: int) -> int:
        """Return how many numbers the encoder says about an example, for codes of `latent`
        dimensions."""

    @abstractmethod
    def law(self, raw: Tensor) -> DiagonalGaussian:
        """Return the laws of a batch from the encoder's output, (n, outputs)."""


@dataclass(frozen=True)
class GaussianPosterior(Posterior):
    """A mean and a scale for every dimension of the code.

    Attributes:
        draw: `(mean, log_scale, eps) -> z`.
    """

    draw: Callable[[Tensor, Tensor, Tensor], Tensor] = reparameterised

    def outputs(self, latent: int) -> int:
        """Two for each dimension."""
        return 2 * latent

    def law(self, raw: Tensor) -> DiagonalGaussian:
        """The first half are means, the second half scales within limits."""
        mean, log_scale = raw.chunk(2, dim=-1)
        return DiagonalGaussian(mean, bounded(log_scale, *LOG_SCALES), self.draw)
