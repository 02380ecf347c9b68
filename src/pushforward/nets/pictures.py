"""Networks from pictures to pictures that are not looked at pixel by pixel.

Three ideas: another network works on patches, of which each is one place; or all pixels are the
features of one perceptron; and what a context stands for may be a picture itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.convolution import zeroed
from pushforward.nets.folding import folded
from pushforward.nets.hidden import SeesAll
from pushforward.nets.mlp import ResidualMLP

Ends = tuple[int, int]  # channels in and out, or (height, width)


class OnPatches(nn.Module):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w) by a network of
    patches.

    Args:
        channels: inputs and outputs.
        size: (height, width); what a patch does not divide is continued and cut off again.
        patch: side of a patch.
        body: from channels and size of the folded image to the network.

    Example:
        >>> import torch
        >>> from pushforward.nets.lean import LeanUNet
        >>> net = OnPatches((1, 2), (7, 5), 2, lambda channels, size: LeanUNet(channels, size, 8, 1, 4))
        >>> net(torch.zeros(3, 1, 7, 5), torch.zeros(3, 4)).shape
        torch.Size([3, 2, 7, 5])
    """

    def __init__(
        self,
        channels: Ends,
        size: Ends,
        patch: int,
        body: Callable[[Ends, Ends], nn.Module],
    ) -> None:
        super().__init__()
        self.size, self.patch = size, patch
        rows, columns = (math.ceil(side / patch) for side in size)
        inputs, outputs = (count * patch**2 for count in channels)
        self.body = body((inputs, outputs), (rows, columns))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w)."""
        height, width = self.size
        found = F.pixel_shuffle(self.body(folded(x, self.patch), context), self.patch)
        return found[..., :height, :width]


class PictureMLP(SeesAll):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w) by a perceptron
    of all pixels; a new one is zero.

    Example:
        >>> import torch
        >>> net = PictureMLP((2, 1), (3, 5), width=16, depth=1, context=4)
        >>> net(torch.zeros(3, 2, 3, 5), torch.zeros(3, 4)).shape
        torch.Size([3, 1, 3, 5])
    """

    def __init__(self, channels: Ends, size: Ends, width: int, depth: int, context: int) -> None:
        super().__init__()
        (inputs, outputs), pixels = channels, math.prod(size)
        self.shape = (outputs, *size)
        self.body = ResidualMLP(
            inputs * pixels, outputs * pixels, width, depth, context, zero_output=True
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w)."""
        return self.body(x.flatten(1), context).reshape(-1, *self.shape)


class OnAverage(nn.Module):
    """A body that sees images with what their context looks like on average added: a picture for every
    context, zero in a new network.

    A class has a place for every pixel then, and the body need not learn a picture of each through
    its features first (LOG.md).

    Args:
        body: maps images (n, inputs, h, w) and a context to whatever it does.
        channels: the first so many of its inputs are the image.
        size: (height, width) of images.
        coarse: side of the squares whose pixels share a number, where a number for each is too much.

    Example:
        >>> class Sum(nn.Module):
        ...     def forward(self, x, context): return x.sum((1, 2, 3))
        >>> net = OnAverage(Sum(), 1, (3, 5), context=4, coarse=2)
        >>> net(torch.ones(2, 2, 3, 5), torch.zeros(2, 4)).tolist()
        [30.0, 30.0]
    """

    def __init__(
        self, body: nn.Module, channels: int, size: Ends, context: int, coarse: int = 1
    ) -> None:
        super().__init__()
        self.body, self.channels, self.coarse = body, channels, coarse
        self.squares = (channels, *(math.ceil(side / coarse) for side in size))
        self.average = zeroed(nn.Linear(context, math.prod(self.squares)))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context)."""
        image, rest = x[:, : self.channels], x[:, self.channels :]
        average = self.average(context).to(x.dtype).unflatten(1, self.squares)
        if self.coarse > 1:
            average = F.interpolate(average, scale_factor=self.coarse, mode="nearest")
            average = average[..., : x.shape[-2], : x.shape[-1]]
        return self.body(torch.cat([image + average, rest], dim=1), context)
