"""Tables that strangers brought: grids of hours, tens and quarters, types of Arrow, headers, and what is said of them."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.data.dataset import describe
from pushforward.data.formats.format import ReadOptions
from pushforward.data.open import open_data as open_guarded
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.grids import coarser
from pushforward.data.tables.notations.months import MonthNotation
from pushforward.data.tables.schema import infer
from pushforward.data.tables.stored import on_grid
from pushforward.data.tables.typed_files import read_json
from pushforward.data.tables.wrapped import _arrow_dtype
from pushforward.reports.columns import bins_of

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

N = 120
RNG = np.random.default_rng(7)


def _step(values: object) -> float | None:
    return infer(pd.DataFrame({"x": values})).table.columns[0].step


_NUMPY = {"min": "m"}


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [("D", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)],
)
def test_durations_keep_the_coarsest_unit_that_holds_them_all(unit: str, seconds: float) -> None:
    whole = RNG.integers(-900, 900, N) * 3 + 1  # of no round multiple
    frame = pd.DataFrame({"d": pd.Series(whole.astype(f"timedelta64[{_NUMPY.get(unit, unit)}]"))})
    encoding = TableEncoding.of(frame)
    x = encoding.encode(frame)
    assert encoding.table.columns[0].step == seconds
    # what a model says between two of them is one of them: rounding, an independent formula
    off = pd.Series(encoding.decode(x + 0.3 * seconds)["d"]) / pd.Timedelta(1, unit)
    assert (off == off.round()).all()
    assert encoding.decode(x)["d"].tolist() == frame["d"].tolist()


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        ([f"{h // 24} days {h % 24:02d}:00:00" for h in RNG.integers(1, 200, N)], 3600.0),
        ([f"{m // 60}:{m % 60:02d}:00" for m in RNG.integers(1, 6000, N) * 7 + 1], 60.0),
        ([f"{m // 60:02d}:{m % 60:02d}" for m in RNG.integers(0, 96, N) * 15], 900.0),
        ([f"{h:02d}:00" for h in RNG.integers(0, 24, N)], 3600.0),
    ],
)
def test_cells_of_durations_and_times_keep_their_grid_and_say_it(
    cells: list[str], step: float, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(
        "d,c\n" + "".join(f"{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    )
    data = open_data(str(tmp_path / "t.csv"))
    assert data.space.columns[0].step == step  # type: ignore[attr-defined]
    said = {60.0: "whole minutes", 900.0: "multiples of 15 minutes", 3600.0: "whole hours"}[step]
    assert any(said in note for note in data.notes)


@pytest.mark.parametrize(
    "step", [2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 0.5, 0.25, 0.05, 0.2, 0.125]
)
def test_numbers_keep_a_round_grid_to_the_last_bit(step: float) -> None:
    whole = RNG.integers(-900, 900, N)
    # the doubles that the decimal notation means
    values = [float(f"{w * step:.3f}") for w in whole]
    frame = pd.DataFrame({"x": values})
    encoding = TableEncoding.of(frame)
    assert encoding.table.columns[0].step == step
    assert encoding.decode(encoding.encode(frame) + 0.2 * step)["x"].tolist() == values
    assert on_grid(np.array(values), step).tolist() == values


def test_a_grid_that_may_be_an_accident_is_not_taken_and_a_declared_kind_allows_all() -> None:
    assert _step([2, 4, 6, 8] * 5) == 1.0
    assert _step(list(range(0, 38, 2))) == 1.0  # 18 even numbers other than 0: 2^-18 > 1e-6
    assert _step(list(range(0, 42, 2))) == 2.0  # 20
    assert _step([10, 20, 50] * 30) == 10.0
    assert _step(RNG.integers(0, 5000, N)) == 1.0
    frame = pd.DataFrame({"x": np.arange(N) * 10})
    assert infer(frame, {"x": "integer"}, keep=["x"]).table.columns[0].step == 1.0
    encoding = TableEncoding.of(frame.sample(frac=1.0, random_state=0))
    with pytest.raises(BadInput, match=r"15.*multiples of 10.*data.columns.x=integer"):
        encoding.encode(pd.DataFrame({"x": [15]}))


def test_a_random_column_has_a_round_grid_by_accident_less_than_once_in_a_million() -> None:
    # of 2,000 columns of 5 numbers each 1 in 3,125 is all fives (0.64 expected), none of which may be taken
    draws = np.random.default_rng(3).integers(1, 1000, (2000, 5)).astype(float)
    assert (np.mod(draws, 5) == 0).all(axis=1).sum() + (np.mod(draws, 2) == 0).all(axis=1).sum() > 0
    assert all(coarser(row, 1.0) == 1.0 for row in draws)


def test_moments_of_quarter_hours_keep_them_and_days_stay_days() -> None:
    start = pd.Timestamp("2024-01-01")
    assert _step(start + pd.to_timedelta(RNG.integers(0, 9000, N) * 15, unit="min")) == 900.0
    assert _step(start + pd.to_timedelta(RNG.integers(0, 900, N) * 5, unit="D")) == 86400.0


def test_points_of_quarters_come_back_as_quarters(tmp_path: Path) -> None:
    values = RNG.integers(-400, 400, (N, 2)) / 4
    pd.DataFrame(values, columns=["a", "b"]).to_csv(tmp_path / "t.csv", index=False)
    data = open_data(str(tmp_path / "t.csv"))
    assert data.encoding is not None
    assert [column.step for _, column in data.encoding.columns] == [0.25, 0.25]  # type: ignore[attr-defined]


def test_periods_and_durations_are_described_as_what_they_are() -> None:
    quarters = pd.period_range("2023Q1", "2023Q4", freq="Q").repeat(30)
    frame = pd.DataFrame({"q": quarters, "d": pd.to_timedelta(RNG.integers(1, 99, N), unit="h")})
    columns = describe(pf.load(frame))["columns"]
    assert "2023Q1 to 2023Q4" in columns[0]
    assert " days " in columns[1]


DAYS = [
    datetime.datetime(2024, 1, 1) + datetime.timedelta(days=int(day))
    for day in RNG.integers(0, 99, N)
]


def _back(series: pd.Series) -> tuple[pd.Series, str, tuple[str, ...]]:
    """Return a column after a round trip through the JSON of a run, its kind, and what is lost."""
    frame = pd.DataFrame({"x": series, "z": RNG.normal(size=N)})
    schema = infer(frame)
    encoding = TableEncoding.from_json(
        json.loads(json.dumps(TableEncoding.of_schema(schema).to_json()))
    )
    return (
        pd.Series(encoding.decode(encoding.encode(frame))["x"]),
        schema.table.columns[0].kind,
        schema.lost,
    )


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("timestamp[us][pyarrow]", DAYS, "datetime"),
        (
            "timestamp[ns, tz=Europe/Berlin][pyarrow]",
            [day.replace(tzinfo=datetime.UTC) for day in DAYS],
            "datetime",
        ),
        ("date32[day][pyarrow]", [day.date() for day in DAYS], "datetime"),
        ("bool[pyarrow]", [True, None, False] * (N // 3), "boolean"),
        ("bool[pyarrow]", [True, False] * (N // 2), "boolean"),
        (
            "decimal128(10, 2)[pyarrow]",
            [decimal.Decimal(i * 7) / 100 for i in range(N)],
            "continuous",
        ),
        ("duration[us][pyarrow]", [datetime.timedelta(hours=i % 50) for i in range(N)], "integer"),
        ("time64[us][pyarrow]", [datetime.time(i % 24) for i in range(N)], "integer"),
        ("string[pyarrow]", ["a", "b", "c"] * (N // 3), "categorical"),
        ("large_string[pyarrow]", ["a", None, "c"] * (N // 3), "categorical"),
        ("int64[pyarrow]", [1, None, 3] * (N // 3), "integer"),
        ("uint8[pyarrow]", [1, 2, 3] * (N // 3), "integer"),
        ("double[pyarrow]", [1.5, None, 3.25] * (N // 3), "continuous"),
        (
            "dictionary<values=string, indices=int32, ordered=0>[pyarrow]",
            ["a", "b"] * (N // 2),
            "categorical",
        ),
    ],
)
def test_types_of_arrow_are_read_as_what_they_hold_and_come_back(
    name: str, values: list[object], kind: str
) -> None:
    series = pd.Series(values, dtype=_arrow_dtype(name))
    back, found, lost = _back(series)
    assert (found, lost) == (kind, ())
    assert back.dtype == series.dtype
    assert back.equals(series)


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(pd.cut(RNG.normal(size=N), 4)),
        pd.Series(pd.qcut(RNG.normal(size=N), 3)),
        pd.Series(pd.cut(RNG.integers(0, 9, N), [0, 3, 6, 9], right=False)),
        pd.Series(pd.cut([1.0, float("nan"), 9.0] * (N // 3), [0, 5, 10])),
        pd.Series(pd.cut(pd.Series(DAYS), 3)),
        pd.Series(pd.arrays.IntervalArray(pd.cut(RNG.integers(0, 9, N), [-1, 3, 6, 9]))),
    ],
)
def test_intervals_are_ordered_categories_and_come_back(series: pd.Series) -> None:
    back, kind, lost = _back(series)
    assert (kind, lost) == ("ordinal", ())
    assert back.dtype == series.dtype
    assert back.equals(series)


def test_moments_of_two_time_zones_are_read_in_a_frame_as_in_a_file() -> None:
    zones = ["UTC", "Asia/Tokyo"]
    moments = [pd.Timestamp(day, tz=zones[i % 2]) for i, day in enumerate(DAYS)]
    back, kind, lost = _back(pd.Series(moments, dtype=object))
    assert kind == "datetime"
    assert "Asia/Tokyo" in lost[0]
    assert [a == b for a, b in zip(back, moments, strict=True)] == [True] * N
    objects = pd.Series(DAYS, dtype=object)
    assert _back(objects)[0].equals(objects)


def _rows(delimiter: str, quote: str = "", end: str = "") -> str:
    """Rows of a word, an integer and a real number."""
    words, numbers = RNG.choice(["x", "y"], N), RNG.integers(0, 50, N)
    cells = (
        (f"{quote}{word}{quote}", str(k), f"{x:.2f}")
        for word, k, x in zip(words, numbers, RNG.normal(size=N))
    )
    return "".join(delimiter.join(row) + end + "\n" for row in cells)


def _again(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the first lines that samples are written as, and what is lost; they are read again as what they are."""
    data = open_data(str(path))
    encoding, x = data.encoding, data.train.x[:40]
    assert isinstance(encoding, TableEncoding)
    text = encoding.csv(encoding.decode(x))
    path.with_name("again.csv").write_text(text)
    assert encoding.read(path.with_name("again.csv")).x.tolist() == x.tolist()
    return text, data.lost


