"""Pixels one after another: a categorical distribution of each given all before it.

Two ideas: grey levels are ordered, so a level is embedded by its value as well as by its index, and
its logit has a part that is smooth in the level; sampling is a walk over positions with a key-value
cache, one uniform number per pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.context import ContextSpace
from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.heads import choose
from pushforward.families.shared.options import GUIDANCE, TEMPERATURE
from pushforward.nets.mlp import LabelEmbedding
from pushforward.nets.transformer import Cache, Transformer


class PixelBackbone(Backbone):
    """An ordinal transformer over raster order, channels innermost."""

    places: Tensor
    values: Tensor
    place = "pixel in raster order"

    def __init__(
        self,
        space: Space,
        config: AutoregressiveConfig,
        classes: int,
        context: ContextSpace | None = None,
    ) -> None:
        super().__init__(space, config, classes, context)
        assert isinstance(space, Image)
        c, h, w = space.event_shape
        width = config.width
        self.length, self.levels = space.dimensions, space.levels
        self.level = nn.Embedding(self.levels, width)
        self.ordinal = nn.Linear(4, width)
        self.row, self.column, self.channel = (
            nn.Embedding(h, width),
            nn.Embedding(w, width),
            nn.Embedding(c, width),
        )
        self.start = LabelEmbedding(classes, width)
        recalls = context is not None
        self.transformer = Transformer(
            width, config.depth, config.heads, config.dropout, recalls=recalls
        )
        self.read_contexts()
        self.logits = nn.Linear(width, self.levels)
        self.smooth = nn.Linear(width, 4)
        for table in (self.level, self.row, self.column, self.channel):
            nn.init.normal_(table.weight, std=0.1)
        y, x, k = torch.meshgrid(torch.arange(h), torch.arange(w), torch.arange(c), indexing="ij")
        self.register_buffer(
            "places", torch.stack([y.flatten(), x.flatten(), k.flatten()]), persistent=False
        )
        v = torch.linspace(-1.0, 1.0, self.levels)
        basis = torch.stack([v, v.square(), torch.sin(math.pi * v), torch.cos(math.pi * v)], dim=1)
        self.register_buffer("values", basis, persistent=False)

    def flatten(self, x: Tensor) -> Tensor:
        """Return (n, length) integer levels in the order they are modelled."""
        return x.permute(0, 2, 3, 1).flatten(1).long()

    def unflatten(self, flat: Tensor) -> Tensor:
        """Invert `flatten`."""
        c, h, w = self.space.event_shape
        return flat.reshape(-1, h, w, c).permute(0, 3, 1, 2)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the blocks' matrices."""
        return self.transformer.matrices() + super().hidden_matrices()

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log softmax(logits)[x_d]`, (n, D)."""
        flat = self.flatten(x)
        logits = self(flat, self.partly_forgotten(given, noise), noise)
        return logits.log_softmax(-1).gather(-1, flat.unsqueeze(-1)).squeeze(-1)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler, pixel by pixel.

        Raises:
            BadInput: guidance of a model that was never trained without its condition.
        """
        self.require_guidable(options)
        return PixelWalk(self, noise, given, options)

    def begin(self, given: Given | None, n: int) -> tuple[Tensor, Cache]:
        """Return what stands before the first pixel, (n, width), and an empty cache, given label
        and context."""
        return self.start(label_of(given), n), self.transformer.cache(
            n, self.length, self.memory(given, n)
        )

    def _place(self) -> Tensor:
        y, x, k = self.places
        return self.row(y) + self.column(x) + self.channel(k)

    def _embed(self, levels: Tensor) -> Tensor:
        return self.level(levels) + self.ordinal(self.values[levels])

    def _head(self, features: Tensor) -> Tensor:
        return self.logits(features) + self.smooth(features) @ self.values.T

    def forward(self, flat: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return logits (n, length, levels) of every pixel given those before it, label and
        context."""
        start = self.start(label_of(given), len(flat)).unsqueeze(1)
        h = torch.cat([start, self._embed(flat[:, :-1])], dim=1) + self._place()
        return self._head(self.transformer(h, noise, memory=self.memory(given, len(flat), noise)))

    def step(self, last: Tensor, cache: Cache, position: int) -> Tensor:
        """Return logits (n, levels) of the pixel at `position`, given the embedded one before it,
        (n, width)."""
        h = (last + self._place()[position]).unsqueeze(1)
        return self._head(self.transformer.step(h, cache, position)).squeeze(1)


@dataclass
class PixelState:
    """Pixels so far and the uniforms still to be used; with and without the condition: what came
    last, and the cache."""

    flat: Tensor
    uniforms: Tensor
    last: list[Tensor]
    caches: list[Cache]


class PixelWalk(Walk[PixelState]):
    """Ancestral sampling by inverting each pixel's CDF; default options are the model's
    distribution.

    Guidance `log p_null + w (log p_given - log p_null)` (Ho & Salimans 2022, equation 6, on
    logits); 1 is off.
    """

    def __init__(
        self, model: PixelBackbone, noise: Noise, given: Given | None, options: SampleOptions
    ) -> None:
        self.model, self.noise, self.given, self.options = model, noise, given, options
        self.length = model.length
        self.guided = options.guidance != 1.0
        self.calls = float(model.length) * (2 if self.guided else 1)

    @torch.no_grad()
    def start(self) -> PixelState:
        """Draw every uniform at once and embed the start."""
        n = self.noise.n
        flat = torch.zeros(n, self.length, dtype=torch.long, device=self.model.places.device)
        begun = [
            self.model.begin(given, n)
            for given in ([self.given, None] if self.guided else [self.given])
        ]
        uniforms = self.noise.uniform(self.length)
        return PixelState(
            flat, uniforms, [last for last, _ in begun], [cache for _, cache in begun]
        )

    @torch.no_grad()
    def step(self, state: PixelState, index: int) -> PixelState:
        """Draw pixel `index`."""
        both = zip(state.last, state.caches, strict=True)
        logits = [self.model.step(last, cache, index) for last, cache in both]
        if self.guided:
            told, null = (x.log_softmax(-1) for x in logits)
            logits = [null + self.options.guidance * (told - null)]
        chosen = choose(logits[0], state.uniforms[:, index], self.options.temperature)
        state.flat[:, index] = chosen
        state.last = [self.model._embed(chosen)] * len(state.caches)
        return state

    def finish(self, state: PixelState) -> Tensor:
        """Return images of levels."""
        return self.model.unflatten(state.flat)


TRANSFORMER = Architecture(
    "transformer",
    "attention over the pixels before, a categorical distribution of each",
    PixelBackbone,
    options=(TEMPERATURE, GUIDANCE),
    contexts=True,
    settings=("heads", "condition_dropout"),
)
