"""What a GAN declares and refuses, and what a person should know before trusting one."""

from __future__ import annotations

from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.families.gan.architectures import ARCHITECTURES
from pushforward.families.shared.options import TEMPERATURE

CAPABILITIES = Capabilities(
    {"points": (), "image": ()},
    encode={},
    sampling_cost="1",
    held_out="",
    options=(TEMPERATURE,),
    architectures=ARCHITECTURES,
    refusals={
        "log_prob": Refusal(
            "a GAN has no density to evaluate",
            "train `flow` or `autoregressive` for an exact likelihood, or `vae` for a bound; compare a GAN by its samples",
        ),
        "encode": Refusal(
            "the generator has no inverse",
            "train `flow` for an exact code or `vae` for a posterior",
        ),
    },
)

CARD = Card(
    title="Generative adversarial network",
    optimises="A game: the critic learns to tell real from generated, the generator to make its pairs indistinguishable.",
    objective="critic: min E softplus(-(D(x) - D(G(z)))) + gamma (R1 + R2);  generator: min E softplus(-(D(G(z)) - D(x)))",
    number_means="The loss is the state of a game and says nothing about quality; there is no likelihood.",
    look_at=(
        "distances between samples and held-out data",
        "recall and coverage",
        "the critic's gap D(real) - D(fake)",
    ),
    may_go_wrong=(
        "mode collapse: a few modes look right and the rest is missing",
        "oscillation: losses that circle without progress",
        "a critic that memorises a small training set",
    ),
    strength="Sharp samples from one pass of any network, which no likelihood restricts.",
    cost="Two networks and second derivatives to train; one pass to sample.",
    references=(
        ("goodfellow2014", "Goodfellow et al. (2014). Generative adversarial nets. NeurIPS."),
        (
            "mescheder2018",
            "Mescheder, Geiger & Nowozin (2018). Which training methods for GANs do actually converge? ICML.",
        ),
        (
            "huang2024",
            "Huang, Gokaslan, Kuleshov & Tompkin (2024). The GAN is dead; long live the GAN! NeurIPS.",
        ),
    ),
)
