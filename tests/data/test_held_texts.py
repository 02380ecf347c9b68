"""Texts that a program holds open as texts, whatever holds them; what is no text is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.text import Text
from pushforward.data.dataset import Dataset

TEXTS = [f"text {i}: some words about {i * i}" for i in range(60)]
Y = [i % 3 for i in range(60)]
LOST = ("the labels of the texts (0, 1, 2): context='label' models each text given its own",)


class Items:
    """A data set as torch has them: it is indexed, and no sequence."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> Any:
        return self.items[i]


def opened(source: Any, **settings: Any) -> Dataset:
    data = pf.load(source, length=8, **settings)
    assert isinstance(data.space, Text)
    return data


ALONE: dict[str, Callable[[], Any]] = {
    "series": lambda: pd.Series(TEXTS),
    "series of strings": lambda: pd.Series(TEXTS, dtype="string", name="body"),
    "index": lambda: pd.Index(TEXTS),
    "objects": lambda: np.array(TEXTS, dtype=object),
    "column of a frame": lambda: pd.DataFrame({"t": TEXTS})[["t"]].to_numpy(),
    "words of numpy in a column": lambda: np.array(TEXTS)[:, None],
    "frame": lambda: pd.DataFrame({"t": TEXTS}),
    "frame without names": lambda: pd.DataFrame(TEXTS),
    "records": lambda: [{"text": text} for text in TEXTS],
    "columns": lambda: {"text": TEXTS},
    "arrow": lambda: pa.array(TEXTS),
    "arrow table": lambda: pa.table({"text": TEXTS}),
    "tuples of one": lambda: [(text,) for text in TEXTS],
    "tuple": lambda: tuple(TEXTS),
    "generator": lambda: (text for text in TEXTS),
    "data set": lambda: Items(TEXTS),
}


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE.keys())
def test_texts_open_as_the_list_of_them(source: Callable[[], Any]) -> None:
    data = opened(source())
    assert data.fingerprint == opened(TEXTS).fingerprint
    assert data.lost == ()


LABELLED: dict[str, Callable[[], Any]] = {
    "pairs": lambda: list(zip(TEXTS, Y, strict=True)),
    "lists": lambda: [[text, y] for text, y in zip(TEXTS, Y, strict=True)],
    "label first": lambda: list(zip(Y, TEXTS, strict=True)),
    "data set": lambda: Items(list(zip(TEXTS, Y, strict=True))),
    "data set of records": lambda: Items(
        [{"text": text, "label": y} for text, y in zip(TEXTS, Y, strict=True)]
    ),
    "records": lambda: [{"label": y, "review": text} for text, y in zip(TEXTS, Y, strict=True)],
    "frame": lambda: pd.DataFrame({"body": TEXTS, "stars": Y}),
    "columns": lambda: {"text": TEXTS, "label": Y},
    "two lists": lambda: (TEXTS, Y),
    "two columns": lambda: (pd.Series(TEXTS), pd.Series(Y)),
    "two arrays": lambda: (np.array(TEXTS, dtype=object), torch.tensor(Y)),
}


@pytest.mark.parametrize("source", LABELLED.values(), ids=LABELLED.keys())
def test_labels_of_texts_are_said_to_be_lost_and_can_be_what_they_are_about(
    source: Callable[[], Any],
) -> None:
    data = opened(source())
    assert data.fingerprint == opened(TEXTS).fingerprint
    assert data.lost == LOST
    assert "texts have no labels: all are modelled as one kind" in data.notes
    given = opened(source(), context="label")
    assert given.lost == ()
    assert given.fingerprint == opened(TEXTS, labels=Y, context="label").fingerprint
    assert given.context is not None
    # what a model of texts scores comes in the same shapes
    encoding = given.encoding
    assert encoding is not None
    assert len(encoding.read((TEXTS[:4], Y[:4]))) >= 4


def test_a_few_texts_are_texts_too() -> None:
    few = [f"{text}, {text}" for text in TEXTS[:6]]
    assert opened(pd.Series(few)).fingerprint == opened(few).fingerprint


