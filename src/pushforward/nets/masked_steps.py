"""A masked perceptron's positions one after another: what `MaskedMLP` says of a position, computed
once its inputs are known and not before.

One idea: units are ordered by their degree, so that those which the next position adds are a slice,
and all that they may know is a slice as well; all positions together cost half of one whole pass.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor

from pushforward.nets.masked import MaskedBlock, MaskedLinear, MaskedMLP, spread_degrees


def _rows(layer: MaskedLinear, x: Tensor, start: int, stop: int) -> Tensor:
    """Return outputs `start` to `stop` of a layer whose masks are open to all of x, its first
    inputs."""
    weight, bias = layer.weight[start:stop, : x.shape[1]], layer.bias
    return F.linear(x, weight, None if bias is None else bias[start:stop])


class MaskedSteps:
    """What a network says of position 0, then of each next one given the features of those before.

    Args:
        net: for one feature a position.
        n: examples.
        context: (n, context), as `net` takes it.

    Example:
        >>> import torch
        >>> from pushforward.nets.masked import MaskedMLP
        >>> net = MaskedMLP(positions=3, features=1, outputs=2, width=8, depth=1)
        >>> steps, x = MaskedSteps(net, 4, None), torch.randn(4, 3, 1)
        >>> said = [steps.next(x[:, :i, 0]) for i in range(3)]
        >>> bool(torch.allclose(torch.stack(said, 1), net(x), atol=1e-5))
        True
    """

    def __init__(self, net: MaskedMLP, n: int, context: Tensor | None) -> None:
        self.net, self.position = net, 0
        width, self.blocks = net.first.out_features, cast("list[MaskedBlock]", list(net.blocks))
        degrees = spread_degrees(width, net.positions).tolist()
        # units of degree i: those from `ends[i]` to `ends[i + 1]`
        self.ends = [sum(d < i for d in degrees) for i in range(net.positions + 1)]
        self.said = [
            None if layer is None or context is None else layer(context)
            for layer in (net.label, *(block.label for block in self.blocks))
        ]
        empty = net.first.weight.new_zeros
        self.into = [empty(n, width) for _ in range(len(self.blocks) + 1)]
        self.middle = [empty(n, width) for _ in self.blocks]

    def next(self, x: Tensor) -> Tensor:
        """Return (n, outputs) of the next position, from (n, i) features before it."""
        i, net = self.position, self.net
        start, stop = self.ends[i], self.ends[i + 1]
        if stop > start:
            self._add(x, start, stop)
        outputs = slice(i * net.outputs, (i + 1) * net.outputs)
        hidden = _rows(net.last, self.into[-1][:, :stop], outputs.start, outputs.stop)
        self.position += 1
        return hidden + _rows(net.direct, x, i, i + 1) * net.gain

    def _add(self, x: Tensor, start: int, stop: int) -> None:
        """Compute the units that know all of x."""
        h = _rows(self.net.first, x, start, stop)
        if (said := self.said[0]) is not None:
            h = h + said[:, start:stop]
        for block, into, middle, said in zip(
            self.blocks, self.into[:-1], self.middle, self.said[1:], strict=True
        ):
            into[:, start:stop] = F.silu(h)
            y = _rows(block.up, into[:, :stop], start, stop)
            if said is not None:
                y = y + said[:, start:stop]
            middle[:, start:stop] = F.silu(y)
            h = h + _rows(block.down, middle[:, :stop], start, stop)
        self.into[-1][:, start:stop] = F.silu(h)
