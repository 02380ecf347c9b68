"""Step for step with the schedulers of `diffusers` on identical noise predictions: the exact ones of a mixture."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
import torch
from torch import Tensor

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from families.diffusion_oracles import mixture
from pushforward.core.rng import generator
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.ode_coordinates import ScaledByNoise
from pushforward.families.diffusion.solvers.sampler import HEUN
from pushforward.families.diffusion.solvers.schemes import (
    Ancestral,
    LargeAncestral,
    PredictorCorrector,
    Scheme,
    SecondOrderMultistep,
    Seen,
)

diffusers = pytest.importorskip("diffusers")
# theirs, about numpy's protocol
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BETAS: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
}
MULTISTEP: dict[str, Any] = {
    "solver_order": 2,
    "final_sigmas_type": "zero",
    "timestep_spacing": "leading",
}
STEPS = 20


def begin() -> Tensor:
    return torch.randn(32, 2, generator=generator(2), dtype=torch.float64)


def theirs(scheduler: Any, seed: int | None = None) -> tuple[Tensor, Tensor]:
    """Run a scheduler in x with the noise that the mixture implies; returns the sample and the noise levels it visited."""
    oracle, x = mixture(), begin()
    scheduler.set_timesteps(STEPS)
    options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
    levels = []
    for t in scheduler.timesteps:
        bar = scheduler.alphas_cumprod[int(t)].double()
        level = ((1 - bar) / bar).sqrt()
        clean = oracle(x / bar.sqrt(), level)
        eps = (x - bar.sqrt() * clean) / (1 - bar).sqrt()
        x = scheduler.step(eps, t, x, **options).prev_sample
        levels.append(level)
    return x, torch.stack(levels)


def ours(scheme: Scheme, levels: Tensor, seed: int = 0) -> Tensor:
    """Walk the same levels from the same x, and end at noise zero."""
    oracle, rng = mixture(), torch.Generator().manual_seed(seed)
    y, past = begin() * (1 + levels[0] ** 2).sqrt(), ()
    for level, then in itertools.pairwise([*levels, None]):
        now = Seen(level, y, oracle(y, level))
        now = Seen(level, scheme.correct(now, past), now.clean)
        if then is None:
            return now.clean
        y = scheme.step(
            now, then, past, lambda: torch.randn(32, 2, generator=rng, dtype=torch.float64)
        )
        past = (now, *past)[:2]
    raise AssertionError


@pytest.mark.parametrize(
    ("scheduler", "scheme"),
    [
        (
            diffusers.DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=True),
            Ancestral(0.0),
        ),
        (diffusers.DPMSolverMultistepScheduler(**BETAS, **MULTISTEP), SecondOrderMultistep(0.0)),
        (diffusers.UniPCMultistepScheduler(**BETAS, **MULTISTEP), PredictorCorrector()),
    ],
    ids=["ddim", "dpmpp-2m", "unipc"],
)
def test_deterministic_schedulers(scheduler: Any, scheme: Scheme) -> None:
    x, levels = theirs(scheduler)
    # their tables are in single precision
    torch.testing.assert_close(ours(scheme, levels), x, rtol=1e-3, atol=1e-4)
    # and the tolerance is far from what another scheme does
    other = ours(
        SecondOrderMultistep(0.0) if isinstance(scheme, Ancestral) else Ancestral(0.0), levels
    )
    assert float((other - x).abs().max()) > 0.02


@pytest.mark.parametrize(
    ("variance", "scheme"), [("fixed_small", Ancestral(1.0)), ("fixed_large", LargeAncestral())]
)
def test_ddpm_with_the_same_noise(variance: str, scheme: Scheme) -> None:
    scheduler = diffusers.DDPMScheduler(**BETAS, clip_sample=False, variance_type=variance)
    x, levels = theirs(scheduler, seed=5)
    torch.testing.assert_close(ours(scheme, levels, seed=5), x, rtol=1e-3, atol=1e-3)


def test_heun() -> None:
    oracle, scheduler = mixture(), diffusers.HeunDiscreteScheduler(**BETAS)
    scheduler.set_timesteps(STEPS)
    y = begin() * float(scheduler.sigmas[0])
    x = y.clone()
    for t in scheduler.timesteps:
        scheduler.scale_model_input(x, t)
        level = scheduler.sigmas[scheduler.step_index].double()
        x = scheduler.step((x - oracle(x, level)) / level, t, x).prev_sample
    levels = scheduler.sigmas.double().unique_consecutive()
    where = ScaledByNoise(VariancePreserving(0.001, 200.0))
    for a, b in itertools.pairwise(levels[:-1]):
        y = HEUN.step(where.field(oracle), y, a, b)
    torch.testing.assert_close(oracle(y, levels[-2]), x, rtol=1e-3, atol=1e-4)
