"""Chains over several scales of an image.

One idea: space is traded for channels, and half of the channels leave for the base distribution at
every scale (Dinh et al. 2017, section 3.6), so that what is left can be worked on as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.families.flow.chains.chain import Chain
from pushforward.families.flow.transforms.bijection import Bijection, bijections, compose, undo

MOST_SCALES = 3


def squeeze(x: Tensor) -> Tensor:
    """Trade a factor 2 of each side for a factor 4 of channels; invertible, determinant one."""
    return F.pixel_unshuffle(x, 2)


class MultiscaleChain(Chain):
    """Squeeze, then bijections; half of the channels leave after each scale, the rest after the
    last.

    Codes are vectors (n, D): what left first comes first.

    Args:
        shape: channels and two even sides.
        scale: makes the bijections of a scale from its number of channels.
    """

    def __init__(self, shape: tuple[int, ...], scale: Callable[[int], list[Bijection]]) -> None:
        super().__init__(shape)
        c, h, w = shape
        self.scales = nn.ModuleList()
        self.left: list[tuple[int, int, int]] = []
        last = False
        while not last:
            c, h, w = 4 * c, h // 2, w // 2
            self.scales.append(nn.ModuleList(scale(c)))
            last = bool(h % 2 or w % 2) or len(self.scales) == MOST_SCALES
            gone = c if last else c // 2
            self.left.append((gone, h, w))
            c -= gone

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take the scales in order, and collect what leaves."""
        return self._through(x, context, initialise=False)

    def _through(
        self, x: Tensor, context: Tensor | None, initialise: bool
    ) -> tuple[Tensor, Tensor]:
        codes, log_det = [], x.new_zeros(len(x))
        for steps, (gone, _, _) in zip(self._steps(), self.left, strict=True):
            x, log_det = compose(steps, squeeze(x), log_det, context, initialise)
            codes.append(x[:, :gone].flatten(1))
            x = x[:, gone:]
        return torch.cat(codes, 1), log_det

    def _steps(self) -> list[list[Bijection]]:
        return [bijections(steps) for steps in self.scales if isinstance(steps, nn.ModuleList)]

    def inverse(self, z: Tensor, context: Tensor | None) -> Tensor:
        """Begin at the coarsest scale, and let what left come back."""
        parts = z.split([math.prod(size) for size in self.left], dim=1)
        x: Tensor | None = None
        for steps, size, part in zip(
            self._steps()[::-1], self.left[::-1], parts[::-1], strict=True
        ):
            left = part.reshape(-1, *size)
            x = F.pixel_shuffle(
                undo(steps, left if x is None else torch.cat([left, x], 1), context), 2
            )
        assert x is not None
        return x

    @torch.no_grad()
    def initialise(self, x: Tensor, context: Tensor | None) -> None:
        """Show each bijection the data as those before leave them."""
        self._through(x, context, initialise=True)
