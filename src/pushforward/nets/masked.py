"""A residual perceptron whose output d depends on inputs before d only (MADE).

Two ideas: every unit has a degree, the number of positions that it may know, and a weight exists
where the degree does not fall; the masks are constants multiplied to the weights at every use, so
weights themselves are never changed.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.transformer import dropped


class MaskedLinear(nn.Linear):
    """`y = (W * M) x + b` with a constant 0/1 matrix M of shape (outputs, inputs) (Germain et al.
    2015, section 4).

    Weights start with the variance that the connections of their own row call for: a unit of low
    degree has few.

    Example:
        >>> layer = MaskedLinear(torch.tensor([[1.0, 0.0]]))
        >>> bool(layer(torch.tensor([[0.0, 5.0]])) == layer.bias)
        True
    """

    mask: Tensor

    def __init__(self, mask: Tensor, zero: bool = False) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float(), persistent=False)
        nn.init.zeros_(self.bias)
        if zero:
            nn.init.zeros_(self.weight)
        else:
            nn.init.normal_(self.weight)
            with torch.no_grad():
                self.weight.mul_(mask.float().sum(1, keepdim=True).clamp(min=1.0).rsqrt())

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (n, inputs) -> (n, outputs)."""
        return F.linear(x, self.weight * self.mask, self.bias)


def spread_degrees(units: int, positions: int) -> Tensor:
    """Return degrees from 0 (knows nothing) to `positions - 1` (knows all but the last), evenly
    spread over the units.

    Example:
        >>> spread_degrees(6, 3).tolist(), spread_degrees(2, 3).tolist()
        ([0, 0, 1, 1, 2, 2], [0, 1])
    """
    return torch.arange(units) * positions // units


class MaskedBlock(nn.Module):
    """`h + W2 silu(W1 silu(h) + context)`; the degrees are equal at both ends, so the sum keeps
    them.

    Normalisation over units would mix degrees, so there is none; the block starts as the identity
    instead.
    """

    def __init__(self, degrees: Tensor, context: int, dropout: float) -> None:
        super().__init__()
        mask = degrees[:, None] >= degrees[None, :]
        self.up, self.down = MaskedLinear(mask), MaskedLinear(mask, zero=True)
        # a label is known to every unit
        self.label = nn.Linear(context, len(degrees)) if context else None
        self.dropout = dropout

    def forward(self, h: Tensor, context: Tensor | None, noise: Noise | None) -> Tensor:
        """Shapes: h (n, width), context (n, context)."""
        y = self.up(F.silu(h))
        if self.label is not None and context is not None:
            y = y + self.label(context)
        return h + self.down(dropped(F.silu(y), self.dropout, noise))


class MaskedMLP(nn.Module):
    """Map (n, positions, features) and a context (n, context) to (n, positions, outputs); output d
    sees positions < d.

    Beside the hidden layers each position is connected directly to all before it, by one number
    times a gain for each output, so that no neighbour is out of sight where there are fewer units
    than positions.

    Example:
        >>> MaskedMLP(positions=3, features=2, outputs=5, width=8, depth=1)(torch.zeros(4, 3, 2)).shape
        torch.Size([4, 3, 5])
    """

    def __init__(
        self,
        positions: int,
        features: int,
        outputs: int,
        width: int,
        depth: int,
        context: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.positions, self.outputs = positions, outputs
        # position i has degree i + 1, the number of positions known once it is
        before = torch.arange(positions)
        inputs, hidden = before.repeat_interleave(features) + 1, spread_degrees(width, positions)
        self.first = MaskedLinear(hidden[:, None] >= inputs[None, :])
        self.label = nn.Linear(context, width) if context else None
        self.blocks = nn.ModuleList(MaskedBlock(hidden, context, dropout) for _ in range(depth))
        self.last = MaskedLinear(before.repeat_interleave(outputs)[:, None] >= hidden[None, :])
        self.direct = MaskedLinear(before[:, None] >= inputs[None, :], zero=True)
        self.gain = nn.Parameter(torch.ones(outputs))

    def forward(
        self, x: Tensor, context: Tensor | None = None, noise: Noise | None = None
    ) -> Tensor:
        """Run all positions at once; `noise` draws the dropout of training."""
        flat = x.flatten(1)
        h = self.first(flat)
        if self.label is not None and context is not None:
            h = h + self.label(context)
        for block in self.blocks:
            h = block(h, context, noise)
        hidden = self.last(F.silu(h)).unflatten(1, (self.positions, self.outputs))
        return hidden + self.direct(flat).unsqueeze(-1) * self.gain
