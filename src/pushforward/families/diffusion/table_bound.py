"""The bound on log p of a row: an integral over noise levels for numbers, a sum over counts of hidden symbols for symbols.

Two ideas: numbers drown in noise before symbols are hidden, so that the bound is `log p(symbols) + log p(numbers | symbols)`, each
bounded by its own part; the last step of a number on a grid is the exact probability of its interval, which needs no
dequantisation and sums to one over the grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.families.diffusion.masking import hidden_count
from pushforward.families.diffusion.noise_law import NoiseLaw
from pushforward.families.diffusion.number_line import NumberLine
from pushforward.families.diffusion.path import Path
from pushforward.families.diffusion.row_layout import HIDDEN

AT_ONCE = 4096  # rows per call of the network: activations fit in the cache
Logits = Callable[[Tensor, int], Tensor]  # symbols (n * times, S), each row `times` times -> logits
Denoise = Callable[[Tensor, Tensor, int], Tensor]  # y (n * times, N), noise levels, times -> clean numbers
Estimate = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class Numbers:
    """Numbers of n rows: values (n, N) in data units, their places z on the line, and which of them are to be scored."""

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


def decoded(line: NumberLine, numbers: Numbers, noise_level: float, points: int = 65) -> Tensor:
    """Return `E_eps log p(x | z + s eps)` summed over live numbers, shape (n,).

    Real numbers: `p = N(z; y, s^2) dz/dx`. On a grid: `P = Phi((b - y)/s) - Phi((a - y)/s)` over the number's interval [a, b]. The
    trapezoid rule over eps converges geometrically. A value beyond the bounds of its column has probability zero.
    """
    s = noise_level
    real = line.log_slope(numbers.values) - 0.5 * math.log(2.0 * math.pi * math.e * s**2)
    eps = torch.linspace(-8.0, 8.0, points, dtype=torch.float64, device=numbers.z.device)
    weight = torch.softmax(-0.5 * eps.square(), dim=0)
    low, high = (((end - numbers.z) / s).unsqueeze(-1) - eps for end in line.interval(numbers.values))
    grid = (log_interval(low, high) * weight).sum(-1)
    nats = torch.where(line.gridded, grid, real)
    nats = torch.where(line.possible(numbers.values), nats, -math.inf)
    return torch.where(numbers.live, nats, 0.0).sum(1)


def surplus(numbers: Numbers, half: Tensor, y: Tensor, s: Tensor) -> Tensor:
    """Return noise of mean zero that goes along with the error of numbers: that of a standard normal column, (n,).

    `|x - k y|^2 - E|x - k y|^2` with `k = 1/(1 + s^2)`, only where the noise is larger than half the cell of the number: below, a
    number on a grid is known, and there is nothing to go along with.
    """
    k = 1.0 / (1.0 + s.square())
    error = (numbers.z - k * y).square() - ((1.0 - k) * numbers.z).square() - k.square() * s.square()
    return torch.where(numbers.live & (s >= half), error, 0.0).sum(1)


def number_bound(
    path: Path, line: NumberLine, law: NoiseLaw, denoise: Denoise, numbers: Numbers, noise: Noise, samples: int
) -> Estimate:
    """Return the bound on the log-probability of live numbers and its standard error, (n,); see `likelihood.elbo`.

    `E log p(x|z_0) - KL(q(z_1|x) || p(z_1)) - int |z - D|^2 / s^2 d log s`, the integral from `samples` shifted quantiles of a
    law of noise levels.
    """
    n, count = numbers.z.shape
    shift = noise.uniform(dtype=torch.float64).unsqueeze(1)
    u = (torch.arange(samples, dtype=torch.float64, device=shift.device) + shift) / samples
    levels = law.quantile(u).clamp(path.sigma_min, path.sigma_max)
    eps = noise.normal(samples, count, dtype=torch.float64)
    low, high = line.interval(numbers.values)
    half = torch.where(line.gridded, torch.minimum(numbers.z - low, high - numbers.z), 0.0)
    parts = []
    group = max(1, AT_ONCE // n)
    for first in range(0, samples, group):
        s = levels[:, first : first + group]
        times = s.shape[1]
        s = s.reshape(-1, 1)
        many = Numbers(*(t.repeat_interleave(times, dim=0) for t in (numbers.values, numbers.z, numbers.live)))
        y = many.z + s * eps[:, first : first + times].reshape(-1, count)
        clean = denoise(y.float(), s.flatten().float(), times).double()
        error = torch.where(many.live, (many.z - clean).square(), 0.0).sum(1)
        error = error - surplus(many, half.repeat_interleave(times, dim=0), y, s)
        parts.append((error / (s.flatten() ** 2 * law.density(s.flatten()))).reshape(n, times))
    integrand = torch.cat(parts, dim=1)
    scale, (alpha, sigma) = path.prior.scale, path.last
    ratio = (sigma / scale) ** 2
    prior = 0.5 * ((alpha / scale * numbers.z).square() + ratio - 1.0 - math.log(ratio))
    prior = torch.where(numbers.live, prior, 0.0).sum(1)
    nats = decoded(line, numbers, path.sigma_min) - prior - integrand.mean(1)
    return nats, systematic_error(integrand)


def symbol_bound(
    logits: Logits, symbols: Tensor, unknown: Tensor, sizes: list[int], noise: Noise, samples: int
) -> Estimate:
    """Return the bound on the log-probability of unknown symbols given the others and its standard error, (n,).

    `int_0^1 1/t E[sum over hidden i of log p(x_i | seen)] dt = sum_k 1/k E[sum over k hidden ...]`, k from 1 to the number of
    unknown symbols: L times the mean over k of the mean over the hidden (Ou et al. 2024).
    """
    n, count = symbols.shape
    length = unknown.sum(1)
    shift = noise.uniform(dtype=torch.float64).unsqueeze(1)
    place = (torch.arange(samples, dtype=torch.float64, device=shift.device) + shift) / samples
    k = 1 + (place * length.unsqueeze(1)).floor().long()
    # known symbols come last in the order of hiding, and k never reaches them
    order = noise.uniform(samples, count, dtype=torch.float64) + (~unknown).double().unsqueeze(1)
    parts = []
    group = max(1, AT_ONCE // n)
    for first in range(0, samples, group):
        many = order[:, first : first + group]
        times = many.shape[1]
        hidden = hidden_count(k[:, first : first + times].flatten(), many.reshape(-1, count))
        hidden &= unknown.repeat_interleave(times, dim=0)
        true = symbols.repeat_interleave(times, dim=0)
        nats = chosen_log_probability(logits(torch.where(hidden, HIDDEN, true), times), true, sizes)
        mean = (nats * hidden).sum(1) / hidden.sum(1).clamp(min=1)
        parts.append(mean.reshape(n, times))
    terms = torch.cat(parts, dim=1) * length.unsqueeze(1)
    return terms.mean(1), systematic_error(terms)


def chosen_log_probability(logits: Tensor, symbols: Tensor, sizes: list[int]) -> Tensor:
    """Return the log-probability (n, S) of every symbol under its own logits.

    Example:
        >>> chosen_log_probability(torch.zeros(1, 5), torch.tensor([[0, 2]]), [2, 3]).exp().tolist()
        [[0.5, 0.3333333333333333]]
    """
    columns = zip(logits.double().split(sizes, dim=1), symbols.unbind(1), strict=True)
    return torch.cat([part.log_softmax(1).gather(1, symbol.unsqueeze(1)) for part, symbol in columns], dim=1)
