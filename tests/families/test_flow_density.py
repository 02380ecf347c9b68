"""The error bar of the ODE's density: what it covers, what it is made of, and when a number is refused."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor

from conformance.cases import examples, train
from families.diffusion_oracles import MixtureDenoiser, mixture
from pushforward.core.errors import Unsupported
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.families.build import build
from pushforward.families.diffusion.densities.flow_density import (
    ode_estimate,
    ode_log_density,
    student_factor,
)
from pushforward.families.diffusion.densities.trust import (
    LARGEST_SOLVER_ERROR,
    observed_order,
    require_meaning,
    steps_needed,
)
from pushforward.families.diffusion.paths.path import VariancePreserving

PATH = VariancePreserving(0.05, 14.0)


def wide_mixture() -> MixtureDenoiser:
    """Eight dimensions, in which two Rademacher probes hardly ever say the same."""
    rng = generator(0)
    means = torch.randn(3, 8, generator=rng, dtype=torch.float64)
    variances = torch.rand(3, 8, generator=rng, dtype=torch.float64) * 0.4 + 0.1
    return MixtureDenoiser(torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), means, variances)


@pytest.mark.parametrize("steps", [8, 16, 32])
def test_halving_covers_the_error_of_the_solver(steps: int) -> None:
    """400 points: |error| < 2 stderr for at least 97 %; the bar shrinks with the error, which it overstates less than 40 times."""
    oracle = mixture()
    y = oracle.draw(400, generator(1))
    truth = ode_log_density(PATH, oracle, y, 200)
    found = ode_estimate(PATH, oracle, y.unsqueeze(1), steps, None)
    error = (found.nats - truth).abs()
    assert float((error < 2 * found.stderr).double().mean()) > 0.97
    assert float(found.stderr.mean()) < 40 * float(error.mean())
    assert found.spread is None
    assert torch.equal(found.stderr, found.solver)


def test_draws_of_probes_cover_what_the_exact_trace_says() -> None:
    """600 points in eight dimensions: |error| < 2 stderr for 87 % with 4 probes, where plain standard errors cover 78 %.

    Their quadratic forms have a kurtosis of 4.8 here, so that 95 % is out of reach of any few; 2 s.e. of a share are 3 %.
    """
    oracle, n = wide_mixture(), 600
    y = oracle.draw(n, generator(2))
    exact = ode_log_density(PATH, oracle, y, 12)
    probes = Streams(3, n).uniform(4, 8, dtype=torch.float64).round() * 2 - 1
    found = ode_estimate(PATH, oracle, y.unsqueeze(1).expand(n, 4, 8).contiguous(), 12, probes)
    assert found.spread is not None
    error = (found.nats - exact).abs()
    covered = float((error < 2 * found.spread).double().mean())
    plain = float((error < 2 * found.spread / student_factor(4)).double().mean())
    assert 0.83 < covered < 0.97
    assert covered > plain + 0.05
    torch.testing.assert_close(found.stderr, torch.hypot(found.solver, found.spread))
    assert found.calls == 4 * (4 * 12 + 6 + 3)
    # unbiased: the mean over points within five standard errors
    gap = found.nats - exact
    assert abs(float(gap.mean())) < 5 * float(gap.std()) / math.sqrt(n)


def test_the_student_factor_is_half_of_a_quantile() -> None:
    """Against 400,000 t variables made of normal ones: 95.45 % lie within two factors, 0.3 % off at most."""
    rng = generator(4)
    for draws, slack in ((4, 0.003), (6, 0.002), (16, 0.002)):
        z = torch.randn(400_000, draws, generator=rng)
        t = z.mean(1) / (z.std(1) / math.sqrt(draws))
        assert float((t.abs() < 2 * student_factor(draws)).double().mean()) == pytest.approx(
            0.9545, abs=slack
        )


def test_orders_and_steps() -> None:
    assert observed_order(1e-4, 16e-4) == pytest.approx(4.0)
    assert observed_order(1e-4, 64e-4) == 4.0
    assert observed_order(0.3, 0.1) == 1.0
    # an error of order two that must fall sixteenfold takes four times the steps, and a quarter more
    assert steps_needed(10, 0.16, 0.64, 0.01) == 50


def flat(nats: Tensor, **errors: Tensor) -> LogProb:
    return LogProb(nats, "estimate", "lebesgue", Points(2).unit, "ode", errors=errors)


def test_what_is_no_number_and_what_decides_nothing_is_refused() -> None:
    limit = 2 * LARGEST_SOLVER_ERROR
    fine, wide = torch.full((3,), 0.9 * limit), torch.full((3,), 1.1 * limit)
    require_meaning(
        flat(torch.zeros(3), steps=fine, **{"half the steps": 4 * fine}), 2, 8, "diffusion"
    )
    with pytest.raises(
        Unsupported, match=r"8 steps of 'ode' leave an error of 0.11 nats/point.*about 12 steps"
    ):
        require_meaning(
            flat(torch.zeros(3), steps=wide, **{"half the steps": 4 * wide}), 2, 8, "diffusion"
        )
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(Unsupported, match=r"1 of 3 log-probabilities are not finite"):
            require_meaning(flat(torch.tensor([0.0, bad, 1.0])), 2, 8, "diffusion")


def trained(space: Points | Image) -> GenerativeModel:
    model = build("diffusion", space, values={"width": 16, "depth": 1, "context": 16})
    data = examples(space, False, n=256)
    model.prepare(data)
    train(model, data, 80)
    return model


@pytest.mark.parametrize("space", [Points(2), Image(1, 2, 2, levels=3)], ids=["points", "image"])
def test_too_few_steps_are_refused_with_those_that_are_enough(space: Points | Image) -> None:
    model = trained(space)
    data = examples(space, False, n=12, seed=1)
    for steps in (2, 4) if isinstance(space, Image) else (2, 3, 4, 6):
        with pytest.raises(Unsupported, match=rf"{steps} steps of 'ode' leave an error") as refusal:
            model.log_prob(data, estimator="ode", steps=steps, samples=1)
        enough = int(re.findall(r"about (\d+) steps", str(refusal.value))[0])
        assert steps < enough <= 80
        lp = model.log_prob(data, estimator="ode", steps=enough, samples=1)
        assert float(lp.errors["steps"].mean()) < LARGEST_SOLVER_ERROR * space.dimensions
    assert lp.stderr is not None


def test_pixels_have_a_spread_by_default_and_a_diverged_model_is_refused() -> None:
    model = trained(Image(1, 2, 2, levels=3))
    data = examples(Image(1, 2, 2, levels=3), False, n=6)
    # six seeds around the mean of all: two bars of each cover 85 % or more of 36 errors
    runs = [model.log_prob(data, estimator="ode", steps=16, seed=i) for i in range(6)]
    centre = torch.stack([r.nats for r in runs]).mean(0)
    inside = torch.stack([(r.nats - centre).abs() < 2 * r.stderr for r in runs])  # type: ignore[operator]
    assert float(inside.double().mean()) > 0.85
    lp = runs[0]
    assert set(lp.errors) == {"steps", "half the steps", "draws"}
    assert lp.stderr is not None
    torch.testing.assert_close(lp.stderr, torch.hypot(lp.errors["steps"], lp.errors["draws"]))
    assert set(model.log_prob(data, estimator="ode", steps=16, samples=1).errors) == {
        "steps",
        "half the steps",
    }
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    for name in ("elbo", "vlb", "ode"):
        with pytest.raises(
            Unsupported, match=r"6 of 6 log-probabilities are not finite.*training diverged"
        ):
            model.log_prob(data, estimator=name, steps=None if name == "elbo" else 2)
