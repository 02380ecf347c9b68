"""Pictures that a program holds are read as the files of a folder are: one reader, whatever they come in."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import pushforward as pf
from data.odd_files import deep_png
from pushforward.core.errors import BadInput
from pushforward.core.given import label_of
from pushforward.data.dataset import Dataset

RNG = np.random.default_rng(17)
N = 12


def _bytes(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def _palette(mode: str, seen: bool) -> Image.Image:
    picture = Image.fromarray(_bytes(6, 8) % 4).convert("L")
    picture = Image.fromarray(np.asarray(picture), "P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 40, 50, 60])
    if seen:
        picture.info["transparency"] = bytes([0, 128, 255, 255])
    return picture.convert("PA") if mode == "PA" else picture


# mode: how a picture of it is made, and a format that keeps it
MADE: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "1": (lambda: Image.fromarray(_bytes(6, 8) > 127), "png"),
    "L": (lambda: Image.fromarray(_bytes(6, 8)), "png"),
    "LA": (lambda: Image.fromarray(_bytes(6, 8, 2), "LA"), "png"),
    "P": (lambda: _palette("P", seen=False), "png"),
    "P see-through": (lambda: _palette("P", seen=True), "png"),
    "RGB": (lambda: Image.fromarray(_bytes(6, 8, 3)), "png"),
    "RGBA": (lambda: Image.fromarray(_bytes(6, 8, 4)), "png"),
    "RGBA opaque": (lambda: Image.fromarray(_bytes(6, 8, 3)).convert("RGBA"), "png"),
    "CMYK": (lambda: Image.fromarray(_bytes(6, 8, 4), "CMYK"), "tif"),
    "YCbCr": (lambda: Image.fromarray(_bytes(6, 8, 3), "YCbCr"), "tif"),
    "LAB": (lambda: Image.fromarray(_bytes(6, 8, 3), "LAB"), "tif"),
    "I;16": (lambda: Image.fromarray(RNG.integers(0, 65536, (6, 8)).astype(np.uint16)), "png"),
    "I": (lambda: Image.fromarray(RNG.integers(0, 65536, (6, 8)).astype(np.int32)), "tif"),
}


def _opened(files: list[Path], lazy: bool = True) -> list[Image.Image]:
    """Return pictures of files, read or still to be read; from memory, because nobody closes the files of a list."""
    pictures = [Image.open(BytesIO(file.read_bytes())) for file in files]
    return pictures if lazy else [picture for picture in pictures if picture.load() is not None]


def _read(data: Dataset) -> tuple[Any, ...]:
    """What two readings of the same pictures have in common."""
    return data.space, data.fingerprint, data.lost


@pytest.mark.parametrize(
    "options", [{}, {"alpha": "keep"}, {"alpha": "black", "channels": "grey"}, {"resize": "4x5"}]
)
@pytest.mark.parametrize("mode", MADE)
def test_a_list_is_read_as_a_folder_of_the_same(
    mode: str, options: dict[str, Any], tmp_path: Path
) -> None:
    make, suffix = MADE[mode]
    files = [tmp_path / f"{i:02d}.{suffix}" for i in range(N)]
    for file in files:
        make().save(file)
    folder = pf.load(tmp_path, **options)
    assert _read(pf.load(_opened(files), **options)) == _read(folder)
    assert _read(pf.load(_opened(files, lazy=False), **options)) == _read(folder)
    assert _read(pf.load(files, **options)) == _read(folder)
    assert _read(pf.load([file.read_bytes() for file in files], **options)) == _read(folder)
    assert _read(
        pf.load([{"bytes": file.read_bytes(), "path": None} for file in files], **options)
    ) == _read(folder)


@pytest.mark.parametrize(
    ("mode", "like"),
    [("La", "LA"), ("RGBa", "RGBA"), ("PA", "RGBA"), ("HSV", "RGB"), ("RGBX", "RGB")],
)
def test_modes_that_no_file_has_are_read_too(mode: str, like: str) -> None:
    pictures = [
        _palette("PA", seen=True)
        if mode == "PA"
        else Image.fromarray(_bytes(6, 8, len(mode)), mode)
        for _ in range(N)
    ]
    data = pf.load(pictures)
    assert _read(data) == _read(pf.load([picture.convert(like) for picture in pictures]))
    assert data.space.channels == (1 if like == "LA" else 3)
    assert any("shown on white" in words for words in data.lost) == like.endswith("A")


def test_two_levels_are_two_and_few_are_few() -> None:
    binary = pf.load([Image.fromarray(_bytes(6, 8) > 127) for _ in range(N)])
    assert (binary.space.channels, binary.space.levels) == (1, 2)
    # a picture made of an array of few levels has those, as the array has; a run of files is read by white
    few = RNG.integers(0, 17, (N, 6, 8), dtype=np.uint8)
    few[0, 0, 0] = 16
    assert _read(pf.load([Image.fromarray(x) for x in few])) == _read(pf.load(few))


@pytest.mark.parametrize("labels", [False, True])
def test_real_and_very_large_pixels_are_refused_with_their_place(labels: bool) -> None:
    good = [Image.fromarray(_bytes(6, 8)) for _ in range(N)]
    real = Image.fromarray((RNG.random((6, 8)) * 36).astype(np.float32))
    gone = Image.fromarray(np.full((6, 8), np.nan, np.float32))
    large = Image.fromarray(np.full((6, 8), 70_000, np.int32))
    mixed = [*good[:3], real, *good[3:], gone, large]
    source = [(picture, i % 2) for i, picture in enumerate(mixed)] if labels else mixed
    with pytest.raises(
        BadInput,
        match=r"3 unusable pictures .*picture 3 \(real numbers.*picture 13 \(NaN in 48.*picture 14 \(32-bit",
    ):
        pf.load(source)
    data = pf.load(source, skip_bad=True)
    assert len(data.skipped) == 3
    assert "3 files that could not be read" in data.lost
    assert sum(map(len, (data.train, data.validation, data.test))) == N
    assert data.classes == (("0", "1") if labels else ())


@pytest.mark.parametrize("lazy", [False, True])
def test_orientation_depth_and_frames_of_opened_pictures(lazy: bool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(N):
        Image.fromarray(_bytes(6, 8)).save(tmp_path / f"{i:02d}.jpg", exif=exif)
    pictures = _opened(sorted(tmp_path.iterdir()), lazy)
    data = pf.load(pictures)
    assert (data.space.height, data.space.width) == (8, 6)
    assert any("turned" in note for note in data.notes)
    assert _read(data) == _read(pf.load(tmp_path))


def test_depth_that_pillow_forgets_is_kept(tmp_path: Path) -> None:
    for i in range(N):
        deep_png(
            tmp_path / f"{i:02d}.png",
            np.stack([_deep(), np.full((6, 8), 65535)], -1).astype(np.uint16),
        )
    assert _read(pf.load(_opened(sorted(tmp_path.iterdir())))) == _read(pf.load(tmp_path))
    assert pf.load([file.read_bytes() for file in sorted(tmp_path.iterdir())]).space.levels == 65536


def _deep() -> np.ndarray:
    return RNG.integers(0, 65536, (6, 8))


@pytest.mark.parametrize("suffix", ["gif", "tif"])
@pytest.mark.parametrize("lazy", [False, True])
def test_frames_are_said_or_read(suffix: str, lazy: bool, tmp_path: Path) -> None:
    for i in range(4):
        pages = [Image.fromarray(_bytes(6, 8)) for _ in range(3)]
        pages[0].save(tmp_path / f"{i}.{suffix}", save_all=True, append_images=pages[1:])
    files = sorted(tmp_path.iterdir())

    for source in (_opened(files, lazy), tmp_path):
        with pytest.raises(BadInput, match="read the other 8 frames too"):
            pf.load(source)
    assert _read(pf.load(_opened(files, lazy), frames="all")) == _read(
        pf.load(tmp_path, frames="all")
    )
    labelled = pf.load(
        [(picture, i % 2) for i, picture in enumerate(_opened(files, lazy))], frames="all"
    )
    given = label_of(labelled.train.given)
    assert given is not None
    assert len(labelled.train) + len(labelled.validation) + len(labelled.test) == 12
    # whoever has sought a frame means that one
    picture = _opened(files)[0]
    picture.seek(2)
    others = [Image.fromarray(_bytes(6, 8)) for _ in range(N)]
    assert pf.load([picture, *others]).lost == ()


def test_a_picture_is_not_changed_by_being_read(tmp_path: Path) -> None:
    for i in range(N):
        Image.fromarray(_bytes(6, 8, 3)).save(tmp_path / f"{i:02d}.png")
    pictures = _opened(sorted(tmp_path.iterdir()))
    first = pf.load(pictures, resize=4, channels="grey")
    assert pf.load(pictures, resize=4, channels="grey").fingerprint == first.fingerprint
    assert {(picture.mode, picture.size) for picture in pictures} == {("RGB", (8, 6))}
    # changed by its owner before: the change counts
    for picture in pictures:
        picture.paste((1, 2, 3), (0, 0, 8, 3))
    assert torch.equal(
        pf.load(pictures).train.x[:, :, 0, 0].unique(dim=0),
        torch.tensor([[1, 2, 3]], dtype=torch.uint8),
    )


MIXED: dict[str, Callable[[], list[Any]]] = {
    "pictures": lambda: [Image.fromarray(_bytes(9, 8 + i % 3, 3)) for i in range(N)],
    "grey and colour": lambda: [
        Image.fromarray(_bytes(9, 8, 3) if i % 2 else _bytes(8, 9)) for i in range(N)
    ],
    "arrays": lambda: [_bytes(9, 8 + i % 3, 3) for i in range(N)],
    "tensors": lambda: [torch.from_numpy(_bytes(3, 9, 8 + i % 3)) for i in range(N)],
    "intensities": lambda: [torch.from_numpy(_bytes(3, 9, 8 + i % 3)) / 255 for i in range(N)],
    "pictures and arrays": lambda: [
        Image.fromarray(_bytes(9, 8, 3)) if i % 2 else _bytes(8, 8, 3) for i in range(N)
    ],
}


@pytest.mark.parametrize("held", MIXED.values(), ids=MIXED.keys())
def test_pictures_of_mixed_sizes_are_resized_as_asked(held: Callable[[], list[Any]]) -> None:
    source = held()
    data = pf.load(source, resize=8, channels="colour")
    assert (data.space.channels, data.space.height, data.space.width) == (3, 8, 8)
    assert any("Lanczos" in note for note in data.notes)
    with pytest.raises(BadInput, match="resize"):
        pf.load(source)
    frame = pd.DataFrame({"image": source, "label": list("ab") * 6})
    assert pf.load(frame, resize=8, channels="colour").classes == ("a", "b")


def test_options_mean_for_arrays_what_they_mean_for_files(tmp_path: Path) -> None:
    for channels, mode in ((3, "RGB"), (4, "RGBA"), (2, "LA")):
        x = _bytes(N, 6, 8, channels)
        x[0, 0, 0] = 255
        pictures = [Image.fromarray(one, mode) for one in x]
        for options in (
            {"alpha": "white"},
            {"alpha": "black", "channels": "grey"},
            {"alpha": "white", "channels": "colour"},
        ):
            found, expected = pf.load(x, **options), pf.load(pictures, **options)
            assert (found.space, found.fingerprint) == (expected.space, expected.fingerprint)
            assert found.lost == expected.lost
        tensor = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
        assert pf.load(tensor, channels="grey", alpha="white").space.channels == 1
    np.save(tmp_path / "x.npy", x)
    assert pf.load(tmp_path / "x.npy", alpha="black").space.channels == 1


def test_alpha_of_an_array_is_kept_and_said() -> None:
    data = pf.load(_bytes(N, 6, 8, 4))
    assert data.space.channels == 4
    assert any("alpha=white" in note for note in data.notes)
    assert any("no frames" in note for note in pf.load(_bytes(N, 6, 8, 3), frames="all").notes)


def test_options_hold_without_labels_too() -> None:
    x = _bytes(N, 6, 8, 3)
    data = pf.load((x, np.arange(N) % 2), labels=False, channels="grey", resize=4)
    assert (data.space.channels, data.space.width, data.classes) == (1, 4, ())


def test_a_model_reads_pictures_as_its_own_were() -> None:
    pictures = [(Image.fromarray(_bytes(6, 8, 4)), "ab"[i % 2]) for i in range(40)]
    model = pf.fit(
        "flow", pf.load(pictures, alpha="black", channels="grey", resize=6), steps=2, preset="smoke"
    )
    whole = pf.load(pictures, alpha="black", channels="grey", resize=6)
    found = model.log_prob(pictures[:6])
    assert (found.given, len(found)) == ("label", 6)
    rows = torch.cat([part.x for part in (whole.train, whole.validation, whole.test)])
    assert model.log_prob(rows).nats.isfinite().all()
    inside = {x.numpy().tobytes() for x in rows}
    read = pf.load([picture for picture, _ in pictures], alpha="black", channels="grey", resize=6)
    assert {x.numpy().tobytes() for x in read.train.x} <= inside


ODD: dict[str, tuple[list[Any], str]] = {
    "words among pictures": (
        [*[Image.fromarray(_bytes(6, 8)) for _ in range(6)], "cat"],
        r"picture 6 \(a str\)",
    ),
    "bytes that are damaged": (
        [Image.fromarray(_bytes(6, 8)), b"\x89PNG\r\n\x1a\n123", *[_bytes(6, 8)] * 5],
        r"picture 1 \(",
    ),
    "a file that is gone": ([Path("gone.png")] * 6, "No such file"),
    "one picture": (Image.fromarray(_bytes(6, 8)), "one picture"),  # pyright: ignore[reportAssignmentType]
}


@pytest.mark.parametrize(("source", "says"), ODD.values(), ids=ODD.keys())
def test_what_is_no_picture_is_refused_in_a_sentence(source: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        pf.load(source)


def test_sizes_of_arrays_are_said_width_first_as_those_of_files_are() -> None:
    data = pf.load(np.random.default_rng(0).integers(0, 9, (12, 33, 17)))
    assert (data.space.height, data.space.width) == (33, 17)
    assert any("grey images of 17 x 33 pixels" in note for note in data.notes)
