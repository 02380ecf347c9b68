"""Pixels one after another, cheaply: attention over lines, and a perceptron over what is near.

One idea: of 784 pixels only 28 lines attend to each other, which is what a minute on a processor
can afford; everything else is that of the other architectures, exact and drawn as scored.
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
from pushforward.families.autoregressive.ends import head_with_ends
from pushforward.families.autoregressive.heads import HeadWalk
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.scanlines import Scan, ScanlineNet


class ScanlineBackbone(Backbone):
    """A `ScanlineNet` with a head; terms are in raster order, channels innermost."""

    place = "pixel in raster order"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Image)
        c, h, w = self.shape = space.event_shape
        self.head = head_with_ends(c, space.levels, config.components)
        self.embedding = GivenEmbedding(classes, config.context)
        depth, heads, context = config.depth, config.heads, self.embedding.width
        self.net = ScanlineNet(
            (c, self.head.size), (h, w), config.width, depth, heads, context, config.dropout
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the network; the mixture's arithmetic stays in float32."""
        return {"conditionals": self.net}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices of the blocks."""
        return self.net.matrices()

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, (n, D)."""
        raw = self.net(self.head.scaled(x), self.embedding(given, len(x)), noise)
        return self.head.log_prob(raw, x.permute(0, 2, 3, 1)).flatten(1)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler: the perceptron once a pixel, the transformer once a line."""
        scan = Scan(self.net, self.embedding(given, noise.n), noise.n, self.shape[0])
        w = self.shape[2]

        def ask(levels: Tensor, index: int) -> Tensor:
            row, column = divmod(max(0, index - 1), w)
            return scan.at(self.head.scaled(levels[:, :, row, column]), index)

        return HeadWalk(self.head, self.shape, noise, options.temperature, ask)


SCANLINES = Architecture(
    "scanlines",
    "attention over the lines above, a perceptron over near pixels, levels between two ends",
    ScanlineBackbone,
    options=(TEMPERATURE,),
    unread=("condition_dropout",),
)
