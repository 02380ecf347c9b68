"""Solvers against the exact solution of the probability-flow ODE: order, identities, cost."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from families.diffusion_oracles import MixtureDenoiser, flow_error, gaussian, gaussian_flow, mixture
from pushforward.core.rng import generator
from pushforward.core.walk import run, states
from pushforward.families.diffusion.paths.path import Path, VariancePreserving
from pushforward.families.diffusion.solvers.ode_coordinates import (
    PathTime,
    ScaledByLogNoise,
    ScaledByNoise,
)
from pushforward.families.diffusion.solvers.sampler import EULER, HEUN, RK4, SOLVERS
from pushforward.families.diffusion.solvers.schemes import (
    Ancestral,
    Descent,
    LargeAncestral,
    SchemeSampler,
    SecondOrderMultistep,
    Seen,
)

PATH = VariancePreserving(0.05, 20.0)


ON_A_GRID = [solver.name for solver in SOLVERS if solver.tolerance is None]
CALLS = {"heun": 35, "pc": 35, "langevin": 18 + 17 * 10}


def noise(n: int = 64) -> torch.Tensor:
    return torch.randn(n, 2, generator=generator(3), dtype=torch.float64)


def sampler(
    name: str, steps: int, oracle: MixtureDenoiser, path: Path = PATH, calls: float = 1.0
) -> Any:
    learned = (
        (lambda y, s: (oracle(y, s), torch.full_like(y, 0.3))) if name == "ddpm-learned" else None
    )
    return SOLVERS[name].walk(path, oracle, noise, steps, calls, reverse=learned)


def global_error(name: str, steps: int) -> float:
    """Error at the smallest positive noise, before the last step denoises."""
    oracle = gaussian()
    *_, last, _ = states(sampler(name, steps, oracle))
    start = noise() / PATH.scales(torch.ones((), dtype=torch.float64))[0]
    exact = gaussian_flow(oracle, start, PATH.sigma_max, PATH.sigma_min)
    return float((last.noisy - exact).abs().max())


@pytest.mark.parametrize(
    ("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpmpp-2m", 2), ("unipc", 3)]
)
def test_convergence_order(name: str, order: int) -> None:
    """Halving the step divides the error by 2^order; the slope between 100 and 400 steps is within 0.15 of it."""
    errors = [global_error(name, n + 1) for n in (100, 400)]
    slope = math.log(errors[0] / errors[1]) / math.log(4)
    assert slope == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize(
    ("coordinates", "tableau"),
    [(c, t) for c in (ScaledByNoise, ScaledByLogNoise, PathTime) for t in (EULER, HEUN, RK4)],
)
def test_every_tableau_has_its_order_in_every_coordinates(coordinates, tableau) -> None:  # type: ignore[no-untyped-def]
    errors = [flow_error(coordinates(PATH), tableau, steps) for steps in (32, 64)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(tableau.order, abs=0.35)


def test_ddim_is_euler_in_scaled_coordinates() -> None:
    """Against the published update `x_s = alpha_s x0 + sigma_s (x_t - alpha_t x0)/sigma_t`, written independently."""
    oracle = mixture()
    walk = sampler("ddim", 12, oracle)
    time = PATH.time(walk.levels)
    alpha, sigma = PATH.scales(time)
    x = noise()
    for i in range(11):
        data = oracle(x / alpha[i], sigma[i] / alpha[i])
        x = alpha[i + 1] * data + sigma[i + 1] * (x - alpha[i] * data) / sigma[i]
    expected = oracle(x / alpha[11], sigma[11] / alpha[11])
    torch.testing.assert_close(run(walk), expected, rtol=1e-9, atol=1e-9)


def test_heun_is_algorithm_one() -> None:
    """Karras et al. 2022, algorithm 1, written out for `sigma(t) = t`."""
    oracle = mixture()
    walk = sampler("heun", 10, oracle)
    t = torch.cat([walk.levels, torch.zeros(1, dtype=torch.float64)])
    x = noise() / PATH.scales(torch.ones((), dtype=torch.float64))[0]
    for i in range(10):
        slope = (x - oracle(x, t[i])) / t[i]
        ahead = x + (t[i + 1] - t[i]) * slope
        if float(t[i + 1]) != 0:
            x = x + (t[i + 1] - t[i]) * 0.5 * (slope + (ahead - oracle(ahead, t[i + 1])) / t[i + 1])
        else:
            x = ahead
    torch.testing.assert_close(run(walk), x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "calls"), [(name, CALLS.get(name, 18)) for name in ON_A_GRID])
def test_calls_are_counted(name: str, calls: int) -> None:
    oracle = gaussian()
    walk = sampler(name, 18, oracle)
    run(walk)
    assert walk.calls == oracle.seen == calls
    assert sampler(name, 18, oracle, calls=2.0).calls == 2 * calls


@pytest.mark.parametrize("name", ON_A_GRID)
def test_one_step_is_the_mean_of_the_data(name: str) -> None:
    oracle = mixture()
    # at noise s the posterior mean still leans by about v |y|/s^2 < 4 v/s, here 0.01
    x = run(sampler(name, 1, oracle, VariancePreserving(0.05, 400.0)))
    mean = (oracle.weights.unsqueeze(1) * oracle.means).sum(0)
    torch.testing.assert_close(x, mean.expand_as(x), rtol=0, atol=0.01)


def test_sampler_draws_the_mixture() -> None:
    """40,000 samples: the first two moments within 5 standard errors of the data's (denoised, so minus sigma_min^2)."""
    oracle, n = mixture(), 40_000
    path = VariancePreserving(0.002, 80.0)
    x = run(SOLVERS["heun"].walk(path, oracle, lambda: noise(n), 60, 1.0))
    real = oracle.draw(n, generator(9))
    for power in (1, 2):
        difference = (x**power).mean(0) - (real**power).mean(0)
        error = ((x**power).var(0) / n + (real**power).var(0) / n).sqrt()
        assert bool((difference.abs() < 5 * error).all())


