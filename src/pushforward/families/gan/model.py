"""Generative adversarial networks: a generator and a critic with opposite aims.

Two ideas: each training step yields two losses, the critic's and then the generator's, each over its own parameters; there is
no density, so nothing here pretends to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.core.codec import Codec, Scale, Standardise
from pushforward.core.curve import Curve
from pushforward.core.given import Given, label_of
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.spec import Config
from pushforward.core.walk import OneShot, Walk
from pushforward.families.gan.penalties import gradient_penalty, relativistic
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.convolution import Decoder, Encoder
from pushforward.nets.mlp import LabelEmbedding, WaveMLP


class GANConfig(Config):
    """Size of a GAN and strength of its penalties."""

    latent: int | None = Field(None, ge=1, description="dimensions of the generator's noise; None = those of the data")
    width: int = Field(32, ge=4)
    depth: int = Field(1, ge=1, description="residual blocks per resolution, which also take in the label")
    context: int = Field(32, ge=1, description="width of the label embeddings")
    gamma: float = Field(1.0, ge=0, description="weight of R1 and R2")
    critic_octaves: int = Field(0, ge=0, description="octaves of sine features that the critic of points sees")
    generator_octaves: int = Field(0, ge=0, description="the same of the generator's noise")


class GAN(GenerativeModel):
    """Relativistic GAN with R1 and R2: convolutional on images, residual MLPs on points."""

    family = "gan"
    capabilities = Capabilities(
        {"points": (), "image": ()},
        encode={},
        sampling_cost="1",
        held_out="",
        options=(TEMPERATURE,),
        refusals={
            "log_prob": Refusal(
                "a GAN has no density to evaluate",
                "train `flow` or `autoregressive` for an exact likelihood, or `vae` for a bound; compare a GAN by its samples",
            ),
            "encode": Refusal(
                "the generator has no inverse", "train `flow` for an exact code or `vae` for a posterior"
            ),
        },
    )
    config_type = GANConfig
    presets = {
        ("smoke", "points"): {
            "model": {
                "latent": 4,
                "width": 16,
                "depth": 1,
                "context": 8,
                "critic_octaves": 2,
                "generator_octaves": 1,
            },
            "train": {"beta1": 0.0},
        },
        ("smoke", "image"): {"model": {"latent": 8, "width": 8, "depth": 1, "context": 8}, "train": {"beta1": 0.0}},
        ("cpu", "points"): {
            "model": {
                "width": 64,
                "depth": 2,
                "gamma": 0.02,
                "critic_octaves": 3,
                "generator_octaves": 3,
            },
            "train": {
                "batch_size": 256,
                "learning_rate": 1e-3,
                "beta1": 0.0,
                "ema": 0.998,
                "weight_decay": 0.0,
                "clip": 10.0,
            },
        },
        ("cpu", "image"): {
            "model": {"latent": 32, "width": 32, "depth": 1, "gamma": 1.0},
            "train": {
                "batch_size": 64,
                "learning_rate": 1e-3,
                "beta1": 0.0,
                "ema": 0.99,
                "weight_decay": 0.0,
                "clip": 10.0,
            },
        },
        ("gpu", "points"): {
            "model": {"width": 256, "depth": 3, "gamma": 0.02, "critic_octaves": 3, "generator_octaves": 3},
            "train": {"batch_size": 512, "beta1": 0.0},
        },
        ("gpu", "image"): {
            "model": {"latent": 64, "width": 96, "depth": 2, "context": 64, "gamma": 2.0},
            "train": {"batch_size": 256, "learning_rate": 2e-4, "beta1": 0.0, "channels_last": True, "clip": 10.0},
        },
    }
    card = Card(
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
            ("huang2024", "Huang, Gokaslan, Kuleshov & Tompkin (2024). The GAN is dead; long live the GAN! NeurIPS."),
        ),
    )

    def __init__(self, space: Space, config: GANConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.latent, self.gamma = config.latent or space.dimensions, config.gamma
        context = config.context if classes else 0
        labels = (len(classes), config.context)
        self.generator_label = LabelEmbedding(*labels) if classes else None
        self.critic_label = LabelEmbedding(*labels) if classes else None
        if isinstance(space, Image):
            size = (space.height, space.width, config.width, config.depth, context)
            self.generator = Decoder(self.latent, space.channels, *size)
            self.critic = Encoder(space.channels, space.height, space.width, 1, config.width, config.depth, context)
        else:
            size = (config.width, config.depth, context)
            self.generator = WaveMLP(self.latent, space.dimensions, config.generator_octaves, *size)
            self.critic = WaveMLP(space.dimensions, 1, config.critic_octaves, *size)

    def _codec(self) -> Codec:
        if isinstance(self.space, Image):
            return Codec(self.space, [Scale(self.space.levels)])
        return Codec(self.space, [Standardise(self.space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """Return both players."""
        return {"generator": self.generator, "critic": self.critic}

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the two players' parameters, their label embeddings included."""
        groups = {"critic": [self.critic, self.critic_label], "generator": [self.generator, self.generator_label]}
        return {
            name: [p for part in parts if part is not None for p in part.parameters()] for name, parts in groups.items()
        }

    def _generate(self, z: Tensor, given: Given | None) -> Tensor:
        label = label_of(given)
        context = None if self.generator_label is None else self.generator_label(label, len(z))
        return self.generator(z, context).reshape(-1, *self.space.event_shape)

    def _judge(self, x: Tensor, given: Given | None) -> Tensor:
        label = label_of(given)
        context = None if self.critic_label is None else self.critic_label(label, len(x))
        return self.critic(x, context).squeeze(1)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        with torch.no_grad():
            fake = self._generate(noise.normal(self.latent), given)
        # new tensors, because the penalties differentiate with respect to them
        fake, real = fake.requires_grad_(True), x.detach().clone().requires_grad_(True)
        d_real, d_fake = self._judge(real, given), self._judge(fake, given)
        r1, r2 = gradient_penalty(d_real, real), gradient_penalty(d_fake, fake)
        game = relativistic(d_real, d_fake)
        record = {
            "D(real) - D(fake)": float((d_real - d_fake).detach().mean()),
            "R1": float(r1.detach()),
            "R2": float(r2.detach()),
        }
        yield Loss(
            game + self.gamma * (r1 + r2), "critic", "critic's game loss with R1 and R2 (no measure of quality)", record
        )
        fresh = self._generate(noise.normal(self.latent), given)
        with torch.no_grad():
            d_real = self._judge(x, given)
        yield Loss(
            relativistic(self._judge(fresh, given), d_real),
            "generator",
            "generator's game loss (no measure of quality)",
        )

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        fake = self._judge(self._generate(noise.normal(self.latent), given), given)
        shares = torch.linspace(0.02, 0.98, 49, dtype=torch.float64, device=x.device)
        real, drawn = (torch.quantile(d.double(), shares).tolist() for d in (self._judge(x, given), fake))
        yield Curve(
            "scores of the critic",
            "per cent of examples with a lower score",
            "D(x), held-out data",
            tuple((100.0 * shares).tolist()),
            tuple(real),
            "The game is even where the two lines meet; a wide gap means that the critic tells generated from real data.",
            reference=tuple(drawn),
            reference_name="generated",
        )

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        def draw() -> Tensor:
            return noise.normal(self.latent) * options.temperature

        @torch.no_grad()
        def push(z: Tensor) -> Tensor:
            return self._generate(z, given)

        return OneShot(draw, push)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self._generate(z, given)
