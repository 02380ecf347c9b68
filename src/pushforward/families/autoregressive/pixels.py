"""Pixels one after another: a categorical distribution of each given all before it.

Two ideas: grey levels are ordered, so a level is embedded by its value as well as by its index, and its logit has a part that is
smooth in the level; sampling is a walk over positions with a key-value cache, one uniform number per pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.heads import choose
from pushforward.nets.mlp import LabelEmbedding
from pushforward.nets.transformer import Cache, Transformer


class PixelBackbone(Backbone):
    """An ordinal transformer over raster order, channels innermost."""

    places: Tensor
    values: Tensor
    place = "pixel in raster order"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Image)
        c, h, w = space.event_shape
        width = config.width
        self.length, self.levels = space.dimensions, space.levels
        self.level = nn.Embedding(self.levels, width)
        self.ordinal = nn.Linear(4, width)
        self.row, self.column, self.channel = nn.Embedding(h, width), nn.Embedding(w, width), nn.Embedding(c, width)
        self.start = LabelEmbedding(classes, width)
        self.transformer = Transformer(width, config.depth, config.heads, config.dropout)
        self.logits = nn.Linear(width, self.levels)
        self.smooth = nn.Linear(width, 4)
        for table in (self.level, self.row, self.column, self.channel):
            nn.init.normal_(table.weight, std=0.1)
        y, x, k = torch.meshgrid(torch.arange(h), torch.arange(w), torch.arange(c), indexing="ij")
        self.register_buffer("places", torch.stack([y.flatten(), x.flatten(), k.flatten()]), persistent=False)
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
        return self.transformer.matrices()

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log softmax(logits)[x_d]`, (n, D)."""
        flat = self.flatten(x)
        logits = self(flat, label_of(given), noise)
        return logits.log_softmax(-1).gather(-1, flat.unsqueeze(-1)).squeeze(-1)

    def walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler, pixel by pixel."""
        return PixelWalk(self, noise, given, options.temperature)

    def _place(self) -> Tensor:
        y, x, k = self.places
        return self.row(y) + self.column(x) + self.channel(k)

    def _embed(self, levels: Tensor) -> Tensor:
        return self.level(levels) + self.ordinal(self.values[levels])

    def _head(self, features: Tensor) -> Tensor:
        return self.logits(features) + self.smooth(features) @ self.values.T

    def forward(self, flat: Tensor, label: Tensor | None, noise: Noise | None = None) -> Tensor:
        """Return logits (n, length, levels) of every pixel given those before it."""
        start = self.start(label, len(flat)).unsqueeze(1)
        h = torch.cat([start, self._embed(flat[:, :-1])], dim=1) + self._place()
        return self._head(self.transformer(h, noise))

    def step(self, last: Tensor, cache: Cache, position: int) -> Tensor:
        """Return logits (n, levels) of the pixel at `position`, given the embedded one before it, (n, width)."""
        h = (last + self._place()[position]).unsqueeze(1)
        return self._head(self.transformer.step(h, cache, position)).squeeze(1)


@dataclass
class PixelState:
    """Pixels so far, the embedding of the last one, the cache and the uniforms still to be used."""

    flat: Tensor
    last: Tensor
    cache: Cache
    uniforms: Tensor


class PixelWalk(Walk[PixelState]):
    """Ancestral sampling by inverting each pixel's CDF; `temperature=1` is the model's distribution."""

    def __init__(self, model: PixelBackbone, noise: Noise, given: Given | None, temperature: float) -> None:
        self.model, self.noise, self.temperature = model, noise, temperature
        self.label = label_of(given)
        self.length = model.length
        self.calls = float(model.length)

    @torch.no_grad()
    def start(self) -> PixelState:
        """Draw every uniform at once and embed the start."""
        n = self.noise.n
        flat = torch.zeros(n, self.length, dtype=torch.long, device=self.model.places.device)
        cache = self.model.transformer.cache(n, self.length)
        return PixelState(flat, self.model.start(self.label, n), cache, self.noise.uniform(self.length))

    @torch.no_grad()
    def step(self, state: PixelState, index: int) -> PixelState:
        """Draw pixel `index`."""
        logits = self.model.step(state.last, state.cache, index)
        chosen = choose(logits, state.uniforms[:, index], self.temperature)
        state.flat[:, index] = chosen
        state.last = self.model._embed(chosen)
        return state

    def finish(self, state: PixelState) -> Tensor:
        """Return images of levels."""
        return self.model.unflatten(state.flat)
