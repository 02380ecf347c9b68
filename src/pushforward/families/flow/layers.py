"""Invertible layers: each maps x to y with log|det dy/dx|, and back.

Two ideas: a coupling changes half of its input given the other half, so its Jacobian is triangular; the mixing in between is
linear with a determinant read off an LU factorisation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from pushforward.families.flow.spline import parameters_per_input, spline
from pushforward.nets.convolution import ResidualConv
from pushforward.nets.mlp import ResidualMLP


class Layer(nn.Module, ABC):
    """A bijection of batches that may depend on a context vector."""

    @abstractmethod
    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return y and log|det dy/dx| of shape (n,)."""

    @abstractmethod
    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Return x."""

    def initialise(self, x: Tensor) -> None:
        """Look once at data that reach this layer; the default does not."""


class VectorCoupling(Layer):
    """A spline coupling on vectors: coordinates under `mask` are kept and condition the others (Dinh et al. 2017)."""

    keep: Tensor
    change: Tensor

    def __init__(self, mask: Tensor, width: int, depth: int, bins: int, bound: float, context: int) -> None:
        super().__init__()
        self.bins, self.bound = bins, bound
        self.register_buffer("keep", mask.nonzero().flatten())
        self.register_buffer("change", (~mask).nonzero().flatten())
        changed = len(self.change)
        self.per = parameters_per_input(bins)
        # an empty mask (one dimension) is conditioned on a constant
        self.net = ResidualMLP(max(1, len(self.keep)), changed * self.per, width, depth, context, zero_output=True)

    def _raw(self, x: Tensor, context: Tensor | None) -> Tensor:
        kept = x[:, self.keep] if len(self.keep) else torch.zeros_like(x[:, :1])
        return self.net(kept, context).to(x.dtype).reshape(len(x), len(self.change), self.per)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Change the second half."""
        value, log_slope = spline(x[:, self.change], self._raw(x, context), self.bins, self.bound)
        return x.index_copy(1, self.change, value), log_slope.sum(1)

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """The kept half is the same on both sides, so the parameters are too."""
        value, _ = spline(y[:, self.change], self._raw(y, context), self.bins, self.bound, inverse=True)
        return y.index_copy(1, self.change, value)


class ImageCoupling(Layer):
    """A spline coupling on channels with a convolutional conditioner."""

    def __init__(self, channels: int, width: int, depth: int, bins: int, bound: float, context: int) -> None:
        super().__init__()
        self.bins, self.bound, self.kept = bins, bound, channels // 2
        self.changed, self.per = channels - self.kept, parameters_per_input(bins)
        self.net = ResidualConv(self.kept, self.changed * self.per, width, depth, context, zero_output=True)

    def _raw(self, kept: Tensor, context: Tensor | None) -> Tensor:
        n, _, h, w = kept.shape
        return self.net(kept, context).to(kept.dtype).reshape(n, self.changed, self.per, h, w).movedim(2, -1)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Change the later channels."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        value, log_slope = spline(changed, self._raw(kept, context), self.bins, self.bound)
        return torch.cat([kept, value], 1), log_slope.flatten(1).sum(1)

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Restore the later channels."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        value, _ = spline(changed, self._raw(kept, context), self.bins, self.bound, inverse=True)
        return torch.cat([kept, value], 1)


class ActNorm(Layer):
    """`y = (x + bias) * exp(log_scale)` per channel; log-determinant `H W sum log_scale` (Kingma & Dhariwal 2018, table 1).

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


class Mixing(Layer):
    """An invertible linear map over channels, `W = P L (U + diag(s))`; `log|det| = H W sum log|s|` (Glow, eq. 11)."""

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
        lower = self.lower * self.below + torch.eye(len(self.log_s), device=self.below.device, dtype=self.below.dtype)
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
