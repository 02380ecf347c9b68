"""Every family on a device that is not the processor: nothing is left behind, and what comes back is what the processor says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import conformance.test_conformance as suite
import pretend_device
from conformance.cases import Case, cases, examples, inverted, tiny_model
from conformance.test_conformance import estimators, quickly
from oracles import perturb
from pushforward.core.noise import BatchNoise
from pushforward.core.placement import computing_on
from pushforward.core.rng import generator
from pushforward.families.diffusion.students.distilled import METHODS

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


def there() -> list[Any]:
    """The whole suite, each of its checks with the cases of default architectures (all give the processor's numbers, see
    below); of those that train, enumerate or score again and again, the plain ones."""
    found = []
    for name, check in vars(suite).items():
        if not name.startswith("test_") or "case" not in inspect.signature(check).parameters:
            continue
        marks = [m.args[1] for m in getattr(check, "pytestmark", []) if m.name == "parametrize"]
        chosen = [
            case
            for case in (marks[0] if marks else cases())
            if case.architecture in ("", METHODS.names()[0])
            and not (check in LONG and (case.labelled or case.architecture))
        ]
        found += [pytest.param((check, case), id=f"{name[5:]}-{case}") for case in chosen]
    return found


LONG = (
    suite.test_probability_is_normalised,
    suite.test_bound_is_below_a_tighter_bound,
    suite.test_batch_never_changes_an_example,
    suite.test_seeds_repeat_and_differ,
    suite.test_save_and_load_is_exact,
    suite.test_declared_kinds_are_returned,
    suite.test_codes_round_trip,
    suite.test_training_lowers_the_held_out_quantity,
    suite.test_mixture_over_labels_is_total_probability,
)


@pytest.mark.parametrize("held", there())
def test_the_suite_holds_there(
    held: tuple[Any, Case], device: torch.device, request: pytest.FixtureRequest
) -> None:
    check, case = held
    assert tiny_model(case).device == device
    wanted = [name for name in inspect.signature(check).parameters if name != "case"]
    check(case, **{name: request.getfixturevalue(name) for name in wanted})


def test_nothing_of_the_suite_is_left_out() -> None:
    checks = {one.values[0][0] for one in there()}
    named = {
        check
        for name, check in vars(suite).items()
        if name.startswith("test_") and "case" in inspect.signature(check).parameters
    }
    # a mixture over labels has no plain case: the others hold its parts to the processor's numbers
    assert named - checks == {suite.test_mixture_over_labels_is_total_probability}


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
