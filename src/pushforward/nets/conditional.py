"""A network that knows a number (a noise level, a time) and a label.

Two ideas: the number becomes sinusoids of many frequencies, so that a linear layer can resolve it;
number and label are summed into one context vector, which the body takes in every block.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.mlp import LabelEmbedding


class ScalarEmbedding(nn.Module):
    """`(n,) -> (n, width)`: cosines and sines of geometrically spaced frequencies.

    Args:
        slowest, fastest: the range of angular frequencies.

    Example:
        >>> ScalarEmbedding(8)(torch.zeros(2)).tolist()[0]
        [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """

    frequencies: Tensor

    def __init__(self, width: int, slowest: float = 0.5, fastest: float = 16.0) -> None:
        super().__init__()
        half = width // 2
        ramp = torch.linspace(math.log(slowest), math.log(fastest), half)
        self.register_buffer("frequencies", ramp.exp(), persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        """Return the features of every number."""
        angle = value.unsqueeze(1) * self.frequencies
        return torch.cat([angle.cos(), angle.sin()], dim=1)


class ScalarConditioned(nn.Module):
    """`body(x, context)` with a context made of a number and, if there are classes, a label (-1 or
    None: no condition).

    Args:
        body: called with (x, context of `context` numbers), with the number itself if it has
            `reads_value`, and in training with dropout also with the noise that it draws.

    Example:
        >>> from pushforward.nets.mlp import ResidualMLP
        >>> net = ScalarConditioned(ResidualMLP(2, 2, 16, 1, context=8), context=8, classes=3)
        >>> net(torch.zeros(4, 2), torch.zeros(4), None).shape
        torch.Size([4, 2])
    """

    def __init__(self, body: nn.Module, context: int, classes: int = 0) -> None:
        super().__init__()
        self.body = body
        self.embed = ScalarEmbedding(context)
        self.mix = nn.Sequential(
            nn.Linear(context, context), nn.SiLU(), nn.Linear(context, context)
        )
        self.labels = LabelEmbedding(classes, context) if classes else None

    def forward(
        self,
        x: Tensor,
        value: Tensor,
        label: Tensor | None = None,
        noise: Noise | None = None,
    ) -> Tensor:
        """Shapes: x (n, ...), value (n,), label (n,)."""
        context = self.mix(self.embed(value))
        if self.labels is not None:
            context = context + self.labels(label, x.shape[0])
        further = (value,) if getattr(self.body, "reads_value", False) else ()
        drawn = () if noise is None else (noise,)
        return self.body(x, nn.functional.silu(context), *further, *drawn)
