"""Samples of images have the names, the axes and the labels of the file that their model learnt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.app.writing.using import draw
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import encoding_from_json
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.write import write_samples


def again(data: Dataset, path: Path) -> Path:
    """Write the training examples of a dataset as a run that was opened again writes samples."""
    record = json.loads(json.dumps(data.encoding.to_json()))
    encoding = encoding_from_json(record).beside(data.space, data.classes, data.settings)
    given = data.train.given
    label = None if given is None else given.label
    names = None if label is None else [data.classes[i] for i in label.tolist()]
    samples: Samples = encoding.samples(data.train.x, data.space, names, label)
    write_samples(path, samples)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ["class", *(f"p{i}" for i in range(64))],
        ["label", *(f"pixel{i}" for i in range(64))],
        [*(f"pixel_{i}" for i in range(64)), "Label"],
    ],
)
def test_pictures_of_a_table_come_back_as_its_rows(tmp_path: Path, names: list[str]) -> None:
    rng = np.random.default_rng(0)
    place = next(i for i, name in enumerate(names) if name.lower() in ("class", "label"))
    lines = [";".join(names)]
    for i in range(60):
        cells = [str(v) for v in rng.integers(0, 256, 64).tolist()]
        cells.insert(place, "ab"[i % 2])
        lines.append(";".join(cells))
    source = tmp_path / "t.csv"
    source.write_text("\r\n".join([*lines, ""]), newline="")
    data = open_data(source)
    assert data.space.kind == "image"
    assert data.lost == ()
    written = again(data, tmp_path / "s.csv").read_bytes().decode()
    rows = written.split("\r\n")
    assert rows[0] == lines[0]
    assert set(rows[1:-1]) <= set(lines[1:])
    assert len(rows) == len(data.train.x) + 2
    read = data.encoding.read(tmp_path / "s.csv")
    assert torch.equal(read.x, data.train.x)


def test_pictures_of_another_size_lose_the_names_of_their_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ",".join(f"pixel{i}" for i in range(64))
    rows = "".join(",".join(map(str, rng.integers(0, 256, 64).tolist())) + "\n" for _ in range(40))
    (tmp_path / "t.csv").write_text(f"{names}\n{rows}")
    data = open_data(tmp_path / "t.csv", images={"resize": 4})
    assert any("names of the columns of pixels" in words for words in data.lost)
    assert again(data, tmp_path / "s.csv").read_text().startswith("x0,x1,")


def test_labels_of_a_table_without_a_header_are_found_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [[i % 3, *rng.integers(0, 256, 64).tolist()] for i in range(60)]
    (tmp_path / "t.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    data = open_data(tmp_path / "t.csv")
    assert data.classes == ("0", "1", "2")
    first = again(data, tmp_path / "s.csv").read_text().splitlines()[0].split(",")
    assert first == ["label", *(f"x{i}" for i in range(64))]
    read = data.encoding.read(tmp_path / "s.csv")
    assert read.given is not None
    assert data.train.given is not None
    assert torch.equal(read.x, data.train.x)
    assert read.given.label.tolist() == data.train.given.label.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("shape", "labels"),
    [
        ((60, 6, 5, 3), np.arange(60) % 3),
        ((60, 6, 5, 1), np.arange(60) % 2 == 0),
        ((60, 3, 6, 5), np.array(["cat", "dog"] * 30)),
        ((60, 6, 5), (np.arange(60) % 3).astype(np.int16)[:, None]),
    ],
)
def test_arrays_come_back_under_their_names_with_their_axes(
    tmp_path: Path, shape: tuple[int, ...], labels: np.ndarray
) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.savez(tmp_path / "t.npz", images=x, classes=labels)
    data = open_data(tmp_path / "t.npz")
    with np.load(again(data, tmp_path / "s.npz")) as written:
        assert set(written.files) == {"images", "classes"}
        assert written["images"].dtype == x.dtype
        assert written["images"].shape[1:] == shape[1:]
        assert written["classes"].dtype == labels.dtype
        first = {row.tobytes(): y for row, y in zip(x, labels.reshape(-1).tolist(), strict=True)}
        rows = zip(written["images"], written["classes"].tolist(), strict=True)
        assert all(first[row.tobytes()] == y for row, y in rows)
    read = data.encoding.read(tmp_path / "s.npz")
    assert torch.equal(read.x, data.train.x)


def test_a_run_writes_what_it_was_trained_on_again(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 4, 6, 3), dtype=np.uint8)
    np.savez(tmp_path / "t.npz", images=x, labels=np.arange(40) % 2)
    pf.fit("vae", pf.load(tmp_path / "t.npz"), steps=1, preset="smoke").save(tmp_path / "run")
    opened = pf.open(tmp_path / "run")
    drawn = draw(opened.model, 5, encoding=opened.encoding)
    write_samples(tmp_path / "s.npz", drawn)
    with np.load(tmp_path / "s.npz") as written:
        assert written["images"].shape == (5, 4, 6, 3)
        assert written["labels"].dtype == np.int64
