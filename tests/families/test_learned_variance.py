"""The learned variance: its formula, its gradient, its solver, and what it is worth in a chain of few steps."""

from __future__ import annotations

import math

import pytest
import torch

from conformance.cases import examples
from families.diffusion_oracles import mixture
from pushforward.core.errors import Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.families.build import build
from pushforward.families.diffusion.objectives.learned_variance import BOUND_SHARE, variance_loss
from pushforward.families.diffusion.paths.noise_law import Knee, LogUniform
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.schemes import (
    Ancestral,
    LargeAncestral,
    LearnedAncestral,
    Seen,
)
from pushforward.families.diffusion.solvers.variance import (
    between,
    large_variance,
    log_excess,
    small_variance,
    step_divergence,
)

PATH = VariancePreserving(0.05, 20.0)


def make(space: Space, **values: object) -> GenerativeModel:
    return build(
        "diffusion",
        space,
        (),
        {"width": 32, "depth": 1, "context": 16, "variance": "learned", **values},
    )


def test_equation_15_in_the_variables_of_its_paper() -> None:
    bar = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 30, dtype=torch.float64), 0)
    level = ((1 - bar) / bar).sqrt()
    for t in (29, 12, 1):
        beta = 1 - bar[t] / bar[t - 1]
        small = (1 - bar[t - 1]) / (1 - bar[t]) * beta
        for v in (0.0, 0.3, 1.0, 1.4):
            expected = torch.exp(v * beta.log() + (1 - v) * small.log())
            found = (
                between(torch.tensor(v, dtype=torch.float64), level[t], level[t - 1]) * bar[t - 1]
            )
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)
    s, then = level[12], level[11]
    torch.testing.assert_close(
        log_excess(s, then), (large_variance(s, then) / small_variance(s, then)).log()
    )
    # a step to noise zero has no variance, and hence no density: the decoder takes over
    assert float(small_variance(s, torch.zeros_like(s))) == 0.0


def test_the_scheme_adds_the_noise_that_the_share_says() -> None:
    oracle, rng = mixture(), generator(0)
    y, z = (torch.randn(20, 2, generator=rng, dtype=torch.float64) for _ in range(2))
    s, then = (torch.tensor(v, dtype=torch.float64) for v in (2.0, 0.7))
    clean = oracle(y, s)

    def step(scheme: LearnedAncestral | LargeAncestral | Ancestral, share: float) -> torch.Tensor:
        return scheme.step(Seen(s, y, clean, torch.full_like(y, share)), then, (), lambda: z)

    torch.testing.assert_close(step(LearnedAncestral(), 0.0), step(Ancestral(1.0), 0.0))
    torch.testing.assert_close(step(LearnedAncestral(), 1.0), step(LargeAncestral(), 0.0))
    mean = clean + (then / s) ** 2 * (y - clean)
    torch.testing.assert_close(
        step(LearnedAncestral(), 0.4) - mean,
        z * between(torch.tensor(0.4).double(), s, then).sqrt(),
    )


@pytest.mark.parametrize(
    "law", [LogUniform(PATH), Knee(PATH, torch.tensor(0.8))], ids=["uniform", "knee"]
)
def test_the_loss_of_the_variance_is_the_sum_of_a_chain(law: LogUniform | Knee) -> None:
    """60,000 levels under either law against the integral over log noise level, five standard errors."""
    n, steps = 60_000, 16
    h = math.log(PATH.sigma_max / PATH.sigma_min) / (steps - 1)
    s = law.quantile((torch.arange(n) + 0.5) / n).double()
    x = torch.zeros(n, 1, dtype=torch.float64)
    clean, share = (0.3 / (1 + s)).unsqueeze(1), torch.full_like(x, 0.3)
    found = variance_loss(PATH, law, steps, x, clean, share, s)
    grid = torch.linspace(
        math.log(PATH.sigma_min), math.log(PATH.sigma_max), 4001, dtype=torch.float64
    ).exp()
    exact = step_divergence(
        torch.zeros(4001, 1).double(),
        (0.3 / (1 + grid)).unsqueeze(1),
        torch.tensor(0.3),
        grid,
        grid * math.exp(-h),
    )
    integral = torch.trapezoid(exact, grid.log()) / h
    assert float(found.mean()) == pytest.approx(float(integral), rel=2e-3)


