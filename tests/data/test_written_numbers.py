"""Numbers as files hold them: how a run's own file is read again, and how numbers come back written."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pushforward.data.dataset import Dataset
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data as open_guarded
from pushforward.data.points import PointsEncoding
from pushforward.data.tables.cells import Asked, typed
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.notations.numbers import NumberNotation

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

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
    "several words": [
        f"{3 + i % 7}.5" if i % 4 else ("<0.5", "n.b.", "lost")[i % 3] for i in range(60)
    ],
    "once only": ["<0.5", *(f"{i / 4}" for i in range(1, 60))],
}


@pytest.mark.parametrize("name", MARKS)
def test_a_column_that_is_declared_a_number_is_read_so_again_by_the_run(
    tmp_path: Path, name: str
) -> None:
    file = written(
        tmp_path / "lod.csv", "a,lod", [f"{i}.25,{cell}" for i, cell in enumerate(MARKS[name])]
    )
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


def test_a_word_that_counted_as_missing_by_itself_is_missing_in_every_other_file(
    tmp_path: Path,
) -> None:
    rows = [
        f"{i}.25,{'below' if i % 5 == 0 else i * 1.5},{'-' if i % 4 == 0 else 'true' if i % 3 else 'false'}"
        for i in range(60)
    ]
    encoding = reopened(open_data(written(tmp_path / "a.csv", "a,v,b", rows)))
    other = written(tmp_path / "b.csv", "a,v,b", ["1.25,below,true", "2.25,3.0,-"])
    assert encoding.read(other).x.nan_to_num(-1.0).tolist() == [
        [1.25, -1.0, 1.0],
        [2.25, 3.0, -1.0],
    ]


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


NARROW = {
    "halves": (DICE.normal(size=200).astype(np.float16), ""),
    "halves of few digits": (np.round(DICE.uniform(-9, 9, 200), 2).astype(np.float16), "0.01"),
    "halves of whole numbers": (DICE.integers(-90, 90, 200).astype(np.float16), "integer"),
    "small halves": ((DICE.normal(size=200) * 1e-4).astype(np.float16), ""),
    "large halves": (np.round(DICE.uniform(0, 60000, 200), 1).astype(np.float16), ""),
    "repeated halves": (DICE.choice(DICE.normal(size=12), 200).astype(np.float16), ""),
    "singles": (DICE.normal(size=200).astype(np.float32), "real"),
    "singles of tenths": ((DICE.integers(1, 400, 200) / 10).astype(np.float32), "0.1"),
    "large singles": ((DICE.normal(size=200) * 1e6).astype(np.float32), "real"),
    "large singles of hundredths": (
        np.round(DICE.uniform(0, 1e6, 200), 2).astype(np.float32),
        "0.01",
    ),
}


@pytest.mark.parametrize("name", NARROW)
def test_numbers_of_few_digits_come_back_to_the_last_bit(tmp_path: Path, name: str) -> None:
    array, said = NARROW[name]
    frame = pd.DataFrame({"h": array, "w": ["a", "b"] * 100})
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.parquet"):
        data = open_data(source)
        encoding = reopened(data)
        assert isinstance(encoding, TableEncoding)
        assert encoding.decode(encoding.encode(frame)).equals(frame)
        assert not data.lost
        assert said in "; ".join(note for note in data.notes if note.startswith("column 'h'"))
    # the same numbers in another type are the same numbers
    wide = frame.astype({"h": np.float64})
    assert torch.equal(encoding.encode(wide), encoding.encode(frame))


def test_numbers_of_few_digits_with_gaps_come_back_and_wide_ones_take_narrow_ones() -> None:
    tenths = pd.array([0.1, 0.2, None, 0.7] * 30, dtype="Float32")
    frame = pd.DataFrame({"v": tenths, "w": list("abc") * 40})
    encoding = TableEncoding.of(frame)
    assert encoding.decode(encoding.encode(frame)).equals(frame)
    wide = TableEncoding.of(pd.DataFrame({"v": [0.1, 0.2, 0.7] * 20, "w": list("abc") * 20}))
    narrow = pd.DataFrame({"v": np.array([0.7, 0.1], dtype=np.float16), "w": ["a", "b"]})
    assert wide.encode(narrow)[:, 0].tolist() == [0.7, 0.1]


def test_levels_that_never_occur_are_said_and_stay_levels() -> None:
    kept = pd.Categorical(["a", "b"] * 30, categories=["a", "b", "c"])
    ordered = pd.Categorical([3, 1] * 30, categories=[1, 2, 3, 4], ordered=True)
    whole = pd.Categorical(["a", "b"] * 30)
    data = open_data(
        pd.DataFrame({"u": kept, "o": ordered, "w": whole}), columns={"w": ["a", "b", "z", "y"]}
    )
    notes = {note.split("'")[1]: note for note in data.notes if note.startswith("column")}
    assert "3 levels" in notes["u"]
    assert "1 never occurs ('c') and may be drawn" in notes["u"]
    assert "2 never occur ('2', '4') and may be drawn" in notes["o"]
    assert "2 never occur ('z', 'y') and may be drawn" in notes["w"]
    assert data.space.columns[0].categories == ("a", "b", "c")  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("row", [0, 7])
def test_a_cell_of_any_length_is_a_cell(tmp_path: Path, delimiter: str, row: int) -> None:
    limit = csv.field_size_limit()
    rows = [
        f"{i}.5{delimiter}{'x' * (200_000 if i == row else 3)}{i}{delimiter}{'pq'[i % 2]}"
        for i in range(40)
    ]
    data = open_data(written(tmp_path / "a.csv", delimiter.join("atb"), rows))
    assert [column.name for column in data.space.columns] == ["a", "b"]  # pyright: ignore[reportAttributeAccessIssue]
    kept = open_data(tmp_path / "a.csv", keep=["t"]).encoding
    assert isinstance(kept, TableEncoding)
    frame = kept.decode(kept.read(tmp_path / "a.csv").x)
    assert kept.csv(frame).splitlines()[1:] == rows
    assert csv.field_size_limit() == limit


POWERS = {
    "mantissas of whole numbers": ["350e4", "201e5", "155e3", "255e-4"],
    "whole mantissas of any length": ["35e4", "201e5", "15e3", "255e-4"],
    "two digits before the point": ["12.5e3", "35.5e-2", "99.9e12"],
    "capitals": ["3.5E+05", "2.1E-11", "9.9E+00"],
    "short exponents": ["1.25e3", "2.05e-4", "7.55e10"],
    "a decimal comma": ["1,25e3", "2,05e-4", "7,55e10"],
    "decimals of any length": ["1e+06", "1.5e+05", "2.25e-07"],
    "negative": ["-350e4", "201e5", "-155e3"],
}


@pytest.mark.parametrize("name", POWERS)
def test_numbers_with_exponents_come_back_in_the_style_of_the_file(name: str) -> None:
    cells = POWERS[name] * 10
    found = typed(cells, range(2, 42), Asked("field 1 of t.csv", "v", by_comma=name == "capitals"))
    notation = found.notation
    assert isinstance(notation, NumberNotation)
    assert found.series.tolist() == [float(cell.replace(",", ".")) for cell in cells]
    assert [notation.write(value) for value in found.series] == cells
    assert "exponent after" in found.said[0]
    # a number that is drawn keeps as many digits as any of the file has
    digits = max(sum(c.isdigit() for c in cell.lower().partition("e")[0]) for cell in cells)
    for value in DICE.lognormal(0, 9, 50).tolist():
        assert notation.value(notation.write(value)) == pytest.approx(
            value, rel=0.51 * 10.0 ** (1 - digits)
        )


def test_a_mantissa_of_whole_numbers_keeps_its_digits() -> None:
    notation = typed(["350e4", "201e5", "15e3", "255e-4"], range(4), Asked("f", "v")).notation
    assert notation is not None
    assert [notation.write(value) for value in (607892.0, 0.0, 15000.0, -1.5e-7)] == [
        "608e3",
        "0e0",
        "15e3",
        "-15e-8",
    ]


def printed(values: np.ndarray) -> list[str]:
    return pd.DataFrame({"v": values}).to_csv(index=False, header=False).split()


def test_numbers_that_a_program_printed_come_back_as_it_prints_them(tmp_path: Path) -> None:
    small = np.round(10 ** DICE.uniform(-7, 0, 2000), 7)
    cells = printed(small)
    assert any("e" in cell for cell in cells)
    assert not all("e" in cell for cell in cells)
    rows = [f"{cell},{'ab'[i % 2]}" for i, cell in enumerate(cells)]
    data = open_data(written(tmp_path / "a.csv", "v,w", rows))
    encoding = reopened(data)
    assert isinstance(encoding, TableEncoding)
    assert not data.lost
    assert "grid of 1e-07" in "; ".join(data.notes)
    assert (
        encoding.csv(encoding.decode(encoding.read(tmp_path / "a.csv").x)).splitlines()[1:] == rows
    )
    x = torch.tensor([[1.43e-05, 0.0], [0.012345678, 1.0], [1e-7, 0.0]], dtype=torch.float64)
    assert encoding.csv(encoding.decode(x)).split()[1:] == ["1.43e-05,a", "0.0123457,b", "1e-07,a"]


def test_numbers_without_a_grid_have_no_digits_but_their_own() -> None:
    cells = printed(10 ** DICE.uniform(-7, 3, 300))
    notation = typed(cells, range(300), Asked("f", "v")).notation
    plain = typed([f"{float(cell):.20f}" for cell in cells], range(300), Asked("f", "v")).notation
    assert notation is not None and plain is not None  # noqa: PT018
    assert [notation.write(float(cell)) for cell in cells] == cells
    for value in (10 ** DICE.uniform(-12, 20, 100)).tolist():
        assert notation.write(value) == repr(value).removesuffix(".0")
        assert "e" not in plain.write(value)
        assert float(plain.write(value)) == value
        assert plain.value(plain.write(value)) == value
        assert len(plain.write(value).replace(".", "").strip("0")) <= 17


GROUPS = {
    "1.200.809": (1200809, "whole"),
    "-1.200.809": (-1200809, "whole"),
    "1.200.809 €": (1200809, "whole"),
    "1.200.809,5": (1200809.5, "decimals"),
}


@pytest.mark.parametrize("first", GROUPS)
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_points_between_thousands_are_read_and_written_again(
    tmp_path: Path, first: str, delimiter: str
) -> None:
    tail = first[len(first.rstrip("5 €,")) :] if first[-1] in "5€" else ""
    cells = [first, *(f"{i}.{100 + i}{tail}" for i in range(1, 40))]
    rows = [f"{cell}{delimiter}{'ab'[i % 2]}" for i, cell in enumerate(cells)]
    data = open_data(written(tmp_path / "a.csv", delimiter.join("vw"), rows))
    encoding = reopened(data)
    assert isinstance(encoding, TableEncoding)
    x = encoding.read(tmp_path / "a.csv").x
    assert x[0, 0] == GROUPS[first][0]
    assert "could mean" not in "; ".join(data.notes)
    assert encoding.csv(encoding.decode(x)).splitlines()[1:] == rows


def test_addresses_of_four_bytes_are_no_numbers() -> None:
    cells = [f"192.168.100.{100 + i}" for i in range(60)]
    assert typed(cells, range(60), Asked("f", "v")).notation is None


AMBIGUOUS = {
    "509.060": (509.06, 509060, "decimal-comma", "decimal-point"),
    "199,706": (199.706, 199706, "decimal-point", "decimal-comma"),
    "509.060 kg": (509.06, 509060, "decimal-comma", "decimal-point"),
}


@pytest.mark.parametrize("cell", AMBIGUOUS)
def test_a_point_or_comma_that_means_two_things_is_asked_about_and_decided_by_name(
    tmp_path: Path, cell: str
) -> None:
    few, many, other, same = AMBIGUOUS[cell]
    rows = [f"{cell if i % 2 else '12' + cell[3:]};{'ab'[i % 3 == 0]}" for i in range(40)]
    file = written(tmp_path / "a.csv", "pop;w", rows)
    data = open_data(file)
    note = next(note for note in data.notes if "could mean" in note)
    assert "column 'pop'" in note
    assert f"data.columns.pop={other}" in note
    assert reopened(data).read(file).x[1, 0] == few
    for reading, value in ((other, many), (same, few)):
        decided = open_data(file, columns={"pop": reading})
        assert "could mean" not in "; ".join(decided.notes)
        assert reopened(decided).read(file).x[1, 0] == value
        assert (
            reopened(decided).read(written(tmp_path / "b.csv", "pop;w", rows[1:2])).x[0, 0] == value
        )


def test_what_another_column_shows_decides_and_commas_between_fields_leave_points_alone(
    tmp_path: Path,
) -> None:
    rows = [f"{i + 1}.{100 + i};{i},{25 + i % 50};1.{100 + i}.{200 + i}" for i in range(40)]
    data = open_data(written(tmp_path / "a.csv", "a;b;c", rows))
    assert reopened(data).read(tmp_path / "a.csv").x[0].tolist() == [1100.0, 0.25, 1100200.0]
    assert "could mean" not in "; ".join(data.notes)
    plain = open_data(
        written(tmp_path / "b.csv", "a,b", [f"{i + 1}.{100 + i},{'xy'[i % 2]}" for i in range(40)])
    )
    assert "could mean" not in "; ".join(plain.notes)


BLANKS = {
    "aligned": ("a   b   c", ["   1.23   2   p", "  12.30   4   q"], 3),
    "runs of blanks and quotes": ("a  b  c", ['1,5  2  "New York"', '12,5  4  "San Jose"'], 3),
    "single blanks": ("a b c", ["1.23 2 p", "12.3 4 q"], 3),
    "behind a mark": ("# a b c", ["1.23 2 3.5", "12.3 4 7.5"], 3),
    "no header": ("   0.10    8.0    7.0", ["   1.23    2.0    3.5", "  12.30    4.0    7.5"], 3),
    "commas in words": ("a    b", ["1.5  x,y", "2.5  z,w"], 2),
}


@pytest.mark.parametrize("name", BLANKS)
def test_columns_set_apart_by_blanks_are_columns(tmp_path: Path, name: str) -> None:
    header, two, width = BLANKS[name]
    file = written(
        tmp_path / "a.csv",
        header,
        [two[i % 3 == 0].replace("2", str(i % 10), 1) for i in range(60)],
    )
    data = open_data(file)
    encoding = reopened(data)
    assert "fields are separated by blanks" in data.notes
    frame = encoding.decode(encoding.read(file).x)
    assert len(frame.columns) == width
    assert len(frame) == 60 + (name == "no header")
    # the run reads what it writes
    again = tmp_path / "again.csv"
    again.write_bytes(encoding.csv_file(frame))
    assert torch.equal(encoding.read(again).x, encoding.read(file).x)


WHOLE = {
    "words": ("town", ["New York", "San Jose"]),
    "names of two words": ("first last", ["Ann Lee", "Bo Ray"]),
    "thousands": ("1 234", ["5 678", "9 012"]),
    "moments": ("date time", ["2024-01-03 10:15", "2024-02-03 11:20"]),
    "units": ("net weight", ["10 kg", "12 kg"]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_blanks_within_a_cell_separate_nothing(tmp_path: Path, name: str) -> None:
    header, two = WHOLE[name]
    data = open_data(
        written(tmp_path / "a.csv", header, [two[i % 3 == 0] for i in range(60)]), kind="table"
    )
    assert len(data.space.columns) == 1  # pyright: ignore[reportAttributeAccessIssue]


def test_a_missing_value_between_blanks_is_a_word(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.csv",
        "a   b",
        [f"{'<1' if i % 4 == 0 else i}   {'pq'[i % 2]}" for i in range(60)],
    )
    encoding = reopened(open_data(file, columns={"a": "number"}))
    again = tmp_path / "again.csv"
    again.write_bytes(encoding.csv_file(encoding.decode(encoding.read(file).x)))
    assert torch.equal(
        encoding.read(again).x.nan_to_num(-1.0), encoding.read(file).x.nan_to_num(-1.0)
    )


def test_words_among_python_numbers_are_missing_where_numbers_are_declared() -> None:
    mixed = [f"<{i % 3}" if i % 4 == 0 else i / 2 for i in range(60)]
    frame = pd.DataFrame({"a": np.arange(60) + 0.25, "lod": pd.Series(mixed, dtype=object)})
    encoding = reopened(open_data(frame, columns={"lod": "number"}))
    x = encoding.read(frame).x
    assert torch.isnan(x[:, 1]).tolist() == [i % 4 == 0 for i in range(60)]
    other = pd.DataFrame({"a": [0.25, 1.25], "lod": pd.Series(["<9", 3.5], dtype=object)})
    assert encoding.read(other).x.nan_to_num(-1.0).tolist() == [[0.25, -1.0], [1.25, 3.5]]