def test_labels_left_out_are_not_missed() -> None:
    assert opened((TEXTS, Y), labels=False).lost == ()
    with pytest.raises(BadInput, match=r"3 labels for 60 texts: expected one label per text"):
        opened((TEXTS, Y[:3]))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "gap": (
        lambda: [*TEXTS, None],
        r"1 gap among 61 texts in the list, the first at 60 \(None\): .*isinstance\(t, str\)",
    ),
    "gaps of pandas": (
        lambda: pd.Series([None, pd.NA, *TEXTS]),
        r"2 gaps among 62 texts in .*column\.dropna\(\)",
    ),
    "nan": (
        lambda: np.array([*TEXTS, np.nan], dtype=object),
        r"1 gap among 61 texts in the array, the first at 60 \(nan\)",
    ),
    "number": (
        lambda: [*TEXTS, 3],
        r"an int at 60 among texts in the list: expected a string each; .*str\(\)",
    ),
    "bytes": (
        lambda: [text.encode() for text in TEXTS],
        r"60 texts as bytes in the list: .*t\.decode\(\)",
    ),
    "bytes of numpy": (
        lambda: np.array([text.encode() for text in TEXTS]),
        r"60 texts as bytes in the array",
    ),
    "rows": (
        lambda: [(text, 1, 2.5) for text in TEXTS],
        r"rows of 3 words or numbers: .*pd\.DataFrame\(rows\)",
    ),
    "words": (lambda: [text.split() for text in TEXTS], r"rows of 6 words .*' '\.join\(row\)"),
    "words of different numbers": (
        lambda: [["a"], ["b", "c"]] * 9,
        r"lists of words: .*' '\.join\(row\)",
    ),
}


@pytest.mark.parametrize(("source", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_text_is_refused_with_what_to_do(source: Callable[[], Any], said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        pf.load(source())
    assert "dtype" not in str(refused.value)


def test_names_of_files_are_no_texts(tmp_path: Path) -> None:
    for i in range(6):
        (tmp_path / f"{i}.log").write_text(TEXTS[i])
    paths = sorted(tmp_path.iterdir())
    for names in (paths, [str(path) for path in paths]):
        with pytest.raises(
            BadInput,
            match=r"6 names of files in the list, such as '.*0\.log': .*open\(p\)\.read\(\)",
        ):
            pf.load(names)


TABLES: dict[str, Callable[[], Any]] = {
    "classes": lambda: pd.Series(["red", "blue", "green"] * 20),
    "categories": lambda: pd.Series(["red", "blue"] * 30, dtype="category"),
    "dates": lambda: pd.DataFrame({"d": pd.date_range("2024-01-01", periods=60).astype(str)}),
    "numbers in words": lambda: pd.Series([f"{i * 1.25}" for i in range(60)]),
    "dates beside a class": lambda: pd.DataFrame(
        {"d": pd.date_range("2024-01-01", periods=60).strftime("%d %B %Y"), "y": Y}
    ),
    "names beside a number": lambda: pd.DataFrame(
        {"name": [f"person{i}" for i in range(60)], "age": Y}
    ),
    "texts among columns": lambda: pd.DataFrame(
        {"text": TEXTS, "stars": Y, "age": [20 + i % 7 for i in range(60)]}
    ),
}


@pytest.mark.parametrize("source", TABLES.values(), ids=TABLES.keys())
def test_what_a_table_can_model_stays_a_table(source: Callable[[], Any]) -> None:
    assert pf.load(source()).space.kind == "table"


def test_a_table_of_texts_is_one_if_asked() -> None:
    frame = pd.DataFrame({"text": TEXTS, "label": Y})
    for settings in ({"kind": "table"}, {"keep": ["text"]}, {"columns": {"label": "categorical"}}):
        assert pf.load(frame, **settings).space.kind == "table"
    assert pf.load(frame).space.kind == "text"
