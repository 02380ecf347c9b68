"""What a user asks of a column: dates in digits, readings that decide nothing, dates of any file, digits of any script."""

from __future__ import annotations

import dataclasses
import json
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
from pushforward.data.tables.notations.notation import notation_from_json
from pushforward.data.tables.typed_values import Typed

# values are compared one by one with those that came: all are shown
open_data = partial(open_guarded, protect=0)

DICE = random.Random(3)
N = 60
DAYS = [
    datetime(1999, 1, 1) + timedelta(days=DICE.randrange(9000), seconds=DICE.randrange(86_400))
    for _ in range(N)
]


def column(cells: list[str], reading: str = "") -> Typed:
    return typed(cells, range(2, len(cells) + 2), Asked("field 1 of t.csv", "v", reading=reading))


def spelled(found: Typed) -> list[str]:
    """What a run, which keeps the notation as JSON, writes for the values of a column."""
    assert dataclasses.is_dataclass(found.notation)
    kept = notation_from_json(json.loads(json.dumps(dataclasses.asdict(found.notation))))  # type: ignore[arg-type]
    return ["" if pd.isna(value) else kept.write(value) for value in found.series.tolist()]


def asked_for(found: Typed) -> list[str]:
    return [sentence for sentence in found.said if "was asked for" in sentence]


@pytest.mark.parametrize(
    ("way", "reading"),
    [
        ("%d%m%Y", "day-first"),
        ("%m%d%Y", "month-first"),
        ("%d%m%y", "day-first"),
        ("%y%m%d", "year-first"),
        ("%m%d%y", "month-first"),
        ("%d%m%Y", ""),
        ("%m%d%Y", ""),
    ],
)
def test_days_in_digits_alone_are_read_in_the_declared_order(way: str, reading: str) -> None:
    cells = [day.strftime(way) for day in DAYS]
    found = column(cells, reading)
    assert [value.date() for value in found.series] == [day.date() for day in DAYS]
    assert (spelled(found), found.lost, asked_for(found)) == (cells, (), [])
    if way.endswith("%Y") and reading:
        # a program that took them for numbers has dropped the first zero
        short = [cell.removeprefix("0") for cell in cells]
        again = column(short, reading)
        assert [value.date() for value in again.series] == [day.date() for day in DAYS]
        assert spelled(again) == short


def test_other_numbers_of_eight_digits_are_no_days() -> None:
    codes = [f"{DICE.randrange(10_000_000, 99_999_999)}" for _ in range(N)]
    assert str(column(codes).series.dtype) == "int64"
    assert column(["01012020", "98765432", "05550001"] * 20).notation is None
    # four of them may be an accident
    assert str(column(["12052001", "11061999", "13072011", "14082012"] * 9).series.dtype) == "int64"


LOGS = (
    "[%d/%b/%Y:%H:%M:%S +0200]",
    "%d/%b/%Y:%H:%M:%S",
    "%a %b %e %H:%M:%S %Y",
    "%a %b %d %H:%M:%S +0000 %Y",
    "%b %e, %Y",
)


@pytest.mark.parametrize("way", LOGS)
def test_moments_of_logs_are_moments_and_come_back(way: str) -> None:
    cells = [day.strftime(way) for day in DAYS]
    found = column(cells)
    assert (spelled(found), found.lost) == (cells, ())
    local = found.series.dt.tz_convert(None) if "00" in way else found.series
    shift = timedelta(hours=2 if "+0200" in way else 0)
    expected = [
        day - shift if "%H" in way else day.replace(hour=0, minute=0, second=0) for day in DAYS
    ]
    assert [value.to_pydatetime() for value in local] == expected


IDLE = {
    "text": (["red", "green", "blue"], ("day-first", "number", "decimal-comma"), "read as text"),
    "yes or no": (["True", "False"], ("number", "month-first"), "true or false"),
    "ISO": (
        [f"{day:%Y-%m-%d}" for day in DAYS],
        ("day-first", "month-first"),
        "say themselves what is what",
    ),
    "names": ([f"{day:%d %b %Y}" for day in DAYS], ("month-first",), "say themselves what is what"),
    "no year in front": (
        [f"{day:%d/%m/%Y}" for day in DAYS],
        ("year-first",),
        "no dates in that order",
    ),
    "numbers": ([f"{k}" for k in range(N)], ("day-first", "decimal-comma", "decimal-point"), ""),
    "points": ([f"{k}.25" for k in range(N)], ("decimal-comma",), "only with a point"),
    "times": ([f"{day:%H:%M}" for day in DAYS], ("number", "day-first"), "read as times"),
}


