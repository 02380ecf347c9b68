"""Networks that judge, on a device that is not the processor: they compute there, in portions, and say what the processor says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import pretend_device
from evaluation.test_checkpoints import clip_model, dinov2, small_inception
from networks import PLAIN, SPACE, Small, exported, in_onnx, scripted
from pushforward.core.errors import RunFailed
from pushforward.core.placement import computing_on, providers
from pushforward.core.space import Image, Points
from pushforward.core.text import Text
from pushforward.evaluation.features.checkpoints import (
    clip_features,
    dinov2_features,
    inception_features,
)
from pushforward.evaluation.features.efficientnet import efficientnet_features
from pushforward.evaluation.features.image_network import ImageNetwork
from pushforward.evaluation.features.network_file import network_features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.features.random_convolution import RandomConvolution
from pushforward.evaluation.features.sentences import SentenceFeatures

WINDOWS = np.random.default_rng(1).integers(97, 122, size=(9, 12))
IMAGES = np.random.default_rng(0).integers(0, 17, size=(11, 3, 8, 8))
ROWS = np.random.default_rng(2).normal(size=(30, 3))
CLASSES = np.arange(len(ROWS)) % 3


class WithPlaces(nn.Module):
    """A network that makes a tensor of no other, as position embeddings do, and holds a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.scale = nn.Conv2d(3, 4, 3), torch.linspace(0.5, 2.0, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = torch.arange(6, device=x.device) / 3.0
        return torch.relu(self.convolution(x) * self.scale + places) + torch.ones(6)


@pytest.fixture
def pretend() -> Iterator[str]:
    """The pretend device, for as long as a test runs."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    yield f"{pretend_device.NAME}:0"
    torch.__future__.set_overwrite_module_params_on_conversion(False)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    """A file of some bytes."""

    def write(content: bytes) -> Path:
        (path := tmp_path / "network").write_bytes(content)
        return path

    return write


def saved(network: nn.Module, tmp_path: Path) -> Path:
    """A file of a network's weights."""
    torch.save(network.state_dict(), path := tmp_path / "weights.pth")
    return path


def pretrained(network: Any, tmp_path: Path) -> Path:
    """A file of a network's weights, in the layout of the transformers library."""
    network.save_pretrained(tmp_path)
    return tmp_path / "model.safetensors"


KINDS: dict[str, tuple[Callable[[Any, Path], Any], np.ndarray]] = {
    "random-conv": (lambda write, path: RandomConvolution(SPACE, IMAGES), IMAGES),
    "own by turns": (lambda write, path: OwnNetwork(SPACE, IMAGES, steps=4), IMAGES),
    "own by class": (lambda write, path: OwnNetwork(SPACE, IMAGES, np.arange(11) % 2, steps=4), IMAGES),
    "own of points": (lambda write, path: OwnNetwork(Points(3), ROWS, CLASSES, steps=4), ROWS),
    "exported": (lambda write, path: network_features(write(exported(WithPlaces())), SPACE, PLAIN), IMAGES),
    "of a fixed batch": (
        lambda write, path: network_features(
            write(exported(Small(), (4, 3, 8, 8), any_batch=False)), SPACE, PLAIN, pooled=True
        ),
        IMAGES,
    ),
    "dinov2": (lambda write, path: dinov2_features(pretrained(dinov2(), path), SPACE, size=42), IMAGES),
    "clip": (lambda write, path: clip_features(pretrained(clip_model(), path), SPACE), IMAGES),
    "inception": (lambda write, path: inception_features(saved(small_inception(), path), SPACE), IMAGES[:2]),
    "efficientnet": (lambda write, path: efficientnet_features(SPACE), IMAGES[:2]),
    "sentences": (lambda write, path: SentenceFeatures(Text(257, 12, 256), lambda ids: bytes(ids).decode()), WINDOWS),
}  # fmt: skip
ARITHMETIC = {"aten::convolution", "aten::addmm", "aten::mm", "aten::linear"}


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_there_what_the_processor_computes(
    kind: str, written: Any, tmp_path: Path, pretend: str
) -> None:
    made, examples = KINDS[kind]
    found = {}
    for device in (pretend, "cpu"):
        torch.default_generator.manual_seed(0)
        with computing_on(device):
            features = made(written, tmp_path)
        with pretend_device.computed() as operators:  # the device is that of when it was opened
            rows = features(examples)
        assert bool(ARITHMETIC & set(operators)) == (device == pretend), (kind, operators)
        assert isinstance(rows, np.ndarray)
        assert rows.dtype == np.float64
        found[device] = (features.name, features.fingerprint, rows)
    assert found[pretend][:2] == found["cpu"][:2]
    np.testing.assert_allclose(found[pretend][2], found["cpu"][2], atol=1e-5)


def test_a_judge_of_classes_is_trained_and_asked_there(pretend: str) -> None:
    asked = []
    for device in (pretend, "cpu"):
        with computing_on(device), pretend_device.computed() as operators:
            judge = OwnNetwork(SPACE, IMAGES, np.arange(11) % 2, steps=4)
        assert bool(operators["aten::convolution_backward"]) == (device == pretend)
        asked.append((judge.probabilities(IMAGES), judge.accuracy(IMAGES, np.arange(11) % 2).value))
    np.testing.assert_allclose(asked[0][0], asked[1][0], atol=1e-6)
    assert asked[0][1] == asked[1][1]


def test_onnx_computes_where_what_is_installed_can(written: Any, pretend: str) -> None:
    weight = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    found = []
    for device in (pretend, "cpu"):
        with computing_on(device):
            found.append(network_features(written(in_onnx(weight, "n")), SPACE, PLAIN)(IMAGES))
    assert np.array_equal(*found)
    cpu, cuda, rocm = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "ROCM"))
    gpu = torch.device("cuda", 1)
    assert providers(gpu, [cuda, cpu]) == [(cuda, {"device_id": 1}), cpu]
    assert providers(gpu, [rocm, cpu]) == [(rocm, {"device_id": 1}), cpu]
    assert providers(gpu, [cpu]) == providers(torch.device("cpu"), [cuda, cpu]) == [cpu]


def test_a_script_that_cannot_compute_there_does_so_on_the_processor(
    written: Any, pretend: str
) -> None:
    """The interpreter of TorchScript knows no device of Python's, as a trace may know the processor only."""
    path, found = written(scripted(Small())), []
    for device in (pretend, "cpu"):
        with computing_on(device):
            found.append(network_features(path, SPACE, PLAIN, trust=True)(IMAGES))
    assert np.array_equal(*found)


def test_images_that_do_not_fit_go_in_smaller_portions() -> None:
    seen: list[int] = []

    def network(x: torch.Tensor) -> torch.Tensor:
        if len(x) > 3:
            raise torch.OutOfMemoryError("no")
        seen.append(len(x))
        return functional.avg_pool2d(x, 4)

    rows = ImageNetwork(SPACE, "small", "00", network, PLAIN)(IMAGES)
    assert max(seen) <= 3
    assert sum(seen) == len(IMAGES) == len(rows)
    pooled = functional.avg_pool2d(torch.from_numpy(IMAGES / 16.0).float(), 4).flatten(1)
    np.testing.assert_allclose(rows, pooled, atol=1e-6)

    def never(x: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("no")

    with pytest.raises(RunFailed, match=r"one example at a time.*another --device"):
        ImageNetwork(Image(3, 8, 8, 17), "small", "00", never, PLAIN)(IMAGES)
