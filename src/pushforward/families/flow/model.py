"""Normalizing flows: an invertible network, trained by exact maximum likelihood.

Three ideas: `log p(x) = log p(z) + log|det df/dx|` for the code `z = f(x)`; the map is a chain of
bijections (`chains/`, `transforms/`) and the law of codes a base; discrete images are dequantised
first, which makes the number a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor, nn

from pushforward.core.curve import Curve
from pushforward.core.given import Given
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.flow.card import CAPABILITIES, CARD
from pushforward.families.flow.chains.chain import Chain
from pushforward.families.flow.config import PRESETS, FlowConfig
from pushforward.families.shared.base import Base, StandardNormal
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.sampling import one_shot


@final
class Flow(GenerativeModel):
    """A chain of bijections from data to a base distribution.

    Attributes:
        chain: `f`, from encoded examples to codes.
        base: `p(z)`.
        embedding: what is given, for the conditioners.
    """

    family = "flow"
    capabilities = CAPABILITIES
    config_type = FlowConfig
    presets = PRESETS
    card = CARD

    def __init__(self, space: Space, config: FlowConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.embedding = GivenEmbedding(len(classes), config.context)
        self.chain = self.architecture.make(Chain, space, config, self.embedding.width)
        self.base: Base = StandardNormal(space.dimensions)

    def networks(self) -> dict[str, nn.Module]:
        """Return the conditioners; the arithmetic of bijections between them stays in float32."""
        return {
            name: module for name, module in self.chain.named_modules() if name.endswith(".net")
        }

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.chain.initialise(x, self.embedding(given, len(x)))

    def nats(self, x: Tensor, given: Given | None) -> Tensor:
        """Return `log p(x)` of an encoded batch, shape (n,)."""
        return self.chain.log_prob(x, self.embedding(given, len(x)), self.base)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        code = self._encode(x, given, noise).double().flatten()
        shares = torch.linspace(0.01, 0.99, 49, dtype=torch.float64)
        # numpy's and torch's quantile refuse more than 2^24 numbers; sorting does not
        found = code.sort().values[(shares * (len(code) - 1)).round().long().to(code.device)]
        normal = torch.special.ndtri(shares).tolist()
        yield Curve(
            "quantiles of the code",
            "quantile of a standard normal",
            "quantile of f(x), held-out data",
            tuple(normal),
            tuple(found.tolist()),
            "A flow turns data into Gaussian noise; where the line leaves the diagonal, it does not.",
            reference=tuple(normal),
            reference_name="N(0, 1)",
        )

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        found = self.chain.mean_log_prob(x, self.embedding(given, len(x)), self.base, noise)
        loss = -found / self.space.dimensions
        yield Loss(loss, "model", "-log p of the encoded data [nats/dim]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self.nats(x, given)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return one_shot(self.base, noise, options.temperature, lambda z: self._decode(z, given))

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.chain(x, self.embedding(given, len(x)))[0]

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.chain.inverse(z, self.embedding(given, len(z)))
