"""A shift and a scale per channel, set by the first data that arrive."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.families.flow.transforms.bijection import Bijection


class ActNorm(Bijection):
    """`y = (x + bias) * exp(log_scale)` per channel; log-determinant `H W sum log_scale` (Kingma &
    Dhariwal 2018, table 1).

    Initialised once from data to mean 0 and variance 1; works on (n, c) and (n, c, h, w).
    """

    initialised: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialised", torch.tensor(False))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set bias and scale from data, the first time only."""
        if bool(self.initialised):
            return
        flat = x.movedim(1, -1).reshape(-1, x.shape[1])
        self.bias.copy_(-flat.mean(0))
        self.log_scale.copy_(-flat.std(0, correction=0).clamp(min=1e-4).log())
        self.initialised.fill_(True)

    def _shaped(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        return self.bias.reshape(shape), self.log_scale.reshape(shape)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Shift and scale every channel."""
        bias, log_scale = self._shaped(x)
        positions = x[0, 0].numel()
        return (x + bias) * log_scale.exp(), (positions * self.log_scale.sum()).expand(len(x))

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Undo it."""
        bias, log_scale = self._shaped(y)
        return y * (-log_scale).exp() - bias
