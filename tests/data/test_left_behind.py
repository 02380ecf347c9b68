"""What lies in a file beside what is read, files that nobody reads, and notes that say what was done."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pushforward as pf
from data.odd_files import folder
from pushforward.app.runs.smaller import smaller_pictures
from pushforward.core.errors import BadInput
from pushforward.core.space import Image as Space
from pushforward.data.open import open_data

RNG = np.random.default_rng(4)
X = RNG.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
Y = RNG.integers(0, 3, 60)


def _saved(file: Path, *parts: Any) -> Path:
    with file.open("wb") as handle:
        for part in parts:
            handle.write(part) if isinstance(part, bytes) else np.save(handle, part)
    return file


BEHIND: dict[str, tuple[tuple[Any, ...], str]] = {
    "labels": ((X, Y), "1 more array ((60,) of int64)"),
    "two arrays": ((X, Y, Y.astype(float)), "2 more arrays ((60,) of int64, (60,) of float64)"),
    "bytes": ((X, b"end\n"), "4 bytes"),
    "an array and bytes": ((X, Y, b"\x93NUMPX"), "1 more array ((60,) of int64) and 6 bytes"),
    "points": ((RNG.normal(size=(60, 2)), Y), "1 more array"),
    "in Fortran's order": ((np.asfortranarray(X), Y), "1 more array"),
    "a damaged header": ((X, b"\x93NUMPY\x01\x00"), "8 bytes"),
}


@pytest.mark.parametrize(("parts", "says"), BEHIND.values(), ids=BEHIND.keys())
def test_what_lies_behind_an_array_is_lost_aloud(
    parts: tuple[Any, ...], says: str, tmp_path: Path
) -> None:
    data = open_data(_saved(tmp_path / "m.npy", *parts))
    assert any("behind the first array" in words and says in words for words in data.lost)
    assert open_data(_saved(tmp_path / "n.npy", parts[0])).lost == ()


def test_tables_and_archives_say_so_too(tmp_path: Path) -> None:
    points = _saved(tmp_path / "p.npy", RNG.normal(size=(60, 2)), Y)
    assert any("1 more array" in words for words in open_data(points, kind="table").lost)
    buffer = io.BytesIO()
    np.save(buffer, X)
    np.save(buffer, Y)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
        archive.writestr("readme.txt", "hello")
    lost = open_data(tmp_path / "a.npz").lost
    assert any("behind the array 'x'" in words and "1 more array" in words for words in lost)
    assert any("readme.txt" in words for words in lost)


UNREAD = {
    "pics.tar.gz": "unpack it",
    "pics.7z": "unpack it",
    "data.pt": "numpy.savez",
    "data.pkl": "numpy.savez",
    "data.h5": "h5py",
    "data.mat": "loadmat",
    "data.tfrecord": "library that wrote it",
    "data.sqlite": "export the table",
    "scan.dcm": "convert it to .png",
    "film.mp4": "frames",
    "book.pdf": "save its text",
}


@pytest.mark.parametrize(("name", "says"), UNREAD.items())
def test_a_file_that_nobody_reads_is_told_the_way_out(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)))
    with pytest.raises(BadInput, match=says) as caught:
        open_data(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_archive_of_pictures_says_what_is_in_it(tmp_path: Path) -> None:
    folder(tmp_path / "pics", 6)
    with zipfile.ZipFile(tmp_path / "pics.zip", "w") as archive:
        for file in sorted((tmp_path / "pics").iterdir()):
            archive.write(file, f"pics/{file.name}")
    with pytest.raises(
        BadInput, match=r"archive of 6 files \(pics/000.png.*unpack it.*of one table is read"
    ):
        open_data(tmp_path / "pics.zip")


def _png(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(x).save(file, "PNG")
    return file.getvalue()


CELLS: dict[str, Callable[[np.ndarray], Any]] = {
    "records": lambda x: {"bytes": _png(x), "path": None},
    "bytes": _png,
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_a_table_of_pictures_is_pictures(cell: Callable[[np.ndarray], Any], tmp_path: Path) -> None:
    file = tmp_path / "train.parquet"
    pd.DataFrame({"image": [cell(x) for x in X], "label": Y, "id": np.arange(60)}).to_parquet(file)
    data, expected = (
        open_data(file),
        pf.load([(Image.fromarray(x), int(y)) for x, y in zip(X, Y, strict=True)]),
    )
    assert (data.space, data.fingerprint) == (expected.space, expected.fingerprint)
    assert data.lost == ("'id' of each item (numbers)",)
    assert any("in cells of the table" in note for note in data.notes)
    assert not any("held by the program" in note for note in data.notes)
    assert open_data(file, images={"resize": 4, "channels": "grey"}).space == Space(1, 4, 4, 256)
    model = pf.fit("flow", data, steps=2, preset="smoke")
    assert model.log_prob(file).given == "label"


def test_a_table_of_pictures_keeps_the_names_that_its_writer_filed(tmp_path: Path) -> None:
    described = {
        "info": {"features": {"label": {"names": ["wolf", "owl", "cat"], "_type": "ClassLabel"}}}
    }
    table = pa.table({"image": [{"bytes": _png(x), "path": None} for x in X], "label": Y})
    pq.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(described)}),
        tmp_path / "a.parquet",
    )
    assert open_data(tmp_path / "a.parquet").classes == ("wolf", "owl", "cat")
    pq.write_table(
        table.replace_schema_metadata({"huggingface": "no json"}), tmp_path / "b.parquet"
    )
    assert open_data(tmp_path / "b.parquet").classes == ("0", "1", "2")


def test_cells_that_no_column_can_hold_say_where_arrays_go(tmp_path: Path) -> None:
    pd.DataFrame({"a": [[1.0, 2.0]] * 9, "b": range(9)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"numpy\.savez"):
        open_data(tmp_path / "a.parquet")


def test_levels_that_are_asked_for_are_counted_once() -> None:
    data = pf.load([Image.fromarray(x) for x in X], levels=2)
    different = len(np.unique(X))
    assert any(
        f"{different} different pixel values scaled to the nearest of 2 levels" in note
        for note in data.notes
    )
    assert f"precision: {different} different pixel values became 2" in data.lost


@pytest.mark.parametrize(
    ("width", "height"), [(12, 12), (16, 16), (16, 9), (13, 40), (28, 28), (200, 12), (6, 6)]
)
def test_smaller_pictures_are_smaller_and_of_the_same_shape(width: int, height: int) -> None:
    option = smaller_pictures(Space(3, height, width, 256))
    if min(width, height) < 12:
        assert option == ""
        return
    sides = [int(side) for side in option.split("=")[1].split("x")]
    new_width, new_height = sides if len(sides) == 2 else (sides[0], sides[0])
    assert new_width * new_height <= 0.5 * width * height
    assert new_width / new_height == pytest.approx(width / height, rel=0.1)
