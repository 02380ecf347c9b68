"""Autoregressive models: the chain rule, made a network.

One idea: `log p(x) = sum_d log p(x_d | x_<d)` is exact if every conditional is normalised; sampling pays one pass per dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card, Estimator
from pushforward.core.codec import Codec
from pushforward.core.context import ContextSpace
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import Unsupported
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import BACKBONES, NO_CODE, backbone_class
from pushforward.families.autoregressive.config import PRESETS, AutoregressiveConfig
from pushforward.families.autoregressive.generate import CHOICES


class Autoregressive(GenerativeModel):
    """Mixtures for points, transformers over pixels, tokens and any subset of columns; the likelihood is exact on all."""

    family = "autoregressive"
    capabilities = Capabilities(
        {
            "points": (Estimator("exact", "exact", "chain rule with mixtures of Gaussians"),),
            "image": (Estimator("exact", "exact", "chain rule with normalised conditionals of pixels"),),
            "text": (Estimator("exact", "exact", "chain rule with categorical tokens, given the token before"),),
            "table": (Estimator("exact", "exact", "chain rule over columns, in the order of the table"),),
        },
        encode={"points": "exact"},
        sampling_cost="D (one per dimension)",
        held_out="-log p of the data [nats]",
        conditions=("label", "prefix", "known", "context"),
        options=CHOICES,
        architectures={kind: registry.names() for kind, registry in BACKBONES.items()},
        refusals={"encode": NO_CODE, "decode": NO_CODE},
    )
    config_type = AutoregressiveConfig
    presets = PRESETS
    # attention over 3,072 values of a picture costs thirty times what convolutions over its pixels do, over 784 six times (LOG.md)
    architecture_beyond = {"image": (512, "pixelcnn")}
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
        strength="Exact likelihoods, usually the best of all, for any data that can be put in an order; "
        "what it scores is what it draws.",
        cost="One pass to score; D passes to sample, each cheap with the cache.",
        references=(
            (
                "larochelle2011",
                "Larochelle & Murray (2011). The neural autoregressive distribution estimator. AISTATS.",
            ),
            ("oord2016", "van den Oord, Kalchbrenner & Kavukcuoglu (2016). Pixel recurrent neural networks. ICML."),
            ("germain2015", "Germain et al. (2015). MADE: masked autoencoder for distribution estimation. ICML."),
            (
                "salimans2017",
                "Salimans et al. (2017). PixelCNN++: improving the PixelCNN with discretized logistic mixture likelihood. ICLR.",
            ),
            ("uria2014", "Uria, Murray & Larochelle (2014). A deep and tractable density estimator. ICML."),
            ("vaswani2017", "Vaswani et al. (2017). Attention is all you need. NeurIPS."),
        ),
    )

    def __init__(
        self,
        space: Space,
        config: AutoregressiveConfig,
        classes: tuple[str, ...] = (),
        context: ContextSpace | None = None,
    ) -> None:
        super().__init__(space, config, classes, context)
        backbone = backbone_class(space, config.architecture)
        if context is not None and not backbone.reads_context:
            came = f"contexts for {config.architecture or 'autoregressive'} on {space.kind}"
            raise Unsupported(came, "a transformer over text or pixels", "leave the context out")
        rest = () if context is None else (context,)
        self.net = backbone(space, config, len(classes), *rest)

    @property
    def glance(self) -> int:
        """As many training examples as the backbone asks for."""
        return self.net.glance

    def _codec(self) -> Codec:
        assert isinstance(self.config, AutoregressiveConfig)
        return backbone_class(self.space, self.config.architecture).codec(self.space)

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision."""
        return self.net.networks()

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.net.prepare(x, given)

    def _terms(self, x: Tensor, given: Given | None) -> Tensor:
        return self.net.terms(x, given)

    def _nats(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        return self.net.terms(x, given, noise).sum(1)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        bits = self.space.measure == "counting"
        y, stderr = mean_curve(-self.net.terms(x, given) / (math.log(2.0) if bits else 1.0))
        yield Curve(
            "code length by position",
            self.net.place,
            "bits" if bits else "nats, encoded data",
            tuple(float(i + 1) for i in range(len(y))),
            y,
            "Each position is coded given all before it: what falls from left to right is what the context tells.",
            stderr,
        )

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        terms = self.net.terms(x, given, noise)
        yield Loss(-terms.sum(1).mean() / self.space.dimensions, "model", "-log p of the encoded data [nats/dim]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self._nats(x, given)

    def _log_prob(self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int) -> LogProb:
        return LogProb(self._nats(x, given), "exact", self.space.measure, self.space.unit, estimator)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        for name in CHOICES:
            if name not in self.net.options and getattr(options, name) != getattr(SampleOptions, name):
                known = ", ".join(self.net.options)
                raise Unsupported(f"sampling option '{name}' on {self.space.kind}", f"one of {known}", "leave it out")
        return self.net.walk(noise, given, options)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the architecture's own."""
        return self.net.hidden_matrices()

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.net.encode(x, given)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.net.decode(z, given)
