"""Monotone rational-quadratic splines (Durkan et al. 2019): an elementwise bijection with exact
inverse and derivative.

Two ideas: outside [-B, B] the map is the identity and the outermost derivatives are one, so that
the density has no jump; every input is clamped before arithmetic, so that no branch can produce a
NaN gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.families.flow.transforms.bijection import Elementwise

SMALLEST = 1e-3  # of a bin's share and of a derivative


def parameters_per_input(bins: int) -> int:
    """Return how many raw numbers a spline of `bins` bins takes: widths, heights and inner
    derivatives."""
    return 3 * bins - 1


def knots(raw: Tensor, bins: int, bound: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return x knots, y knots and derivatives, each (..., bins + 1), from raw numbers (..., 3 bins
    - 1)."""
    widths, heights, slopes = raw.split([bins, bins, bins - 1], dim=-1)
    # softplus(shift) + SMALLEST = 1, so that raw zeros are the identity
    shift = math.log(math.expm1(1.0 - SMALLEST))
    inner = SMALLEST + F.softplus(slopes + shift)
    one = torch.ones_like(inner[..., :1]) if bins > 1 else torch.ones_like(widths[..., :1])
    xs, ys = _positions(widths, bins, bound), _positions(heights, bins, bound)
    return xs, ys, torch.cat([one, inner, one], dim=-1)


def _positions(logits: Tensor, bins: int, bound: float) -> Tensor:
    share = SMALLEST + (1.0 - SMALLEST * bins) * logits.softmax(-1)
    inner = share.cumsum(-1)[..., :-1] * 2.0 * bound - bound
    edge = torch.full_like(inner[..., :1], bound)
    return torch.cat([-edge, inner, edge], dim=-1)


def _at(table: Tensor, index: Tensor) -> Tensor:
    return table.gather(-1, index).squeeze(-1)


def spline(
    x: Tensor, raw: Tensor, bins: int, bound: float, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """Return `y` and `log dy/dx`, elementwise; with `inverse`, x from y and `log dx/dy`.

    Forward (equation 4): with `s = (y1-y0)/(x1-x0)` and `t = (x-x0)/(x1-x0)`, `y = y0 + (y1-y0) (s
    t^2 + d0 t(1-t)) / (s + (d1 + d0 - 2s) t(1-t))`. The inverse solves the quadratic of equations
    6-8 by the root `2c / (-b - sqrt(b^2 - 4ac))`, which does not cancel.

    Shapes: x (...), raw (..., 3 bins - 1).
    """
    xs, ys, ds = knots(raw, bins, bound)
    inside = (x >= -bound) & (x <= bound)
    clamped = x.clamp(-bound, bound)
    grid = ys if inverse else xs
    index = (
        torch.searchsorted(grid[..., 1:-1].contiguous(), clamped.unsqueeze(-1).contiguous())
    ).clamp(max=bins - 1)
    after = index + 1
    (x0, y0, d0), (x1, y1, d1) = ([_at(t, i) for t in (xs, ys, ds)] for i in (index, after))
    width, height = x1 - x0, y1 - y0
    s = height / width
    if inverse:
        rise = clamped - y0
        bend = d1 + d0 - 2.0 * s
        a = height * (s - d0) + rise * bend
        b = height * d0 - rise * bend
        c = -s * rise
        root = (b.square() - 4.0 * a * c).clamp(min=0.0).sqrt()
        t = (2.0 * c / (-b - root)).clamp(0.0, 1.0)
        value = x0 + t * width
    else:
        t = ((clamped - x0) / width).clamp(0.0, 1.0)
        value = y0 + height * (s * t.square() + d0 * t * (1 - t)) / (
            s + (d1 + d0 - 2.0 * s) * t * (1 - t)
        )
    q = t * (1 - t)
    denominator = s + (d1 + d0 - 2.0 * s) * q
    # equation 5
    slope = (
        s.square() * (d1 * t.square() + 2.0 * s * q + d0 * (1 - t).square()) / denominator.square()
    )
    log_slope = -slope.log() if inverse else slope.log()
    return torch.where(inside, value, x), torch.where(inside, log_slope, torch.zeros_like(x))


@dataclass(frozen=True)
class RationalQuadratic(Elementwise):
    """The spline as what a coupling does to its numbers.

    Attributes:
        bins: of every spline.
        bound: it acts on [-bound, bound], and is the identity outside.

    Example:
        >>> RationalQuadratic(bins=4, bound=3.0).parameters
        11
    """

    bins: int
    bound: float

    @property
    def parameters(self) -> int:
        """Widths, heights and inner derivatives."""
        return parameters_per_input(self.bins)

    def forward(self, x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the spline."""
        return spline(x, raw, self.bins, self.bound)

    def inverse(self, y: Tensor, raw: Tensor) -> Tensor:
        """Solve it, in closed form."""
        return spline(y, raw, self.bins, self.bound, inverse=True)[0]
