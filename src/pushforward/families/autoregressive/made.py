"""All conditionals by one perceptron with masked weights (Germain et al. 2015).

Two ideas: masks leave only the paths from earlier to later dimensions, so one pass gives every
term; what a term is - a Bernoulli, a mixture of discretised logistics, a mixture of Gaussians - is
a head that other architectures use as well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.heads import HeadWalk, head_of
from pushforward.families.autoregressive.mixtures import MixtureBackbone, mixture_of, waves
from pushforward.families.shared.codecs import standardised
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.masked import MaskedMLP


class MaskedPixels(Backbone):
    """MADE over the dimensions of an image, in raster order, channels innermost."""

    place = "pixel in raster order"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Image)
        self.shape, self.length = space.event_shape, space.dimensions
        self.head = head_of(1, space.levels, config.components)
        self.embedding = GivenEmbedding(classes, config.context)
        context = self.embedding.width
        self.net = MaskedMLP(
            self.length, 1, self.head.size, config.width, config.depth, context, config.dropout
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the perceptron; the arithmetic of likelihoods stays in float32."""
        return {"conditionals": self.net}

    def raw(self, x: Tensor, context: Tensor | None, noise: Noise | None = None) -> Tensor:
        """Return the numbers (n, D, size) of every dimension given those before it."""
        flat = self.head.scaled(x).permute(0, 2, 3, 1).flatten(1)
        return self.net(flat.unsqueeze(-1), context, noise)

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, (n, D)."""
        levels = x.permute(0, 2, 3, 1).flatten(1).unsqueeze(-1)
        return self.head.log_prob(
            self.raw(x, self.embedding(given, len(x)), noise), levels
        ).squeeze(-1)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler, D passes."""
        context = self.embedding(given, noise.n)
        ask = lambda levels, index: self.raw(levels, context)[:, index]  # noqa: E731
        return HeadWalk(self.head, self.shape, noise, options.temperature, ask)


class MaskedCoordinates(MixtureBackbone):
    """MADE over the coordinates of points: a mixture of Gaussians for each, from one network for
    all of them."""

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        features, size = len(waves(torch.zeros(1, 1))), self.embedding.width
        self.net = MaskedMLP(
            self.dim,
            features,
            3 * self.components,
            config.width,
            config.depth,
            size,
            config.dropout,
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the perceptron; mixture arithmetic stays in float32."""
        return {"conditionals": self.net}

    def mixtures(
        self, x: Tensor, context: Tensor | None, noise: Noise | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of all coordinates from one pass."""
        return mixture_of(self.net(torch.stack(waves(x), dim=-1), context, noise), self.components)

    def mixture(
        self, d: int, before: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters of coordinate d; what comes after it is masked, so zeros do."""
        x = torch.cat([before, before.new_zeros(len(before), self.dim - d)], dim=1)
        log_w, mean, log_scale = self.mixtures(x, context)
        return log_w[:, d], mean[:, d], log_scale[:, d]


_SAYS = "one perceptron with masked weights for all conditionals"
OF_PIXELS = Architecture("made", _SAYS, MaskedPixels, options=(TEMPERATURE,))
OF_POINTS = Architecture("made", _SAYS, MaskedCoordinates, standardised, (TEMPERATURE,))
