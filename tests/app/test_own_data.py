"""What a run was trained on is known by its content: its test rows are scored, and training rows elsewhere are counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pushforward.app.measuring.detecting import detect
from pushforward.app.measuring.evaluating import EvaluationSetting, evaluate_run
from pushforward.app.measuring.probing import probe_run
from pushforward.app.measuring.scoring import Scoring, score
from pushforward.app.runs.opening import open_source
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput

RNG = np.random.default_rng(0)
N = 300


def _points(path: Path) -> tuple[Path, Path]:
    x = RNG.normal(size=(N, 2))
    np.save(path / "x.npy", x)
    np.save(path / "new.npy", RNG.normal(size=(50, 2)))
    return path / "x.npy", path / "new.npy"


def _pictures(path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        for folder in ("seen", "new"):
            (path / folder / name).mkdir(parents=True)
            for k in range(N // 2 if folder == "seen" else 25):
                Image.fromarray(RNG.integers(0, 256, size=(4, 4), dtype=np.uint8)).save(
                    path / folder / name / f"{k}.png"
                )
    return path / "seen", path / "new"


def _table(path: Path) -> tuple[Path, Path]:
    for name, n in (("x.csv", N), ("new.csv", 50)):
        rows = [
            f"{RNG.choice(['red', 'blue'])},{RNG.normal():.4f},{RNG.normal():.3f}" for _ in range(n)
        ]
        (path / name).write_text("colour,size,weight\n" + "\n".join(rows) + "\n")
    return path / "x.csv", path / "new.csv"


def _texts(path: Path) -> tuple[Path, Path]:
    for name, n in (("x.jsonl", N), ("new.jsonl", 50)):
        words = ["".join(RNG.choice(list("abcdefghij"), size=8)) for _ in range(3000)]
        lines = [
            json.dumps({"text": " ".join(RNG.choice(words, size=6).tolist())}) for _ in range(n)
        ]
        (path / name).write_text("\n".join(lines) + "\n")
    return path / "x.jsonl", path / "new.jsonl"


MAKERS: dict[str, tuple[str, Callable[[Path], tuple[Path, Path]]]] = {
    "points": ("flow", _points),
    "pictures": ("vae", _pictures),
    "tables": ("diffusion", _table),
    "texts": ("autoregressive", _texts),
}


@pytest.fixture(scope="module", params=list(MAKERS))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A run of one step of every kind, the file that it was trained on, and another."""
    folder = tmp_path_factory.mktemp(request.param)
    family, make = MAKERS[request.param]
    file, new = make(folder)
    settings = {"length": 8} if request.param == "texts" else None
    plan = plan_training(
        family, open_source(str(file), settings), budget={"steps": 1}, preset="smoke"
    )
    train(plan, folder / "run")
    return request.param, folder / "run", file, new, plan.dataset


def _size(kind: str, summary: dict) -> int:
    return summary["text"]["tokens"] if kind == "texts" else summary["n"]


def test_the_file_that_trained_a_run_is_scored_on_its_test_rows_under_any_name(
    trained, tmp_path: Path
):
    kind, run, file, _, dataset = trained
    other = tmp_path / f"renamed{file.suffix}"
    shutil.copytree(file, other) if file.is_dir() else shutil.copy(file, other)
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    sizes = {name: len(part) for name, part in parts.items()}
    if kind == "texts":
        sizes = {name: len(stream) - 1 for name, stream in zip(parts, dataset.streams, strict=True)}
    samples = 2 if kind in ("pictures", "tables") else None
    for source in (file, other):
        found = score(run, str(source), Scoring(samples=samples))
        assert found.summary["split"] == "test"
        assert _size(kind, found.summary) == sizes["test"]
        assert "is what this run was trained on" in found.summary["notes"][0]
    for split in ("train", "validation"):
        found = score(run, str(other), Scoring(samples=samples, split=split))
        assert (found.summary["split"], _size(kind, found.summary)) == (split, sizes[split])
    whole = score(run, str(other), Scoring(samples=samples, split="all"))
    assert whole.summary["split"] == "all"
    # one token of each later stream is the last of the one before, or a boundary
    assert abs(_size(kind, whole.summary) - sum(sizes.values())) <= 2
    assert "mixes" in whole.summary["notes"][0]
    assert f"{len(dataset.train):,} training" in whole.summary["notes"][0]


