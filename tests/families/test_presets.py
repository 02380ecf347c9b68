"""What presets are said to reach is written down, measured, and can be asked for with the command beside it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pushforward.app.progress.watch import Watch
from pushforward.app.request import Said
from pushforward.app.verbs.train import TrainRequest
from pushforward.core.preset import NAMES
from pushforward.faces.cli.main import main
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES
from pushforward.families.learning_curves import learning_curves
from pushforward.families.presets import UNMEASURED, preset_table
from pushforward.reports.terminal.layout import markdown_table

ROOT = Path(__file__).resolve().parents[2]
MEASURED = {
    (name, family, place): preset
    for family in FAMILIES.names()
    for (name, place), preset in family_class(family).presets.items()
    if name not in UNMEASURED
}


def test_every_preset_is_listed_and_those_of_a_processor_say_what_they_reach() -> None:
    rows = preset_table()
    assert len(rows) == sum(len(family_class(name).presets) for name in FAMILIES.names())
    assert {row["preset"] for row in rows} <= set(NAMES)
    for key, preset in MEASURED.items():
        assert preset.reached is not None, key
    for row in rows:
        assert bool(row["by"]) == (row["reaches"] not in UNMEASURED.values()), row
        if row["preset"].startswith("minute") and row["by"]:
            script, family, data, candidate, _, steps = shlex.split(row["by"])[1:]
            assert (ROOT / script).is_file()
            curve = next(
                curve
                for reference, curves in learning_curves()[family]
                for curve in curves
                if f"{curve.preset}:{curve.batch}:{curve.width:g}" == candidate
                and reference.name == data.lower()
            )
            assert curve.points[-1][0] == int(steps)
            # a number says what it is: of what quantity, in which unit
            known = family_class(family).capabilities.held_out
            assert row["reaches"].startswith(known or "energy distance")
            assert "[" in row["reaches"]
    assert sum(row["preset"] == "minute" and bool(row["by"]) for row in rows) >= 5


@pytest.mark.parametrize("key", MEASURED, ids="-".join)
def test_the_command_of_a_figure_trains_with_that_preset(
    key: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (name, family, place), preset = key, MEASURED[key]
    kind, _, architecture = place.partition(":")
    called = f"{family}:{architecture}" if architecture else family
    assert preset.reached is not None
    train, _, evaluate = preset.reached.command(called, name).partition(" && ")
    assert evaluate == "pushforward evaluate RUN"
    plans = []

    def plan(request: TrainRequest, watch: Watch) -> Said:
        plans.append(request.planned(watch))
        return Said({})

    monkeypatch.setattr(TrainRequest, "answer", plan)  # all but the training itself
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(train)[1:])
    assert not stop.value.code
    (planned,) = plans
    assert planned.dataset.space.kind == kind
    assert preset.model.items() <= planned.model_values.items()
    chosen = planned.train_config.model_dump()
    assert preset.train.items() <= chosen.items()
    assert chosen["steps"] == preset.reached.steps


@pytest.mark.parametrize("key", MEASURED, ids="-".join)
def test_a_figure_is_in_the_log(key: tuple[str, str, str]) -> None:
    reached = MEASURED[key].reached
    assert reached is not None
    line = f"| {reached.data} | {reached.steps:,} |"
    lines = [row for row in (ROOT / "LOG.md").read_text().splitlines() if line in row]
    assert any(reached.figures in row for row in lines)


def test_the_documented_presets_are_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "capabilities.md").read_text()
    between = text.split("<!-- presets -->")[1].split("<!-- /presets -->")[0].strip()
    assert between == markdown_table(preset_table())
    with pytest.raises(SystemExit):
        main(["families", "--presets", "--markdown"])
    assert capsys.readouterr().out.strip() == between
