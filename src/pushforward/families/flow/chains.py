"""Chains of layers: on vectors, and multiscale on images.

Two ideas: vectors alternate which coordinates are kept; images trade space for channels, and half of the channels leave for
the base distribution at every scale (Dinh et al. 2017, section 3.6).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.families.flow.layers import ActNorm, ImageCoupling, Layer, Mixing, VectorCoupling


def standard_normal(z: Tensor) -> Tensor:
    """Return `log N(z; 0, I)` summed over all but the first axis."""
    flat = z.flatten(1)
    return -0.5 * flat.square().sum(1) - 0.5 * flat.shape[1] * math.log(2 * math.pi)


class VectorChain(nn.Module):
    """Mixing and coupling in turn on flattened examples; codes have the shape of a flat example."""

    def __init__(
        self, shape: tuple[int, ...], layers: int, width: int, depth: int, bins: int, bound: float, context: int
    ) -> None:
        super().__init__()
        self.shape = shape
        self.dimensions = math.prod(shape)
        self.layers = nn.ModuleList()
        for index in range(layers):
            # a linear map of one coordinate is a scale that ActNorm already has
            if self.dimensions > 1:
                self.layers.append(Mixing(self.dimensions))
            self.layers.append(ActNorm(self.dimensions))
            # what depends on values is told them even where only sizes are asked (`torch.device("meta")`)
            mask = torch.arange(self.dimensions, device="cpu") % 2 == index % 2
            if self.dimensions == 1:
                mask = torch.zeros(1, dtype=torch.bool, device="cpu")
            self.layers.append(VectorCoupling(mask, width, depth, bins, bound, context))

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the code (n, D) and log p(x)."""
        z, log_p = x.flatten(1), x.new_zeros(len(x))
        for layer in self.layers:
            z, log_det = layer(z, context)
            log_p = log_p + log_det
        return z, log_p + standard_normal(z)

    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Return the examples of codes (n, D)."""
        for layer in reversed(self.layers):
            assert isinstance(layer, Layer)
            z = layer.inverse(z, context)
        return z.reshape(-1, *self.shape)

    @torch.no_grad()
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Let every layer look at the data that reach it."""
        z = x.flatten(1)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            layer.initialise(z)
            z, _ = layer(z, context)


def squeeze(x: Tensor) -> Tensor:
    """Trade a factor 2 of each side for a factor 4 of channels; invertible, determinant one."""
    return F.pixel_unshuffle(x, 2)


class MultiscaleChain(nn.Module):
    """Squeeze, then steps of actnorm, 1x1 convolution and coupling; half of the channels leave after each scale.

    Codes are vectors (n, D): what left first comes first.
    """

    def __init__(
        self, shape: tuple[int, ...], layers: int, width: int, depth: int, bins: int, bound: float, context: int
    ) -> None:
        super().__init__()
        c, h, w = shape
        self.shape, self.dimensions = shape, math.prod(shape)
        self.scales = nn.ModuleList()
        self.left: list[tuple[int, int, int]] = []
        while h % 2 == 0 and w % 2 == 0 and len(self.scales) < 3:
            c, h, w = 4 * c, h // 2, w // 2
            steps = nn.ModuleList()
            for _ in range(layers):
                steps += [ActNorm(c), Mixing(c), ImageCoupling(c, width, depth, bins, bound, context)]
            self.scales.append(steps)
            last = h % 2 or w % 2 or len(self.scales) == 3
            gone = c if last else c // 2
            self.left.append((gone, h, w))
            c -= gone
            if last:
                break

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the code (n, D) and log p(x)."""
        return self._walk(x, context, initialise=False)

    def _walk(self, x: Tensor, context: Tensor | None, initialise: bool) -> tuple[Tensor, Tensor]:
        codes, log_p = [], x.new_zeros(len(x))
        for steps, (gone, _, _) in zip(self.scales, self.left, strict=True):
            assert isinstance(steps, nn.ModuleList)
            x = squeeze(x)
            for layer in steps:
                if initialise:
                    assert isinstance(layer, Layer)
                    layer.initialise(x)
                x, log_det = layer(x, context)
                log_p = log_p + log_det
            codes.append(x[:, :gone].flatten(1))
            x = x[:, gone:]
        z = torch.cat(codes, 1)
        return z, log_p + standard_normal(z)

    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Return the examples of codes (n, D)."""
        parts = z.split([math.prod(s) for s in self.left], dim=1)
        x: Tensor | None = None
        for steps, size, part in zip(reversed(self.scales), self.left[::-1], parts[::-1], strict=True):
            assert isinstance(steps, nn.ModuleList)
            left = part.reshape(-1, *size)
            x = left if x is None else torch.cat([left, x], 1)
            for layer in reversed(steps):
                assert isinstance(layer, Layer)
                x = layer.inverse(x, context)
            x = F.pixel_shuffle(x, 2)
        assert x is not None
        return x

    @torch.no_grad()
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Let every layer look at the data that reach it."""
        self._walk(x, context, initialise=True)
