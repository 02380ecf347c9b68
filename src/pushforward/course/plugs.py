"""Where an answer goes: for each exercise that a model can use, the family and the place in it.

One idea: every plug is a subclass that overrides one hook, and the untrained model becomes one of that subclass; its parameters,
their seeds and everything else stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pushforward.core.given import Given
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.walk import Walk
from pushforward.course.exercise import Answer
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.solvers.schemes import Ancestral, Descent, Draw, Scheme, SchemeSampler, Seen
from pushforward.families.flow.chains import VectorChain
from pushforward.families.flow.layers import Layer, VectorCoupling
from pushforward.families.flow.model import Flow
from pushforward.families.gan.model import GAN, gradient_penalty
from pushforward.families.vae.likelihoods import gaussian, kl_to_standard_normal
from pushforward.families.vae.model import VAE

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


class _OwnKL(VAE):
    answer: ClassVar[Answer]

    def _elbo(self, x: Tensor, given: Given | None, noise: Noise) -> tuple[Tensor, Tensor]:
        context = self._context(given, len(x))
        mean, log_scale = self._posterior(x, context)
        z = mean + log_scale.exp() * noise.normal(self.latent)
        return self._log_p_x_given_z(x, z, context), type(self).answer(mean, log_scale)


class _OwnDraw(VAE):
    answer: ClassVar[Answer]

    def _elbo(self, x: Tensor, given: Given | None, noise: Noise) -> tuple[Tensor, Tensor]:
        context = self._context(given, len(x))
        mean, log_scale = self._posterior(x, context)
        z = type(self).answer(mean, log_scale, noise.normal(self.latent))
        return self._log_p_x_given_z(x, z, context), kl_to_standard_normal(mean, log_scale).sum(1)


class _OwnBound(VAE):
    answer: ClassVar[Answer]

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        context = self._context(given, len(x))
        mean, log_scale = self._posterior(x, context)
        z = mean + log_scale.exp() * noise.normal(self.latent)
        bound = type(self).answer(x, mean, log_scale, *self._likelihood(z, context))
        yield Loss(-bound.mean() / self.space.dimensions, "model", "-ELBO of the encoded data [nats/dim]")


class _OwnGame(GAN):
    answer: ClassVar[Answer]

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        with torch.no_grad():
            fake = self._generate(noise.normal(self.latent), given)
        fake, real = fake.requires_grad_(True), x.detach().clone().requires_grad_(True)
        d_real, d_fake = self._judge(real, given), self._judge(fake, given)
        penalty = gradient_penalty(d_real, real) + gradient_penalty(d_fake, fake)
        yield Loss(
            type(self).answer(d_real, d_fake)[0] + self.gamma * penalty, "critic", "critic's game loss with R1 and R2"
        )
        fresh = self._generate(noise.normal(self.latent), given)
        with torch.no_grad():
            d_real = self._judge(x, given)
        yield Loss(type(self).answer(d_real, self._judge(fresh, given))[1], "generator", "generator's game loss")


class _OwnCoupling(Layer):
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


class _OwnNoise(Gaussian):
    answer: ClassVar[Answer]

    def noised(self, x: Tensor, s: Tensor, eps: Tensor) -> Tensor:
        # y = x/alpha, and alpha_bar = alpha^2 = 1/(1 + s^2) where the variance is preserved
        alpha_bar = 1.0 / (1.0 + s**2)
        return type(self).answer(x, eps, alpha_bar) / alpha_bar.sqrt()[:, None]


class _OwnStep(Scheme):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        here, there = (1.0 / (1.0 + level**2) for level in (now.level, then))
        eps = (now.noisy - now.clean) / now.level
        return self.answer(now.noisy * here.sqrt(), eps, here, there) / there.sqrt()


class _OwnSampler(Gaussian):
    answer: ClassVar[Answer]

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        def draw() -> Tensor:
            return noise.normal(*self.space.event_shape)

        descent = Descent(self.path, self._bind(given), draw, options.steps or 36)
        return SchemeSampler(descent, _OwnStep(type(self).answer))


def _becomes(part: nn.Module, kind: type, answer: Answer) -> None:
    own: Any = type(kind.__name__.strip("_"), (kind,), {"answer": staticmethod(answer)})
    part.__class__ = own


def _couplings(model: Flow, answer: Answer) -> None:
    chain = model.chain
    assert isinstance(chain, VectorChain)
    for place, layer in enumerate(chain.layers):
        if isinstance(layer, VectorCoupling):
            chain.layers[place] = _OwnCoupling(layer, answer)


def _process(kind: type) -> Callable[[Diffusion, Answer], None]:
    return lambda model, answer: _becomes(model.process, kind, answer)


def _whole(kind: type) -> Callable[[nn.Module, Answer], None]:
    return lambda model, answer: _becomes(model, kind, answer)


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
    "vae.kl": Plug("vae", "divergence", _whole(_OwnKL), lambda m, s: kl_to_standard_normal(m, s).sum(1)),
    "vae.reparameterise": Plug("vae", "draw of the code", _whole(_OwnDraw), lambda m, s, e: m + s.exp() * e),
    "vae.elbo": Plug("vae", "ELBO", _whole(_OwnBound), _bound),
    "gan.losses": Plug("gan", "losses of the game", _whole(_OwnGame), _game),
    "flow.coupling": Plug("flow", "coupling layers", _couplings, _affine),
    "diffusion.noise": Plug("diffusion", "noising step", _process(_OwnNoise), _add_noise),
    "diffusion.ddim": Plug("diffusion", "sampler", _process(_OwnSampler), _ddim),
}
