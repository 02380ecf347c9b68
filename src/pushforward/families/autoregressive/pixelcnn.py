"""Pixels one after another by convolutions: a mixture of discretised logistics for each, given all
above and to the left.

One idea: the same filters serve every place, so few weights learn what neighbours say; the network
is asked once a pixel and its channels are drawn in turn (Salimans et al. 2017, PixelCNN++).
"""

from __future__ import annotations

from typing import Any

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
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.causal_convolution import GatedPixelCNN, Strips


class ConvolutionBackbone(Backbone):
    """A gated PixelCNN++; terms are in raster order, channels innermost."""

    place = "pixel in raster order"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Image)
        c, h, w = self.shape = space.event_shape
        self.head = head_of(c, space.levels, config.components)
        self.embedding = GivenEmbedding(classes, config.context)
        context = self.embedding.width
        self.net = GatedPixelCNN(
            c, self.head.size, (h, w), config.width, config.depth, context, config.dropout
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the convolutions; the mixture's arithmetic stays in float32."""
        return {"conditionals": self.net}

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, (n, D)."""
        raw = self.net(self.head.scaled(x), self.embedding(given, len(x)), noise)
        return self.head.log_prob(raw.permute(0, 2, 3, 1), x.permute(0, 2, 3, 1)).flatten(1)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler: one network call for a pixel, all its channels from that call."""
        strips = Strips(self.net, self.embedding(given, noise.n))
        ask = lambda levels, index: strips.at(self.head.scaled(levels), index)  # noqa: E731
        return HeadWalk(self.head, self.shape, noise, options.temperature, ask)


PIXELCNN = Architecture(
    "pixelcnn",
    "gated convolutions over the pixels before, logistics of each",
    ConvolutionBackbone,
    options=(TEMPERATURE,),
    # attention over 3,072 values of a picture costs thirty times what convolutions over its pixels
    # do, over 784 six times (LOG.md)
    beyond=512,
)
