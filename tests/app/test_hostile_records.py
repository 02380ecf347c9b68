"""Records that somebody edited, and outputs that would hit what a run was trained on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import pushforward as pf
from pushforward.faces.cli.main import main
from pushforward.provenance.records import LARGEST, _size


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    pf.fit("flow", "two-moons", steps=2, preset="smoke", path=path, progress=False)
    return path


def rewrite(run: Path, text: str) -> None:
    (run / "config.yaml").write_text(text)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["config_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))


def test_aliases_that_make_more_than_memory_holds_are_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefghijkl", "bcdefghijklm", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]")
    rewrite(run, "\n".join([*lines, (run / "config.yaml").read_text()]))
    for command in (["config", run], ["sample", run, "-n", 2], ["score", run, "two-moons"]):
        assert call(*command) == 2
        assert "values: expected at most" in capsys.readouterr().err
    # 9^13 + 9^12 + ... leaves and lists
    bomb: Any = ["x"] * 9
    for _ in range(12):
        bomb = [bomb] * 9
    assert _size(bomb, {}) == (9**14 - 1) // 8 > LARGEST


BEGAN = {"run": "/r", "data": "d", "budget": "5 steps", "share": 1.0, "new": []}
EDITS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "asked": lambda config, manifest: config.update(asked=5),
    "fitted": lambda config, manifest: config.update(fitted=[1]),
    "resumed": lambda config, manifest: manifest.update(resumed=7),
    "resumed empty": lambda config, manifest: manifest.update(resumed=[{}]),
    **{
        f"from {name}": lambda config, manifest, edit=edit: manifest.update(
            {"from": {**BEGAN, **edit} if isinstance(edit, dict) else edit}
        )
        for name, edit in {
            "words": {"share": "much"},
            "nothing": {"share": None},
            "nan": {"share": math.nan},
            "list": [1],
            "no run": {"run": None},
            "run of a number": {"run": 5},
            "no budget": {"budget": None},
            "steps": {"steps": -1},
        }.items()
    },
    "choice": lambda config, manifest: config.update(choice="abc"),
    "choice taken": lambda config, manifest: config.update(
        choice={"curves": "m", "taken": {"x": 1}}
    ),
    "space": lambda config, manifest: manifest["space"].update(dim="2"),
    "space kind": lambda config, manifest: manifest["space"].update(kind=3),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_record_is_refused_in_a_sentence(
    name: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    manifest = json.loads((run / "manifest.json").read_text())
    EDITS[name](config, manifest)
    (run / "manifest.json").write_text(json.dumps(manifest))
    rewrite(run, yaml.safe_dump(config, sort_keys=False))
    again = ["train", "flow", "two-moons", "--steps", 4, "--preset", "smoke", "--resume", "-o", run]
    for command in (["sample", run, "-n", 2], ["report", run, "-o", run.parent / "r.html"], again):
        # resuming writes the space of the data, whatever was there
        mended = "space" in name and command is again
        assert call(*command) in ((0, 2) if mended else (2,)), command
        said = capsys.readouterr().err
        assert "internal error" not in said
        assert "Traceback" not in said


def test_a_setting_that_was_asked_for_is_said_to_be_even_if_it_is_the_default(
    tmp_path: Path,
) -> None:
    run = tmp_path / "asked"
    settings = {"model.width": 64, "train.clip": 1.0}
    pf.fit(
        "flow", "two-moons", steps=2, preset="smoke", settings=settings, path=run, progress=False
    )
    known = {s["name"]: s for s in pf.config(run).json()["settings"]}
    for name in settings:
        assert known[name]["value"] == known[name]["default"]
        assert known[name]["origin"] == "asked for"
    assert known["model.bound"]["origin"] == "default"


def test_no_output_replaces_a_file_of_the_folder_that_a_run_was_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, pictures = np.random.default_rng(0), tmp_path / "pictures"
    for name in "ab":
        (pictures / name).mkdir(parents=True)
        for i in range(12):
            cells = (rng.random((8, 8)) * 255).astype("uint8")
            Image.fromarray(cells).save(pictures / name / f"{i}.png")
    run = tmp_path / "run"
    assert call("train", "vae", pictures, "--steps", 2, "--preset", "smoke", "-o", run) == 0
    before = (pictures / "a" / "3.png").read_bytes()
    for output in (pictures / "a" / "3.png", pictures / ".." / "pictures" / "b" / "1.png"):
        assert call("sample", run, "-n", 2, "-o", output) == 2
        assert "of the folder that" in capsys.readouterr().err
    assert (pictures / "a" / "3.png").read_bytes() == before
    assert call("sample", run, "-n", 2, "-o", tmp_path / "sheet.png") == 0


def test_draws_have_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "vae"
    pf.fit("vae", "two-moons", steps=2, preset="smoke", path=run, progress=False)
    assert call("score", run, "two-moons", "--samples", 10**9, "-n", 1) == 2
    assert "at most 1,000,000 samples an example" in capsys.readouterr().err
