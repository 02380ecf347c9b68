"""A run on somebody's pictures finds and reads them again as it was told to, from any folder, and others in the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from data import odd_files as odd
from pushforward.app.measuring.parts import examples_of, part_of
from pushforward.app.runs.opening import reopen
from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points
from pushforward.data.masks import read_mask
from pushforward.data.observed import read_values
from pushforward.faces.python.verbs import fit, load
from pushforward.provenance.run_directory import open_record


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """See-through pictures of many sizes."""
    for i in range(20):
        pixels = (
            np.random.default_rng(i).integers(0, 256, (6 + i % 5, 7 + i % 3, 4)).astype(np.uint8)
        )
        odd.save(tmp_path / "photos" / f"{i}.png", pixels)
    return tmp_path / "photos"


def test_a_run_reads_its_pictures_again_from_anywhere(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = load("photos", resize="8x6", fit="pad", alpha="keep")
    assert data.space == Image(4, 6, 8)
    fit("vae", data, steps=1, preset="smoke", path="run")
    kept = yaml.safe_load(Path("run/config.yaml").read_text())["data"]
    assert kept == {
        "source": str(photos),
        "labels": False,
        "resize": "8x6",
        "fit": "pad",
        "alpha": "keep",
    }
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    record = open_record(tmp_path / "run")
    assert reopen(record).fingerprint == data.fingerprint
    for i in range(3):
        odd.save(tmp_path / "new" / f"{i}.png", odd.bytes_of(i, 3))
    new = str(tmp_path / "new")
    examples, _ = examples_of(record, new, part_of(record, new), labelled=False)
    assert tuple(examples.x.shape) == (3, 4, 6, 8)
    photos.rename(tmp_path / "moved")
    with pytest.raises(BadInput, match=r"no longer at .*photos.*name them as DATA"):
        reopen(record)
    assert reopen(record, str(tmp_path / "moved")).fingerprint == data.fingerprint


@pytest.mark.parametrize("kind", ["levels of an array", "levels of files", "kind"])
def test_what_was_asked_of_the_reading_is_kept(kind: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 3, (40, 5, 5))
    np.save(tmp_path / "x.npy", x)
    for i in range(20):
        odd.save(tmp_path / "files" / f"{i}.png", odd.bytes_of(i))
    source, settings = {
        "levels of an array": ("x.npy", {"levels": 5}),
        "levels of files": ("files", {"levels": 8}),
        "kind": ("x.npy", {"kind": "points", "levels": 4}),
    }[kind]
    data = load(str(tmp_path / source), **settings)
    assert data.space.to_json()["levels"] == settings["levels"]
    fit("vae", data, steps=1, preset="smoke", path=tmp_path / "run")
    assert reopen(open_record(tmp_path / "run")).fingerprint == data.fingerprint


def test_observed_pictures_are_read_as_data_are(tmp_path: Path) -> None:
    shape, space = (1, odd.HEIGHT, odd.WIDTH), Image(1, odd.HEIGHT, odd.WIDTH)
    pixels = odd.bytes_of(0)
    tall = odd.save(tmp_path / "turned.png", odd.as_held(pixels, 8), exif=odd.orientation(6))
    alpha = np.stack([pixels, np.full_like(pixels, 255)], -1)
    clear = odd.save(tmp_path / "alpha.png", alpha)
    colours = odd.save(tmp_path / "colours.bmp", np.stack([pixels] * 3, -1))
    deep = odd.deep_grey(tmp_path / "deep.png", pixels.astype(np.uint16) * 257, "png")
    for path in (tall, clear, colours, deep):
        assert read_values(path, shape, space).squeeze().tolist() == pixels.tolist()
    frames = odd.animation(tmp_path / "two.gif", [odd.bytes_of(1), odd.bytes_of(2)])
    assert tuple(read_values(frames, shape, space).shape) == (2, *shape)
    wide = odd.deep_grey(tmp_path / "wide.png", odd.bytes_of(3, top=65535), "png")
    assert (
        read_values(wide, shape, Image(*shape, levels=65536)).squeeze().tolist()
        == odd.bytes_of(3, top=65535).tolist()
    )
    with pytest.raises(BadInput, match=r"the grey \d+ in .*wide\.png"):
        read_values(wide, shape, space)
    mask = pixels > 100
    for name, white, mode in (
        ("a.png", 255, "1"),
        ("b.png", 65535, None),
        ("c.png", 255, "RGBA"),
        ("d.gif", 255, "P"),
    ):
        values = (mask * white).astype(np.uint8 if white == 255 else np.uint16)
        assert (
            read_mask(odd.save(tmp_path / name, values, mode), shape).squeeze().tolist()
            == mask.tolist()
        )
    odd.bomb(tmp_path / "bomb.png")
    with pytest.raises(BadInput, match=r"bomb\.png cannot be read"):
        read_values(tmp_path / "bomb.png", shape, space)
    np.save(tmp_path / "far.npy", np.array([1.7e9 + 0.25, 1.0]))
    assert read_values(tmp_path / "far.npy", (2,), Points(2)).tolist() == [[1.7e9 + 0.25, 1.0]]


def test_labels_that_are_left_out_as_asked_are_said_to_be(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        odd.folder(tmp_path / "pics" / name, 6)
    said = load(tmp_path / "pics", labels=False)
    assert said.classes == ()
    assert "the labels are left out, as asked" in said.notes
    assert said.lost == ("the labels: left out, as asked",)
    short = ("--steps", 1, "--preset", "smoke", "-o", tmp_path / "r")
    _, out, err = run("train", "flow", tmp_path / "pics", "-s", "data.labels=false", *short)
    assert "the labels are left out, as asked" in out + err
    assert "lost: the labels: left out, as asked" in out + err


def test_a_model_that_has_left_no_run_reads_pictures_as_its_own_were(photos: Path) -> None:
    from pushforward.faces.python.references import data_like, reference_for
    from pushforward.faces.python.verbs import distil

    data = load(photos, resize=8, fit="pad", alpha="keep")
    model = fit("diffusion", data, steps=1, preset="smoke")
    assert data_like(model, photos).fingerprint == data.fingerprint
    again, brought = reference_for(model, photos)
    assert (again.fingerprint, brought) == (data.fingerprint, False)
    assert distil(model, photos, steps=1).sample(1).shape == (1, 4, 8, 8)
