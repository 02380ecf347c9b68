"""Samplers whose numbers are none: every family, space and solver ends in one sentence and status 2, and draws nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from conformance.cases import Case, tiny_model
from pushforward.core.codec import Codec, Scale
from pushforward.core.errors import PushforwardError, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.observed import Observed
from pushforward.core.operators import parse_operator
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.families.build import build
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.shared.next_token import draw_plainly

LOST = "went off to NaN or infinity|whose probabilities are NaN"


def asked(model: GenerativeModel) -> list[dict[str, Any]]:
    """Ways to draw: by default, with every solver, and with every choice of the next symbol that this space has."""
    choices = {
        "temperature": 0.5,
        "top_k": 2,
        "top_p": 0.5,
        "min_p": 0.1,
        "typical": 0.5,
        "repetition_penalty": 1.5,
    }
    found: list[dict[str, Any]] = [
        {"solver": name, "steps": 3} for name in model.capabilities.solver_names
    ]
    found += [{name: value} for name, value in choices.items()]
    return [{}, *(options for options in found if declared(model, options))]


def declared(model: GenerativeModel, options: dict[str, Any]) -> bool:
    """Whether a walk with these options is not refused before it begins."""
    try:
        model.walk(1, **options)
    except Unsupported:
        return False
    return True


def filled(model: GenerativeModel, value: float) -> GenerativeModel:
    """The model with one value in the place of every weight."""
    for parameter in model.parameters():
        parameter.data.fill_(value)
    return model


def test_what_is_no_number_is_never_drawn(case: Case) -> None:
    model = filled(tiny_model(case), math.nan)
    for options in asked(model):
        with pytest.raises(Unsupported, match=LOST) as refused:
            model.sample(3, **options)
        assert refused.value.exit_status == 2


def test_numbers_that_overflow_are_samples_or_a_refusal(case: Case) -> None:
    model = filled(tiny_model(case), 1e30)
    for options in asked(model):
        try:
            x = model.sample(3, **options)
        except PushforwardError:
            continue
        if case.space.kind != "table":
            assert bool(torch.isfinite(x.double()).all())
        model.space.check(x)


@pytest.mark.parametrize(("levels", "operator"), [(17, "mask"), (256, "blur:1.0")])
@pytest.mark.parametrize(
    "solver", [name for name in Diffusion.capabilities.solver_names if name != "ddpm-learned"]
)
def test_a_walk_that_a_measurement_drives_off_is_a_refusal(
    solver: str, operator: str, levels: int
) -> None:
    """DPS of a measurement without much noise pulls with a step of `s^2/noise^2`, here a million times too far."""
    space = Image(3, 4, 4, levels)
    model = build("diffusion", space, values={"width": 8, "depth": 2, "context": 8})
    model.prepare(
        Examples(torch.randint(0, levels, (32, 3, 4, 4), generator=generator(0)).to(space.dtype))
    )
    values = torch.zeros(2, *space.event_shape)
    seen = Observed(
        values, torch.ones_like(values, dtype=torch.bool), parse_operator(operator, space), 1e-12
    )
    with pytest.raises(Unsupported, match=LOST) as refused:
        model.sample(
            2,
            given=Given(observed=seen),
            posterior="dps",
            solver=solver,
            steps=5 if solver == "langevin" else 30,
        )
    assert refused.value.exit_status == 2


def test_one_lost_sample_of_several_is_counted_and_the_others_do_not_hide_it() -> None:
    with pytest.raises(Unsupported, match="1 of 3 samples"):
        Codec(Image(1, 1, 2, 4), [Scale(4)]).decode(
            torch.tensor([[0.0, 0.0], [0.0, math.inf], [1.0, 0.0]])
        )
    logits = torch.zeros(3, 4)
    logits[1, 2] = math.nan
    with pytest.raises(Unsupported, match="1 of 3 draws"):
        draw_plainly(logits, torch.full((3,), 0.5))
