"""An invertible matrix over channels, the 1x1 convolution of images, with its determinant read off
a factorisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.families.flow.transforms.bijection import Bijection


class LULinear(Bijection):
    """An invertible linear map over channels, `W = P L (U + diag(s))`; `log|det| = H W sum log|s|`
    (Glow, eq. 11)."""

    permutation: Tensor
    sign: Tensor
    below: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        q, _ = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))
        p, lower, upper = torch.linalg.lu(q)
        diagonal = upper.diagonal()
        self.register_buffer("permutation", p.float())
        self.register_buffer("sign", diagonal.sign().float())
        self.register_buffer("below", torch.tril(torch.ones(channels, channels), -1))
        self.lower = nn.Parameter(lower.float())
        self.upper = nn.Parameter(upper.float())
        self.log_s = nn.Parameter(diagonal.abs().log().float())

    def weight(self) -> Tensor:
        """Return W, shape (channels, channels)."""
        lower = self.lower * self.below + torch.eye(
            len(self.log_s), device=self.below.device, dtype=self.below.dtype
        )
        upper = self.upper * self.below.T + torch.diag(self.sign * self.log_s.exp())
        return self.permutation @ lower @ upper

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mix the channels of every position."""
        y = torch.einsum("oc,nc...->no...", self.weight(), x)
        return y, (x[0, 0].numel() * self.log_s.sum()).expand(len(x))

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Apply the inverse matrix, computed in float64."""
        inverse = torch.linalg.inv(self.weight().double()).to(y.dtype)
        return torch.einsum("oc,nc...->no...", inverse, y)
