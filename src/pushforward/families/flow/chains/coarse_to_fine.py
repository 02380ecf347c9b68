"""A subset flow: every pixel is mapped given those before it, a coarse picture first.

Three ideas: the pixels of every second row and column, or of every fourth, are a small picture,
whose values come one after another; what a finer picture adds to a coarser one comes three pixels
of every cell of four in turn, all cells at once; of the many cells of a batch few are enough to
learn from.

`log p(x) = sum_d log F'(x_d; levels of x_<d)`, triangular, hence exact for dequantised pixels
(Nielsen & Winther 2020, Closing the dequantization gap, section 4); coarse to fine as in Reed et
al. (2017), Parallel multiscale autoregressive density estimation.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.core.preset import OF_28
from pushforward.core.space import Image
from pushforward.families.flow.chains.chain import Chain
from pushforward.families.flow.config import FlowConfig
from pushforward.families.flow.transforms.level_bins import LevelBins
from pushforward.families.shared.base import Base, StandardNormal
from pushforward.nets.cells import PHASES, CellMLP, CellSteps
from pushforward.nets.masked import MaskedLinear, MaskedMLP
from pushforward.nets.masked_steps import MaskedSteps

LEARNT = 4  # one in so many pictures of a batch teaches the cells, of which each has many
CELL_DEPTH = 1  # hidden layers of what cells share, after the first; a second one bought nothing
FEWEST = 32  # pictures, where a batch has them; fewer of those larger than 28 x 28, of more cells


def side(pixels: int, stride: int) -> int:
    """Return how many of a row of pixels are left by a stride."""
    return -(-pixels // stride)


def halvings(shape: tuple[int, int, int], most: int) -> int:
    """Return how often a picture loses every second row and column until it has at most `most`
    values, or one pixel.

    Example:
        >>> halvings((1, 28, 28), 256), halvings((3, 32, 32), 256), halvings((300, 1, 1), 256)
        (1, 2, 0)
    """
    c, h, w = shape
    found = 0
    while c * side(h, 2**found) * side(w, 2**found) > most and 2**found < max(h, w):
        found += 1
    return found


class Coarse(nn.Module):
    """Raw numbers of a small picture's values, one after another, channels innermost.

    Args:
        net: what each value is, given those before it.
        said: what each value is by the label alone.
    """

    def __init__(self, values: int, outputs: int, config: FlowConfig, context: int) -> None:
        super().__init__()
        self.net = MaskedMLP(
            values, 1, outputs, config.width, config.depth, context, config.dropout
        )
        nn.init.zeros_(self.net.last.weight)
        self.said = nn.Linear(context, values * outputs, bias=False) if context else None
        if self.said is not None:
            nn.init.zeros_(self.said.weight)

    def told(self, context: Tensor | None) -> Tensor | float:
        """Return what is known by the label, (n, values, outputs)."""
        if self.said is None or context is None:
            return 0.0
        return self.said(context).unflatten(1, (self.net.positions, self.net.outputs))

    def forward(self, x: Tensor, context: Tensor | None, noise: Noise | None = None) -> Tensor:
        """Shapes: x (n, values), context (n, context) -> (n, values, outputs); `noise` draws the
        dropout of training."""
        return self.net(x.unsqueeze(-1), context, noise) + self.told(context)


class Cells(nn.Module):
    """Raw numbers of what a picture has more than one of half its sides; a side that is odd is
    thought longer by a pixel, which is never asked for.

    Attributes:
        there: of the values (h w, 3 c) of all cells, those that exist.
    """

    there: Tensor

    def __init__(
        self, shape: tuple[int, int, int], outputs: int, config: FlowConfig, context: int
    ) -> None:
        super().__init__()
        c, h, w = self.shape = shape
        self.rows, self.columns = side(h, 2), side(w, 2)
        self.net = CellMLP(c, self.rows, self.columns, outputs, config.cells, CELL_DEPTH, context)
        inside = self.values(torch.ones(1, c, h, w, device="cpu"))[0] > 0
        self.register_buffer("there", inside, persistent=False)
        self.whole = not (h % 2 or w % 2)

    def padded(self, x: Tensor) -> Tensor:
        """Return a picture of even sides."""
        _, h, w = self.shape
        return nn.functional.pad(x, (0, w % 2, 0, h % 2))

    def values(self, x: Tensor) -> Tensor:
        """Return the missing values of every cell, (n, h w, 3 c), phases in turn."""
        x = self.padded(x)
        return torch.cat([x[:, :, dy::2, dx::2].flatten(2).mT for dy, dx in PHASES], 2)

    def placed(self, x: Tensor, phase: int, values: Tensor) -> Tensor:
        """Return a picture with the values (n, h w, c) of one phase in it."""
        dy, dx = PHASES[phase]
        _, h, w = self.shape
        x = self.padded(x).clone()
        x[:, :, dy::2, dx::2] = values.mT.unflatten(2, (self.rows, self.columns))
        return x[:, :, :h, :w]

    def those_there(self, values: Tensor) -> Tensor:
        """Return (n, all that exist, ...) of (n, h w, 3 c, ...)."""
        return values.flatten(1, 2) if self.whole else values[:, self.there]

    def forward(self, x: Tensor, context: Tensor | None) -> Tensor:
        """Shapes: x (n, c, h, w), context (n, context) -> (n, h w, 3 c, outputs)."""
        return self.net(self.padded(x), context)


class CoarseToFineChain(Chain):
    """Codes (n, D) of dequantised pictures on [0, 1): those of the coarsest picture first.

    Args:
        space: of pictures.
        config: `coarse` values at most are in the coarsest picture.
        context: width of the condition.
    """

    def __init__(self, space: Image, config: FlowConfig, context: int) -> None:
        super().__init__(space.event_shape)
        c, h, w = space.event_shape
        self.elementwise = LevelBins(space.levels, config.bins)
        outputs = self.elementwise.bins
        times = halvings((c, h, w), config.coarse)
        self.fewest = min(FEWEST, -(-FEWEST * OF_28 // (c * h * w)))
        self.strides = [2**k for k in reversed(range(times))]  # of the finer pictures, in turn
        sizes = [(c, side(h, s), side(w, s)) for s in (2**times, *self.strides)]
        self.coarsest = sizes[0]
        self.coarse = Coarse(math.prod(sizes[0]), outputs, config, context)
        self.finer = nn.ModuleList(Cells(size, outputs, config, context) for size in sizes[1:])

    def _finer(self) -> list[tuple[int, Cells]]:
        return list(zip(self.strides, cast("list[Cells]", list(self.finer)), strict=True))

    def _coarse_values(self, x: Tensor) -> Tensor:
        stride = 2 ** len(self.strides)
        return x[:, :, ::stride, ::stride].movedim(1, 3).flatten(1)

    def _parts(
        self,
        x: Tensor,
        context: Tensor | None,
        some: Tensor | None = None,
        noise: Noise | None = None,
    ) -> list[tuple[Tensor, Tensor]]:
        """Return values (n, values) and their raw numbers (n, values, K), part by part.

        Args:
            some: which of the pictures to ask for what is finer; None = all.
            noise: of training; None drops nothing.
        """
        scaled = self.elementwise.scaled(x)
        coarse = self._coarse_values(scaled)
        found = [(self._coarse_values(x), self.coarse(coarse, context, noise))]
        if some is not None:
            x, scaled = x[some], scaled[some]
            context = None if context is None else context[some]
        for stride, cells in self._finer():
            raw = cells(scaled[:, :, ::stride, ::stride], context)
            values = cells.values(x[:, :, ::stride, ::stride])
            found.append((cells.those_there(values), cells.those_there(raw)))
        return found

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Map every value given the levels of those before it."""
        mapped = [self.elementwise(y, raw) for y, raw in self._parts(x, context)]
        slopes = torch.cat([log_slope for _, log_slope in mapped], 1)
        return torch.cat([z for z, _ in mapped], 1), slopes.sum(1)

    def log_prob(self, x: Tensor, context: Tensor | None, base: Base) -> Tensor:
        """Return `log p(x)`; under a normal base the last map's slope cancels."""
        if not isinstance(base, StandardNormal):
            return super().log_prob(x, context, base)
        parts = self._parts(x, context)
        return sum_of([self.elementwise.log_density(y, raw).sum(1) for y, raw in parts])

    def mean_log_prob(self, x: Tensor, context: Tensor | None, base: Base, noise: Noise) -> Tensor:
        """Estimate it from the coarsest values of all and the cells of some, drawn at random."""
        if not isinstance(base, StandardNormal):
            return super().mean_log_prob(x, context, base, noise)
        enough = min(len(x), max(self.fewest, -(-len(x) // LEARNT)))
        some = noise.uniform(1).flatten().argsort()[:enough] if enough < len(x) else None
        parts = self._parts(x, context, some, noise)
        return sum_of([self.elementwise.log_density(y, raw).sum(1).mean() for y, raw in parts])

    @torch.no_grad()
    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Draw the coarsest picture value by value, then what is finer phase by phase."""
        c, h, w = self.coarsest
        count = c * h * w
        x = self._coarse_inverse(z[:, :count], context).unflatten(1, (h, w, c)).movedim(3, 1)
        for _, cells in self._finer():
            _, rows, columns = cells.shape
            finer = x.new_zeros(len(x), c, rows, columns)
            finer[:, :, ::2, ::2] = x
            codes = z.new_zeros(len(z), *cells.there.shape)
            more = int(cells.there.sum())
            codes[:, cells.there] = z[:, count : count + more]
            count += more
            x = self._finer_inverse(cells, finer, codes, context)
        return x

    def _coarse_inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        steps, told = MaskedSteps(self.coarse.net, len(z), context), self.coarse.told(context)
        y, scaled = torch.empty_like(z), torch.empty_like(z)
        for i in range(z.shape[1]):
            raw = steps.next(scaled[:, :i])
            raw = raw + (told[:, i] if isinstance(told, Tensor) else told)
            y[:, i] = self.elementwise.inverse(z[:, i], raw)
            scaled[:, i] = self.elementwise.scaled(y[:, i])
        return y

    def _finer_inverse(
        self, cells: Cells, x: Tensor, codes: Tensor, context: Tensor | None
    ) -> Tensor:
        """Fill what is missing of a picture, from codes (n, h w, 3 c)."""
        steps, (c, _, _), y = CellSteps(cells.net, context), cells.shape, codes.clone()
        for place in range(codes.shape[2]):
            raw = steps.next(cells.padded(self.elementwise.scaled(x)))
            y[:, :, place] = self.elementwise.inverse(codes[:, :, place], raw)
            x = cells.placed(x, place // c, y[:, :, place // c * c : (place // c + 1) * c])
        return x

    @torch.no_grad()
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Lay the bins over data, and say their frequencies before anything is learnt."""
        if bool(self.elementwise.initialised):
            return
        said = self.elementwise.initialise(x)
        lasts = [self.coarse.net.last, *(cells.net.last for _, cells in self._finer())]
        for layer in lasts:
            assert isinstance(layer, MaskedLinear)
            layer.bias.copy_(said.repeat(len(layer.bias) // len(said)))


def sum_of(parts: list[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape."""
    return torch.stack(parts).sum(0)
