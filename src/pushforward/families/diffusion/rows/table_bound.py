"""The bound on log p of a row's numbers given its symbols: an integral over noise levels.

Three ideas: numbers drown in noise before symbols are hidden, so that the bound is `log p(symbols)
+ log p(numbers | symbols)`, each bounded by its own part; the last step of a number on a grid is
the exact probability of its interval, which needs no dequantisation and sums to one over the grid;
what each column would cost by itself is known without noise, so that only what the network knows
beyond that is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.families.diffusion.paths.noise_law import NoiseLaw
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.rows.number_line import NumberLine

AT_ONCE = 4096  # rows per call of the network: activations fit in the cache
SMALLEST = 1e-12  # a uniform that is still a finite normal
Denoise = Callable[
    [Tensor, Tensor, int], Tensor
]  # y (n * times, N), noise levels, times -> clean numbers
Estimate = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class PlacedNumbers:
    """Numbers of n rows: values (n, N) in data units, their places z on the line, and which of them
    are to be scored."""

    values: Tensor
    z: Tensor
    live: Tensor


def log_interval(low: Tensor, high: Tensor) -> Tensor:
    """Return `log(Phi(high) - Phi(low))`, accurate in the tails and for intervals of any width.

    Example:
        >>> ends = torch.tensor([-math.inf, 0.0, 40.0, 1.0], dtype=torch.float64)
        >>> log_interval(ends[:3], torch.tensor([0.0, 1e-12, math.inf], dtype=torch.float64)).round(decimals=3).tolist()
        [-0.693, -28.55, -804.608]
    """
    # the upper tail is mirrored: there both terms would round to one
    mirrored = low + high > 0
    a, b = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    far, near = torch.special.log_ndtr(a), torch.special.log_ndtr(b)
    wide = near + torch.log(-torch.expm1(torch.minimum(far - near, far.new_tensor(-1e-300))))
    width = b - a
    middle = 0.5 * (a + b)
    narrow = -0.5 * middle.square() - 0.5 * math.log(2.0 * math.pi) + width.log()
    return torch.where(width * (1.0 + middle.abs()) < 1e-5, narrow, wide)


def decoded(
    line: NumberLine, numbers: PlacedNumbers, noise_level: float, points: int = 65
) -> Tensor:
    """Return `E_eps log p(x | z + s eps)` summed over live numbers, shape (n,).

    Real numbers: `p = N(z; y, s^2) dz/dx`. On a grid: `P = Phi((b - y)/s) - Phi((a - y)/s)` over
    the number's interval [a, b]. The trapezoid rule over eps converges geometrically. A value
    beyond the bounds of its column has probability zero.
    """
    s = noise_level
    real = line.log_slope(numbers.values) - 0.5 * math.log(2.0 * math.pi * math.e * s**2)
    eps = torch.linspace(-8.0, 8.0, points, dtype=torch.float64, device=numbers.z.device)
    weight = torch.softmax(-0.5 * eps.square(), dim=0)
    low, high = (
        ((end - numbers.z) / s).unsqueeze(-1) - eps for end in line.interval(numbers.values)
    )
    grid = (log_interval(low, high) * weight).sum(-1)
    nats = torch.where(line.gridded, grid, real)
    nats = torch.where(line.possible(numbers.values), nats, -math.inf)
    return torch.where(numbers.live, nats, 0.0).sum(1)


def alone_integral(
    line: NumberLine, numbers: PlacedNumbers, low: float, high: float, points: int = 129
) -> Tensor:
    """Return what the integral over noise levels would be if every number were denoised by its
    column alone, (n,).

    With D_0 the exact denoiser of the column's law p_0 and p_s that law under noise s, the chain
    rule of the divergence between noisy paths, taken forwards and backwards, gives without any
    noise

        `int_low^high E|z - D_0(z + s eps, s)|^2 / s^2 d log s = KL(N(z, low^2) || p_low) - KL(N(z,
        high^2) || p_high)`,

    of which each divergence is `E_eps[log N(z + s eps; z, s^2) - log p_s(z + s eps)]`, a trapezoid
    rule over eps.
    """
    eps = torch.linspace(-8.0, 8.0, points, dtype=torch.float64, device=numbers.z.device)
    weight = torch.softmax(-0.5 * eps.square(), dim=0)
    parts = []
    for s in (low, high):
        own = -0.5 * math.log(2.0 * math.pi * math.e * s**2)
        other = line.marginal.log_prob(numbers.z.unsqueeze(-1) + s * eps, s)
        parts.append(own - (other * weight).sum(-1))
    return torch.where(numbers.live, parts[0] - parts[1], 0.0).sum(1)


def number_bound(
    path: Path,
    line: NumberLine,
    law: NoiseLaw,
    denoise: Denoise,
    numbers: PlacedNumbers,
    noise: Noise,
    samples: int,
) -> Estimate:
    """Return the bound on the log-probability of live numbers and its standard error, (n,); see
    `likelihood.elbo`.

    `E log p(x|z_0) - KL(q(z_1|x) || p(z_1)) - int |z - D|^2 / s^2 d log s`. Of the integral only
    what the network knows beyond each column by itself is estimated, `|z - D|^2 - |z - D_0|^2`; the
    rest is `alone_integral`. Levels and noises are a Sobol set with a random shift for each row
    (Cranley & Patterson 1976), so that the estimate has no bias and the rows are independent; its
    error is that of levels in order with independent noises: nearly twice the true one at 64 draws,
    and more at more.
    """
    n, count = numbers.z.shape
    # one low-discrepancy set of levels and noises, shifted at random for each row
    points = (
        SobolEngine(1 + count, scramble=True, seed=0)
        .draw(samples, dtype=torch.float64)
        .to(numbers.z.device)
    )
    shifted = (points + noise.uniform(1 + count, dtype=torch.float64).unsqueeze(1)) % 1.0
    shifted = shifted.gather(1, shifted[:, :, :1].argsort(1).expand_as(shifted))
    levels = law.quantile(shifted[:, :, 0]).clamp(path.sigma_min, path.sigma_max)
    eps = torch.special.ndtri(shifted[:, :, 1:].clamp(SMALLEST, 1.0 - SMALLEST))
    parts = []
    group = max(1, AT_ONCE // n)
    for first in range(0, samples, group):
        s = levels[:, first : first + group]
        times = s.shape[1]
        s = s.reshape(-1, 1)
        z, live = (t.repeat_interleave(times, dim=0) for t in (numbers.z, numbers.live))
        y = (z + s * eps[:, first : first + times].reshape(-1, count)).float()
        clean, alone = (
            denoise(y, s.flatten().float(), times).double(),
            line.marginal.denoise(y, s.float()).double(),
        )
        # (z - D)^2 - (z - D_0)^2, without the difference of two large numbers
        error = torch.where(live, (alone - clean) * (2.0 * z - clean - alone), 0.0).sum(1)
        parts.append((error / (s.flatten() ** 2 * law.density(s.flatten()))).reshape(n, times))
    integrand = torch.cat(parts, dim=1)
    scale, (alpha, sigma) = path.prior.scale, path.last
    ratio = (sigma / scale) ** 2
    prior = 0.5 * ((alpha / scale * numbers.z).square() + ratio - 1.0 - math.log(ratio))
    prior = torch.where(numbers.live, prior, 0.0).sum(1)
    known = alone_integral(line, numbers, path.sigma_min, path.sigma_max)
    nats = decoded(line, numbers, path.sigma_min) - prior - known - integrand.mean(1)
    return nats, systematic_error(integrand)
