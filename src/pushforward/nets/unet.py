"""A small U-Net for images of any size, with a context vector in every block.

Two ideas: coarse levels see the whole image and fine levels keep its detail, joined by
concatenation; halving rounds up and doubling goes to the size of its partner, so that 2x2, 7x7 and
64x64 are all legal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pushforward.core.noise import Noise
from pushforward.nets.convolution import ConvBlock, group_norm, zeroed


def halvings(height: int, width: int, smallest: int = 4) -> int:
    """Return how often an image can be halved (rounding up) before a side falls below `smallest`.

    Example:
        >>> halvings(8, 8), halvings(7, 7), halvings(28, 28), halvings(3, 3)
        (1, 1, 3, 0)
    """
    count, side = 0, min(height, width)
    while math.ceil(side / 2) >= smallest:
        side, count = math.ceil(side / 2), count + 1
    return count


class Attention(nn.Module):
    """Self-attention over positions, residual, starting as the identity."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = math.gcd(heads, channels)
        self.norm = group_norm(channels)
        self.inputs = nn.Conv2d(channels, 3 * channels, 1)
        self.outputs = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, h: Tensor) -> Tensor:
        """Shape (n, channels, height, width) in and out."""
        n, channels, height, width = h.shape
        qkv = self.inputs(self.norm(h)).reshape(
            n, 3, self.heads, channels // self.heads, height * width
        )
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return h + self.outputs(mixed.transpose(-1, -2).reshape(n, channels, height, width))


@dataclass(frozen=True)
class Scales:
    """What the scales of a U-Net are.

    Attributes:
        multipliers: of the width, one for each scale, the last for all coarser ones; scales then
            have equally many blocks. None for the rule of `UNet`.
        attention: scales whose shorter side is at most this attend after every block; 0 leaves it
            to the coarsest, once.

    Example:
        >>> [Scales().width(64, scale) for scale in range(4)], Scales((1, 2)).width(64, 5)
        ([64, 96, 144, 216], 128)
    """

    multipliers: tuple[int, ...] | None = None
    attention: int = 0

    def width(self, width: int, scale: int) -> int:
        """Return the channels of a scale, full size being 0: a multiple of 8."""
        times = min(4.0, 1.5**scale)
        if self.multipliers is not None:
            times = self.multipliers[min(scale, len(self.multipliers) - 1)]
        return max(8, 8 * round(width * times / 8))


class UNet(nn.Module):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w).

    Args:
        channels: inputs and outputs.
        size: (height, width), which fixes the number of scales.
        width: channels at full size; every coarser scale has 1.5 times more, up to four times.
        depth: blocks at full size on either side; every coarser scale has one more, for a quarter
            of the cost.
        scales: another rule than this one.
        dropout: share of a block's features that is zeroed in training.

    Example:
        >>> UNet((1, 1), (7, 7), width=8, depth=1, context=4)(torch.zeros(2, 1, 7, 7), torch.zeros(2, 4)).shape
        torch.Size([2, 1, 7, 7])
    """

    def __init__(
        self,
        channels: tuple[int, int],
        size: tuple[int, int],
        width: int,
        depth: int,
        context: int,
        scales: Scales | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        inputs, outputs = channels
        rule, last = scales or Scales(), halvings(*size)
        widths = [rule.width(width, i) for i in range(last + 1)]
        depths = [depth + (i > 0 and rule.multipliers is None) for i in range(last + 1)]
        sides = [min(size)]
        while len(sides) <= last:
            sides.append(math.ceil(sides[-1] / 2))

        def blocks(scale: int, first: int) -> nn.ModuleList:
            found, w = nn.ModuleList(), widths[scale]
            for j in range(depths[scale]):
                found.append(ConvBlock(first if j == 0 else w, w, context, dropout))
                if sides[scale] <= rule.attention:
                    found.append(Attention(w))
            return found

        self.inputs = nn.Conv2d(inputs, widths[0], 3, padding=1)
        # digits sit in the middle of their frame: where a pixel is says much about what it is
        self.position = nn.Parameter(torch.zeros(1, widths[0], *size))
        self.down, self.up, self.halve = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for i, w in enumerate(widths):
            self.down.append(blocks(i, w))
            if i < last:
                self.halve.append(nn.Conv2d(w, widths[i + 1], 3, stride=2, padding=1))
        self.middle = Attention(widths[-1])
        for i in reversed(range(last)):
            self.up.append(blocks(i, widths[i] + widths[i + 1]))
        self.last = ConvBlock(widths[0], widths[0], context, dropout)
        self.norm, self.outputs = (
            group_norm(widths[0]),
            zeroed(nn.Conv2d(widths[0], outputs, 3, padding=1)),
        )
        self.shortcut = zeroed(nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor, context: Tensor, noise: Noise | None = None) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w); `noise` draws the
        dropout of training."""
        h = self.inputs(x)
        # a parameter in single precision would lift the whole stream out of bfloat16
        h = h + self.position.to(h.dtype)
        kept = []
        for i, blocks in enumerate(self.down):
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h) if isinstance(block, Attention) else block(h, context, noise)
            if i < len(self.halve):
                kept.append(h)
                h = self.halve[i](h)
        h = self.middle(h)
        for blocks in self.up:
            partner = kept.pop()
            h = functional.interpolate(h, size=partner.shape[-2:], mode="nearest")
            h = torch.cat([partner, h], dim=1)
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h) if isinstance(block, Attention) else block(h, context, noise)
        h = self.last(h, context, noise)
        return self.outputs(functional.silu(self.norm(h))) + self.shortcut(x)
