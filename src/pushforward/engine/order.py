"""In which order training examples are seen.

One idea: the batch of step t is a pure function of the seed and t, so the data position needs no
saved state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.core.rng import generator


class DataOrder:
    """An endless stream of permutations, cut into batches that may straddle two epochs.

    Example:
        >>> order = DataOrder(n=3, batch_size=2, seed=0)
        >>> sorted(torch.cat([order.batch(0), order.batch(1)])[:3].tolist())
        [0, 1, 2]
    """

    def __init__(self, n: int, batch_size: int, seed: int) -> None:
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self._epochs: dict[int, Tensor] = {}

    def batch(self, step: int) -> Tensor:
        """Return the row numbers of step `step`, shape (batch_size,)."""
        position, needed, parts = step * self.batch_size, self.batch_size, []
        while needed:
            epoch, offset = divmod(position, self.n)
            part = self._epoch(epoch)[offset : offset + needed]
            parts.append(part)
            position += len(part)
            needed -= len(part)
        return torch.cat(parts)

    def _epoch(self, epoch: int) -> Tensor:
        if epoch not in self._epochs:
            # two are enough: a batch straddles at most the current and the next unless it is larger
            # than the data
            while len(self._epochs) > 1:
                self._epochs.pop(next(iter(self._epochs)))
            self._epochs[epoch] = torch.randperm(
                self.n, generator=generator(self.seed, "order", epoch)
            )
        return self._epochs[epoch]
