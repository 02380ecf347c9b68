"""Decoder likelihoods of points, and the divergence of a Gaussian posterior from its prior.

One idea: the decoder's scale is learned, because a fixed variance is a hidden hyperparameter of the bound.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gaussian(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return `log N(x; m, s^2)` elementwise, normalising constant included.

    Example:
        >>> round(float(gaussian(torch.tensor(1.0), torch.tensor(0.0), torch.tensor(0.0))), 4)
        -1.4189
    """
    return -0.5 * ((x - mean) * torch.exp(-log_scale)).square() - log_scale - 0.5 * math.log(2 * math.pi)


def kl_to_standard_normal(mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return `KL(N(m, s^2) || N(0, 1)) = -1/2 (1 + log s^2 - m^2 - s^2)` per dimension (Kingma & Welling 2013, appendix B).

    Example:
        >>> round(float(kl_to_standard_normal(torch.tensor(1.0), torch.tensor(0.0))), 4)
        0.5
    """
    return -0.5 * (1.0 + 2.0 * log_scale - mean.square() - (2.0 * log_scale).exp())