def test_training_rows_among_others_are_counted(trained, tmp_path: Path):
    kind, run, file, new, dataset = trained
    few = Scoring(samples=2 if kind in ("pictures", "tables") else None)
    fresh = score(run, str(new), few)
    assert fresh.summary["split"] == "all"
    assert "notes" not in fresh.summary
    with pytest.raises(
        BadInput, match=r"test split of .*: expected a split of built-in data, or of what the run"
    ):
        score(run, str(new), Scoring(split="test"))
    if kind in ("pictures", "texts"):
        return
    mixed = tmp_path / f"mixed{file.suffix}"
    if kind == "points":
        np.save(mixed, np.concatenate([np.load(new), np.load(file)[::-1]]))
    else:
        lines = file.read_text().splitlines()
        mixed.write_text("\n".join([*new.read_text().splitlines(), *lines[:0:-1]]) + "\n")
    found = score(run, str(mixed), few)
    train = len(dataset.train)
    assert found.summary["n"] == 350
    assert (
        f"{train} of 350 rows of {mixed} occur among the {train} that this run was trained on"
        in found.summary["notes"][0]
    )


def test_texts_and_pictures_that_were_trained_on_are_counted_too(trained, tmp_path: Path):
    kind, run, file, new, _ = trained
    if kind == "pictures":
        for name in ("a", "b"):
            for picture in (new / name).iterdir():
                shutil.copy(
                    picture,
                    (tmp_path / name).mkdir(exist_ok=True)
                    or tmp_path / name / f"new-{picture.name}",
                )
            for picture in (file / name).iterdir():
                shutil.copy(picture, tmp_path / name / picture.name)
        found = score(run, str(tmp_path), Scoring(samples=2))
        assert "210 of 350 rows" in found.summary["notes"][0]
    elif kind == "texts":
        mixed = tmp_path / "mixed.jsonl"
        mixed.write_text(file.read_text() + new.read_text())
        found = score(run, str(mixed))
        assert "windows of" in found.summary["notes"][0]


def test_who_else_would_take_training_rows_as_held_out_says_so(trained, tmp_path: Path):
    kind, run, file, new, _ = trained
    if kind == "points":
        assert "210 of 300 rows" in detect(run, str(file), n=60).notes[0]
        assert detect(run, str(new), n=60).notes == ()
        mixed = tmp_path / "mixed.npy"
        np.save(mixed, np.concatenate([np.load(file)[RNG.permutation(N)], np.load(new)]))
        found = evaluate_run(run, str(mixed), EvaluationSetting(n=40))
        assert "that this run was trained on" in found.record["notes"][0]
        assert "that this run was trained on" in found.comparison.data.notes[-1]
        assert "notes" not in evaluate_run(run, str(file), EvaluationSetting(n=40)).record
    elif kind == "pictures":
        mixed = tmp_path / "mixed"
        for name in ("a", "b"):
            shutil.copytree(new / name, mixed / name)
            for picture in (file / name).iterdir():
                shutil.copy(picture, mixed / name / f"seen-{picture.name}")
        assert "that this run was trained on" in probe_run(run, str(mixed)).notes[0]
        assert probe_run(run, str(file)).notes == ()


def test_a_run_whose_data_are_gone_says_that_it_cannot_know(tmp_path: Path):
    file, new = _points(tmp_path)
    train(
        plan_training("flow", open_source(str(file)), budget={"steps": 1}, preset="smoke"),
        tmp_path / "run",
    )
    moved = file.rename(tmp_path / "moved.npy")
    assert score(tmp_path / "run", str(moved)).summary["split"] == "test"
    assert "is not known" in score(tmp_path / "run", str(new)).summary["notes"][0]
