"""Tables in the formats that people have: packed, encoded and typed otherwise, in parts; a column is left out by name."""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from pushforward.app.runs.opening import open_source
from pushforward.core.errors import BadInput
from pushforward.data.dataset import describe
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data as open_guarded
from pushforward.data.tables.encoding import TableEncoding

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

N = 40
TEXT = "name;née;grün\n" + "".join(f"{'äöü'[i % 3]};{i * i % 17};{i % 5},5\n" for i in range(N))


def zipped(path: Path, raw: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._t.csv", b"\0")
        archive.writestr("t.csv", raw)


PACKINGS: dict[str, Callable[[Path, bytes], object]] = {
    "t.csv": lambda path, raw: path.write_bytes(raw),
    "t.csv.gz": lambda path, raw: path.write_bytes(gzip.compress(raw)),
    "t.csv.bz2": lambda path, raw: path.write_bytes(bz2.compress(raw)),
    "t.csv.xz": lambda path, raw: path.write_bytes(lzma.compress(raw)),
    "t.zip": zipped,
    "T.CSV.ZIP": zipped,
    "t.tsv.gz": lambda path, raw: path.write_bytes(gzip.compress(raw.replace(b";", b"\t"))),
}


@pytest.mark.parametrize("name", PACKINGS)
def test_packed_files_open(name: str, tmp_path: Path) -> None:
    PACKINGS[name](tmp_path / name, TEXT.encode())
    data = open_data(tmp_path / name)
    assert [c.name for c in data.space.columns] == ["name", "née", "grün"]  # type: ignore[union-attr]
    assert len(data.train) + len(data.validation) + len(data.test) == N


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    data = open_data(path)
    assert [c.name for c in data.space.columns] == ["name", "née", "grün"]  # type: ignore[union-attr]
    assert data.space.columns[0].categories == ("ä", "ö", "ü")  # type: ignore[union-attr]
    said = " ".join(data.notes)
    assert ("Windows-1252" in said) == (encoding in ("latin-1", "cp1252"))
    assert ("UTF-16" in said) == encoding.startswith("utf-16")


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(200), r"zero byte|no(t)? "),
        ("t.csv", bytes(range(128, 256)) * 9, r"not UTF-8 at byte 0"),
        ("t.csv.gz", gzip.compress(TEXT.encode())[:-30], r"cannot be read"),
        ("t.csv.gz", TEXT.encode(), r"cannot be read"),
        ("t.csv.xz", b"xz?", r"cannot be read"),
        ("t.csv.bz2", bz2.compress(TEXT.encode())[:40], r"cannot be read"),
        ("t.csv.zip", b"PK\x03\x04 and no more", r"cannot be read"),
        ("t.parquet", b"PAR1", r"complete Parquet file"),
        ("t.feather", b"ARROW1", r"complete Feather file"),
        ("t.json", b"{", r"is no JSON"),
        ("t.json", b'"a"', r"holds a text that is no table.*records"),
        ("t.json", b"[1, [2]]", r"holds a list that is no table"),
        ("t.xlsx", b"PK", r"Excel|cannot be read"),
    ],
)
def test_damaged_files_are_refused_in_a_sentence(
    name: str, raw: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(BadInput, match=said):
        open_data(tmp_path / name)


def test_an_archive_of_several_files_names_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(BadInput, match=r"holds a\.csv, b\.csv: expected one file"):
        open_data(tmp_path / "t.zip")


def typed_frame() -> pd.DataFrame:
    """A frame of what Parquet keeps and CSV does not."""
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=37 * i % 900) for i in range(N)]
    return pd.DataFrame(
        {
            "date": pd.Series([None, *days[1:]], dtype=object),
            "price": pd.Series(
                [decimal.Decimal(f"{i * 7 % 50}.{i:02d}") for i in range(N)], dtype=object
            ),
            "count": pd.Series([decimal.Decimal(i * 3 % 11) for i in range(N)], dtype=object),
            "time": pd.Series([datetime.time(i % 24, 7 * i % 60) for i in range(N)], dtype=object),
            "span": pd.to_timedelta([90 * i % 1000 for i in range(N)], unit="s"),
            "gap": pd.to_timedelta([None, *(i / 8 for i in range(1, N))], unit="s"),
            "month": pd.PeriodIndex([f"{2000 + i % 20}-0{1 + i % 9}" for i in range(N)], freq="M"),
            "quarter": pd.PeriodIndex([f"{2000 + i % 20}Q{1 + i % 4}" for i in range(N)], freq="Q"),
            "moment": pd.date_range("2024-03-30 22:00", periods=N, freq="7h", tz="Europe/Berlin"),
            "word": pd.Categorical(
                ["low", "high"] * (N // 2), categories=["low", "high"], ordered=True
            ),
            "flag": pd.array([True, None] * (N // 2), dtype="boolean"),
            "small": np.arange(N, dtype="float32") / 4 - 3,
        }
    )


def came_back(data: object, frame: pd.DataFrame) -> None:
    encoding = data.encoding  # type: ignore[attr-defined]
    assert isinstance(encoding, TableEncoding)
    loaded = encoding_from_json(json.loads(json.dumps(encoding.to_json())))
    assert loaded == encoding
    assert_frame_equal(loaded.decode(encoding.encode(frame)), frame)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "given"])
def test_columns_of_every_type_are_modelled_and_come_back(name: str, tmp_path: Path) -> None:
    frame = typed_frame()
    path = tmp_path / name
    if name == "given":
        data = open_data(frame)
    else:
        frame.to_parquet(path) if name == "t.parquet" else frame.to_feather(path)
        frame = pd.read_parquet(path) if name == "t.parquet" else pd.read_feather(path)
        data = open_data(path)
    assert not data.lost
    kinds = {c.name: c.kind for c in data.space.columns}  # type: ignore[union-attr]
    assert kinds["date"] == kinds["moment"] == "datetime"
    assert kinds["count"] == kinds["month"] == kinds["span"] == "integer"
    came_back(data, frame)
    assert data.encoding is not None
    known = data.encoding.parse_given(
        "time=07:49,month=2007-08,span=00:10:30,date=2021-05-01,price=14.02", 2
    ).known
    assert known is not None
    assert known.mask.sum() == 10
    with pytest.raises(BadInput, match=r"'time=99:99'"):
        data.encoding.parse_given("time=99:99", 1)


def test_parts_and_partitions_are_one_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "u": [i * i % 17 / 4 for i in range(N)],
            "w": ["a", "b"] * (N // 2),
            "year": [2019, 2020] * (N // 2),
        }
    )
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "_SUCCESS").write_text("")
    for i in range(4):
        frame[i * 10 : i * 10 + 10].to_parquet(parts / f"part-{i:05d}.parquet")
    data = open_data(parts)
    assert any("4 Parquet files" in note for note in data.notes)
    assert len(data.train) + len(data.validation) + len(data.test) == N
    frame.to_parquet(tmp_path / "hive", partition_cols=["year"])
    hive = open_data(tmp_path / "hive")
    assert any("the folders' names give the column 'year'" in note for note in hive.notes)
    assert {c.name for c in hive.space.columns} == {"u", "w", "year"}  # type: ignore[union-attr]