@pytest.mark.parametrize("name", IDLE)
def test_a_reading_that_decides_nothing_is_said_to(name: str) -> None:
    cells, readings, why = IDLE[name]
    for reading in readings:
        found = column(cells * (1 + 40 // len(cells)), reading)
        assert [one for one in asked_for(found) if f"`{reading}`" in one and why in one], found.said
        assert not asked_for(column(cells))


ACT = {
    "zip codes": (
        [f"{k:05d}" for k in range(80, 140)],
        "number",
        [float(k) for k in range(80, 140)],
    ),
    "zeros of any length": (["007", "12", "0300"] * 20, "number", [7.0, 12.0, 300.0] * 20),
    "long": (["12345678901234567890", "5"] * 30, "number", [12345678901234567890.0, 5.0] * 30),
    "days in digits": (
        [f"{day:%Y%m%d}" for day in DAYS],
        "number",
        [float(f"{day:%Y%m%d}") for day in DAYS],
    ),
    "codes": (["1E10", "2E05", "3E7"] * 20, "number", [1e10, 2e5, 3e7] * 20),
    "mostly words": (["low", "high", "5.5"] * 20, "number", [None, None, 5.5] * 20),
}


@pytest.mark.parametrize("name", ACT)
def test_a_reading_that_can_act_does(name: str) -> None:
    cells, reading, values = ACT[name]
    found = column(cells, reading)
    assert [None if pd.isna(value) else float(value) for value in found.series] == values
    assert not asked_for(found)
    other = [
        cell for cell, back in zip(cells, spelled(found), strict=True) if cell != back and back
    ]
    assert bool(other) == any("written otherwise" in one for one in found.lost)


def test_frames_say_which_readings_decide_nothing() -> None:
    frame = pd.DataFrame(
        {"n": range(40), "when": pd.Timestamp("2024-01-31") + pd.to_timedelta(range(40), unit="D")}
    )
    notes = open_data(frame, columns={"n": "day-first", "when": "month-first"}).notes
    assert sum("was asked for, but decides nothing" in note for note in notes) == 2


FEW = {
    "ISO": [f"2024-03-{1 + k % 9:02d}" for k in range(N)],
    "German": [f"{1 + k % 9}.3.2024" for k in range(N)],
    "moments": [f"2024-03-{13 + k % 7:02d}T10:15:00" for k in range(N)],
    "months": [f"2024-{1 + k % 9:02d}" for k in range(N)],
    "times": [f"{8 + k % 9:02d}:30" for k in range(N)],
}


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet", "feather"])
def test_few_dates_in_text_are_dates_in_every_file(name: str, ending: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "when": FEW[name],
            "x": [k % 7 / 2 for k in range(N)],
            "code": [f"{k % 5}" for k in range(N)],
        }
    )
    kinds = []
    for kind in ("csv", ending):
        path = tmp_path / f"t.{kind}"
        if kind == "csv":
            frame.to_csv(path, index=False)
        elif kind in ("json", "jsonl"):
            frame.to_json(path, orient="records", lines=kind == "jsonl")
        else:
            getattr(frame, f"to_{kind}")(path)
        data = open_data(path, kind="table")
        assert isinstance(data.encoding, TableEncoding)
        kinds.append(data.encoding.table.columns[0])
        back = data.encoding.decode(data.encoding.read(path).x)
        if kind != "csv":
            assert back["when"].tolist() == FEW[name]
            # codes in text are no numbers for that
            assert data.encoding.table.columns[2].kind == "categorical"
    assert kinds[0] == kinds[1]
    assert kinds[0].kind != "categorical"


def test_few_words_some_of_which_look_like_dates_stay_categories() -> None:
    frame = pd.DataFrame(
        {"w": ["2024-01-01", "2024-02-01", "2024-03-01", "later"] * 3 + ["soon"], "x": range(13)}
    )
    data = open_data(frame)
    assert data.space.columns[0].kind == "categorical"  # type: ignore[attr-defined]


ZEROS = {
    "Arabic": "٠",
    "Persian": "۰",
    "Devanagari": "०",
    "Bengali": "০",
    "Thai": "๐",
    "full width": "\uff10",
}
PLAIN: dict[str, list[str]] = {
    "whole": [str(DICE.randrange(5000)) for _ in range(N)],
    "decimals": [f"{DICE.gauss(0, 9):.2f}" for _ in range(N)],
    "money": [f"${abs(DICE.gauss(0, 9000)):,.2f}" for _ in range(N)],
    "dates": [f"{day:%Y-%m-%d}" for day in DAYS],
    "day first": [f"{day.day}/{day.month}/{day.year}" for day in DAYS],
    "moments": [f"{day:%d %b %Y %H:%M}" for day in DAYS],
    "months": [f"{day:%Y-%m}" for day in DAYS],
    "times": [f"{day:%H:%M}" for day in DAYS],
    "padded": [f"{k:04d}" for k in range(N)],
}


@pytest.mark.parametrize("script", ZEROS)
@pytest.mark.parametrize("name", PLAIN)
def test_digits_of_any_script_are_read_and_come_back(script: str, name: str) -> None:
    digits = str.maketrans("0123456789", "".join(chr(ord(ZEROS[script]) + k) for k in range(10)))
    wide = (
        str.maketrans({c: chr(ord(c) + 0xFEE0) for c in ".,-/:"}) if script == "full width" else {}
    )
    cells = [cell.translate(digits).translate(wide) for cell in PLAIN[name]]
    found, plain = column(cells), column(PLAIN[name])
    assert found.series.equals(plain.series)
    assert (spelled(found), found.lost) == (cells, ())
    assert any("digits written" in one for one in found.said)


def test_marks_between_arabic_digits_are_known_and_mixed_scripts_are_said() -> None:
    cells = ["١٬٢٣٤٫٥", "١٢٫٢٥", "٩٩٫٥"] * 20
    found = column(cells)
    assert found.series.tolist()[:3] == [1234.5, 12.25, 99.5]
    assert (spelled(found), found.lost) == (cells, ())
    mixed = column(["١٢", "34", "56"] * 20)
    assert mixed.series.tolist()[:3] == [12, 34, 56]
    assert spelled(mixed)[:3] == ["12", "34", "56"]
    assert "20 numbers are written otherwise, such as '١٢', which comes back as '12'" in mixed.lost
    assert column(["東京１丁目", "大阪２丁目"] * 20).series.tolist()[0] == "東京１丁目"


def test_a_run_reads_its_file_in_digits_of_another_script(tmp_path: Path) -> None:
    cells = [
        f"{k % 50}.{k % 4}".translate(str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")) for k in range(N)
    ]
    (tmp_path / "t.csv").write_text(
        "v,w\n" + "".join(f"{cell},{'ab'[k % 2]}\n" for k, cell in enumerate(cells))
    )
    data = open_data(tmp_path / "t.csv")
    assert isinstance(data.encoding, TableEncoding)
    x = data.encoding.read(tmp_path / "t.csv").x
    assert x[:, 0].tolist() == [float(f"{k % 50}.{k % 4}") for k in range(N)]
    assert (
        data.encoding.csv_file(data.encoding.decode(x)).decode() == (tmp_path / "t.csv").read_text()
    )


def test_numbers_that_were_asked_for_decided_what_they_made_missing() -> None:
    cells = [*(f"{day:%Y-%m-%d}" for day in DAYS), "2024-02-30"]
    with pytest.raises(BadInput, match="number' makes it missing"):
        column(cells)
    found = column(cells, "number")
    assert not asked_for(found)
    sentence = "'2024-02-30' (1 value) counts as missing, as asked"
    assert sentence in found.said
    assert sentence in found.lost
    assert asked_for(column(cells[:-1], "number"))  # here it decides nothing


def test_moments_in_utc_are_said_to_be_written_with_their_letter() -> None:
    found = column([f"{day:%Y-%m-%dT%H:%M:%S}Z" for day in DAYS])
    assert found.said == ("dates written YYYY-MM-DDThh:mm:ssZ, and written so again",)
