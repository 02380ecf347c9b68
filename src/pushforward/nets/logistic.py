"""Discretised logistic distributions over grey levels: their probabilities and their quantiles.

Two ideas: a level's probability is the logistic mass of its cell, with open tails, so that levels
sum to one; scales are kept within limits smoothly, so that none can get stuck beyond them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bounded(x: Tensor, low: float, high: float) -> Tensor:
    """Return `x` kept inside `(low, high)`, a smooth clamp whose gradient never vanishes exactly.

    `y = low + softplus(x - low)`, then `high - softplus(high - y)`; a hard clamp would leave a
    scale beyond its limit without a gradient, stuck there for the rest of the training.

    Example:
        >>> [round(v, 2) for v in bounded(torch.tensor([-100.0, -2.0, 100.0]), -7.0, 4.0).tolist()]
        [-7.0, -2.0, 4.0]
    """
    return high - F.softplus(high - low - F.softplus(x - low))


def discretised_logistic(x: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """Return `log P(x)` of levels scaled to [-1, 1] under a discretised logistic.

    `P(x) = sigmoid((x + h - m)/s) - sigmoid((x - h - m)/s)` with half a cell `h = 1/(L-1)`; the
    lowest level takes the whole lower tail and the highest the upper one (Salimans et al. 2017,
    equation 2). Computed as `log sig(a) + log sig(-b) + log(1 - exp(b - a))`, which is exact and
    stable for a > b.

    Shapes: all the same; elementwise. Finite in float32 for log-scales from -30 to 30.

    Example:
        >>> levels = torch.tensor([-1.0, 0.0, 1.0])
        >>> p = discretised_logistic(levels, torch.tensor(0.3), torch.tensor(-1.0), levels=3).exp()
        >>> [round(v, 4) for v in p.tolist()], round(float(p.sum()), 4)
        ([0.1021, 0.5306, 0.3673], 1.0)
    """
    half = 1.0 / (levels - 1)
    inverse = torch.exp(-log_scale)
    a, b = (x + half - mean) * inverse, (x - half - mean) * inverse
    # sig(a) - sig(b) = sig(a) sig(-b) (1 - exp(b - a))
    middle = F.logsigmoid(a) + F.logsigmoid(-b) + torch.log(-torch.expm1(-2.0 * half * inverse))
    # the neighbour of an outermost level is two halves away, so rounding cannot confuse them
    lowest, highest = x < -1.0 + half, x > 1.0 - half
    return torch.where(lowest, F.logsigmoid(a), torch.where(highest, F.logsigmoid(-b), middle))


def sample_logistic(u: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return `m + s logit(u)`; the codec rounds to the nearest level, which has exactly the
    discretised probability.

    Shapes: all the same; u uniform on [0, 1) in float64, because float32 has no numbers for the
    upper tail.
    """
    quantile = torch.logit(u.clamp(min=torch.finfo(u.dtype).tiny))
    return mean + log_scale.exp() * quantile.to(mean)
