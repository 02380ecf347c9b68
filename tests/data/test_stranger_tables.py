"""Tables that strangers brought: grids of hours, tens and quarters, types of Arrow, headers, and what is said of them."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.data.dataset import describe
from pushforward.data.open import open_data
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.grids import coarser
from pushforward.data.tables.schema import infer
from pushforward.data.tables.stored import on_grid
from pushforward.data.tables.wrapped import _arrow_dtype

N = 120
RNG = np.random.default_rng(7)


def _step(values: object) -> float | None:
    return infer(pd.DataFrame({"x": values})).table.columns[0].step


@pytest.mark.parametrize(
    ("unit", "seconds"), [("D", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)]
)
def test_durations_keep_the_coarsest_unit_that_holds_them_all(unit: str, seconds: float) -> None:
    whole = RNG.integers(-900, 900, N) * 3 + 1  # of no round multiple
    frame = pd.DataFrame({"d": pd.to_timedelta(whole, unit=unit)})
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
def test_cells_of_durations_and_times_keep_their_grid_and_say_it(cells: list[str], step: float, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("d,c\n" + "".join(f"{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells)))
    data = open_data(str(tmp_path / "t.csv"))
    assert data.space.columns[0].step == step  # type: ignore[attr-defined]
    said = {60.0: "whole minutes", 900.0: "multiples of 15 minutes", 3600.0: "whole hours"}[step]
    assert any(said in note for note in data.notes)


@pytest.mark.parametrize("step", [2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 0.5, 0.25, 0.05, 0.2, 0.125])
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


DAYS = [datetime.datetime(2024, 1, 1) + datetime.timedelta(days=int(day)) for day in RNG.integers(0, 99, N)]


def _back(series: pd.Series) -> tuple[pd.Series, str, tuple[str, ...]]:
    """Return a column after a round trip through the JSON of a run, its kind, and what is lost."""
    frame = pd.DataFrame({"x": series, "z": RNG.normal(size=N)})
    schema = infer(frame)
    encoding = TableEncoding.from_json(json.loads(json.dumps(TableEncoding.of_schema(schema).to_json())))
    return encoding.decode(encoding.encode(frame))["x"], schema.table.columns[0].kind, schema.lost


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("timestamp[us][pyarrow]", DAYS, "datetime"),
        ("timestamp[ns, tz=Europe/Berlin][pyarrow]", [day.replace(tzinfo=datetime.UTC) for day in DAYS], "datetime"),
        ("date32[day][pyarrow]", [day.date() for day in DAYS], "datetime"),
        ("bool[pyarrow]", [True, None, False] * (N // 3), "boolean"),
        ("bool[pyarrow]", [True, False] * (N // 2), "boolean"),
        ("decimal128(10, 2)[pyarrow]", [decimal.Decimal(i * 7) / 100 for i in range(N)], "continuous"),
        ("duration[us][pyarrow]", [datetime.timedelta(hours=i % 50) for i in range(N)], "integer"),
        ("time64[us][pyarrow]", [datetime.time(i % 24) for i in range(N)], "integer"),
        ("string[pyarrow]", ["a", "b", "c"] * (N // 3), "categorical"),
        ("large_string[pyarrow]", ["a", None, "c"] * (N // 3), "categorical"),
        ("int64[pyarrow]", [1, None, 3] * (N // 3), "integer"),
        ("uint8[pyarrow]", [1, 2, 3] * (N // 3), "integer"),
        ("double[pyarrow]", [1.5, None, 3.25] * (N // 3), "continuous"),
        ("dictionary<values=string, indices=int32, ordered=0>[pyarrow]", ["a", "b"] * (N // 2), "categorical"),
    ],
)
def test_types_of_arrow_are_read_as_what_they_hold_and_come_back(name: str, values: list[object], kind: str) -> None:
    pytest.importorskip("pyarrow")
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
