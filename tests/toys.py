"""Two small honest families (and one dishonest one) that the core is proved on before any real family."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.core.codec import Codec, Dequantise, Standardise
from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image
from pushforward.core.spec import Config
from pushforward.core.walk import OneShot, Walk
from pushforward.families.shared.options import TEMPERATURE

PLAIN = Config()
CARD = Card("toy", "likelihood", "-log p(x)", "exact", ("x",), ("y",), "none", (("toy", "none"),))


def exact(model: Any, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """What a toy's own `_nats` says, in the measure of its codec."""
    measure = "lebesgue" if model.codec.adds_noise else model.space.measure
    return LogProb(model._nats(x, given), "exact", measure, model.space.unit, "")


class PixelState:
    """Pixels drawn so far."""

    def __init__(self, x: Tensor, u: Tensor) -> None:
        self.x, self.u = x, u


class PixelWalk(Walk[PixelState]):
    """Draw pixels one after another by inverting the CDF with one uniform number per pixel."""

    def __init__(self, model: Pixelwise, noise: Noise, given: Given | None) -> None:
        self.model, self.noise, self.given = model, noise, given
        self.length = model.space.dimensions
        self.calls = float(self.length)

    def start(self) -> PixelState:
        return PixelState(torch.zeros(self.noise.n, self.length), self.noise.uniform(self.length))

    def step(self, state: PixelState, index: int) -> PixelState:
        cdf = self.model.logits(self.given, self.noise.n)[:, index].softmax(-1).cumsum(-1)
        state.x[:, index] = (state.u[:, index : index + 1] > cdf).sum(1).clamp(max=cdf.shape[1] - 1)
        return state

    def finish(self, state: PixelState) -> Tensor:
        return state.x.reshape(-1, *self.model.space.event_shape)


class Pixelwise(GenerativeModel):
    """Independent categorical pixels per class: exact, enumerable, a walk of D steps."""

    family = "pixelwise"
    capabilities = Capabilities(
        {"image": (Estimator("exact", "sum of log-probabilities of pixels", "exact", exact),)},
        encode={},
        sampling_cost="D steps",
        held_out="-log p(x) [nats]",
        refusals={
            "encode": Refusal("discrete pixels have no code", "use a flow"),
            "decode": Refusal("discrete pixels have no code", "use a flow"),
        },
    )
    card, config_type, presets = CARD, Config, {}

    def __init__(self, space: Image, config: Config = PLAIN, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.table = nn.Parameter(torch.zeros(max(1, len(classes)), space.dimensions, space.levels))

    def networks(self) -> dict[str, nn.Module]:
        return {}

    def logits(self, given: Given | None, n: int) -> Tensor:
        return self.table[given.label] if given is not None else self.table[:1].expand(n, -1, -1)

    def _codec(self) -> Codec:
        return Codec(self.space, [])

    def _nats(self, x: Tensor, given: Given | None) -> Tensor:
        log_p = self.logits(given, len(x)).log_softmax(-1)
        return log_p.gather(-1, x.flatten(1).long().unsqueeze(-1)).squeeze(-1).sum(1)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        yield Loss(-self._nats(x, given).mean(), "model", "-log p(x) [nats]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self._nats(x, given)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return PixelWalk(self, noise, given)


class Gauss(GenerativeModel):
    """A diagonal Gaussian on points (exact) or on dequantised images (a lower bound)."""

    family = "gauss"
    log_volume = 0.0
    capabilities = Capabilities(
        {
            "points": (Estimator("exact", "closed form", "exact", exact),),
            "image": (Estimator("dequantised", "uniform dequantisation", "lower_bound", exact),),
        },
        encode={"points": "exact"},
        sampling_cost="1 step",
        held_out="-log p(x) [nats]",
        options=(TEMPERATURE,),
    )
    card, config_type, presets = CARD, Config, {}

    def __init__(self, space: Any, config: Config = PLAIN, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.mean = nn.Parameter(torch.zeros(max(1, len(classes)), *space.event_shape))
        self.log_scale = nn.Parameter(torch.zeros(space.event_shape))

    def networks(self) -> dict[str, nn.Module]:
        return {}

    def _codec(self) -> Codec:
        if isinstance(self.space, Image):
            return Codec(self.space, [Dequantise(self.space.levels)])
        return Codec(self.space, [Standardise(self.space.dimensions)])

    def _mean(self, given: Given | None) -> Tensor:
        return self.mean[given.label] if given is not None else self.mean[:1]

    def _nats(self, x: Tensor, given: Given | None) -> Tensor:
        z = (x - self._mean(given)) * torch.exp(-self.log_scale)
        per_dim = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - self.log_scale
        return per_dim.flatten(1).sum(1) + self.log_volume

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        yield Loss(-self._nats(x, given).mean(), "model", "-log p(x) [nats]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self._nats(x, given)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        scale = self.log_scale.exp() * options.temperature
        return OneShot(
            lambda: noise.normal(*self.space.event_shape), lambda z: self._mean(given) + scale * z
        )

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return (x - self._mean(given)) * torch.exp(-self.log_scale)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self._mean(given) + z * torch.exp(self.log_scale)


class Liar(Gauss):
    """Forgets the factor 1/2 of log 2 pi per dimension: the oracle must catch it."""

    log_volume = 0.25
