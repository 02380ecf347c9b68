"""Residual convolution blocks that take a context vector, at one resolution or up and down.

Two ideas: group-normalised residual blocks with the context as shift and scale; resampling by factors of two that adapts to any
size, so that 2 x 2 and 7 x 7 images work as well as 64 x 64.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


def _groups(width: int) -> int:
    return next(g for g in (8, 4, 2, 1) if width % g == 0)


class ConvBlock(nn.Module):
    """`h + conv(silu(modulate(norm(conv(silu(norm(h)))), context)))`; the last convolution starts at zero."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(_groups(width), width), nn.GroupNorm(_groups(width), width)
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.modulate = nn.Linear(context, 2 * width) if context else None
        nn.init.zeros_(self.conv2.weight)
        assert self.conv2.bias is not None
        nn.init.zeros_(self.conv2.bias)

    def forward(self, h: Tensor, context: Tensor | None) -> Tensor:
        """Shapes: h (n, width, h, w), context (n, context)."""
        y = self.norm2(self.conv1(F.silu(self.norm1(h))))
        if self.modulate is not None and context is not None:
            scale, shift = self.modulate(context)[..., None, None].chunk(2, dim=1)
            y = y * (1.0 + scale) + shift
        return h + self.conv2(F.silu(y))


class ResidualConv(nn.Module):
    """Map (n, inputs, h, w) to (n, outputs, h, w) at one resolution.

    Example:
        >>> import torch
        >>> ResidualConv(2, 5, width=8, depth=1)(torch.zeros(3, 2, 4, 4)).shape
        torch.Size([3, 5, 4, 4])
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, depth: int, context: int = 0, zero_output: bool = False
    ) -> None:
        super().__init__()
        self.inputs = nn.Conv2d(inputs, width, 3, padding=1)
        self.blocks = nn.ModuleList(ConvBlock(width, context) for _ in range(depth))
        self.norm = nn.GroupNorm(_groups(width), width)
        self.outputs = nn.Conv2d(width, outputs, 3, padding=1)
        if zero_output:
            nn.init.zeros_(self.outputs.weight)
            assert self.outputs.bias is not None
            nn.init.zeros_(self.outputs.bias)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context)."""
        h = self.inputs(x)
        for block in self.blocks:
            h = block(h, context)
        return self.outputs(F.silu(self.norm(h)))


def sizes(height: int, width: int, smallest: int = 4) -> list[tuple[int, int]]:
    """Return resolutions from full size down by halves (rounded up) until a side would fall below `smallest`.

    Example:
        >>> import torch
        >>> sizes(28, 28), sizes(2, 2)
        ([(28, 28), (14, 14), (7, 7), (4, 4)], [(2, 2)])
    """
    found = [(height, width)]
    while min(found[-1]) > smallest:
        h, w = found[-1]
        found.append(((h + 1) // 2, (w + 1) // 2))
    return found


class Encoder(nn.Module):
    """Images to a vector: residual blocks, halving the resolution down to about 4 x 4.

    Example:
        >>> import torch
        >>> Encoder(1, 7, 7, outputs=5, width=8, depth=1)(torch.zeros(2, 1, 7, 7)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, channels: int, height: int, width_px: int, outputs: int, width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        self.sizes = sizes(height, width_px)
        self.inputs = nn.Conv2d(channels, width, 3, padding=1)
        self.stages = nn.ModuleList()
        self.grow = nn.ModuleList()
        c = width
        for i in range(len(self.sizes)):
            self.stages.append(nn.ModuleList(ConvBlock(c, context) for _ in range(depth)))
            if i + 1 < len(self.sizes):
                wider = min(2 * c, 4 * width)
                self.grow.append(nn.Conv2d(c, wider, 1))
                c = wider
        h, w = self.sizes[-1]
        self.outputs = nn.Linear(c * h * w, outputs)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, channels, h, w), context (n, context) -> (n, outputs)."""
        h = self.inputs(x)
        for i, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                h = block(h, context)
            if i < len(self.grow):
                h = self.grow[i](F.adaptive_avg_pool2d(h, self.sizes[i + 1]))
        return self.outputs(F.silu(h).flatten(1))


class Decoder(nn.Module):
    """A vector to images: the mirror of `Encoder`.

    Example:
        >>> import torch
        >>> Decoder(5, 3, 7, 7, width=8, depth=1)(torch.zeros(2, 5)).shape
        torch.Size([2, 3, 7, 7])
    """

    def __init__(
        self, inputs: int, channels: int, height: int, width_px: int, width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        self.sizes = sizes(height, width_px)[::-1]
        widths = [min(width * 2**i, 4 * width) for i in range(len(self.sizes))][::-1]
        self.first = widths[0]
        self.inputs = nn.Linear(inputs, widths[0] * self.sizes[0][0] * self.sizes[0][1])
        self.stages = nn.ModuleList(nn.ModuleList(ConvBlock(c, context) for _ in range(depth)) for c in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(widths))
        self.norm = nn.GroupNorm(_groups(widths[-1]), widths[-1])
        self.outputs = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: z (n, inputs), context (n, context) -> (n, channels, h, w)."""
        h = self.inputs(z).reshape(len(z), self.first, *self.sizes[0])
        for i, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                h = block(h, context)
            if i < len(self.shrink):
                h = F.interpolate(self.shrink[i](h), size=self.sizes[i + 1], mode="nearest")
        return self.outputs(F.silu(self.norm(h)))
