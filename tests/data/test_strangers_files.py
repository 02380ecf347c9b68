"""What a stranger's files showed: spellings, masks, counters, indices and ranges that were passed over in silence."""

from __future__ import annotations

import bz2
import datetime
import gzip
import json
import lzma
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image as Pillow

import pushforward as pf
from pushforward.app.writing.using import draw, drawn_classes
from pushforward.core.errors import BadInput
from pushforward.core.noise import Streams
from pushforward.core.space import Points
from pushforward.data.dataset import describe
from pushforward.data.open import open_data as open_guarded
from pushforward.data.tables.found import keeping
from pushforward.data.write import write_samples

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)


@pytest.mark.parametrize(
    "spellings", [("true", "True", "False"), ("TRUE", "false"), ("true", "FALSE", "True")]
)
def test_a_file_of_booleans_is_read_alike_every_time(
    spellings: tuple[str, ...], tmp_path: Path
) -> None:
    words = np.random.default_rng(1).choice(spellings, 60)
    lines = "".join(f"{i / 4},{word}\n" for i, word in enumerate(words))
    (tmp_path / "t.csv").write_text("x,yes\n" + lines)
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    again = data.encoding.read(tmp_path / "t.csv")
    assert again.x[:, 1].tolist() == [float(word.lower() == "true") for word in words]
    assert any("their spelling (" in lost for lost in data.lost)


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
        assert any("it counts the rows" in note for note in data.notes)


def test_a_named_index_of_a_frame_is_lost_and_said() -> None:
    frame = pd.DataFrame(
        {"a": np.arange(60) / 4, "c": list("xyz") * 20},
        index=pd.Index(np.arange(60) * 7, name="rowid"),
    )
    assert any("rowid" in lost for lost in pf.load(frame).lost)


def test_the_range_of_times_is_that_of_the_column(tmp_path: Path) -> None:
    times = [datetime.time(int(hour), 30) for hour in np.random.default_rng(0).integers(0, 24, 200)]
    pd.DataFrame({"time": times, "x": np.arange(200) / 4}).to_parquet(tmp_path / "t.parquet")
    notes = " ".join(open_data(str(tmp_path / "t.parquet")).notes)
    assert "from 00:30:00 to 23:30:00" in notes


def test_fields_of_json_lines_that_are_not_read_are_lost_and_said(tmp_path: Path) -> None:
    line = '{"text": "hello there %d", "label": "neg", "id": %d}\n'
    (tmp_path / "t.jsonl").write_text("".join(line % (i, i) for i in range(100)))
    assert any("label, id" in lost for lost in pf.load(tmp_path / "t.jsonl", length=8).lost)


def test_lines_of_a_table_that_are_left_out_are_lost_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "# made in May\na,b\n" + "".join(f"{i / 4},{'xy'[i % 2]}\n" for i in range(60))
    )
    assert any("made in May" in lost for lost in open_data(str(tmp_path / "t.csv")).lost)


