"""Chains of bijections from examples to codes.

One idea: what a chain is asked for (a code with its log-determinant, an example of a code, a first
look at data) does not depend on how it arranges its bijections: one after another here, over
several scales in `multiscale.py`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.families.flow.transforms.bijection import Bijection, bijections, compose, undo
from pushforward.families.shared.base import Base


class Chain(nn.Module, ABC):
    """A bijection from examples of one shape to codes (n, D)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.dimensions = shape, math.prod(shape)

    @abstractmethod
    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the code (n, D) and `log|det dz/dx|` (n,)."""

    @abstractmethod
    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Return the examples of codes (n, D)."""

    @abstractmethod
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Let every bijection look once at the data that reach it."""

    def log_prob(self, x: Tensor, context: Tensor | None, base: Base) -> Tensor:
        """Return `log p(x) = log p(z) + log|det dz/dx|`, shape (n,); a chain that knows the sum of
        both without the code computes it so."""
        z, log_det = self(x, context)
        return log_det + base.log_prob(z)

    def mean_log_prob(self, x: Tensor, context: Tensor | None, base: Base, noise: Noise) -> Tensor:
        """Return the mean of `log_prob` over a batch, or an unbiased estimate of it that costs
        less, for training."""
        return self.log_prob(x, context, base).mean()


class VectorChain(Chain):
    """Bijections in turn on flattened examples; codes have the shape of a flat example."""

    def __init__(self, shape: tuple[int, ...], layers: Iterable[Bijection]) -> None:
        super().__init__(shape)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take the layers in order."""
        return compose(bijections(self.layers), x.flatten(1), x.new_zeros(len(x)), context)

    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Take them backwards."""
        return undo(bijections(self.layers), z, context).reshape(-1, *self.shape)

    @torch.no_grad()
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Show each layer the data as the layers before leave them."""
        compose(
            bijections(self.layers), x.flatten(1), x.new_zeros(len(x)), context, initialise=True
        )
