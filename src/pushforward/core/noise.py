"""Where random numbers come from while a batch is processed.

Three ideas: a family asks a `Noise` for numbers of its batch and cannot tell whether one stream
serves the batch (`BatchNoise`, training) or every example has its own (`Streams`, sampling and
scoring: a result does not depend on its batch); the numbers are computed where they are wanted, by
a counter, equal on every device; and what a counter gives to one step of training it can give to
the next ones too, so that those are computed together (`StepNoise`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
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


TOGETHER = 16  # steps whose noise is computed at once
FEW = 4096  # numbers that are; of more the arithmetic is all that counts
Places = int | Tensor  # number of the first example, or of every one
Made = Callable[[Tensor, int, torch.dtype], Tensor]  # of words: `normal` or `uniform`


class Counted:
    """Numbers of a counter, one draw after the other.

    Args:
        n: examples of the batch.
        streams: of the counter; each serves `n / streams` examples.
    """

    def __init__(self, n: int, keys: Keys, device: torch.device | None) -> None:
        self.n, self._streams = n, len(keys)
        self.device = device or torch.device("cpu")
        self._counter, self.place = Counter(keys, self.device), 0

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        return self._drawn(normal, words_of_normal, shape, dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        return self._drawn(uniform, words_of_uniform, shape, dtype)

    def _drawn(
        self,
        made: Made,
        words_of: Callable[[int, torch.dtype], int],
        shape: tuple[int, ...],
        dtype: torch.dtype,
    ) -> Tensor:
        # how many numbers a stream gives
        count = math.prod(shape) * (self.n // self._streams if self._streams else 0)
        if count == 0:
            return torch.zeros(self.n, *shape, dtype=dtype, device=self.device)
        words = words_of(count, dtype)
        first, self.place = self.place, self.place + words
        return self._of(made, first, words, count, dtype).contiguous().view(self.n, *shape)

    def _of(self, made: Made, first: int, words: int, count: int, dtype: torch.dtype) -> Tensor:
        return made(self._counter.words(first, words), count, dtype)


class BatchNoise(Counted):
    """One stream for a whole batch, keyed by a number of a generator.

    Example:
        >>> from pushforward.core.rng import generator
        >>> BatchNoise(generator(0, "step", 1), 4).normal(2).shape
        torch.Size([4, 2])
    """

    def __init__(self, rng: torch.Generator, n: int, device: torch.device | None = None) -> None:
        key = int(torch.empty((), dtype=torch.int64).random_(generator=rng))
        super().__init__(n, one_key(key), device)


class StepNoise:
    """The noise of each step of a training, keyed by a seed and the number of the step.

    What is small is computed for `TOGETHER` steps at once. Between two steps of a network the code
    of a few small operations leaves the processor's caches: alone they took ten times as long as
    again and again (LOG.md), and on an accelerator each is a launch.

    Example:
        >>> noise = StepNoise(0, "step")
        >>> late = StepNoise(0, "step").of(6, 4).normal(2)
        >>> bool((noise.of(5, 4).normal(2) != late).all() and (noise.of(6, 4).normal(2) == late).all())
        True
    """

    def __init__(self, seed: int, *words: str | int, device: torch.device | None = None) -> None:
        self._start, self._device = derive_seed(seed, *words), device
        self._block, self._keys = -1, splitmix(0, 0, 0)
        self._found: dict[tuple[Made, int, int, torch.dtype], Tensor] = {}

    def of(self, step: int, n: int) -> Noise:
        """Return the noise of a batch of n examples at a step."""
        block, row = divmod(step, TOGETHER)
        if block != self._block:
            self._keys = splitmix(self._start, block * TOGETHER, TOGETHER)
            self._block, self._found = block, {}
        return _OneOfSteps(n, self._keys, row, self._found, self._device)


class _OneOfSteps(Counted):
    """Noise of one step, which computes that of its neighbours with it."""

    def __init__(
        self,
        n: int,
        keys: Keys,
        row: int,
        found: dict[tuple[Made, int, int, torch.dtype], Tensor],
        device: torch.device | None,
    ) -> None:
        super().__init__(n, keys[row : row + 1], device)
        self._keys, self._row, self._found = keys, row, found

    def _of(self, made: Made, first: int, words: int, count: int, dtype: torch.dtype) -> Tensor:
        if count > FEW:
            return super()._of(made, first, words, count, dtype)
        key = (made, first, count, dtype)
        if key not in self._found:
            whole = Counter(self._keys, self.device).words(first, words)
            self._found[key] = made(whole, count, dtype)
        return self._found[key][self._row].clone()  # whoever draws may write into it


class Streams(Counted):
    """One independent stream of random numbers per example.

    The numbers of example `first + i` depend on `seed` and `first + i` only, so a batch of n equals
    n batches of one, on whatever device.

    Args:
        first: number of the first example, or the numbers of all n.

    Example:
        >>> whole = Streams(7, 3).normal(2)
        >>> bool((whole[2:] == Streams(7, 1, first=2).normal(2)).all())
        True
        >>> bool((whole[[2, 0]] == Streams(7, 2, first=torch.tensor([2, 0])).normal(2)).all())
        True
    """

    def __init__(
        self, seed: int, n: int, first: Places = 0, device: torch.device | None = None
    ) -> None:
        super().__init__(n, _keys_of(derive_seed(seed, "example"), n, first), device)
        self.seed, self.first = seed, first


def _keys_of(start: int, n: int, first: Places) -> Keys:
    """Return the keys of n examples in a row, or of those with given numbers."""
    if isinstance(first, int):
        return splitmix(start, first, n)
    if not len(first):
        return splitmix(start, 0, 0)
    least = int(first.min())
    return splitmix(start, least, int(first.max()) - least + 1)[(first - least).cpu().numpy()]
