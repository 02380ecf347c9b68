"""Where random numbers come from while a batch is processed.

Two ideas: a family asks a `Noise` for numbers of its batch and cannot tell whether one stream
serves the batch (`BatchNoise`, training) or every example has its own (`Streams`, sampling and
scoring: a result does not depend on its batch); and the numbers are computed where they are wanted,
by a counter, equal on every device.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.counter import (
    Counter,
    Keys,
    normal,
    one_key,
    splitmix,
    uniform,
    words_of_normal,
    words_of_uniform,
)
from pushforward.core.rng import derive_seed


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


class _Counted:
    """Numbers of a counter, one draw after the other.

    Args:
        n: examples of the batch.
        streams: of the counter; each serves `n / streams` examples.
    """

    def __init__(self, n: int, keys: Keys, device: torch.device | None) -> None:
        self.n, self._streams = n, len(keys)
        self.device = device or torch.device("cpu")
        self._counter, self._next = Counter(keys, self.device), 0

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        count = self._each(shape)
        if count == 0:
            return torch.zeros(self.n, *shape, dtype=dtype, device=self.device)
        words = self._words(words_of_normal(count, dtype))
        return normal(words, count, dtype).contiguous().view(self.n, *shape)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        count = self._each(shape)
        if count == 0:
            return torch.zeros(self.n, *shape, dtype=dtype, device=self.device)
        words = self._words(words_of_uniform(count, dtype))
        return uniform(words, count, dtype).contiguous().view(self.n, *shape)

    def _each(self, shape: tuple[int, ...]) -> int:
        """Return how many numbers a stream gives."""
        return math.prod(shape) * (self.n // self._streams if self._streams else 0)

    def _words(self, count: int) -> Tensor:
        first, self._next = self._next, self._next + count
        return self._counter.words(first, count)


class BatchNoise(_Counted):
    """One stream for a whole batch, keyed by a number of a generator.

    Example:
        >>> from pushforward.core.rng import generator
        >>> BatchNoise(generator(0, "step", 1), 4).normal(2).shape
        torch.Size([4, 2])
    """

    def __init__(self, rng: torch.Generator, n: int, device: torch.device | None = None) -> None:
        key = int(torch.empty((), dtype=torch.int64).random_(generator=rng))
        super().__init__(n, one_key(key), device)


class Streams(_Counted):
    """One independent stream of random numbers per example.

    The numbers of example `first + i` depend on `seed` and `first + i` only, so a batch of n equals
    n batches of one, on whatever device.

    Example:
        >>> whole = Streams(7, 3).normal(2)
        >>> bool((whole[2:] == Streams(7, 1, first=2).normal(2)).all())
        True
    """

    def __init__(
        self, seed: int, n: int, first: int = 0, device: torch.device | None = None
    ) -> None:
        super().__init__(n, splitmix(derive_seed(seed, "example"), first, n), device)
        self.seed, self.first = seed, first
