"""The same pictures mean the same to a model, whatever numbers, files or tables they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward as pf
from data.odd_files import folder
from pushforward.core.errors import BadInput
from pushforward.core.space import Image as Space
from pushforward.data.formats.file_formats import PICTURE
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.open_in_space import open_like
from pushforward.data.write import write_samples

RNG = np.random.default_rng(27)
WHITE = RNG.integers(0, 2, (10, 6, 8))


@pytest.mark.parametrize("levels", [2, 3, 17, 256, 1024])
@pytest.mark.parametrize("kind", ["float32", "float64", "bool"])
def test_black_and_white_are_the_ends_of_any_scale(levels: int, kind: str, tmp_path: Path) -> None:
    space = Space(1, 6, 8, levels)
    expected = open_like(WHITE * (levels - 1), space, ()).x
    x = WHITE.astype(kind)
    np.save(tmp_path / "x.npy", x)
    for source in (x, torch.from_numpy(x).numpy(), tmp_path / "x.npy", x[:, None]):
        assert torch.equal(open_like(source, space, ()).x, expected)
    # whole numbers are levels, as ever
    assert torch.equal(
        open_like(WHITE.astype(np.uint8), space, ()).x.long(), torch.from_numpy(WHITE)[:, None]
    )
    if kind != "bool":
        steps = RNG.integers(0, levels, (10, 6, 8))
        assert torch.equal(
            open_like((steps / (levels - 1)).astype(kind), space, ()).x,
            open_like(steps, space, ()).x,
        )
        if levels > 2:
            with pytest.raises(BadInput, match="real numbers"):
                open_like(np.full((2, 6, 8), 0.3 / levels + 0.1, kind), space, ())


def test_a_model_gives_white_one_probability() -> None:
    x = RNG.integers(0, 256, (60, 6, 8), dtype=np.uint8)
    model = pf.fit("flow", pf.load(x), steps=2, preset="smoke")
    white = WHITE.astype(np.uint8) * 255
    expected = model.log_prob(white).nats
    for same in (
        WHITE.astype(np.float32),
        torch.from_numpy(WHITE.astype(np.float32)),
        WHITE == 1,
        list(WHITE / 1.0),
    ):
        assert torch.equal(model.log_prob(same).nats, expected)
    assert torch.equal(model.log_prob([Image.fromarray(one) for one in white]).nats, expected)
    assert torch.equal(
        model.log_prob([Image.fromarray(one).convert("1") for one in white]).nats, expected
    )


@pytest.mark.parametrize(("channels", "side"), [(3, 12), (1, 6), (4, 8), (2, 8)])
def test_samples_in_a_table_are_read_back(channels: int, side: int, tmp_path: Path) -> None:
    space = Space(channels, side, side, 256)
    x = torch.from_numpy(RNG.integers(0, 256, (12, channels, side, side), dtype=np.uint8))
    write_samples(tmp_path / "s.csv", Samples(x, space, ["a", "b"] * 6))
    read = open_like(tmp_path / "s.csv", space, ("a", "b"), labels=None)
    assert torch.equal(read.x, x)
    assert read.given.label.tolist() == [0, 1] * 6


@pytest.mark.parametrize("suffix", [".ico", ".mpo", ".apng", ".pcx", ".sgi", ".dds", ".qoi"])
def test_other_formats_that_are_data_are_read(suffix: str, tmp_path: Path) -> None:
    assert PICTURE.is_named(tmp_path / f"0{suffix}")
    kinds = {".apng": "PNG", ".mpo": "MPO", ".qoi": None}
    for i in range(6):
        picture = Image.fromarray(RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        if suffix == ".qoi":
            (tmp_path / f"{i}{suffix}").write_bytes(_qoi(np.asarray(picture)))
        else:
            picture.save(tmp_path / f"{i}{suffix}", format=kinds.get(suffix))
    data = open_data(tmp_path)
    assert data.space == Space(3, 16, 16, 256)


def _qoi(x: np.ndarray) -> bytes:
    """Return a QOI file of whole pixels (tag 0xfe), as https://qoiformat.org describes them."""
    head = b"qoif" + x.shape[1].to_bytes(4, "big") + x.shape[0].to_bytes(4, "big") + b"\x03\x00"
    return (
        head
        + b"".join(b"\xfe" + bytes(pixel) for pixel in x.reshape(-1, 3).tolist())
        + b"\0" * 7
        + b"\x01"
    )


@pytest.mark.parametrize("same_kind", [True, False])
def test_masks_beside_pictures_are_asked_about(same_kind: bool, tmp_path: Path) -> None:
    folder(tmp_path / "images", 6, channels=1 if same_kind else 3)
    folder(tmp_path / "masks", 6)
    asks = (
        "look like parts of one example and no classes: name the one to learn from, such as images"
    )
    if same_kind:
        for i, file in enumerate(sorted((tmp_path / "masks").iterdir())):
            Image.fromarray(RNG.integers(0, 256, (5, 6), dtype=np.uint8) + i * 0).save(file)
        assert any(asks in note for note in open_data(tmp_path).notes)
    else:
        with pytest.raises(BadInput, match=asks) as caught:
            open_data(tmp_path)
        assert "data.channels" not in str(caught.value)


def test_classes_with_files_of_the_same_names_are_classes(tmp_path: Path) -> None:
    folder(tmp_path / "cat", 6)
    folder(tmp_path / "dog", 6)
    assert not any("parts of one example" in note for note in open_data(tmp_path).notes)


@pytest.mark.parametrize("name", ["labels.csv", "metadata.jsonl"])
def test_a_table_beside_pictures_says_what_is_read(name: str, tmp_path: Path) -> None:
    files = folder(tmp_path, 6)
    (tmp_path / name).write_text("file,label\n0.png,cat\n")
    lost = " ".join(open_data(tmp_path).lost)
    assert name in lost
    assert "(path, class)" in lost
    pairs: list[Any] = [(file, "ab"[i % 2]) for i, file in enumerate(sorted(files.glob("*.png")))]
    assert pf.load(pairs).classes == ("a", "b")
