"""Noise assigned to examples: the cheapest order, the law of noise kept, straight paths, and nothing claimed that needs a score."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from conformance.cases import train
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.families.build import build
from pushforward.families.diffusion.objectives.coupling import assigned


def draws(n: int, seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(n, *shape, generator=generator(seed, "draws"))


def test_no_order_is_cheaper() -> None:
    """By trying all 720 orders of six images."""
    x, eps = 3.0 * draws(6, 0, 1, 2, 2) + 1.0, draws(6, 1, 1, 2, 2)
    cost = lambda order: float((x - eps[list(order)]).square().sum())  # noqa: E731
    best = min(cost(order) for order in itertools.permutations(range(6)))
    found = assigned(x, eps)
    assert float((x - found).square().sum()) == pytest.approx(best, rel=1e-6)
    assert sorted(found.flatten().tolist()) == sorted(eps.flatten().tolist())


def test_labels_keep_their_own_noise() -> None:
    x, eps, label = draws(40, 2, 3), draws(40, 3, 3), torch.arange(40) % 3
    found = assigned(x, eps, label)
    for one in range(3):
        mine = label == one
        assert sorted(found[mine].flatten().tolist()) == sorted(eps[mine].flatten().tolist())
        torch.testing.assert_close(found[mine], assigned(x[mine], eps[mine]))


def test_blind_assignment_would_tell_the_label_and_the_aware_one_does_not() -> None:
    """Two labels at -2 and 2: blind, the noise of each has mean of about -0.8 and 0.8; aware, zero within four standard errors."""
    label = torch.randint(0, 2, (64, 50), generator=generator(4))
    means = {"blind": [], "aware": []}
    for k in range(50):
        one = label[:, k]
        x, eps = 4.0 * one.float().unsqueeze(1) - 2.0 + 0.1 * draws(64, k, 1), draws(64, 100 + k, 1)
        means["blind"].append(float(assigned(x, eps)[one == 1].mean()))
        means["aware"].append(float(assigned(x, eps, one)[one == 1].mean()))
    assert np.mean(means["blind"]) > 0.6
    assert abs(np.mean(means["aware"])) < 4.0 / np.sqrt(32 * 50)


def flow_matching(coupling: str, data: torch.Tensor) -> GenerativeModel:
    values = {
        "width": 64,
        "depth": 2,
        "context": 32,
        "path": "rectified-flow",
        "law": "time",
        "weight": "velocity",
    }
    model = build(
        "diffusion",
        Points(2),
        values={**values, "prediction": "velocity", "coupling": coupling, "sigma_max": 400.0},
    )
    model.prepare(Examples(data))
    train(model, Examples(data), 250, learning_rate=3e-3)
    return model


def test_assigned_noise_straightens_the_paths() -> None:
    """One and two Euler steps of a flow over four corners end nearer to the data than with independent noise, at equal calls."""
    corner = torch.randint(0, 4, (256,), generator=generator(5))
    data = torch.stack([corner % 2, corner // 2], 1) * 2.0 - 1.0 + 0.1 * draws(256, 6, 2)
    models = [flow_matching(coupling, data) for coupling in ("independent", "optimal-transport")]
    for steps in (1, 2):
        drawn = [
            m.sample(256, seed=1, solver="euler", steps=steps, grid="time").double().numpy()
            for m in models
        ]
        plain, straight = (energy_distance(x, data.double().numpy()) for x in drawn)
        assert straight < 0.5 * plain, steps
    fine = models[1].sample(256, seed=1, steps=32).double().numpy()
    assert energy_distance(fine, data.double().numpy()) < 0.03
    # how far a step of one goes wrong is the curvature: noise to data in one step against forty
    apart = [
        float(
            (
                m.sample(64, seed=2, solver="euler", steps=2, grid="time")
                - m.sample(64, seed=2, steps=40)
            )
            .square()
            .mean()
        )
        for m in models
    ]
    assert apart[1] < 0.5 * apart[0]


def test_a_coupled_model_claims_nothing_that_needs_a_score() -> None:
    data = draws(64, 7, 2)
    model = build(
        "diffusion",
        Points(2),
        ("a", "b"),
        values={"width": 16, "depth": 1, "coupling": "optimal-transport"},
    )
    examples = Examples(data, Given(torch.arange(64) % 2))
    model.prepare(examples)
    with pytest.raises(Unsupported, match=r"no estimator 'elbo'.*one of ode"):
        model.log_prob(data, given="a", estimator="elbo")
    assert model.log_prob(data[:2], given="a").kind == "estimate"
    for solver in ("ddpm", "dpmpp-2m-sde", "langevin"):
        with pytest.raises(BadInput, match=f"solver '{solver}'.*heun"):
            model.sample(2, solver=solver)
    with pytest.raises(BadInput, match=r"eta=0\.5 on a run with coupled noise"):
        model.sample(2, solver="ddim", eta=0.5)
    assert model.sample(3, given="b", guidance=2.0, solver="ddim", steps=4).shape == (3, 2)
    held = model.held_out(examples)
    assert held is not None
    assert held.shape == (64,)
    assert bool((held >= 0).all())
    assert model.curves(examples, train=examples) == []
    plain = build("diffusion", Points(2), values={"width": 16, "depth": 1})
    assert next(e.name for e in plain.capabilities.estimators["points"]) == "elbo"
