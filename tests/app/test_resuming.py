"""What `--resume` promises: a run is never called what it is not, and what differs from one that never stopped is said."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch

from faults import content
from pushforward.app.runs.averaging import average
from pushforward.app.runs.distilling import distil_run
from pushforward.app.runs.opening import open_source, reopen
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.app.runs.resuming import data_settings_of
from pushforward.app.runs.training import open_model, train
from pushforward.core.errors import BadInput
from pushforward.core.scoring import mean_log_det
from pushforward.data.open import open_data
from pushforward.engine.checkpoint import LAST, load_counters, load_state, save_state
from pushforward.provenance.ownership import claim
from pushforward.provenance.run_directory import open_record


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(200, 2)))
    return open_data(str(folder / "points.npy"))


def planned(data: Any, budget: dict[str, float], family: str = "flow", **more: Any) -> Plan:
    settings = {"train": {"checkpoint_every": 1, "batch_size": 10, **more}}
    return plan_training(family, data, budget=budget, preset="smoke", overrides=settings)


SPENT = [
    ({"steps": 4}, {"steps": 3}, "3 steps, of which .* has spent 4 steps"),
    ({"steps": 4}, {"steps": 1}, "1 steps, of which .* has spent 4 steps"),
    ({"steps": 4}, {"examples": 39}, "39 examples, of which .* has spent 40 examples"),
    ({"steps": 4}, {"seconds": 1e-4}, "0.0001 s of wall clock, of which .* has spent"),
    ({"seconds": 0.05}, {"seconds": 0.01}, "0.01 s of wall clock, of which .* has spent 0"),
    ({"seconds": 0.05}, {"steps": 1}, r"1 steps, of which .* has spent \d+ steps"),
    ({"examples": 40}, {"examples": 20}, "20 examples, of which .* has spent 40 examples"),
]


@pytest.mark.parametrize(("first", "then", "words"), SPENT)
def test_a_smaller_budget_never_renames_a_run(
    data, tmp_path: Path, first, then, words: str
) -> None:
    train(planned(data, first), tmp_path / "run")
    before = content(tmp_path / "run")
    with pytest.raises(BadInput, match=words):
        train(planned(data, then), tmp_path / "run", resume=True)
    assert content(tmp_path / "run") == before
    budget = json.loads(before["manifest.json"] or b"")["fit"]["budget"]
    # its own budget changes nothing, however often
    again = train(planned(data, first), tmp_path / "run", resume=True)
    assert again.record.budget == budget
    assert content(tmp_path / "run")["weights.safetensors"] == before["weights.safetensors"]
    assert again.record.seconds == json.loads(before["manifest.json"] or b"")["fit"]["seconds"]


def test_a_larger_budget_goes_on_and_says_what_that_means(data, tmp_path: Path) -> None:
    train(planned(data, {"steps": 2}), tmp_path / "run")
    said: list[str] = []
    train(planned(data, {"steps": 5}), tmp_path / "run", resume=True, announce=said.append)
    assert len(said) == 1
    assert (
        "the budget was 2 steps and is 5 steps: from step 2 on the learning rate goes by the new one"
        in said[0]
    )
    record = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (record["fit"]["steps"], record["fit"]["budget"], record["status"]) == (
        5,
        "5 steps",
        "complete",
    )
    assert [(leg["step"], leg["budget"]) for leg in record["resumed"]] == [(2, "5 steps")]
    assert record["started"] <= record["finished"]


def test_patience_is_not_renamed_either(data, tmp_path: Path) -> None:
    patient = {"patience": 1, "evaluate_every": 1, "learning_rate": 30.0}
    record = train(planned(data, {"steps": 60}, **patient), tmp_path / "run").record
    assert record.stopped == "patience"
    with pytest.raises(BadInput, match=r"train\.patience stopped at step"):
        train(planned(data, {"steps": 90}, **patient), tmp_path / "run", resume=True)
    assert (
        train(planned(data, {"steps": 60}, **patient), tmp_path / "run", resume=True).record.steps
        == record.steps
    )


def test_seconds_add_up_over_legs(data, tmp_path: Path) -> None:
    run, seconds = tmp_path / "run", [0.0]
    for steps in (3, 6, 9):
        record = train(
            planned(data, {"steps": steps}, evaluate_every=1), run, resume=run.is_dir()
        ).record
        assert record.seconds > seconds[-1]
        assert load_counters(run / "state" / "last.safetensors")["seconds"] == record.seconds
        seconds.append(record.seconds)
    legs = json.loads((run / "manifest.json").read_text())["resumed"]
    assert [leg["seconds"] for leg in legs] == [round(s, 3) for s in seconds[1:3]]
    history = [
        json.loads(line)["seconds"] for line in (run / "history.jsonl").read_text().splitlines()
    ]
    assert history == sorted(history)


@pytest.mark.parametrize(
    ("key", "was"),
    [("torch", "2.0.0"), ("machine", "Linux x86_64, 64 threads"), ("pushforward", "0.0.1")],
)
def test_another_machine_is_said_and_remembered(data, tmp_path: Path, key: str, was: str) -> None:
    run = tmp_path / "run"
    train(planned(data, {"steps": 2}), run)
    record = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(
        json.dumps({**record, "versions": {**record["versions"], key: was}})
    )
    said: list[str] = []
    train(planned(data, {"steps": 3}), run, resume=True, announce=said.append)
    assert len(said) == 2
    assert f"{key} was {was} and is" in said[1]
    assert "byte for byte" in said[1]
    after = json.loads((run / "manifest.json").read_text())
    assert after["versions"][key] == was
    assert after["resumed"][0]["versions"][key] == record["versions"][key]
    said.clear()  # the next leg goes on from this machine
    train(planned(data, {"steps": 4}), run, resume=True, announce=said.append)
    assert len(said) == 1


def test_what_was_not_trained_here_is_not_gone_on_with(data, tmp_path: Path) -> None:
    plan = planned(data, {"steps": 4}, ema_snapshots=4)
    train(plan, tmp_path / "run")
    average(tmp_path / "run", tmp_path / "mean", 0.1)
    before = content(tmp_path / "mean")
    with pytest.raises(BadInput, match="no checkpoint to go on from"):
        train(plan, tmp_path / "mean", resume=True)
    assert content(tmp_path / "mean") == before
    open_model(tmp_path / "mean")
    checkpoint = tmp_path / "run" / "state" / "last.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    before = content(tmp_path / "run")
    with pytest.raises(BadInput, match=r"the checkpoint .* cannot be read"):
        train(plan, tmp_path / "run", resume=True)
    assert content(tmp_path / "run") == before


def test_a_torn_line_of_the_record_is_forgotten(data, tmp_path: Path) -> None:
    train(planned(data, {"steps": 3}), tmp_path / "run")
    with (tmp_path / "run" / "history.jsonl").open("a") as file:
        file.write('{"step": 3, "secon')
    train(planned(data, {"steps": 5}), tmp_path / "run", resume=True)
    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps[:3] == [1, 2, 3]
    assert steps[-1] == 5


def test_runs_of_before_open_go_on_and_are_overwritten(data, tmp_path: Path) -> None:
    """A manifest that does not say its kind, and has no processor."""
    run, plan = tmp_path / "run", planned(data, {"steps": 2})
    train(plan, run)
    record = json.loads((run / "manifest.json").read_text())
    del record["kind"], record["versions"]["processor"]
    (run / "manifest.json").write_text(json.dumps(record))
    open_model(run)
    train(planned(data, {"steps": 3}), run, resume=True)
    (run / "manifest.json").write_text(json.dumps(record | {"status": "training"}))
    with pytest.raises(BadInput, match="holds another run"):
        claim(run)
    claim(run, overwrite=True)
    assert not list(run.iterdir())


def test_a_run_of_before_goes_on_in_its_own_unit(tmp_path: Path) -> None:
    """What is held out was measured of standardised numbers; beside it a number of data would always, or never, be the best."""
    np.save(tmp_path / "wide.npy", 9.0 * np.random.default_rng(0).normal(size=(200, 2)))
    wide = open_data(str(tmp_path / "wide.npy"))
    train(planned(wide, {"steps": 2}), tmp_path / "now")
    copytree(tmp_path / "now", tmp_path / "before")
    by = mean_log_det(open_model(tmp_path / "before")[0], wide.validation[:512], seed=0)
    assert by == pytest.approx(-2 * math.log(9.0), abs=0.3)
    state = tmp_path / "before" / "state" / LAST
    sections, counters = load_state(state)
    moved = {key: counters[key] + by for key in ("held_out", "best")}
    save_state(state, sections, {**counters, **moved, "held_out_name": "-log p [nats]"})
    facts = []
    for name in ("now", "before"):
        train(planned(wide, {"steps": 5}), tmp_path / name, resume=True)
        facts.append(json.loads((tmp_path / name / "manifest.json").read_text())["fit"])
    assert [fact["held_out_name"] for fact in facts] == [
        "-log p of the data [nats]",
        "-log p [nats]",
    ]
    assert facts[0]["best_step"] == facts[1]["best_step"]
    assert facts[1]["best_held_out"] == pytest.approx(facts[0]["best_held_out"] + by, abs=1e-4)


def test_a_student_does_not_replace_its_teacher(data, tmp_path: Path) -> None:
    teacher = tmp_path / "teacher"
    train(planned(data, {"steps": 2}, family="diffusion"), teacher)
    before = content(teacher)
    for target in (teacher, teacher / "state" / "..", tmp_path):
        with pytest.raises(BadInput, match=r"does not hold the teacher|holds other files"):
            train(distil_run(teacher, budget={"steps": 2}), target, overwrite=True)
    assert content(teacher) == before


def test_going_on_and_replacing_are_two_things(run, data, tmp_path: Path) -> None:
    for words in (["train", "flow", "two-moons"], ["compare", "two-moons", "--families", "flow"]):
        (tmp_path / words[0]).mkdir()
        status, _, err = run(
            *words, "--steps", 2, "-o", tmp_path / words[0], "--resume", "--overwrite"
        )
        assert (status, "--resume with --overwrite" in err) == (2, True)


def test_a_table_is_read_as_the_run_began_and_by_runs_from_before_that_was_kept(
    tmp_path: Path,
) -> None:
    rows = [f"{i}.25,{'<0.5' if i % 4 == 0 else f'{i % 7}.5e3'}" for i in range(60)]
    file, run = tmp_path / "lod.csv", tmp_path / "run"
    file.write_text("\n".join(["a,lod", *rows]) + "\n")
    given = {"columns.lod": "number"}
    assert data_settings_of(run, given) == given

    def plan(steps: int) -> Plan:
        kept = data_settings_of(run, None if run.exists() else given)
        overrides = {"data": kept, "train": {"checkpoint_every": 1, "batch_size": 10}}
        return plan_training(
            "ar",
            open_source(str(file), kept),
            budget={"steps": steps},
            preset="smoke",
            overrides=overrides,
        )

    train(plan(2), run)
    # as an older version wrote it: nothing of readings, and fewer fields of notations
    record = json.loads((run / "encoding.json").read_text())
    for stored in record["stored"]:
        del (
            stored["reading"],
            stored["marks"],
            stored["notation"]["mixed"],
            stored["notation"]["lead"],
        )
    (run / "encoding.json").write_text(json.dumps(record))
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["encoding_sha256"] = hashlib.sha256((run / "encoding.json").read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))
    old = reopen(open_record(run))
    assert (
        torch.isnan(
            torch.cat([part.x for part in (old.train, old.validation, old.test) if part])[:, 1]
        ).sum()
        == 15
    )
    assert train(plan(3), run, resume=True).record.steps == 3
