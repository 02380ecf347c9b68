"""What the network says of a row: the law of every hidden symbol, and the clean value of every
noisy number.

Three ideas: one network does both, because it takes symbols that may be hidden and numbers that may
be known, noisy or not there at all; the skip connection is the exact denoiser of each column by
itself, so that the network only learns what columns know of each other; what is known is passed
clean, so that every conditional of a row is trained and none is approximated.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from torch import Tensor, nn

from pushforward.families.diffusion.rows.number_line import NumberLine
from pushforward.families.diffusion.rows.row_layout import HIDDEN
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.mlp import ResidualMLP

WAVES = (0.5, 1.0, 2.0, 4.0)
FEATURES = 5 + 2 * len(WAVES)
FARTHEST = 6.0
BEFORE_NUMBERS = (
    2.0  # the network's clock while symbols are drawn: beyond log(s)/4 of every noise level
)


@dataclass(frozen=True)
class SeenRows:
    """What is seen of n rows without noise.

    Attributes:
        symbols: shape (n, S), `HIDDEN` where not known.
        line: shape (n, N), places of the numbers that are known.
        fixed: shape (n, N), True for numbers that are known or known to be missing.
        label: shape (n,), -1 or None for no label.
    """

    symbols: Tensor
    line: Tensor
    fixed: Tensor
    label: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> SeenRows:
        """Return the same with every tensor changed: indexed or repeated."""
        label = None if self.label is None else change(self.label)
        return SeenRows(change(self.symbols), change(self.line), change(self.fixed), label)

    def repeat(self, times: int) -> SeenRows:
        """Return every row `times` times, copies next to each other."""
        return self.each(lambda t: t.repeat_interleave(times, dim=0))


class ColumnNetwork(nn.Module):
    """Map symbols (n, S), features of numbers (n, N, FEATURES), a clock and a label to (n, sum of
    sizes + N).

    Args:
        sizes: number of values of each symbol.
        numbers: N.

    Example:
        >>> net = ColumnNetwork([2, 3], 1, width=16, depth=1, context=8, classes=0)
        >>> net(torch.tensor([[1, HIDDEN]]), torch.zeros(1, 1, FEATURES), torch.zeros(1)).shape
        torch.Size([1, 6])
    """

    offsets: Tensor
    sizes: Tensor

    def __init__(
        self, sizes: list[int], numbers: int, width: int, depth: int, context: int, classes: int
    ) -> None:
        super().__init__()
        starts = list(accumulate((size + 1 for size in sizes), initial=0))
        self.register_buffer(
            "offsets", torch.tensor(starts[:-1], dtype=torch.long), persistent=False
        )
        self.register_buffer("sizes", torch.tensor(sizes, dtype=torch.long), persistent=False)
        # the last value of every symbol is "hidden"
        self.symbol = nn.Embedding(starts[-1], width) if sizes else None
        self.number = nn.Linear(numbers * FEATURES, width, bias=False) if numbers else None
        if self.symbol is not None:
            nn.init.normal_(self.symbol.weight, std=0.5)
        body = ResidualMLP(width, sum(sizes) + numbers, width, depth, context, zero_output=True)
        self.body = ScalarConditioned(body, context, classes)

    def forward(
        self, symbols: Tensor, features: Tensor, clock: Tensor, label: Tensor | None = None
    ) -> Tensor:
        """Add what every column says, and pass it on."""
        h = torch.zeros(len(symbols), 1, device=symbols.device)
        if self.symbol is not None:
            index = torch.where(symbols == HIDDEN, self.sizes, symbols) + self.offsets
            h = h + self.symbol(index).sum(1)
        if self.number is not None:
            h = h + self.number(features.flatten(1))
        return self.body(h, clock, label)


class RowModel(ABC):
    """What can be said of a row of which some is seen.

    Attributes:
        sizes: number of values of each symbol.
        calls: network calls that one answer costs.
    """

    sizes: list[int]
    calls: float = 1.0

    @abstractmethod
    def logits(self, seen: SeenRows) -> Tensor:
        """Return the logits (n, sum of sizes) of all symbols given those that are seen and the
        numbers that are known."""

    @abstractmethod
    def denoise(self, y: Tensor, noise_level: Tensor, seen: SeenRows) -> Tensor:
        """Return clean numbers (n, N) of noisy ones, at levels () or (n,); those that are fixed are
        what they are."""


class RowDenoiser(RowModel, nn.Module):
    """Logits of symbols, and `D = D_0 + s/sqrt(1 + s^2) F` for numbers, where D_0 is the exact
    denoiser of a column by itself.

    Args:
        line: where numbers stand, and the law of each by itself, of which D_0 is the denoiser.
    """

    log_frequency: Tensor

    def __init__(self, network: ColumnNetwork, sizes: list[int], line: NumberLine) -> None:
        super().__init__()
        self.network, self.line, self.sizes = network, line, sizes
        self.register_buffer("log_frequency", torch.zeros(sum(sizes)))

    def fit(self, symbols: Tensor) -> None:
        """Start from the frequencies of training symbols (n, S)."""
        parts = zip(symbols.unbind(1), self.sizes, strict=True)
        counts = [torch.bincount(column, minlength=size) + 0.5 for column, size in parts]
        if counts:
            self.log_frequency.copy_(torch.cat([(count / count.sum()).log() for count in counts]))

    def logits(self, seen: SeenRows) -> Tensor:
        """Ask the network before numbers are there."""
        nothing = torch.zeros_like(seen.line)
        shown = self._features(nothing, nothing, nothing + 1.0, seen, nothing)
        clock = torch.full((len(seen.line),), BEFORE_NUMBERS, device=seen.line.device)
        return self._split(self.network(seen.symbols, shown, clock, seen.label))[0]

    def denoise(self, y: Tensor, noise_level: Tensor, seen: SeenRows) -> Tensor:
        """Correct what each column by itself would say."""
        s = noise_level.to(y).expand(len(y)).unsqueeze(1)
        alone = self.line.marginal.denoise(y, s)
        shown = self._features(y, alone, s, seen, torch.ones_like(y))
        residual = self._split(
            self.network(seen.symbols, shown, s.flatten().log() / 4.0, seen.label)
        )[1]
        return torch.where(seen.fixed, seen.line, alone + s * (1.0 + s.square()).rsqrt() * residual)

    def _features(
        self, y: Tensor, alone: Tensor, s: Tensor, seen: SeenRows, there: Tensor
    ) -> Tensor:
        fixed = seen.fixed.to(y)
        clean = torch.where(seen.fixed, seen.line, alone)
        there = torch.maximum(there, fixed)
        scaled = torch.where(seen.fixed, seen.line, y * (1.0 + s.square()).rsqrt())
        change = torch.where(seen.fixed, 0.0, (alone - y) / s)
        # a number far beyond the training data shall not drive the network where it has never been
        scaled, clean, change = (t.clamp(-FARTHEST, FARTHEST) for t in (scaled, clean, change))
        waves = [f(math.pi * w * clean) for w in WAVES for f in (torch.sin, torch.cos)]
        return torch.stack(
            [there, fixed, scaled, clean, change, *(there * wave for wave in waves)], dim=-1
        )

    def _split(self, out: Tensor) -> tuple[Tensor, Tensor]:
        count = len(self.log_frequency)
        return out[:, :count] + self.log_frequency, out[:, count:]


class GuidedRows(RowModel):
    """A model of rows that leans on its own answer without the label: `null + w (given - null)` of
    logits and of numbers."""

    def __init__(self, denoiser: RowDenoiser, weight: float) -> None:
        self.denoiser, self.weight, self.sizes = denoiser, weight, denoiser.sizes
        self.calls = 1.0 if weight in (0.0, 1.0) else 2.0

    def logits(self, seen: SeenRows) -> Tensor:
        """Mix logits."""
        return self._mix(seen, self.denoiser.logits)

    def denoise(self, y: Tensor, noise_level: Tensor, seen: SeenRows) -> Tensor:
        """Mix clean numbers."""
        return self._mix(seen, lambda one: self.denoiser.denoise(y, noise_level, one))

    def _mix(self, seen: SeenRows, call: Callable[[SeenRows], Tensor]) -> Tensor:
        if self.weight == 1.0 or seen.label is None:
            return call(seen)
        null = call(replace(seen, label=None))
        return null if self.weight == 0.0 else null + self.weight * (call(seen) - null)
