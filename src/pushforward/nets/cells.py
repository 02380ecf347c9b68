"""A perceptron that says what is missing of a picture of which every second row and column is known.

Two ideas: the same small network serves every cell of two by two pixels, which it sees in a window
of its neighbours; masks order the three missing pixels and their channels, so that one pass gives
each of them given those before it, anywhere in the picture.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.nets.masked import MaskedLinear

# of a cell, after the corner that is known: the pixel across first, which then has neighbours on
# both sides for the two others
PHASES = ((1, 1), (0, 1), (1, 0))
WINDOW = 6  # pixels a side, the cell in the middle
PLACE = 12  # numbers that tell a cell where it is
SAID = 12  # numbers that tell it the context


def ranks(channels: int) -> Tensor:
    """Return for each value of a window, channel by channel, when it is known: -1 before all,
    otherwise its place among the 3 `channels` missing values of a cell.

    Example:
        >>> ranks(1).reshape(6, 6)[2:4, 2:4].tolist()
        [[-1, 1], [2, 0]]
    """
    found = torch.full((channels, WINDOW, WINDOW), -1)
    for place, (dy, dx) in enumerate(PHASES):
        own = place * channels + torch.arange(channels)
        found[:, dy::2, dx::2] = own[:, None, None]
    return found.flatten()


class CellMLP(nn.Module):
    """Map a picture (n, c, 2 h, 2 w) and a context to (n, h w, 3 c, outputs): raw numbers of the
    missing values of every cell, `PHASES` in turn and their channels in turn.

    Args:
        channels, height, width: c, h and w.
        units: of each hidden layer, for each missing value.
        depth: hidden layers after the first.

    Example:
        >>> CellMLP(2, 3, 4, outputs=5, units=8, depth=1)(torch.zeros(1, 2, 6, 8)).shape
        torch.Size([1, 12, 6, 5])
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        outputs: int,
        units: int,
        depth: int,
        context: int = 0,
    ) -> None:
        super().__init__()
        self.missing, self.outputs, self.cells = 3 * channels, outputs, height * width
        self.said = nn.Linear(context, SAID) if context else None
        self.place = nn.Parameter(0.3 * torch.randn(self.cells, PLACE))
        always = torch.full((PLACE + (SAID if context else 0),), -1)
        known = torch.cat([ranks(channels), always])
        own = torch.arange(self.missing)
        hidden, says = own.repeat_interleave(units), own.repeat_interleave(outputs)
        self.first = MaskedLinear(hidden[:, None] > known[None, :])
        self.hidden = nn.ModuleList(
            MaskedLinear(hidden[:, None] >= hidden[None, :]) for _ in range(depth)
        )
        self.last = MaskedLinear(says[:, None] >= hidden[None, :], zero=True)

    def seen(self, x: Tensor, context: Tensor | None) -> Tensor:
        """Return what every cell sees, (n, h w, inputs)."""
        n, kind = len(x), x.device.type
        if torch.is_autocast_enabled(kind):  # windows overlap ninefold: they are made narrow
            x = x.to(torch.get_autocast_dtype(kind))
        window = F.unfold(x, WINDOW, stride=2, padding=WINDOW // 2 - 1).transpose(1, 2)
        parts = [window, self.place.to(x.dtype).expand(n, -1, -1)]
        if self.said is not None and context is not None:
            parts.append(self.said(context).to(x.dtype)[:, None].expand(-1, self.cells, -1))
        return torch.cat(parts, 2)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Run all cells and all missing values at once."""
        h = F.relu(self.first(self.seen(x, context)))
        for layer in self.hidden:
            h = F.relu(layer(h))
        return self.last(h).unflatten(2, (self.missing, self.outputs))


class CellSteps:
    """What a network says of the missing values of all cells, one place in every cell after
    another; units of a place are computed once.

    Example:
        >>> net, x = CellMLP(1, 2, 2, outputs=5, units=8, depth=1), torch.randn(1, 1, 4, 4)
        >>> steps = CellSteps(net, None)
        >>> said = torch.stack([steps.next(x) for _ in range(3)], 2)
        >>> bool(torch.allclose(said, net(x), atol=1e-5))
        True
    """

    def __init__(self, net: CellMLP, context: Tensor | None) -> None:
        self.net, self.context, self.place = net, context, 0
        self.layers = cast("list[MaskedLinear]", list(net.hidden))
        self.units = net.first.out_features // net.missing
        self.known: list[list[Tensor]] = [[] for _ in range(len(self.layers) + 1)]

    def next(self, x: Tensor) -> Tensor:
        """Return (n, h w, outputs) of the next place, from a picture that holds those before it."""
        net, outputs = self.net, self.net.outputs
        start, stop = self.place * self.units, (self.place + 1) * self.units
        first = net.first
        weight = first.weight[start:stop] * first.mask[start:stop]
        h = F.relu(F.linear(net.seen(x, self.context), weight, first.bias[start:stop]))
        self.known[0].append(h)
        for index, layer in enumerate(self.layers):
            below = torch.cat(self.known[index], 2)
            h = F.relu(F.linear(below, layer.weight[start:stop, :stop], layer.bias[start:stop]))
            self.known[index + 1].append(h)
        own = slice(self.place * outputs, (self.place + 1) * outputs)
        below = torch.cat(self.known[-1], 2)
        self.place += 1
        return F.linear(below, net.last.weight[own, :stop], net.last.bias[own])
