"""Lines of a file that are no rows: rules, borders, counts, headers that recur, units, what a logger writes above its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pushforward.core.errors import BadInput
from pushforward.data.dataset import describe
from pushforward.data.open import open_data
from pushforward.data.tables.declaration import declaration_of
from pushforward.data.tables.delimited import read_text
from pushforward.data.tables.sheet import Reading

BODY = [
    ("New York", "4", "2.50"),
    ("Rome", "11", "3.75"),
    ("O'Brien, Mo", "7", "0.25"),
    ("a|b", "3", "1.25"),
]
ROWS = [BODY[i % 4] for i in range(24)]


def markdown(rows: list[tuple[str, ...]]) -> str:
    lines = [
        " | ".join(cell.replace("|", "\\|") for cell in row)
        for row in [("town", "qty", "price"), *rows]
    ]
    return "\n".join(f"| {line} |" for line in [lines[0], "--- | :---: | ---:", *lines[1:]]) + "\n"


def padded(rows: list[tuple[str, ...]]) -> list[list[str]]:
    return [[cell.ljust(12) for cell in row] for row in [("town", "qty", "price"), *rows]]


def psql(rows: list[tuple[str, ...]]) -> str:
    lines = [" " + " | ".join(row).rstrip() for row in padded(rows)]
    return (
        "\n".join([lines[0], "+".join(["-" * 14] * 3), *lines[1:], f"({len(rows)} rows)", ""])
        + "\n"
    )


def mysql(rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in padded(rows)]
    rule = "+" + "+".join(["-" * 14] * 3) + "+"
    return (
        "\n".join([rule, lines[0], rule, *lines[1:], rule, f"{len(rows)} rows in set (0.00 sec)"])
        + "\n"
    )


def boxed(rows: list[tuple[str, ...]]) -> str:
    names = str.maketrans({"|": "│", "-": "─", "+": "┼"})
    return mysql(rows).translate(names)


def grid(rows: list[tuple[str, ...]]) -> str:
    rule = "+" + "+".join(["-" * 14] * 3) + "+"
    lines = ["| " + " | ".join(row) + " |" for row in padded(rows)]
    return (
        "\n".join(
            [
                rule,
                lines[0],
                rule.replace("-", "="),
                *(part for line in lines[1:] for part in (line, rule)),
            ]
        )
        + "\n"
    )


def ruled(rows: list[tuple[str, ...]]) -> str:
    lines = ["  ".join(row).rstrip() for row in padded(rows)]
    return (
        "\n".join(
            [lines[0], "  ".join(["-" * 12] * 3), *lines[1:], "", f"({len(rows)} rows affected)"]
        )
        + "\n"
    )


@pytest.mark.parametrize("shown", [markdown, psql, mysql, boxed, grid, ruled])
def test_what_frames_a_table_is_no_row_of_it(shown: Any) -> None:
    bars = shown in (markdown, ruled)
    rows = [row for row in ROWS if bars or "|" not in row[0]]
    sheet = read_text(shown(rows), "t", "t")
    assert list(sheet.frame.columns) == ["town", "qty", "price"]
    assert [tuple(row) for row in sheet.frame.to_numpy().tolist()] == [
        (t, int(q), float(p)) for t, q, p in rows
    ]
    assert any("frame" in note for note in sheet.notes)
    assert any("do not come back" in lost for lost in sheet.lost)
    # the lines are still those of the file
    text = shown(rows).splitlines()
    assert sheet.lines is not None
    assert all(rows[k][1] in text[line - 1] for k, line in enumerate(sheet.lines))


def test_dashes_that_stand_for_gaps_frame_nothing() -> None:
    text = "a|b|c\n-|-|-\n" + "".join(f"{i}|{i / 4}|w{i % 3}\n" for i in range(20))
    assert len(read_text(text, "t", "t").frame) == 21
    inside = 'a,b\n"| x | y |\n|---|---|\n| 1 | 2 |",3\n' + "".join(
        f"w{i % 3},{i}\n" for i in range(20)
    )
    assert len(read_text(inside, "t", "t").frame) == 21


def test_quoted_cells_between_blanks_are_cells() -> None:
    cells = [
        ('"New York"', "4", '"b"'),
        ('"Rome"', "11", '"a c"'),
        ('"say \\"hi\\""', "7", '"a c"'),
    ]
    body = [cells[i % 3] for i in range(30)]
    sheet = read_text(
        "\n".join([" ".join(('"name"', '"x"', '"g"')), *map(" ".join, body)]) + "\n", "t", "t"
    )
    assert sheet.frame["name"].tolist()[:3] == ["New York", "Rome", 'say "hi"']
    assert sheet.frame["x"].tolist()[:3] == [4, 11, 7]
    # R names rows and leaves that name out
    named = (
        "\n".join(['"mpg" "sp"', *(f'"car {i}" {10 + i % 7} "{"ab"[i % 2]} x"' for i in range(30))])
        + "\n"
    )
    sheet = read_text(named, "t", "t")
    assert sheet.frame.iloc[:, 0].tolist()[:2] == ["car 0", "car 1"]
    assert list(sheet.frame.columns)[1:] == ["mpg", "sp"]
    # sentences with quotes are none
    spoken = read_text('line\nShe said "Hello there"\nNobody "was" there\nnot one\n' * 9, "t", "t")
    assert len(spoken.frame.columns) == 1


@pytest.mark.parametrize("again", [[50], [1], [10, 20, 21], [-1]])
@pytest.mark.parametrize("kind", ["numbers", "mixed", "points"])
def test_a_header_that_recurs_is_no_row(tmp_path: Path, kind: str, again: list[int]) -> None:
    header = "item,qty,price" if kind != "points" else "a,b,c"
    rows = [f"{'bolt' if kind == 'mixed' else i / 8},{i % 9},{i / 4 + 0.01}" for i in range(100)]
    expected = list(rows)
    for place in again:
        rows.insert(place if place >= 0 else len(rows), header)
    sheet = read_text("\n".join([header, *rows]) + "\n", "t", "t")
    assert list(sheet.frame.columns) == header.split(",")
    assert len(sheet.frame) == len(expected)
    assert all(pd.api.types.is_numeric_dtype(sheet.frame.iloc[:, place]) for place in (1, 2))
    note = next(note for note in sheet.notes if "the header and" in note)
    assert all(str(row) in note for row in [k + 2 for k, line in enumerate(rows) if line == header])
    assert note in sheet.lost


def test_a_row_that_recurs_is_no_header() -> None:
    text = "red,rouge\nblue,bleu\n" * 20
    assert len(read_text(text, "t", "t").frame) == 40
    assert len(read_text("1,2\n3,4\n" * 20, "t", "t").frame) == 40


UNITS = {
    "units": ["s,m/s,site", "Unix,metres,-"],
    "process": ["TS,m/s,", ",Avg,Smp"],
    "long names": ["Start Date,How fast?,Which site?"],
}


@pytest.mark.parametrize("name", UNITS)
def test_lines_that_say_more_of_the_columns_are_left_out_aloud(name: str) -> None:
    body = [f"2024-06-{1 + i % 28:02d} 00:10:00,{i / 4},{'ABC'[i % 3]}" for i in range(40)]
    sheet = read_text("\n".join(["when,speed,where", *UNITS[name], *body]) + "\n", "t", "t")
    assert list(sheet.frame.columns) == ["when", "speed", "where"]
    assert len(sheet.frame) == 40
    assert str(sheet.frame.dtypes["when"]).startswith("datetime")
    for k, line in enumerate(UNITS[name]):
        assert any(
            f"line {k + 2} says more of the columns" in note and line.split(",")[1] in note
            for note in sheet.notes
        )


def test_names_below_an_empty_line_are_not_taken_for_units() -> None:
    text = "Region,North\n\nitem,qty\n" + "".join(f"x{i},{i}\n" for i in range(30))
    with pytest.raises(BadInput, match="'qty' in line 3"):
        read_text(text, "t", "t")


def test_a_first_row_with_a_bad_cell_is_not_left_out() -> None:
    body = [f"{'ABC'[i % 3]},{i / 4}" for i in range(40)]
    with pytest.raises(BadInput, match="'broken' in line 2"):
        read_text("\n".join(["site,v", "A,broken", *body]) + "\n", "t", "t")
    assert (
        len(
            read_text(
                "\n".join(["site,v", "A,<0.5", "B,NA", *body]) + "\n",
                "t",
                "t",
                Reading({"v": declaration_of("v", "number")}),
            ).frame
        )
        == 42
    )


@pytest.mark.parametrize("fields", [3, 4, 8])
def test_a_loggers_file_opens(tmp_path: Path, fields: int) -> None:
    info = ",".join(
        ['"TOA5"', '"CR1000X"', '"CR1000X"', '"12345"', '"OS"', '"CPU:p.CR1"', '"1"', '"Table1"'][
            :fields
        ]
    )
    names = [
        '"TIMESTAMP","RECORD","BattV","AirTC"',
        '"TS","RN","Volts","Deg C"',
        '"","","Min","Avg"',
    ]
    body = [
        f'"2024-06-{1 + i % 28:02d} 00:10:00",{i},{12 + i % 9 / 100},{i % 13 / 4}'
        for i in range(40)
    ]
    sheet = read_text("\n".join([info, *names, *body]) + "\n", "t", "t")
    assert list(sheet.frame.columns) == ["TIMESTAMP", "RECORD", "BattV", "AirTC"]
    assert len(sheet.frame) == 40
    assert any("line 1 above the table is left out ('TOA5" in note for note in sheet.notes)
    # under the name that loggers give it
    (tmp_path / "log.dat").write_text("\n".join([info, *names, *body]) + "\n")
    assert len(open_data(tmp_path / "log.dat", kind="table").space.columns) == 3  # type: ignore[attr-defined]


def test_pairs_above_a_table_are_left_out_and_a_short_header_is_not() -> None:
    body = [f"{i},{i / 4},{'ABC'[i % 3]},x{i % 2}" for i in range(30)]
    text = "\n".join(["Station,Zurich", "Height,556,m", "n,v,site,kind", *body]) + "\n"
    sheet = read_text(text, "t", "t")
    assert list(sheet.frame.columns) == ["n", "v", "site", "kind"]
    assert any("lines 1 to 2 above the table" in note for note in sheet.notes)
    with pytest.raises(BadInput, match="one field more than the header"):
        read_text("\n".join(["n,v,site", *body]) + "\n", "t", "t")


def test_numbers_are_named_with_all_their_digits() -> None:
    frame = pd.DataFrame(
        {
            "at": 1_700_002_510_796 + np.arange(60) * 1001,
            "money": 12_345_678.125 + np.arange(60) / 8,
            "real": 1_700_002_510_796.0 + np.random.default_rng(0).normal(size=60) * np.pi * 1e3,
            "word": ["ab"[i % 2] for i in range(60)],
        }
    )
    data = open_data(frame)
    said = " ".join([*data.notes, *describe(data)["columns"]])
    assert "from 1700002510796 to" in said
    assert "12345678.125 to" in said
    assert "e+" not in said
