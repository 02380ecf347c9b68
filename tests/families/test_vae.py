"""The bound against models whose likelihood is known; samples against the model."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from oracles import perturb
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.families.vae.config import VAEConfig
from pushforward.families.vae.decoder import LOG_SCALES as DECODER_LOG_SCALES
from pushforward.families.vae.decoder import LogisticMixture, LogisticMixtures, gaussian
from pushforward.families.vae.model import VAE
from pushforward.families.vae.posterior import LOG_SCALES as POSTERIOR_LOG_SCALES
from pushforward.families.vae.prior import kl_to_standard_normal
from pushforward.nets.logistic import bounded, discretised_logistic

W = torch.tensor(
    [[1.0, 0.5], [-2.0, 0.25], [0.0, 0.0]]
)  # orthogonal columns: the exact posterior is diagonal
SHIFT, SIGMA = torch.tensor([0.5, -1.0, 2.0]), 0.7


class Affine(nn.Module):
    """An encoder or decoder `x -> (A x + b, c)` that ignores the context."""

    def __init__(self, a: Tensor, b: Tensor, c: Tensor) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Parameter(a), nn.Parameter(b), nn.Parameter(c)

    def forward(self, x: Tensor, context: Tensor | None) -> Tensor:
        return torch.cat([x @ self.a.T + self.b, self.c.expand(len(x), -1)], dim=1)


def unbounded(y: float, low: float, high: float) -> float:
    """What `bounded` maps to y."""
    inverse = lambda v: v + math.log(-math.expm1(-v))  # noqa: E731 - of softplus
    return low + inverse(high - inverse(high - y) - low)


def linear_gaussian(mean_error: float = 0.0, scale_error: float = 1.0) -> VAE:
    """A VAE that is a factor analyser with its exact posterior, or with one whose mean and scale are off."""
    model = VAE(Points(3), VAEConfig(latent=2, width=8))
    precision = 1.0 + (W**2).sum(0) / SIGMA**2
    gain = (W / SIGMA**2 / precision).T
    scale = [
        unbounded(math.log(scale_error * p**-0.5), *POSTERIOR_LOG_SCALES)
        for p in precision.tolist()
    ]
    model.encoder = Affine(gain, -gain @ SHIFT + mean_error, torch.tensor(scale))
    model.decoder = Affine(W.clone(), SHIFT.clone(), torch.zeros(3))
    with torch.no_grad():
        model.log_scale.fill_(unbounded(math.log(SIGMA), *DECODER_LOG_SCALES))
    return model


def truth() -> torch.distributions.MultivariateNormal:
    return torch.distributions.MultivariateNormal(SHIFT, W @ W.T + SIGMA**2 * torch.eye(3))


def posterior_gap(mean_error: float, scale_error: float) -> float:
    """KL from the disturbed posterior to the exact one: a number that does not depend on x."""
    variance = 1.0 / (1.0 + (W**2).sum(0) / SIGMA**2)
    r = scale_error**2
    return float((0.5 * (r + mean_error**2 / variance - 1.0 - math.log(r))).sum())


def data(n: int = 200) -> Tensor:
    noise = torch.randn(n, 5, generator=generator(0))
    return noise[:, :2] @ W.T + SHIFT + SIGMA * noise[:, 2:]


@pytest.mark.parametrize("samples", [1, 7])
def test_with_the_exact_posterior_every_importance_weight_is_the_likelihood(samples: int) -> None:
    x = data()
    lp = linear_gaussian().log_prob(x, estimator="iwae", samples=samples)
    torch.testing.assert_close(lp.nats, truth().log_prob(x), rtol=0, atol=1e-3)


def test_with_the_exact_posterior_the_bound_is_the_likelihood() -> None:
    x = data()
    lp = linear_gaussian().log_prob(x, estimator="elbo", samples=400)
    assert lp.stderr is not None
    z = (lp.nats - truth().log_prob(x)) / lp.stderr
    # 200 standardised errors: their mean square is 1 +- 4 sqrt(2/200)
    assert float(z.square().mean()) == pytest.approx(1.0, abs=0.4)


def test_with_another_posterior_the_gap_is_its_divergence_from_the_exact_one() -> None:
    x, gap = data(), posterior_gap(0.3, 1.5)
    lp = linear_gaussian(0.3, 1.5).log_prob(x, estimator="elbo", samples=500)
    found = truth().log_prob(x) - lp.nats
    assert lp.stderr is not None
    error = float(lp.stderr.square().mean().sqrt()) / 200**0.5
    assert gap > 1.0
    assert float(found.mean()) == pytest.approx(gap, abs=4 * error)


def test_importance_weighting_tightens_the_bound_towards_the_likelihood() -> None:
    x = data(500)
    model, exact = linear_gaussian(0.3, 1.5), truth().log_prob(data(500)).mean()
    bounds = [
        float(model.log_prob(x, estimator="iwae", samples=k).nats.mean())
        for k in (1, 4, 16, 64, 512)
    ]
    assert all(a < b for a, b in pairwise(bounds))
    assert bounds[-1] < float(exact) + 0.02
    assert float(exact) - bounds[-1] < 0.05
    assert float(exact) - bounds[0] == pytest.approx(posterior_gap(0.3, 1.5), abs=0.2)


def test_one_dominating_weight_neither_overflows_nor_vanishes() -> None:
    lp = linear_gaussian(40.0).log_prob(data(5) * 30.0, estimator="iwae", samples=3)
    assert bool(torch.isfinite(lp.nats).all())
    assert float(lp.nats.max()) < -1000


def test_the_loss_is_the_negative_bound_per_dimension_and_records_its_parts() -> None:
    model, x = linear_gaussian(0.3, 1.5), data(2000)
    (loss,) = model.losses(Examples(x), BatchNoise(generator(0, "loss"), len(x)))
    bound = truth().log_prob(x).mean() - posterior_gap(0.3, 1.5)
    # the standard deviation of one draw of -log p(x|z) is below 10 nats
    assert float(loss.value.detach()) * 3 == pytest.approx(-float(bound), abs=4 * 10 / 2000**0.5)
    parts = loss.record["KL [nats]"] + loss.record["-log p(x|z) [nats]"]
    assert float(loss.value.detach()) * 3 == pytest.approx(parts, rel=1e-4)


def test_the_kl_weight_rises_to_one_is_state_and_never_touches_the_bound() -> None:
    x = Examples(data(20))
    model = VAE(Points(3), VAEConfig(latent=2, width=8, kl_warmup=4))
    perturb(model, 0.3)
    bound = model.log_prob(x, samples=3).nats

    def step(model: VAE) -> float:
        (loss,) = model.losses(x, BatchNoise(generator(0, "loss"), len(x)))
        weight = loss.record["weight of the KL"]
        parts = weight * loss.record["KL [nats]"] + loss.record["-log p(x|z) [nats]"]
        assert float(loss.value.detach()) * 3 == pytest.approx(parts, rel=1e-5)
        model.step_taken()
        return weight

    assert [step(model) for _ in range(2)] == [0.25, 0.5]
    resumed = VAE(Points(3), VAEConfig(latent=2, width=8, kl_warmup=4))
    resumed.load_state_dict(model.state_dict())
    assert [step(resumed) for _ in range(4)] == [0.75, 1.0, 1.0, 1.0]
    assert step(model.eval()) == 1.0
    assert torch.equal(bound, model.log_prob(x, samples=3).nats)


def test_the_exact_posterior_is_a_stationary_point_of_the_loss_and_others_are_not() -> None:
    def slope(model: VAE) -> float:
        (loss,) = model.losses(
            Examples(data(20_000)), BatchNoise(generator(1, "slope"), len(data(20_000)))
        )
        grads = torch.autograd.grad(loss.value, list(model.encoder.parameters()))
        return max(float(g.abs().max()) for g in grads)

    assert slope(linear_gaussian()) < 0.05
    assert slope(linear_gaussian(0.3)) > 0.3
    assert slope(linear_gaussian(0.0, 1.5)) > 0.3


def test_collapse_is_a_recorded_kl_of_zero() -> None:
    model = linear_gaussian()
    model.encoder = Affine(
        torch.zeros(2, 3), torch.zeros(2), torch.full((2,), unbounded(0.0, *POSTERIOR_LOG_SCALES))
    )
    (loss,) = model.losses(Examples(data(50)), BatchNoise(generator(0, "loss"), len(data(50))))
    assert loss.record["KL [nats]"] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_samples_contain_the_decoders_noise(temperature: float) -> None:
    x = linear_gaussian().sample(40_000, seed=2, batch=4000, temperature=temperature)
    covariance = temperature**2 * truth().covariance_matrix
    torch.testing.assert_close(x.mean(0), SHIFT, rtol=0, atol=4 * (5.0 / 40_000) ** 0.5)
    # the standard error of an entry is at most sqrt(2) 5 / 200
    torch.testing.assert_close(torch.cov(x.T), covariance, rtol=0, atol=4 * 2**0.5 * 5 / 200)


def test_labels_reach_encoder_and_decoder() -> None:
    model = VAE(Image(1, 4, 4, levels=4), VAEConfig(latent=2, width=8), ("a", "b"))
    perturb(model, 0.1)
    x = torch.randint(0, 4, (6, 1, 4, 4), generator=generator(0)).to(torch.uint8)
    a, b = (torch.full((6,), i) for i in (0, 1))
    assert not torch.allclose(model.log_prob(x, given=a).nats, model.log_prob(x, given=b).nats)
    z = torch.randn(6, 2, generator=generator(1))
    encoded, noise = model.codec.encode(x).value, Streams(0, 6)
    means = [model.inference(encoded, Given(label), noise).posterior.mean for label in (a, b)]
    assert not torch.allclose(*means)
    assert not torch.allclose(*(model.observed(z, Given(label)).mean for label in (a, b)))


def test_gaussian_and_divergence_are_torchs() -> None:
    mean, log_scale, x = torch.randn(3, 50, generator=generator(5), dtype=torch.float64)
    normal = torch.distributions.Normal(mean, log_scale.exp())
    torch.testing.assert_close(gaussian(x, mean, log_scale), normal.log_prob(x))
    standard = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    expected = torch.distributions.kl_divergence(normal, standard)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_scale), expected)


def mixture(n: int, levels: int) -> LogisticMixture:
    """Three pixels of two channels, whose components no symmetry hides."""
    raw = torch.randn(1, 3 * 2 * 6, generator=generator(9)).expand(n, -1)
    law = LogisticMixtures(2, levels).law(raw, torch.full((6,), -1.0), (2, 1, 3))
    assert isinstance(law, LogisticMixture)
    return law


def test_a_mixture_of_logistics_gives_levels_probabilities_and_draws_them() -> None:
    levels, n = 5, 40_000
    x = (torch.arange(levels) * 2.0 / (levels - 1) - 1.0).view(-1, 1, 1, 1, 1)
    law = mixture(1, levels)
    p = torch.stack(
        [(law.log_weight + discretised_logistic(v, law.means, law.log_scale, levels)).exp().sum(1)
        for v in x]
    )  # fmt: skip
    torch.testing.assert_close(p.sum(0), torch.ones(1, 2, 1, 3))
    # all pixels at once: the sum over pixels of the log of the sum over components
    torch.testing.assert_close(
        law.log_prob(x[2].expand(1, 2, 1, 3)), p[2].log().flatten(1).sum(1), rtol=1e-5, atol=1e-5
    )
    drawn = mixture(n, levels).sample(Streams(0, n)).clamp(-1, 1)
    index = ((drawn + 1) * (levels - 1) / 2).round().long()
    shares = torch.stack([(index == k).float().mean(0) for k in range(levels)])
    assert float((shares - p[:, 0]).abs().max()) < 4.5 * 0.5 / n**0.5
    expected = (law.log_weight.exp() * law.means).sum(1)
    torch.testing.assert_close(law.mean, expected)


def test_components_are_of_pixels_and_scales_of_their_own_dimension() -> None:
    raw = torch.zeros(1, 3 * 2 * 6)
    base = torch.arange(6.0) - 3.0
    law = LogisticMixtures(2, 4).law(raw, base, (2, 1, 3))
    assert isinstance(law, LogisticMixture)
    expected = bounded(base, *DECODER_LOG_SCALES).reshape(2, 1, 3)
    torch.testing.assert_close(law.log_scale[0, 0], expected)
    torch.testing.assert_close(law.log_scale[0, 1], expected)
    raw[0, 12:18] = 1.0  # the means of the first component
    moved = LogisticMixtures(2, 4).law(raw, base, (2, 1, 3))
    assert isinstance(moved, LogisticMixture)
    torch.testing.assert_close(
        moved.means - law.means, torch.stack([torch.ones(1, 2, 1, 3), torch.zeros(1, 2, 1, 3)], 1)
    )