@pytest.mark.parametrize(
    ("header", "rows", "line"),
    [
        ("a, b, c", _rows(","), r"[xy],\d+,[-\d.]+"),
        ("a, b, c", _rows(", "), r"[xy], \d+, [-\d.]+"),
        (" a ,b,c", _rows(","), r"[xy],\d+,[-\d.]+"),
        ("sep=;\na;b;c", _rows(";"), r"[xy];\d+;[-\d.]+"),
        ("A,B,C,", _rows(",", end=","), r"[xy],\d+,[-\d.]+,"),
        ("A,B,C", _rows(",", end=","), r"[xy],\d+,[-\d.]+,"),
        ("A,B,C,", _rows(","), r"[xy],\d+,[-\d.]+"),
        (",B,C", _rows(","), r"[xy],\d+,[-\d.]+"),
        ('"A","B","C"', _rows(",", '"'), r'"[xy]",\d+,[-\d.]+'),
        (
            '"A","B","C"',
            _rows('","').replace("\n", '"\n').replace("x", '"x').replace("y", '"y'),
            r'"[xy]","\d+","[-\d.]+"',
        ),
        ("'A','B','C'", _rows(",", "'"), r"'[xy]',\d+,[-\d.]+"),
        (
            "A,B,C",
            _rows(",").replace("x", "'x, 1'").replace("y", "'y, 2'"),
            r"'[xy], [12]',\d+,[-\d.]+",
        ),
    ],
)
def test_a_file_is_written_as_it_was_spelled(
    header: str, rows: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
    text, lost = _again(tmp_path / "t.csv")
    assert text.startswith(f"{header}\n")
    assert all(re.fullmatch(line, one) for one in text.splitlines()[header.count("\n") + 1 :])
    assert lost == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (_rows("  ,"), "spaces around cells"),
        (_rows(",").replace("x", '"x"', 9), "quotes around some cells"),
    ],
)
def test_spelling_that_is_not_written_again_is_lost_and_said(
    rows: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(f"a,b,c\n{rows}")
    assert said in " ".join(_again(tmp_path / "t.csv")[1])


FRAME = pd.DataFrame(
    {"w": RNG.choice(["x", "y"], N), "k": RNG.integers(0, 5, N), "v": RNG.normal(size=N).round(2)}
)


@pytest.mark.parametrize(
    "orient", ["columns", "split", "records", "index", "table", "lines", "nested"]
)
def test_json_is_read_in_every_layout_of_pandas(orient: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    if orient == "lines":
        path.write_text(str(FRAME.to_json(orient="records", lines=True)))
    elif orient == "nested":
        path.write_text(f'{{"count": {N}, "results": {FRAME.to_json(orient="records")}}}')
    else:
        path.write_text(str(FRAME.to_json(orient=orient)))  # type: ignore[call-overload]
    found = read_json(path, ReadOptions()).frame
    assert found[list(FRAME.columns)].to_numpy().tolist() == FRAME.to_numpy().tolist()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.csv", "<!DOCTYPE html>\n<html><table></table></html>", "is HTML"),
        ("t.tsv", "\n <html lang='en'>\n<body></body>", "is HTML"),
        ("t.json", "<html></html>", "is HTML"),
        ("t.csv", "<?xml version='1.0'?>\n<rows/>", "is XML"),
        ("t.csv", '[{"a": 1},\n {"a": 2}]', "is JSON.*rename it to .json"),
        ("t.csv", "temp,temp,rain\nmin,max,sum\n" + "1,2,3.5\n" * 9, "second row of names"),
        ("t.csv", "a,b\n" + "r,1,2\n" * 9, "one field more than the header"),
        ("t.jsonl", '{"text": "a"}\nnull\n', "line 2.*is null"),
        ("t.jsonl", '{"text": "a"}\n3\n', "is a number"),
        ("t.jsonl", '{"text": "a"}\n[3]\n', "is a list"),
        ("t.jsonl", '{"text": null}\n', "'text' in line 1 .*is null"),
        ("t.jsonl", '{"text": ""}\n' * 60, "every one of the 60 texts"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_file(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=said):
        open_data(str(tmp_path / name))


def test_a_frame_with_two_rows_of_names_says_how_to_join_them() -> None:
    columns = pd.MultiIndex.from_tuples([("t", "min"), ("t", "max")])
    with pytest.raises(BadInput, match="join"):
        infer(pd.DataFrame(RNG.normal(size=(N, 2)), columns=columns))


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("{:02d}/{:02d}/2024", "the second number exceeds 12 in 01/13/2024 so month comes first"),
        ("{1:02d}/{0:02d}/2024", "the first number exceeds 12 in 13/01/2024 so day comes first"),
        ("99/{:02d}/{:02d}", "is no date otherwise, so year comes first"),
    ],
)
def test_what_decides_the_order_of_a_date_is_said_with_the_date(
    date: str, said: str, tmp_path: Path
) -> None:
    days = [date.format(1 + i % 12, 13 + i % 12) for i in range(N)]
    (tmp_path / "t.csv").write_text(
        "d,w\n" + "".join(f"{day},{'ab'[i % 2]}\n" for i, day in enumerate(days))
    )
    assert any(said in note for note in open_data(str(tmp_path / "t.csv")).notes)


def test_quarters_are_called_quarters() -> None:
    assert MonthNotation("%YQ%q").said == "quarters written YYYYQ1"
    assert MonthNotation("%m/%Y").said == "months written MM/YYYY"


def test_whole_numbers_are_remarked_by_name_and_only_where_they_could_be_others(
    tmp_path: Path,
) -> None:
    rows = [
        f"{x:.5e},{x},{k},{x / 7}\n"
        for x, k in zip(6.6e12 * (1 + RNG.random(N)), RNG.integers(0, 900, N), strict=True)
    ]
    (tmp_path / "t.csv").write_text("huge,real,count,other\n" + "".join(rows))
    notes = [
        note for note in open_data(str(tmp_path / "t.csv")).notes if "whole numbers only" in note
    ]
    assert len(notes) == 1
    assert notes[0].startswith("column count holds whole numbers")
    assert not any(
        "whole numbers only" in note
        for note in open_data(RNG.integers(0, 5, (12, 2)).astype(float)).notes
    )
    far = (RNG.random((N, 2)) * 1e37).astype(np.float32)
    assert not any("whole numbers only" in note for note in open_data(far).notes)


def test_row_labels_of_json_are_a_column_unless_they_count(tmp_path: Path) -> None:
    named = FRAME.set_index(pd.Index([f"r{i}" for i in range(N)]))
    for orient in ("columns", "split"):
        (tmp_path / "t.json").write_text(str(named.to_json(orient=orient)))  # type: ignore[call-overload]
        found = read_json(tmp_path / "t.json", ReadOptions()).frame
        assert found["index"].tolist() == list(named.index)
        assert found["v"].tolist() == FRAME["v"].tolist()


def test_dates_among_moments_are_moments_and_local_ones_among_zoned_are_refused_for_what_they_are() -> (
    None
):
    mixed = pd.Series([DAYS[0].date(), *DAYS[1:]], dtype=object)
    back, kind, lost = _back(mixed)
    assert (kind, back.tolist()) == ("datetime", [pd.Timestamp(day) for day in DAYS])
    assert "midnight" in lost[0]
    zoned = pd.Series([DAYS[0].replace(tzinfo=datetime.UTC), *DAYS[1:]], dtype=object)
    with pytest.raises(BadInput, match="local times and times with a zone"):
        _back(zoned)


def test_bins_of_a_report_are_named_in_the_words_of_the_column() -> None:
    frame = pd.DataFrame(
        {"q": pd.period_range("2023Q1", "2023Q4", freq="Q").repeat(30), "n": [1, 2, 3] * 40}
    )
    encoding = TableEncoding.of(frame)
    bins = bins_of(encoding.encode(frame).numpy(), encoding.table, encoding.words)
    assert bins[0].labels == ("2023Q1", "2023Q2", "2023Q3", "2023Q4")
    assert bins[1].labels == ("1", "2", "3")
