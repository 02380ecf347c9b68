"""Notations: what most cells of a column are decides how they are read, and a cell that is written reads as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from pushforward.core.errors import BadInput
from pushforward.data.tables.cells import Asked, Typed, typed
from pushforward.data.tables.notations.notation import notation_from_json

FEW = settings(max_examples=80, deadline=None, derandomize=True)
N = 60
DICE = random.Random(0)
AMOUNTS = [round(DICE.uniform(-3000, 9000), 2) for _ in range(N - 2)] + [1234567.5, -0.25]
DAYS = [
    datetime(1990, 1, 1) + timedelta(days=DICE.randrange(14_000), seconds=DICE.randrange(86_400))
    for _ in range(N)
]


def column(cells: list[str], **asked: Any) -> Typed:
    return typed(cells, range(2, len(cells) + 2), Asked("field 1 of t.csv", "v", **asked))


def spelled(found: Typed) -> list[str]:
    notation = found.notation
    assert notation is not None
    assert notation_from_json({**notation.__dict__}) == notation
    return [
        found.absent if pd.isna(value) else notation.write(value) for value in found.series.tolist()
    ]


def swapped(text: str, mapping: str) -> str:
    return text.translate(str.maketrans(",.", mapping))


NUMBERS: dict[str, Callable[[float], str]] = {
    "plain": lambda v: f"{v:.2f}",
    "decimal comma": lambda v: f"{v:.2f}".replace(".", ","),
    "dollars": lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}",
    "accounting": lambda v: f"(${-v:,.2f})" if v < 0 else f"${v:,.2f}",
    "euros": lambda v: swapped(f"{v:,.2f}", ".,") + " €",
    "code before": lambda v: f"USD {v:.2f}",
    "code after": lambda v: swapped(f"{v:,.2f}", " ,") + " SEK",
    "Swiss": lambda v: f"{v:,.2f}".replace(",", "'"),
    "French": lambda v: swapped(f"{v:,.2f}", "\u202f,"),
    "no-break": lambda v: f"{v:,.2f}".replace(",", "\u00a0"),
    "percent": lambda v: f"{v:.2f}%",
    "percent after a space": lambda v: f"{v:.2f} %".replace(".", ","),
    "unit": lambda v: f"{v:.2f} kg",
    "degrees": lambda v: f"{v:.2f}°C",
    "rate": lambda v: f"{v:.2f} km/h",
    "plus": lambda v: f"{v:+.2f}",
    "minus of typographers": lambda v: f"{v:.2f}".replace("-", "−"),
    "minus behind": lambda v: f"{-v:.2f}-" if v < 0 else f"{v:.2f}",
    "pounds and pence": lambda v: f"£{v:.2f}".replace("£-", "£-"),
    "scientific": lambda v: f"{v:.8e}",
    "scientific capitals": lambda v: f"{v:.8E}",
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_in_the_notation_of_their_column_and_come_back_spelled_so(
    name: str,
) -> None:
    cells = [NUMBERS[name](value) for value in AMOUNTS]
    found = column(cells)
    assert found.series.tolist() == AMOUNTS
    assert spelled(found) == cells


@FEW
@given(
    st.sampled_from(sorted(NUMBERS)),
    st.lists(st.integers(-(10**9), 10**9), min_size=30, max_size=40),
)
def test_reading_what_is_written_gives_the_number(name: str, cents: list[int]) -> None:
    # thousands and decimals of every cell are needed to know which separator is which
    values = [*AMOUNTS, *(cent / 100 for cent in cents)]
    found = column([NUMBERS[name](value) for value in values])
    tolerance = 1e-8 if "scientific" in name else 0.0
    assert found.series.tolist() == pytest.approx(values, rel=tolerance, abs=0.0)


MARKS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d %b %Y",
    "%B %d, %Y",
    "%d-%b-%y",
)
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", "T%H:%M:%SZ", " %H:%M:%S+0200", "T%H:%M+05:30")


@pytest.mark.parametrize("mark", ["%Y-%m-%d", *MARKS])
@pytest.mark.parametrize("clock", CLOCKS)
def test_dates_are_read_by_evidence_over_the_column_and_come_back_spelled_so(
    mark: str, clock: str
) -> None:
    cells = [day.strftime(mark + clock) for day in DAYS]
    found = column(cells)
    local = found.series.dt.tz_convert(None) if "Z" in clock or "+" in clock else found.series
    shift = {
        "+": timedelta(0),
        " %H:%M:%S+0200": timedelta(hours=2),
        "T%H:%M+05:30": timedelta(hours=5.5),
    }.get(clock, timedelta(0))
    expected = [
        datetime.strptime(
            day.strftime(mark + (clock or "")), mark + clock.replace("+0200", "+0200")
        )
        - shift
        for day in DAYS
    ]
    assert [moment.to_pydatetime() for moment in local] == [
        moment.replace(tzinfo=None) for moment in expected
    ]
    assert spelled(found) == cells


OTHERS: dict[str, tuple[list[str], str]] = {
    "no zeros": (
        [
            f"{day.month}/{day.day}/{day.year} {day.hour % 12 or 12}:{day.minute:02d} {day:%p}"
            for day in DAYS
        ],
        "datetime",
    ),
    "German": ([f"{day.day}.{day.month}.{day.year}" for day in DAYS], "datetime"),
    "German names": (
        [f"{day.day}. {['Januar', 'März', 'Mai'][day.day % 3]} {day.year}" for day in DAYS],
        "datetime",
    ),
    "Spanish names": (
        [f"{day.day} {['enero', 'marzo', 'mayo'][day.day % 3]} {day.year}" for day in DAYS],
        "datetime",
    ),
    "capitals": ([f"{day:%d-%b-%Y}".upper() for day in DAYS], "datetime"),
    "weekdays": ([f"{day:%a, %d %b %Y}" for day in DAYS], "datetime"),
    "milliseconds": (
        [f"{day:%Y-%m-%d %H:%M:%S}.{i:03d}" for i, day in enumerate(DAYS)],
        "datetime",
    ),
    "compact moments": ([f"{day:%Y%m%d%H%M%S}" for day in DAYS], "datetime"),
    "compact in UTC": ([f"{day:%Y%m%dT%H%M%SZ}" for day in DAYS], "datetime"),
    "small letters": ([f"{day:%d/%m/%Y %I:%M %p}".lower() for day in DAYS], "datetime"),
    "months": ([f"{day:%Y-%m}" for day in DAYS], "period[M]"),
    "months first": ([f"{day:%m/%Y}" for day in DAYS], "period[M]"),
    "names of months": ([f"{day:%b %Y}" for day in DAYS], "period[M]"),
    "quarters": ([f"{day.year}-Q{1 + day.month // 4}" for day in DAYS], "period[Q"),
    "times": ([f"{day:%H:%M}" for day in DAYS], "object"),
    "times with seconds": ([f"{day:%H:%M:%S}" for day in DAYS], "object"),
    "twelve hours": (
        [f"{day.hour % 12 or 12}:{day.minute:02d} {day:%p}" for day in DAYS],
        "object",
    ),
    "durations": ([f"{day.day}:{day.minute:02d}:{day.second:02d}" for day in DAYS], "timedelta64"),
    "days and hours": ([f"{day.day} days {day:%H:%M:%S}" for day in DAYS], "timedelta64"),
    "codes": ([f"{7 * i:06d}" for i in range(N)], "int64"),
    "crores": ([f"{i + 1},{i + 10},{i + 100}" for i in range(N)], "int64"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_notations_come_back_as_they_were(name: str) -> None:
    cells, dtype = OTHERS[name]
    found = column(cells)
    assert str(found.series.dtype).startswith(dtype)
    assert not found.lost
    assert spelled(found) == cells


# ---- what is missing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "-",
        "--",
        "#N/A",
        "None",
        "n/a",
        "NULL",
        ".",
        "missing",
        "N.A.",
        "#DIV/0!",
        "nil",
        "—",
        "(null)",
        " ",
    ],
)
@pytest.mark.parametrize("of", ["numbers", "dates", "money", "times", "booleans"])
def test_words_for_nothing_are_missing_where_the_rest_is_no_words(word: str, of: str) -> None:
    values = {
        "numbers": [f"{value}" for value in AMOUNTS],
        "dates": [f"{day:%d.%m.%Y}" for day in DAYS],
        "money": [f"${abs(value)}" for value in AMOUNTS],
        "times": [f"{day:%H:%M}" for day in DAYS],
        "booleans": ["True", "False"] * (N // 2),
    }[of]
    for gaps in (5, 50):
        found = column([word if i < gaps else cell for i, cell in enumerate(values)])
        assert found.series.isna().tolist() == [i < gaps for i in range(N)]
        assert found.absent == word.strip()
        assert not word.strip() or any(repr(word) in sentence for sentence in found.said)


def test_words_among_words_stay_words() -> None:
    assert column(["None", "-", "brick", "stone"] * 9).series.isna().sum() == 0
    assert column(["none", "few", "many"] * 9).series.isna().sum() == 0


def test_a_mark_that_recurs_among_numbers_is_missing_and_said_to_be_lost() -> None:
    found = column([f"{value}" if i % 5 else "refused" for i, value in enumerate(AMOUNTS)])
    assert found.series.isna().sum() == N // 5
    assert "'refused' (12 values) count as missing" in found.lost[0]
    # few different numbers beside words are codes
    assert column(["1", "2", "3", "other", "none of it"] * 12).notation is None


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            [*map(str, AMOUNTS[:-1]), "oops"],
            r"'oops' in line 61, field 1 of t\.csv: expected a number.*data\.columns\.v=number",
        ),
        ([*map(str, AMOUNTS[:-2]), "1.2.3", "oops"], r"'1\.2\.3', 'oops' in lines 60, 61"),
        (
            [f"{day:%d/%m/%Y}" for day in DAYS[:-1]] + ["31/02/2024"],
            r"'31/02/2024' in line 61.*a date",
        ),
        (
            [f"{abs(v)}" if i % 4 else f"<{abs(v)}" for i, v in enumerate(AMOUNTS)],
            r"'<.*data\.columns\.v=drop",
        ),
        (
            [f"{'$€'[i % 2]}{abs(v)}" for i, v in enumerate(AMOUNTS)],
            r"'€.*a number, as in the other lines",
        ),
        (
            [f"{day:%Y-%m-%dT%H:%M}" + ("Z" if i % 2 else "") for i, day in enumerate(DAYS)],
            r"different moments",
        ),
    ],
)
def test_numbers_and_dates_are_never_lost_in_silence(cells: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        column(cells)


def test_a_declaration_decides_what_words_among_numbers_are() -> None:
    cells = [*map(str, AMOUNTS[:-1]), "oops"]
    assert column(cells, reading="number").series.isna().tolist() == [False] * (N - 1) + [True]
    assert column(cells, words=True).series.tolist() == cells


# ---- what a column alone does not say -------------------------------------------------------------------------------


def test_ambiguous_dates_are_asked_about_and_a_declaration_answers() -> None:
    cells = [f"{1 + 7 * i % 12:02d}/{1 + 5 * i % 12:02d}/2024" for i in range(N)]
    found = column(cells)
    assert any(
        "months are taken to come first, but nothing decides it" in one and "day-first" in one
        for one in found.said
    )
    assert found.series[1] == pd.Timestamp(2024, 8, 6)
    other = column(cells, reading="day-first")
    assert other.series[1] == pd.Timestamp(2024, 6, 8)
    assert spelled(other) == spelled(found) == cells
    # rows in order of time decide, and so does another column
    rising = [f"{1 + i // 12:02d}/{1 + i % 12:02d}/2024" for i in range(N)]
    assert any("in order of time" in one for one in column(rising).said)
    assert column(cells, order="dmy").series[1] == pd.Timestamp(2024, 6, 8)


def test_one_comma_before_three_digits_is_asked_about_and_a_declaration_answers() -> None:
    cells = [f"{1 + i % 9},{100 + i}" for i in range(N)]
    found = column(cells)
    assert any("could mean decimals too" in one and "decimal-comma" in one for one in found.said)
    assert found.series[0] == 1100
    for other in (column(cells, reading="decimal-comma"), column(cells, decimal=",")):
        assert other.series[0] == 1.1
        assert spelled(other) == cells
    # a zero before the comma, or four digits without one, leave no doubt
    assert column([f"0,{100 + i}" for i in range(N)]).series[0] == 0.1
    assert column([f"{i}000,{100 + i}" for i in range(1, N)]).series[0] == 1000.101
    assert column([f"{1 + i % 9}.{100 + i}" for i in range(N)]).series[0] == 1.1


def test_what_does_not_come_back_is_said() -> None:
    mixed = column(
        [f"{day:%Y-%m-%d}" if i % 9 else f"{day:%d %b %Y}" for i, day in enumerate(DAYS)]
    )
    assert "written otherwise" in mixed.lost[0]
    assert mixed.series[0] == pd.Timestamp(DAYS[0].date())


def test_what_only_looks_like_numbers_stays_text() -> None:
    for cells in (
        [f"10.0.{i}.{i}" for i in range(N)],
        [f"555-{1000 + i}" for i in range(N)],
        [f"user-{i}" for i in range(N)],
        [f"0x{i:x}" for i in range(N)],
        [f"#{i}" for i in range(N)],
        [f"{i:032x}" for i in range(N)],
        ["007", "012", "999"] * 20,
    ):
        assert column(cells).notation is None
