"""Training that runs out of memory ends in a sentence with the way on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from oracles import small_memory
from pushforward.core.model import GenerativeModel

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("at", [0, 3])
def test_training_that_runs_out_says_how_to_go_on(
    at: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("train", "flow", "two-moons", "--preset", "smoke", "-o", tmp_path / "run")
    batch = ("-s", "train.batch_size=16")
    if at:
        assert run(*train, *batch, "--steps", at)[0] == 0
    with monkeypatch.context() as patch:
        small_memory(patch, 8, "losses")
        status, _, err = run(*train, *batch, "--steps", 6, *(["--resume"] if at else []))
        assert status == 1
        said = " ".join(err.split())
        assert f"the memory of cpu was not enough at step {at}, with batches of 16" in said
        assert "go on with --resume and -s train.accumulate=2" in said
        status, _, err = run(*train, *batch, "--steps", 6, "--resume", "-s", "train.accumulate=2")
        assert status == 0, err
        assert len(run("sample", tmp_path / "run", "-n", 3)[1].splitlines()) == 3


def test_a_device_that_fails_leaves_the_last_checkpoint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("train", "flow", "two-moons", "--preset", "smoke", "-o", tmp_path / "run")
    often = ("-s", "train.checkpoint_every=2")
    real, calls = GenerativeModel.losses, []

    def failing(self, *words):
        calls.append(1)
        if len(calls) == 4:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure\nmore")
        return real(self, *words)

    with monkeypatch.context() as patch:
        patch.setattr(GenerativeModel, "losses", failing)
        status, _, err = run(*train, *often, "--steps", 6)
    assert status == 1
    assert "cpu, which failed at step 3 (CUDA error: unspecified launch failure)" in " ".join(
        err.split()
    )
    assert "--resume" in err
    assert run(*train, *often, "--steps", 6, "--resume")[0] == 0
    assert run(*train[:-1], tmp_path / "whole", *often, "--steps", 6)[0] == 0
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("run", "whole")]
    assert weights[0] == weights[1]
