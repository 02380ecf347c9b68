"""Solvers against the exact solution of the probability-flow ODE: order, identities, cost."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from families.diffusion_oracles import MixtureDenoiser, gaussian, gaussian_flow, mixture
from pushforward.core.rng import generator
from pushforward.core.walk import run, states
from pushforward.families.diffusion.grids import log_levels
from pushforward.families.diffusion.path import VariancePreserving
from pushforward.families.diffusion.solvers import (
    EULER,
    HEUN,
    RK4,
    SOLVERS,
    OdeSampler,
    PathTime,
    ScaledByLogNoise,
    ScaledByNoise,
)

PATH = VariancePreserving(0.05, 20.0)


def noise(n: int = 64) -> torch.Tensor:
    return torch.randn(n, 2, generator=generator(3), dtype=torch.float64)


def sampler(name: str, steps: int, oracle: MixtureDenoiser) -> OdeSampler:
    return OdeSampler(PATH, oracle, SOLVERS[name], noise, steps)


def global_error(name: str, steps: int) -> float:
    """Error at the smallest positive noise, before the last step denoises."""
    oracle = gaussian()
    *_, last, _ = states(sampler(name, steps, oracle))
    start = noise() / PATH.scales(torch.ones((), dtype=torch.float64))[0]
    exact = gaussian_flow(oracle, start, PATH.sigma_max, PATH.sigma_min)
    return float((last.noisy - exact).abs().max())


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2)])
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
    oracle, where = gaussian(), coordinates(PATH)
    y0 = oracle.draw(8, generator(1))
    errors = []
    for steps in (32, 64):
        # a moderate range of noise, so that the coarse grid is already in the asymptotic regime
        levels = log_levels(steps, 0.3, 3.0)
        state = where.enter(y0, levels[0])
        for a, b in itertools.pairwise(levels):
            state = tableau.step(where.field(oracle), state, where.time(a), where.time(b))
        exact = gaussian_flow(oracle, y0, 0.3, 3.0)
        errors.append(float((where.leave(state, levels[-1]) - exact).abs().max()))
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


@pytest.mark.parametrize(("name", "calls"), [("heun", 35), ("ddim", 18), ("euler", 18)])
def test_calls_are_counted(name: str, calls: int) -> None:
    oracle = gaussian()
    walk = sampler(name, 18, oracle)
    run(walk)
    assert walk.calls == oracle.seen == calls
    assert OdeSampler(PATH, oracle, SOLVERS[name], noise, 18, calls=2.0).calls == 2 * calls


@pytest.mark.parametrize("name", ["heun", "ddim", "euler"])
def test_one_step_is_the_mean_of_the_data(name: str) -> None:
    oracle = mixture()
    # at noise s the posterior mean still leans by about v |y|/s^2 < 4 v/s, here 0.01
    x = run(OdeSampler(VariancePreserving(0.05, 400.0), oracle, SOLVERS[name], noise, 1))
    mean = (oracle.weights.unsqueeze(1) * oracle.means).sum(0)
    torch.testing.assert_close(x, mean.expand_as(x), rtol=0, atol=0.01)


def test_sampler_draws_the_mixture() -> None:
    """40,000 samples: the first two moments within 5 standard errors of the data's (denoised, so minus sigma_min^2)."""
    oracle, n = mixture(), 40_000
    path = VariancePreserving(0.002, 80.0)
    x = run(OdeSampler(path, oracle, SOLVERS["heun"], lambda: noise(n), 60))
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