def test_peek_is_the_denoised_estimate() -> None:
    oracle = mixture()
    walk = sampler("ddim", 6, oracle)
    seen = list(states(walk))
    assert torch.equal(walk.peek(seen[1]), oracle(seen[0].noisy, walk.levels[0]))
    assert torch.equal(walk.peek(seen[-1]), walk.finish(seen[-1]))


def test_no_fresh_noise_is_ddim_and_none_remembered_is_first_order() -> None:
    oracle = mixture()
    ddim = run(sampler("ddim", 15, oracle))
    torch.testing.assert_close(
        run(SchemeSampler(Descent(PATH, oracle, noise, 15), Ancestral(0.0))),
        ddim,
        rtol=1e-9,
        atol=1e-9,
    )
    # without an estimate from before, DPM-Solver++ is DDIM as well
    y, s, then = (
        noise(),
        torch.tensor(3.0, dtype=torch.float64),
        torch.tensor(1.2, dtype=torch.float64),
    )
    now = Seen(s, y, oracle(y, s))
    first = SecondOrderMultistep(0.0).step(now, then, (), noise)
    torch.testing.assert_close(
        first, Ancestral(0.0).step(now, then, (), noise), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("large", [False, True])
def test_ancestral_is_ddpm_written_in_its_own_variables(large: bool) -> None:
    """Ho et al. 2020, equations 6, 7 and 11, in x with alpha-bar, beta and eps, on an even grid of 30 steps."""
    oracle, scheme = mixture(), LargeAncestral() if large else Ancestral(1.0)
    bar = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 30, dtype=torch.float64), 0)
    level = ((1 - bar) / bar).sqrt()
    x, z = noise(), torch.randn(64, 2, generator=generator(11), dtype=torch.float64)
    for t in (29, 12, 1):
        beta = 1 - bar[t] / bar[t - 1]
        y = x / bar[t].sqrt()
        clean = oracle(y, level[t])
        eps = (x - bar[t].sqrt() * clean) / (1 - bar[t]).sqrt()
        mean = (x - beta / (1 - bar[t]).sqrt() * eps) / (1 - beta).sqrt()
        variance = beta if large else (1 - bar[t - 1]) / (1 - bar[t]) * beta
        found = scheme.step(Seen(level[t], y, clean), level[t - 1], (), lambda: z)
        torch.testing.assert_close(
            found * bar[t - 1].sqrt(), mean + variance.sqrt() * z, rtol=1e-9, atol=1e-9
        )


