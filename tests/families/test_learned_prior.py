"""A prior that learns: its density sums to one and is that of its samples, and bounds with it are those of the exact one."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from oracles import perturb
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.families.vae.config import VAEConfig
from pushforward.families.vae.learned_prior import COMPONENTS, ChainPrior, LearnedPrior
from pushforward.families.vae.model import VAE
from pushforward.families.vae.posterior import LOG_SCALES, DiagonalGaussian
from pushforward.families.vae.prior import GaussianPrior, kl_to_standard_normal


def chain(dimensions: int = 2, context: int = 3) -> ChainPrior:
    """A law that no symmetry hides, of one condition."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = LearnedPrior(dimensions, context)
    perturb(model, 0.03)
    return model.given(torch.tensor([[0.5, -1.0, 2.0]]))


def grid(side: int = 400, reach: float = 14.0) -> tuple[Tensor, float]:
    axis = torch.linspace(-reach, reach, side)
    return torch.cartesian_prod(axis, axis), (2 * reach / (side - 1)) ** 2


def many(prior: ChainPrior, n: int) -> ChainPrior:
    assert prior.context is not None
    return ChainPrior(prior.net, prior.context.expand(n, -1))


@torch.no_grad()
def test_the_density_integrates_to_one() -> None:
    z, cell = grid()
    mass = many(chain(), len(z)).log_prob(z).double().exp().sum() * cell
    assert float(mass) == pytest.approx(1.0, abs=2e-3)


@torch.no_grad()
def test_samples_are_uniform_under_the_conditional_distribution_functions() -> None:
    n = 8000
    prior = many(chain(), n)
    z = prior.sample(Streams(0, n))
    log_weight, mean, log_scale = prior.mixtures(z)
    standard = (z.unsqueeze(-1) - mean) / log_scale.exp()
    u = (log_weight.exp() * torch.special.ndtr(standard)).sum(-1).sort(0).values
    distance = (u - (torch.arange(n).unsqueeze(1) + 0.5) / n).abs().amax(0)
    # Kolmogorov's distance is below 1.95 / sqrt(n) in 999 of 1,000 cases
    assert float(distance.max()) < 1.95 / n**0.5
    # numbers given those before them: a shuffled second one has another law
    shuffled = torch.stack([z[:, 0], z[:, 1].roll(1)], 1)
    assert float(prior.log_prob(shuffled).mean()) < float(prior.log_prob(z).mean()) - 0.05


@torch.no_grad()
def test_a_low_temperature_draws_near_the_likeliest_component() -> None:
    n = 200
    prior = many(chain(), n)
    cold, warm = (prior.sample(Streams(0, n), t) for t in (1e-3, 1.0))
    assert float(cold.std(0).max()) < 0.05 < float(warm.std(0).min())
    log_weight, mean, _ = prior.mixtures(cold)
    first = mean[:, 0].gather(1, log_weight[:, 0].argmax(1, keepdim=True)).squeeze(1)
    torch.testing.assert_close(cold[:, 0], first, rtol=0, atol=0.05)


def posterior(n: int, dimensions: int) -> DiagonalGaussian:
    rng = generator(4)
    mean, log_scale = (torch.randn(1, dimensions, generator=rng) for _ in range(2))
    return DiagonalGaussian(mean.expand(n, -1), (0.3 * log_scale).expand(n, -1))


@torch.no_grad()
def test_the_divergence_is_estimated_without_bias_and_is_the_ratio() -> None:
    z, cell = grid()
    of, q = chain(), posterior(len(z), 2)
    log_q, log_p = q.terms(z).sum(1).double(), many(of, len(z)).log_prob(z).double()
    exact = float((log_q.exp() * (log_q - log_p)).sum() * cell)
    n = 40_000
    q, eps = posterior(n, 2), torch.randn(n, 2, generator=generator(5))
    prior, z = many(of, n), q.sample(eps)
    estimates = prior.divergence(q, z).sum(1)
    error = float(estimates.std()) / n**0.5
    assert exact > 0.1
    assert float(estimates.mean()) == pytest.approx(exact, abs=4 * error + 1e-3)
    torch.testing.assert_close(prior.log_ratio(q, z, eps), -estimates)


def standard(model: LearnedPrior) -> LearnedPrior:
    """Weights with which every conditional is N(0, 1)."""
    low, high = LOG_SCALES
    inverse = lambda v: v + math.log(-math.expm1(-v))  # noqa: E731 - of softplus
    zero = low + inverse(high - inverse(high) - low)  # what `bounded` maps to 0
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.net.last.bias.view(model.dimensions, 3, COMPONENTS)[:, 2] = zero
    return model


@torch.no_grad()
def test_one_that_has_learned_the_standard_normal_gives_its_closed_form() -> None:
    n = 50_000
    q, eps = posterior(n, 3), torch.randn(n, 3, generator=generator(6))
    z, prior = q.sample(eps), standard(LearnedPrior(3, 0)).given(None)
    closed = kl_to_standard_normal(q.mean, q.log_scale)[0]
    found = prior.divergence(q, z)
    error = found.std(0) / n**0.5
    assert bool(((found.mean(0) - closed).abs() < 4 * error + 1e-4).all())
    gaussian = GaussianPrior(3)
    torch.testing.assert_close(
        prior.log_ratio(q, z, eps), gaussian.log_ratio(q, z, eps), rtol=0, atol=1e-3
    )
    torch.testing.assert_close(prior.log_prob(z), gaussian.log_prob(z), rtol=0, atol=1e-3)


def test_it_looks_at_the_label_and_learns_with_the_networks() -> None:
    model = VAE(Points(2), VAEConfig(latent=3, width=8, prior="chain"), ("a", "b"))
    perturb(model, 0.2)
    laws = [model.prior.given(model.embedding(Given(torch.full((5,), i)), 5)) for i in (0, 1)]
    assert not torch.allclose(*(law.sample(Streams(0, 5)) for law in laws))
    x = Examples(torch.randn(64, 2, generator=generator(7)), Given(torch.arange(64) % 2))
    (loss,) = model.losses(x, BatchNoise(generator(8), 64))
    loss.value.backward()
    assert isinstance(model.prior, LearnedPrior)
    learned = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert {name for name in learned if name.startswith("prior.")}
    assert {name for name, _ in model.named_parameters() if name.startswith("prior.")} <= learned


def test_draws_of_a_labelled_model_are_decoded_under_the_label_of_the_prior() -> None:
    model = VAE(Points(2), VAEConfig(latent=2, width=8, prior="chain"), ("a", "b")).eval()
    perturb(model, 0.3)
    together = model.sample(6, given=torch.tensor([0, 1, 0, 1, 0, 1]), seed=3)
    assert torch.allclose(together[::2], model.sample(6, given="a", seed=3)[::2], atol=1e-5)
    assert torch.allclose(together[1::2], model.sample(6, given="b", seed=3)[1::2], atol=1e-5)
