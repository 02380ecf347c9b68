"""Observations, guides and classifiers from the command line: files in, samples out, and one sentence for what cannot be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import pushforward as pf
from pushforward.faces.cli.main import main


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny runs: labelled digits and a weaker one, digits without labels, points, and a flow."""
    folder = tmp_path_factory.mktemp("runs")
    plans: dict[str, tuple[str, str, dict[str, dict[str, Any]]]] = {
        "strong": ("diffusion", "digits", {}),
        "weak": ("diffusion", "digits", {"model": {"depth": 2}}),
        "plain": ("diffusion", "digits", {"data": {"labels": False}}),
        "points": ("diffusion", "two-moons", {}),
        "flow": ("flow", "two-moons", {}),
    }
    for name, (family, data, settings) in plans.items():
        pf.fit(family, data, steps=3, preset="smoke", settings=settings, path=folder / name)
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 17, (3, 1, 8, 8), dtype=np.uint8)
    np.save(folder / "digits.npy", digits)
    np.savez(folder / "digits.npz", x=digits[:1])
    Pillow.fromarray(np.round(digits[0, 0] * (255 / 16)).astype(np.uint8)).save(
        folder / "digit.png"
    )
    left = np.zeros((8, 8), bool)
    left[:, :3] = True
    np.save(folder / "left.npy", left)
    Pillow.fromarray((left * 255).astype(np.uint8)).save(folder / "left.png")
    np.save(folder / "small.npy", rng.uniform(0, 16, (4, 4)))
    np.save(folder / "point.npy", np.array([0.4, 0.0], np.float32))
    np.save(folder / "first.npy", np.array([1, 0]))
    np.save(folder / "soft.npy", left * 0.5)
    np.save(folder / "nine.npy", np.zeros((9, 9), np.uint8))
    np.save(folder / "words.npy", np.array(["a", "b"]))
    (folder / "broken.png").write_bytes(b"no picture")
    return {"folder": folder, **{name: folder / name for name in plans}}


