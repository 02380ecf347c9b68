"""Mergeable first and second moments.

One idea: count, mean and centred scatter combine by Chan's formula, so that a sample can be counted
in blocks, merged in any order and have a block taken out again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, mean (d,) and scatter `sum (x - mean)(x - mean)^T` (d, d) of some rows, in float64.

    Example:
        >>> x = np.array([[0.0], [1.0], [5.0]])
        >>> Moments.of(x[:1]).merge(Moments.of(x[1:])).covariance
        array([[7.]])
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @staticmethod
    def of(rows: np.ndarray) -> Moments:
        """Count the rows (n, d) of one block."""
        mean = rows.mean(axis=0)
        centred = rows - mean
        return Moments(len(rows), mean, centred.T @ centred)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance `scatter / (n - 1)`."""
        return self.scatter / (self.count - 1)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both blocks (Chan, Golub & LeVeque 1979, equation 2.1)."""
        count = self.count + other.count
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.count / count)
        outer = np.outer(gap, gap) * (self.count * other.count / count)
        return Moments(count, mean, self.scatter + other.scatter + outer)

    def without(self, block: Moments) -> Moments:
        """Return the moments with `block` taken out: the inverse of `merge`."""
        count = self.count - block.count
        gap = (block.mean - self.mean) * (self.count / count)
        mean = self.mean - gap * (block.count / self.count)
        outer = np.outer(gap, gap) * (count * block.count / self.count)
        return Moments(count, mean, self.scatter - block.scatter - outer)
