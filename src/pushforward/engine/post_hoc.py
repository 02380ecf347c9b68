"""Which combination of kept averages is the average of another width.

Two ideas: averages are linear in the weights, so what combines their profiles combines them;
between two snapshots every profile is one power of time for each exponent, so that least squares
falls apart into one small problem a segment. Those have a condition of 130 for 16 even snapshots
and 1.9e3 for 64; the Gram matrix of all profiles has 5.9e3 and 1.6e6, and 4e8 where two snapshots
are neighbours.

    minimise || sum_i x_i p_i - p ||^2 subject to sum_i x_i = 1

with p_i the profiles of the snapshots and p the one asked for, as functions of training time
(Karras et al. 2024, section 3 and its appendix on post-hoc EMA, without the constraint: with it,
weights that stopped moving are reproduced exactly).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Combination:
    """What to add up.

    Attributes:
        coefficients: shape (exponents, snapshots), float64; they sum to one.
        residual: `|| sum_i x_i p_i - p || / || p ||`.
    """

    coefficients: Tensor
    residual: float


def combination(
    steps: Sequence[float], exponents: Sequence[float], exponent: float, at: float
) -> Combination:
    """Return the combination of averages with `exponents`, each kept at all of `steps`, that is
    nearest to another one.

    Args:
        steps: increasing training times of the snapshots.
        exponent: of the average wanted, at training time `at`, from above 0 to the last of `steps`.

    Example:
        >>> combination([100, 200], [17.0, 7.0], exponent=7.0, at=200).coefficients.round(decimals=9).abs().tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    end = torch.tensor(list(steps), dtype=torch.float64)
    start = torch.cat([end.new_zeros(1), end[:-1]])
    power = torch.tensor(list(exponents), dtype=torch.float64).unsqueeze(1)  # (exponents, 1)
    # on the segment (start, end] a profile is a multiple of phi_g(tau) = (tau / end)^g
    gram = _inner(power.unsqueeze(1) + power, start, end).permute(2, 0, 1)
    mass = _inner(power, start, end).T  # <phi_g, 1>
    # <phi_g, p> with p(tau) = (gamma + 1) / at * (tau / at)^gamma up to `at`, which may lie within
    # the segment
    cut = end.clamp(max=at)
    height = (exponent + 1.0) / at * (cut / end) ** power * (cut / at) ** exponent
    wanted = (height * _inner(power + exponent, torch.minimum(start, cut), cut)).T
    even = mass * (start < at).unsqueeze(1)
    fit, level = _solve(gram, torch.stack([wanted, even], dim=-1)).unbind(-1)
    # the multiplier of the constraint: the integral of a combination is the sum of its coefficients
    fit = fit + (1.0 - (fit * mass).sum()) / (level * mass).sum() * level
    norm = (exponent + 1.0) ** 2 / (at * (2.0 * exponent + 1.0))
    square = torch.einsum("kg,kgh,kh->", fit, gram, fit) - 2.0 * (fit * wanted).sum() + norm
    # a profile kept at one snapshot reaches all segments before it: what a segment needs beyond the
    # next is its own
    onward = torch.cat([end[:-1] / end[1:], end.new_zeros(1)])
    later = torch.cat([fit[1:], fit.new_zeros(1, len(exponents))])
    coefficients = end / (power + 1.0) * (fit.T - later.T * onward**power)
    return Combination(coefficients, math.sqrt(max(0.0, float(square)) / norm))


def _inner(power: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Integral of (tau / end)^power from start to end."""
    return end * (1.0 - (start / end) ** (power + 1.0)) / (power + 1.0)


def _solve(gram: Tensor, right: Tensor) -> Tensor:
    """Solve the problem of each segment with functions of norm one."""
    scale = gram.diagonal(dim1=1, dim2=2).rsqrt().unsqueeze(-1)
    return scale * torch.linalg.solve(scale * gram * scale.mT, scale * right)