@pytest.mark.parametrize("space", [Points(2), Image(1, 3, 3, levels=4)], ids=["points", "image"])
def test_the_bound_moves_the_variance_and_not_the_mean(space: Space) -> None:
    model = make(space)
    data = examples(space, False, n=64)
    model.prepare(data)
    process = model.process
    x, noise = model.codec.encode(data.x).value, Streams(0, 64)
    s = PATH.noise_level(noise.uniform())
    y = x + s.reshape(-1, *(1 for _ in x.shape[1:])) * noise.normal(*x.shape[1:])
    denoiser = process.denoiser  # type: ignore[attr-defined]
    clean, share = denoiser.reverse(y, s, None)
    assert share.shape == x.shape == clean.shape
    assert torch.equal(share, torch.full_like(share, 0.5))
    loss = variance_loss(PATH, LogUniform(PATH), 16, x, clean, share, s).mean()
    head = denoiser.network.body.outputs
    (slope,) = torch.autograd.grad(loss, head.bias, retain_graph=True)
    half = len(head.bias) // 2
    assert float(slope[:half].abs().max()) == 0.0
    assert float(slope[half:].abs().min()) > 0.0
    # the whole loss is the plain one and a thousandth of the bound
    plain = build("diffusion", space, (), {"width": 32, "depth": 1, "context": 16})
    plain.prepare(data)
    (hybrid,), (simple,) = (
        list(m.losses(data, BatchNoise(generator(3), len(data)))) for m in (model, plain)
    )
    assert 0.0 < float((hybrid.value - simple.value).detach()) < 10 * BOUND_SHARE
    assert hybrid.name.endswith("+ 0.001 of the bound in 16 steps")


def clusters(n: int) -> Examples:
    """Two narrow modes on one axis and a wide normal on the other: no single variance is right for both."""
    rng = generator(8)
    side = torch.randint(0, 2, (n, 1), generator=rng) * 2.0 - 1.0
    return Examples(
        torch.cat(
            [side + 0.1 * torch.randn(n, 1, generator=rng), torch.randn(n, 1, generator=rng)], dim=1
        )
    )


def test_in_few_steps_the_learned_variance_beats_both_fixed_ones() -> None:
    """The same denoiser, the same noise, chains of 8 to 64 steps: better by more than five standard errors of the paired gap."""
    data = clusters(3000)
    model = make(Points(2), width=48, variance_steps=8)
    fit(
        model,
        data[:2600],
        data[2600:],
        TrainConfig(steps=400, batch_size=256, learning_rate=4e-3, ema=0.98, seed=0),
    )
    test = data[2600:]
    for steps in (8, 16, 64):
        learned, small, large = (
            model.log_prob(test, estimator=name, steps=steps, samples=4 * (steps - 1)).nats.double()
            for name in ("vlb", "vlb-small", "vlb-large")
        )
        for other in (small, large):
            gap = learned - other
            assert float(gap.mean()) > 5 * float(gap.std() / math.sqrt(len(gap))), steps
        assert float(learned.mean()) < model.log_prob(test, samples=64).mean_nats + 0.1
    # and the sampler of that name uses it: as many calls, other samples
    x = model.sample(2000, solver="ddpm-learned", steps=16, seed=1)
    assert model.walk(2, solver="ddpm-learned", steps=16).calls == 16
    assert not torch.equal(x, model.sample(2000, solver="ddpm", steps=16, seed=1))
    torch.testing.assert_close(x.std(0), test.x.std(0), rtol=0.1, atol=0)
    alone = model.sample(4, solver="ddpm-learned", steps=4, seed=1, batch=1)
    torch.testing.assert_close(
        model.sample(4, solver="ddpm-learned", steps=4, seed=1), alone, rtol=1e-4, atol=1e-4
    )


def test_who_has_no_learned_variance_is_told_who_has() -> None:
    plain = build("diffusion", Points(2), ("a", "b"), {"width": 16, "depth": 1})
    with pytest.raises(
        Unsupported, match=r"'ddpm-learned' on a run with fixed variances.*variance=learned; `ddpm`"
    ):
        plain.sample(2, solver="ddpm-learned")
    learned = build(
        "diffusion", Points(2), ("a", "b"), {"width": 16, "depth": 1, "variance": "learned"}
    )
    assert learned.sample(3, given="a", solver="ddpm-learned", steps=5).shape == (3, 2)
    with pytest.raises(
        Unsupported,
        match=r"guidance or a measurement with the solver 'ddpm-learned': expected guidance 1",
    ):
        learned.sample(2, given="a", guidance=2.0, solver="ddpm-learned")
    # labels follow their examples through a chain
    x = torch.randn(4, 2, generator=generator(0))
    whole = learned.log_prob(x, Given(torch.tensor([0, 1, 0, 1])), estimator="vlb", steps=6).nats
    alone = learned.log_prob(
        x, Given(torch.ones(4, dtype=torch.long)), estimator="vlb", steps=6
    ).nats
    torch.testing.assert_close(whole[1::2], alone[1::2], rtol=1e-4, atol=1e-4)
