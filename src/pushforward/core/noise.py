"""Where random numbers come from while a batch is processed.

Two ideas: a family asks a `Noise` for numbers of its batch and cannot tell whether one generator
serves the batch (`BatchNoise`, training: fast) or every example has its own stream (`Streams`,
sampling and scoring: a result does not depend on its batch).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.rng import generator


@runtime_checkable
class Noise(Protocol):
    """A source of random numbers for a batch of `n` examples."""

    n: int

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        ...

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        ...


class BatchNoise:
    """One generator for a whole batch.

    Example:
        >>> from pushforward.core.rng import generator
        >>> BatchNoise(generator(0, "step", 1), 4).normal(2).shape
        torch.Size([4, 2])
    """

    def __init__(self, rng: torch.Generator, n: int, device: torch.device | None = None) -> None:
        self.rng, self.n, self.device = rng, n, device or torch.device("cpu")

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        return torch.randn(self.n, *shape, generator=self.rng, dtype=dtype).to(self.device)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        return torch.rand(self.n, *shape, generator=self.rng, dtype=dtype).to(self.device)


class Streams:
    """One independent stream of random numbers per example.

    The numbers of example `first + i` depend on `seed` and `first + i` only, so a batch of n equals
    n batches of one.

    Example:
        >>> whole = Streams(7, 3).normal(2)
        >>> bool((whole[2:] == Streams(7, 1, first=2).normal(2)).all())
        True
    """

    def __init__(
        self, seed: int, n: int, first: int = 0, device: torch.device | None = None
    ) -> None:
        self.seed, self.n, self.first = seed, n, first
        self.device = device or torch.device("cpu")
        self._generators = [generator(seed, "example", first + i) for i in range(n)]

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        out = torch.empty(self.n, *shape, dtype=dtype)
        for row, rng in zip(out, self._generators, strict=True):
            row.normal_(generator=rng)
        return out.to(self.device)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        out = torch.empty(self.n, *shape, dtype=dtype)
        for row, rng in zip(out, self._generators, strict=True):
            row.uniform_(generator=rng)
        return out.to(self.device)
