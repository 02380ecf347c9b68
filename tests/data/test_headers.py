"""Headers: the first line names the columns or it does not, decided by kinds; what stands above and between the rows of a table."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pushforward.app.runs.opening import open_source
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.tables.delimited import read_text
from pushforward.data.tables.schema import infer
from pushforward.data.tables.sheet import Sheet

DICE = random.Random(1)
PLACES = "Chad France Iran Peru Togo Fiji Oman Cuba Laos Mali Iraq Kenya Nepal Niger Qatar Samoa Spain Sudan Syria Yemen".split()  # noqa: SIM905


def sheet(text: str) -> Sheet:
    return read_text(text, "t", "t.csv")


def table(first: str, row: str, n: int = 20) -> str:
    """A first line over rows of `{place}`, `{real}`, `{whole}`, `{small}` and `{day}`."""
    lines = [
        row.format(
            place=PLACES[i % 20],
            real=f"{DICE.uniform(0, 90):.2f}",
            whole=DICE.randrange(40, 900),
            small=DICE.randrange(5),
            day=f"2024-03-{i + 1:02d}",
        )
        for i in range(n)
    ]
    return "\n".join([first, *lines]) + "\n"


@pytest.mark.parametrize(
    ("first", "row"),
    [
        ("country,2019,2020,2021", "{place},{real},{real},{real}"),
        ("country,2019,2020,2021", "{place},{whole},{whole},{whole}"),
        ("country,2000,2010,2020", "{place},{small},{small},{small}"),
        ("country,2020", "{place},{whole}"),
        ("name,2019,score", "{place},{real},{real}"),
        ("u,v,3", "{real},{real},{real}"),
        ("place,NA,score", "{place},{real},{real}"),
        ("Na,K,NA", "{real},{real},{real}"),
        ("place,,score", "{place},{real},{real}"),
        (",0,1,2", "{place},{real},{real},{real}"),
        ("2019,2020,2021", "{real},{real},{real}"),
        ("0,1,2,3", "{real},{real},{real},{real}"),
        ("city,2024-01-01,2024-02-01", "{place},{real},{real}"),
        ('"a, b","c"', "{real},{real}"),
        ("day,high", "{day},{real}"),
        ("from,to", "{place},{place}"),
        ("7 days,30 days,place", "{real},{real},{place}"),
        ("1st,2nd,3rd", "{small},{small},{small}"),
        ("x1,x2,class", "{real},{real},{small}"),
        ("size %,price $", "{real},{real}"),
    ],
)
def test_a_first_line_of_another_kind_than_the_rows_names_the_columns(first: str, row: str) -> None:
    found = sheet(table(first, row))
    assert len(found.frame) == 20
    assert found.header
    names = [cell.strip('"') for cell in (["a, b", "c"] if '"' in first else first.split(","))]
    assert [str(name) for name in found.frame.columns] == [
        name or f"column {i + 1}" for i, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("first", "row"),
    [
        ("39.5,12.1", "{real},{real}"),
        ("Gabon,7.25,3.5", "{place},{real},{real}"),
        ("39, Gabon, 77", "{whole}, {place}, {whole}"),
        ("2024-02-28,3.5", "{day},{real}"),
        ("?,3.5", "{real},{real}"),
        (",3.5", "{place},{real}"),
        ("3,1,4", "{small},{small},{small}"),
        ("2,2,2", "{small},{small},{small}"),
        ("$5.00,Chad", "${real},{place}"),
        ("2024-02-28,Chad,-", "{day},{place},{real}"),
        ("True,3.5", "True,{real}"),
    ],
)
def test_a_first_line_like_the_rows_is_data(first: str, row: str) -> None:
    found = sheet(table(first, row))
    assert len(found.frame) == 21
    assert [str(name) for name in found.frame.columns] == [
        f"x{i}" for i in range(len(found.frame.columns))
    ]


def opened(tmp_path: Path, text: str, **settings: object) -> Dataset:
    path = tmp_path / "t.csv"
    path.write_text(text)
    return open_source(str(path), settings)


def test_numbers_that_could_be_names_are_asked_about_and_the_answer_is_taken(
    tmp_path: Path,
) -> None:
    numbers = table("2019,2020,2021", "{whole},{whole},{whole}")
    asked = opened(tmp_path, numbers)
    assert any("`-s data.header=yes` or `=no` decides" in note for note in asked.notes)
    answers = {
        answer: opened(tmp_path, numbers, header=answer, kind="table") for answer in (True, False)
    }
    assert [c.name for c in answers[True].space.columns] == ["2019", "2020", "2021"]  # type: ignore[union-attr]
    assert [c.name for c in answers[False].space.columns] == ["x0", "x1", "x2"]  # type: ignore[union-attr]
    sizes = [sum(map(len, (data.train, data.validation, data.test))) for data in answers.values()]
    assert sizes == [20, 21]
    far = sheet(table("5000,7000,9500", "{real},{whole},{small}"))
    assert any("decides" in note for note in far.notes)
    with pytest.raises(BadInput, match=r"header='maybe': expected yes or no"):
        opened(tmp_path, numbers, header="maybe")


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("Sales of 2024\n", "'Sales of 2024'"),
        ("Sales of 2024,,\n\n", "'Sales of 2024'"),
        ("Report\nmade in March\n", "lines 1, 2 above the table"),
        ("# made by a tool\n# in 2024\n", "2 lines behind '#'"),
        ("\n\n", ""),
        ("sep=,\n", ""),
        ("\ufeff", ""),
    ],
)
def test_what_stands_above_a_table_is_left_out_with_a_note(above: str, said: str) -> None:
    found = sheet(above.removeprefix("\ufeff") + table("place,high,low", "{place},{real},{real}"))
    assert list(found.frame.columns) == ["place", "high", "low"]
    assert len(found.frame) == 20
    assert any(said in note for note in found.notes)
    assert found.lines is not None
    assert found.lines[0] == above.count("\n") + 2


def test_comments_name_columns_or_are_left_out() -> None:
    rows = table("", "{real},{real}").lstrip("\n")
    assert list(sheet("# u,v\n" + rows).frame.columns) == ["u", "v"]
    assert list(sheet("#u,v\n" + rows).frame.columns) == ["u", "v"]
    between = sheet("u,v\n1.5,2\n# a pause\n3,4\n5,6.5\n")
    assert between.frame["u"].tolist() == [1.5, 3.0, 5.0]
    assert any("'# a pause'" in note for note in between.notes)
    # a cell that begins so is one
    tags = sheet("tag,v\n#red,1\n#blue,2\n#red,3\n")
    assert tags.frame["tag"].tolist() == ["#red", "#blue", "#red"]


def test_lines_of_another_width_are_named() -> None:
    for bad, said in (
        ("1,2,3", "line 5 of t.csv has 3 fields: expected 2"),
        ("1", "line 5 of t.csv has 1 field:"),
    ):
        with pytest.raises(BadInput, match=said):
            sheet(f"u,v\n1,2\n3,4\n5,6\n{bad}\n7,8\n")
    with pytest.raises(BadInput, match="two columns named 'u'"):
        sheet(table("u,u", "{real},{real}"))


def test_numbers_that_count_are_left_out_only_where_they_are_called_so() -> None:
    for name, kept in (
        ("year", True),
        ("t", True),
        ("2020", True),
        ("row_id", False),
        ("", False),
        ("Index", False),
    ):
        text = f"{name},place\n" + "".join(f"{i},{PLACES[i % 20]}\n" for i in range(40))
        found = sheet(text)
        schema = infer(found.frame, written=found.written)
        assert (len(schema.table.columns) == 2) == kept, name
        assert not schema.lost
        assert ("so a key" in schema.notes[0]) != kept
