"""Two networks for one task, each for its part of a number's range.

One idea: what is asked for at small noise is local, at large noise it is of the whole picture; a
network of each kind, for the examples of its own, learns faster than one for all (Balaji et al. 2022,
"eDiff-I", section 3.1, train such experts).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.nets.convolution import zeroed
from pushforward.nets.lean import LeanBlock, WholeNorm


class LocalNet(nn.Module):
    """Map images (n, inputs, h, w) and a context (n, context) to (n, outputs, h, w) by convolutions at
    full size: a place sees those within `2 depth + 2` of it, and what normalises the whole picture; a new one
    is zero.

    Example:
        >>> LocalNet((2, 1), width=8, depth=2, context=4)(torch.zeros(3, 2, 5, 7), torch.zeros(3, 4)).shape
        torch.Size([3, 1, 5, 7])
    """

    def __init__(self, channels: tuple[int, int], width: int, depth: int, context: int) -> None:
        super().__init__()
        inputs, outputs = channels
        self.inputs = nn.Conv2d(inputs, width, 3, padding=1)
        self.blocks = nn.ModuleList(LeanBlock(width, context) for _ in range(depth))
        self.norm = WholeNorm()
        self.outputs = zeroed(nn.Conv2d(width, outputs, 3, padding=1))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Shapes: x (n, inputs, h, w), context (n, context) -> (n, outputs, h, w)."""
        h = self.inputs(x.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            h = block(h, context)
        return self.outputs(nn.functional.silu(self.norm(h)))


class Experts(nn.Module):
    """`low(x, context)` where a number is below an edge, `high(x, context)` elsewhere.

    Args:
        low, high: networks of the same inputs and outputs.
        edge: the first number that `high` is asked about.

    Example:
        >>> class Times(nn.Module):
        ...     def __init__(self, factor): super().__init__(); self.factor = factor
        ...     def forward(self, x, context): return self.factor * x
        >>> experts = Experts(Times(2.0), Times(-1.0), edge=0.5)
        >>> experts(torch.ones(3, 1), torch.zeros(3, 1), torch.tensor([0.0, 0.5, 0.4])).flatten().tolist()
        [2.0, -1.0, 2.0]
    """

    reads_value = True  # beside the context that is made of it
    edge: Tensor

    def __init__(self, low: nn.Module, high: nn.Module, edge: float) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.register_buffer("edge", torch.tensor(edge))

    def forward(self, x: Tensor, context: Tensor, value: Tensor) -> Tensor:
        """Shapes: x (n, ...), context (n, context), value (n,)."""
        below = value < self.edge
        if bool(below.all()):
            return self.low(x, context)
        if not bool(below.any()):
            return self.high(x, context)
        few, many = below.nonzero().flatten(), (~below).nonzero().flatten()
        low, high = self.low(x[few], context[few]), self.high(x[many], context[many])
        order = torch.cat([few, many]).argsort()
        return torch.cat([low, high.to(low.dtype)])[order]
