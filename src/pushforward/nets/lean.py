"""A U-Net for little time on a processor: a few convolutions on several scales around a perceptron
that sees the whole picture.

Two ideas: convolutions draw and a perceptron composes, so that few layers of either do; a picture
is normalised as a whole, once a block, because normalising groups of channels took longer than the
convolutions (LOG.md).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.convolution import zeroed
from pushforward.nets.hidden import SeesAll
from pushforward.nets.mlp import ResidualMLP

SEEN, WHOLE = 8, 2  # features, by the width, and blocks of the perceptron of the whole picture


class WholeNorm(nn.Module):
    """Bring each picture to mean zero and variance one over all its numbers, whatever the layout in
    memory.

    Example:
        >>> float(WholeNorm()(torch.tensor([[[[1.0, 3.0]]]])).sum())
        0.0
    """

    def forward(self, h: Tensor) -> Tensor:
        """Shape (n, channels, height, width) in and out."""
        last = h.permute(0, 2, 3, 1)  # contiguous where channels come last
        flat = last.reshape(len(h), -1)
        return F.layer_norm(flat, flat.shape[1:]).reshape(last.shape).permute(0, 3, 1, 2)


class LeanBlock(nn.Module):
    """`h + conv2(silu(modulate(norm(conv1(silu(h))), context)))`; the last convolution starts at
    zero."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm = WholeNorm()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = zeroed(nn.Conv2d(width, width, 3, padding=1))
        self.modulate = nn.Linear(context, 2 * width)

    def forward(self, h: Tensor, context: Tensor) -> Tensor:
        """Shapes: h (n, width, height, width), context (n, context)."""
        y = self.norm(self.conv1(F.silu(h)))
        scale, shift = self.modulate(context)[..., None, None].to(y.dtype).chunk(2, dim=1)
        return h + self.conv2(F.silu(torch.addcmul(shift, y, 1.0 + scale)))


class WholeMLP(ResidualMLP, SeesAll):
    """The perceptron of all features of a picture."""


def halved(size: tuple[int, int], largest: int = 8) -> list[tuple[int, int]]:
    """Return the sizes of an image from its own, halved (rounding up) until its shorter side is at
    most `largest`.

    Example:
        >>> halved((28, 28)), halved((5, 40))
        ([(28, 28), (14, 14), (7, 7)], [(5, 40)])
    """
    found = [size]
    while min(found[-1]) > largest:
        found.append((math.ceil(found[-1][0] / 2), math.ceil(found[-1][1] / 2)))
    return found


class LeanUNet(nn.Module):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w).

    Args:
        channels: inputs and outputs.
        size: (height, width), which fixes the number of scales.
        width: channels of the coarsest scale, half as many on each finer one, 8 at least; what sees
            the whole picture has `SEEN` times as many features.
        depth: blocks a scale on either side; the finest has them on the way up alone.

    Example:
        >>> LeanUNet((1, 1), (17, 9), width=16, depth=1, context=4)(torch.zeros(2, 1, 17, 9), torch.zeros(2, 4)).shape
        torch.Size([2, 1, 17, 9])
    """

    def __init__(
        self,
        channels: tuple[int, int],
        size: tuple[int, int],
        width: int,
        depth: int,
        context: int,
    ) -> None:
        super().__init__()
        (inputs, outputs), sizes = channels, halved(size)
        last = len(sizes) - 1
        widths = [max(8, 8 * round(width / 2 ** (last - i) / 8)) for i in range(last + 1)]
        self.coarsest = sizes[-1]

        def blocks(of: int, scale: int) -> nn.ModuleList:
            return nn.ModuleList(LeanBlock(of, context) for _ in range(depth if scale else 0))

        self.inputs = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.position = nn.Parameter(torch.zeros(1, widths[-1], *sizes[-1]))
        self.down = nn.ModuleList(blocks(w, i) for i, w in enumerate(widths))
        self.up = nn.ModuleList(blocks(w, 1) for w in widths)
        self.halve = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairwise(widths)
        )
        self.finer = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        small = max(1, widths[-1] // 4)
        features = small * math.prod(sizes[-1])
        self.narrow = nn.Conv2d(widths[-1], small, 1)
        self.whole = WholeMLP(features, features, SEEN * width, WHOLE, context)
        self.widen = zeroed(nn.Conv2d(small, widths[-1], 1))
        self.norm = WholeNorm()
        self.outputs = zeroed(nn.Conv2d(widths[0], outputs, 3, padding=1))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w)."""
        # a processor convolves faster so, and `WholeNorm` finds a picture in one piece
        h, kept = self.inputs(x.contiguous(memory_format=torch.channels_last)), []
        for i, blocks in enumerate(self.down):
            if i == len(self.halve):
                h = h + self.position.to(h.dtype)
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h, context)
            if i < len(self.halve):
                kept.append(h)
                h = self.halve[i](F.silu(h))
        small = F.silu(self.narrow(h)).permute(0, 2, 3, 1)
        seen = self.whole(small.flatten(1), context).to(small.dtype).reshape(small.shape)
        h = h + self.widen(seen.permute(0, 3, 1, 2))
        for i in reversed(range(len(self.up))):
            for block in self.up[i]:  # type: ignore[attr-defined]
                h = block(h, context)
            if i:
                fine = kept.pop()
                finer = F.interpolate(self.finer[i - 1](h), size=fine.shape[-2:], mode="nearest")
                h = fine + finer
        return self.outputs(F.silu(self.norm(h)))
