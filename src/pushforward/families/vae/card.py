"""What a VAE declares, and what a person should know before trusting one."""

from __future__ import annotations

from pushforward.core.capabilities import Capabilities, Card
from pushforward.core.estimator import estimators
from pushforward.families.shared.options import TEMPERATURE
from pushforward.families.vae.architectures import ARCHITECTURES
from pushforward.families.vae.estimators import EVIDENCE, IMPORTANCE

CAPABILITIES = Capabilities(
    {kind: estimators("vae", kind, EVIDENCE, IMPORTANCE) for kind in ("points", "image")},
    encode={"points": "posterior", "image": "posterior"},
    sampling_cost="1",
    held_out="-ELBO of the data [nats]",
    options=(TEMPERATURE,),
    architectures=ARCHITECTURES,
)

CARD = Card(
    title="Variational autoencoder",
    optimises="A lower bound on the likelihood of a model that draws a code first and decodes it.",
    objective="max E_q[log p(x|z)] - KL(q(z|x) || p(z))",
    number_means="A lower bound: the log-likelihood is at least this. The gap is the distance of q(z|x) from the posterior.",
    look_at=(
        "the bound, and iwae beside it to see the gap",
        "KL per example",
        "samples",
        "reconstructions",
    ),
    may_go_wrong=(
        "posterior collapse: the KL falls to zero and the decoder ignores z",
        "blurred means, because pixels are independent given z",
        "a slack bound mistaken for a bad model",
    ),
    strength="A small code for every example from one pass of an encoder, with a bound on the "
    "likelihood and samples in one pass.",
    cost="One pass of each network to train, one decoder pass to sample; K passes for an importance-weighted score.",
    references=(
        (
            "kingma2013",
            "Kingma & Welling (2013). Auto-encoding variational Bayes. arXiv:1312.6114.",
        ),
        (
            "bowman2016",
            "Bowman et al. (2016). Generating sentences from a continuous space. CoNLL.",
        ),
        (
            "burda2016",
            "Burda, Grosse & Salakhutdinov (2016). Importance weighted autoencoders. ICLR.",
        ),
        ("salimans2017", "Salimans, Karpathy, Chen & Kingma (2017). PixelCNN++. ICLR."),
    ),
)
