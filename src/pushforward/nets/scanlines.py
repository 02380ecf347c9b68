"""A picture line by line: attention over the lines above, and a perceptron at every pixel that sees
what is near.

Two ideas: what is far away is told once a line, so that attention has as many positions as the
picture has lines, and what is near is looked at pixel by pixel with weights that all pixels share;
no feature of one pixel is an input of another's, so drawing repeats nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.transformer import Transformer, dropped

# pixels that are near: lines above, columns to either side on those, and, no fewer, columns to the
# left on the pixel's own line
ABOVE, ASIDE, LEFT = 3, 3, 5
NEAR = ABOVE * (2 * ASIDE + 1) + LEFT


class PixelBlock(nn.Module):
    """`z + W2 silu(W1 silu(z))` at every pixel."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:
        """Shapes: (..., width)."""
        return z + self.down(dropped(F.silu(self.up(F.silu(z))), self.dropout, noise))


class ScanlineNet(nn.Module):
    """Map pictures (n, channels, h, w) and a context (n, context) to (n, h, w, outputs); a place
    sees those before it only, in raster order.

    Position r of a causal transformer reads the `ABOVE` lines before line r, and says something to
    every pixel of line r. A pixel adds to it what it sees of its `NEAR` neighbours.

    Args:
        channels: inputs and outputs of a pixel.
        size: (height, width).
        width: features of a line; a pixel has half as many.
        depth: blocks of the transformer.

    Example:
        >>> ScanlineNet((1, 2), (3, 5), width=8, depth=1, heads=2)(torch.zeros(2, 1, 3, 5)).shape
        torch.Size([2, 3, 5, 2])
    """

    def __init__(
        self,
        channels: tuple[int, int],
        size: tuple[int, int],
        width: int,
        depth: int,
        heads: int,
        context: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        (inputs, outputs), (height, columns), fine = channels, size, max(1, width // 2)
        self.size, self.fine = size, fine
        self.lines = nn.Linear(ABOVE * columns * inputs, width)
        self.places = nn.Parameter(0.1 * torch.randn(height, width))
        # what is asked for means something else at every line
        self.label = nn.Linear(context, height * width) if context else None
        self.transformer = Transformer(width, depth, heads, dropout)
        self.spread = nn.Linear(width, columns * fine)
        self.near = nn.Linear(NEAR * inputs, fine, bias=False)
        self.block = PixelBlock(fine, dropout)
        self.last = nn.Linear(fine, outputs)

    def matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers."""
        of_pixels = (self.block.up.weight, self.block.down.weight)
        return self.transformer.matrices() + [w for w in of_pixels if isinstance(w, nn.Parameter)]

    def forward(
        self, x: Tensor, context: Tensor | None = None, noise: Noise | None = None
    ) -> Tensor:
        """Run all pixels at once; `noise` draws the dropout of training."""
        n, _, height, _ = x.shape
        canvas = F.pad(x, (LEFT, ASIDE, ABOVE, 0))
        above = F.pad(x, (0, 0, ABOVE, 0)).transpose(1, 2)
        seen = torch.cat([above[:, i : i + height] for i in range(ABOVE)], dim=2)
        h = self.transformer(self.embed(seen.flatten(2), context), noise)
        told = self.spread(h).view(n, *self.size, self.fine)
        return self.pixels(self.around(canvas), told, noise)

    def embed(self, seen: Tensor, context: Tensor | None, first: int = 0) -> Tensor:
        """Return what the transformer reads (n, lines, width) of lines from `first` on, from the
        values above each (n, lines, ABOVE channels w)."""
        h = self.lines(seen) + self.places[first : first + seen.shape[1]]
        if self.label is None or context is None:
            return h
        told = self.label(context).view(len(context), -1, h.shape[2])
        return h + told[:, first : first + seen.shape[1]]

    def around(self, canvas: Tensor) -> Tensor:
        """Return the neighbours (n, h, w, NEAR channels) of every pixel of pictures with a rim
        (n, channels, ABOVE + h, LEFT + w + ASIDE)."""
        h, w = canvas.shape[2] - ABOVE, canvas.shape[3] - LEFT - ASIDE
        offsets = [(i, LEFT + j) for i in range(ABOVE) for j in range(-ASIDE, ASIDE + 1)]
        offsets += [(ABOVE, LEFT - j) for j in range(1, LEFT + 1)]
        parts = [canvas[:, :, i : i + h, j : j + w] for i, j in offsets]
        return torch.cat(parts, dim=1).permute(0, 2, 3, 1)

    def pixels(self, near: Tensor, told: Tensor, noise: Noise | None = None) -> Tensor:
        """Return outputs (..., outputs) from neighbours (..., NEAR channels) and what their line is
        told (..., fine)."""
        return self.last(F.silu(self.block(self.near(near) + told, noise)))


class Scan:
    """Evaluate a network pixel by pixel, in raster order: the transformer once a line, with a
    cache, and the perceptron once a pixel.

    The outputs are those of the whole picture at that place.

    Args:
        n: pictures.
        channels: of each.
    """

    def __init__(self, net: ScanlineNet, context: Tensor | None, n: int, channels: int) -> None:
        self.net, self.context = net, context
        self.shape = (n, channels, *net.size)

    def _begin(self, like: Tensor) -> None:
        n, channels, h, w = self.shape
        self.canvas = like.new_zeros(n, channels, ABOVE + h, LEFT + w + ASIDE)
        self.cache = self.net.transformer.cache(n, h)

    def _line(self, row: int) -> None:
        n, _, _, w = self.shape
        seen = self.canvas[:, :, row : row + ABOVE, LEFT : LEFT + w].transpose(1, 2)
        h = self.net.embed(seen.reshape(n, 1, -1), self.context, row)
        h = self.net.transformer.step(h, self.cache, row)
        self.told = self.net.spread(h).view(n, w, self.net.fine)

    def at(self, last: Tensor, index: int) -> Tensor:
        """Return the outputs (n, outputs) of pixel `index`; `last` (n, channels) are the values of
        the pixel before, which are not looked at for the first one."""
        w = self.shape[3]
        row, column = divmod(index, w)
        if index == 0:
            self._begin(last)
        else:
            above, left = divmod(index - 1, w)
            self.canvas[:, :, ABOVE + above, LEFT + left] = last
        if column == 0:
            self._line(row)
        window = self.canvas[:, :, row : row + ABOVE + 1, column : column + LEFT + 1 + ASIDE]
        return self.net.pixels(self.net.around(window)[:, 0, 0], self.told[:, column])
