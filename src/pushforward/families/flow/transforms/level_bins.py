"""A monotone map of grey levels that is linear in bins of levels: a histogram's distribution
function.

Two ideas: dequantised levels are uniform within a level, so that a density which is constant there
loses nothing to dequantisation (Nielsen & Winther 2020, section 3); the bins are laid once over the
data so that none is heavy, but for single levels that are (the background of a picture).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FLOOR = 1e-4  # share of a uniform law in every conditional: no level is impossible
EDGE = 1e-4  # of a level: how far from its edges an inverse stays, against rounding
FARTHEST = 1e-12  # smallest probability of either tail that a code tells apart
PRIOR = 1e-2  # share of a uniform law in the frequencies that bins are laid by


def laid(frequency: list[float], bins: int) -> list[int]:
    """Return the first level of each of `bins` bins, about equally heavy where levels allow.

    Levels are taken from below into a bin until it would be too heavy; the smallest weight that
    leaves few enough bins is found by bisection, and what is missing then is cut out of the
    heaviest.

    Args:
        frequency: of each level, positive.
        bins: at most as many as levels.

    Example:
        >>> laid([0.7, 0.1, 0.05, 0.05, 0.05, 0.05], 3)
        [0, 1, 3]
    """
    low, high = 0.0, 1.0 + sum(frequency)
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if len(_cut(frequency, middle)) <= bins else (middle, high)
    first = _cut(frequency, high)
    while len(first) < bins:
        ends = [*first[1:], len(frequency)]
        weigh = [
            sum(frequency[a:b]) if b - a > 1 else -1.0 for a, b in zip(first, ends, strict=True)
        ]
        heaviest = weigh.index(max(weigh))
        a, b = first[heaviest], ends[heaviest]
        first = sorted([*first, (a + b) // 2])
    return first


def _cut(frequency: list[float], most: float) -> list[int]:
    first, held = [0], 0.0
    for level, share in enumerate(frequency):
        if held and held + share > most:
            first, held = [*first, level], 0.0
        held += share
    return first


class LevelBins(nn.Module):
    """`z = Phi^-1(F(y))` with F linear in each of K bins of levels, of masses `(1 - e) softmax(raw)
    + e w` where w are the bins' shares of all levels.

    Source: Mueller et al. (2019), Neural Importance Sampling, section 4.3, with bins of different
    widths. `y` lies in [0, 1), a level of L with its dequantisation; raw (..., K).

    Args:
        levels: L.
        bins: K, at most L.

    Example:
        >>> bins = LevelBins(levels=4, bins=2)
        >>> z, log_slope = bins(torch.tensor([0.25]), torch.zeros(1, 2))
        >>> round(float(z), 4), round(float(bins.inverse(z, torch.zeros(1, 2))), 4)
        (-0.6745, 0.25)
    """

    # where a training begins with other weights: they are masses of these bins
    of_weights = ("first", "of_level", "initialised")
    first: Tensor
    of_level: Tensor
    initialised: Tensor

    def __init__(self, levels: int, bins: int) -> None:
        super().__init__()
        self.levels, self.bins = levels, min(bins, levels)
        self.register_buffer("first", torch.zeros(self.bins))
        self.register_buffer("of_level", torch.zeros(levels, dtype=torch.long))
        self.register_buffer("initialised", torch.tensor(False))
        self._lay([1.0 / levels] * levels)

    def _lay(self, frequency: list[float]) -> None:
        first = torch.tensor(laid(frequency, self.bins), device="cpu")
        self.first.copy_(first)
        levels = torch.arange(self.levels, device="cpu")
        self.of_level.copy_(torch.searchsorted(first, levels, right=True) - 1)

    @torch.no_grad()
    def initialise(self, y: Tensor) -> Tensor:
        """Lay the bins over data, the first time only; return raw numbers (K,) of their
        frequencies."""
        count = torch.bincount(self.level(y).flatten(), minlength=self.levels).cpu().double()
        frequency = (1.0 - PRIOR) * count / count.sum() + PRIOR / self.levels
        if not bool(self.initialised):
            self._lay(frequency.tolist())
            self.initialised.fill_(True)
        mass = torch.zeros(self.bins, dtype=torch.float64, device="cpu")
        return mass.index_add_(0, self.of_level.cpu(), frequency).log().to(y)

    def level(self, y: Tensor) -> Tensor:
        """Return the level that y lies in."""
        return (y.detach() * self.levels).floor().clamp(0, self.levels - 1).long()

    def scaled(self, y: Tensor) -> Tensor:
        """Return the level on [-1, 1], without its dequantisation: what conditioners see."""
        return self.level(y).to(y.dtype) * (2.0 / (self.levels - 1)) - 1.0

    def _width(self) -> Tensor:
        end = torch.full_like(self.first[:1], self.levels)
        return torch.cat([self.first[1:], end]) - self.first

    def log_density(self, y: Tensor, raw: Tensor) -> Tensor:
        """Return `log F'(y)`, of the shape of y."""
        share = self._width().to(raw) / self.levels
        index = self.of_level[self.level(y)]
        log_mass = raw.log_softmax(-1).gather(-1, index.unsqueeze(-1)).squeeze(-1)
        ratio = log_mass - share.log()[index] + math.log1p(-FLOOR)
        return torch.logaddexp(ratio, torch.full_like(ratio, math.log(FLOOR)))

    def _masses(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mass of every bin and of all below it, in double precision."""
        share = self._width().double() / self.levels
        mass = (1.0 - FLOOR) * raw.double().softmax(-1) + FLOOR * share
        return mass, mass.cumsum(-1) - mass

    def forward(self, y: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return z and log dz/dy."""
        mass, below = self._masses(raw)
        index = self.of_level[self.level(y)]
        mass, below = (t.gather(-1, index.unsqueeze(-1)).squeeze(-1) for t in (mass, below))
        first, width = self.first.double()[index], self._width().double()[index]
        u = below + mass * (y.double() * self.levels - first) / width
        z = torch.special.ndtri(u.clamp(FARTHEST, 1.0 - FARTHEST))
        log_slope = self.log_density(y, raw) + (0.5 * z.square() + 0.5 * math.log(2 * math.pi))
        return z.to(y.dtype), log_slope.to(y.dtype)

    def inverse(self, z: Tensor, raw: Tensor) -> Tensor:
        """Return y, at least `EDGE` of a level inside of its bin."""
        mass, below = self._masses(raw)
        u = torch.special.ndtr(z.double())
        index = ((below <= u.unsqueeze(-1)).sum(-1) - 1).clamp(0, self.bins - 1)
        mass, below = (t.gather(-1, index.unsqueeze(-1)).squeeze(-1) for t in (mass, below))
        first, width = self.first.double()[index], self._width().double()[index]
        inside = (width * (u - below) / mass).clamp(min=EDGE)
        return ((first + torch.minimum(inside, width - EDGE)) / self.levels).to(z.dtype)
