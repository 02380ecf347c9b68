"""Folders: what is hidden, which splits a source brings, which names are labels, and what a folder was taken for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from data import odd_files as odd
from pushforward.core.errors import BadInput
from pushforward.core.given import label_of
from pushforward.core.space import Image
from pushforward.data.dataset import Dataset
from pushforward.data.folders import role_of
from pushforward.data.open import open_data


def put(root: Path, place: str, numbers: range) -> None:
    for i in numbers:
        odd.save(root / place / f"{i:03d}.png", odd.bytes_of(i))


def sizes(data: Dataset) -> tuple[int, int, int]:
    return len(data.train), len(data.validation), len(data.test)


@pytest.mark.parametrize(
    "hidden",
    [
        ".ipynb_checkpoints",
        "__MACOSX",
        "@eaDir",
        ".git/objects",
        ".thumbnails",
        "cat/.ipynb_checkpoints",
    ],
)
def test_hidden_folders_are_no_classes(hidden: str, tmp_path: Path) -> None:
    put(tmp_path, "cat", range(12))
    put(tmp_path, "dog", range(12, 24))
    put(tmp_path, hidden, range(24, 30))
    put(tmp_path, "cat/sub", range(30, 31))
    (tmp_path / "cat" / "._000.png").write_bytes(b"resource fork")
    for junk in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / junk).write_bytes(b"\0")
    data = open_data(tmp_path)
    assert data.classes == ("cat", "dog")
    assert sum(sizes(data)) == 25
    assert (
        any(
            note.startswith("hidden")
            and hidden.split("/")[-1].split("objects")[0].strip("/") in note
            for note in data.notes
        )
        or ".git" in hidden
    )
    assert data.lost == ("the names of the folders within those: cat/sub",)


@pytest.mark.parametrize("hidden", [".ipynb_checkpoints", "__MACOSX", ".git", "~$draft.txt"])
def test_hidden_texts_are_read_no_more_than_pictures(hidden: str, tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i}.txt").write_text(f"document {i} about {i * i}")
    if hidden.endswith(".txt"):
        (tmp_path / hidden).write_text("a lock")
    else:
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "0-checkpoint.txt").write_text("document 0 about 0")
    data = open_data(tmp_path)
    assert any(note.startswith("a folder of 30 text files") for note in data.notes)
    assert any(note.startswith("hidden") and hidden in note for note in data.notes)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", None),
        ("Train", "Valid", "TEST"),
        ("training", None, "testing"),
        ("train", "dev", "eval"),
        ("train2017", "val2017", None),
        ("train_set", "validation_set", "test_set"),
        ("TRAIN", None, "Evaluation"),
    ],
)
@pytest.mark.parametrize("classes", [True, False])
def test_folders_named_like_splits_are_the_splits(
    train: str, validation: str | None, test: str | None, classes: bool, tmp_path: Path
) -> None:
    n, start = {train: 40, validation: 6, test: 8}, 0
    for name, size in n.items():
        for kind in ("cat", "dog") if name is not None else ():
            put(tmp_path, f"{name}/{kind if classes else ''}", range(start, start + size))
            start += size
    data = open_data(tmp_path)
    assert data.classes == (("cat", "dog") if classes else ())
    if validation is not None:
        assert len(data.validation) == 12
    if test is not None:
        assert len(data.test) == 16
    drawn = {None: 0} | {validation: 12, test: 16}
    assert sum(sizes(data)) == 80 + sum(n for name, n in drawn.items() if name is not None)
    assert min(sizes(data)) > 0
    assert any("define the split" in note for note in data.notes)
    assert data.lost == ()


def test_splits_may_lie_below_classes_and_below_a_wrapping_folder(tmp_path: Path) -> None:
    start = 0
    for kind in ("cat", "dog"):
        for split, size in (("train", 20), ("test", 5)):
            put(tmp_path, f"archive/{kind}/{split}", range(start, start + size))
            start += size
    data = open_data(tmp_path)
    assert (data.classes, len(data.test), sum(sizes(data))) == (("cat", "dog"), 10, 50)


def test_classes_called_like_splits_are_classes_without_a_second_split(tmp_path: Path) -> None:
    for i, kind in enumerate(("train", "car", "bus")):
        put(tmp_path, kind, range(10 * i, 10 * i + 10))
    assert open_data(tmp_path).classes == ("bus", "car", "train")
    put(tmp_path / "only", "train/cat", range(10))
    put(tmp_path / "only", "train/dog", range(10, 20))
    assert open_data(tmp_path / "only").classes == ("cat", "dog")
    assert [role_of(name) for name in ("trains", "valley", "contest", "evaluate", "")] == [None] * 5


def test_classes_outside_training_are_named_and_left_out(tmp_path: Path) -> None:
    put(tmp_path, "train/cat", range(20))
    put(tmp_path, "train/dog", range(20, 40))
    put(tmp_path, "train/rare", range(40, 43))
    put(tmp_path, "val/cat", range(50, 55))
    put(tmp_path, "val/dog", range(55, 60))
    put(tmp_path, "test/cat", range(60, 65))
    put(tmp_path, "test/bird", range(65, 68))
    data = open_data(tmp_path)
    assert data.classes == ("cat", "dog", "rare")
    assert sizes(data) == (43, 10, 5)
    assert "3 examples of classes that are not in training: bird" in data.lost
    assert "no validation or test examples of 1 class: rare (3 to train on)" in data.notes
    assert "no test examples of 1 class: dog (20 to train on)" in data.notes


def test_texts_bring_their_splits_too(tmp_path: Path) -> None:
    def write(root: Path, name: str, n: int) -> None:
        for i in range(n):
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name / f"{i}.txt").write_text(
                f"{name} {i}: the quick brown fox, {i * i} times over"
            )

    for names in (("train", "val", "test"), ("Training", None, "Test"), ("train", "valid", None)):
        root = tmp_path / "-".join(map(str, names))
        for name, n in zip(names, (60, 9, 7), strict=True):
            if name is not None:
                write(root, name, n)
        data = open_data(root, text={"length": 8})
        assert data.encoding is not None
        texts = [
            data.encoding.decode(part.x, whole=True)
            for part in (data.train, data.validation, data.test)
        ]  # type: ignore[call-arg]
        for name, part, others in zip(names, texts, ((1, 2), (0, 2), (0, 1)), strict=True):
            if name is not None:
                assert all(
                    not any(f"{name} " in row for row in texts[k])
                    for k in others
                    if names[k] is not None
                )
                assert part
        assert any("the source's own splits" in note for note in data.notes)
    flat = tmp_path / "flat"
    flat.mkdir()
    for name, n in (("wiki.train.txt", 900), ("wiki.valid.txt", 90), ("wiki.test.txt", 90)):
        (flat / name).write_text(" ".join(f"{name[5]}{i}" for i in range(n)))
    data = open_data(flat, text={"length": 8})
    assert any("the source's own splits" in note for note in data.notes)
    assert len(data.streams[0]) > 8 * len(data.streams[1])


def test_what_lies_beside_is_lost_and_said(tmp_path: Path) -> None:
    odd.folder(tmp_path, 12)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "film.mp4").write_bytes(b"\0")
    (tmp_path / "photo.HEIC").write_bytes(b"\0")
    lost = open_data(tmp_path).lost
    assert lost == (
        "2 files of a format that is not read: film.mp4, photo.HEIC",
        "1 file beside the pictures: README.md",
    )


def test_a_folder_is_what_most_of_its_files_are(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for i in range(30):
        (texts / f"{i}.txt").write_text(f"document {i} about {i * i}")
    odd.save(texts / "logo.png", odd.bytes_of(0))
    assert open_data(texts).space.kind == "text"
    assert open_data(texts).lost == ("what is in no .txt file, in 1 file: logo.png",)
    pictures = odd.folder(tmp_path / "pictures", 12)
    (pictures / "LICENSE.txt").write_text("free")
    assert open_data(pictures).lost == ("1 file beside the pictures: LICENSE.txt",)
    one = tmp_path / "one"
    odd.save(one / "a.png", odd.bytes_of(0))
    with pytest.raises(BadInput, match=r"taken for a folder of pictures and holds one"):
        open_data(one)
    with pytest.raises(BadInput, match=r"a\.png was taken for one picture.*name the folder"):
        open_data(one / "a.png")


def test_links_are_followed_once_and_broken_ones_named(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere", range(12))
    (tmp_path / "data" / "dog").mkdir(parents=True)
    put(tmp_path / "data", "dog", range(12, 24))
    os.symlink(tmp_path / "elsewhere", tmp_path / "data" / "cat")
    os.symlink(tmp_path / "data", tmp_path / "data" / "dog" / "loop")
    data = open_data(tmp_path / "data")
    assert (data.classes, sum(sizes(data))) == (("cat", "dog"), 24)
    os.symlink(tmp_path / "nowhere.png", tmp_path / "data" / "dog" / "gone.png")
    with pytest.raises(BadInput, match=r"gone\.png \(a link that leads nowhere\)"):
        open_data(tmp_path / "data")
    assert sum(sizes(open_data(tmp_path / "data", skip_bad=True))) == 24


def test_pictures_beside_sub_folders_have_no_labels(tmp_path: Path) -> None:
    put(tmp_path, ".", range(6))
    put(tmp_path, "cat", range(6, 12))
    data = open_data(tmp_path)
    assert data.classes == ()
    assert any("sub-folders cat" in sentence for sentence in data.lost)


@pytest.mark.parametrize(
    ("resize", "fit", "shape"),
    [
        (4, "crop", (4, 4)),
        ("8x3", "pad", (3, 8)),
        ("3 x 5", "stretch", (5, 3)),
        (16, "pad", (16, 16)),
    ],
)
def test_mixed_sizes_become_one(
    resize: int | str, fit: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    for i in range(12):
        size = (6 + i, 20 - i)
        pixels = np.full((*size, 3), 10 * i, np.uint8)
        pixels[:, ::2] += 100  # stripes that a filter without antialiasing would alias
        odd.save(tmp_path / f"{i}.png", pixels)
    with pytest.raises(BadInput, match=r"mixed sizes.*data\.resize=32.*crop, pad or stretch"):
        open_data(tmp_path)
    data = open_data(tmp_path, images={"resize": resize, "fit": fit})
    assert data.space == Image(3, *shape)
    assert any("antialiased" in note for note in data.notes)
    assert any("fine detail" in sentence for sentence in data.lost)
    assert any("beside their middle" in sentence for sentence in data.lost) == (fit == "crop")
    # black and white stripes become grey: no pixel of a picture made half as large is near either
    if fit == "stretch" and shape == (5, 3):
        spread = (
            torch.cat([data.train.x, data.validation.x, data.test.x]).float().std(dim=(1, 2, 3))
        )
        assert float(spread.max()) < 25


def test_resizing_is_the_same_picture(tmp_path: Path) -> None:
    small = [np.random.default_rng(i).integers(0, 256, (6, 6), dtype=np.uint8) for i in range(12)]
    for i, one in enumerate(small):
        odd.save(tmp_path / f"{i}.png", one if i else np.kron(one, np.ones((1, 1), np.uint8)))
    plain, asked = open_data(tmp_path), open_data(tmp_path, images={"resize": 6})
    assert plain.fingerprint == asked.fingerprint
    assert not asked.lost
    labels = label_of(asked.train.given)
    assert labels is None
    with pytest.raises(BadInput, match=r"data\.resize=0"):
        open_data(tmp_path, images={"resize": 0})
    with pytest.raises(BadInput, match=r"data\.fit=pad' without data\.resize"):
        open_data(tmp_path, images={"fit": "pad"})


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("shakespeare", {"resize": 8}),
        ("two-moons", {"levels": 4}),
        ("adult-mini", {"alpha": "keep"}),
    ],
)
def test_settings_of_pictures_are_refused_where_there_are_none(
    source: str, settings: dict[str, object]
) -> None:
    (key,) = settings
    with pytest.raises(BadInput, match=rf"'data\.{key}' for {source}"):
        open_data(source, images=settings)


def test_arrays_are_resized_too(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 2, (20, 6, 8))
    np.save(tmp_path / "x.npy", x)
    data = open_data(tmp_path / "x.npy", images={"resize": "4x3"})
    assert data.space == Image(1, 3, 4, levels=2)
    assert open_data("digits", images={"resize": 4}).space == Image(1, 4, 4, levels=17)
