"""Cells come back byte for byte where a note says so, and what does not is text, or is said to be lost."""

from __future__ import annotations

import dataclasses
import random
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pushforward.data.open import open_data
from pushforward.data.tables.cells import Asked, typed
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.notations.dates import find_dates
from pushforward.data.tables.notations.months import find_months
from pushforward.data.tables.notations.notation import notation_from_json
from pushforward.data.tables.typed_values import Typed

DICE = random.Random(11)
N = 150
DAYS = [datetime(1999, 1, 1) + timedelta(days=DICE.randrange(9000)) for _ in range(N)]


def column(cells: list[str], reading: str = "") -> Typed:
    return typed(cells, range(2, len(cells) + 2), Asked("field 1 of t.csv", "v", reading=reading))


def spelled(found: Typed) -> list[str]:
    """What a run, which keeps the notation as JSON, writes for the values of a column."""
    assert dataclasses.is_dataclass(found.notation)
    kept = notation_from_json(dataclasses.asdict(found.notation))  # type: ignore[arg-type]
    assert kept == found.notation
    return [kept.write(value) for value in found.series.tolist()]


MONTHS = {
    "German": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "German of Excel": "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "German of Duden": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "Austrian": "Jänner Feber März April Mai Juni Juli August September Oktober November Dezember",
    "French": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "French of terminals": "JAN FEV MAR AVR MAI JUIN JUIL AOUT SEP OCT NOV DEC",
    "French with capitals": "Janvier Février Mars Avril Mai Juin Juillet Août Septembre Octobre Novembre Décembre",
    "Spanish": "ene feb mar abr may jun jul ago sep oct nov dic",
    "Italian": "gen feb mar apr mag giu lug ago set ott nov dic",
    "Dutch": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "Portuguese": "jan fev mar abr mai jun jul ago set out nov dez",
    "Swedish": "januari februari mars april maj juni juli augusti september oktober november december",
    "Polish": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "of newspapers": "Jan. Feb. March April May June July Aug. Sept. Oct. Nov. Dec.",
    "small": "jan feb mar apr may jun jul aug sep oct nov dec",
    "four letters": "Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec",
}
WAYS = (
    "{d}. {b} {y}",
    "{d:02d} {b} {y}",
    "{d}-{b}-{y}",
    "{b} {d}, {y}",
    "{d} de {b} de {y}",
    "{d}.{b}.{y}",
    "{b} {y}",
    "{b}-{y}",
)


@pytest.mark.parametrize("name", MONTHS)
def test_names_of_months_come_back_as_they_were_written(name: str) -> None:
    names = MONTHS[name].split()
    for way in WAYS:
        if way == "{d}.{b}.{y}" and "." in MONTHS[name]:
            continue
        for days in (DAYS, DAYS[:2]):
            cells = [way.format(d=day.day, b=names[day.month - 1], y=day.year) for day in days]
            found = column(cells)
            assert found.notation is not None, cells
            assert (spelled(found), found.lost) == (cells, ()), way
            months = [value.month for value in found.series]
            assert months == [day.month for day in days]


def test_no_name_of_a_month_means_two_months() -> None:
    for short in (3, 4, 5, 20):
        for names in MONTHS.values():
            for number, name in enumerate(names.split(), 1):
                found = find_months([f"{name[:short]} 2020"])
                assert found is None or next(iter(found[1].values())).month == number
    # June and July alike
    assert find_months(["jui 2020"]) is None


DAY_NAMES = (
    "Mo Di Mi Do Fr Sa So",
    "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "lun mar mer jeu ven sam dim",
)


@pytest.mark.parametrize(
    ("names", "way"),
    [
        (names, way)
        for names in (*DAY_NAMES, "Mon Tues Wed Thurs Fri Sat Sun", "MON TUE WED THU FRI SAT SUN")
        for way in ("{a}, {d:02d}.{m:02d}.{y}", "{a} {d}.{m}.{y} 14:05")
    ],
)
def test_names_of_days_come_back_as_they_were_written(names: str, way: str) -> None:
    cells = [
        way.format(a=names.split()[day.weekday()], d=day.day, m=day.month, y=day.year)
        for day in DAYS
    ]
    found = column(cells)
    assert (spelled(found), found.lost) == (cells, ())
    # a day of the week that is not that of its date is lost, and said to be
    wrong = column(
        [
            *cells[:-1],
            way.format(
                a=names.split()[(DAYS[-1].weekday() + 1) % 7],
                d=DAYS[-1].day,
                m=DAYS[-1].month,
                y=DAYS[-1].year,
            ),
        ]
    )
    assert "1 date is written otherwise" in wrong.lost[0]
    assert any("as all are written again" in one for one in wrong.said)


