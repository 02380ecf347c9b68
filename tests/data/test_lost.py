"""What of the user's data does not reach a model is said: at the end of a description, and before training."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from pushforward.faces.cli.main import main
from pushforward.faces.python.verbs import fit, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of 30 pictures, one of them broken."""
    rng = np.random.default_rng(0)
    for i in range(30):
        Pillow.fromarray(rng.integers(0, 256, (6, 6), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "7.png").write_bytes(b"no picture")
    return tmp_path


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


def test_a_description_ends_with_what_is_lost(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run("data", "describe", str(folder), "--skip-bad") == 0
    assert capfd.readouterr().out.endswith("lost:\n  - 1 file that could not be read\n")
    assert _run("data", "describe", str(folder), "--skip-bad", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    assert list(record)[-1] == "lost"
    assert record["lost"] == ["1 file that could not be read"]
    assert _run("data", "describe", "digits") == 0
    assert capfd.readouterr().out.endswith("lost:\n  - nothing is lost\n")


def test_training_says_what_is_lost_first(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    arguments = (
        "train",
        "vae",
        str(folder),
        "--skip-bad",
        "--steps",
        "2",
        "--preset",
        "smoke",
        "-o",
        str(run),
    )
    assert _run(*arguments) == 0
    said = capfd.readouterr().err
    assert "lost: 1 file that could not be read" in said
    assert said.index("lost:") < said.index("2 steps")
    assert json.loads((run / "manifest.json").read_text())["data"]["lost"] == [
        "1 file that could not be read"
    ]


def test_fit_says_it_to_whoever_listens(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="pushforward"):
        fit("vae", load(folder, skip_bad=True), steps=1, preset="smoke")
    assert caplog.messages[-1] == "lost: 1 file that could not be read"


def test_whatever_is_left_out_is_lost(tmp_path: Path) -> None:
    texts = load(["to be", "", "or not", ""] * 10)
    assert "20 empty documents left out" in texts.notes
    assert texts.lost == ("20 empty documents",)
    pictures = np.random.default_rng(0).integers(0, 9, (30, 4, 4))
    np.savez(tmp_path / "x.npz", images=pictures, labels=np.full(30, 7))
    one = load(tmp_path / "x.npz")
    assert "one class only, so labels are left out" in one.notes
    assert "the labels: all are of one class (7)" in one.lost