def test_a_named_index_in_a_file_is_a_column_of_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"a": np.arange(60) / 4, "c": list("xyz") * 20},
        index=pd.Index(np.arange(60) % 5, name="group"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    data = open_data(str(tmp_path / "t.parquet"))
    assert data.encoding is not None
    assert list(data.encoding.decode(data.test.x).columns) == ["group", "a", "c"]


def test_real_pictures_are_told_their_range(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((30, 3, 8, 8)).astype("f4") * 2 - 1
    with pytest.raises(BadInput, match=r"from -0\.99\S* to 0\.99.*data\.levels=256"):
        open_data(x)
    assert open_data(x, images={"levels": 256}).space.levels == 256


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
    write_samples(tmp_path / "s.npz", drawn)
    assert np.load(tmp_path / "s.npz")["labels"].tolist() == list(found[:40])
    write_samples(tmp_path / "folder", drawn)
    assert pf.load(tmp_path / "folder").classes == ("cat", "dog", "n/a")


@pytest.mark.parametrize("text", ["x", "xy", "xyz\n"])
def test_a_text_of_few_characters_is_called_short(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(
        BadInput, match=rf"{len(text)} character.* in .*t\.txt.*bring more text|tokens to train on"
    ):
        pf.load(tmp_path / "t.txt")


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("words", ["äöü", "012"])
def test_samples_are_bytes_like_those_of_the_file(
    charset: str, end: str, words: str, tmp_path: Path
) -> None:
    rows = "".join(f"{i * 7 % 60 / 4:.2f};{words[i % 3]}{end}" for i in range(60))
    raw = f"höhe;art{end}{rows}".encode(charset)
    (tmp_path / "t.csv").write_bytes(raw)
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    x = torch.cat([part.x for part in (data.train, data.validation, data.test)])
    back = data.encoding.csv_file(data.encoding.decode(x))
    lines = sorted(back.decode(charset).split(end))
    assert lines == sorted(raw.decode(charset).split(end))
    assert back[:8] == raw[:8]
    if charset != "utf-32":  # whose name in Python writes the order of this machine's bytes
        assert (
            type(data.encoding).from_json(json.loads(json.dumps(data.encoding.to_json())))
            == data.encoding
        )


def test_a_line_end_within_a_cell_stays_what_it_is(tmp_path: Path) -> None:
    rows = "".join(f'{i / 4},"{"a" * (i % 3)}\nb"\r\n' for i in range(60))
    (tmp_path / "t.csv").write_bytes(f"x,note\r\n{rows}".encode())
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    (tmp_path / "s.csv").write_bytes(data.encoding.csv_file(data.encoding.decode(data.test.x)))
    assert torch.equal(data.encoding.read(tmp_path / "s.csv").x, data.test.x)


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("TRUE", "FALSE"), ("True", "False")])
def test_booleans_are_spelled_as_in_the_file(yes: str, no: str, tmp_path: Path) -> None:
    rows = "".join(f"{i / 4},{(yes, no, '')[i % 3]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"x,b\n{rows}")
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    shown = data.encoding.csv(data.encoding.decode(data.train.x))
    assert {line.split(",")[1] for line in shown.split("\n")[1:-1]} == {yes, no, ""}
    assert data.lost == ()


def test_words_for_missing_values_that_come_back_as_one_are_lost(tmp_path: Path) -> None:
    rows = "".join(
        f"{('NULL', 'NULL', 'NA', '-')[i % 4] if i % 3 else i / 4},{'xy'[i % 2]}\n"
        for i in range(90)
    )
    (tmp_path / "t.csv").write_text(f"a,c\n{rows}")
    data = open_data(str(tmp_path / "t.csv"))
    assert any("('-', 'NA', 'NULL'): written as 'NULL'" in lost for lost in data.lost)


def test_what_is_described_is_the_whole_file(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'xy'[i % 2]}\n" for i in np.random.default_rng(3).permutation(200))
    (tmp_path / "t.csv").write_text(f"n,c\n{rows}")
    assert describe(open_data(str(tmp_path / "t.csv")))["columns"][0] == "n: integer, 0 to 199"


@pytest.mark.parametrize(
    ("value", "said"), [(-999, True), (99999, True), (-1, False), (999, False)]
)
def test_a_repeated_number_of_nines_far_from_all_others_is_pointed_out(
    value: int, said: bool, tmp_path: Path
) -> None:
    others = (i if value != 999 else 990 + i % 60 for i in range(200))
    rows = "".join(
        f"{value if i % 40 == 3 else other},{'xy'[i % 2]}\n" for i, other in enumerate(others)
    )
    (tmp_path / "t.csv").write_text(f"n,c\n{rows}")
    notes = " ".join(open_data(str(tmp_path / "t.csv")).notes)
    assert ("if it means missing, leave those cells empty" in notes) == said


def test_records_are_a_table_however_they_come(tmp_path: Path) -> None:
    records = np.zeros(60, dtype=[("a", "f8"), ("b", "i4")])
    records["a"], records["b"] = np.arange(60) / 4, np.arange(60) % 3
    np.save(tmp_path / "t.npy", records)
    lines = "".join(json.dumps({"a": float(a), "b": int(b)}) + "\n" for a, b in records.tolist())
    (tmp_path / "t.jsonl").write_text(lines)
    (tmp_path / "t.txt").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in records.tolist()))
    for source in (records, tmp_path / "t.npy", tmp_path / "t.jsonl", tmp_path / "t.txt"):
        data = pf.load(source, kind="table")
        assert [column.name for column in data.space.columns] == ["a", "b"]
        assert len(data.train) == 42
    data = pf.load(tmp_path / "t.jsonl", kind="table")
    assert data.encoding is not None
    assert len(data.encoding.read(tmp_path / "t.jsonl")) == 60
    with pytest.raises(BadInput, match=r"no field 'text'.*data\.kind=table"):
        pf.load(tmp_path / "t.jsonl")
    assert pf.load(tmp_path / "t.txt", kind="points").space == Points(2)
    with pytest.raises(BadInput, match="text as points"):
        pf.load(["one", "two"], kind="points")


