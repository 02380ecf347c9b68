"""What a flow declares, and what a person should know before trusting one."""

from __future__ import annotations

from pushforward.core.capabilities import Capabilities, Card
from pushforward.core.estimator import estimators
from pushforward.families.flow.architectures import ARCHITECTURES
from pushforward.families.flow.estimators import DEQUANTISED, EXACT, IWAE
from pushforward.families.shared.options import TEMPERATURE

CAPABILITIES = Capabilities(
    {
        "points": estimators("flow", "points", EXACT),
        "image": estimators("flow", "image", DEQUANTISED, IWAE),
    },
    encode={"points": "exact", "image": "exact"},
    sampling_cost="1",
    held_out="-log p of the data [nats]",
    options=(TEMPERATURE,),
    architectures=ARCHITECTURES,
)

CARD = Card(
    title="Normalizing flow",
    optimises="The exact likelihood of the data under an invertible network that turns them into Gaussian noise.",
    objective="max E[log N(f(x); 0, I) + log|det df/dx|]",
    number_means="On points the exact log-density. On images a lower bound, because integers are spread over unit cells first.",
    look_at=(
        "held-out likelihood",
        "whether f(x) looks Gaussian",
        "samples at temperature 1",
        "inversion error",
    ),
    may_go_wrong=(
        "smears probability between separated modes, because a continuous bijection cannot cut space",
        "overfits small data, seen as a held-out likelihood that turns around",
        "spends its capacity on pixel noise, so likelihood and looks disagree",
    ),
    strength="Exact density, exact codes and one-pass samples at once, from one network.",
    cost="One pass to score, one pass to sample; memory grows with depth.",
    references=(
        (
            "dinh2017",
            "Dinh, Sohl-Dickstein & Bengio (2017). Density estimation using Real NVP. ICLR.",
        ),
        (
            "kingma2018",
            "Kingma & Dhariwal (2018). Glow: Generative flow with invertible 1x1 convolutions. NeurIPS.",
        ),
        (
            "durkan2019",
            "Durkan, Bekasov, Murray & Papamakarios (2019). Neural spline flows. NeurIPS.",
        ),
    ),
)
