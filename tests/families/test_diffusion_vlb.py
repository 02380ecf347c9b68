"""The bound of a chain of T steps against closed forms, independent formulas and its continuous limit."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from conformance.cases import examples, train
from families.diffusion_oracles import MixtureDenoiser, gaussian, mixture
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.estimator import Draws
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.known_levels import GaussianDecoder
from pushforward.families.diffusion.densities.chain_bound import (
    chain_levels,
    chosen_terms,
    drawn_terms,
    vlb,
)
from pushforward.families.diffusion.densities.continuous_bound import (
    GaussianControl,
    elbo,
    prior_divergence,
)
from pushforward.families.diffusion.densities.flow_density import ode_estimate
from pushforward.families.diffusion.paths.noise_law import Knee
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.solvers.variance import (
    Reverse,
    between,
    fixed,
    small_variance,
    step_divergence,
)

PATH = VariancePreserving(0.05, 12.0)
CONTROL = GaussianControl(torch.zeros(2, dtype=torch.float64), 1.0)


def bound(
    oracle: MixtureDenoiser, share: float, steps: int, x: Tensor, samples: int
) -> tuple[Tensor, Tensor]:
    levels = chain_levels(steps, PATH)
    chain = fixed(oracle, share)
    nats, stderr = vlb(
        PATH,
        chain,
        GaussianDecoder(PATH.sigma_min),
        levels,
        x,
        Draws(Streams(0, len(x)), samples),
        CONTROL,
    )
    assert stderr is not None
    return nats, stderr


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_term_is_the_divergence_of_ddpm_in_its_own_variables(share: float) -> None:
    """Ho et al. 2020, equations 6, 7 and 11, and Nichol and Dhariwal 2021, equation 15, in x, beta and alpha-bar."""
    rng = generator(0)
    x0, clean = (torch.randn(12, 3, generator=rng, dtype=torch.float64) for _ in range(2))
    bar = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 30, dtype=torch.float64), 0)
    level = ((1 - bar) / bar).sqrt()
    for t in (29, 12, 1):
        beta = 1 - bar[t] / bar[t - 1]
        small = (1 - bar[t - 1]) / (1 - bar[t]) * beta
        x_t = bar[t].sqrt() * x0 + (1 - bar[t]).sqrt() * torch.randn(
            12, 3, generator=rng, dtype=torch.float64
        )
        means = [
            bar[t - 1].sqrt() * beta / (1 - bar[t]) * data
            + (1 - beta).sqrt() * (1 - bar[t - 1]) / (1 - bar[t]) * x_t
            for data in (x0, clean)
        ]
        variance = torch.exp(share * beta.log() + (1 - share) * small.log())
        q, p = (
            torch.distributions.Normal(m, v.sqrt())
            for m, v in zip(means, (small, variance), strict=True)
        )
        expected = torch.distributions.kl_divergence(q, p).sum(1)
        s, then = level[t].expand(12), level[t - 1].expand(12)
        found = step_divergence(x0, clean, torch.tensor(share, dtype=torch.float64), s, then)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def expected_terms(variance: Tensor, levels: Tensor, share: float) -> Tensor:
    """Each term for exactly denoised Gaussian data, whose error is `v s^2/(v + s^2)` a coordinate."""
    s, then = levels[:-1], levels[1:]
    error = (variance * s.unsqueeze(1) ** 2 / (variance + s.unsqueeze(1) ** 2)).sqrt()
    return step_divergence(
        error, torch.zeros_like(error), torch.tensor(share, dtype=torch.float64), s, then
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_terms_of_gaussian_data_are_closed_forms(share: float) -> None:
    """4,000 points: every term of a chain of eight steps within five standard errors, and the prior's with them."""
    oracle, levels = gaussian(), chain_levels(8, PATH)
    x = oracle.draw(4000, generator(1))
    index = torch.arange(7).expand(len(x), 7)
    terms = drawn_terms(fixed(oracle, share), levels, index, x, Streams(3, len(x)))
    exact = expected_terms(oracle.variances[0], levels, share)
    error = terms.std(0) / math.sqrt(len(x))
    assert bool(((terms.mean(0) - exact).abs() < 5 * error).all())
    # large and small are different numbers, far outside of that where noise hides anything
    other = expected_terms(oracle.variances[0], levels, 1.0 - share)
    assert bool(((other - exact).abs() > 9 * error)[3:].all())
    nats, stderr = bound(oracle, share, 8, x, 14)
    known = GaussianDecoder(PATH.sigma_min).expected(x) - prior_divergence(PATH, x)
    gap = nats - known + exact.sum()
    assert abs(float(gap.mean())) < 5 * float(gap.std()) / math.sqrt(len(x))
    assert float(stderr.mean()) > 0


