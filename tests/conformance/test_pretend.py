"""Every family on a device that is not the processor: nothing is left behind, and what comes back is what the processor says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import conformance.test_conformance as suite
import pretend_device
from conformance.cases import Case, cases, examples, inverted, tiny_model
from conformance.test_conformance import estimators, quickly
from oracles import perturb
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.engine.placement import computing_on

pytestmark = pytest.mark.usefixtures("unsolved")
unsolved = suite.unsolved


@pytest.fixture
def device() -> Iterator[torch.device]:
    """Compute on the pretend device."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with computing_on(f"{pretend_device.NAME}:0") as device:
            yield device
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)


@pytest.mark.parametrize(
    "check",
    [
        suite.test_samples_are_legal_data,
        suite.test_gradients_are_finite_and_reach_every_group,
        suite.test_conditions,
        suite.test_every_family_shows_where_its_objective_is_spent,
        suite.test_walk_is_the_sampler,
        suite.test_a_trajectory_shows_the_walk_as_it_was,
    ],
    ids=lambda check: check.__name__[5:],
)
@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_suite_holds_there(check, case: Case, device: torch.device) -> None:
    assert tiny_model(case).device == device
    check(case)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_equal_seeds_give_what_the_processor_gives(case: Case, device: torch.device) -> None:
    """Uniform numbers are equal bit for bit; the rest is the processor's own arithmetic here, in another order at most."""

    def found() -> list[torch.Tensor]:
        model = tiny_model(case)
        perturb(model, 0.05)
        data = examples(case.space, case.labelled, n=8)
        losses = [
            loss.value.detach().cpu()
            for loss in model.losses(
                data, BatchNoise(generator(0, "step"), len(data), model.device)
            )
        ]
        drawn = [model.sample(4, seed=1).double()]
        drawn += [model.log_prob(data, **quickly(model, name)).nats for name in estimators(model)]
        if inverted(case):
            drawn.append(model.encode(data.x, data.given).value)
        if (held_out := model.held_out(data)) is not None:
            drawn.append(held_out)
        assert all(x.device.type == "cpu" for x in drawn)
        return [*losses, *drawn]

    there = found()
    with computing_on("cpu"):
        here = found()
    for a, b in zip(there, here, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_a_model_is_prepared_on_data_that_lie_there(device: torch.device) -> None:
    case = next(case for case in cases() if case.family == "flow" and case.labelled)
    data = examples(case.space, True)
    model, other = tiny_model(case), tiny_model(case)
    model.prepare(data.to(device))
    other.prepare(data)
    assert all(
        torch.equal(a.cpu(), b.cpu()) for a, b in zip(model.buffers(), other.buffers(), strict=True)
    )