def test_weeks_and_short_years_are_periods_that_come_back() -> None:
    weeks = [
        f"{day.isocalendar().year}-W{day.isocalendar().week:02d}"
        for day in [*DAYS, datetime(2020, 12, 31), datetime(2024, 12, 30)]
    ]
    for cells in (
        weeks,
        [cell.replace("-", "") for cell in weeks],
        [f"{day:%b-%y}" for day in DAYS],
        [f"{day:%b '%y}" for day in DAYS],
        [f"{day.year}M{day.month}" for day in DAYS],
        [f"{day.year}q{(day.month + 2) // 3}" for day in DAYS],
    ):
        found = column(cells)
        assert (spelled(found), found.lost) == (cells, ())
        assert str(found.series.dtype).startswith("period")
    year, week = map(int, weeks[0].split("-W"))
    assert (
        column(weeks).series.dt.start_time[0].date()
        == datetime.fromisocalendar(year, week, 1).date()
    )
    assert find_months(["2023-W53"]) is None
    # a number behind a month could be a day
    assert any(
        "to be a year" in one and "v=categorical" in one
        for one in column([f"{day:%b-%y}" for day in DAYS]).said
    )


def real(places: int) -> list[float]:
    return [round(DICE.gauss(0, 50), places) for _ in range(N)]


PRINTED = {
    "repr": [repr(value) for value in [*real(2), 2.0, 30.0]],
    "repr of small ones": [repr(value) for value in [*(10.0**k for k in range(-9, 9)), 2.0, 0.5]],
    "zeros below zero": [f"{value:.1f}" for value in [*real(3), -0.01, -0.04, 0.0, 0.02]],
    "amounts below zero": [
        f"-${-v:.2f}" if v < 0 else f"${v:.2f}" for v in [*real(2), -0.001, 0.001]
    ],
    "savetxt": [f"{value:.18e}" for value in np.random.default_rng(0).normal(size=N)],
    "Java": [f"{value:.3}E{k}" for k, value in enumerate([1.0, 1.25, 2.0, 3.125] * 9)],
    "zeros before": [f"{abs(value):06.2f}" for value in real(2)],
    "signs": [f"{value:+.1f}" for value in real(1)],
    "one decimal at least": [
        f"{value:.3f}".rstrip("0").ljust(3, "0") if value % 1 else f"{value:.1f}"
        for value in [0.5, 1.0, 2.25, 3.125] * 9
    ],
}


@pytest.mark.parametrize("name", PRINTED)
def test_numbers_come_back_as_programs_print_them(name: str) -> None:
    cells = PRINTED[name]
    found = column(cells)
    assert found.series.tolist() == [float(cell.replace("$", "")) for cell in cells]
    assert (spelled(found), found.lost) == (cells, ())


def test_numbers_that_could_be_codes_are_asked_about() -> None:
    assert any(
        "v=categorical` keeps codes" in one for one in column(["1E10", "3E7", "12E4"] * 20).said
    )
    assert not any("codes" in one for one in column(["1E10", "3E7", "12E4"] * 20, "number").said)
    assert not any("codes" in one for one in column(["1.0E10", "3.5E7"] * 20).said)


@pytest.mark.parametrize(
    "cells",
    [
        ["1E10", "2E05", "12E4", "3E7"],
        ["5E1", "10E2", "7E03"],
        ["12", "12E4", "7", "3E2"],
        ["1.9", "1.10", "2.0"],
        ["3.8", "3.9", "3.10", "3.11", "3.12"],
        ["10.4", "10.10"],
    ],
)
def test_codes_and_versions_that_look_like_numbers_stay_as_written(
    cells: list[str], tmp_path: Path
) -> None:
    rows = [DICE.choice(cells) for _ in range(N)] + cells
    (tmp_path / "t.csv").write_text(
        "v,x\n" + "".join(f"{cell},{i % 7}.5\n" for i, cell in enumerate(rows))
    )
    data = open_data(tmp_path / "t.csv")
    assert isinstance(data.encoding, TableEncoding)
    assert sorted(data.encoding.table.columns[0].categories) == sorted(cells)
    assert any("would come back as" in note and "v=number" in note for note in data.notes)
    # who wants numbers has them, and is told what is lost
    numbers = column(rows, "number")
    assert numbers.series.tolist() == [float(cell) for cell in rows]
    assert "written otherwise" in numbers.lost[0]


@pytest.mark.parametrize(
    "cells",
    [
        ["1.50", "1.5", "2.05", "7"],
        ["-0", "1", "2"],
        ["0.10000000000000001", "0.25", "3.5"],
        ["007", "12", "1234"],
    ],
)
def test_numbers_that_come_back_otherwise_are_said_to(cells: list[str]) -> None:
    rows = [*cells, *(f"{k}.75" if "." in cells[1] else f"{500 + k}" for k in range(40))]
    found = column(rows, "number" if cells[0] == "007" else "")
    again = spelled(found)
    other = [cell for cell, back in zip(rows, again, strict=True) if cell != back]
    assert other
    assert any(
        f"such as '{other[0]}', which comes back as '{again[rows.index(other[0])]}'" in one
        for one in found.lost
    )


def test_what_is_lost_is_counted_for_dates_too() -> None:
    cells = [
        f"{day:%Y-%m-%d}" if k % 5 else f"{day.year}-{day.month}-{day.day}"
        for k, day in enumerate(DAYS)
    ]
    found = column(cells)
    other = [cell for cell, back in zip(cells, spelled(found), strict=True) if cell != back]
    assert f"{len(other)} dates are written otherwise" in found.lost[0]
    assert find_dates(cells) is not None
