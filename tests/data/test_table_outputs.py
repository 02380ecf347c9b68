"""Rows made for a file come back in its own format and with its own types."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import feather, parquet

from pushforward.core.errors import BadInput
from pushforward.data.encoding import encoding_from_json
from pushforward.data.formats.choosing import written
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data as open_guarded
from pushforward.data.points import PointsEncoding
from pushforward.data.tables.arrow import arrow_table, parquet_schema
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.table_bytes import json_bytes
from pushforward.data.write import write_samples

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

N = 40
DAY = datetime.date(2024, 1, 1)


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, N),
            "pay": np.round(rng.gamma(3.0, 700.0, N), 2),
            "town": rng.choice(["Köln", "a,b", 'say "x"'], N),
            "member": rng.choice([True, False], N),
            "visits": rng.integers(0, 9, N).astype(float),
            "day": pd.Timestamp(DAY) + pd.to_timedelta(rng.integers(0, 400, N), unit="D"),
        }
    )
    frame.loc[[3, 5], "visits"] = np.nan
    frame.loc[7, "town"] = None
    return frame


NAMES = [
    "s.json",
    "s.jsonl",
    "s.ndjson",
    "s.feather",
    "s.arrow",
    "s.parquet",
    "s.pq",
    "s.csv",
    "s.tsv",
    "s.tab",
]
PACKED = ["s.csv.gz", "s.tsv.gz", "s.csv.bz2", "s.csv.xz", "s.csv.zip", "s.json.gz", "s.CSV.GZ"]


@pytest.fixture(scope="module")
def encoding() -> TableEncoding:
    """The dictionary of a frame of every plain kind, some values missing."""
    return TableEncoding.of(_frame())


@pytest.mark.parametrize("name", [*NAMES, *PACKED])
def test_rows_are_read_back_from_every_format(
    name: str, encoding: TableEncoding, tmp_path: Path
) -> None:
    x = encoding.encode(_frame())
    shown = encoding.decode(x)
    write_samples(tmp_path / name, Samples(shown=shown, encoding=encoding))
    torch.testing.assert_close(encoding.read(tmp_path / name).x, x, equal_nan=True, rtol=0, atol=0)
    (tmp_path / "again").mkdir()
    write_samples(tmp_path / "again" / name, Samples(shown=shown, encoding=encoding))
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", ["in.json", "in.jsonl", "in.feather", "in.csv.gz", "in.tsv.xz"])
def test_a_file_is_had_again_in_its_own_format(name: str, tmp_path: Path) -> None:
    write_samples(tmp_path / name, Samples(shown=_frame()))
    data = open_data(tmp_path / name, kind="table")
    assert data.encoding is not None
    write_samples(
        tmp_path / f"out-{name}",
        Samples(shown=data.encoding.decode(data.test.x), encoding=data.encoding),
    )
    again = data.encoding.read(tmp_path / f"out-{name}").x
    torch.testing.assert_close(again, data.test.x, equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize(
    "name", ["s.json", "s.jsonl", "s.feather", "s.csv.gz", "s.tsv", "s.parquet"]
)
def test_points_of_a_table_are_had_in_every_format(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(N, 3)).round(4), columns=["u", "v", "w"])
    frame.to_csv(tmp_path / "in.csv", index=False)
    data = open_data(tmp_path / "in.csv")
    assert isinstance(data.encoding, PointsEncoding)
    write_samples(
        tmp_path / name, Samples(shown=data.encoding.decode(data.test.x), encoding=data.encoding)
    )
    np.testing.assert_allclose(
        data.encoding.read(tmp_path / name).x, data.test.x, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("name", ["s", "s.xlsx", "s.gz", "s.parquet.gz", "s.jsonl.gz", "s.png"])
def test_other_endings_are_refused_with_those_that_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        write_samples(tmp_path / name, Samples(shown=_frame()))
    assert refused.value.expected.endswith(written("rows"))
    assert not (tmp_path / name).exists()


def test_json_says_what_is_missing_and_dates_as_iso_text() -> None:
    frame = pd.DataFrame(
        {"n": [1.0, np.nan], "p": [Decimal("1.50"), None], "d": [DAY, None], "t": ["é", None]}
    )
    assert json_bytes(frame, lines=True).decode().splitlines() == [
        '{"n": 1, "p": 1.5, "d": "2024-01-01", "t": "é"}',
        '{"n": null, "p": null, "d": null, "t": null}',
    ]


def test_tabs_in_a_file_that_is_called_so(encoding: TableEncoding, tmp_path: Path) -> None:
    write_samples(
        tmp_path / "s.tsv",
        Samples(shown=encoding.decode(encoding.encode(_frame())), encoding=encoding),
    )
    assert pd.read_csv(tmp_path / "s.tsv", sep="\t").columns.tolist() == list(_frame().columns)


def _typed() -> pa.Table:
    rng = np.random.default_rng(2)

    def column(make: Any, kind: pa.DataType, gaps: bool = False) -> pa.Array:
        values = [make(int(i)) for i in rng.integers(1, 90, N)]
        return pa.array(
            [None if gaps and i in (3, 7) else value for i, value in enumerate(values)], type=kind
        )

    moment = datetime.datetime(2024, 1, 1)
    words = ["x", "y", "z"]
    columns = {
        "price": column(lambda i: Decimal(i) / 4, pa.decimal128(10, 2)),
        "large": column(lambda i: Decimal(i) / 8, pa.decimal256(50, 3), gaps=True),
        "text": column(lambda i: words[i % 3], pa.string(), gaps=True),
        "long": column(lambda i: words[i % 3], pa.large_string()),
        "tiny": column(lambda i: i, pa.int8()),
        "short": column(lambda i: i, pa.uint16()),
        "gap": column(lambda i: i, pa.int32(), gaps=True),
        "half": column(lambda i: i / 2, pa.float32()),
        "day": column(lambda i: DAY + datetime.timedelta(i), pa.date32()),
        "day64": column(lambda i: DAY + datetime.timedelta(i), pa.date64()),
        "clock": column(lambda i: datetime.time(i % 24, i % 60), pa.time64("us")),
        "clock32": column(lambda i: datetime.time(i % 24, i % 60), pa.time32("s"), gaps=True),
        "span": column(lambda i: datetime.timedelta(seconds=i), pa.duration("ms")),
        "when": column(lambda i: moment + datetime.timedelta(hours=i), pa.timestamp("ms")),
        "there": column(
            lambda i: moment + datetime.timedelta(hours=i), pa.timestamp("us", tz="Europe/Berlin")
        ),
        "flag": column(lambda i: i % 2 == 0, pa.bool_(), gaps=True),
        "same": column(lambda i: Decimal("7.25"), pa.decimal128(12, 2)),
    }
    table = pa.table(columns)
    coded = (
        table.column("long")
        .cast(pa.string())
        .dictionary_encode()
        .cast(pa.dictionary(pa.int8(), pa.string()))
    )
    table = table.append_column(pa.field("coded", coded.type), coded)
    fixed = [field.with_nullable(table.column(field.name).null_count > 0) for field in table.schema]
    return table.cast(pa.schema(fixed))


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "folder"])
def test_the_types_of_an_arrow_file_come_back(name: str, tmp_path: Path) -> None:
    table, path = _typed(), tmp_path / name
    path = path / "part.parquet" if name == "folder" else path
    path.parent.mkdir(exist_ok=True)
    arrow_out(table, path)
    data = open_data(tmp_path / name)
    assert data.encoding is not None
    encoding = encoding_from_json(data.encoding.to_json())
    assert encoding == data.encoding
    own = feather.read_table(path) if name == "x.feather" else parquet.read_table(tmp_path / name)
    shown = encoding.decode(data.train.x)
    for suffix in ("parquet", "feather"):
        write_samples(tmp_path / f"s.{suffix}", Samples(shown=shown, encoding=encoding))
        found = _read(tmp_path / f"s.{suffix}")
        # Parquet itself has no date64 and no seconds of a day, so the file's own rows are the measure
        arrow_out(own, tmp_path / f"own.{suffix}")
        assert (
            found.schema.remove_metadata()
            == _read(tmp_path / f"own.{suffix}").schema.remove_metadata()
        )
        again = encoding.encode(found.to_pandas())
        torch.testing.assert_close(again, data.train.x, equal_nan=True, rtol=0, atol=0)


def _read(path: Path) -> pa.Table:
    return feather.read_table(path) if path.suffix == ".feather" else parquet.read_table(path)


def arrow_out(table: pa.Table, path: Path) -> None:
    """Write a table with pyarrow alone."""
    if path.suffix == ".feather":
        feather.write_feather(table, path)
    else:
        parquet.write_table(table, path)


def test_other_formats_hold_the_rows_of_an_arrow_file(tmp_path: Path) -> None:
    parquet.write_table(_typed(), tmp_path / "x.parquet")
    data = open_data(tmp_path / "x.parquet")
    assert data.encoding is not None
    for name in ("s.json", "s.jsonl"):
        write_samples(
            tmp_path / name,
            Samples(shown=data.encoding.decode(data.train.x), encoding=data.encoding),
        )
        again = data.encoding.read(tmp_path / name).x
        torch.testing.assert_close(again, data.train.x, equal_nan=True, rtol=0, atol=0)


def test_a_value_beyond_its_type_widens_the_column(tmp_path: Path) -> None:
    table = pa.table(
        {"price": pa.array([Decimal("1.25")], pa.decimal128(3, 2)), "n": pa.array([1], pa.int8())}
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    schema = parquet_schema(tmp_path / "x.parquet")
    found = arrow_table(pd.DataFrame({"price": [Decimal("123456.25")], "n": [1000]}), schema)
    assert found.schema.field("price").type == pa.decimal128(38, 2)
    assert found.to_pylist() == [{"price": Decimal("123456.25"), "n": 1000}]


def test_runs_without_a_schema_still_open() -> None:
    record = TableEncoding.of(_frame()).to_json()
    del record["dialect"]["arrow"]
    old = encoding_from_json(record)
    assert isinstance(old, TableEncoding)
    frame = old.decode(old.encode(_frame()))
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    assert arrow_table(frame, old.schema).equals(parquet.read_table(io.BytesIO(buffer.getvalue())))
