"""The discretised logistic against scipy; sampled levels against scored ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from pushforward.core.codec import Scale
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.nets.logistic import bounded, discretised_logistic, sample_logistic

MEANS, LOG_SCALES = [-50.0, -1.0, -0.3, 0.0, 0.77, 1.0, 50.0], [-7.0, -3.0, -1.0, 0.0, 4.0]


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_discretised_logistic_is_scipys_and_sums_to_one(levels: int) -> None:
    x = torch.linspace(-1, 1, levels, dtype=torch.float64)
    edges = np.concatenate(
        [[-np.inf], (np.arange(levels - 1) + 0.5) / (levels - 1) * 2 - 1, [np.inf]]
    )
    for mean in MEANS:
        for log_scale in LOG_SCALES:
            shape = (
                torch.full((levels,), mean, dtype=torch.float64),
                torch.full((levels,), log_scale, dtype=torch.float64),
            )
            log_p = discretised_logistic(x, *shape, levels)
            assert float(log_p.exp().sum()) == pytest.approx(1.0, abs=1e-9)
            # the survival function keeps the digits of cells right of the mean that the cdf loses
            kw = {"loc": mean, "scale": math.exp(log_scale)}
            left, right = (
                np.diff(stats.logistic.cdf(edges, **kw)),
                -np.diff(stats.logistic.sf(edges, **kw)),
            )
            p = np.where(edges[1:] < mean, left, right)
            kept = p > 1e-200
            np.testing.assert_allclose(log_p.numpy()[kept], np.log(p[kept]), rtol=1e-6, atol=1e-9)


def test_discretised_logistic_has_values_and_gradients_everywhere_in_float32() -> None:
    x = torch.linspace(-1, 1, 256).repeat(len(MEANS) * len(LOG_SCALES))
    grid = torch.cartesian_prod(torch.tensor(MEANS), torch.tensor(LOG_SCALES)).repeat_interleave(
        256, dim=0
    )
    mean, log_scale = (
        grid[:, 0].clone().requires_grad_(True),
        grid[:, 1].clone().requires_grad_(True),
    )
    log_p = discretised_logistic(x, mean, log_scale, 256)
    assert bool(torch.isfinite(log_p).all())
    for g in torch.autograd.grad(log_p.sum(), (mean, log_scale)):
        assert bool(torch.isfinite(g).all())


@pytest.mark.parametrize("levels", [2, 17])
@pytest.mark.parametrize(("mean", "log_scale"), [(0.2, -1.5), (-0.9, -0.5), (1.4, 0.0)])
def test_sampled_levels_have_the_scored_probabilities(
    levels: int, mean: float, log_scale: float
) -> None:
    n, space = 50_000, Image(1, 1, 1, levels=levels)
    u = torch.rand(n, 1, 1, 1, generator=generator(4), dtype=torch.float64)
    shape = torch.full((n, 1, 1, 1), mean), torch.full((n, 1, 1, 1), log_scale)
    drawn = Scale(space.levels).decode(sample_logistic(u, *shape)).flatten().long()
    x = torch.linspace(-1, 1, levels, dtype=torch.float64)
    p = (
        discretised_logistic(x, torch.full_like(x, mean), torch.full_like(x, log_scale), levels)
        .exp()
        .numpy()
    )
    observed, expected = np.bincount(drawn.numpy(), minlength=levels), n * p
    rare = expected < 5
    groups = [np.append(c[~rare], c[rare].sum()) if rare.any() else c for c in (observed, expected)]
    # a false alarm once in a thousand for each of six cases; the seed is fixed
    assert stats.chisquare(*groups).pvalue > 1e-3


def test_bounded_keeps_a_gradient_far_outside() -> None:
    x = torch.tensor([-17.0, -7.0, 0.0, 4.0, 14.0], dtype=torch.float64, requires_grad=True)
    y = bounded(x, -7.0, 4.0)
    assert bool(((y > -7.0) & (y < 4.0)).all())
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert bool((slope > 0).all())
    # by hand: softplus(7) = 7.00091, softplus(11 - 7.00091) = 4.01725
    assert float(y[2].detach()) == pytest.approx(4.0 - 4.01725, abs=1e-4)