def test_a_longer_chain_is_better_and_tends_to_the_continuous_bound_at_rate_one_over_t() -> None:
    variance = gaussian().variances[0]
    # the integral of the error over log-SNR, as in the continuous bound
    limit = 0.5 * float(
        (
            torch.log1p(variance / PATH.sigma_min**2) - torch.log1p(variance / PATH.sigma_max**2)
        ).sum()
    )
    for share in (0.0, 1.0):
        gaps = [
            float(expected_terms(variance, chain_levels(steps + 1, PATH), share).sum()) - limit
            for steps in (2, 8, 32, 128, 512)
        ]
        assert all(a > b > 0 for a, b in itertools.pairwise(gaps)), gaps
        assert math.log2(gaps[3] / gaps[4]) / 2 == pytest.approx(1.0, abs=0.05)


def test_the_right_variance_is_between_and_better_than_both() -> None:
    """The best variance of a step is `b + (1 - s'^2/s^2)^2 Var(x | y)`: its share solves equation 15, and 0.01 off is worse."""
    s, then = torch.tensor([3.0], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64)
    rest = 0.4 * s**2 / (0.4 + s**2)
    best = small_variance(s, then) + (1 - (then / s) ** 2) ** 2 * rest
    one = torch.ones(1, dtype=torch.float64)
    share = (best / small_variance(s, then)).log() / (
        between(one, s, then) / small_variance(s, then)
    ).log()
    assert 0.0 < float(share) < 1.0
    torch.testing.assert_close(between(share, s, then), best)
    error = rest.sqrt().unsqueeze(1)
    cost = lambda v: float(step_divergence(error, torch.zeros_like(error), v, s, then))  # noqa: E731
    assert cost(share) < min(cost(share + 0.01), cost(share - 0.01), cost(0 * one), cost(one))


def test_choosing_terms_is_unbiased_and_its_error_bar_covers() -> None:
    """One point 2,000 times over: 5 of 31 terms and all of them twice have one mean (5 s.e.); two bars cover 93 % or more."""
    oracle = mixture()
    x = oracle.draw(1, generator(2)).expand(2000, 2)
    few, wide = bound(oracle, 0.0, 32, x, 5)
    full, narrow = bound(oracle, 0.0, 32, x, 62)
    error = math.sqrt(float(few.var() + full.var()) / len(x))
    assert abs(float((few - full).mean())) < 5 * error
    truth = float(full.mean())
    assert float(((full - truth).abs() < 2 * narrow).double().mean()) > 0.93
    assert float(((few - truth).abs() < 2 * wide).double().mean()) > 0.75
    # the honest size of it: neither hides nor doubles
    assert float(narrow.square().mean().sqrt() / full.std()) == pytest.approx(1.0, abs=0.1)
    # every term is as probable, whatever the number of draws
    index = chosen_terms(7, 3, torch.rand(70_000, generator=generator(4), dtype=torch.float64))
    counts = torch.bincount(index.flatten(), minlength=7) / index.numel()
    assert float((counts - 1 / 7).abs().max()) < 5 * math.sqrt(6 / 49 / index.numel())


@pytest.mark.parametrize("name", PATHS.names())
def test_three_numbers_agree_on_every_path(name: str) -> None:
    """The continuous bound, the chain of 1,500 steps and the ODE on 150 points, against the closed form, 5 s.e."""
    path = PATHS[name](0.02, 14.0)
    oracle, decoder = gaussian(), GaussianDecoder(0.02)
    v, mean = oracle.variances[0], oracle.means[0]
    x = oracle.draw(150, generator(5))
    law = Knee(path, torch.tensor(1.0))
    continuous, _ = elbo(path, oracle, decoder, law, x, Draws(Streams(0, 150), 64), CONTROL)
    chain = fixed(oracle, 1.0)
    discrete, _ = vlb(
        path, chain, decoder, chain_levels(1500, path), x, Draws(Streams(1, 150), 64), CONTROL
    )
    # log p - bound in the mean: what the smallest noise blurs, and a prior centred at zero with variance one
    blur = 0.5 * torch.log1p(0.02**2 / v).sum()
    prior = (
        0.5
        * (
            (v + mean**2 + 14.0**2) / (1 + 14.0**2) - 1 - torch.log((v + 14.0**2) / (1 + 14.0**2))
        ).sum()
    )
    for nats, rate in ((continuous, 0.0), (discrete, 0.02)):
        gap = oracle.log_density(x) - nats - blur - prior
        assert (
            -5 * float(gap.std()) / math.sqrt(150)
            < float(gap.mean())
            < 5 * float(gap.std()) / math.sqrt(150) + rate
        )
    found = ode_estimate(path, oracle, x.unsqueeze(1), 64, None)
    # the flow ends at a known Gaussian, which the prior replaces: exact to the solver's error
    ends = mean + (x - mean) * ((v + 14.0**2) / (v + 0.02**2)).sqrt()
    truth = torch.distributions.Normal(mean, (v + 14.0**2).sqrt()).log_prob(ends)
    assumed = torch.distributions.Normal(0.0, math.sqrt(1 + 14.0**2)).log_prob(ends)
    exact = oracle.log_density(x, 0.02) + (assumed - truth).sum(1)
    error = (found.nats - exact).abs()
    assert float((error < 2 * found.stderr).double().mean()) > 0.98
    assert float(error.max()) < 1e-4


