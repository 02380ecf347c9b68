"""Where an answer goes: for each exercise that a model can use, the family and the place in it.

One idea: a model is made of objects that each hold one formula, and a plug puts another object in
the place of one; parameters, their seeds and everything else stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.loss import Loss
from pushforward.course.exercise import Answer
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.solvers.sampler import Solver
from pushforward.families.diffusion.solvers.schemes import Ancestral, Draw, Scheme, Seen
from pushforward.families.flow.chains.chain import VectorChain
from pushforward.families.flow.model import Flow
from pushforward.families.flow.transforms.bijection import Bijection
from pushforward.families.flow.transforms.coupling import VectorCoupling
from pushforward.families.gan.game import Game
from pushforward.families.gan.model import GAN
from pushforward.families.vae.decoder import GaussianObservation, gaussian
from pushforward.families.vae.inference import Inference
from pushforward.families.vae.model import VAE
from pushforward.families.vae.objective import LatentObjective
from pushforward.families.vae.posterior import GaussianPosterior
from pushforward.families.vae.prior import GaussianPrior, kl_to_standard_normal

WIDEST = 3.0  # a coupling's log-scale stays within, or its first steps overflow


@dataclass(frozen=True)
class Plug:
    """A place for an answer.

    Attributes:
        family: the family that uses it.
        replaces: what is replaced, in words.
        install: puts a function into an untrained model.
        ours: the library's own function with the exercise's signature.
    """

    family: str
    replaces: str
    install: Callable[[Any, Answer], None]
    ours: Answer


@dataclass(frozen=True)
class _OwnBound(LatentObjective):
    answer: Answer

    def loss(self, batch: Inference, step: int | None) -> Loss:
        z, _ = batch.draw()
        posterior, observation = batch.posterior, batch.observation(z)
        assert isinstance(observation, GaussianObservation)
        bound = self.answer(
            batch.x, posterior.mean, posterior.log_scale, observation.mean, observation.log_scale
        )
        return Loss(
            -bound.mean() / batch.x[0].numel(), "model", "-ELBO of the encoded data [nats/dim]"
        )


class _OwnCoupling(Bijection):
    """An affine coupling by the answer; the coordinates that `mask` keeps come first."""

    order: Tensor

    def __init__(self, like: VectorCoupling, answer: Answer) -> None:
        super().__init__()
        self.answer, self.kept, self.changed = answer, len(like.keep), len(like.change)
        self.register_buffer("order", torch.cat([like.keep, like.change]))
        # the spline's own conditioner, of whose numbers an affine map needs two for each coordinate
        self.net = like.net

    def _network(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        shift, log_scale = self.net(kept, None).to(kept.dtype)[:, : 2 * self.changed].chunk(2, 1)
        return shift, WIDEST * torch.tanh(log_scale / WIDEST)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Change the second half as the answer says."""
        y, log_det = self.answer(x[:, self.order], self._network)
        return torch.empty_like(y).index_copy(1, self.order, y), log_det

    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """The kept half is the same on both sides, so shift and scale are too."""
        kept, changed = y[:, self.order].split([self.kept, self.changed], 1)
        shift, log_scale = self._network(kept)
        x = torch.cat([kept, (changed - shift) * (-log_scale).exp()], 1)
        return torch.empty_like(x).index_copy(1, self.order, x)


class _OwnStep(Scheme):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        here, there = (1.0 / (1.0 + level**2) for level in (now.level, then))
        eps = (now.noisy - now.clean) / now.level
        return self.answer(now.noisy * here.sqrt(), eps, here, there) / there.sqrt()


def _kl(model: VAE, answer: Answer) -> None:
    # one number an example, where the library has one for each dimension of the code
    model.prior = GaussianPrior(
        model.latent, kl=lambda mean, log_scale: answer(mean, log_scale)[:, None]
    )


def _draw(model: VAE, answer: Answer) -> None:
    model.posterior = GaussianPosterior(draw=answer)


def _elbo(model: VAE, answer: Answer) -> None:
    model.objective = _OwnBound(answer)


def _losses(model: GAN, answer: Answer) -> None:
    model.game = Game(
        "yours",
        "your losses",
        critic=lambda *scores: answer(*scores)[0],
        generator=lambda *scores: answer(*scores)[1],
    )


def _couplings(model: Flow, answer: Answer) -> None:
    assert isinstance(model.chain, VectorChain)
    for place, layer in enumerate(model.chain.layers):
        if isinstance(layer, VectorCoupling):
            model.chain.layers[place] = _OwnCoupling(layer, answer)


def _noise(model: Diffusion, answer: Answer) -> None:
    def add_noise(x: Tensor, s: Tensor, eps: Tensor) -> Tensor:
        # y = x/alpha, and alpha_bar = alpha^2 = 1/(1 + s^2) where the variance is preserved
        alpha_bar = 1.0 / (1.0 + s**2)
        return answer(x, eps, alpha_bar) / alpha_bar.sqrt()[:, None]

    assert isinstance(model.process, Gaussian)
    model.process.add_noise = add_noise


def _solver(model: Diffusion, answer: Answer) -> None:
    assert isinstance(model.process, Gaussian)
    model.process.solver = Solver("yours", "your steps", _OwnStep(answer), steps=36)


def _bound(x: Tensor, mean: Tensor, log_scale: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return gaussian(x, a, b).sum(1) - kl_to_standard_normal(mean, log_scale).sum(1)


def _game(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    soft = nn.functional.softplus
    return soft(-real).mean() + soft(fake).mean(), soft(-fake).mean()


def _affine(x: Tensor, network: Callable[[Tensor], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    kept, changed = x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]
    shift, log_scale = network(kept)
    return torch.cat([kept, changed * log_scale.exp() + shift], 1), log_scale.sum(1)


def _add_noise(x: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    return alpha_bar.sqrt()[:, None] * x + (1 - alpha_bar).sqrt()[:, None] * noise


def _ddim(x: Tensor, eps: Tensor, here: Tensor, there: Tensor) -> Tensor:
    level, then = ((1 / share - 1).sqrt() for share in (here, there))
    noisy = x / here.sqrt()
    now = Seen(level, noisy, noisy - level * eps)
    return there.sqrt() * Ancestral(0.0).step(now, then, (), lambda: torch.zeros_like(x))


PLUGS = {
    "vae.kl": Plug("vae", "divergence", _kl, lambda m, s: kl_to_standard_normal(m, s).sum(1)),
    "vae.reparameterise": Plug("vae", "draw of the code", _draw, lambda m, s, e: m + s.exp() * e),
    "vae.elbo": Plug("vae", "ELBO", _elbo, _bound),
    "gan.losses": Plug("gan", "losses of the game", _losses, _game),
    "flow.coupling": Plug("flow", "coupling layers", _couplings, _affine),
    "diffusion.noise": Plug("diffusion", "noising step", _noise, _add_noise),
    "diffusion.ddim": Plug("diffusion", "sampler", _solver, _ddim),
}
