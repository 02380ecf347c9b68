"""Coordinates one after another, each by a network of its own.

One idea: conditionals share nothing, so none has to be good at another's task; two or three
coordinates can afford it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.noise import Noise
from pushforward.core.space import Space
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.mixtures import MixtureBackbone, mixture_of, waves
from pushforward.families.shared.codecs import standardised
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.mlp import ResidualMLP


class CoordinateBackbone(MixtureBackbone):
    """One network per coordinate, from the coordinates before it (with Fourier features) to mixture
    parameters."""

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        size = self.embedding.width
        self.nets = nn.ModuleList(
            ResidualMLP(max(1, 5 * d), 3 * config.components, config.width, config.depth, size)
            for d in range(self.dim)
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the coordinates' networks; mixture arithmetic stays in float32."""
        return {f"coordinate {d}": net for d, net in enumerate(self.nets)}

    def mixtures(
        self, x: Tensor, context: Tensor | None, noise: Noise | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of every coordinate from its own network."""
        parts = [self.mixture(d, x[:, :d], context) for d in range(self.dim)]
        log_w, mean, log_scale = (torch.stack(each, dim=1) for each in zip(*parts, strict=True))
        return log_w, mean, log_scale

    def mixture(
        self, d: int, before: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of coordinate d; the first has nothing to see."""
        inputs = torch.cat(waves(before), dim=1) if d else before.new_zeros(len(before), 1)
        return mixture_of(self.nets[d](inputs, context), self.components)


MIXTURE = Architecture(
    "mixture",
    "a network for each coordinate, a mixture of Gaussians",
    CoordinateBackbone,
    standardised,
    (TEMPERATURE,),
)
