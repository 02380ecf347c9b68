"""Residual convolution blocks that take a context vector, at one resolution or up and down.

Two ideas: group-normalised residual blocks with the context as shift and scale; resampling by
factors of two that adapts to any size, so that 2 x 2 and 7 x 7 images work as well as 64 x 64.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.transformer import dropped

L = TypeVar("L", nn.Conv2d, nn.Linear)


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a group normalisation of at most 8 groups with at least 4 channels each where they
    exist.

    A group of one value would be normalised to zero, whatever it was: on 1 x 1 feature maps
    channels are all there is.

    Example:
        >>> group_norm(64).num_groups, group_norm(8).num_groups, group_norm(3).num_groups
        (8, 2, 1)
    """
    return nn.GroupNorm(
        next(g for g in (8, 4, 2, 1) if g == 1 or (channels % g == 0 and channels // g >= 4)),
        channels,
    )


def zeroed(layer: L) -> L:
    """Return the layer with weights and biases of zero, so that what it feeds starts unchanged."""
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class ConvBlock(nn.Module):
    """`skip(h) + conv2(silu(modulate(norm(conv1(silu(norm(h)))), context)))`; the last convolution
    starts at zero."""

    def __init__(self, inputs: int, outputs: int, context: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm1, self.norm2 = group_norm(inputs), group_norm(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.modulate = nn.Linear(context, 2 * outputs) if context else None
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(
        self, h: Tensor, context: Tensor | None = None, noise: Noise | None = None
    ) -> Tensor:
        """Shapes: h (n, inputs, h, w), context (n, context) -> (n, outputs, h, w); `noise` draws the
        dropout of training."""
        y = self.norm2(self.conv1(F.silu(self.norm1(h))))
        if self.modulate is not None and context is not None:
            scale, shift = self.modulate(context)[..., None, None].chunk(2, dim=1)
            y = torch.addcmul(shift.to(y.dtype), y, 1.0 + scale.to(y.dtype))
        return self.skip(h) + self.conv2(dropped(F.silu(y), self.dropout, noise))


class ResidualConv(nn.Module):
    """Map (n, inputs, h, w) to (n, outputs, h, w) at one resolution.

    Example:
        >>> import torch
        >>> ResidualConv(2, 5, width=8, depth=1)(torch.zeros(3, 2, 4, 4)).shape
        torch.Size([3, 5, 4, 4])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        context: int = 0,
        zero_output: bool = False,
    ) -> None:
        super().__init__()
        self.inputs = nn.Conv2d(inputs, width, 3, padding=1)
        self.blocks = nn.ModuleList(ConvBlock(width, width, context) for _ in range(depth))
        self.norm = group_norm(width)
        self.outputs = nn.Conv2d(width, outputs, 3, padding=1)
        if zero_output:
            zeroed(self.outputs)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context)."""
        h = self.inputs(x)
        for block in self.blocks:
            h = block(h, context)
        return self.outputs(F.silu(self.norm(h)))


def sizes(height: int, width: int, smallest: int = 4) -> list[tuple[int, int]]:
    """Return resolutions from full size down by halves (rounded up) until a side would fall below
    `smallest`.

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


class ConvEncoder(nn.Module):
    """Images to a vector: residual blocks, halving the resolution down to about 4 x 4.

    Example:
        >>> import torch
        >>> ConvEncoder(1, 7, 7, outputs=5, width=8, depth=1)(torch.zeros(2, 1, 7, 7)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width_px: int,
        outputs: int,
        width: int,
        depth: int,
        context: int = 0,
    ) -> None:
        super().__init__()
        self.sizes = sizes(height, width_px)
        self.inputs = nn.Conv2d(channels, width, 3, padding=1)
        self.stages = nn.ModuleList()
        self.grow = nn.ModuleList()
        c = width
        for i in range(len(self.sizes)):
            self.stages.append(nn.ModuleList(ConvBlock(c, c, context) for _ in range(depth)))
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


class ConvDecoder(nn.Module):
    """A vector to images: the mirror of `ConvEncoder`.

    Example:
        >>> import torch
        >>> ConvDecoder(5, 3, 7, 7, width=8, depth=1)(torch.zeros(2, 5)).shape
        torch.Size([2, 3, 7, 7])
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        height: int,
        width_px: int,
        width: int,
        depth: int,
        context: int = 0,
    ) -> None:
        super().__init__()
        self.sizes = sizes(height, width_px)[::-1]
        widths = [min(width * 2**i, 4 * width) for i in range(len(self.sizes))][::-1]
        self.first = widths[0]
        self.inputs = nn.Linear(inputs, widths[0] * self.sizes[0][0] * self.sizes[0][1])
        self.stages = nn.ModuleList(
            nn.ModuleList(ConvBlock(c, c, context) for _ in range(depth)) for c in widths
        )
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(widths))
        self.norm = group_norm(widths[-1])
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
