"""Data, noise, score and velocity: four names for one number.

One idea: each is a linear form `a x0 + b eps`, and `x_t = alpha x0 + sigma eps` is a second one, so
that every conversion is the same two-by-two system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Coefficients = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Prediction:
    """The linear form `a x0 + b eps`, with `(a, b)` a function of `(alpha, sigma)`.

    Example:
        >>> alpha, sigma = torch.tensor(0.6), torch.tensor(0.8)
        >>> x0, eps = torch.tensor([1.0]), torch.tensor([-1.0])
        >>> x_t = alpha * x0 + sigma * eps
        >>> round(float(SCORE.to_data(SCORE.of(x0, eps, alpha, sigma), x_t, alpha, sigma)), 5)
        1.0
    """

    name: str
    coefficients: Coefficients

    def of(self, data: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """Return `a x0 + b eps`."""
        a, b = self.coefficients(alpha, sigma)
        return a * data + b * noise

    def to_data(self, value: Tensor, x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """Return `x0` from the prediction and `x_t` (Cramer's rule)."""
        a, b = self.coefficients(alpha, sigma)
        return (sigma * value - b * x) / (a * sigma - b * alpha)

    def from_data(self, data: Tensor, x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """Return the prediction from `x0` and `x_t`."""
        return self.of(data, (x - alpha * data) / sigma, alpha, sigma)


DATA = Prediction("data", lambda alpha, sigma: (torch.ones_like(alpha), torch.zeros_like(sigma)))
NOISE = Prediction("noise", lambda alpha, sigma: (torch.zeros_like(alpha), torch.ones_like(sigma)))
# grad log q(x_t | x0) = -(x_t - alpha x0)/sigma^2 = -eps/sigma (Song et al. 2020)
SCORE = Prediction("score", lambda alpha, sigma: (torch.zeros_like(alpha), -1.0 / sigma))
# v = alpha eps - sigma x0 (Salimans and Ho 2022)
VELOCITY = Prediction("velocity", lambda alpha, sigma: (-sigma, alpha))
# u = eps - x0, the velocity of a straight line from data to noise (Liu et al. 2022); of another
# path it is alpha' x0 + sigma' eps
FLOW = Prediction("flow", lambda alpha, sigma: (-torch.ones_like(alpha), torch.ones_like(sigma)))
PREDICTIONS = (DATA, NOISE, SCORE, VELOCITY, FLOW)
