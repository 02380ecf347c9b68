"""A transformer over the patches of an image, with a context vector in every block.

Two ideas: an image is a short sequence of patches, so that every patch sees all others at every
depth; the context shifts, scales and gates each block, and all gates start at zero, so that a new
network is its shortcut (Peebles and Xie 2023, section 3.2).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.attention import attention, require_heads
from pushforward.nets.convolution import zeroed

LONGEST = 256  # patches that the default patch size leaves at most


def patch_size(height: int, width: int, most: int = LONGEST) -> int:
    """Return the smallest power of two that cuts an image into at most `most` patches.

    Example:
        >>> patch_size(8, 8), patch_size(28, 28), patch_size(64, 64)
        (1, 2, 4)
    """
    size = 1
    while math.ceil(height / size) * math.ceil(width / size) > most:
        size *= 2
    return size


class ModulatedBlock(nn.Module):
    """`h + g1 attention(m1(norm(h)))`, then `h + g2 mlp(m2(norm(h)))`, with `m(h) = h (1 + scale) +
    shift` from the context."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.modulate = nn.Linear(context, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, h: Tensor, context: Tensor) -> Tensor:
        """Shapes: h (n, patches, width), context (n, context)."""
        n, length, width = h.shape
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            self.modulate(context).unsqueeze(1).chunk(6, dim=-1)
        )
        y = self.norm(h) * (1.0 + scale1) + shift1
        q, k, v = (
            self.qkv(y)
            .reshape(n, length, 3, self.heads, width // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        seen = attention(q, k, v, torch.zeros(1, 1, 1, length, device=h.device))
        h = h + gate1 * self.out(seen.transpose(1, 2).reshape(h.shape))
        y = self.norm(h) * (1.0 + scale2) + shift2
        return h + gate2 * self.down(F.gelu(self.up(y), approximate="tanh"))


class DiT(nn.Module):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w).

    Args:
        channels: inputs and outputs.
        size: (height, width); what a patch does not divide is padded with zeros and cut off again.
        patch: side of a patch, None for `patch_size`.

    Raises:
        BadInput: a width that the heads do not divide.

    Example:
        >>> DiT((1, 1), (7, 7), width=8, depth=1, context=4, heads=2, patch=2)(torch.zeros(2, 1, 7, 7), torch.zeros(2, 4)).shape
        torch.Size([2, 1, 7, 7])
    """

    def __init__(
        self,
        channels: tuple[int, int],
        size: tuple[int, int],
        width: int,
        depth: int,
        context: int,
        heads: int = 4,
        patch: int | None = None,
    ) -> None:
        super().__init__()
        require_heads(width, heads)
        inputs, outputs = channels
        self.size, self.outputs = size, outputs
        self.patch = patch or patch_size(*size)
        self.grid = tuple(math.ceil(side / self.patch) for side in size)
        self.inputs = nn.Linear(inputs * self.patch**2, width)
        self.position = nn.Parameter(0.1 * torch.randn(1, math.prod(self.grid), width))
        self.blocks = nn.ModuleList(ModulatedBlock(width, heads, context) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(context, 2 * width)
        self.last = nn.Linear(width, outputs * self.patch**2)
        for layer in (self.modulate, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        # a patch knows its pixels only through its features; fine noise is told apart pixel by
        # pixel
        self.shortcut = zeroed(nn.Conv2d(inputs, outputs, 1))

    def _cut(self, x: Tensor) -> Tensor:
        n, p, (rows, columns) = len(x), self.patch, self.grid
        x = F.pad(x, (0, columns * p - self.size[1], 0, rows * p - self.size[0]))
        return (
            x.reshape(n, -1, rows, p, columns, p)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(n, rows * columns, -1)
        )

    def _join(self, h: Tensor) -> Tensor:
        n, p, (rows, columns) = len(h), self.patch, self.grid
        x = h.reshape(n, rows, columns, self.outputs, p, p).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(n, self.outputs, rows * p, columns * p)[
            ..., : self.size[0], : self.size[1]
        ]

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w)."""
        h = self.inputs(self._cut(x)) + self.position
        for block in self.blocks:
            h = block(h, context)
        scale, shift = self.modulate(context).unsqueeze(1).chunk(2, dim=-1)
        return self._join(self.last(self.norm(h) * (1.0 + scale) + shift)) + self.shortcut(x)
