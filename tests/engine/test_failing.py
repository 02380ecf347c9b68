"""Memory or device that fail at odd moments: one sentence, and a state that goes on as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conformance.cases import Case, examples, tiny_model
from oracles import identical
from pushforward.core.errors import RunFailed
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine import fit as engine
from pushforward.engine.average import WeightAverage
from pushforward.engine.ema_bank import EmaBank
from pushforward.engine.fit import fit
from pushforward.engine.history import History
from pushforward.engine.steering import Steering
from pushforward.engine.warm_start import AT_CHECKPOINT, Beginning

CONFIG = TrainConfig(
    steps=12, batch_size=16, checkpoint_every=4, evaluate_every=3, ema_snapshots=2, clip=0.5
)
# (what fails, on whom, at which call): the first updates, the last parts of a step, what is written
PLACES = [
    (engine, "take_step", 1),
    (engine, "take_step", 12),
    (WeightAverage, "update", 7),
    (EmaBank, "update", 6),
    (EmaBank, "keep", 8),
    (Steering, "measure", 2),
    (History, "add", 5),
    (GenerativeModel, "losses", 10),
    (GenerativeModel, "prepare", 2),
    (engine, "save_state", 2),
]


def failing(
    patch: pytest.MonkeyPatch, owner: Any, name: str, at: int, error: Callable[[], Exception]
) -> None:
    """Let something fail once it is done, at one of its calls: half of a step was made."""
    real, calls = getattr(owner, name), []

    def failed(*words: Any, **named: Any) -> Any:
        calls.append(1)
        found = real(*words, **named)
        if len(calls) == at:
            raise error()
        return found

    patch.setattr(owner, name, failed)


def trained(family: str, directory: Path, resume: bool = False) -> GenerativeModel:
    model = tiny_model(Case(family, Points(2), False))
    data = examples(Points(2), False)
    probe = ("far", lambda model: float(model.sample(8, seed=1).abs().mean()))
    fit(
        model,
        data,
        data[:16],
        CONFIG,
        directory=directory,
        begin=Beginning(resumed=resume),
        probe=probe,
    )
    return model


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GenerativeModel]:
    place = tmp_path_factory.mktemp("whole")
    return {family: trained(family, place / family) for family in ("flow", "gan")}


@pytest.mark.parametrize("lost", [False, True], ids=["memory", "device"])
@pytest.mark.parametrize(("owner", "name", "at"), PLACES, ids=[f"{p[1]}-{p[2]}" for p in PLACES])
@pytest.mark.parametrize("family", ["flow", "gan"])
def test_what_is_said_to_be_left_goes_on_as_if_nothing_had_been(
    *,
    family: str,
    owner: Any,
    name: str,
    at: int,
    lost: bool,
    whole: dict[str, GenerativeModel],
    tmp_path: Path,
) -> None:
    error = torch.AcceleratorError if lost else torch.OutOfMemoryError
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, owner, name, at, lambda: error("CUDA error: it fails"))
        with pytest.raises(RunFailed) as found:
            trained(family, tmp_path)
    said = str(found.value)
    memory = (
        "to measure held-out examples at step" if name == "measure" else "was not enough at step"
    )
    assert ("which failed at step" if lost else memory) in said
    assert ("accumulate" in said) == (not lost and name != "measure")
    kept = (tmp_path / "state" / "last.safetensors").is_file()
    assert ("--resume" in said) == kept
    assert ("begin again" in said) != kept
    assert not (lost and "the state is saved" in said)
    again = trained(family, tmp_path, resume=kept)
    for key, value in whole[family].state_dict().items():
        assert identical(value, again.state_dict()[key]), key


def test_a_rescue_that_fails_too_says_what_there_was_before(tmp_path: Path) -> None:
    def no(*_: Any) -> None:
        raise torch.OutOfMemoryError("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GenerativeModel, "losses", no)
        patch.setattr(engine, "save_state", no)
        with pytest.raises(RunFailed, match=r"step 0.*begin again with -s train.accumulate=2"):
            trained("flow", tmp_path)


@pytest.mark.parametrize("second", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_a_device_that_is_lost_in_the_rescue_leaves_the_last_checkpoint(
    second: type[Exception], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, GenerativeModel, "losses", 10, lambda: torch.OutOfMemoryError("no"))
        failing(patch, engine, "save_state", 3, lambda: second("lost"))
        with pytest.raises(RunFailed, match=r"step 9.*go on from the last checkpoint"):
            trained("flow", tmp_path)


def test_a_checkpoint_of_another_training_is_not_offered(tmp_path: Path) -> None:
    trained("flow", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, engine, "take_step", 1, lambda: torch.OutOfMemoryError("no"))
        with pytest.raises(RunFailed, match="begin again"):
            trained("flow", tmp_path)


def test_in_memory_nothing_is_said_to_be_saved() -> None:
    model, data = tiny_model(Case("flow", Points(2), False)), examples(Points(2), False)
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, engine, "take_step", 3, lambda: torch.OutOfMemoryError("no"))
        with pytest.raises(RunFailed, match=r"begin again with -s train.accumulate=2") as found:
            fit(model, data, data, TrainConfig(steps=5, batch_size=16))
    assert "--resume" not in str(found.value)


def test_a_raised_budget_is_steered_from_where_it_goes_on(tmp_path: Path) -> None:
    model, data = tiny_model(Case("flow", Points(2), False)), examples(Points(2), False)
    fit(model, data, data[:16], TrainConfig(steps=20, batch_size=16), directory=tmp_path)
    more = TrainConfig(steps=200, batch_size=16)
    record = fit(model, data, data[:16], more, directory=tmp_path, begin=AT_CHECKPOINT)
    measured = [r["step"] for r in record.history if "held_out" in r and r["step"] > 20]
    assert len(measured) >= 20
    assert measured[0] < 40
