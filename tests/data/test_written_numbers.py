"""Numbers as files hold them: how a run's own file is read again, and how numbers come back written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pushforward.data.dataset import Dataset
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.points import PointsEncoding
from pushforward.data.tables.encoding import TableEncoding

DICE = np.random.default_rng(0)


def written(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def reopened(data: Dataset) -> TableEncoding | PointsEncoding:
    """The dictionary of a run, as another process reads it."""
    assert isinstance(data.encoding, TableEncoding | PointsEncoding)
    made = encoding_from_json(json.loads(json.dumps(data.encoding.to_json())))
    assert isinstance(made, TableEncoding | PointsEncoding)
    assert made.to_json() == data.encoding.to_json()
    return made


MARKS = {
    "number": [f"{3 + i % 7}.5" if i % 4 else "<0.5" for i in range(60)],
    "several words": [f"{3 + i % 7}.5" if i % 4 else ("<0.5", "n.b.", "lost")[i % 3] for i in range(60)],
    "once only": ["<0.5", *(f"{i / 4}" for i in range(1, 60))],
}


@pytest.mark.parametrize("name", MARKS)
def test_a_column_that_is_declared_a_number_is_read_so_again_by_the_run(tmp_path: Path, name: str) -> None:
    file = written(tmp_path / "lod.csv", "a,lod", [f"{i}.25,{cell}" for i, cell in enumerate(MARKS[name])])
    encoding = reopened(open_data(file, columns={"lod": "number"}))
    assert isinstance(encoding, TableEncoding)
    x = encoding.read(file).x
    assert torch.isnan(x[:, 1]).tolist() == [not cell[0].isdigit() for cell in MARKS[name]]
    # what the run writes has no mark in it, and a mark that it never saw is missing too
    again = tmp_path / "again.csv"
    again.write_bytes(encoding.csv_file(encoding.decode(x)))
    assert not any(c in again.read_text().partition("\n")[2] for c in "<bl")
    assert torch.equal(encoding.read(again).x.nan_to_num(-1.0), x.nan_to_num(-1.0))
    other = written(tmp_path / "other.csv", "a,lod", ["1.25,<0.7", "2.25,3.5"])
    assert encoding.read(other).x.nan_to_num(-1.0).tolist() == [[1.25, -1.0], [2.25, 3.5]]


def test_the_same_holds_for_text_in_a_frame() -> None:
    frame = pd.DataFrame({"a": np.arange(60) + 0.25, "lod": MARKS["number"]})
    encoding = reopened(open_data(frame, columns={"lod": "number"}))
    other = pd.DataFrame({"a": [0.25, 1.25], "lod": ["<0.7", "3.5"]})
    assert encoding.read(other).x.nan_to_num(-1.0).tolist() == [[0.25, -1.0], [1.25, 3.5]]


def test_a_word_that_counted_as_missing_by_itself_is_missing_in_every_other_file(tmp_path: Path) -> None:
    rows = [
        f"{i}.25,{'below' if i % 5 == 0 else i * 1.5},{'-' if i % 4 == 0 else 'true' if i % 3 else 'false'}"
        for i in range(60)
    ]
    encoding = reopened(open_data(written(tmp_path / "a.csv", "a,v,b", rows)))
    other = written(tmp_path / "b.csv", "a,v,b", ["1.25,below,true", "2.25,3.0,-"])
    assert encoding.read(other).x.nan_to_num(-1.0).tolist() == [[1.25, -1.0, 1.0], [2.25, 3.0, -1.0]]


READINGS = {
    "day-first": ("03/04/2024", "04/03/2024"),
    "month-first": ("03/04/2024", "04/03/2024"),
    "year-first": ("03/04/05", "04/03/05"),
    "decimal-comma": ("1,234", "2,345"),
    "decimal-point": ("1,234", "2,345"),
}


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_travels_with_the_run(tmp_path: Path, reading: str) -> None:
    one, other = READINGS[reading]
    rows = [f'{i}.25,"{one if i % 2 else other}"' for i in range(40)]
    encoding = reopened(open_data(written(tmp_path / "a.csv", "a,v", rows), columns={"v": reading}))
    again = encoding.read(written(tmp_path / "b.csv", "a,v", rows[:6])).x[:, 1]
    short = encoding.read(written(tmp_path / "c.csv", "a,v", rows[:1])).x[:, 1]
    assert again[0] == short[0] == again[2]
    assert again[0] != again[1]


def test_a_dictionary_from_before_readings_were_kept_still_opens(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "a,b", [f"{i}.25,{'xy'[i % 2]}" for i in range(40)])
    encoding = open_data(file).encoding
    assert encoding is not None
    record = json.loads(json.dumps(encoding.to_json()))
    for stored in record["stored"]:
        del stored["reading"], stored["marks"]
    assert encoding_from_json(record).to_json() == encoding.to_json()
