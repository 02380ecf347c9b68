"""Generative adversarial networks: a generator and a critic with opposite aims.

Three ideas: each training step yields two losses, the critic's and then the generator's, each over
its own parameters; what they are is a `Game`, what keeps it stable are `Penalty` objects; there is
no density, so nothing here pretends to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor, nn

from pushforward.core.curve import Curve
from pushforward.core.given import Given
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.gan.architectures import Players
from pushforward.families.gan.card import CAPABILITIES, CARD
from pushforward.families.gan.config import PRESETS, GANConfig
from pushforward.families.gan.game import RELATIVISTIC, Game
from pushforward.families.gan.penalties import R1, R2, Penalty, Round
from pushforward.families.shared.base import Base, StandardNormal
from pushforward.families.shared.given_embedding import GivenEmbedding
from pushforward.families.shared.sampling import one_shot


@final
class GAN(GenerativeModel):
    """Two networks that play a game with penalties.

    Attributes:
        generator, critic: the networks; `generator_label` and `critic_label` embed what is given
            for either.
        base: what the generator starts from.
        game: what both minimise.
        penalties: what the critic pays on top, times `gamma`.
    """

    family = "gan"
    capabilities = CAPABILITIES
    config_type = GANConfig
    presets = PRESETS
    card = CARD

    def __init__(self, space: Space, config: GANConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.latent, self.gamma = config.latent or space.dimensions, config.gamma
        self.base: Base = StandardNormal(self.latent)
        self.game: Game = RELATIVISTIC
        self.penalties: tuple[Penalty, ...] = (R1, R2)
        self.generator_label = GivenEmbedding(len(classes), config.context)
        self.critic_label = GivenEmbedding(len(classes), config.context)
        width = self.critic_label.width
        made = self.architecture.make(Players, space, config, self.latent, width)
        self.generator, self.critic, self.squash = made.generator, made.critic, made.squash

    differentiated_twice = ("critic",)  # by R1 and R2

    def networks(self) -> dict[str, nn.Module]:
        """Return both players."""
        return {"generator": self.generator, "critic": self.critic}

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the two players' parameters, their embeddings included."""
        groups = {
            "critic": (self.critic, self.critic_label),
            "generator": (self.generator, self.generator_label),
        }
        return {
            name: [p for part in parts for p in part.parameters()] for name, parts in groups.items()
        }

    def generate(self, z: Tensor, given: Given | None) -> Tensor:
        """Return the encoded examples that codes (n, latent) stand for."""
        made = self.generator(z, self.generator_label(given, len(z)))
        return self.squash(made).reshape(-1, *self.space.event_shape)

    def judge(self, x: Tensor, given: Given | None) -> Tensor:
        """Return the critic's scores of encoded examples, shape (n,); higher is more real."""
        return self.critic(x, self.critic_label(given, len(x))).squeeze(1)

    def _judged(self, real: Tensor, fake: Tensor, given: Given | None) -> tuple[Tensor, Tensor]:
        """Return the scores of two batches of the same conditions, from one pass."""
        context = self.critic_label(given, len(real))
        both = None if context is None else torch.cat([context, context])
        scores = self.critic(torch.cat([real, fake]), both).squeeze(1)
        return scores[: len(real)], scores[len(real) :]

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        with torch.no_grad():
            fake = self.generate(self.base.sample(noise), given)
        # new tensors, because the penalties differentiate with respect to them
        fake, real = fake.requires_grad_(True), x.detach().clone().requires_grad_(True)
        seen = Round(real, fake, *self._judged(real, fake, given))
        paid = {penalty.name: penalty.of(seen) for penalty in self.penalties}
        loss = self.game.critic(seen.real_scores, seen.fake_scores)
        record = {
            "D(real) - D(fake)": float((seen.real_scores - seen.fake_scores).detach().mean()),
            **{name: float(value.detach()) for name, value in paid.items()},
        }
        penalised = f" with {' and '.join(paid)}" if paid else ""
        named = f"critic's game loss{penalised} (no measure of quality)"
        yield Loss(loss + self.gamma * sum(paid.values()), "critic", named, record)
        fresh = self.generate(self.base.sample(noise), given)
        with torch.no_grad():
            real_scores = self.judge(x, given)
        loss = self.game.generator(real_scores, self.judge(fresh, given))
        yield Loss(loss, "generator", "generator's game loss (no measure of quality)")

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        fake = self.judge(self.generate(self.base.sample(noise), given), given)
        shares = torch.linspace(0.02, 0.98, 49, dtype=torch.float64, device=x.device)
        real, drawn = (
            torch.quantile(d.double(), shares).tolist() for d in (self.judge(x, given), fake)
        )
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
        return one_shot(self.base, noise, options.temperature, lambda z: self.generate(z, given))

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.generate(z, given)
