"""Schema files: what is written of a table declares that table, and what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from data.odd_tables import TABLES, written
from people import people
from pushforward.app.runs.loading import load
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.tables.schema_file import schema_record, schema_text, settings_of_schema


def described(data: Dataset, folder: Path, name: str = "data") -> Path:
    """Write the schema file of some data."""
    path = folder / "schema.yaml"
    path.write_text(schema_text(name, data.findings, {}), encoding="utf-8")
    return path


def require_same(first: Dataset, second: Dataset) -> None:
    """Both have the same columns, on the same grids, and the same rows."""
    assert schema_record(first.findings, {}) == schema_record(second.findings, {})
    assert first.space == second.space
    assert first.fingerprint == second.fingerprint
    roles = [
        [(one.label, one.role, one.surrogate) for one in d.encoding.stored] for d in (first, second)
    ]
    assert roles[0] == roles[1]


@pytest.mark.parametrize("name", TABLES)
def test_a_schema_that_was_written_declares_the_same_table(name: str, tmp_path: Path) -> None:
    file = written(name, tmp_path)
    first = load(file, kind="table")
    second = load(file, schema=described(first, tmp_path, file.name))
    require_same(first, second)
    assert {one.confidence for one in second.findings} <= {"declared", "certain"}
    # the second time nothing changes any more
    text = schema_text(file.name, second.findings, {})
    values = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    before = (tmp_path / "schema.yaml").read_text().splitlines()
    assert values == [line for line in before if not line.lstrip().startswith("#")]


def test_the_built_in_table_and_frames_have_schemas_too(tmp_path: Path) -> None:
    adult = load("adult-mini")
    require_same(adult, load("adult-mini", schema=described(adult, tmp_path)))
    frame = people(200)
    frame["visits"] = [None if i % 7 == 0 else i % 5 for i in range(200)]
    frame["grade"] = pd.Categorical(
        ["low", "mid", "top", "mid"] * 50, ["low", "mid", "top"], ordered=True
    )
    frame["seen"] = pd.date_range("2024-01-01", periods=200, freq="h", tz="UTC")
    first = load(frame)
    require_same(first, load(frame, schema=described(first, tmp_path)))


def test_a_file_of_two_lines_is_enough(tmp_path: Path) -> None:
    file = written("sensors", tmp_path)
    schema = tmp_path / "s.yaml"
    schema.write_text(
        "columns:\n  hour: categorical\n  temp: {range: [null, null], missing: [-99]}\n"
    )
    data = load(file, schema=schema)
    kinds = {one.label: (one.kind, one.confidence) for one in data.findings}
    assert kinds["hour"] == ("categorical", "declared")
    assert kinds["wind_direction"] == ("angle", "likely")
    temp = next(column for column in data.space.columns if column.name == "temp")
    assert (temp.bounded_below, temp.bounded_above) == (False, False)
    # what is set beside a file wins
    assert load(file, schema=schema, columns={"hour": "integer"}).findings[3].kind == "integer"


def test_words_of_a_schema_are_what_they_look_like(tmp_path: Path) -> None:
    schema = tmp_path / "s.yaml"
    schema.write_text("columns:\n  land: [NO, SE, 12:30, 1e3, yes, ~x]\n  n: [3, 1.5, true]\n")
    columns = settings_of_schema(schema)
    assert columns["columns.land"]["levels"] == ["NO", "SE", "12:30", 1000.0, "yes", "~x"]
    assert columns["columns.n"]["levels"] == [3, 1.5, True]


WRONG = {
    "a: b": r"'a' in a schema: expected one of kind, header, .*below `columns:`",
    "- a": r"a list as a schema: expected names with values",
    "": r"null as a schema",
    "columns: 3": r"columns: a number: expected an entry for each column",
    "columns: {hour: catgorical}": r"kind 'catgorical' of column 'hour'.*did you mean 'categorical'",
    "columns: {hour: {knid: integer}}": r"'knid' of column 'hour'.*did you mean 'kind'",
    "columns: {hour: {reading: day-frist}}": r"reading 'day-frist' of column 'hour'.*'day-first'",
    "columns: {hour: {range: [3, 1]}}": r"range of column 'hour'.*the lower first",
    "columns: {hour: {step: -1}}": r"step of column 'hour': -1: expected a number of 0 or more",
    "columns: {hour: {kind: integer, levels: [1]}}": r"levels of column 'hour', which is integer",
    "columns: {hour: [S, S]}": r"level 'S' of column 'hour' twice",
    "columns: {hour: {kind: date, step: 2}}": r"a step of column 'hour', which is date",
    "columns: {hour: integer, hour: key}": r"'hour' a second time in line 1",
    "columns: {hour: [": r"no YAML in line 1",
    "columns: {hour: !!python/object:os.system x}": r"no YAML in line 1",
    "columns: {hour: &a {kind: integer}, temp: 3}": r"3 as what column 'temp' is",
    "columns: {huor: integer}": r"a declaration of column 'huor': expected a column of the table; did you mean 'hour'",
    "columns: {huor: integer, tempp: real}": (
        r"declarations of columns 'huor', 'tempp', which the table lacks.*'hour' for 'huor'.*"
        r"'temp' for 'tempp'.*the table has 'time', "
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_schema_that_does_not_fit_is_refused(text: str, tmp_path: Path) -> None:
    file, schema = written("sensors", tmp_path), tmp_path / "s.yaml"
    schema.write_text(text)
    with pytest.raises(BadInput, match=WRONG[text]):
        load(file, schema=schema)


CONTRADICTED = {
    "temp: integer": r"in column 'temp' declared integer, at line \d+",
    "temp: {range: [0, 10]}": r"in column 'temp', of range 0 to 10, at line \d+",
    "temp: {step: 0.5}": r"in column 'temp', of step 0.5, at line \d+",
    "temp: latitude": None,
    "wind_direction: latitude": r"in column 'wind_direction', a latitude, at line \d+",
    "wind_direction: hour": r"in column 'wind_direction', hour, at line \d+: expected one turn of 24",
    "wind_direction: key": r"in column 'wind_direction' declared a key, at line \d+ and line \d+",
    "wind_direction: constant": r"in column 'wind_direction' declared constant, at line \d+",
    "time: integer": r"'2024-02-29 \S+ in column 'time' declared integer, at line \d+",
    "time: date": r"in column 'time' declared date, at line 2: expected days without a time",
    "time: duration": r"in column 'time' declared duration",
    "hour: [0, 1, 2]": r"in column 'hour', line \d+: expected a level among",
    "hour: boolean": r"column 'hour' of 24 values: expected two for a boolean",
}


@pytest.mark.parametrize("entry", CONTRADICTED)
def test_a_kind_that_the_cells_contradict_is_refused_with_the_row(
    entry: str, tmp_path: Path
) -> None:
    file, said = written("sensors", tmp_path), CONTRADICTED[entry]
    schema = yaml.safe_load(f"columns: {{{entry}}}")
    if said is None:
        assert load(file, schema=schema).findings[1].kind == "latitude"
        return
    with pytest.raises(BadInput, match=said):
        load(file, schema=schema)


def test_two_columns_that_group_rows_are_one_too_many(tmp_path: Path) -> None:
    file = written("sensors", tmp_path)
    with pytest.raises(BadInput, match="'wind_direction' and 'hour' by which rows are grouped"):
        load(file, schema={"columns": {"wind_direction": "group", "hour": "group"}})
    data = load(file, schema={"columns": {"hour": "group"}})
    assert data.encoding.group == "hour"
    cases = [set(part.cases.tolist()) for part in (data.train, data.validation, data.test)]
    assert not cases[0] & cases[1] | cases[0] & cases[2] | cases[1] & cases[2]


def test_numbers_that_mean_missing_are_missing_everywhere(tmp_path: Path) -> None:
    values = [-999 if i % 10 == 0 else i % 7 for i in range(100)]
    frame = pd.DataFrame({"a": values, "b": ["x", "y"] * 50})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for source in (frame, tmp_path / "t.csv"):
        data = load(source, schema={"columns": {"a": {"missing": [-999]}}}, protect=0)
        column = data.space.columns[0]
        assert (column.low, column.high, column.missing) == (0.0, 6.0, True)
        x = data.encoding.encode(frame)
        assert torch.isnan(x[:, 0]).tolist() == [value == -999 for value in values]


NAMES = [
    "a: b",
    "#x",
    "- y",
    "yes",
    "1",
    "null",
    "ä=b",
    "it's",
    '"q"',
    "x\ty",
    "~",
    "{z}",
    "a.b",
    " lead",
    "true",
    "12:30",
    "1e3",
    "NO",
    "[l]",
    "|",
]


def test_names_and_words_that_look_like_something_else_come_through(tmp_path: Path) -> None:
    words = ["NO", "yes", "12:30", "x: y", "#1", "1e3", "~"]
    frame = pd.DataFrame(
        {name: [i % 5 + place for i in range(100)] for place, name in enumerate(NAMES)}
    )
    frame["o"] = pd.Categorical([words[i % 7] for i in range(100)], words, ordered=True)
    frame["n"] = pd.Categorical([i % 3 for i in range(100)], [2, 0, 1], ordered=True)
    frame["large"] = [2**53 + i % 5 for i in range(100)]
    frame["quarters"], frame["spiky"] = (
        [i % 7 / 4 for i in range(100)],
        [1 / 3] * 60 + [i / 7 for i in range(40)],
    )
    frame["span"] = pd.to_timedelta([i * 37 % 911 for i in range(100)], unit="s")
    frame["month"] = pd.PeriodIndex(["2024-01", "2024-02"] * 50, freq="M")
    frame["maybe"] = pd.array([True, None] * 50, dtype="boolean")
    frame["mixed"] = [1, "a"] * 50
    first = load(frame)
    require_same(first, load(frame, schema=described(first, tmp_path)))


def test_a_schema_travels_as_json(tmp_path: Path) -> None:
    data = load(written("survey", tmp_path))
    record: dict[str, Any] = json.loads(json.dumps(schema_record(data.findings, {"protect": 9})))
    assert record["protect"] == 9
    assert settings_of_schema(record)["columns.size"]["levels"] == ["XS", "S", "M", "L", "XL"]
