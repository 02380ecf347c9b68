"""Every path of the literature: its formula, its inverse, its rates, its SDE, its prior, and that all lead to the same samples."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from families.diffusion_oracles import flow_error, gaussian, mixture
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.text import Text
from pushforward.core.walk import run
from pushforward.families.build import build
from pushforward.families.diffusion.densities.continuous_bound import prior_divergence
from pushforward.families.diffusion.paths.path import Path, Prior
from pushforward.families.diffusion.paths.published import (
    PATHS,
    Cosine,
    LinearBeta,
    ScaledLinearBeta,
    SubVariancePreserving,
    VarianceExploding,
)
from pushforward.families.diffusion.solvers.noise_grids import GRIDS, grid_levels
from pushforward.families.diffusion.solvers.ode_coordinates import PathTime
from pushforward.families.diffusion.solvers.sampler import EULER, RK4, SOLVERS

NAMES = list(PATHS.names())
PRESERVING = ["log-snr", "ddpm-linear", "ddpm-scaled-linear", "cosine"]


def path_of(name: str, low: float = 0.01, high: float = 12.0) -> Path:
    return PATHS[name](low, high)


def times(path: Path, n: int = 33) -> Tensor:
    return torch.linspace(*path.ends, n, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_time_inverts_the_noise_level_to_the_last_digits(name: str) -> None:
    path = path_of(name, 1e-4)
    levels = torch.logspace(-4, math.log10(12.0), 60, dtype=torch.float64)
    torch.testing.assert_close(path.noise_level(path.time(levels)), levels, rtol=1e-9, atol=0)
    start, end = path.ends
    assert 0 <= start < end <= 1
    assert bool((path.time(levels).diff() > 0).all())
    assert path.last[1] / path.last[0] == pytest.approx(12.0, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_rates_and_the_sde_are_derivatives_of_the_scales(name: str) -> None:
    path = path_of(name)
    t = times(path)[1:-1].requires_grad_()
    (alpha, sigma), (alpha_rate, sigma_rate) = path.scales(t), path.rates(t)
    # a constant does not depend on time; adding nothing of it lets autograd say so
    slopes = [
        torch.autograd.grad((v + 0 * t).sum(), t, retain_graph=True)[0] for v in (alpha, sigma)
    ]
    torch.testing.assert_close(alpha_rate, slopes[0], rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(sigma_rate, slopes[1], rtol=1e-8, atol=1e-10)
    (slope,) = torch.autograd.grad(path.log_snr(t).sum(), t)
    torch.testing.assert_close(path.log_snr_rate(t), slope, rtol=1e-8, atol=1e-10)
    drift, g2 = path.diffusion(t)
    # mean and variance of x given x0 obey d m = f m dt, d v = (2 f v + g^2) dt
    torch.testing.assert_close(drift * alpha, alpha_rate, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(
        2 * drift * sigma**2 + g2, 2 * sigma * sigma_rate, rtol=1e-8, atol=1e-8
    )
    assert bool((g2 > 0).all())


@pytest.mark.parametrize("name", PRESERVING)
def test_preserving_paths_preserve_the_variance(name: str) -> None:
    path = path_of(name, 1e-4)
    alpha, sigma = path.scales(times(path))
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha), rtol=0, atol=1e-12)
    assert path.prior.scale == pytest.approx(1.0, abs=1e-12)


def test_formulas_are_the_published_ones() -> None:
    t = torch.linspace(0.05, 1.0, 20, dtype=torch.float64)
    # Song et al. 2020, appendix C: exp(-t^2 (b1 - b0)/4 - t b0/2)
    log_mean = -0.25 * t**2 * 19.9 - 0.5 * t * 0.1
    alpha, sigma = LinearBeta(0.01, 40.0).scales(t)
    torch.testing.assert_close(alpha, log_mean.exp(), rtol=1e-12, atol=0)
    torch.testing.assert_close(sigma, (1 - (2 * log_mean).exp()).sqrt(), rtol=1e-12, atol=0)
    # sub-VP: the standard deviation itself, not its square root
    alpha, sigma = SubVariancePreserving(0.01, 40.0).scales(t)
    torch.testing.assert_close(sigma, 1 - (2 * log_mean).exp(), rtol=1e-12, atol=0)
    bar = (
        torch.cos((t + 0.008) / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2)
    ) ** 2
    alpha, sigma = Cosine(0.01, 40.0).scales(t)
    torch.testing.assert_close(alpha**2, bar, rtol=1e-12, atol=1e-30)
    torch.testing.assert_close(sigma**2, 1 - bar, rtol=1e-10, atol=0)
    # the sum over 1,000 steps of the discrete schedule tends to the integral
    beta = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    whole = float(torch.log1p(-beta).sum())
    alpha, _ = ScaledLinearBeta(0.01, 10.0).scales(torch.ones((), dtype=torch.float64))
    assert 2 * float(alpha.log()) == pytest.approx(whole, rel=0.01)
    alpha, _ = LinearBeta(0.01, 10.0).scales(torch.ones((), dtype=torch.float64))
    whole = float(torch.log1p(-torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).sum())
    assert 2 * float(alpha.log()) == pytest.approx(whole, rel=0.01)
    ve = VarianceExploding(0.01, 50.0)
    torch.testing.assert_close(ve.noise_level(t), 0.01 * 5000.0**t, rtol=1e-12, atol=0)


def test_a_path_goes_no_further_than_its_formula() -> None:
    for name, reach in (("ddpm-linear", 152.1), ("ddpm-scaled-linear", 14.6), ("sub-vp", 152.1)):
        assert PATHS[name].reach == pytest.approx(reach, rel=0.02)
        edge = PATHS[name](0.01, PATHS[name].reach)
        assert edge.ends[1] == pytest.approx(1.0, abs=1e-9)
        with pytest.raises(
            BadInput, match=r"a largest noise level of 200 on the .* path: expected at most 1"
        ):
            PATHS[name](0.01, 200.0)
    with pytest.raises(
        BadInput, match="a largest noise level of inf on the Cosine path: expected a finite one"
    ):
        Cosine(0.01, math.inf)
    with pytest.raises(BadInput, match="expected 0 < sigma_min < sigma_max"):
        Cosine(1.0, 0.5)


def test_the_prior_is_a_normal_density_and_its_divergence_that_of_two() -> None:
    prior, x = Prior(3.0), torch.randn(5, 4, generator=generator(0), dtype=torch.float64)
    normal = torch.distributions.Normal(0.0, 3.0)
    torch.testing.assert_close(prior.log_prob(x), normal.log_prob(x).sum(1))
    for name in NAMES:
        path = path_of(name)
        alpha, sigma = path.last
        given = torch.distributions.Normal(alpha * x, sigma)
        expected = torch.distributions.kl_divergence(
            given, torch.distributions.Normal(0.0, path.prior.scale)
        ).sum(1)
        torch.testing.assert_close(prior_divergence(path, x), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("solver", ["heun", "ddim", "dpmpp-2m", "unipc", "ddpm"])
def test_in_scaled_coordinates_all_paths_draw_the_same_samples(solver: str) -> None:
    oracle, eps = mixture(), torch.randn(20, 2, generator=generator(3), dtype=torch.float64)
    drawn = [
        run(SOLVERS[solver].walk(path_of(name), oracle, lambda: eps, 12, 1.0)) for name in NAMES
    ]
    for x in drawn[1:]:
        torch.testing.assert_close(x, drawn[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tableau", [EULER, RK4], ids=["euler", "rk4"])
def test_solvers_keep_their_order_in_every_paths_own_time(name: str, tableau) -> None:  # type: ignore[no-untyped-def]
    errors = [flow_error(PathTime(path_of(name)), tableau, steps) for steps in (48, 96)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(tableau.order, abs=0.35)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_can_be_made_on_every_path(name: str) -> None:
    model = build("diffusion", Points(2), values={"width": 16, "depth": 1, "path": name})
    x = torch.randn(6, 2, generator=generator(0))
    assert model.sample(3, solver="euler", steps=4).shape == (3, 2)
    bound, ode = (
        model.log_prob(x, estimator=e, samples=n) for e, n in (("elbo", 512), ("ode", 64))
    )
    # an untrained model denoises N(0, 1) exactly, so both numbers are that density's: the integrand leaves no doubt
    truth = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)
    torch.testing.assert_close(ode.nats, truth, rtol=0, atol=0.02)
    assert bool((bound.nats < truth + 0.05).all())
    assert bool((bound.nats > truth - 0.6).all())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("grid", GRIDS.names())
def test_every_grid_falls_from_end_to_end_of_every_path(name: str, grid: str) -> None:
    path = path_of(name)
    for steps in (1, 2, 17):
        levels = grid_levels(grid, steps, path)
        assert len(levels) == steps
        assert bool((levels.diff() < 0).all())
        assert float(levels[0]) == 12.0
        if steps > 1:
            assert float(levels[-1]) == 0.01
    spacing = {"karras": levels ** (1 / 7), "log-snr": levels.log(), "time": path.time(levels)}
    if grid in spacing:
        even = spacing[grid].diff()
        torch.testing.assert_close(even, even[:1].expand_as(even), rtol=1e-5, atol=1e-9)
    # a finer grid of any kind leads to the same end
    oracle = gaussian()
    draw = lambda: torch.full((1, 2), 0.8, dtype=torch.float64)  # noqa: E731
    ends = [
        run(SOLVERS["unipc"].walk(path, oracle, draw, n, 1.0, SampleOptions(grid=g)))
        for n, g in ((150, grid), (150, "karras"))
    ]
    # evenly in the noise itself the last of 150 steps is still 0.08 wide
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=0.05)


def test_fresh_noise_and_grids_are_sampling_options() -> None:
    model = build("diffusion", Points(2), values={"width": 16, "depth": 1})
    plain = model.sample(5, solver="ddim", steps=6, seed=3)
    assert torch.equal(model.sample(5, solver="ddim", steps=6, seed=3, eta=0.0), plain)
    assert not torch.equal(model.sample(5, solver="ddim", steps=6, seed=3, eta=0.5), plain)
    full = model.sample(5, solver="ddim", steps=6, seed=3, eta=1.0)
    assert torch.equal(full, model.sample(5, solver="ddpm", steps=6, seed=3))
    # noise belongs to the example, not to its batch
    assert torch.equal(model.sample(5, solver="ddpm", steps=6, seed=3, batch=2), full)
    assert not torch.equal(model.sample(5, solver="ddim", steps=6, seed=3, grid="log-snr"), plain)
    for options, pattern in (
        (
            {"solver": "heun", "eta": 0.5},
            "eta=0.5 with the solver 'heun': expected one of ddim, dpmpp-2m, dpmpp-2m-sde, ddpm",
        ),
        ({"eta": 1.5}, "eta=1.5: expected a share from 0 to 1"),
        ({"grid": "karas"}, "grid 'karas'.*did you mean 'karras'"),
        ({"steps": 0}, "steps=0: expected at least one step"),
    ):
        with pytest.raises(BadInput, match=pattern):
            model.sample(2, **options)
    with pytest.raises(Unsupported, match="flow has no sampling option 'eta'"):
        build("flow", Points(2), values={}).sample(2, eta=0.5)


def test_a_setting_that_would_change_nothing_is_refused() -> None:
    """Each kind of data reads its own part of the configuration; the sentence lists that part."""
    text = Text(vocabulary=3, length=4, boundary=2)
    for space, values, sentence in (
        (
            text,
            {"coupling": "optimal-transport"},
            r"'model\.coupling=optimal-transport' for diffusion of text.*neighbours",
        ),
        (
            Points(2),
            {"dropout": 0.1},
            r"'model\.dropout=0\.1' on points: expected a network that reads dropout",
        ),
        (Points(2), {"architecture": "dit"}, "architecture 'dit' on points"),
    ):
        with pytest.raises(BadInput, match=sentence):
            build("diffusion", space, values=values)
