"""Couplings: part of an example is changed given the rest, which stays.

Two ideas: the Jacobian is triangular, so that its determinant is a product of slopes; what the
change is (an `Elementwise`) and what computes its parameters (a conditioner network) are chosen
apart.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pushforward.families.flow.transforms.bijection import Bijection, Elementwise

Conditioner = Callable[
    [int, int], nn.Module
]  # makes a network from how many numbers it reads and how many it says


class VectorCoupling(Bijection):
    """A coupling on vectors: coordinates under `mask` are kept and condition the others (Dinh et
    al. 2017).

    Args:
        elementwise: what the others go through.
        conditioner: makes the network `(kept, context) -> parameters of the others`.
    """

    keep: Tensor
    change: Tensor

    def __init__(self, mask: Tensor, elementwise: Elementwise, conditioner: Conditioner) -> None:
        super().__init__()
        self.elementwise = elementwise
        self.register_buffer("keep", mask.nonzero().flatten())
        self.register_buffer("change", (~mask).nonzero().flatten())
        # an empty mask (one dimension) is conditioned on a constant
        self.net = conditioner(max(1, len(self.keep)), len(self.change) * elementwise.parameters)

    def _raw(self, x: Tensor, context: Tensor | None) -> Tensor:
        kept = x[:, self.keep] if len(self.keep) else torch.zeros_like(x[:, :1])
        return (
            self.net(kept, context)
            .to(x.dtype)
            .reshape(len(x), len(self.change), self.elementwise.parameters)
        )

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Change the second half."""
        value, log_slope = self.elementwise.forward(x[:, self.change], self._raw(x, context))
        return x.index_copy(1, self.change, value), log_slope.sum(1)

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """The kept half is the same on both sides, so the parameters are too."""
        value = self.elementwise.inverse(y[:, self.change], self._raw(y, context))
        return y.index_copy(1, self.change, value)


class ImageCoupling(Bijection):
    """A coupling on channels: the first half conditions the second, position by position and its
    neighbours."""

    def __init__(self, channels: int, elementwise: Elementwise, conditioner: Conditioner) -> None:
        super().__init__()
        self.elementwise, self.kept = elementwise, channels // 2
        self.changed = channels - self.kept
        self.net = conditioner(self.kept, self.changed * elementwise.parameters)

    def _raw(self, kept: Tensor, context: Tensor | None) -> Tensor:
        n, _, h, w = kept.shape
        shape = (n, self.changed, self.elementwise.parameters, h, w)
        return self.net(kept, context).to(kept.dtype).reshape(shape).movedim(2, -1)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Change the later channels."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        value, log_slope = self.elementwise.forward(changed, self._raw(kept, context))
        return torch.cat([kept, value], 1), log_slope.flatten(1).sum(1)

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Restore the later channels."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        return torch.cat([kept, self.elementwise.inverse(changed, self._raw(kept, context))], 1)