def test_known_pixels_are_kept_whatever_file_they_came_in(call, runs, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    at, out = runs["folder"], tmp_path / "x.npy"
    digits, left = np.load(at / "digits.npy"), np.load(at / "left.npy")
    common = ["sample", runs["strong"], "--steps", 4, "--solver", "ddim", "-o", out]
    for observed, mask, n, options in (
        ("digits.npy", "left.npy", 3, ["--inpainting", "replacement"]),
        ("digits.npz", "left.png", 5, ["--repeats", 2, "--given", "3", "--guidance", "2"]),
        (
            "digit.png",
            "left.npy",
            2,
            ["--repeats", 2, "--start", at / "digit.png", "--strength", "0.5"],
        ),
    ):
        status, _, err = call(
            *common, "-n", n, "--observed", at / observed, "--mask", at / mask, *options
        )
        assert status == 0, err
        x = np.load(out)
        assert x.shape == (n, 1, 8, 8)
        known = digits if n == 3 else digits[:1]
        assert np.array_equal(
            x[:, :, left], np.broadcast_to(known[:, :, left], x[:, :, left].shape)
        )
        assert not np.array_equal(x, np.broadcast_to(known, x.shape))


def test_points_measurements_and_starts(call, runs, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    at, out = runs["folder"], tmp_path / "x.npy"
    status, printed, err = call(
        "sample",
        runs["points"],
        "-n",
        4,
        "--observed",
        at / "point.npy",
        "--mask",
        at / "first.npy",
        "--repeats",
        2,
    )
    assert status == 0, err
    rows = np.array([[float(v) for v in line.split(",")] for line in printed.splitlines()])
    assert np.allclose(rows[:, 0], 0.4, atol=1e-5)
    assert len(set(rows[:, 1])) == 4
    few = ["--steps", 4, "--solver", "ddim", "-n", 2, "-o", out]
    for options in (
        ["--observed", at / "small.npy", "--operator", "downsample:2", "--noise", "0.5"],
        ["--observed", at / "digits.npz", "--operator", "blur:1.0", "--posterior", "moment"],
        [
            "--observed",
            at / "digit.png",
            "--mask",
            at / "left.npy",
            "--operator",
            "mask",
            "--noise",
            "1",
            "--posterior",
            "dps",
        ],
        ["--start", at / "digit.png", "--strength", "0.4"],
    ):
        status, _, err = call("sample", runs["strong"], *few, *options)
        assert status == 0, err
        assert np.load(out).shape == (2, 1, 8, 8)
    status, _, _ = call(
        "sample", runs["strong"], *few, "--start", at / "digit.png", "--strength", "1e-4"
    )
    assert status == 0
    assert float((np.load(out) == np.load(at / "digits.npy")[:1]).mean()) > 0.97


def test_a_classifier_is_trained_and_guides_a_run_without_labels(
    call, runs, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    where, out = tmp_path / "classifier", tmp_path / "x.npy"
    train = ["train-classifier", runs["plain"], "digits", "-o", where, "--steps", 80, "--width", 16]
    status, printed, err = call(*train, "--json")
    assert status == 0, err
    record = json.loads(printed)
    accuracy = list(record["accuracy"].values())
    # ten classes: at small noise most digits are told apart, at the largest none
    assert accuracy[0] > 0.5
    assert accuracy[-1] < 0.35
    for name in ("a", "b"):
        short = ["-o", tmp_path / name, "--steps", 3, "--width", 8, "--seed", 4]
        assert call("train-classifier", runs["plain"], "digits", *short)[0] == 0
    assert len({(tmp_path / name / "weights.safetensors").read_bytes() for name in ("a", "b")}) == 1
    few = ["-n", 2, "--steps", 3, "--solver", "ddim", "-o", out]
    assert (
        call("sample", runs["plain"], *few, "--given", "3", "--classifier", where, "--guidance", 2)[
            0
        ]
        == 0
    )
    assert call("sample", runs["strong"], *few, "--given", "3", "--classifier", where)[0] == 0
    fitted = pf.open(runs["plain"])
    assert fitted.sample(2, given="3", classifier=where, steps=3).shape == (2, 1, 8, 8)
    for arguments, pattern in (
        (train, "holds"),
        (["sample", runs["plain"], "--classifier", where], "a classifier without a condition"),
        (
            ["sample", runs["plain"], "--given", "x", "--classifier", where],
            "'x': expected one of the 10 classes",
        ),
        (
            ["sample", runs["points"], "--given", "3", "--classifier", where],
            "a classifier for Image.*the run's Points",
        ),
        (
            ["sample", runs["plain"], "--given", "3", "--classifier", runs["plain"]],
            "no classifier at",
        ),
        (
            ["train-classifier", runs["flow"], "two-moons", "-o", tmp_path / "n"],
            "a diffusion run on images or points",
        ),
        (
            ["train-classifier", runs["plain"], "two-moons", "-o", tmp_path / "n"],
            "two-moons is Points.*the run's Image",
        ),
        (["train-classifier", runs["points"], "swiss-roll", "-o", tmp_path / "n"], "swiss-roll"),
    ):
        status, _, err = call(*arguments)
        assert status == 2, (arguments, err)
        assert re.search(pattern, err), err
    assert not (tmp_path / "n").exists()


def test_a_weaker_run_guides(call, runs, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "x.npy"
    few = ["-n", 2, "--steps", 3, "--solver", "ddim", "--guidance", "2", "-o", out]
    options = ["--guidance-interval", "0.1:5", "--guidance-rescale", "0.7"]
    assert call("sample", runs["strong"], *few, "--guide", runs["weak"], *options)[0] == 0
    by_word = np.load(out)
    settings: dict[str, Any] = {
        "steps": 3,
        "solver": "ddim",
        "guidance": 2.0,
        "guidance_interval": "0.1:5",
    }
    fitted = pf.open(runs["strong"]).sample(
        2, guide=pf.open(runs["weak"]), guidance_rescale=0.7, **settings
    )
    assert np.array_equal(by_word, fitted.numpy())
    assert not np.array_equal(
        by_word, pf.open(runs["strong"]).sample(2, steps=3, solver="ddim").numpy()
    )


@pytest.mark.parametrize(
    ("run", "words", "pattern"),
    [
        ("plain", "--guidance 2", "guidance on a model without conditions"),
        ("strong", "--guidance 2", "guidance=2.0 without a condition"),
        ("strong", "--guidance 2 --guide PLAIN", "a guide with 0 classes for a model with 10"),
        (
            "strong",
            "--guidance 2 --guide POINTS",
            r"a guide for Points\(dim=2\): expected one for the run's Image",
        ),
        ("strong", "--guidance 2 --guide FLOW", "expected a diffusion model of images or points"),
        ("strong", "--guidance 2 --guide nowhere", "no run at nowhere"),
        ("strong", "--guide WEAK", "a guide with guidance=1"),
        ("strong", "--given 3 --guidance 2 --guidance-interval 5:1", "'5:1': expected LOW:HIGH"),
        (
            "strong",
            "--observed nine.npy --mask left.npy",
            r"shape \(9, 9\) in .*nine.npy: expected \(1, 8, 8\)",
        ),
        (
            "strong",
            "--observed digits.npy --mask nine.npy -n 3",
            r"shape \(9, 9\) in .*nine.npy: expected \(1, 8, 8\)",
        ),
        (
            "strong",
            "--observed digits.npy --mask soft.npy -n 3",
            "the value 0.5 in the mask .*: expected 0 and 1 only",
        ),
        (
            "strong",
            "--observed digits.npy --mask left.npy",
            "3 examples in .* for 64 samples: expected one, or 64",
        ),
        ("strong", "--observed digits.npy -n 3", "--observed without --mask"),
        ("strong", "--mask left.npy", "--mask without --observed"),
        ("strong", "--noise 0.3", "--noise without --observed"),
        ("strong", "--observed digits.npz --mask left.npy --noise 0.1", "known exactly"),
        ("strong", "--observed digits.npz --operator sharpen:2", "unknown operator 'sharpen:2'"),
        ("strong", "--observed digits.npz --operator downsample:3", "divides both sides"),
        (
            "strong",
            "--observed digits.npz --operator downsample:2",
            r"shape \(1, 1, 8, 8\) in .*: expected \(1, 4, 4\)",
        ),
        (
            "strong",
            "--observed digits.npz --operator blur:1 --posterior dps",
            "a measurement without noise",
        ),
        (
            "strong",
            "--observed digits.npz --operator blur:1 --noise -1",
            "an observation noise of -1.0",
        ),
        (
            "strong",
            "--observed left.png --mask left.npy --strength 0.5",
            "a strength without an example",
        ),
        ("strong", "--start digit.png --strength 0", "strength=0.0: expected a share above 0"),
        ("strong", "--start digit.png --strength 1.5", "strength=1.5: expected a share"),
        ("strong", "--start digit.png", "an example to begin at without a strength"),
        (
            "strong",
            "--start small.npy --strength 0.5",
            r"shape \(4, 4\) in .*small.npy: expected \(1, 8, 8\)",
        ),
        ("strong", "--observed gone.npy --mask left.npy", "no file at .*gone.npy"),
        ("strong", "--observed words.npy --mask left.npy", "numbers"),
        ("strong", "--observed broken.png --mask left.npy", "broken.png cannot be read"),
        (
            "points",
            "--observed point.npy --operator blur:1",
            "the operator 'blur:1' on points: expected mask",
        ),
        ("flow", "--observed point.npy --mask first.npy", "flow on points given 'observed'"),
        ("flow", "--strength 0.5", "flow has no sampling option 'strength'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(
    call, runs, run, words, pattern, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    named = {name.upper(): path for name, path in runs.items()}
    arguments: list[object] = []
    for word in words.split():
        files = word.endswith((".npy", ".npz", ".png"))
        arguments.append(named.get(word, runs["folder"] / word if files else word))
    status, out, err = call("sample", runs[run], *arguments, "-o", tmp_path / "x.npy")
    assert status == 2, err
    assert out == ""
    assert re.search(pattern, err), err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
