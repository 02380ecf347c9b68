"""How much noise an ancestral step adds: between the variance that is right for a point and that
for unit Gaussian data.

Two ideas: Gaussian data of variance one and a single point bracket the variance of a reverse step,
and a number between 0 and 1 interpolates them in their logarithms; in `y = x/alpha` both are
functions of two noise levels, whatever the path.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# (y, noise level) -> clean estimate and the share of `between`, one number or one for every
# dimension
Reverse = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def small_variance(s: Tensor, then: Tensor) -> Tensor:
    """`s'^2 (s^2 - s'^2)/s^2`, the variance of `q(y' | y, x)` (Ho et al. 2020, equation 7, in y):
    right if the data are one point.

    It is zero on a step to noise zero, which has no density: there a decoder takes over.
    """
    return then**2 * (s**2 - then**2) / s**2


def large_variance(s: Tensor, then: Tensor) -> Tensor:
    """`(1 + s'^2) (s^2 - s'^2)/(1 + s^2)`, which is beta in x: right for data `N(0, 1)` (Ho et al.
    2020, section 3.2)."""
    return (1.0 + then**2) * (s**2 - then**2) / (1.0 + s**2)


def log_excess(s: Tensor, then: Tensor) -> Tensor:
    """Return `log(large/small)`, which does not depend on coordinates: `2 log(s/s') - log((1 +
    s^2)/(1 + s'^2))`."""
    return 2.0 * torch.log(s / then) - torch.log1p(s**2) + torch.log1p(then**2)


def between(share: Tensor, s: Tensor, then: Tensor) -> Tensor:
    """Return `exp(v log large + (1 - v) log small)` for a share v (Nichol and Dhariwal 2021,
    equation 15).

    Example:
        >>> s, then = torch.tensor(2.0), torch.tensor(1.0)
        >>> [round(float(between(torch.tensor(v), s, then)), 4) for v in (0.0, 0.5, 1.0)]
        [0.75, 0.9487, 1.2]
    """
    return small_variance(s, then) * torch.exp(share * log_excess(s, then))


def fixed(denoise: Callable[[Tensor, Tensor], Tensor], share: float) -> Reverse:
    """Return a denoiser with one share for all: 0 is the small variance, 1 the large one."""

    def reverse(y: Tensor, noise_level: Tensor) -> tuple[Tensor, Tensor]:
        return denoise(y, noise_level), y.new_tensor(share)

    return reverse


def step_divergence(x: Tensor, clean: Tensor, share: Tensor, s: Tensor, then: Tensor) -> Tensor:
    """Return `KL(q(y' | y, x) || p(y' | y))` of a step between two levels, summed over dimensions,
    in nats.

    With b the small variance and `v = between(share)` it is `1/2 sum [b/v - 1 - log(b/v) + (1 -
    s'^2/s^2)^2 (x - D)^2/v]`; with v = b only the last part is left, `1/2 (1/s'^2 - 1/s^2) |x -
    D|^2` (Kingma et al. 2021, discrete-time loss).

    Shapes: x and clean (n, ...), s and then (n,), share broadcasts to x -> (n,).
    """
    ones = (-1,) + (1,) * (x.dim() - 1)
    s, then = s.double(), then.double()
    gain = ((s - then) * (s + then) / (s * then) ** 2).to(x).reshape(ones)
    excess = share * log_excess(s, then).to(x).reshape(ones)
    kept = torch.exp(-excess)
    return 0.5 * (kept * gain * (x - clean).square() + torch.expm1(-excess) + excess).flatten(
        1
    ).sum(1)
