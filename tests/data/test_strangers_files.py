"""What a stranger's files showed: spellings, masks, counters, indices and ranges that were passed over in silence."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.app.using import draw, drawn_classes, save_samples
from pushforward.core.errors import BadInput
from pushforward.core.noise import Streams
from pushforward.data.open import open_data


@pytest.mark.parametrize("spellings", [("true", "True", "False"), ("TRUE", "false"), ("true", "FALSE", "True")])
def test_a_file_of_booleans_is_read_alike_every_time(spellings: tuple[str, ...], tmp_path: Path) -> None:
    words = np.random.default_rng(1).choice(spellings, 60)
    lines = "".join(f"{i / 4},{word}\n" for i, word in enumerate(words))
    (tmp_path / "t.csv").write_text("x,yes\n" + lines)
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    again = data.encoding.read(tmp_path / "t.csv")
    assert again.x[:, 1].tolist() == [float(word.lower() == "true") for word in words]
    assert any("written as True and False" in lost for lost in data.lost)


def test_masked_values_are_not_values() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    mask = np.zeros(x.shape, bool)
    mask[:7, 0] = True
    for source in (np.ma.masked_array(x, mask), (np.ma.masked_array(x, mask), np.arange(50) % 2)):
        with pytest.raises(BadInput, match="an array with 7 masked values"):
            pf.load(source)
    assert len(pf.load(np.ma.masked_array(x, np.zeros(x.shape, bool))).train) > 0


def test_whole_numbers_of_an_array_file_are_counted_as_a_table_if_asked(tmp_path: Path) -> None:
    np.save(tmp_path / "i.npy", np.random.default_rng(0).poisson(4, size=(300, 2)))
    data = pf.load(tmp_path / "i.npy", kind="table")
    assert (data.space.kind, data.space.dimensions, data.name) == ("table", 2, "i")
    assert data.encoding is not None
    assert list(data.encoding.decode(data.test.x).columns) == ["x0", "x1"]


def test_a_row_counter_is_one_with_zeros_before_it(tmp_path: Path) -> None:
    for width in ("", "06"):
        rows = "".join(f"{i % 7 / 4},{i:{width}d}\n" for i in range(200))
        (tmp_path / "t.csv").write_text("x,id\n" + rows)
        data = open_data(str(tmp_path / "t.csv"), kind="table")
        assert data.space.dimensions == 1, width
        assert any("it counts the rows" in lost for lost in data.lost)


def test_a_named_index_of_a_frame_is_lost_and_said() -> None:
    frame = pd.DataFrame(
        {"a": np.arange(60) / 4, "c": list("xyz") * 20}, index=pd.Index(np.arange(60) * 7, name="rowid")
    )
    assert any("rowid" in lost for lost in pf.load(frame).lost)


def test_the_range_of_times_is_that_of_the_column(tmp_path: Path) -> None:
    times = [datetime.time(int(hour), 30) for hour in np.random.default_rng(0).integers(0, 24, 200)]
    pd.DataFrame({"time": times, "x": np.arange(200) / 4}).to_parquet(tmp_path / "t.parquet")
    notes = " ".join(open_data(str(tmp_path / "t.parquet")).notes)
    assert "from 1800 to 84600" in notes


def test_fields_of_json_lines_that_are_not_read_are_lost_and_said(tmp_path: Path) -> None:
    line = '{"text": "hello there %d", "label": "neg", "id": %d}\n'
    (tmp_path / "t.jsonl").write_text("".join(line % (i, i) for i in range(100)))
    assert any("label, id" in lost for lost in pf.load(tmp_path / "t.jsonl", length=8).lost)


def test_lines_of_a_table_that_are_left_out_are_lost_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("# made in May\na,b\n" + "".join(f"{i / 4},{'xy'[i % 2]}\n" for i in range(60)))
    assert any("made in May" in lost for lost in open_data(str(tmp_path / "t.csv")).lost)


def test_a_named_index_in_a_file_is_a_column_of_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"a": np.arange(60) / 4, "c": list("xyz") * 20}, index=pd.Index(np.arange(60) % 5, name="group")
    )
    frame.to_parquet(tmp_path / "t.parquet")
    data = open_data(str(tmp_path / "t.parquet"))
    assert data.encoding is not None
    assert list(data.encoding.decode(data.test.x).columns) == ["group", "a", "c"]


def test_real_pictures_are_told_their_range(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((30, 3, 8, 8)).astype("f4") * 2 - 1
    with pytest.raises(BadInput, match=r"from -0\.99\S* to 0\.99.*x - x\.min\(\)"):
        open_data(x)


def test_samples_bring_the_classes_that_they_were_drawn_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 4, (200, 4, 4)).astype(np.uint8), rng.choice(["cat", "dog", "n/a"], 200)
    model = pf.fit("vae", pf.load(x, labels=y), steps=2, preset="smoke").model
    used = model._condition(None, 300, Streams(3, 300))  # what `sample` itself conditions on
    assert used is not None
    assert used.label is not None
    found = drawn_classes(model, 300, 3)
    assert found == tuple(model.classes[i] for i in used.label.tolist())
    assert len(set(found)) == 3
    drawn = draw(model, 40, seed=3)
    assert (drawn.x == model.sample(40, seed=3)).all()  # and the samples are what they were
    save_samples(drawn, model, tmp_path / "s.npz")
    assert np.load(tmp_path / "s.npz")["labels"].tolist() == list(found[:40])
    save_samples(drawn, model, tmp_path / "folder")
    assert pf.load(tmp_path / "folder").classes == ("cat", "dog", "n/a")


@pytest.mark.parametrize("text", ["x", "xy", "xyz\n"])
def test_a_text_of_few_characters_is_called_short(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(BadInput, match=rf"{len(text)} character.* in .*t\.txt.*bring more text|tokens to train on"):
        pf.load(tmp_path / "t.txt")
