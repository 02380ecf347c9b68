"""Mixtures of Gaussians on a line, seen through Gaussian noise: the exact denoiser of every column
by itself.

One idea: with components of mean m, spread t and weight w, `y = x + s eps` has components of spread
`sqrt(s^2 + t^2)`, and the mean of x given y is a weighted mean of `(t^2 y + s^2 m) / (s^2 + t^2)`;
a spread of zero is a point.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class GaussianMixtures(nn.Module):
    """One mixture per column, padded to `size` components of weight zero; a fresh one is N(0, 1).

    Example:
        >>> law = GaussianMixtures(1, 2)
        >>> law.set(0, torch.tensor([-1.0, 1.0]), torch.zeros(2), torch.tensor([1.0, 1.0]))
        >>> law.denoise(torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0], [0.1]])).tolist()
        [[0.0], [1.0]]
    """

    mean: Tensor
    variance: Tensor
    log_weight: Tensor

    def __init__(self, columns: int, size: int) -> None:
        super().__init__()
        weight = torch.full((columns, size), -math.inf)
        weight[:, 0] = 0.0
        variance = torch.ones(columns, size)
        self.register_buffer("mean", torch.zeros(columns, size))
        self.register_buffer("variance", variance)
        self.register_buffer("log_weight", weight)

    def set(self, k: int, mean: Tensor, spread: Tensor, weight: Tensor) -> None:
        """Replace the mixture of column k."""
        used = len(mean)
        self.mean[k], self.variance[k], self.log_weight[k] = 0.0, 1.0, -math.inf
        self.mean[k, :used], self.variance[k, :used] = (
            mean.to(self.mean),
            spread.square().to(self.mean),
        )
        self.log_weight[k, :used] = (weight / weight.sum()).log().to(self.mean)

    def denoise(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """Return `E[x | y]`; shapes: y (n, columns), noise_level (n, columns or 1), positive."""
        y, square = y.unsqueeze(-1), noise_level.square().unsqueeze(-1)
        most = int((self.log_weight > -math.inf).sum(1).max())
        mean, variance, log_weight = (
            t[:, :most] for t in (self.mean, self.variance, self.log_weight)
        )
        both = square + variance
        logit = log_weight - 0.5 * (both.log() + (y - mean).square() / both)
        inside = (variance * y + square * mean) / both
        return (logit.softmax(-1) * inside).sum(-1)

    def log_prob(self, y: Tensor, noise_level: float) -> Tensor:
        """Return `log p(y)` of noisy numbers y (n, columns, points), in float64.

        Example:
            >>> law = GaussianMixtures(1, 1)
            >>> round(float(law.log_prob(torch.zeros(1, 1, 1), 1.0)), 4)  # N(0, 2)
            -1.2655
        """
        most = int((self.log_weight > -math.inf).sum(1).max())
        mean, variance, log_weight = (
            t[:, :most].double().unsqueeze(1) for t in (self.mean, self.variance, self.log_weight)
        )
        both = noise_level**2 + variance
        logit = log_weight - 0.5 * (
            (2.0 * math.pi * both).log() + (y.double().unsqueeze(-1) - mean).square() / both
        )
        return logit.logsumexp(-1)
