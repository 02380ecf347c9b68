"""The solver that chooses its steps: its method, its tolerance, its count of calls, and the batch that changes nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from families.diffusion_oracles import gaussian, gaussian_flow, mixture
from pushforward.core.errors import BadInput, RunFailed
from pushforward.core.finite import Astray
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import run, states
from pushforward.families.build import build
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.adaptive import (
    BOGACKI_SHAMPINE,
    AdaptiveSampler,
    Clocked,
    attempt,
    flow_velocity,
)
from pushforward.families.diffusion.solvers.sampler import SOLVERS

PATH = VariancePreserving(0.02, 30.0)


def noise(n: int = 100) -> Tensor:
    return torch.randn(n, 2, generator=generator(3), dtype=torch.float64)


def walk(tolerance: float, z: Tensor, steps: int | None = None) -> AdaptiveSampler:
    found = SOLVERS["ode"].walk(
        PATH, mixture(), lambda: z, steps, 1.0, SampleOptions(tolerance=tolerance)
    )
    assert isinstance(found, AdaptiveSampler)
    return found


def drawn(tolerance: float, z: Tensor) -> tuple[Tensor, Tensor]:
    sampler = walk(tolerance, z)
    *_, last = states(sampler)
    return sampler.finish(last), sampler.used(last)


def test_the_pair_meets_its_order_conditions() -> None:
    """Hairer, Norsett and Wanner: four conditions for order three, two for the embedded second order, and an error that is none."""
    pair = BOGACKI_SHAMPINE
    c = torch.tensor(pair.c, dtype=torch.float64)
    a = torch.tensor([[*row, *[0.0] * (4 - len(row))] for row in pair.a], dtype=torch.float64)
    b = a[-1]
    lower = b - torch.tensor(pair.error, dtype=torch.float64)
    torch.testing.assert_close(a.sum(1), c)
    for weights, order in ((b, 3), (lower, 2)):
        values = [weights.sum(), (weights * c).sum(), (weights * c**2).sum(), weights @ a @ c]
        targets = [1.0, 1 / 2, 1 / 3, 1 / 6]
        met = [
            math.isclose(float(v), t, abs_tol=1e-12) for v, t in zip(values, targets, strict=True)
        ]
        assert met == ([True] * 4 if order == 3 else [True, True, False, False])


def test_the_velocity_is_that_of_the_flow() -> None:
    """Central differences of the exact flow of a Gaussian in z = y/s, r = 1/s."""
    oracle, y = gaussian(), noise(5)
    r, h = 0.8, 1e-5
    z = lambda r: gaussian_flow(oracle, y, 3.0, 1 / r) * r  # noqa: E731
    slope = (z(r + h) - z(r - h)) / (2 * h)
    found = flow_velocity(oracle)(z(r), torch.full((5,), r, dtype=torch.float64))
    torch.testing.assert_close(found, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_the_error_is_about_the_tolerance(tolerance: float) -> None:
    """Root mean square over 100 samples between a fifth of the tolerance and three times as much."""
    z = noise()
    exact = run(
        SOLVERS["unipc"].walk(PATH, mixture(), lambda: z, 1500, 1.0, SampleOptions(grid="log-snr"))
    )
    x, used = drawn(tolerance, z)
    error = float((x - exact).square().mean().sqrt())
    assert tolerance / 5 < error < 3 * tolerance
    # a method of order three: a tenth of the tolerance costs at most 10^(1/3) times the calls
    assert float(drawn(tolerance / 10, z)[1].mean() / used.mean()) < 10 ** (1 / 3)


def test_it_beats_a_fixed_grid_of_as_many_calls() -> None:
    z = noise()
    exact = run(
        SOLVERS["unipc"].walk(PATH, mixture(), lambda: z, 1500, 1.0, SampleOptions(grid="log-snr"))
    )
    x, used = drawn(3e-3, z)
    heun = SOLVERS["heun"].walk(PATH, mixture(), lambda: z, 18, 1.0)
    assert float(used.max()) < 1.3 * heun.calls
    assert float(used.mean()) < heun.calls
    assert float((x - exact).square().mean()) < 0.1 * float((run(heun) - exact).square().mean())


def test_every_example_has_its_own_steps_and_none_changes_another() -> None:
    z = noise(40)
    whole, used = drawn(1e-3, z)
    assert float(used.min()) < 0.8 * float(used.max())
    for i in (0, 7, int(used.argmax()), int(used.argmin())):
        alone, calls = drawn(1e-3, z[i : i + 1])
        torch.testing.assert_close(alone[0], whole[i], rtol=1e-9, atol=1e-9)
        assert float(calls) == float(used[i])


def test_calls_are_those_that_were_made() -> None:
    oracle, z = mixture(), noise()
    sampler = AdaptiveSampler(walk(1e-3, z).descent, BOGACKI_SHAMPINE, 1e-3)
    sampler.velocity = flow_velocity(oracle)
    seen = list(states(sampler))
    assert oracle.seen == float(sampler.used(seen[-1]).max()) == 1 + 3 * (len(seen) - 1)
    assert float(sampler.used(seen[-1]).max()) < sampler.calls == 1 + 3 * 200
    # the last slope is the denoised end
    y = seen[-1].state * PATH.sigma_min
    torch.testing.assert_close(
        sampler.finish(seen[-1]),
        oracle(y, torch.tensor(PATH.sigma_min, dtype=torch.float64)),
        rtol=1e-9,
        atol=1e-9,
    )


def test_a_step_that_errs_is_tried_again_shorter() -> None:
    oracle, y = mixture(), noise(6)
    velocity, one = flow_velocity(oracle), torch.ones(6, dtype=torch.float64)
    at = Clocked(y, velocity(y, one), one, 20 * one, one)
    after = attempt(BOGACKI_SHAMPINE, velocity, at, torch.tensor(50.0, dtype=torch.float64), 1e-5)
    assert torch.equal(after.state, at.state)
    assert torch.equal(after.clock, at.clock)
    assert bool((after.width < at.width).all())
    assert bool((after.calls == 4).all())


def test_what_cannot_arrive_or_makes_no_sense_is_said() -> None:
    z = noise(4)
    with pytest.raises(RunFailed, match=r"left 4 of 4 examples on their way after 3 steps"):
        run(walk(1e-4, z, steps=3))
    lost = SOLVERS["ode"].walk(PATH, lambda y, s: y * math.nan, lambda: z, 10, 1.0)
    with pytest.raises(Astray, match="4 of 4 samples, which went off"):
        run(lost)
    model = build("diffusion", Points(2), values={"width": 16, "depth": 1})
    for options, pattern in (
        ({"solver": "ode", "grid": "karras"}, "grid='karras' with a solver that chooses its steps"),
        (
            {"solver": "heun", "tolerance": 0.01},
            "tolerance=0.01 of steps on a grid: expected the solver ode",
        ),
        ({"solver": "ode", "tolerance": 0.0}, "tolerance=0.0: expected a number above 0"),
        ({"solver": "ode", "eta": 0.5}, "eta=0.5 with the solver 'ode'"),
    ):
        with pytest.raises(BadInput, match=pattern):
            model.sample(2, **options)


@pytest.mark.parametrize("space", [Points(2), Image(1, 3, 3, levels=4)], ids=["points", "image"])
def test_a_model_samples_with_it(space: Points | Image) -> None:
    model = build("diffusion", space, ("a", "b"), {"width": 16, "depth": 1, "context": 16})
    x = model.sample(5, given="a", guidance=2.0, solver="ode", seed=2)
    assert x.shape == (5, *space.event_shape)
    torch.testing.assert_close(
        model.sample(5, given="a", guidance=2.0, solver="ode", seed=2, batch=2).double(),
        x.double(),
        rtol=1e-3,
        atol=1e-3,
    )
    assert model.walk(2, given="a", guidance=2.0, solver="ode").calls == 2 * 601
    fine = model.sample(5, given="a", solver="unipc", steps=200, seed=2)
    close = model.sample(5, given="a", solver="ode", tolerance=1e-3, seed=2)
    assert float((close.double() - fine.double()).abs().mean()) < 0.01
