"""Convolutions over patches: the pixels of a patch are channels of one place.

One idea: a picture of h x w is one of h/f x w/f whose places have f^2 times as many channels (Shi et
al. 2016), so that filters work where a CPU has little to do for a place; sides that f does not
divide are continued by their last pixels, and cut off again.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.convolution import ConvDecoder, ConvEncoder

LARGEST, PLACES = 4, 4  # side of a patch; places that a folded side has at least


def fold_of(height: int, width: int) -> int:
    """Return the side of a patch: 1, 2 or 4, with at least four places left on the shorter side.

    Example:
        >>> fold_of(28, 28), fold_of(8, 9), fold_of(1, 5)
        (4, 2, 1)
    """
    side = LARGEST
    while side > 1 and min(height, width) < side * PLACES:
        side //= 2
    return side


def folded(x: Tensor, side: int) -> Tensor:
    """Return pictures (n, c, h, w) as (n, c side^2, ceil(h / side), ceil(w / side)).

    Example:
        >>> import torch
        >>> folded(torch.zeros(2, 3, 7, 8), 2).shape
        torch.Size([2, 12, 4, 4])
    """
    down, right = (-of % side for of in x.shape[2:])
    if down or right:
        x = F.pad(x, (0, right, 0, down), mode="replicate")
    return F.pixel_unshuffle(x, side)


class FoldedEncoder(nn.Module):
    """Images to a vector: a `ConvEncoder` over patches.

    Args:
        shape: channels, height and width of a picture.

    Example:
        >>> import torch
        >>> FoldedEncoder((1, 9, 8), outputs=5, width=8, depth=1)(torch.zeros(2, 1, 9, 8)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        channels, height, across = shape
        self.side = side = fold_of(height, across)
        places = -(-height // side), -(-across // side)
        self.net = ConvEncoder(channels * side**2, *places, outputs, width, depth, context)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, channels, h, w), context (n, context) -> (n, outputs)."""
        return self.net(folded(x, self.side), context)


class FoldedDecoder(nn.Module):
    """A vector to images: the mirror of `FoldedEncoder`.

    Example:
        >>> import torch
        >>> FoldedDecoder(5, (3, 9, 8), width=8, depth=1)(torch.zeros(2, 5)).shape
        torch.Size([2, 3, 9, 8])
    """

    def __init__(
        self, inputs: int, shape: tuple[int, ...], width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        channels, self.height, self.across = shape
        self.side = side = fold_of(self.height, self.across)
        places = -(-self.height // side), -(-self.across // side)
        self.net = ConvDecoder(inputs, channels * side**2, *places, width, depth, context)

    def forward(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: z (n, inputs), context (n, context) -> (n, channels, h, w)."""
        x = F.pixel_shuffle(self.net(z, context), self.side)
        return x[:, :, : self.height, : self.across]
