"""What `evaluate` measures, writes and refuses, through the command line."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from sklearn.datasets import load_digits

from pushforward.app.measuring import evaluating
from pushforward.app.measuring.evaluating import (
    EvaluationSetting,
    detection_power,
    evaluate_samples,
)
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.reports.page.power_page import to_csv
from remembering import remember

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of a bad model of two-moons: a normal of the right moments."""
    path = tmp_path_factory.mktemp("moons") / "normal.npy"
    np.save(
        path,
        np.random.default_rng(0).normal([0.5, 0.25], [0.87, 0.5], size=(300, 2)).astype(np.float32),
    )
    return path


def test_every_format_holds_the_same_numbers(
    moons: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(monkeypatch)  # measured once, written four times
    words = ("evaluate", "--samples", moons, "--reference", "two-moons", "-n", 100)
    for name in ("s.json", "s.csv", "s.md", "s.html"):
        assert run(*words, "-o", tmp_path / name)[0] == 0
    scores = json.loads((tmp_path / "s.json").read_text())["scores"]
    lines = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
    mine = {line["measure"]: line for line in lines if line["row"] == "normal"}
    assert {line["role"] for line in lines} == {"model", "ceiling", "floor", "copycat"}
    assert [s["name"] for s in scores] == list(mine)
    for score in scores:
        assert float(mine[score["name"]]["value"]) == float(score["value"])
        low, high, value = (mine[score["name"]][key] for key in ("floor", "ceiling", "value"))
        if mine[score["name"]]["skill"]:
            part = (float(value) - float(low)) / (float(high) - float(low))
            assert float(mine[score["name"]]["skill"]) == pytest.approx(part)
            assert score["skill"] == pytest.approx(part)
        assert score["aspect"] == mine[score["name"]]["aspect"]
    accuracy = next(s for s in scores if s["name"].startswith("classifier"))
    shown = f"{accuracy['value']:.2f}"
    assert shown in (tmp_path / "s.md").read_text()
    assert shown in (tmp_path / "s.html").read_text()
    density = next(s for s in scores if s["name"].startswith("density"))
    # a normal is no pair of moons, and said to be none
    assert density["high"] < density["null"]


def test_train_as_reference_is_named_and_its_copies_are_still_found(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", open_data("digits").train.x.numpy()[:, 0].astype(np.uint8))
    record = evaluate_samples(
        tmp_path / "x.npy", "digits", EvaluationSetting(n=200), split="train"
    ).record
    names = [score["name"] for score in record["scores"]]
    assert "frechet distance [random-conv-64 seed 0] vs train" in names
    assert "pull of training examples [pca-32] train vs held-out" in names
    (copies,) = [s for s in record["scores"] if s["name"].startswith("exact duplicates")]
    assert copies["value"] == 1.0
    assert record["memorisation"]["tripped"]


def test_labels_that_come_with_samples_are_what_was_asked_for(tmp_path: Path) -> None:
    data = load_digits()
    x, y = data.images.astype(np.uint8), data.target
    np.savez(tmp_path / "right.npz", x=x, y=y)
    np.savez(tmp_path / "wrong.npz", x=x, y=(y + 1) % 10)
    found = {}
    for path in sorted(tmp_path.iterdir()):
        scores = evaluate_samples(path, "digits", EvaluationSetting(n=100)).record["scores"]
        found[path.stem] = [s["value"] for s in scores if s["name"].startswith("label accuracy")]
    assert found["right"][0] > 0.9
    assert found["wrong"][0] < 0.1


def test_features_by_name(moons: Path, run: Run) -> None:
    words = ("evaluate", "--samples", moons, "--reference", "two-moons", "--json", "--features")
    status, out, _ = run(*words, "pca-2")
    assert status == 0
    assert json.loads(out)["scores"][0]["name"] == "frechet distance [pca-2] vs test"
    status, _, err = run(*words, "inception")
    assert status == 2
    assert "features 'inception' of points: expected one of coordinates, pca, own" in err


def test_a_corrupt_file_is_named_and_can_be_left_out(tmp_path: Path, run: Run) -> None:
    digits = load_digits().images.astype(np.uint8)
    folder = tmp_path / "samples"
    folder.mkdir()
    for i, x in enumerate(digits[:60]):
        Picture.fromarray(x * 15).save(folder / f"{i:03d}.png")
    (folder / "060.png").write_bytes(b"not a picture")
    np.savez(tmp_path / "d.npz", x=(digits * 15)[100:600])
    words = ("evaluate", "--samples", folder, "--reference", tmp_path / "d.npz")
    status, _, err = run(*words)
    assert status == 2
    assert "060.png" in err
    assert "--skip-bad" in err
    status, out, _ = run(*words, "--skip-bad")
    assert status == 0
    assert "n = 60" in out
    assert "near duplicates was left out: it needs 100 examples, and there are 60" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--samples", "S", "--reference", "two-moons", "-n", "301"),
            "-n 301: expected at most 300",
        ),
        (
            ("--samples", "S", "--reference", "two-moons", "-n", "10"),
            "expected at least 40; raise -n",
        ),
        (("--samples", "S", "--reference", "digits"), "expected Image(channels=1, height=8"),
        (("--samples", "S", "--reference", "two-moons", "--split", "tset"), "did you mean 'test'?"),
        (("--samples", "S", "--reference", "two-moons", "-o", "x.pdf"), ".json, .csv, .md, .html"),
        (("--samples", "S"), "--reference DATA"),
        (
            ("--samples", "S", "--reference", "two-moons", "--with", "guidance=3"),
            "--with with --samples",
        ),
        (
            ("--samples", "S", "--reference", "two-moons", "--rule", "a > 1"),
            "rules are about columns",
        ),
        (("--power", "--samples", "S", "--reference", "two-moons"), "--samples with --power"),
        (("--power", "--reference", "two-moons", "-n", "3000"), "at least 6000"),
        (("--power",), "evaluate --power --reference DATA"),
        (("--power", "--reference", "two-moons", "--rule", "a > 1"), "--rule with --power"),
        (("--power", "--reference", "two-moons", "-o", "p.pdf"), "ends in .json"),
        ((), "nothing to evaluate"),
    ],
)
def test_refusals(moons: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    status, out, err = run("evaluate", *(str(moons) if word == "S" else word for word in words))
    assert (status, out) == (2, "")
    assert said in err


def test_nan_samples_are_refused_with_their_place(tmp_path: Path, run: Run) -> None:
    x = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    x[17, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    status, _, err = run("evaluate", "--samples", tmp_path / "x.npy", "--reference", "two-moons")
    assert status == 2
    assert "17" in err


def test_samples_of_a_collapsed_model_are_scored_and_found_wanting(
    tmp_path: Path, run: Run
) -> None:
    np.save(tmp_path / "one.npy", np.ones((80, 2), dtype=np.float32))
    status, out, _ = run(
        "evaluate", "--samples", tmp_path / "one.npy", "--reference", "two-moons", "--json"
    )
    assert status == 0
    scores = {s["name"].partition(" [")[0]: s for s in json.loads(out)["scores"]}
    assert (scores["recall"]["value"], scores["vendi score"]["value"]) == (0.0, pytest.approx(1.0))
    assert scores["energy distance"]["low"] > scores["energy distance"]["floor"]
    np.save(tmp_path / "few.npy", np.ones((3, 2), dtype=np.float32))
    status, _, err = run("evaluate", "--samples", tmp_path / "few.npy", "--reference", "two-moons")
    assert status == 2
    assert "3 samples in" in err


def test_a_rule_of_the_user_is_counted_beside_those_of_train(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(0)
    lines = [
        f"{a},{a + b}"
        for a, b in zip(rng.integers(0, 90, 400).tolist(), rng.integers(1, 9, 400).tolist())
    ]
    (tmp_path / "real.csv").write_text("\n".join(["first,last", *lines]) + "\n")
    turned = [
        f"{b},{a}" if i < 10 else f"{a},{b}"
        for i, (a, b) in enumerate(line.split(",") for line in lines[:100])
    ]
    (tmp_path / "made.csv").write_text("\n".join(["first,last", *turned]) + "\n")
    words = (
        "evaluate",
        "--samples",
        tmp_path / "made.csv",
        "--reference",
        tmp_path / "real.csv",
        "-s",
        "data.kind=table",
    )
    status, out, err = run(*words, "--rule", "first < last", "-n", 80, "--json")
    assert status == 0, err
    (broken,) = [s for s in json.loads(out)["scores"] if s["name"].startswith("constraint")]
    assert broken["value"] > 0.05
    assert "first < last" in broken["warnings"][0]
    status, _, err = run(*words, "--rule", "first < lst")
    assert status == 2
    assert "did you mean 'last'" in err


def test_what_guidance_does_to_the_classes_is_an_option_of_sampling(
    tmp_path: Path, run: Run
) -> None:
    x, y = np.random.default_rng(0).normal(size=(300, 2)), np.arange(300) % 3
    np.savez(tmp_path / "d.npz", x=x, y=y)
    small = ("--steps", 10, "--preset", "smoke", "-o", tmp_path / "run")
    assert run("train", "diffusion", tmp_path / "d.npz", *small)[0] == 0
    status, out, _ = run(
        "evaluate",
        tmp_path / "run",
        "-n",
        40,
        "--with",
        "guidance=2",
        "--with",
        "steps=4",
        "--json",
    )
    assert status == 0
    assert (
        json.loads(out)["cost"]["calls_per_sample"] == 14.0
    )  # heun: 2 N - 1 calls, twice with guidance
    assert not (tmp_path / "run" / "scores.json").exists()
    status, _, err = run("evaluate", tmp_path / "run", "-n", 40, "--with", "guidnce=2")
    assert status == 2
    assert "guidance" in err


def test_the_historical_number_comes_with_its_warning_and_is_never_ranked(
    moons: Path, run: Run
) -> None:
    status, out, _ = run(
        "evaluate", "--samples", moons, "--reference", "two-moons", "-n", 60, "--parzen", "--json"
    )
    assert status == 0
    first = json.loads(out)["scores"][0]
    assert first["name"] == "Parzen-window log-likelihood [data] vs test"
    assert "mislead" in first["warnings"][0]


def test_what_training_examples_gain_in_likelihood_is_a_check(tmp_path: Path, run: Run) -> None:
    """Forty points in eight dimensions, learnt by heart by a flow: their code is shorter, and an attacker sees it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 8)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x_train=x[:100], x_test=x[100:])
    learnt = ("--preset", "smoke", "--steps", 150, "-s", "train.learning_rate=0.01")
    assert run("train", "flow", tmp_path / "d.npz", *learnt, "-o", tmp_path / "run")[0] == 0
    status, out, _ = run("evaluate", tmp_path / "run", "--json")
    assert status == 0
    scores = {s["name"]: s for s in json.loads(out)["scores"]}
    gap = scores["likelihood gap [exact] train vs test"]
    assert gap["low"] > 0
    assert (gap["null"], gap["unit"]) == (0.0, "nats/point")
    assert scores["membership AUC [exact likelihood] train vs held-out"]["low"] > 0.5


def test_power_says_what_is_seen_and_by_what(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third of the modes gone is seen by coverage, half a copy by the memorisation checks and by no distance."""
    seen: list[tuple[int, int]] = []
    answers: list[tuple[Dataset, list[Any]]] = []

    def five_repeats(*words: Any, step: Callable[[int, int], None]) -> Any:
        def told(done: int, total: int) -> None:
            seen.append((done, total))
            step(done, total)

        answers.append(detection_power(*words, repeats=5, step=told))
        return answers[-1]

    monkeypatch.setattr(evaluating, "detection_power", five_repeats)
    status, table, _ = run(
        "evaluate", "--power", "--reference", "two-moons", "-n", "100", "-o", tmp_path / "p.html"
    )
    ((data, found),) = answers
    assert data.name == "two-moons"
    assert seen[-1] == (60, 60)
    power = {(d.metric.partition(" [")[0], d.damage): d.power for d in found}
    assert power["coverage", "30 % of clusters dropped"] > 0.8
    assert power["near duplicates", "50 % copied from train"] > 0.8
    assert power["energy distance", "50 % copied from train"] < 0.4
    assert status == 0
    assert table.startswith("# What can be seen in two-moons at 100 against 100 examples")
    rows = [line.count("|") for line in table.splitlines() if line.startswith("|")]
    assert set(rows) == {10}
    # the page holds the cells of the table that was printed, and a file of lines every measure and damage
    cells = re.findall(r'<td class="p\d+">(.*?)</td>', (tmp_path / "p.html").read_text())
    cells = [re.sub(r'<span class="interval">(.*)</span>', r" (\1)", cell) for cell in cells]
    assert len(cells) == 8 * (len(rows) - 2)
    assert set(cells) == {
        cell.strip() for line in table.splitlines()[4:-3] for cell in line.split("|")[2:-1]
    }
    lines = list(csv.DictReader(to_csv(found).splitlines()))
    assert [(line["metric"], line["damage"], float(line["power"])) for line in lines] == [
        (d.metric, d.damage, pytest.approx(d.power, nan_ok=True)) for d in found
    ]
