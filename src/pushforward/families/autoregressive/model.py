"""Autoregressive models: the chain rule, made a network.

One idea: `log p(x) = sum_d log p(x_d | x_<d)` is exact if every conditional is normalised; sampling pays one pass per dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import Field
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card, Estimator, Refusal
from pushforward.core.codec import Codec, Standardise
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.given import Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.spec import Config
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.coordinates import CoordinateModel, CoordinateWalk
from pushforward.families.autoregressive.pixels import PixelModel, PixelWalk


class AutoregressiveConfig(Config):
    """Size of an autoregressive model."""

    width: int = Field(64, ge=4)
    depth: int = Field(2, ge=1, description="transformer blocks, or residual blocks of a coordinate's network")
    heads: int = Field(4, ge=1, description="attention heads (images)")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of features dropped while training (images)")
    components: int = Field(16, ge=1, description="Gaussians in a conditional mixture (points)")
    context: int = Field(32, ge=1, description="width of the label embedding (points)")


class Autoregressive(GenerativeModel):
    """Ordinal transformer over pixels; mixture conditionals for the coordinates of points. Exact on both."""

    family = "autoregressive"
    capabilities = Capabilities(
        {
            "points": (Estimator("exact", "exact", "chain rule with mixtures of Gaussians"),),
            "image": (Estimator("exact", "exact", "chain rule with categorical pixels"),),
        },
        encode={"points": "exact"},
        sampling_cost="D (one per dimension)",
        held_out="-log p [nats]",
        options=("temperature",),
        refusals={
            "encode": Refusal(
                "discrete pixels have no continuous code", "train `flow` for an exact code, `vae` for a posterior"
            ),
            "decode": Refusal(
                "discrete pixels have no continuous code", "train `flow` for an exact code, `vae` for a posterior"
            ),
        },
    )
    config_type = AutoregressiveConfig
    presets = {
        ("smoke", "points"): {"model": {"width": 16, "depth": 1, "components": 4, "context": 8}, "train": {}},
        ("smoke", "image"): {"model": {"width": 16, "depth": 1, "heads": 2}, "train": {}},
        ("cpu", "points"): {
            "model": {"width": 128, "depth": 3, "components": 24},
            "train": {"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
        },
        ("cpu", "image"): {
            "model": {"width": 96, "depth": 3, "heads": 4, "dropout": 0.2},
            "train": {
                "batch_size": 32,
                "learning_rate": 2e-3,
                "ema": 0.995,
                "weight_decay": 0.1,
                "precision": "bfloat16",
            },
        },
        ("gpu", "points"): {"model": {"width": 256, "depth": 4, "components": 48}, "train": {"batch_size": 1024}},
        ("gpu", "image"): {
            "model": {"width": 384, "depth": 8, "heads": 8, "dropout": 0.1},
            "train": {"batch_size": 64, "precision": "bfloat16", "learning_rate": 6e-4, "weight_decay": 0.1},
        },
    }
    card = Card(
        title="Autoregressive model",
        optimises="The exact likelihood, one dimension after another, each given the true ones before it (teacher forcing).",
        objective="max E[sum_d log p(x_d | x_<d)]",
        number_means="The exact log-probability: a code length that an arithmetic coder would reach.",
        look_at=(
            "held-out likelihood",
            "loss by position",
            "samples at temperature 1",
            "training against held-out loss",
        ),
        may_go_wrong=(
            "overfits small data early: keep the best average, not the last",
            "errors compound while sampling, because training only ever saw true prefixes",
            "slow sampling: one network call per dimension",
        ),
        cost="One pass to score; D passes to sample, each cheap with the cache.",
        references=(
            (
                "larochelle2011",
                "Larochelle & Murray (2011). The neural autoregressive distribution estimator. AISTATS.",
            ),
            ("oord2016", "van den Oord, Kalchbrenner & Kavukcuoglu (2016). Pixel recurrent neural networks. ICML."),
            ("vaswani2017", "Vaswani et al. (2017). Attention is all you need. NeurIPS."),
        ),
    )

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.net: PixelModel | CoordinateModel
        if isinstance(space, Image):
            self.net = PixelModel(space, config.width, config.depth, config.heads, config.dropout, len(classes))
        else:
            size = (space.dimensions, config.width, config.depth, config.components, len(classes), config.context)
            self.net = CoordinateModel(*size)

    def _codec(self) -> Codec:
        # pixels are modelled as the integers they are, so nothing has to be corrected for
        return Codec(self.space, [] if isinstance(self.space, Image) else [Standardise(self.space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision: the whole pixel transformer, or the coordinates' networks."""
        if isinstance(self.net, PixelModel):
            return {"pixels": self.net}
        return {f"coordinate {d}": net for d, net in enumerate(self.net.nets)}

    def _terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, shape (n, D), in the order they are modelled."""
        if isinstance(self.net, CoordinateModel):
            return self.net.terms(x, given)
        flat = self.net.flatten(x)
        logits = self.net(flat, label_of(given), noise)
        return logits.log_softmax(-1).gather(-1, flat.unsqueeze(-1)).squeeze(-1)

    def _nats(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        return self._terms(x, given, noise).sum(1)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        image = isinstance(self.space, Image)
        y, stderr = mean_curve(-self._terms(x, given) / (math.log(2.0) if image else 1.0))
        place = "pixel in raster order" if image else "coordinate, in the order they are modelled"
        yield Curve(
            "code length by position",
            place,
            "bits" if image else "nats, standardised",
            tuple(float(i + 1) for i in range(len(y))),
            y,
            "Each position is coded given all before it: what falls from left to right is what the context tells.",
            stderr,
        )

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        nats = self._nats(x, given, noise)
        yield Loss(-nats.mean() / self.space.dimensions, "model", "-log p of the encoded data [nats/dim]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self._nats(x, given)

    def _log_prob(self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int) -> LogProb:
        measure = "counting" if isinstance(self.space, Image) else "lebesgue"
        return LogProb(self._nats(x, given), "exact", measure, self.space.unit, estimator)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        if isinstance(self.net, PixelModel):
            return PixelWalk(self.net, noise, given, options.temperature)
        return CoordinateWalk(self.net, noise, given, options.temperature)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        if isinstance(self.net, PixelModel):
            raise self.capabilities.refuse(self.family, "encode")
        return self.net.encode(x, given)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        if isinstance(self.net, PixelModel):
            raise self.capabilities.refuse(self.family, "decode")
        return self.net.decode(z, given)
