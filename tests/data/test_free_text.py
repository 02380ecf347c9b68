"""A column of sentences in a table is called that, with the way to model it, and names are others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.faces.python.verbs import load

WORDS = (
    "the",
    "film",
    "was",
    "great",
    "slow",
    "fun",
    "and",
    "of",
    "I",
    "liked",
    "it",
    "very",
    "much",
    "but",
    "not",
)
RNG = np.random.default_rng(0)


def sentences(n: int, low: int = 8, high: int = 30) -> list[str]:
    return [" ".join(RNG.choice(WORDS, RNG.integers(low, high))) + "." for _ in range(n)]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "frame"])
@pytest.mark.parametrize("name", ["review", "the text"])
def test_texts_in_a_table_are_named_and_open_as_told(
    ending: str, name: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({name: sentences(200), "sentiment": RNG.choice(["pos", "neg"], 200)})
    path = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    elif ending != "frame":
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    data = load(frame, kind="table") if ending == "frame" else load(path)
    lost = next(line for line in data.lost if name in line)
    assert re.search(r"what texts say: 200 different ones of \d+ words", lost)
    assert "identifier" not in lost
    # and what it says works, word for word
    frame.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    field = re.search(r"data\.text_field=([^'`]+)", lost)
    assert field is not None
    texts = load(tmp_path / "rows.jsonl", text_field=field[1], context="sentiment")
    assert texts.space.kind == "text"
    first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert first[name] == frame[name][0]


def test_names_addresses_and_codes_come_back_as_others(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "name": [f"Brown{i}, Mrs. Anna Maria" for i in range(60)],
            "street": [f"{i} Long Lane, Old Town" for i in range(60)],
            "code": [f"A-{i:04d}" for i in range(60)],
            "x": RNG.normal(size=60).round(3),
        }
    )
    frame.to_csv(tmp_path / "people.csv", index=False)
    data = load(tmp_path / "people.csv")
    assert sum("samples have new ones" in line for line in data.notes) == 3
    assert not data.lost
    back = data.encoding.decode(data.test.x)
    assert list(back.columns) == list(frame.columns)
    for column in ("name", "street", "code"):
        assert not set(back[column]) & set(frame[column])


def test_few_different_sentences_are_categories(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"answer": RNG.choice(sentences(4), 100), "x": RNG.normal(size=100).round(2)}
    )
    frame.to_csv(tmp_path / "answers.csv", index=False)
    data = load(tmp_path / "answers.csv")
    assert not data.lost
