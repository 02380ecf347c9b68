"""`evaluate` and `compare` have their judges where they are told to compute, and say there what the processor says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import pretend_device
from pushforward.evaluation.features.architectures.bert import SentenceEncoder

Run = Callable[..., tuple[int, str, str]]
SHORT = ("--steps", 4, "--preset", "smoke")


@pytest.fixture
def pretend() -> Iterator[str]:
    """The pretend device, for as long as a test runs."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    yield pretend_device.NAME
    torch.__future__.set_overwrite_module_params_on_conversion(False)


@pytest.fixture
def convolved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """Devices and sizes of what judges convolved with, in double precision as nobody else does."""
    seen: list[tuple[str, tuple[int, ...]]] = []
    real = functional.conv2d

    def noted(x: torch.Tensor, weight: torch.Tensor, *words: Any, **named: Any) -> torch.Tensor:
        if weight.dtype == torch.float64:
            assert x.device == weight.device
            seen.append((x.device.type, tuple(weight.shape)))
        return real(x, weight, *words, **named)

    monkeypatch.setattr(functional, "conv2d", noted)
    return seen


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A few labelled pictures."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (300, 1, 6, 6)).astype(np.uint8)
    np.savez(path := tmp_path / "pictures.npz", x=x, y=np.arange(300) % 3)
    return path


def scores(text: str) -> dict[str, float]:
    """The numbers of an evaluation by their names."""
    found = {score["name"]: score["value"] for score in json.loads(text)["scores"]}
    return {name: value for name, value in found.items() if value is not None}


def test_pictures_are_judged_there(
    run: Run, pictures: Path, tmp_path: Path, pretend: str, convolved: list[Any]
) -> None:
    status, _, err = run(
        "train", "flow", pictures, *SHORT, "-o", tmp_path / "run", "--device", "cpu"
    )
    assert status == 0, err
    features = [w for name in ("random-conv", "own,steps=5") for w in ("--features", name)]
    found = []
    for device in (pretend, "cpu"):
        convolved.clear()
        status, out, err = run(
            "evaluate", tmp_path / "run", "-n", 40, *features, "--json", "--device", device
        )
        assert status == 0, err
        assert {place for place, _ in convolved} == {device}
        # random filters and the network of one's own
        assert {(12, 1, 3, 3), (16, 1, 3, 3)} <= {shape for _, shape in convolved}
        found.append(scores(out))
    assert found[0].keys() == found[1].keys()
    assert len(found[0]) > 10
    for name, value in found[0].items():
        assert value == pytest.approx(found[1][name], rel=1e-3, abs=1e-3), name


def test_models_are_compared_there(
    run: Run, pictures: Path, tmp_path: Path, pretend: str, convolved: list[Any]
) -> None:
    words = ("compare", pictures, "--families", "flow", *SHORT)
    status, _, err = run(*words, "-o", tmp_path / "all", "--device", pretend)
    assert status == 0, err
    assert {place for place, _ in convolved} == {pretend}
    # the default features, and the judge of classes
    assert {(12, 1, 3, 3), (16, 1, 3, 3)} <= {shape for _, shape in convolved}


def test_texts_are_judged_there(
    run: Run, tmp_path: Path, pretend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = SentenceEncoder.__call__

    def noted(self: SentenceEncoder, tokens: torch.Tensor, real_ones: torch.Tensor) -> torch.Tensor:
        seen.append(tokens.device.type)
        return real(self, tokens, real_ones)

    monkeypatch.setattr(SentenceEncoder, "__call__", noted)
    (tmp_path / "text.txt").write_text("the cat sat on the mat. " * 1000)
    windows = ("-s", "data.length=16")  # few words, which is what encoding them costs
    place = ("-o", tmp_path / "run", "--device", pretend)
    status, _, err = run("train", "ar", tmp_path / "text.txt", *SHORT, *windows, *place)
    assert status == 0, err
    status, _, err = run(
        "evaluate", tmp_path / "run", "-n", 40, "--features", "sentences", "--device", pretend
    )
    assert status == 0, err
    assert set(seen) == {pretend}
