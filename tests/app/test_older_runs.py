"""Runs that older versions wrote stay runs: their configurations build the networks that their weights fit.

`older_runs.json` holds what commit f8e132e left of 24 small trainings, one of every family, kind of data and architecture: the
configuration, the space, the classes, and the sha256 of the sorted names and shapes of the weights. It is never written anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import pushforward as pf
from pushforward.core.space import space_from_json
from pushforward.core.spec import TrainConfig, parse
from pushforward.faces.cli.main import main
from pushforward.families.build import build

OLDER: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("older_runs.json").read_text()
)


@pytest.mark.parametrize("name", OLDER)
def test_an_older_configuration_builds_the_network_of_its_weights(name: str) -> None:
    run = OLDER[name]
    config = run["config"]
    parse(TrainConfig, config["train"], "train")
    model = build(
        config["family"],
        space_from_json(run["space"]),
        tuple(run["classes"]),
        config["model"],
        config["seed"],
    )
    shapes = sorted([key, list(value.shape)] for key, value in model.state_dict().items())
    assert hashlib.sha256(json.dumps(shapes).encode()).hexdigest() == run["shapes"]


@pytest.fixture
def rewritten(tmp_path: Path):
    """Return a function that gives a run another configuration, as if another version had written it."""
    run = tmp_path / "run"
    pf.fit("flow", "two-moons", steps=2, preset="smoke", path=run, progress=False)

    def rewrite(change: Any) -> Path:
        config = yaml.safe_load((run / "config.yaml").read_text())
        change(config)
        text = yaml.safe_dump(config, sort_keys=False)
        (run / "config.yaml").write_text(text)
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["config_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        (run / "manifest.json").write_text(json.dumps(manifest))
        return run

    return rewrite


def test_a_configuration_of_an_older_format_opens(rewritten) -> None:
    def older(config: dict[str, Any]) -> None:
        del config["asked"], config["train"]["matrix_learning_rate"], config["train"]["precision"]

    run = rewritten(older)
    assert pf.open(run).sample(3, seed=0).shape == (3, 2)
    known = {s["name"]: s for s in pf.config(run).json()["settings"]}
    assert known["train.precision"]["origin"] == "default"
    resumed = pf.fit(
        "flow", "two-moons", steps=4, preset="smoke", path=run, resume=True, progress=False
    )
    assert resumed.sample(3, seed=0).shape == (3, 2)


def test_a_setting_that_this_version_does_not_know_is_named(
    rewritten, capsys: pytest.CaptureFixture[str]
) -> None:
    run = rewritten(lambda config: (config["model"].update(rank=3), config["train"].update(lr=1)))
    text = str(pf.config(run))
    assert "model.rank = 3 (not known to this version)" in text
    assert "train.lr = 1 (not known to this version)" in text
    again = ["train", "flow", "two-moons", "--steps", "4", "--preset", "smoke", "--resume", "-o"]
    # what is trained or sampled depends on it, so nobody guesses
    for command in (["sample", run, "-n", "2"], ["score", run, "two-moons"], [*again, run]):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in command])
        assert stop.value.code == 2, command
        said = capsys.readouterr().err
        assert re.search(r"config.yaml: unknown key '(model.rank|train.lr)'", said), command
        assert "another version of pushforward may have written it" in said


def test_a_run_whose_seeds_stood_for_other_numbers_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    asked = ("train", "flow", "two-moons", "--preset", "smoke", "-o", str(run))

    def said(*words: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main([*words])
        assert not stop.value.code
        return capsys.readouterr().err

    assert "seeds" not in said(*asked, "--steps", "2") + said("sample", str(run), "-n", "2")
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["format"] == 2
    (run / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    told = "run is of an earlier version, in which seeds stood for other random numbers"
    assert told in " ".join(said("sample", str(run), "-n", "2").split())
    assert told in " ".join(said(*asked, "--steps", "4", "--resume").split())
    assert "seeds" not in said("sample", str(run), "-n", "2")  # resumed by this version


def test_a_streamed_text_of_such_a_run_says_so_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, text = tmp_path / "run", tmp_path / "t.txt"
    text.write_text("the cat sat on the mat. " * 400)
    pf.fit("ar", text, steps=2, preset="smoke", path=run, progress=False)
    told = []
    for number in (2, 1):
        manifest = json.loads((run / "manifest.json").read_text())
        (run / "manifest.json").write_text(json.dumps({**manifest, "format": number}))
        with pytest.raises(SystemExit) as stop:
            main(["sample", str(run), "--stream", "--length", "8"])
        assert not stop.value.code
        told.append(
            "seeds stood for other random numbers" in " ".join(capsys.readouterr().err.split())
        )
    assert told == [False, True]
