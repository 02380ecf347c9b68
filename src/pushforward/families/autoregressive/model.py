"""Autoregressive models: the chain rule, made a network.

One idea: `log p(x) = sum_d log p(x_d | x_<d)` is exact if every conditional is normalised; sampling
pays one pass per dimension.
"""

from __future__ import annotations

from typing import final

from torch import Tensor

from pushforward.core.architecture import architectures
from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.core.composed import Composed
from pushforward.core.context import ContextSpace
from pushforward.core.errors import Unsupported
from pushforward.core.estimator import Draws, Estimator, estimators
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.options import SamplingOption
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import PRESETS, AutoregressiveConfig
from pushforward.families.autoregressive.options import OF_TOKENS
from pushforward.families.autoregressive.row_laws import EXACT

_HERE = "pushforward.families.autoregressive"
NO_CODE = Refusal(
    "discrete data have no continuous code", "train `flow` for an exact code, `vae` for a posterior"
)
# what is built is a `Backbone`, from a space, a configuration and the number of classes, and the
# space of contexts if there is one
ARCHITECTURES = {
    kind: architectures("autoregressive", kind, entries)
    for kind, entries in {
        "points": {"mixture": f"{_HERE}.coordinates:MIXTURE", "made": f"{_HERE}.made:OF_POINTS"},
        "image": {
            "transformer": f"{_HERE}.pixels:TRANSFORMER",
            "pixelcnn": f"{_HERE}.pixelcnn:PIXELCNN",
            "made": f"{_HERE}.made:OF_PIXELS",
            "scanlines": f"{_HERE}.scanlines:SCANLINES",
        },
        "text": {
            "transformer": f"{_HERE}.tokens:TRANSFORMER",
            "gpt2": f"{_HERE}.tokens:GPT2_ARCHITECTURE",
        },
        "table": {"transformer": f"{_HERE}.rows:TRANSFORMER"},
    }.items()
}


def chain_rule(model: Autoregressive, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `sum_d log p(x_d | x_<d)`, exact because every conditional is normalised."""
    space = model.space
    return LogProb(model.part._terms(x, given).sum(1), "exact", space.measure, space.unit, "")


def _exact(kind: str, says: str) -> Registry[Estimator]:
    return estimators("autoregressive", kind, Estimator("exact", says, "exact", chain_rule))


@final
class Autoregressive(Composed):
    """Mixtures for points, transformers over pixels, tokens and any subset of columns; the
    likelihood is exact on all."""

    family = "autoregressive"
    capabilities = Capabilities(
        {
            "points": _exact("points", "chain rule with mixtures of Gaussians"),
            "image": _exact("image", "chain rule with normalised conditionals of pixels"),
            "text": _exact("text", "chain rule with categorical tokens, given the token before"),
            "table": _exact("table", "chain rule over columns, in the order of the table"),
        },
        encode={"points": "exact"},
        sampling_cost="D (one per dimension)",
        held_out="-log p of the data [nats]",
        conditions=("label", "prefix", "known", "context"),
        conditionals={"table": EXACT},
        options=OF_TOKENS,
        architectures=ARCHITECTURES,
        refusals={"encode": NO_CODE, "decode": NO_CODE},
    )
    config_type = AutoregressiveConfig
    presets = PRESETS
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
            (
                "oord2016",
                "van den Oord, Kalchbrenner & Kavukcuoglu (2016). Pixel recurrent neural networks. ICML.",
            ),
            (
                "germain2015",
                "Germain et al. (2015). MADE: masked autoencoder for distribution estimation. ICML.",
            ),
            (
                "salimans2017",
                "Salimans et al. (2017). PixelCNN++: improving the PixelCNN with discretized logistic mixture likelihood. ICLR.",
            ),
            (
                "uria2014",
                "Uria, Murray & Larochelle (2014). A deep and tractable density estimator. ICML.",
            ),
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
        chosen = self.architecture
        if context is not None and not chosen.contexts:
            came = f"contexts for {config.architecture or 'autoregressive'} on {space.kind}"
            raise Unsupported(came, "a transformer over text or pixels", "leave the context out")
        rest = () if context is None else (context,)
        self.net = chosen.make(Backbone, space, config, len(classes), *rest)

    @property
    def part(self) -> Backbone:
        """What the chosen architecture built."""
        return self.net

    @property
    def options(self) -> tuple[SamplingOption, ...]:
        """The sampling options that the chosen architecture reads."""
        return self.architecture.options
