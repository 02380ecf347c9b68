"""How networks compute, by command: precision, compilation and recomputation are asked for, refused, and said once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--preset", "smoke", "--steps", 3)


def test_half_precision_is_refused_on_a_processor(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "run"
    half = ("-s", "train.precision=float16", "-o", place)
    status, _, err = run("train", "vae", "two-moons", *SMALL, *half)
    said = " ".join(err.split())
    assert status == 2, said
    assert "train.precision=float16 on a processor" in said
    assert "auto, float32 or bfloat16" in said
    assert not place.exists()
    with pytest.raises(BadInput, match="float16 on a processor"):
        pf.fit("vae", "two-moons", steps=3, settings={"train": {"precision": "float16"}})


@pytest.mark.parametrize("setting", ["precision=half", "compile=perhaps", "compile=2"])
def test_other_words_are_refused(setting: str, run: Run, tmp_path: Path) -> None:
    status, _, err = run(
        *("train", "vae", "two-moons", *SMALL, "-s", f"train.{setting}", "-o", tmp_path / "run")
    )
    assert status == 2
    assert f"train.{setting}" in err
    assert not (tmp_path / "run").exists()


def test_a_missing_compiler_is_said_once(run: Run, tmp_path: Path) -> None:
    from torch._inductor import config

    missing = config.patch({"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True})
    place = tmp_path / "run"
    train = ("train", "vae", "two-moons", *SMALL, "-s", "train.compile=true", "-o", place)
    with missing:
        status, _, err = run(*train)
    assert status == 0
    said = "not compiled: no C++ compiler was found (no-such-compiler)"
    assert err.count(said) == 1
    fit = json.loads((place / "manifest.json").read_text())["fit"]
    assert fit["compilation"] == said
    status, _, err = run("train", "vae", "two-moons", *SMALL, "-o", tmp_path / "other")
    assert status == 0
    assert "compiled" not in err


def test_recomputing_needs_less_memory_and_trains_the_same(run: Run, tmp_path: Path) -> None:
    recompute = ("-s", "train.activation_checkpointing=true")
    train = ("train", "diffusion", "digits", "--preset", "smoke", "-s", "model.depth=3")
    needed = []
    for more in ((), recompute):
        status, out, err = run(*train, "--steps", 4, "--dry-run", *more)
        assert status == 0, err
        found = re.search(r"activations: ([\d.]+)", out)
        assert found, out
        needed.append(float(found[1]))
    assert needed[1] < 0.7 * needed[0]
    assert run(*train, "--steps", 4, "-o", tmp_path / "whole")[0] == 0
    assert run(*train, "--steps", 4, "-o", tmp_path / "again", *recompute)[0] == 0
    weights = [
        (tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "again")
    ]
    assert weights[0] == weights[1]


def test_one_example_at_a_time_that_does_not_fit_may_be_recomputed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self, *words):
        raise torch.OutOfMemoryError("no")

    train = ("train", "vae", "two-moons", *SMALL, "-s", "train.batch_size=1", "-o", tmp_path / "a")
    with monkeypatch.context() as patch:
        patch.setattr(GenerativeModel, "losses", never)
        status, _, err = run(*train)
        assert status == 1
        assert "--resume and -s train.activation_checkpointing=true" in " ".join(err.split())
        status, _, err = run(*train, "--overwrite", "-s", "train.activation_checkpointing=true")
        assert "train a smaller model, or on another --device" in " ".join(err.split())
    status, _, err = run(*train, "--resume", "-s", "train.activation_checkpointing=true")
    assert status == 0, err


def test_samples_are_drawn_by_compiled_networks(run: Run, tmp_path: Path) -> None:
    """The same numbers up to rounding; where a sampler has steps of its own nothing is compiled, and that is said."""
    for family, data in (("diffusion", "two-moons"), ("ar", "shakespeare")):
        status, _, err = run("train", family, data, *SMALL, "-o", tmp_path / family)
        assert status == 0, err
    draw = ("sample", tmp_path / "diffusion", "-n", 6, "--seed", 2)
    plain, (status, out, err) = run(*draw)[1], run(*draw, "--compile")
    assert status == 0, err
    assert re.search(r"compiled 1 block in \d+ s", err)
    numbers = [[float(x) for x in text.replace("\n", ",").split(",") if x] for text in (plain, out)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-3)
    write = ("sample", tmp_path / "ar", "-n", 2, "--seed", 2)
    plain, (status, out, err) = run(*write)[1], run(*write, "--compile")
    assert status == 0, err
    assert "not compiled: this runs steps of its own" in err
    assert out == plain
    status, _, err = run("sample", tmp_path / "ar", "--stream", "--compile")
    assert status == 2
    assert "--compile with --stream" in err
