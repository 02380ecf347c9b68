"""Variational autoencoders: a latent variable model trained on a lower bound of its likelihood.

Two ideas: `log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z))`, estimated with reparameterised noise; the same weights
`p(x,z)/q(z|x)` averaged before the logarithm give the tighter importance-weighted bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card
from pushforward.core.codec import Codec, Scale, Standardise
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.estimator import Draws, Estimator, estimators
from pushforward.core.given import Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.spec import Config
from pushforward.core.walk import OneShot, Walk
from pushforward.families.shared.options import TEMPERATURE
from pushforward.families.vae.likelihoods import gaussian, kl_to_standard_normal
from pushforward.nets.convolution import Decoder, Encoder
from pushforward.nets.logistic import bounded, discretised_logistic, sample_logistic
from pushforward.nets.mlp import LabelEmbedding, ResidualMLP, WaveMLP

ELBO_DRAWS, IWAE_DRAWS = 16, 64
POSTERIOR_LOG_SCALES, DECODER_LOG_SCALES = (-8.0, 4.0), (-7.0, 4.0)


class VAEConfig(Config):
    """Size of a VAE."""

    latent: int | None = Field(None, ge=1, description="dimensions of z; None = those of the data")
    width: int = Field(32, ge=4)
    depth: int = Field(1, ge=1, description="residual blocks per resolution, which also take in the label")
    context: int = Field(32, ge=1, description="width of the label embedding")
    encoder_octaves: int = Field(0, ge=0, description="octaves of sine features that the encoder of points sees")
    kl_warmup: int = Field(0, ge=0, description="training steps over which the weight of the KL rises to one")


def evidence_bound(model: VAE, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return the mean of `log p(x|z) - KL(q(z|x) || p(z))` over draws of z, the KL in closed form."""
    count = draws.samples or ELBO_DRAWS
    fits, _, kl = model._log_ratios(x, given, draws.noise, count)
    w = fits - kl
    return model._bound(w.mean(0), "elbo", count, w.std(0) / math.sqrt(count) if count > 1 else None)