def test_json_records_and_columns(tmp_path: Path) -> None:
    records = [{"u": i * i % 17 / 4, "w": "ab"[i % 2]} for i in range(N)]
    (tmp_path / "a.json").write_text(json.dumps(records))
    (tmp_path / "b.json").write_text(
        json.dumps({key: [one[key] for one in records] for key in ("u", "w")})
    )
    for name in ("a.json", "b.json"):
        assert [c.name for c in open_data(tmp_path / name).space.columns] == ["u", "w"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[i] for i in range(N)], "a list in column 'odd'"),
        ([{"a": i} for i in range(N)], "a dict in column 'odd'"),
        ([b"x"] * N, "a bytes in column 'odd'"),
        ([complex(i, 1) for i in range(N)], "column 'odd' of dtype complex128"),
        ([*range(N - 1), "oops"], "'oops' in column 'odd'"),
    ],
)
def test_a_column_that_cannot_be_modelled_is_left_out_by_the_option_that_the_message_names(
    values: list, said: str
) -> None:
    frame = pd.DataFrame(
        {"u": [i * i % 17 / 4 for i in range(N)], "w": ["a", "b"] * (N // 2), "odd": values}
    )
    with pytest.raises(BadInput, match=said + r".*`-s data\.columns\.odd=drop`"):
        open_source(frame)
    data = open_source(frame, {"columns.odd": "drop"})
    assert [c.name for c in data.space.columns] == ["u", "w"]  # type: ignore[union-attr]
    assert data.lost == ("column 'odd': left out, as asked",)
    assert data.encoding is not None
    assert len(data.encoding.read(frame[["w", "u"]])) == len(data.encoding.read(frame)) == N


def test_a_column_of_a_file_is_left_out_before_its_cells_are_judged(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "u,w,odd\n"
        + "".join(f"{i % 7},{'ab'[i % 2]},{'oops' if i == 3 else i * 1.5}\n" for i in range(N))
    )
    with pytest.raises(BadInput, match=r"'oops' in line 5.*data\.columns\.odd=drop"):
        open_source(str(path))
    data = open_source(str(path), {"columns.odd": "drop"})
    assert [c.name for c in data.space.columns] == ["u", "w"]  # type: ignore[union-attr]
    kept = open_source(str(path), {"columns.odd": "number"})
    assert kept.space.columns[2].missing  # type: ignore[union-attr]
    assert any("'oops' (1 value) counts as missing, as asked" in one for one in kept.lost)
    with pytest.raises(
        BadInput, match=r"a declaration of column 'ood': expected a column of the table.*'odd'"
    ):
        open_source(str(path), {"columns.ood": "drop"})


@pytest.mark.parametrize("dtype", ["str", "object", "string"])
def test_text_of_a_frame_that_holds_numbers_or_dates_is_modelled_as_these_and_comes_back_as_text(
    dtype: str,
) -> None:
    text = {
        "price": [f"${i * 37 % 900}.{i:02d}" for i in range(N)],
        "day": [f"{1 + i % 28:02d}.{1 + i % 12:02d}.20{10 + i % 9}" for i in range(N)],
        "weight": ["-" if i % 9 == 0 else f"{i},{i:02d}" for i in range(N)],
    }
    frame = pd.DataFrame(text, dtype=dtype)
    data = open_data(frame)
    assert [c.kind for c in data.space.columns] == ["continuous", "datetime", "continuous"]  # type: ignore[union-attr]
    came_back(data, frame)
    assert data.encoding is not None
    assert data.encoding.csv(frame) == frame.to_csv(index=False)
    assert data.encoding.parse_given("price=$5.00,day=03.11.2024,weight=1,50", 1).known is not None


def test_one_category_is_called_one(tmp_path: Path) -> None:
    rows = "".join(f"{'yes' if i % 2 else ''},{i % 7}.5,{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"u,v,w\n{rows}")
    data = open_data(tmp_path / "t.csv", columns={"u": "categorical"})
    described = "\n".join(map(str, (*data.notes, describe(data))))
    assert "1 category" in described
    assert not re.search(r"\b1 (distinct values|categories|levels)\b", described)
