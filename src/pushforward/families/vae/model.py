"""Variational autoencoders: a latent variable model trained on a lower bound of its likelihood.

Three ideas: `log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z))`; posterior, prior, the decoder's law
and the objective are objects that know nothing of each other and meet in an `Inference`; an
architecture gives the two networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor, nn

from pushforward.core.curve import Curve, mean_curve
from pushforward.core.given import Given
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.sampling import one_shot
from pushforward.families.vae.architectures import Autoencoder, CodeWidths
from pushforward.families.vae.card import CAPABILITIES, CARD
from pushforward.families.vae.config import PRESETS, VAEConfig
from pushforward.families.vae.decoder import Observation
from pushforward.families.vae.inference import Inference
from pushforward.families.vae.objective import ELBO, LatentObjective, warmup
from pushforward.families.vae.posterior import GaussianPosterior, Posterior
from pushforward.families.vae.prior import PriorModel
from pushforward.families.vae.priors import PRIORS

HELD_OUT_DRAWS = 4


@final
class VAE(GenerativeModel):
    """A decoder of codes and an encoder that guesses them.

    Attributes:
        encoder, decoder: the networks.
        posterior: what the encoder's numbers mean, `q(z | x)`.
        prior: `p(z)`.
        observation: what the decoder's numbers mean, `p(x | z)`.
        objective: what training minimises.
        embedding: what is given, for both networks.
        log_scale: the part of the observation's scale that no network predicts, None where it has
            no scale.
    """

    family = "vae"
    held_out_passes = HELD_OUT_DRAWS
    capabilities = CAPABILITIES
    config_type = VAEConfig
    presets = PRESETS
    card = CARD

    log_scale: nn.Parameter | None
    steps_trained: Tensor

    def __init__(self, space: Space, config: VAEConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.latent = config.latent or space.dimensions
        self.posterior: Posterior = GaussianPosterior()
        self.objective: LatentObjective = ELBO(warmup(config.kl_warmup))
        self.embedding = GivenEmbedding(len(classes), config.context)
        self.prior: PriorModel = PRIORS[config.prior].build(self.latent, self.embedding.width)
        sizes = CodeWidths(self.latent, self.posterior.outputs(self.latent), self.embedding.width)
        made = self.architecture.make(Autoencoder, space, config, sizes)
        self.encoder, self.decoder, self.observation = made.encoder, made.decoder, made.observation
        start = self.observation.first_log_scale
        # flat, because weight decay spares vectors only, and it would pull a scale towards one
        scale = None if start is None else nn.Parameter(torch.full((space.dimensions,), start))
        self.register_parameter("log_scale", scale)
        # state, not an attribute: a resumed run must go on with the same weight
        self.register_buffer("steps_trained", torch.zeros((), dtype=torch.int64))

    def networks(self) -> dict[str, nn.Module]:
        """Return encoder and decoder."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def inference(self, x: Tensor, given: Given | None, noise: Noise) -> Inference:
        """Return what the model says of an encoded batch: the posterior of its codes, and the law
        of data given codes."""
        context = self.embedding(given, len(x))
        posterior = self.posterior.law(self.encoder(x, context))
        prior = self.prior.given(context)
        return Inference(x, posterior, prior, lambda z: self._observation(z, context), noise)

    def observed(self, z: Tensor, given: Given | None) -> Observation:
        """Return the law of encoded data given codes (n, latent)."""
        return self._observation(z, self.embedding(given, len(z)))

    def _observation(self, z: Tensor, context: Tensor | None) -> Observation:
        return self.observation.law(
            self.decoder(z, context), self.log_scale, self.space.event_shape
        )

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        step = int(self.steps_trained) if self.training else None
        yield self.objective.loss(self.inference(x, given, noise), step)

    def step_taken(self, fraction: float = 0.0) -> None:
        """Count the step, for schedules."""
        self.steps_trained += 1

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        batch, total = self.inference(x, given, noise), torch.zeros(len(x), device=x.device)
        for _ in range(HELD_OUT_DRAWS):
            z, _ = batch.draw()
            total += (batch.divergence(z) - batch.fit(z)) / HELD_OUT_DRAWS
        return total

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        batch = self.inference(x, given, noise)
        kl = batch.prior.divergence(batch.posterior, batch.draw()[0])
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

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        # the decoder's own noise belongs to the model's distribution; leaving it out would show
        # means, not samples
        temperature = options.temperature
        return one_shot(
            self.prior.given(self.embedding(given, noise.n)),
            noise,
            temperature,
            lambda z: self.observed(z, given).sample(noise, temperature),
        )

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.inference(x, given, noise).draw()[0]

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.observed(z, given).mean