def importance_bound(model: VAE, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `log 1/K sum_k p(x, z_k)/q(z_k|x)` (Burda et al. 2016, equation 8)."""
    count = draws.samples or IWAE_DRAWS
    fits, ratios, _ = model._log_ratios(x, given, draws.noise, count)
    return model._bound(torch.logsumexp(fits + ratios, 0) - math.log(count), f"iwae-{count}", count)


ELBO = Estimator("elbo", "evidence lower bound, averaged over draws of z", "lower_bound", evidence_bound)
IWAE = Estimator("iwae", "importance-weighted bound; tightens with samples", "lower_bound", importance_bound)


class VAE(GenerativeModel):
    """Convolutional VAE with a discretised-logistic decoder on images; residual MLP with a Gaussian decoder on points."""

    family = "vae"
    capabilities = Capabilities(
        {kind: estimators("vae", kind, ELBO, IWAE) for kind in ("points", "image")},
        encode={"points": "posterior", "image": "posterior"},
        sampling_cost="1",
        held_out="-ELBO of the data [nats]",
        options=(TEMPERATURE,),
    )
    config_type = VAEConfig
    presets = {
        ("smoke", "points"): {
            "model": {"latent": 2, "width": 16, "depth": 1, "context": 8, "encoder_octaves": 1, "kl_warmup": 10},
            "train": {},
        },
        ("smoke", "image"): {"model": {"latent": 4, "width": 8, "depth": 1, "context": 8}, "train": {}},
        ("cpu", "points"): {
            "model": {"width": 64, "depth": 3, "encoder_octaves": 3, "kl_warmup": 500},
            "train": {"batch_size": 512, "learning_rate": 4e-3, "ema": 0.998, "weight_decay": 0.0},
        },
        ("cpu", "image"): {
            "model": {"latent": 16, "width": 32, "depth": 1},
            "train": {"batch_size": 128, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.05},
        },
        ("gpu", "points"): {
            "model": {"width": 256, "depth": 4, "encoder_octaves": 3, "kl_warmup": 500},
            "train": {"batch_size": 1024},
        },
        ("gpu", "image"): {
            "model": {"latent": 64, "width": 96, "depth": 2, "context": 64},
            "train": {"batch_size": 256, "precision": "auto", "channels_last": True},
        },
    }
    card = Card(
        title="Variational autoencoder",
        optimises="A lower bound on the likelihood of a model that draws a code first and decodes it.",
        objective="max E_q[log p(x|z)] - KL(q(z|x) || p(z))",
        number_means="A lower bound: the log-likelihood is at least this. The gap is the distance of q(z|x) from the posterior.",
        look_at=("the bound, and iwae beside it to see the gap", "KL per example", "samples", "reconstructions"),
        may_go_wrong=(
            "posterior collapse: the KL falls to zero and the decoder ignores z",
            "blurred means, because pixels are independent given z",
            "a slack bound mistaken for a bad model",
        ),
        strength="A small code for every example from one pass of an encoder, with a bound on the "
        "likelihood and samples in one pass.",
        cost="One pass of each network to train, one decoder pass to sample; K passes for an importance-weighted score.",
        references=(
            ("kingma2013", "Kingma & Welling (2013). Auto-encoding variational Bayes. arXiv:1312.6114."),
            ("bowman2016", "Bowman et al. (2016). Generating sentences from a continuous space. CoNLL."),
            ("burda2016", "Burda, Grosse & Salakhutdinov (2016). Importance weighted autoencoders. ICLR."),
            ("salimans2017", "Salimans, Karpathy, Chen & Kingma (2017). PixelCNN++. ICLR."),
        ),
    )

    steps_trained: Tensor

    def __init__(self, space: Space, config: VAEConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.latent, self.kl_warmup = config.latent or space.dimensions, config.kl_warmup
        context = config.context if classes else 0
        self.embedding = LabelEmbedding(len(classes), config.context) if classes else None
        if isinstance(space, Image):
            size = (space.channels, space.height, space.width)
            self.encoder = Encoder(*size, 2 * self.latent, config.width, config.depth, context)
            self.decoder = Decoder(
                self.latent, 2 * space.channels, space.height, space.width, config.width, config.depth, context
            )
        else:
            d = space.dimensions
            self.encoder = WaveMLP(d, 2 * self.latent, config.encoder_octaves, config.width, config.depth, context)
            self.decoder = ResidualMLP(self.latent, 2 * d, config.width, config.depth, context)
        # start with a wide decoder: a narrow one explodes on the first, random, means
        # flat, because weight decay spares vectors only, and it would pull a scale towards one
        self.log_scale = nn.Parameter(torch.full((space.dimensions,), -0.5))
        # state, not an attribute: a resumed run must go on with the same weight
        self.register_buffer("steps_trained", torch.zeros((), dtype=torch.int64))

    def _codec(self) -> Codec:
        if isinstance(self.space, Image):
            return Codec(self.space, [Scale(self.space.levels)])
        return Codec(self.space, [Standardise(self.space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """Return encoder and decoder."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def _context(self, given: Given | None, n: int) -> Tensor | None:
        return None if self.embedding is None else self.embedding(label_of(given), n)

    def _posterior(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, log_scale = self.encoder(x, context).chunk(2, dim=-1)
        return mean, bounded(log_scale, *POSTERIOR_LOG_SCALES)

    def _likelihood(self, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return mean and log-scale of the decoder's pixels or coordinates."""
        mean, change = self.decoder(z, context).chunk(2, dim=1)
        shape = (-1, *self.space.event_shape)
        # bounded here, once, so that what is scored is what is sampled
        log_scale = bounded(self.log_scale + change.flatten(1), *DECODER_LOG_SCALES)
        return mean.reshape(shape), log_scale.reshape(shape)

    def _log_p_x_given_z(self, x: Tensor, z: Tensor, context: Tensor | None) -> Tensor:
        mean, log_scale = self._likelihood(z, context)
        if isinstance(self.space, Image):
            return discretised_logistic(x, mean, log_scale, self.space.levels).flatten(1).sum(1)
        return gaussian(x, mean, log_scale).flatten(1).sum(1)

    def _elbo(self, x: Tensor, given: Given | None, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return `log p(x|z)` for one draw of z, and the KL in closed form, each (n,)."""
        context = self._context(given, len(x))
        mean, log_scale = self._posterior(x, context)
        z = mean + log_scale.exp() * noise.normal(self.latent)
        return self._log_p_x_given_z(x, z, context), kl_to_standard_normal(mean, log_scale).sum(1)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        fit, kl = self._elbo(x, given, noise)
        weight = self._kl_weight()
        record = {
            "KL [nats]": float(kl.detach().mean()),
            "-log p(x|z) [nats]": -float(fit.detach().mean()),
            "weight of the KL": weight,
        }
        loss = (weight * kl - fit).mean() / self.space.dimensions
        warmup = f" (KL weighted until step {self.kl_warmup})" if self.kl_warmup else ""
        yield Loss(loss, "model", f"-ELBO of the encoded data{warmup} [nats/dim]", record)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        kl = kl_to_standard_normal(*self._posterior(x, self._context(given, len(x))))
        y, stderr = mean_curve(kl[:, kl.mean(0).argsort(descending=True)])
        yield Curve(
            "KL by latent dimension",
            "latent dimension, largest first",
            "nats",
            tuple(float(i + 1) for i in range(len(y))),
            y,
            "What each dimension of the code carries; dimensions at zero are ignored by the decoder (posterior collapse).",
            stderr,
        )

    def _kl_weight(self) -> float:
        """Return `min(1, (t + 1) / T)`: while codes cost little the decoder learns to use them (Bowman et al. 2016)."""
        if not (self.training and self.kl_warmup):
            return 1.0
        return min(1.0, (int(self.steps_trained) + 1) / self.kl_warmup)

    def step_taken(self, fraction: float = 0.0) -> None:
        """Count the step, for the warm-up."""
        self.steps_trained += 1

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        total = torch.zeros(len(x), device=x.device)
        for _ in range(4):
            fit, kl = self._elbo(x, given, noise)
            total += (kl - fit) / 4
        return total

    def _log_ratios(self, x: Tensor, given: Given | None, noise: Noise, draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return `log p(x|z)` and `log p(z) - log q(z|x)` of draws of z, each (draws, n), and the KL in closed form, (n,)."""
        context = self._context(given, len(x))
        mean, log_scale = self._posterior(x, context)
        fits, ratios = [], []
        for _ in range(draws):
            eps = noise.normal(self.latent)
            z = mean + log_scale.exp() * eps
            fits.append(self._log_p_x_given_z(x, z, context))
            # the normalising constants cancel
            ratios.append(-0.5 * z.square().sum(1) + 0.5 * eps.square().sum(1) + log_scale.sum(1))
        return torch.stack(fits), torch.stack(ratios), kl_to_standard_normal(mean, log_scale).sum(1)

    def _bound(self, nats: Tensor, name: str, draws: int, stderr: Tensor | None = None) -> LogProb:
        measure, unit = self.space.measure, self.space.unit
        return LogProb(nats, "lower_bound", measure, unit, name, stderr, calls=1.0 + draws)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        context = self._context(given, noise.n)
        shape = self.space.event_shape

        def draw() -> Tensor:
            return noise.normal(self.latent) * options.temperature

        @torch.no_grad()
        def push(z: Tensor) -> Tensor:
            # the decoder's own noise belongs to the model's distribution; leaving it out would show means, not samples
            mean, log_scale = self._likelihood(z, context)
            if isinstance(self.space, Image):
                u = noise.uniform(*shape, dtype=torch.float64)
                return sample_logistic(u, mean, log_scale + math.log(options.temperature))
            return mean + log_scale.exp() * options.temperature * noise.normal(*shape)

        return OneShot(draw, push)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        mean, log_scale = self._posterior(x, self._context(given, len(x)))
        return mean + log_scale.exp() * noise.normal(self.latent)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self._likelihood(z, self._context(given, len(z)))[0]
