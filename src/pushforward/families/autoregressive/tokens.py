"""Tokens one after another: a categorical distribution of each given all before it.

Two ideas: every window is conditioned on what comes before it, at least on the token before (the
boundary, at the start of a document), so that the probabilities of consecutive windows multiply to
that of the text; embeddings and logits share one table.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput
from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.text import Text, tokens_before
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.generate import TokenWalk
from pushforward.families.autoregressive.options import OF_TOKENS
from pushforward.nets.mlp import LabelEmbedding
from pushforward.nets.transformer import GPT2, MEASURED, Cache, Style, Transformer


class TokenBackbone(Backbone):
    """A decoder-only transformer over windows of tokens with rotary positions and tied
    embeddings."""

    place = "token of the window"
    style: Style = MEASURED
    learned_positions = False

    def __init__(
        self,
        space: Space,
        config: AutoregressiveConfig,
        classes: int,
        context: ContextSpace | None = None,
    ) -> None:
        super().__init__(space, config, classes, context)
        assert isinstance(space, Text)
        width = config.width
        self.table = nn.Embedding(space.vocabulary, width)
        self.places = nn.Embedding(space.length, width) if self.learned_positions else None
        self.labels = LabelEmbedding(classes, width) if classes else None
        rotary = 0 if self.learned_positions else space.length
        self.transformer = Transformer(
            width,
            config.depth,
            config.heads,
            config.dropout,
            rotary,
            self.style,
            recalls=context is not None,
        )
        self.read_contexts(self.style)
        for table in (self.table, self.places):
            if table is not None:
                nn.init.normal_(table.weight, std=0.02)

    @property
    def text(self) -> Text:
        """The space, as text."""
        assert isinstance(self.space, Text)
        return self.space

    @property
    def context(self) -> int:
        """How many tokens the network can look at."""
        return self.text.length

    @property
    def ends(self) -> bool:
        """True if nothing but boundaries follows a boundary: texts that are about something are one
        document each."""
        return self.about is not None

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the blocks' matrices."""
        return self.transformer.matrices() + super().hidden_matrices()

    def forward(
        self,
        tokens: Tensor,
        given: Given | None,
        noise: Noise | None,
        padding: Tensor | None,
        last: int,
    ) -> Tensor:
        """Return logits (n, last, V) after each of the last `last` of the tokens (n, T), given
        label and context."""
        h = self.embed(tokens, self.shift(given, len(tokens)), padding)
        features = self.transformer(h, noise, padding, self.memory(given, len(tokens), noise))
        return self.head(features[:, features.shape[1] - last :])

    def shift(self, given: Given | None, n: int) -> Tensor | None:
        """Return what a label adds to every position, (n, 1, width)."""
        return None if self.labels is None else self.labels(label_of(given), n).unsqueeze(1)

    def embed(
        self, tokens: Tensor, shift: Tensor | None, padding: Tensor | None = None, first: int = 0
    ) -> Tensor:
        """Return (n, T, width) for tokens that stand at places `first ..`, counted without the
        padding."""
        h = self.table(tokens)
        if self.places is not None and padding is None:
            h = h + self.places.weight[first : first + tokens.shape[1]]
        elif self.places is not None and padding is not None:
            place = torch.arange(first, first + tokens.shape[1], device=tokens.device).expand_as(
                tokens
            )
            h = h + self.places((place - padding.unsqueeze(1)).clamp(min=0))
        return h if shift is None else h + shift

    def head(self, features: Tensor) -> Tensor:
        """Return logits from features, by the transposed table."""
        return F.linear(features, self.table.weight)

    def started(self, given: Given | None, n: int) -> tuple[Tensor, Tensor | None]:
        """Return what comes before, (n, P >= 1), and the padding of each row, None if none has any.

        No prefix, or one of no tokens, is the start of a document: the boundary token.
        """
        return tokens_before(self.text, given, n, self.table.weight.device)

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_t | prefix, x_<t)`, (n, length)."""
        before, padding = self.started(given, len(x))
        if before.shape[1] + x.shape[1] - 1 > self.context:
            raise BadInput(
                f"{before.shape[1]} tokens before {x.shape[1]} to score",
                f"at most {self.context + 1} in all, the context of this model",
                "score long text in strided windows: `pushforward score`",
            )
        inputs = torch.cat([before, x[:, :-1].long()], dim=1)
        logits = self(
            inputs, self.partly_forgotten(given, noise), noise, padding, x.shape[1]
        ).float()
        terms = logits.log_softmax(-1).gather(-1, x.long().unsqueeze(-1)).squeeze(-1)
        if not self.ends:
            return terms
        end = x == self.text.boundary
        over = end.long().cumsum(1) > end.long()
        return torch.where(over, torch.where(end, 0.0, -math.inf), terms)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler, token by token, with a cache.

        Raises:
            BadInput: guidance of a model that was never trained without its condition.
        """
        if given is not None and (given.label is not None or given.context is not None):
            self.require_guidable(options)
        return TokenWalk(self, noise, given, options)

    def begin(
        self, tokens: Tensor, given: Given | None, padding: Tensor | None
    ) -> tuple[Tensor, Cache]:
        """Return the logits (n, V) after the tokens (n, T), and the cache that holds them, given
        label and context."""
        n = len(tokens)
        cache = self.transformer.cache(n, self.context, self.memory(given, n))
        cache.padding, cache.shift = padding, self.shift(given, n)
        features = self.transformer.fill(self.embed(tokens, cache.shift, padding), cache)
        return self.head(features[:, -1]), cache

    def step(self, token: Tensor, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, V) after the token (n,) that stands at `position`."""
        return self.extend(token.unsqueeze(1), cache, position)[:, 0]

    def extend(self, tokens: Tensor, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, few, V) after each of the tokens (n, few) that stand from
        `position` on."""
        h = self.embed(tokens, cache.shift, cache.padding, position)
        return self.head(self.transformer.step(h, cache, position))


class GPT2Backbone(TokenBackbone):
    """The same with learned absolute positions, biases and GELU, as in GPT-2 (Radford et al. 2019),
    whose weights it can take."""

    style = GPT2
    learned_positions = True


TRANSFORMER = Architecture(
    "transformer",
    "attention over the tokens before, with rotary positions",
    TokenBackbone,
    options=OF_TOKENS,
    contexts=True,
)
GPT2_ARCHITECTURE = Architecture(
    "gpt2",
    "attention over the tokens before, with learned positions, as in GPT-2",
    GPT2Backbone,
    options=OF_TOKENS,
    contexts=True,
)
