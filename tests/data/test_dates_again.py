"""Dates that a column leaves open, and days that stand for none: what was declared decides, else a note asks."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from pushforward.core.errors import BadInput
from pushforward.data.open import open_data as open_guarded
from pushforward.data.tables.cells import Asked, typed
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.schema import infer
from pushforward.data.tables.typed_values import Typed

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

DICE = random.Random(5)
N = 80
DAYS = [datetime(2000, 1, 1) + timedelta(days=DICE.randrange(9000)) for _ in range(N)]
# neither number exceeds 12, and the rows are in no order
OPEN = [datetime(2024, DICE.randint(1, 12), DICE.randint(1, 12)) for _ in range(N)]


def column(cells: list[str], **asked: str) -> Typed:
    return typed(cells, range(2, len(cells) + 2), Asked("field 1 of t.csv", "d", **asked))  # type: ignore[arg-type]


def written(path: Path, **columns: list[str]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *map(",".join, rows)]) + "\n")
    return path


@pytest.mark.parametrize("usual", ["%Y-%m-%d", "%d %b %Y", "%Y%m%d", "%Y-%m-%dT%H:%M"])
@pytest.mark.parametrize("other", ["%d/%m/%Y", "%d.%m.%y", "%d-%m-%Y 10:15"])
def test_a_declared_order_reaches_the_dates_that_are_written_unlike_most(
    usual: str, other: str
) -> None:
    cells = [day.strftime(other if i % 3 == 0 else usual) for i, day in enumerate(OPEN)]
    first = column(cells, reading="day-first").series
    second = column(cells, reading="month-first").series
    assert [moment.date() for moment in first] == [day.date() for day in OPEN]
    # a month and a day changed places there and nowhere else
    swapped = [
        day.replace(month=day.day, day=day.month) if i % 3 == 0 else day
        for i, day in enumerate(OPEN)
    ]
    assert [moment.date() for moment in second] == [day.date() for day in swapped]
    assert any("which comes back as" in one for one in column(cells, reading="day-first").lost)


def test_where_nothing_decides_the_dates_that_are_written_unlike_most_a_note_asks() -> None:
    cells = [day.strftime("%d/%m/%Y" if i % 2 else "%Y-%m-%d") for i, day in enumerate(OPEN)]
    found = column(cells)
    assert any("nothing decides it" in one and "d=day-first" in one for one in found.said)
    assert found.asks
    # a day beyond 12 decides and is named, so does the rest of the file
    told = column([*cells, "28/02/2024", "2024-01-01"])
    assert any("28/02/2024" in one and "day comes first" in one for one in told.said)
    assert not told.asks
    assert [moment.date() for moment in told.series[:N]] == [day.date() for day in OPEN]


def test_dates_in_so_many_ways_that_none_is_that_of_most_are_dates() -> None:
    ways = ("%d/%m/%Y", "%Y-%m-%d", "%d %b %Y", "%d.%m.%y")
    cells = [day.strftime(ways[i % 4]) for i, day in enumerate(OPEN)]
    found = column(cells, reading="day-first")
    assert [moment.date() for moment in found.series] == [day.date() for day in OPEN]
    assert any("dates are written otherwise" in one for one in found.lost)
    assert any("nothing decides it" in one for one in column(cells).said)


def test_moments_that_have_none_in_utc_are_named() -> None:
    cells = [f"{day:%Y-%m-%dT%H:%M}-05:00" for day in DAYS]
    with pytest.raises(BadInput, match=r"9999-12-31T23:59-05:00.*expected a date"):
        column([*cells, "9999-12-31T23:59-05:00"])


def test_another_column_decides_the_dates_that_are_written_unlike_most(tmp_path: Path) -> None:
    mixed = [day.strftime("%d/%m/%Y" if i % 2 else "%Y-%m-%d") for i, day in enumerate(OPEN)]
    data = open_data(written(tmp_path / "t.csv", d=mixed, e=[f"{day:%d/%m/%Y}" for day in DAYS]))
    assert any("another column of the file is so day comes first" in note for note in data.notes)
    assert isinstance(data.encoding, TableEncoding)
    back = data.encoding.decode(data.encoding.read(tmp_path / "t.csv").x)
    assert back["d"].dt.day.tolist() == [day.day for day in OPEN]


@pytest.mark.parametrize("freq", ["M", "Q", "W", "D"])
def test_periods_have_no_natural_end_in_1970(freq: str) -> None:
    periods = pd.PeriodIndex([pd.Period(day, freq=freq) for day in DAYS * 3])
    found = infer(pd.DataFrame({"p": pd.Series(periods)}))
    assert "1970" not in found.notes[0]
    assert not found.table.columns[0].bounded_below
    # lengths of time do have one
    lengths = infer(
        pd.DataFrame({"t": pd.to_timedelta([7 * i % 997 for i in range(300)], unit="s")})
    )
    assert lengths.table.columns[0].bounded_below


MARKS = (
    "9999-12-31",
    "1900-01-01",
    "1970-01-01",
    "0001-01-01",
    "2099-12-31",
    "1753-01-01",
    "2079-06-06",
    "1899-12-30",
)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("style", ["iso", "moments", "German", "frame"])
def test_days_that_stand_for_none_are_remarked_on(mark: str, style: str) -> None:
    day = datetime.fromisoformat(mark)
    days = [day if i % 4 == 0 else one for i, one in enumerate(DAYS)]
    if style == "frame":
        series = pd.Series(days, dtype="datetime64[us]")
    else:
        shape = {
            "iso": "{0:%Y-%m-%d}",
            "moments": "{0:%Y-%m-%d} 00:00:00",
            "German": "{0.day}.{0.month}.{0.year:04d}",
        }
        cells = [shape[style].format(one).replace(f"{1:d}-01-01", "0001-01-01", 0) for one in days]
        cells = [
            mark + cell[cell.find(" ") :] * (" " in cell)
            if one is day and style != "German"
            else cell
            for cell, one in zip(cells, days, strict=True)
        ]
        series = column(cells).series
    said = infer(pd.DataFrame({"d": series, "x": range(N)})).notes[0]
    assert f"{mark} stands {N // 4} times" in said, said


def test_months_that_stand_for_none_are_remarked_on_and_usual_days_are_not() -> None:
    months = [("9999-12" if i % 4 == 0 else f"{day:%Y-%m}") for i, day in enumerate(DAYS)]
    assert (
        f"9999-12 stands {N // 4} times"
        in infer(pd.DataFrame({"m": column(months).series})).notes[0]
    )
    # first days of years among first days of years, one day of 1970 among birthdays, one mark alone
    years = [f"{1890 + 7 * i % 130}-01-01" for i in range(N)]
    births = [
        f"{datetime(1940, 1, 1) + timedelta(days=DICE.randrange(20000)):%Y-%m-%d}" for _ in range(N)
    ] + ["1970-01-01"] * 2
    for cells in (years, births, [*(f"{day:%Y-%m-%d}" for day in DAYS), "9999-12-31"]):
        assert "stands" not in infer(pd.DataFrame({"d": column(cells).series})).notes[0]
    # a birthday that is far more frequent than any other
    assert (
        "1970-01-01 stands 22 times, far more often"
        in infer(pd.DataFrame({"d": column(births + ["1970-01-01"] * 20).series})).notes[0]
    )
