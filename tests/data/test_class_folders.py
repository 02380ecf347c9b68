"""Samples in folders named by their classes: nothing is written outside, and the classes come back whatever they are called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch

from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.data.class_folders import TABLE, classes_of, folder_names, table_of
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.write import write_samples

SPACE = Image(1, 4, 4, levels=256)
HOSTILE = [
    *(
        "../victim",
        "/abs/x",
        "n/a",
        "",
        ".",
        "..",
        "a\0b",
        "a\nb",
        "x" * 300,
        "\u732b" * 100,
        "~",
        "~root",
        "$HOME",
        "-rf",
    ),
    *(
        "..\\victim",
        "C:\\x",
        "c:",
        "con",
        "NUL.txt",
        "com1",
        "lpt\u00b9",
        " lead",
        "trail ",
        "trail.",
        "a:b",
        "*?",
        "|",
        "<a>",
    ),
    *(
        "Cat",
        "cat",
        "CAT",
        "stra\u00dfe",
        "STRASSE",
        "e\u0301",
        "\u00e9",
        "\u2126",
        "\u03c9",
        "\ud800",
        "\u202egnp",
    ),
    *(
        "train",
        "Test",
        "val",
        ".hidden",
        "class-0000",
        "labels.json",
        "Thumbs.db",
        "\U0001f600",
        "a b",
        "3",
        "1.5",
    ),
]


def pictures(n: int) -> torch.Tensor:
    return torch.randint(0, 256, (n, 1, 4, 4), generator=generator(0)).to(torch.uint8)


def test_hostile_labels_stay_inside_and_come_back(tmp_path: Path) -> None:
    labels = [label for label in HOSTILE for _ in range(8)]
    written = write_samples(
        tmp_path / "in" / "out", Samples(pictures(len(labels)), SPACE, labels=labels)
    )
    everything = [Path(folder, name) for folder, _, names in os.walk(tmp_path) for name in names]
    assert sorted(written) == sorted(everything)
    assert len(everything) == len(labels) + 1
    assert {p.relative_to(tmp_path).parts[:2] for p in everything} == {("in", "out")}
    assert max(len(p.parts) for p in everything) == len(tmp_path.parts) + 4
    data = open_data(str(tmp_path / "in" / "out"))
    assert not data.lost
    assert sorted(data.classes) == sorted(set(labels))
    # of every class as many examples as were written, each under its own name
    pixels = {
        tuple(x.flatten().tolist()): label
        for x, label in zip(pictures(len(labels)), labels, strict=True)
    }
    for part in (data.train, data.validation, data.test):
        assert part.given is not None
        assert part.given.label is not None
        for x, label in zip(part.x, part.given.label.tolist(), strict=True):
            assert pixels[tuple(x.flatten().tolist())] == data.classes[label]


def test_every_folder_of_a_split_has_its_own_table(tmp_path: Path) -> None:
    """Two folders that `sample` wrote, put beside each other: the same number means another class in each."""
    write_samples(
        tmp_path / "train", Samples(pictures(16), SPACE, labels=["a/b"] * 8 + ["c/d"] * 8)
    )
    write_samples(tmp_path / "test", Samples(pictures(16), SPACE, labels=["c/d"] * 8 + ["a/b"] * 8))
    data = open_data(str(tmp_path))
    assert data.classes == ("a/b", "c/d")
    assert data.test.given is not None
    assert data.test.given.label is not None
    first = [
        i for i, x in enumerate(data.test.x) if any(torch.equal(x, y) for y in pictures(16)[:8])
    ]
    assert len(first) == 8
    assert {data.classes[int(data.test.given.label[i])] for i in first} == {"c/d"}


def test_names_differ_on_every_file_system() -> None:
    names = folder_names(HOSTILE)
    assert len(names) == len(HOSTILE)
    assert len({name.casefold() for name in names.values()}) == len(HOSTILE)
    assert all(
        name == os.path.basename(name) and name not in ("", ".", "..") for name in names.values()
    )
    assert all(
        len(name.encode()) <= 60 and name.isprintable() and name[0] != "."
        for name in names.values()
    )
    assert {label for label, name in names.items() if label == name} == {"a b", "3", "1.5"}


def test_plain_names_stay_and_need_no_table(tmp_path: Path) -> None:
    plain = ["0", "1", "10", "cat", "Dog", "New York", "gr\u00fcn", "\u732b", "a_b-c.d"]
    assert folder_names(plain) == {label: label for label in plain}
    assert table_of(folder_names(plain)) is None
    write_samples(tmp_path / "out", Samples(pictures(9), SPACE, labels=plain))
    assert not (tmp_path / "out" / TABLE).exists()


def test_a_table_of_somebody_else_is_not_read(tmp_path: Path) -> None:
    for content in ('{"a": "b"}', "[]", "{", '{"folders": {"a": "b"}}', "7", '"text"'):
        (tmp_path / TABLE).write_text(content)
        assert classes_of(tmp_path) == {}
    names = folder_names(["a/b"])
    table = json.loads(table_of(names) or "")
    (tmp_path / TABLE).write_text(json.dumps({**table, "folders": {"class-0000": "a/b", "x": 7}}))
    assert classes_of(tmp_path) == {"class-0000": "a/b"}
