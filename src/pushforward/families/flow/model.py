"""Normalizing flows: an invertible network, trained by exact maximum likelihood.

Two ideas: `log p(x) = log N(f(x); 0, I) + log|det df/dx|`; discrete images are dequantised first, which makes the number a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card
from pushforward.core.codec import Codec, Dequantise, Logit, Standardise
from pushforward.core.curve import Curve
from pushforward.core.estimator import Draws, Estimator, estimators
from pushforward.core.given import Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.monte_carlo import importance_weighted
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.spec import Config
from pushforward.core.walk import OneShot, Walk
from pushforward.families.flow.chains import MultiscaleChain, VectorChain
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.mlp import LabelEmbedding


class FlowConfig(Config):
    """Size of a flow."""

    layers: int = Field(6, ge=1, description="couplings (per scale on images)")
    width: int = Field(64, ge=4, description="width of the conditioners")
    depth: int = Field(2, ge=0, description="residual blocks of a conditioner")
    bins: int = Field(12, ge=2, description="bins of the splines")
    bound: float = Field(4.0, gt=0, description="splines act on [-bound, bound], the identity outside")
    context: int = Field(32, ge=1, description="width of the label embedding")


def change_of_variables(model: Flow, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `log N(f(x); 0, I) + log|det df/dx|` of an encoded batch; the codec makes a bound of it where it dequantises."""
    return LogProb(model._nats(x, given), "exact", "lebesgue", model.space.unit, "")


EXACT = Estimator("exact", "change of variables", "exact", change_of_variables)
DEQUANTISED = Estimator("dequantised", "mean of log p over uniform dequantisations", "lower_bound", change_of_variables)
IWAE = Estimator(
    "iwae",
    "log mean of p over uniform dequantisations; tightens with samples",
    "lower_bound",
    change_of_variables,
    combine=importance_weighted,
    codec_draws=16,  # one draw would be no tighter than the plain bound
)


class Flow(GenerativeModel):
    """Rational-quadratic coupling flow on points; multiscale coupling flow on dequantised images."""

    family = "flow"
    capabilities = Capabilities(
        {
            "points": estimators("flow", "points", EXACT),
            "image": estimators("flow", "image", DEQUANTISED, IWAE),
        },
        encode={"points": "exact", "image": "exact"},
        sampling_cost="1",
        held_out="-log p of the data [nats]",
        options=(TEMPERATURE,),
    )
    config_type = FlowConfig
    presets = {
        ("smoke", "points"): {"model": {"layers": 2, "width": 16, "depth": 1, "bins": 6, "context": 8}, "train": {}},
        ("smoke", "image"): {"model": {"layers": 1, "width": 16, "depth": 1, "bins": 4, "context": 8}, "train": {}},
        ("cpu", "points"): {
            "model": {"layers": 6, "width": 64, "depth": 2, "bins": 16},
            "train": {"batch_size": 512, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.0},
        },
        ("cpu", "image"): {
            "model": {"layers": 4, "width": 48, "depth": 1, "bins": 8},
            "train": {"batch_size": 64, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.05},
        },
        ("gpu", "points"): {
            "model": {"layers": 10, "width": 256, "depth": 2, "bins": 16},
            "train": {"batch_size": 1024},
        },
        ("gpu", "image"): {
            "model": {"layers": 8, "width": 192, "depth": 2, "bins": 8},
            "train": {"batch_size": 128, "precision": "auto", "channels_last": True},
        },
    }
    card = Card(
        title="Normalizing flow",
        optimises="The exact likelihood of the data under an invertible network that turns them into Gaussian noise.",
        objective="max E[log N(f(x); 0, I) + log|det df/dx|]",
        number_means="On points the exact log-density. On images a lower bound, because integers are spread over unit cells first.",
        look_at=("held-out likelihood", "whether f(x) looks Gaussian", "samples at temperature 1", "inversion error"),
        may_go_wrong=(
            "smears probability between separated modes, because a continuous bijection cannot cut space",
            "overfits small data, seen as a held-out likelihood that turns around",
            "spends its capacity on pixel noise, so likelihood and looks disagree",
        ),
        strength="Exact density, exact codes and one-pass samples at once, from one network.",
        cost="One pass to score, one pass to sample; memory grows with depth.",
        references=(
            ("dinh2017", "Dinh, Sohl-Dickstein & Bengio (2017). Density estimation using Real NVP. ICLR."),
            (
                "kingma2018",
                "Kingma & Dhariwal (2018). Glow: Generative flow with invertible 1x1 convolutions. NeurIPS.",
            ),
            ("durkan2019", "Durkan, Bekasov, Murray & Papamakarios (2019). Neural spline flows. NeurIPS."),
        ),
    )

    def __init__(self, space: Space, config: FlowConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        shape = space.event_shape
        multiscale = isinstance(space, Image) and shape[1] % 2 == 0 and shape[2] % 2 == 0
        chain = MultiscaleChain if multiscale else VectorChain
        context = config.context if classes else 0
        self.embedding = LabelEmbedding(len(classes), config.context) if classes else None
        self.chain = chain(shape, config.layers, config.width, config.depth, config.bins, config.bound, context)

    def _codec(self) -> Codec:
        if isinstance(self.space, Image):
            return Codec(self.space, [Dequantise(self.space.levels), Logit(0.05)])
        return Codec(self.space, [Standardise(self.space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """Return the conditioners; the spline arithmetic between them stays in float32."""
        nets: dict[str, nn.Module] = {}
        for name, module in self.chain.named_modules():
            if name.endswith(".net"):
                nets[name] = module
        return nets

    def _context(self, given: Given | None, n: int) -> Tensor | None:
        if self.embedding is None:
            return None
        return self.embedding(label_of(given), n)

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.chain.initialise(x, self._context(given, len(x)))

    def _nats(self, x: Tensor, given: Given | None) -> Tensor:
        return self.chain(x, self._context(given, len(x)))[1]

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
        yield Loss(
            -self._nats(x, given).mean() / self.space.dimensions, "model", "-log p of the encoded data [nats/dim]"
        )

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self._nats(x, given)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        def draw() -> Tensor:
            return noise.normal(self.space.dimensions) * options.temperature

        @torch.no_grad()
        def push(z: Tensor) -> Tensor:
            return self._decode(z, given)

        return OneShot(draw, push)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.chain(x, self._context(given, len(x)))[0]

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.chain.inverse(z, self._context(given, len(z)))
