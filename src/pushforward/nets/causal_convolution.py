"""A gated convolutional network in which a pixel sees those above it and to its left, and no other
(PixelCNN++).

Three ideas: one stream of features knows the rows above, another the same row to the left as well,
and the first feeds the second, so that nothing before a pixel is hidden from it; inputs are shifted
once, at the bottom, and every later convolution may look at its own place; a row can be computed
from the inputs that each convolution met one row above, so generation repeats no row.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.transformer import dropped


def concat_elu(h: Tensor) -> Tensor:
    """Return `elu([h, -h])` along the channels (Shang et al. 2016): twice as many channels.

    Example:
        >>> concat_elu(torch.ones(1, 1)).tolist()
        [[1.0, -0.6321205496788025]]
    """
    return F.elu(torch.cat([h, -h], dim=1))


class Rows:
    """What every convolution met one row above the strip that is being computed, and what it meets
    now."""

    def __init__(self) -> None:
        self._above: dict[nn.Module, Tensor] = {}
        self._here: dict[nn.Module, Tensor] = {}

    def advance(self) -> None:
        """Go one row down; the current row must be complete."""
        self._above, self._here = self._here, {}

    def joined(self, layer: nn.Module, strip: Tensor) -> Tensor:
        """Return the strip (n, c, 1, w) below the row above it, (n, c, 2, w), and remember it."""
        self._here[layer] = strip
        above = self._above.get(layer)
        above = torch.zeros_like(strip) if above is None else above[..., : strip.shape[-1]]
        return torch.cat([above, strip], dim=2)


class ShiftedConv(nn.Module):
    """A convolution over a row and the one above it: columns around its own (`centred`) or its own
    and those to the left.

    These are the down-shifted and the down-right-shifted convolutions of Salimans et al. 2017,
    section 2.3.
    """

    def __init__(self, inputs: int, outputs: int, centred: bool, zero: bool = False) -> None:
        super().__init__()
        columns = 3 if centred else 2
        self.left, self.right = (1, 1) if centred else (1, 0)
        self.conv = nn.Conv2d(inputs, outputs, (2, columns))
        if zero:
            nn.init.zeros_(self.conv.weight)

    def forward(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        """Shapes: whole images (n, inputs, h, w), or with `rows` a strip (n, inputs, 1, w) of one
        row."""
        if rows is None:
            return self.conv(F.pad(x, (self.left, self.right, 1, 0)))
        return self.conv(F.pad(rows.joined(self, x), (self.left, self.right, 0, 0)))


class GatedBlock(nn.Module):
    """`h + a sigmoid(b)` with `[a, b] = conv(concat_elu(conv(concat_elu(h)) + W aside)) + V
    context`.

    Args:
        aside: channels of the activated features taken in beside `h` (the other stream, a
            shortcut), 0 = nothing.
    """

    def __init__(self, width: int, centred: bool, aside: int, context: int, dropout: float) -> None:
        super().__init__()
        self.first = ShiftedConv(2 * width, width, centred)
        self.second = ShiftedConv(2 * width, 2 * width, centred, zero=True)
        self.aside = nn.Conv2d(aside, width, 1) if aside else None
        self.label = nn.Linear(context, 2 * width) if context else None
        self.dropout = dropout

    def forward(
        self,
        h: Tensor,
        active: Tensor,
        aside: Tensor | None,
        context: Tensor | None,
        noise: Noise | None,
        rows: Rows | None,
    ) -> tuple[Tensor, Tensor]:
        """Return features (n, width, h, w) and their `concat_elu`, from such a pair and context (n,
        context).

        On a CPU activations cost more than convolutions: each is computed once, however often it is
        used.
        """
        y = self.first(active, rows)
        if self.aside is not None:
            y = y + self.aside(aside)
        y = self.second(dropped(concat_elu(y), self.dropout, noise), rows)
        if self.label is not None and context is not None:
            y = y + self.label(context)[:, :, None, None]
        a, b = y.chunk(2, dim=1)
        h = h + a * torch.sigmoid(b)
        return h, concat_elu(h)


class GatedPixelCNN(nn.Module):
    """Map images (n, channels, h, w) and a context (n, context) to (n, outputs, h, w); a place sees
    those before it only.

    Blocks of the second half take in what their mirror in the first half gave (Salimans et al.
    2017, section 2.4), all at one resolution.

    Args:
        size: (height, width), because a place has features of its own: where a pixel is says much
            about what it is.
        depth: gated blocks of each stream.

    Example:
        >>> GatedPixelCNN(1, 2, (3, 5), width=4, depth=2)(torch.zeros(2, 1, 3, 5)).shape
        torch.Size([2, 2, 3, 5])
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        size: tuple[int, int],
        width: int,
        depth: int,
        context: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        mirrored = [depth - 1 - i if i >= (depth + 1) // 2 else None for i in range(depth)]
        self.mirrors = mirrored
        self.first_up = ShiftedConv(channels + 1, width, centred=True)
        self.first_left = ShiftedConv(channels + 1, width, centred=False)
        self.place_up, self.place_left = (
            nn.Parameter(torch.zeros(1, width, *size)) for _ in range(2)
        )
        self.up, self.left = nn.ModuleList(), nn.ModuleList()
        for mirror in mirrored:
            shortcut = 0 if mirror is None else 2 * width
            self.up.append(GatedBlock(width, True, shortcut, context, dropout))
            self.left.append(GatedBlock(width, False, 2 * width + shortcut, context, dropout))
        self.last = nn.Conv2d(2 * width, outputs, 1)

    def forward(
        self, x: Tensor, context: Tensor | None = None, noise: Noise | None = None
    ) -> Tensor:
        """Run all pixels at once; `noise` draws the dropout of training."""
        up, left = shifted(x)
        return self.to_the_left(left, self.above(up, context, noise), context, noise)

    def above(
        self,
        x: Tensor,
        context: Tensor | None,
        noise: Noise | None = None,
        rows: Rows | None = None,
        row: int = 0,
    ) -> list[Tensor]:
        """Return what every block of the first stream says, from images moved down by one row, or
        from row `row` of them."""
        h = self.first_up(x, rows)
        h = h + self.place_up[:, :, row : row + x.shape[2]].to(h.dtype)
        active, said = concat_elu(h), []
        for block, mirror in zip(self.up, self.mirrors, strict=True):
            aside = None if mirror is None else said[mirror]
            h, active = block(h, active, aside, context, noise, rows)
            said.append(active)
        return said

    def to_the_left(
        self,
        x: Tensor,
        above: list[Tensor],
        context: Tensor | None,
        noise: Noise | None = None,
        rows: Rows | None = None,
        row: int = 0,
    ) -> Tensor:
        """Return the outputs from images moved right by one column, or from the first columns of
        row `row` of them."""
        h = self.first_left(x, rows)
        h = h + self.place_left[:, :, row : row + x.shape[2], : x.shape[3]].to(h.dtype)
        active, said = concat_elu(h), []
        for block, up, mirror in zip(self.left, above, self.mirrors, strict=True):
            aside = up if mirror is None else torch.cat([up, said[mirror]], dim=1)
            h, active = block(h, active, aside, context, noise, rows)
            said.append(active)
        return self.last(active)


def shifted(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return images moved down by one row and right by one column, with a channel of ones that
    tells pixels from the rim.

    Example:
        >>> down, right = shifted(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
        >>> down[0].tolist()
        [[[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [1.0, 1.0]]]
        >>> right[0, 0].tolist()
        [[0.0, 1.0], [0.0, 3.0]]
    """
    x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    return F.pad(x, (0, 0, 1, -1)), F.pad(x, (1, -1, 0, 0))


class Strips:
    """Evaluate a network pixel by pixel, in raster order: the rows above once, the row itself up to
    the pixel.

    The outputs are those of the whole image at that place: about `w / 4` passes for an image
    instead of `h w`.
    """

    def __init__(self, net: GatedPixelCNN, context: Tensor | None) -> None:
        self.net, self.context = net, context

    def at(self, x: Tensor, index: int) -> Tensor:
        """Return the outputs (n, outputs) of pixel `index` of x (n, channels, h, w), whose later
        pixels are not looked at."""
        row, column = divmod(index, x.shape[3])
        down, right = shifted(x)
        if column == 0:
            if row == 0:
                self.rows = Rows()
            else:
                self.rows.advance()
            self.above = self.net.above(
                down[:, :, row : row + 1], self.context, None, self.rows, row
            )
        seen = slice(0, column + 1)
        above = [h[..., seen] for h in self.above]
        strip = right[:, :, row : row + 1, seen]
        return self.net.to_the_left(strip, above, self.context, None, self.rows, row)[:, :, 0, -1]
