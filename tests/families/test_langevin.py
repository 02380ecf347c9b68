"""Langevin dynamics against laws that are known: the bias of a step, detailed balance, and the weights of eight Gaussians."""

from __future__ import annotations

import pytest
import torch
from scipy import stats
from torch import Tensor

from families.diffusion_oracles import MixtureDenoiser, mixture
from pushforward.core.errors import BadInput
from pushforward.core.rng import generator
from pushforward.core.walk import run, states
from pushforward.data.toys import toy
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.langevin import CorrectedSampler, Langevin, Stay
from pushforward.families.diffusion.solvers.sampler import SOLVERS
from pushforward.families.diffusion.solvers.schemes import Descent


def normals(n: int, d: int = 1, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = generator(seed, "langevin")
    return lambda: torch.randn(n, d, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("step", [0.8, 0.2])
def test_unadjusted_chains_have_the_variance_that_their_step_gives(step: float) -> None:
    """On `N(0, v)`: x' = (1 - eps/(2v)) x + sqrt(eps) z, whose stationary variance is v/(1 - eps/(4v))."""
    v, n = 0.7, 60_000
    x = run(Langevin(lambda x: -x / v, torch.zeros(n, 1).double(), step, 60, normals(n)))
    expected = v / (1.0 - step / (4.0 * v))
    # the variance of n normals has relative standard error sqrt(2/n); five of them once in 1.7 million seeds
    assert float(x.var()) == pytest.approx(expected, rel=5 * (2 / n) ** 0.5)


def test_adjusted_chains_have_the_law_itself_whatever_the_step() -> None:
    oracle, n = mixture(), 20_000

    def log_density(x: Tensor) -> Tensor:
        return oracle.log_density(x)

    def score(x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(log_density(x).sum(), x)
        return gradient

    rng = generator(1, "uniform")
    # started from the law, a chain that keeps it keeps it: a wrong kernel ratio or sign drifts away in 40 steps
    chains = Langevin(
        score,
        oracle.draw(n, generator(2)),
        0.1,
        40,
        normals(n, 2),
        lambda: torch.rand(n, generator=rng),
        log_density,
    )
    *_, last = states(chains)
    assert 0.3 < last.accepted < 0.95
    real = oracle.draw(n, generator(3))
    for d in range(2):
        # Kolmogorov-Smirnov of two samples; a false alarm once in a thousand seeds
        assert stats.ks_2samp(last.x[:, d].numpy(), real[:, d].numpy()).pvalue > 1e-3
    unadjusted = run(Langevin(score, oracle.draw(n, generator(2)), 0.1, 40, normals(n, 2)))
    assert stats.ks_2samp(unadjusted[:, 0].numpy(), real[:, 0].numpy()).pvalue < 1e-6


def test_annealed_chains_find_the_weights_of_eight_gaussians() -> None:
    """With the exact score every cluster gets its eighth, within three standard errors (one seed in fifty would miss)."""
    density, n = toy("gaussians-8"), 12_000
    means = density.means  # type: ignore[attr-defined]
    oracle = MixtureDenoiser(
        torch.full((8,), 1 / 8).double(), means, torch.full_like(means, density.sigma**2)
    )  # type: ignore[attr-defined]
    path = VariancePreserving(0.02, 40.0)
    rng = generator(0, "draw")
    draw = lambda: torch.randn(n, 2, generator=rng, dtype=torch.float64)  # noqa: E731
    x = run(SOLVERS["langevin"].walk(path, oracle, draw, None, 1.0))
    counts = torch.bincount(torch.cdist(x, means).argmin(1), minlength=8).double()
    assert float((counts / n - 1 / 8).abs().max()) < 3 * (7 / 64 / n) ** 0.5
    # while plain Langevin from one cluster mostly stays there, which is why there is a ladder of noise levels
    score = lambda y: (oracle(y, torch.tensor(1e-3).double()) - y) / 1e-6  # noqa: E731
    stuck = run(
        Langevin(
            score, means[:1].expand(500, 2).clone(), 0.3 * density.sigma**2, 100, normals(500, 2)
        )
    )  # type: ignore[attr-defined]
    share = torch.bincount(torch.cdist(stuck, means).argmin(1), minlength=8).double() / 500
    # a fair share would be an eighth, and five standard errors of that are 0.074
    assert float(share[0]) > 0.5


def test_annealed_chains_lag_behind_unless_they_are_given_time() -> None:
    """Where clusters part, a chain keeps the share it had at the level above: more steps at each level bring it nearer."""
    oracle, n, far = mixture(), 8_000, []
    real = oracle.draw(200_000, generator(9)).mean(0)
    for corrections in (1, 30):
        rng = generator(0, "draw")
        draw = lambda rng=rng: torch.randn(n, 2, generator=rng, dtype=torch.float64)  # noqa: E731
        path = VariancePreserving(0.01, 40.0)
        x = run(CorrectedSampler(Descent(path, oracle, draw, 30), Stay(), corrections, 0.4))
        far.append(float((x.mean(0) - real).norm()))
    # the second is what 8,000 draws leave, about 0.014, and a little more
    assert far[0] > 0.2
    assert far[1] < 0.06


def test_bad_chains_are_refused() -> None:
    x = torch.zeros(2, 1)
    with pytest.raises(BadInput, match=r"0 Langevin steps of 0\.1"):
        Langevin(torch.neg, x, 0.1, 0, normals(2))
    with pytest.raises(BadInput, match=r"1 Langevin steps of -1\.0"):
        Langevin(torch.neg, x, -1.0, 1, normals(2))
    with pytest.raises(BadInput, match="a log-density without uniform numbers"):
        Langevin(torch.neg, x, 0.1, 1, normals(2), log_density=lambda x: x[:, 0])
