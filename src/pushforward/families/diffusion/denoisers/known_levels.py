"""Integer levels on [-1, 1] seen through Gaussian noise: a decoder that sums to one, and the mean
it implies.

One idea: `P(v | y) = N(y; v, s^2) / sum_w N(y; w, s^2)` over the L levels is an honest probability,
whatever the noise s.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

# a model that is only measured is made on a device without numbers, where none can be integrated
ON_CPU: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
LONGEST = 8.0  # standard deviations of noise that an expectation goes over


class DataDecoder(ABC):
    """`log p(x | y)` for `y = x + sigma_min eps`, averaged over eps: the last step of a diffusion
    model to its data."""

    @abstractmethod
    def expected(self, x: Tensor) -> Tensor:
        """Return `E_eps log p(x | x + sigma_min eps)` of shape (n,), without Monte Carlo noise."""


class GaussianDecoder(DataDecoder):
    """`p(x | y) = N(x; y, sigma_min^2)` for continuous data: `E log p = -D/2 log(2 pi e
    sigma_min^2)`.

    Example:
        >>> round(float(GaussianDecoder(1.0).expected(torch.zeros(1, 2))), 4)
        -2.8379
    """

    def __init__(self, sigma_min: float) -> None:
        self.sigma_min = sigma_min

    def expected(self, x: Tensor) -> Tensor:
        """Return the negative entropy of D Gaussians, the same for every x."""
        nats = -0.5 * x[0].numel() * math.log(2.0 * math.pi * math.e * self.sigma_min**2)
        return torch.full((x.shape[0],), nats, dtype=x.dtype, device=x.device)


class LevelDecoder(DataDecoder):
    """`P(x | y)` proportional to `N(y; x, sigma_min^2)` over the levels of every pixel (Kingma et
    al. 2021, section 3.3).

    The expectation over eps depends on the level alone, and on its place only near the first and
    the last one, so it is a table of L numbers of which few are integrated, once in float64.

    Example:
        >>> decoder = LevelDecoder(levels=3, sigma_min=0.1)
        >>> decoder.table.exp().round(decimals=3).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, levels: int, sigma_min: float) -> None:
        self.levels, self.sigma_min = levels, sigma_min
        spacings = sigma_min * (levels - 1) / 2.0
        # a level k spacings off has -(k/s)^2/2 + k eps/s to the level itself, here less than -52
        reach = min(levels - 1, math.ceil((LONGEST + 13.0) * spacings))
        first = [
            _expected_at(index, levels, reach, spacings)
            for index in range(min(reach, (levels - 1) // 2) + 1)
        ]
        self.table = torch.full((levels,), first[-1], **ON_CPU)
        self.table[: len(first)] = torch.tensor(first, **ON_CPU)
        self.table[levels - len(first) :] = self.table[: len(first)].flip(0)

    def expected(self, x: Tensor) -> Tensor:
        """Look every pixel up."""
        index = ((x + 1.0) * ((self.levels - 1) / 2.0)).round().long()
        return self.table.to(x)[index].flatten(1).sum(1)


def _expected_at(index: int, levels: int, reach: int, spacings: float) -> float:
    """Return `E_eps log P(index | index + s eps)` with a noise s in spacings, beside the levels
    within reach."""
    # the trapezoid rule converges geometrically on a Gaussian integrand
    eps = torch.linspace(-LONGEST, LONGEST, 257, **ON_CPU).unsqueeze(1)
    below, above = min(index, reach), min(levels - 1 - index, reach)
    steps = torch.arange(-below, above + 1, **ON_CPU) / spacings
    log_p = (steps * (eps - 0.5 * steps)).log_softmax(1)[:, below]
    return float((torch.softmax(-0.5 * eps.flatten() ** 2, 0) * log_p).sum())


def level_values(levels: int) -> Tensor:
    """Return the L evenly spaced values in [-1, 1].

    Example:
        >>> level_values(3).tolist()
        [-1.0, 0.0, 1.0]
    """
    return torch.linspace(-1.0, 1.0, levels)


FEW = 33  # so many levels are summed outright
# up to a noise of so many spacings, so many of more levels on either side are summed; above all of
# them the sum is an integral
BANDS = ((1.0, 6), (3.0, 16))
FURTHEST = 11.0  # standard deviations beyond the last level, where the tails of float32 end
ATOMS, HEAVY = (
    4,
    2.0,
)  # above it, so many of the most frequent levels keep their weight, if it is so many times the average


def level_frequencies(x: Tensor, levels: int) -> Tensor:
    """Return the share of each level among all pixels, one pixel being added to each, shape (L,),
    float32.

    Example:
        >>> level_frequencies(torch.tensor([-1.0, -1.0, 1.0]), 2).tolist()
        [0.6000000238418579, 0.4000000059604645]
    """
    counts = torch.ones(levels, dtype=torch.float64)
    for part in x.flatten().split(1 << 22):
        index = ((part + 1.0) * ((levels - 1) / 2.0)).round().long().clamp(0, levels - 1)
        counts += torch.bincount(index, minlength=levels).to(counts)
    return (counts / counts.sum()).float()


def level_mean(y: Tensor, noise_level: Tensor, frequencies: Tensor) -> Tensor:
    """Return the mean of a pixel given its noisy value alone, `sum_v v p_v N(y; v, s^2) / sum_v p_v
    N(y; v, s^2)`, smooth in y.

    This is the ideal denoiser of pixels that know nothing of each other. Most pictures have a
    background, a level that most pixels hold exactly: its pixels are known to be it far above the
    noise that separates two levels, and a network that has to find a background's residue `(v -
    y)/s` from y alone wastes its resolution on it (LOG.md).

    Many levels are summed near y where the others weigh less than e^-14. Where the noise is wider,
    the most frequent levels keep their weights and the rest is spread evenly over the range to half
    a spacing beyond the last ones, an integral. A window of few levels that moves with y jumps
    where y crosses a midpoint, and a flow through a network that sees jumps has no density by its
    Jacobian.

    Args:
        y: noisy values, any shape.
        noise_level: s, of a shape that broadcasts to y's.
        frequencies: the share p_v of each of L even levels on [-1, 1], none of them zero, shape
            (L,).

    Example:
        >>> even = torch.full((3,), 1 / 3)
        >>> level_mean(torch.tensor([0.1, 3.0]), torch.tensor(0.05), even).tolist()
        [0.0, 1.0]
    """
    levels, shares = len(frequencies), frequencies.to(y)
    if levels <= FEW:
        values = level_values(levels).to(y)
        logits = shares.log() - 0.5 * ((y.unsqueeze(-1) - values) / noise_level.unsqueeze(-1)) ** 2
        return (logits.softmax(-1) * values).sum(-1)
    spacing = 2.0 / (levels - 1)
    if noise_level.dim() and not noise_level.numel() == len(noise_level) == len(y):
        # a noise for every number
        each = noise_level.expand_as(y).flatten()
        return level_mean(y.flatten(), each, frequencies).reshape(y.shape)
    # what the other bands would have done with an example is not computed
    band = sum((noise_level.flatten() >= limit * spacing).long() for limit, _ in BANDS)
    found = torch.unique(band).tolist()
    if len(found) == 1:
        return _band_mean(found[0], y, noise_level, shares)
    rows = [(band == one).nonzero().flatten() for one in found]
    parts = [
        _band_mean(one, y[row], noise_level[row], shares)
        for one, row in zip(found, rows, strict=True)
    ]
    return torch.cat(parts)[torch.cat(rows).argsort()]


def _band_mean(band: int, y: Tensor, noise_level: Tensor, shares: Tensor) -> Tensor:
    if band == len(BANDS):
        return _wide_mean(y, noise_level, shares)
    return _near_mean(y, noise_level, shares, BANDS[band][1])


def _near_mean(y: Tensor, noise_level: Tensor, shares: Tensor, reach: int) -> Tensor:
    """Mean of the levels around y, so many on either side of the nearest one.

    With t spacings from there to y, level k has the weight `p_k exp((t k - k^2 / 2) / s^2)`, s in
    spacings as well.
    """
    levels = len(shares)
    spacing = 2.0 / (levels - 1)
    # there is nothing beyond the last level
    padded = torch.nn.functional.pad(shares.log(), (reach, reach), value=-math.inf)
    index = ((y + 1.0) / spacing).round().clamp(0, levels - 1)
    base = index * spacing - 1.0
    precision = (spacing / noise_level) ** 2
    slope = (y - base) / spacing * precision
    # no place is that of NaN, which goes through to the mean
    place = index.nan_to_num(0.0).int().flatten()
    total, weighted = torch.zeros_like(y), torch.zeros_like(y)
    for offset in range(-reach, reach + 1):
        share = padded.index_select(0, place + (reach + offset)).reshape(y.shape)
        weight = share.add_(slope, alpha=offset).sub_(precision, alpha=0.5 * offset**2).exp_()
        total = total + weight
        weighted = weighted.add(weight, alpha=offset)
    return base + spacing * (weighted / total)


def _wide_mean(y: Tensor, noise_level: Tensor, shares: Tensor) -> Tensor:
    """Mean of a few heavy levels and an even rest, each weighted by its density at y.

    The rest is spread evenly over [-end, end]: its mean is that of a normal truncated to the range,
    `|y| - s (phi(a) - phi(b))/(Q(a) - Q(b))` with the sign of y, and its density is `(Q(a) -
    Q(b))/(2 end)`. Both are taken over phi(a), because the tails themselves have no digits far
    outside, and all densities over phi(max(a, 0)), which is at least the largest of them but for a
    factor.
    """
    levels, half_pi = len(shares), math.sqrt(0.5 * math.pi)
    end = 1.0 + 1.0 / (levels - 1)
    size = torch.minimum(y.abs(), end + FURTHEST * noise_level)
    sign = torch.sign(y)
    y = sign * size
    a = ((size - end) / noise_level).clamp(min=-8.0)  # deeper inside nothing is cut off
    b = (size + end) / noise_level
    rest = (-0.5 * (b - a) * (b + a)).exp()
    tails = _scaled_tail(a) - rest * _scaled_tail(b.clamp(max=FURTHEST))
    mean = sign * (size - noise_level * (1.0 - rest) / (half_pi * tails))
    heavy, place = shares.topk(ATOMS)
    heavy = torch.where(heavy > HEAVY / levels, heavy, 0.0)
    # rounding may leave less than nothing for the rest
    left = (1.0 - heavy.sum()).clamp(min=1e-12) * half_pi / (2.0 * end)
    total = left * noise_level * tails * (-0.5 * a.clamp(max=0.0) ** 2).exp()
    weighted = total * mean
    top = 0.5 * a.clamp(min=0.0) ** 2
    for share, value in zip(heavy, level_values(levels).to(y)[place], strict=True):
        weight = share * (top - 0.5 * ((y - value) / noise_level) ** 2).exp()
        total, weighted = total + weight, weighted + weight * value
    return weighted / total


def _scaled_tail(a: Tensor) -> Tensor:
    """`exp(a^2/2) erfc(a/sqrt 2)` between -8 and `FURTHEST`.

    Two functions that processors compute for many numbers at once took an eighth of the time of
    `torch.special.erfcx` (LOG.md).
    """
    x = a * math.sqrt(0.5)
    return torch.erfc(x) * (x * x).exp()
