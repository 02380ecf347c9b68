"""Killed before any of its writes, a command leaves what opens or goes on: nothing is lost, and weights are equal to the bit."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faults import EVERY, content, every_kill
from pushforward.app.measuring.comparing import ComparisonPlan, compare
from pushforward.app.measuring.kept import load_comparison
from pushforward.app.runs.averaging import average
from pushforward.app.runs.classifying import open_classifier, train_classifier
from pushforward.app.runs.distilling import distil_run
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.app.runs.training import open_model, train
from pushforward.core.errors import BadInput
from pushforward.data.open import open_data
from pushforward.faces.python.verbs import open as open_run
from pushforward.provenance.ownership import holdings
from remembering import remember

KINDS = {
    "points": ("flow", "autoregressive", "diffusion", "vae"),
    "pictures": ("gan", "vae", "autoregressive"),
    "table": ("autoregressive", "diffusion"),
    "text": ("autoregressive", "diffusion"),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A few examples of every kind of data, opened."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    with (folder / "table.csv").open("w", newline="") as file:
        rows = [
            (f"{x:.2f}", "ab"[k], int(10 * abs(x)))
            for x, k in zip(rng.normal(size=300), rng.integers(0, 2, 300))
        ]
        csv.writer(file).writerows([("height", "kind", "count"), *rows])
    (folder / "lines.txt").write_text("the cat sat on the mat and the dog ate the hat.\n" * 60)
    pictures = rng.integers(0, 3, size=(300, 1, 4, 4)).astype(np.uint8)
    np.savez(folder / "pictures.npz", x=pictures, y=rng.integers(0, 2, 300))
    np.save(folder / "points.npy", rng.normal(size=(300, 2)))
    return {
        "points": open_data(str(folder / "points.npy")),
        "pictures": open_data(str(folder / "pictures.npz")),
        "table": open_data(str(folder / "table.csv")),
        "text": open_data(str(folder / "lines.txt"), text={"length": 16}),
    }


def planned(source: Any, family: str, steps: int = 3, **more: Any) -> Plan:
    settings = {"train": {"checkpoint_every": 1, **more}}
    return plan_training(
        family, source, budget={"steps": steps}, preset="smoke", overrides=settings
    )


def weights(run: Path) -> bytes:
    return (run / "weights.safetensors").read_bytes()


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "history.jsonl").read_text().splitlines()]


def finished(run: Path) -> bool:
    return json.loads((run / "manifest.json").read_text())["status"] == "complete"


def opens(run: Path, way_on: str = "--resume") -> bool:
    """Open a run as `sample` does; where it cannot be opened the message must name the one way on."""
    said = ""
    try:
        open_model(run)
    except BadInput as refused:
        said = str(refused)
    assert not said or any(words in said for words in (way_on, "no run at", "is not a run")), said
    return not said


@pytest.mark.parametrize(
    ("kind", "family"), [(k, f) for k, families in KINDS.items() for f in families]
)
def test_training_goes_on_from_every_kill_to_equal_bytes(
    sources, tmp_path: Path, kind: str, family: str
) -> None:
    plan = planned(sources[kind], family)
    whole = tmp_path / "whole"
    with every_kill(whole, tmp_path / "kills", dust=(kind, family) == ("points", "flow")) as kills:
        train(plan, whole)
    assert len(kills) > 12
    opened = []
    for before, left in kills:
        opened.append(opens(left))
        train(
            plan, left, resume=left.is_dir()
        )  # one that was killed before it had a folder was never begun
        assert weights(left) == weights(whole), before
        assert steps(left) == steps(whole), before
        assert finished(left)
        assert sorted(content(left)) == sorted(content(whole)), before
    assert opened == sorted(opened)  # once it can be opened it stays so
    assert opened[-1]


@pytest.mark.parametrize("how", ["the same command", "--overwrite"])
def test_before_the_first_checkpoint_every_way_begins_anew(
    sources, tmp_path: Path, how: str
) -> None:
    plan = planned(sources["table"], "autoregressive")
    whole = tmp_path / "whole"
    with every_kill(whole, tmp_path / "kills", dust=True) as kills:
        train(plan, whole)
    early = [left for _, left in kills if not (left / "state" / "last.safetensors").exists()]
    assert len(early) > 8
    for left in early:
        train(plan, left, overwrite=how == "--overwrite")
        assert weights(left) == weights(whole)
    _, late = kills[-4]
    with pytest.raises(BadInput, match="continue that one with --resume"):
        train(plan, late)


@pytest.mark.parametrize(
    "more", [{}, {"resume": True}, {"overwrite": True}], ids=["again", "resume", "overwrite"]
)
def test_what_older_versions_left_of_a_beginning_counts_as_nothing(
    sources, tmp_path: Path, more
) -> None:
    """They wrote the manifest last: a dictionary and a configuration, or half of one, were all that a kill left."""
    plan, whole, left = (
        planned(sources["text"], "autoregressive", 2),
        tmp_path / "whole",
        tmp_path / "left",
    )
    train(plan, whole)
    left.mkdir()
    for name in ("config.yaml", "encoding.json"):
        (left / name).write_bytes((whole / name).read_bytes())
    (left / ".manifest.json.77.part").write_text("{")
    train(plan, left, **more)
    assert weights(left) == weights(whole)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "config.yaml").write_text("family: roboto\nseed: 3\n")  # another tool's
    with pytest.raises(BadInput, match=r"other files|is not a run"):
        train(plan, theirs, **more)
    assert list(content(theirs)) == ["config.yaml"]


def test_a_finished_run_that_is_extended_stays_open(sources, tmp_path: Path) -> None:
    short, long = (planned(sources["table"], "autoregressive", steps) for steps in (2, 4))
    run, whole = tmp_path / "run", tmp_path / "whole"
    for path in (run, whole):
        train(short, path)
    train(long, whole, resume=True)
    with every_kill(run, tmp_path / "kills", dust=True) as kills:
        train(long, run, resume=True)
    assert len(kills) > 12
    for before, left in kills:
        assert opens(left), before
        train(long, left, resume=True)
        assert weights(left) == weights(whole) == weights(run), before
    assert json.loads((run / "manifest.json").read_text())["resumed"][0]["step"] == 2


def test_a_run_that_is_overwritten_can_be_overwritten_again(sources, tmp_path: Path) -> None:
    old, new = (
        planned(sources["points"], "flow", 2, ema_snapshots=2),
        planned(sources["points"], "flow", 2),
    )
    run = tmp_path / "run"
    train(old, run)
    with every_kill(run, tmp_path / "kills", dust=True) as kills:
        train(new, run, overwrite=True)
    for before, left in kills:
        opens(left, "--")  # overwrite or resume, as far as it went
        train(new, left, overwrite=True)
        assert weights(left) == weights(run), before


def again_after_every_kill(
    write: Callable[[Path], Any], tmp_path: Path, whole: Callable[[Path], Any]
) -> None:
    """Kill what writes a folder before each of its writes; the same command must then work, or the folder be whole."""
    target = tmp_path / "target"
    with every_kill(target, tmp_path / "kills", dust=True) as kills:
        write(target)
    expected = content(target)
    assert len(kills) > 5
    for before, left in kills:
        if not holdings(left).worth:
            write(left)
        whole(left)
        assert {
            k: v for k, v in content(left).items() if ".json" not in k and "-lock" not in k
        } == {k: v for k, v in expected.items() if ".json" not in k}, before


def test_averages_copies_students_and_classifiers_are_made_again(sources, tmp_path: Path) -> None:
    run = tmp_path / "run"
    plan = planned(sources["pictures"], "diffusion", 4, ema_snapshots=4)
    train(plan, run)
    data = sources["pictures"].source
    again_after_every_kill(lambda to: average(run, to, 0.1), tmp_path / "average", open_model)
    again_after_every_kill(open_run(run).save, tmp_path / "copy", open_model)
    again_after_every_kill(
        lambda to: train_classifier(run, data, to, steps=2, width=8),
        tmp_path / "classifier",
        open_classifier,
    )
    student = distil_run(run, budget={"steps": 2}, overrides={"train": {"checkpoint_every": 1}})
    whole = tmp_path / "student"
    with every_kill(whole, tmp_path / "kills") as kills:
        train(student, whole)
    for before, left in kills:
        train(student, left, resume=left.is_dir())
        assert weights(left) == weights(whole), before


def test_a_comparison_goes_on_from_every_kill(sources, tmp_path: Path, monkeypatch) -> None:
    remember(monkeypatch)
    trial = ComparisonPlan({"steps": 2}, ["flow", "gan"], "smoke")
    whole = tmp_path / "whole"
    with every_kill(whole, tmp_path / "kills", dust=EVERY) as kills:
        compare(sources["points"], trial, whole)
    assert len(kills) > 25
    expected = sorted(content(whole))
    for before, left in kills:
        compare(sources["points"], trial, left, resume=True)
        for name in ("flow", "gan"):
            assert weights(left / name) == weights(whole / name), before
        assert numbers(left) == numbers(whole), before
        assert finished(left)
        assert sorted(content(left)) == expected, before


def numbers(comparison: Path) -> list[Any]:
    return [(row.name, row.likelihood, row.scores) for row in load_comparison(comparison).rows]