def test_what_is_no_data_is_named_in_words() -> None:
    with pytest.raises(BadInput, match=r"3 bytes: expected .*data\.decode"):
        pf.load(b"abc")
    notes = pf.load(np.random.default_rng(0).random(60)).notes
    assert any(note.startswith("one dimension, so 1 real column ") for note in notes)
    assert any(
        "whole" in lost for lost in pf.load(np.random.default_rng(0).integers(0, 99, (60, 2))).lost
    )
    assert keeping("column 1") == "`--keep 'column 1'`, or keep=['column 1'] in Python, models it"


def test_folders_of_odd_pictures_say_what_to_do(tmp_path: Path) -> None:
    for i in range(6):
        (tmp_path / "f").mkdir(exist_ok=True)
        Pillow.fromarray(np.full((4, 4), i / 7, np.float32)).save(tmp_path / "f" / f"{i}.tif")
    with pytest.raises(BadInput, match=r"6 unusable pictures.*real numbers.*repair or convert"):
        pf.load(tmp_path / "f")
    (tmp_path / "g").mkdir()
    frames = [Pillow.fromarray(np.full((4, 4), 40 * i, np.uint8)) for i in range(6)]
    frames[0].save(tmp_path / "g" / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(BadInput, match=r"holds one.*5 frames.*data\.frames=all"):
        pf.load(tmp_path / "g")


@pytest.mark.parametrize("kind", [None, "table", "points"])
@pytest.mark.parametrize("values", [("1e308", "-1e308"), ("1e305", "3"), ("-1.7e308", "1.7e308")])
def test_numbers_whose_sums_overflow_are_named(
    values: tuple[str, str], kind: str | None, tmp_path: Path
) -> None:
    rows = "".join(f"{values[i % 2]},{i}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}")
    with pytest.raises(BadInput, match=r"column .* reaches 1.*e\+30.*divide it by a power of ten"):
        pf.load(tmp_path / "t.csv", kind=kind)


@pytest.mark.parametrize(
    "raw", [b"\0" * 100_000, b"a,b\n" + b"\0" * 1000, "a,b\n".encode("utf-16-le") + b"\0" * 500]
)
def test_zero_bytes_are_no_table(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(BadInput, match="zero byte"):
        pf.load(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,x\n2,"y\n3,z\n4,w\n', 3),
        ('a,b\r\n"u\r\nv",x\r\n2,"y\r\n3,z\r\n', 4),
        ('a;b\n1;"x ""y"" z"\n2;"y\n3;"z"\n4;"w"\n', 3),
        ('sep=;\na;b\n1;x\n2;"y\n3;z\n', 4),
    ],
)
def test_the_line_where_a_quote_opens_is_named(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    with pytest.raises(BadInput, match=rf"is no CSV \(.*\): a quote opens in line {line} and"):
        open_data(tmp_path / "t.csv")


@pytest.mark.parametrize(("pack", "word"), [(gzip, "gzip"), (bz2, "bzip2"), (lzma, "xz")])
def test_packed_bytes_under_a_plain_name_are_called_so(
    tmp_path: Path, pack: ModuleType, word: str
) -> None:
    text = "".join(f"{i},{i * i % 7}\n" for i in range(40))
    (tmp_path / "t.csv").write_bytes(pack.compress(text.encode()))
    with pytest.raises(BadInput, match=rf"is packed \({word}\).*add \.\w+ to its name"):
        open_data(tmp_path / "t.csv")
