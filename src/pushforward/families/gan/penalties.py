"""Objectives of the relativistic game and its two gradient penalties.

Two ideas: the critic judges pairs, so that pushing all scores up gains nothing (Jolicoeur-Martineau 2019); penalising
the critic's gradient on real data (R1) and on fake data (R2) makes the game converge (Huang et al. 2024).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def relativistic(better: Tensor, worse: Tensor) -> Tensor:
    """Return `E softplus(-(better - worse))`: small when the first scores exceed the second.

    Example:
        >>> round(float(relativistic(torch.zeros(2), torch.zeros(2))), 4)
        0.6931
    """
    return F.softplus(worse - better).mean()


def gradient_penalty(scores: Tensor, x: Tensor) -> Tensor:
    """Return `E ||grad_x D(x)||^2 / 2`, the squared norm summed over each example (Mescheder et al. 2018, equation 9, gamma = 1).

    Shapes: scores (n,), x (n, ...) with a graph between them.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return 0.5 * gradient.flatten(1).square().sum(1).mean()