def test_second_order_multistep_is_the_published_update() -> None:
    """Lu et al. 2022b, algorithm 2, in x with alpha, sigma and lambda on a variance-preserving path, three steps by hand."""
    oracle, levels = mixture(), torch.tensor([8.0, 3.0, 1.0, 0.4], dtype=torch.float64)
    alpha, sigma = PATH.scales(PATH.time(levels))
    lam = (alpha / sigma).log()
    x = noise()
    y, past, said = x / alpha[0], (), []
    for i in range(3):
        said.append(oracle(x / alpha[i], levels[i]))
        h = lam[i + 1] - lam[i]
        d = said[i]
        if i:
            r = (lam[i] - lam[i - 1]) / h
            d = (1 + 1 / (2 * r)) * said[i] - 1 / (2 * r) * said[i - 1]
        x = sigma[i + 1] / sigma[i] * x - alpha[i + 1] * torch.expm1(-h) * d
        now = Seen(levels[i], y, oracle(y, levels[i]))
        y, past = SecondOrderMultistep(0.0).step(now, levels[i + 1], past, noise), (now,)
        torch.testing.assert_close(y * alpha[i + 1], x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["ddpm", "ddpm-large", "dpmpp-2m-sde", "reverse-diffusion", "pc"])
def test_stochastic_solvers_draw_the_mixture(name: str) -> None:
    """30,000 samples in 150 steps: the first two moments within 5 standard errors and what so many steps leave."""
    oracle, n, rng = mixture(), 30_000, generator(4)
    draw = lambda: torch.randn(n, 2, generator=rng, dtype=torch.float64)  # noqa: E731
    x = run(SOLVERS[name].walk(VariancePreserving(0.002, 80.0), oracle, draw, 150, 1.0))
    real = oracle.draw(n, generator(9))
    for power in (1, 2):
        difference = (x**power).mean(0) - (real**power).mean(0)
        error = ((x**power).var(0) / n + (real**power).var(0) / n).sqrt()
        left = 0.02 * (real**power).abs().mean(0)
        assert bool((difference.abs() < 5 * error + left).all()), (difference, error)


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_stochastic_multistep_keeps_the_variance_of_a_gaussian(eta: float) -> None:
    """For `N(0, v)` the estimate is linear in y, so a first-order step's variance is a number: right to first order in h."""
    v, s = 0.7, torch.tensor(1.5, dtype=torch.float64)
    errors = []
    for ratio in (1.1, 1.05):
        then, k = s / ratio, v / (v + s**2)
        h = math.log(ratio)
        # y' = (kept + moved k) y + fresh z with var y = v + s^2
        kept, moved = math.exp(-(1 + eta) * h), -math.expm1(-(1 + eta) * h)
        z = torch.ones(1, 1, dtype=torch.float64)
        y = torch.zeros(1, 1, dtype=torch.float64)
        fresh = SecondOrderMultistep(eta).step(Seen(s, y, y), then, (), lambda z=z: z)
        moved_y = SecondOrderMultistep(eta).step(Seen(s, z, k * z), then, (), lambda y=y: y)
        torch.testing.assert_close(moved_y, ((kept + moved * k) * z), rtol=1e-12, atol=0)
        variance = float(moved_y) ** 2 * (v + s**2) + float(fresh) ** 2
        errors.append(abs(float(variance - (v + then**2))))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.2)
