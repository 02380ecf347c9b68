"""Residual networks without normalisation, of bottlenecks with grouped filters, between images and
vectors.

Two ideas: a block widens by 1 x 1 filters, looks around with cheap grouped ones and narrows again
(Xie et al. 2017, ResNeXt; inverted as in Liu et al. 2022); where nothing is normalised, what a
block adds starts at zero and its first filters shrink with the number of blocks (Zhang et al. 2019,
Fixup), so that networks of any depth begin as shallow ones. Together the networks of R3GAN (Huang
et al. 2024, section 4).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.convolution import sizes, zeroed

SLOPE = 0.2  # of rectifiers, below zero
EXPANSION, GROUPED = 2, 16  # how much a block widens; channels that a grouped filter looks at
FULL = 32  # sides up to this have the full width, and half as much for every doubling


def rectified(h: Tensor) -> Tensor:
    """Return `h` where it is positive, a fifth of it elsewhere, scaled to keep its variance."""
    return F.leaky_relu(h, SLOPE) * math.sqrt(2.0 / (1.0 + SLOPE**2))


def scaled(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """Return the layer with weights of variance `gain^2 / inputs` and biases of zero."""
    weight = layer.weight
    nn.init.normal_(weight, std=gain / math.sqrt(weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def width_at(width: int, side: int) -> int:
    """Return the channels of a scale: all of them up to `FULL` pixels a side, fewer beyond.

    Example:
        >>> [width_at(768, side) for side in (4, 32, 64, 256)]
        [768, 768, 384, 96]
    """
    return max(4, round(width * min(1.0, FULL / side)))


class Bottleneck(nn.Module):
    """`h + W3 act(W2 act(W1 h))` with grouped filters W2; W3 starts at zero.

    Args:
        blocks: of the whole network, whose first filters shrink with their fourth root.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inner = EXPANSION * width
        groups = inner // math.gcd(inner, GROUPED)
        self.widen = scaled(nn.Conv2d(width, inner, 1), blocks**-0.25)
        look = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.look = scaled(look, blocks**-0.25)
        self.narrow = zeroed(nn.Conv2d(inner, width, 1))

    def forward(self, h: Tensor) -> Tensor:
        """Shape (n, width, h, w) in and out."""
        return h + self.narrow(rectified(self.look(rectified(self.widen(h)))))


class BottleneckEncoder(nn.Module):
    """Images to a vector, halving the resolution down to about 4 x 4; the vector is matched with
    that of a condition where there is one.

    Args:
        width: channels up to 32 x 32.
        depth: blocks a scale.

    Example:
        >>> BottleneckEncoder((3, 8, 9), outputs=1, width=8, depth=1)(torch.zeros(2, 3, 8, 9)).shape
        torch.Size([2, 1])
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        width: int,
        depth: int,
        context: int = 0,
    ) -> None:
        super().__init__()
        channels, *size = shape
        self.sizes = sizes(*size)
        widths = [width_at(width, max(side)) for side in self.sizes]
        blocks = depth * len(widths)
        self.inputs = scaled(nn.Conv2d(channels, widths[0], 1))
        self.stages = nn.ModuleList(
            nn.ModuleList(Bottleneck(w, blocks) for _ in range(depth)) for w in widths
        )
        self.change = nn.ModuleList(_between(a, b) for a, b in pairwise(widths))
        # each channel is weighed place by place, by filters as large as what is left
        self.places = scaled(nn.Conv2d(widths[-1], widths[-1], self.sizes[-1], groups=widths[-1]))
        self.outputs = scaled(nn.Linear(widths[-1], max(1, context) * outputs))
        self.match = scaled(nn.Linear(context, context)) if context else None

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, channels, h, w), context (n, context) -> (n, outputs)."""
        h = self.inputs(x)
        for i, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                h = block(h)
            if i < len(self.change):
                h = self.change[i](F.adaptive_avg_pool2d(h, self.sizes[i + 1]))
        seen = self.outputs(self.places(h).flatten(1))
        if self.match is None or context is None:
            return seen
        wanted = self.match(context).unsqueeze(1) / math.sqrt(context.shape[1])
        return (seen.reshape(len(x), -1, context.shape[1]) * wanted).sum(2)


class BottleneckDecoder(nn.Module):
    """A vector to images: the mirror of `BottleneckEncoder`; a condition is part of the vector.

    Example:
        >>> BottleneckDecoder(5, (3, 8, 9), width=8, depth=1)(torch.zeros(2, 5)).shape
        torch.Size([2, 3, 8, 9])
    """

    def __init__(
        self, inputs: int, shape: tuple[int, ...], width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        channels, *size = shape
        self.sizes = sizes(*size)[::-1]
        widths = [width_at(width, max(side)) for side in self.sizes]
        blocks = depth * len(widths)
        self.inputs = scaled(nn.Linear(inputs + context, widths[0]))
        # a picture for each channel, of which the vector says how much
        self.places = nn.Parameter(torch.randn(widths[0], *self.sizes[0]))
        self.stages = nn.ModuleList(
            nn.ModuleList(Bottleneck(w, blocks) for _ in range(depth)) for w in widths
        )
        self.change = nn.ModuleList(_between(a, b) for a, b in pairwise(widths))
        self.outputs = scaled(nn.Conv2d(widths[-1], channels, 1))

    def forward(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: z (n, inputs), context (n, context) -> (n, channels, h, w)."""
        amounts = self.inputs(z if context is None else torch.cat([z, context], 1))
        h = amounts[:, :, None, None] * self.places.to(amounts.dtype)
        for i, stage in enumerate(self.stages):
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                h = block(h)
            if i < len(self.change):
                h = F.interpolate(self.change[i](h), size=self.sizes[i + 1], mode="bilinear")
        return self.outputs(h)


def _between(first: int, second: int) -> nn.Module:
    """Return what changes the number of channels between two scales."""
    return nn.Identity() if first == second else scaled(nn.Conv2d(first, second, 1, bias=False))
