"""Pictures of every mode and depth are read as they are meant, or refused; nothing is clipped, turned or hidden silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data import odd_files as odd
from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.data.dataset import Dataset
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.open_in_space import open_like
from pushforward.data.write import write_samples


def everything(data: Dataset) -> np.ndarray:
    """Return all examples, channels last."""
    parts = [data.train.x.numpy(), data.validation.x.numpy(), data.test.x.numpy()]
    return np.moveaxis(np.concatenate(parts), 1, -1)


def same(data: Dataset, pictures: list[np.ndarray]) -> bool:
    """Return whether a data set holds these pictures, in whatever order."""
    shape = data.space.event_shape
    rows = [p.reshape(shape[1], shape[2], -1).astype(np.int64) for p in pictures]
    return sorted(x.astype(np.int64).tobytes() for x in everything(data)) == sorted(
        x.tobytes() for x in rows
    )


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("png", ".png"),
        ("tiff", ".tif"),
        ("big-endian", ".tif"),
        ("32-bit", ".TIFF"),
        ("pgm", ".pgm"),
    ],
)
def test_sixteen_bits_stay_sixteen_bits(kind: str, suffix: str, tmp_path: Path) -> None:
    pixels = [odd.bytes_of(i, top=65535) for i in range(12)]
    for i, one in enumerate(pixels):
        odd.deep_grey(tmp_path / f"{i}{suffix}", one, kind)
    data = open_data(tmp_path)
    assert data.space == Image(1, odd.HEIGHT, odd.WIDTH, levels=65536)
    assert same(data, pixels)
    assert data.lost == ()
    written = write_samples(tmp_path / "out", Samples(data.train.x, data.space))
    again = open_like(str(written[0].parent), data.space, ())
    assert bool((again.x == data.train.x).all())


@pytest.mark.parametrize(
    ("factor", "top", "levels"),
    [(257, 255, 256), (1, 4095, 4096), (16, 4095, 4096), (1, 255, 256), (64, 1023, 1024)],
)
def test_deep_files_of_shallow_values_have_their_levels(
    factor: int, top: int, levels: int, tmp_path: Path
) -> None:
    shallow = [np.random.default_rng(i).integers(0, top + 1, (9, 9)) for i in range(12)]
    for i, one in enumerate(shallow):
        odd.deep_grey(tmp_path / f"{i}.png", (one * factor).astype(np.uint16), "png")
    data = open_data(tmp_path)
    assert data.space.to_json()["levels"] == levels
    assert same(data, shallow)
    assert any(f"{levels:,} levels" in note for note in data.notes)


def test_deep_levels_are_scaled_when_asked_and_never_clipped(tmp_path: Path) -> None:
    pixels = [odd.bytes_of(i, top=65535) for i in range(12)]
    for i, one in enumerate(pixels):
        odd.deep_grey(tmp_path / f"{i}.png", one, "png")
    data = open_data(tmp_path, images={"levels": 256})
    assert same(data, [np.round(one / 257).astype(np.uint8) for one in pixels])
    assert any("precision" in sentence for sentence in data.lost)
    for name, values in (("over", np.array([[0, 70_000]])), ("under", np.array([[-3, 9]]))):
        place = tmp_path / name
        place.mkdir()
        for i in range(6):
            Pillow.fromarray((values + 0 * i).astype(np.int32)).save(place / f"{i}.tif")
        with pytest.raises(BadInput, match=r"32-bit pixels from .* to "):
            open_data(place)
    (tmp_path / "real").mkdir()
    for i in range(6):
        Pillow.fromarray(np.linspace(0, 1.5, 12, dtype=np.float32).reshape(3, 4)).save(
            tmp_path / "real" / f"{i}.tif"
        )
    with pytest.raises(BadInput, match=r"real numbers from 0 to 1.5 as pixels"):
        open_data(tmp_path / "real")


def test_deep_colour_and_mixed_depths_are_said(tmp_path: Path) -> None:
    pixels = [odd.bytes_of(i, 3, 65535) for i in range(12)]
    for i, one in enumerate(pixels):
        odd.deep_png(tmp_path / "colour" / f"{i}.png", one)
    data = open_data(tmp_path / "colour")
    assert same(data, [one >> 8 for one in pixels])
    assert "the lower 8 bits of 12 pictures in 16-bit colour" in data.lost
    greys = [odd.bytes_of(i) for i in range(6)] + [odd.bytes_of(i, top=65535) for i in range(6)]
    for i, one in enumerate(greys):
        odd.save(tmp_path / "mixed" / f"{i}.png", one)
    assert same(
        open_data(tmp_path / "mixed"),
        [one.astype(int) * (257 if one.dtype == np.uint8 else 1) for one in greys],
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".jpeg"])
def test_photos_are_turned_as_their_camera_was(suffix: str, tmp_path: Path) -> None:
    # a ramp survives JPEG well enough to tell its eight orientations apart
    ramp = np.add.outer(12 * np.arange(12), 5 * np.arange(16)).astype(np.uint8)
    lossless = {".png": {}, ".tif": {}, ".webp": {"lossless": True}}.get(suffix, {"quality": 100})
    for n in (2, 3, 4, 5, 6, 7, 8):
        place = tmp_path / str(n)
        for i in range(6):
            odd.save(place / f"{i}{suffix}", ramp + i, exif=odd.orientation(n), **lossless)
        data = open_data(place)
        seen, wanted = everything(data).mean(axis=(0, 3)), odd.as_held(ramp, n) + 2.5
        assert np.abs(seen - wanted).max() < 3, n
        assert any(note.startswith("6 pictures turned") for note in data.notes)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("RGBA", ".png"), ("LA", ".png"), ("RGBA", ".webp"), ("RGBA", ".tif"), ("LA", ".tif")],
)
def test_alpha_lies_on_white_or_is_a_channel(mode: str, suffix: str, tmp_path: Path) -> None:
    pixels = [odd.bytes_of(i, len(mode)) for i in range(12)]
    for one in pixels:
        one[0, :3, -1], one[1, :3, -1] = 0, 255
    options: dict[str, object] = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    for i, one in enumerate(pixels):
        odd.save(tmp_path / f"{i}{suffix}", one, **options)
    data = open_data(tmp_path)
    colours, alpha = (
        [one[..., :-1].astype(float) for one in pixels],
        [one[..., -1:] / 255 for one in pixels],
    )
    wanted = [np.floor(c * a + 255 * (1 - a) + 0.5) for c, a in zip(colours, alpha, strict=True)]
    assert data.space.to_json()["channels"] == len(mode) - 1
    assert same(data, wanted)
    assert "alpha of 12 pictures, shown on white" in data.lost
    kept = open_data(tmp_path, images={"alpha": "keep"})
    assert kept.space.to_json()["channels"] == len(mode)
    assert kept.lost == ()
    hidden = [
        np.where(one[..., -1:] == 0, np.append(np.full(len(mode) - 1, 255), 0), one)
        for one in pixels
    ]
    assert same(kept, hidden)
    written = write_samples(tmp_path / "out", Samples(kept.train.x, kept.space))
    assert bool((open_like(str(written[0].parent), kept.space, ()).x == kept.train.x).all())


def test_palettes_and_transparent_colours(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    index = [rng.integers(0, 3, (4, 4)) for _ in range(12)]
    colours = [(250, 10, 20), (0, 0, 0), (90, 200, 7)]
    for i, one in enumerate(index):
        odd.palette(tmp_path / "colours" / f"{i}.png", colours, one)
        odd.palette(tmp_path / "clear" / f"{i}.png", colours, one, transparency=1)
        odd.palette(tmp_path / "gif" / f"{i}.gif", colours, one)
        odd.palette(
            tmp_path / "greys" / f"{i}.png", [(0, 0, 0), (128, 128, 128), (255, 255, 255)], one
        )
        odd.save(
            tmp_path / "key" / f"{i}.png", np.array([0, 100, 255], np.uint8)[one], transparency=100
        )
    table = np.array(colours)
    assert same(open_data(tmp_path / "colours"), [table[one] for one in index])
    assert same(open_data(tmp_path / "gif"), [table[one] for one in index])
    assert same(
        open_data(tmp_path / "clear"),
        [np.array([colours[0], (255,) * 3, colours[2]])[one] for one in index],
    )
    greys = open_data(tmp_path / "greys")
    assert greys.space == Image(1, 4, 4, levels=3)
    assert same(greys, index)
    assert same(open_data(tmp_path / "key"), [np.array([0, 1, 1])[one] for one in index])


def test_other_colour_models_become_rgb_and_say_so(tmp_path: Path) -> None:
    pixels = [np.full((4, 4, 3), (20 * i, 255 - 20 * i, 40), np.uint8) for i in range(12)]
    for i, one in enumerate(pixels):
        one[0, 0] = 9
        odd.save(tmp_path / "CMYK" / f"{i}.tif", one, "CMYK")
        odd.save(tmp_path / "YCbCr" / f"{i}.tif", one, "YCbCr")
        odd.save(tmp_path / "jpg" / f"{i}.jpg", one, "CMYK", quality=100)
        (tmp_path / "CIELAB").mkdir(exist_ok=True)
        odd.lab(tmp_path / "CIELAB" / f"{i}.tif", one)
    for name, error in (("CMYK", 0), ("YCbCr", 3), ("CIELAB", 15), ("jpg", 40)):
        data = open_data(tmp_path / name)
        ours = sorted(everything(data)[:, 2, 2].tolist())
        assert (
            np.abs(np.array(ours) - np.array(sorted(one[2, 2].tolist() for one in pixels))).max()
            <= error
        )
        assert any({"jpg": "CMYK"}.get(name, name) in note for note in data.notes)
    assert any("inks" in sentence for sentence in open_data(tmp_path / "CMYK").lost)


@pytest.mark.parametrize(("suffix", "n"), [(".gif", 3), (".tif", 4), (".webp", 2), (".png", 5)])
def test_frames_are_counted_or_become_examples(suffix: str, n: int, tmp_path: Path) -> None:
    for i in range(6):
        frames = [odd.bytes_of(10 * i + k) for k in range(n)]
        odd.animation(
            tmp_path / f"{i}{suffix}", frames, **({"lossless": True} if suffix == ".webp" else {})
        )
    first = open_data(tmp_path)
    assert len(everything(first)) == 6
    assert f"{6 * (n - 1)} frames after the first of animated or paged files" in first.lost
    whole = open_data(tmp_path, images={"frames": "all"})
    assert same(whole, [odd.bytes_of(10 * i + k) for i in range(6) for k in range(n)])
    assert whole.lost == ()
    one = open_data(tmp_path / f"0{suffix}", images={"frames": "all"}) if n > 4 else None
    assert one is None or len(everything(one)) == n
    with pytest.raises(BadInput, match=r"taken for one picture.*data\.frames=all"):
        open_data(tmp_path / f"0{suffix}")


def test_binary_pictures_have_two_levels(tmp_path: Path) -> None:
    bits = [np.random.default_rng(i).integers(0, 2, (5, 7)) for i in range(12)]
    for i, one in enumerate(bits):
        odd.save(tmp_path / "one" / f"{i}.png", (255 * one).astype(np.uint8), "1")
        odd.save(tmp_path / "eight" / f"{i}.bmp", (255 * one).astype(np.uint8))
        odd.save(tmp_path / "sixteen" / f"{i}.png", (65535 * one).astype(np.uint16))
    for name in ("one", "eight", "sixteen"):
        data = open_data(tmp_path / name)
        assert data.space == Image(1, 5, 7, levels=2)
        assert same(data, bits)


@pytest.mark.parametrize(
    ("values", "levels"),
    [((0, 127, 255), 3), ((0, 85, 170, 255), 4), ((3, 77, 201), 256), ((0, 1, 2), 256)],
)
def test_few_greys_are_levels_where_they_are_evenly_spaced(
    values: tuple[int, ...], levels: int, tmp_path: Path
) -> None:
    index = [np.random.default_rng(i).integers(0, len(values), (5, 5)) for i in range(12)]
    for i, one in enumerate(index):
        odd.save(tmp_path / f"{i}.png", np.array(values, np.uint8)[one])
    data = open_data(tmp_path)
    assert data.space == Image(1, 5, 5, levels=levels)
    assert same(data, index if levels < 256 else [np.array(values)[one] for one in index])
    if values == (0, 1, 2):
        assert open_data(tmp_path, images={"levels": 3}).space == Image(1, 5, 5, levels=3)
    if levels == 3:
        assert same(open_data(tmp_path, images={"levels": 3}), index)


def damaged(name: str, path: Path) -> Path:
    """Write a file that is no complete picture."""
    rng = np.random.default_rng(0)
    if name == "bomb.png":
        return odd.bomb(path)
    whole = odd.save(path, rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).read_bytes()
    if name.startswith("empty"):
        path.write_bytes(b"")
    elif name.startswith("text"):
        path.write_text("<html>404 Not Found</html>")
    else:
        path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("half.png", "truncated"),
        ("half.jpg", "truncated"),
        ("half.gif", "truncated"),
        ("half.bmp", "truncated"),
        ("half.webp", ""),
        ("half.tif", ""),
        ("empty.png", "the file is empty"),
        ("text.jpg", "no picture of a known format"),
        ("bomb.png", "more pixels|100000 x 100000"),
    ],
)
def test_damaged_files_are_named_or_left_out(name: str, words: str, tmp_path: Path) -> None:
    odd.folder(tmp_path)
    damaged(name, tmp_path / name)
    with pytest.raises(BadInput, match=rf"1 unusable picture.*{name} \(.*({words})"):
        open_data(tmp_path)
    data = open_data(tmp_path, skip_bad=True)
    assert len(data.skipped) == 1
    assert data.lost == ("1 file that could not be read",)


def test_the_limit_of_pixels_is_stated_and_raised(tmp_path: Path) -> None:
    odd.folder(tmp_path)
    with pytest.raises(BadInput, match=r"6 x 5 pixels"):
        open_data(tmp_path, images={"max_pixels": 29})
    assert open_data(tmp_path, images={"max_pixels": 30}).space == Image(1, 5, 6)


def test_names_do_not_decide_what_a_file_is(tmp_path: Path) -> None:
    for i in range(12):
        odd.save(tmp_path / f"{i}.PNG", odd.bytes_of(i))
    (tmp_path / "0.PNG").rename(tmp_path / "photo.jpg")
    (tmp_path / "1.PNG").rename(tmp_path / "größe 絵.png")
    (tmp_path / "2.PNG").rename(tmp_path / "without_ending")
    data = open_data(tmp_path)
    assert same(data, [odd.bytes_of(i) for i in range(12)])
    assert any("1 picture of another format than the name says" in note for note in data.notes)


def test_grey_and_colour_are_mixed_on_request_only(tmp_path: Path) -> None:
    for i in range(12):
        odd.save(tmp_path / f"{i}.jpg", odd.bytes_of(i, 3 if i % 2 else 1))
    with pytest.raises(BadInput, match=r"mixed sizes or channels.*data\.channels=colour"):
        open_data(tmp_path)
    assert open_data(tmp_path, images={"channels": "color"}).space == Image(3, 5, 6)
    grey = open_data(tmp_path, images={"channels": "grey"})
    assert grey.space == Image(1, 5, 6)
    assert "the colours of 6 pictures" in grey.lost
