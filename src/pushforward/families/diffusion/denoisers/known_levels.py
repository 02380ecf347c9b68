"""Integer levels on [-1, 1] seen through Gaussian noise: a decoder that sums to one, and the mean
it implies.

One idea: `P(v | y) = N(y; v, s^2) / sum_w N(y; w, s^2)` over the L levels is an honest probability,
whatever the noise s.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor


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

    The expectation over eps depends on the level alone, so it is a table of L numbers, integrated
    once in float64.

    Example:
        >>> decoder = LevelDecoder(levels=3, sigma_min=0.1)
        >>> decoder.table.exp().round(decimals=3).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, levels: int, sigma_min: float) -> None:
        self.levels, self.sigma_min = levels, sigma_min
        # the trapezoid rule converges geometrically on a Gaussian integrand
        eps = torch.linspace(-8.0, 8.0, 257, dtype=torch.float64)
        weight = torch.softmax(-0.5 * eps**2, dim=0)
        values = level_values(levels).double()
        rows = []
        for index, value in enumerate(values):
            logits = -0.5 * ((value + sigma_min * eps).unsqueeze(1) - values) ** 2 / sigma_min**2
            rows.append((weight * logits.log_softmax(1)[:, index]).sum())
        self.table = torch.stack(rows)

    def expected(self, x: Tensor) -> Tensor:
        """Look every pixel up."""
        index = ((x + 1.0) * ((self.levels - 1) / 2.0)).round().long()
        return self.table.to(x)[index].flatten(1).sum(1)


def level_values(levels: int) -> Tensor:
    """Return the L evenly spaced values in [-1, 1].

    Example:
        >>> level_values(3).tolist()
        [-1.0, 0.0, 1.0]
    """
    return torch.linspace(-1.0, 1.0, levels)


FEW = 33  # so many levels are summed outright
REACH = 16  # of more levels, so many on either side are summed
FINE = 3.0  # up to a noise of so many spacings; above it the sum is an integral
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
    fine = noise_level < FINE * spacing
    # each branch sees noise that suits it, so that the other's gradient stays finite
    near = _near_mean(y, torch.where(fine, noise_level, FINE * spacing), shares)
    return torch.where(
        fine, near, _wide_mean(y, torch.where(fine, FINE * spacing, noise_level), shares)
    )


def _near_mean(y: Tensor, noise_level: Tensor, shares: Tensor) -> Tensor:
    levels = len(shares)
    spacing = 2.0 / (levels - 1)
    # there is nothing beyond the last level
    padded = torch.nn.functional.pad(shares.log(), (REACH, REACH), value=-math.inf)
    index = ((y + 1.0) / spacing).round().clamp(0, levels - 1)
    # no place is that of NaN, which goes through to the mean
    place = index.nan_to_num(0.0).long()
    total, weighted = torch.zeros_like(y), torch.zeros_like(y)
    base = index * spacing - 1.0
    peak = -0.5 * ((y - base) / noise_level) ** 2
    for offset in range(-REACH, REACH + 1):
        logit = -0.5 * ((y - base - offset * spacing) / noise_level) ** 2 - peak
        weight = (logit + padded[place + (REACH + offset)]).exp()
        total = total + weight
        weighted = weighted + weight * (offset * spacing)
    return base + weighted / total


def _wide_mean(y: Tensor, noise_level: Tensor, shares: Tensor) -> Tensor:
    """Mean of a few heavy levels and an even rest, each weighted by its density at y."""
    levels = len(shares)
    end = 1.0 + 1.0 / (levels - 1)
    size = torch.minimum(y.abs(), end + 20.0 * noise_level)
    y = torch.sign(y) * size
    rest_mean, rest_log = _even_rest(y, size, noise_level, end)
    heavy, place = shares.topk(ATOMS)
    heavy = torch.where(heavy > HEAVY / levels, heavy, 0.0)
    values = level_values(levels).to(y)[place]
    # log of share times density over the constant sqrt(2 pi) s
    # rounding may leave less than nothing for the rest
    logits = [(1.0 - heavy.sum()).clamp(min=1e-12).log() + rest_log]
    logits += [
        share.log() - 0.5 * ((y - v) / noise_level) ** 2
        for share, v in zip(heavy, values, strict=True)
    ]
    weights = torch.stack(logits, dim=-1).softmax(-1)
    return weights[..., 0] * rest_mean + (weights[..., 1:] * values).sum(-1)


def _even_rest(y: Tensor, size: Tensor, noise_level: Tensor, end: float) -> tuple[Tensor, Tensor]:
    """Mean and log-evidence of a value spread evenly over [-end, end], given y = value + noise;
    evidence is over sqrt(2 pi) s.

    The mean is that of a normal truncated to the range, `|y| - s (phi(a) - phi(b))/(Q(a) - Q(b))`
    with the sign of y, and the evidence is `(Q(a) - Q(b)) / (2 end)`. Both are taken over phi(a),
    because the tails themselves have no digits far outside.
    """
    a = ((size - end) / noise_level).clamp(min=-8.0)  # deeper inside nothing is cut off
    b = (size + end) / noise_level
    rest = (-0.5 * (b - a) * (b + a)).exp()
    tails = torch.special.erfcx(a / math.sqrt(2.0)) - rest * torch.special.erfcx(b / math.sqrt(2.0))
    drop = noise_level * (1.0 - rest) / (math.sqrt(0.5 * math.pi) * tails)
    evidence = (
        tails.log() - 0.5 * a**2 + (math.sqrt(0.5 * math.pi) * noise_level / (2.0 * end)).log()
    )
    return torch.sign(y) * (size - drop), evidence
