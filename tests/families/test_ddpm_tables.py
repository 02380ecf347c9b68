"""DDPM's schedules: constants, respacing, zero signal-to-noise ratio, and agreement with `diffusers`."""

from __future__ import annotations

import math
import os

import pytest
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from families.diffusion_oracles import mixture
from pushforward.core.errors import BadInput
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.walk import run
from pushforward.families.build import build
from pushforward.families.diffusion.objectives.objective import objective_of
from pushforward.families.diffusion.paths.betas import (
    LARGEST_BETA,
    TABLES,
    alpha_bars,
    cosine_betas,
    linear_betas,
    scaled_linear_betas,
)
from pushforward.families.diffusion.paths.noise_law import LAWS
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.solvers.noise_grids import grid_levels
from pushforward.families.diffusion.solvers.sampler import SOLVERS


def respaced_betas(kept: torch.Tensor) -> torch.Tensor:
    """The betas `1 - alpha-bar_t/alpha-bar_(t-1)` of a chain that visits the given alpha-bars only."""
    before = torch.cat([torch.ones_like(kept[:1]), kept[:-1]])
    return 1.0 - kept / before


def test_terminal_alpha_bars_and_the_one_clipped_beta() -> None:
    ends = [
        float(alpha_bars(make())[-1]) for make in (linear_betas, scaled_linear_betas, cosine_betas)
    ]
    for found, expected in zip(ends, (4.036e-5, 4.66e-3, 2.43e-9), strict=True):
        assert found == pytest.approx(expected, rel=2e-3)
    assert (cosine_betas() == LARGEST_BETA).nonzero().flatten().tolist() == [999]


@pytest.mark.parametrize(
    ("table", "schedule", "ends"),
    [
        ("ddpm-1000", "linear", (1e-4, 0.02)),
        ("scaled-linear-1000", "scaled_linear", (0.00085, 0.012)),
        ("cosine-1000", "squaredcos_cap_v2", (1e-4, 0.02)),
    ],
)
def test_tables_are_those_of_diffusers(
    table: str, schedule: str, ends: tuple[float, float]
) -> None:
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(
        1000, beta_start=ends[0], beta_end=ends[1], beta_schedule=schedule
    )
    bars = alpha_bars(TABLES[table]())
    torch.testing.assert_close(theirs.alphas_cumprod.double(), bars, rtol=2e-4, atol=1e-11)


def test_respacing_keeps_the_products_and_not_the_betas() -> None:
    betas = linear_betas()
    bars = alpha_bars(betas)
    kept = bars[torch.linspace(99, 999, 10).long()]
    respaced = respaced_betas(kept)
    torch.testing.assert_close(alpha_bars(respaced), kept, rtol=1e-12, atol=0)
    assert bool(((respaced > 0) & (respaced < 1)).all())
    # keeping the betas instead would leave nearly all of the signal in the last of ten steps
    assert float(alpha_bars(betas[99::100])[-1]) > 0.85
    # the ancestral step between kept levels is the one of the respaced betas (Ho et al. 2020, equation 7, in y)
    s, then = ((1 - kept[5]) / kept[5]).sqrt(), ((1 - kept[4]) / kept[4]).sqrt()
    posterior = (1 - kept[4]) / (1 - kept[5]) * respaced[5] / kept[4]
    torch.testing.assert_close(then**2 * (s**2 - then**2) / s**2, posterior, rtol=1e-12, atol=0)


@pytest.mark.parametrize("table", list(TABLES))
def test_a_table_is_a_grid_of_levels_that_it_has(table: str) -> None:
    path = PATHS["log-snr"](0.012, 12.0)
    bars = alpha_bars(TABLES[table]())
    own = ((1 - bars) / bars).sqrt()
    levels = grid_levels(table, 20, path)
    assert len(levels) == 20
    assert bool((levels.diff() < 0).all())
    for level in levels[1:-1]:
        assert float((own - level).abs().min()) == 0.0
    most = int(((own > 0.012) & (own < 12.0)).sum()) + 2
    assert len(grid_levels(table, most, path).unique()) == most
    with pytest.raises(
        BadInput, match=rf"{most + 1} steps of the grid '{table}': expected at most {most}"
    ):
        grid_levels(table, most + 1, path)
    z = torch.randn(30, 2, generator=generator(0), dtype=torch.float64)
    ends = [
        run(SOLVERS["unipc"].walk(path, mixture(), lambda: z, 100, 1.0, SampleOptions(grid=g)))
        for g in (table, "log-snr")
    ]
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=0.05)


@pytest.mark.parametrize("name", ["cosine", "rectified-flow"])
def test_a_signal_to_noise_ratio_of_zero_is_refused_and_nearly_zero_is_finite(name: str) -> None:
    """Where a path's ratio ends at zero its noise says nothing of the data: no model is made there, whatever it predicts."""
    for prediction in ("noise", "velocity"):
        values = {
            "path": name,
            "prediction": prediction,
            "sigma_max": math.inf,
            "width": 16,
            "depth": 1,
        }
        with pytest.raises(
            BadInput, match=r"largest noise level of inf.*expected a finite one.*ratio of zero"
        ):
            build("diffusion", Points(2), values=values)
    path = PATHS[name](0.01, 1e6)
    assert path.ends[1] < 1.0
    for law in LAWS:
        chosen = law(path, torch.tensor(0.7))
        s = chosen.quantile(torch.tensor([0.0, 0.5, 1.0 - 1e-7]))
        for weight in ("min-snr", "likelihood", "edm", "velocity", "noise", "truncated-snr"):
            assert bool(
                torch.isfinite(objective_of(chosen, weight, torch.tensor(0.7)).weight(s)).all()
            ), weight
    least = objective_of(LAWS["time"](path, torch.tensor(0.7)), "min-snr", torch.tensor(0.7)).weight
    torch.testing.assert_close(
        least(torch.tensor([1e-30, 1.0, 1e30, math.inf])), torch.tensor([5.0, 1.0, 0.0, 0.0])
    )
    # predicted noise at a ratio of 1e-12: the denoiser and both numbers are finite
    model = build(
        "diffusion",
        Points(2),
        values={"path": name, "prediction": "noise", "sigma_max": 1e4, "width": 16, "depth": 1},
    )
    x = torch.randn(8, 2, generator=generator(1))
    assert bool(torch.isfinite(model.log_prob(x, samples=16).nats).all())
    assert bool(torch.isfinite(model.sample(4, steps=8)).all())
