"""Distributions of codes that are easy to draw from: what a flow ends in, and what a decoder or a
generator starts from.

One idea: everything that pushes noise forward in one pass asks its base for the noise, so that
another base serves flows, VAEs and GANs alike.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from pushforward.core.noise import Noise


class Base(ABC):
    """A distribution of codes of shape (n, dimensions); one that learns is an `nn.Module` as well.

    Attributes:
        dimensions: numbers of a code.
    """

    dimensions: int

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Return `log p(z)` in nats, shape (n,)."""

    @abstractmethod
    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """Return a code for each example of the noise; 1 is the distribution itself, below it is
        narrower."""


@dataclass(frozen=True)
class StandardNormal(Base):
    """`N(0, I)`; at temperature t it is `N(0, t^2 I)`.

    Example:
        >>> import torch
        >>> round(float(StandardNormal(2).log_prob(torch.zeros(1, 2))), 4)
        -1.8379
    """

    dimensions: int

    def log_prob(self, z: Tensor) -> Tensor:
        """Return `-|z|^2 / 2 - d/2 log 2 pi`."""
        flat = z.flatten(1)
        return -0.5 * flat.square().sum(1) - 0.5 * flat.shape[1] * math.log(2 * math.pi)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """Return normal numbers, scaled."""
        return noise.normal(self.dimensions) * temperature
