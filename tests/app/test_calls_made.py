"""Network calls that are shown are those that were made: counted beside the network itself, whatever ended early or cost more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance.cases import SPACES, Case, tiny_model
from pushforward.app.measuring.examples import draw_like_reference
from pushforward.app.measuring.sweeping import _Measured
from pushforward.core.given import Given
from pushforward.core.model import GenerativeModel
from pushforward.core.walk import run, spending
from pushforward.data.open import open_data
from pushforward.evaluation.features.default import default_features
from pushforward.families.build import build
from pushforward.families.diffusion.solvers.sampler import SOLVERS


@contextmanager
def rows_through(*networks: nn.Module) -> Iterator[list[int]]:
    """Count the rows that networks are asked about."""
    rows: list[int] = []
    hooks = [
        net.register_forward_pre_hook(lambda module, given: rows.append(len(given[0])))
        for net in networks
    ]
    try:
        yield rows
    finally:
        for hook in hooks:
            hook.remove()


def networks_of(model: GenerativeModel) -> tuple[nn.Module, ...]:
    return tuple(model.networks().values())


GUIDED: tuple[dict[str, Any], ...] = (
    {"guidance": 3.0},
    {"guidance": 3.0, "guidance_interval": "0.3:5"},
    {"guidance": 3.0, "guidance_interval": "0.3:5", "steps": 7},
)


@pytest.mark.parametrize(
    "solver", [name for name in SOLVERS.names() if name not in ("ddpm-learned", "langevin")]
)
def test_calls_of_points_are_those_of_the_network(solver: str) -> None:
    model = tiny_model(Case("diffusion", SPACES["points"][0], True))
    for options in ({}, *GUIDED):
        if solver == "ode" and "steps" in options:
            continue
        given = Given(torch.tensor([0, 1, 2, 0, 1])) if options else None
        for batch in (5, 2):
            with rows_through(*networks_of(model)) as rows, spending() as spent:
                model.sample(5, given=given, solver=solver, batch=batch, **options)
            assert spent.examples == 5
            assert spent.per_example == pytest.approx(sum(rows) / 5)
    planned = model.walk(5, solver="ode")
    with spending() as spent:
        run(planned)
    assert 4 <= spent.per_example < planned.calls / 2


@pytest.mark.parametrize("solver", ["ode", "heun", "pc"])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_calls_of_rows_are_those_of_symbols_and_numbers(solver: str, guidance: float) -> None:
    model = tiny_model(Case("diffusion", SPACES["table"][0], True))
    given = Given(torch.tensor([0, 1, 2]))
    with rows_through(*networks_of(model)) as rows, spending() as spent:
        model.sample(3, given=given, solver=solver, guidance=guidance)
    assert spent.per_example == pytest.approx(sum(rows) / 3)
    assert spent.per_example <= model.walk(3, given=given, solver=solver, guidance=guidance).calls


@pytest.mark.parametrize("family", ["vae", "gan", "flow", "autoregressive"])
def test_families_of_a_fixed_cost_pay_what_they_declare(family: str) -> None:
    model = tiny_model(Case(family, SPACES["points"][0], False))
    with spending() as spent:
        model.sample(7, batch=3)
    assert spent.per_example == model.walk(1).calls


def test_a_text_that_ends_early_has_cost_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that can only be the boundary is over after one token: it was read, and looked at once more."""
    text = replace(SPACES["text"][0], length=8)  # type: ignore[type-var]
    model = build("autoregressive", text, values={"width": 16, "depth": 1, "heads": 2})
    walk: Any = model.walk(4)
    asked = [0]
    for name in ("begin", "step"):
        real = getattr(walk.model, name)

        def counted(*arguments: Any, real: Any = real) -> Any:
            asked[0] += 1
            return real(*arguments)

        monkeypatch.setattr(walk.model, name, counted)
    with spending() as spent:
        run(walk)
    assert spent.per_example == asked[0] <= walk.calls


def test_what_is_shown_of_a_model_and_of_a_sweep_was_counted() -> None:
    data = open_data("two-moons", labels=False)
    model = build("diffusion", data.space, values={"width": 16, "depth": 1})
    model.prepare(data.train)
    places = torch.arange(60)
    with rows_through(*networks_of(model)) as rows:
        *_, calls = draw_like_reference(model, data, places, 0, {"solver": "ode"})
    # the first two rows that are drawn pay for lazy set-up, and for nothing else
    warm = next(i for i, n in enumerate(rows) if n == 60)
    assert calls == sum(rows[warm:]) / 60 < model.walk(2, solver="ode").calls / 4
    x = data.test.x[:60].numpy()
    features = default_features(data.space, np.asarray(data.train.x), 0)[0]
    measured = _Measured(model, data.test[:60], features(x), features, 0)
    with rows_through(*networks_of(model)) as rows:
        place: Any = measured.place("ode", 121)
    assert place.calls == sum(rows) / 60 < 60
    assert place.steps == 40
