"""A schedule that learns where to look: laws of probability, the optimum in closed form, and the path that follows it."""

from __future__ import annotations

import math

import pytest
import torch

from conformance.cases import examples, train
from pushforward.core.errors import BadInput
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.families.build import build
from pushforward.families.diffusion.paths.learned import FLOOR, LearnedPath, Schedule


def skewed(bins: int = 8) -> Schedule:
    schedule = Schedule(0.02, 50.0, bins)
    with torch.no_grad():
        schedule.logits.copy_(torch.linspace(-1.5, 2.0, bins).roll(3))
    return schedule


def test_density_integrates_to_one_and_the_quantile_inverts_its_integral() -> None:
    schedule = skewed()
    logs = torch.linspace(math.log(0.02), math.log(50.0), 80001, dtype=torch.float64)
    middle = 0.5 * (logs[1:] + logs[:-1])
    density = schedule.density(middle.exp())
    step = float(logs[1] - logs[0])
    assert float(density.sum()) * step == pytest.approx(1.0, abs=1e-6)
    u = torch.linspace(0.0, 1.0, 41, dtype=torch.float64)
    level = schedule.quantile(u)
    torch.testing.assert_close(schedule.share(level), u, rtol=0, atol=1e-9)
    below = torch.stack([density[middle.exp() < s].sum() * step for s in level])
    torch.testing.assert_close(below, u, rtol=0, atol=1e-4)


def test_its_optimum_is_proportional_to_the_contributions() -> None:
    """`int r^2/p` is least for p proportional to r: a schedule that follows its gradient finds a steep known r."""
    schedule = Schedule(0.01, 100.0, bins=8)
    wanted = torch.tensor([8.0, 1.0, 1.0, 4.0, 2.0, 1.0, 1.0, 2.0])
    wanted = wanted / wanted.sum()
    optimiser = torch.optim.Adam(schedule.parameters(), lr=0.03)
    for step in range(600):
        u = (torch.arange(256) + torch.rand(256, generator=generator(0, "u", step))) / 256
        s = schedule.quantile(u)
        k = ((s.log() - schedule.low) / schedule.width).long().clamp(0, 7)
        r = wanted[k] / schedule.width
        loss = schedule.spread(s, r / schedule.density(s))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    # the floor of 10 % is inside every mass; here all wanted masses lie above it
    assert float(wanted.min()) > FLOOR / 8
    torch.testing.assert_close(schedule.mass.detach(), wanted, rtol=0.05, atol=0.003)


def test_the_path_is_variance_preserving_and_its_rates_are_derivatives() -> None:
    path = LearnedPath(skewed())
    t = torch.linspace(0.013, 0.987, 40, dtype=torch.float64)
    alpha, sigma = path.scales(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(t))
    h = 1e-7
    for value, rate in zip(
        [(b - a) / (2 * h) for a, b in zip(path.scales(t - h), path.scales(t + h), strict=True)],
        path.rates(t),
        strict=True,
    ):
        torch.testing.assert_close(value, rate, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(path.time(path.noise_level(t)), t, rtol=0, atol=1e-9)


def test_training_with_it_lowers_the_spread_of_the_loss_and_keeps_the_bound() -> None:
    """The learned law ends with a smaller second moment than the even one it began with, on the same model and data."""
    data = examples(Points(2), labelled=False, n=256)
    model = build(
        "diffusion", Points(2), values={"width": 32, "depth": 1, "context": 16, "law": "learned"}
    )
    model.prepare(data)
    train(model, data, 150, learning_rate=1e-2)
    process = model.process
    even = Schedule(process.path.sigma_min, process.path.sigma_max)  # type: ignore[attr-defined, union-attr]

    def moments(law: Schedule) -> tuple[float, float]:
        x = model.codec.encode(data.x).value
        totals = []
        for k in range(40):
            rng = generator(1, "probe", k)
            s = law.quantile((torch.arange(256) + torch.rand(256, generator=rng)) / 256)
            y = x + s.unsqueeze(1) * torch.randn(256, 2, generator=rng)
            with torch.no_grad():
                error = (x - process.denoiser.denoise(y, s, None)).square().sum(1)  # type: ignore[attr-defined, union-attr]
            totals.append(error / (s**2 * law.density(s)))
        flat = torch.cat(totals)
        return float(flat.mean()), float(flat.square().mean())

    (mean, second), (even_mean, even_second) = moments(process.schedule), moments(even)  # type: ignore[arg-type, union-attr]
    # 10,240 draws each: the means agree within four standard errors of their difference
    error = math.sqrt((second + even_second) / 10240)
    assert abs(mean - even_mean) < 4 * error
    assert second < 0.8 * even_second


def test_a_learned_law_needs_a_weight_that_does_not_depend_on_it() -> None:
    with pytest.raises(BadInput, match=r"law 'learned' with the weight 'edm'.*likelihood"):
        build("diffusion", Points(2), values={"law": "learned", "weight": "edm"})


def test_a_path_can_be_swapped_after_training() -> None:
    """In `x/alpha` against the noise level paths are one and Heun cannot tell; Euler in a path's own time can, and converges."""
    data = examples(Points(2), labelled=False, n=256)
    model = build(
        "diffusion", Points(2), values={"width": 32, "depth": 1, "context": 16, "law": "learned"}
    )
    model.prepare(data)
    train(model, data, 100, learning_rate=1e-2)
    own = model.sample(64, seed=1, steps=12)
    for name in ("rectified-flow", "cosine", "ve", "learned"):
        torch.testing.assert_close(
            model.sample(64, seed=1, steps=12, path=name), own, rtol=1e-3, atol=1e-3
        )
    fine = model.sample(64, seed=1, steps=128)
    for name in ("rectified-flow", "edm", "learned"):
        few, many = (
            model.sample(64, seed=1, solver="euler", steps=n, path=name, grid="time")
            for n in (16, 256)
        )
        assert not torch.equal(few, model.sample(64, seed=1, solver="euler", steps=16))
        assert float((many - fine).square().mean()) < 0.2 * float((few - fine).square().mean())
    # a formula that ends before the levels of training do begins where it ends
    assert model.sample(2, path="ddpm-scaled-linear").shape == (2, 2)
    with pytest.raises(BadInput, match=r"path 'cosin'.*cosine"):
        model.sample(2, path="cosin")
    plain = build("diffusion", Points(2), values={"width": 16, "depth": 1})
    with pytest.raises(BadInput, match=r"a run with model\.law=learned"):
        plain.sample(2, path="learned")