def test_an_exploding_prior_knows_its_size_and_the_mean_of_the_data() -> None:
    path = PATHS["ve"](0.01, 50.0)
    x = torch.tensor([[30.0, -5.0, 2.0]], dtype=torch.float64)
    at_zero = float(path.prior.log_prob(torch.zeros_like(x)))
    assert at_zero == pytest.approx(-1.5 * math.log(2 * math.pi * (50.0**2 + 1)), rel=1e-12)
    far, near = prior_divergence(path, x), prior_divergence(path, 0 * x)
    assert float(far - near) == pytest.approx(
        float(x.square().sum()) / 2 / (50.0**2 + 1), rel=1e-12
    )


def small_model(space: Points | Image, **values: object) -> GenerativeModel:
    model = build("diffusion", space, values={"width": 16, "depth": 1, "context": 16, **values})
    data = examples(space, False, n=256)
    model.prepare(data)
    train(model, data, 60)
    return model


@pytest.mark.parametrize("space", [Points(2), Image(1, 2, 2, levels=3)], ids=["points", "image"])
def test_the_family_bounds_its_own_sampler(space: Points | Image) -> None:
    """More steps, a better bound, up to the continuous one (within its noise); labels and batches change nothing."""
    model = small_model(space)
    data = examples(space, False, n=64)
    values = [model.log_prob(data, estimator="vlb", steps=n).mean_nats for n in (4, 16, 64, 256)]
    assert values == sorted(values)
    continuous = model.log_prob(data, samples=256)
    assert values[-1] < continuous.mean_nats + 0.2
    assert values[-1] > continuous.mean_nats - 1.5
    assert model.log_prob(data, estimator="vlb", steps=16).calls == 30
    assert torch.equal(
        model.log_prob(data, estimator="vlb", steps=8).nats,
        model.log_prob(data, estimator="vlb-small", steps=8).nats,
    )
    large = model.log_prob(data, estimator="vlb-large", steps=8)
    assert large.kind == "lower_bound"
    assert large.mean_nats > model.log_prob(data, estimator="vlb-small", steps=8).mean_nats


def test_the_curve_adds_up_to_the_bound() -> None:
    for space in (Points(2), Image(1, 2, 2, levels=3)):
        model = small_model(space)
        data = examples(space, False, n=512)
        _, curve = model.curves(data, seed=2)
        x = model.codec.encode(data.x[: model.chunk]).value
        process = model.process
        known = process.decoder.expected(x) - prior_divergence(process.path, x)  # type: ignore[attr-defined, operator, arg-type]
        nats = known.double().mean() - sum(curve.y) * space.unit.nats_per_unit
        encoded = model.codec.encode(data.x[: model.chunk]).log_det
        expected = (
            model.log_prob(data.x[: model.chunk], estimator="vlb", steps=curve.n + 1, seed=5).nats
            - encoded
        )
        spread = math.hypot(*curve.stderr) * space.unit.nats_per_unit + float(
            expected.std() / len(x) ** 0.5
        )
        assert abs(float(nats - expected.double().mean())) < 4 * spread


def test_refusals() -> None:
    model = small_model(Points(2))
    x = examples(Points(2), False, n=8)
    with pytest.raises(BadInput, match="bound in steps=1: expected at least two"):
        model.log_prob(x, estimator="vlb", steps=1)
    with pytest.raises(BadInput, match="ODE in steps=1: expected at least two"):
        model.log_prob(x, estimator="ode", steps=1)
    with pytest.raises(BadInput, match="steps=0: expected at least one step"):
        model.log_prob(x, estimator="ode", steps=0)
    takes = r"steps=9 with the estimator 'elbo': expected an estimator that takes steps \(vlb, vlb-small, vlb-large, ode\)"
    with pytest.raises(Unsupported, match=takes):
        model.log_prob(x, estimator="elbo", steps=9)
    flow = build("flow", Points(2), values={})
    with pytest.raises(
        Unsupported, match=r"steps=9 with the estimator 'exact'.*none of this family"
    ):
        flow.log_prob(x, steps=9)


def test_a_reverse_process_is_asked_once_a_draw() -> None:
    oracle, x = gaussian(), torch.zeros(3, 2, dtype=torch.float64)
    asked: list[int] = []

    def counting(y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(len(y))
        return oracle(y, s), y.new_zeros(())

    chain: Reverse = counting
    vlb(
        PATH,
        chain,
        GaussianDecoder(0.05),
        chain_levels(9, PATH),
        x,
        Draws(Streams(0, 3), 16),
        scalars=24,
    )
    assert sum(asked) == 3 * 16
