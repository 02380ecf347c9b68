"""What a second stranger met with tables: words that look like gaps, settings of odd columns, and messages that led astray."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pushforward.core.errors import BadInput
from pushforward.core.spec import parse_settings
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.tables.charsets import decode
from pushforward.data.tables.encoding import TableEncoding


def written(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def reopened(data: Dataset) -> TableEncoding:
    assert isinstance(data.encoding, TableEncoding)
    made = encoding_from_json(json.loads(json.dumps(data.encoding.to_json())))
    assert isinstance(made, TableEncoding)
    return made


WORDS = {
    "Namibia": ("NA", ["DE", "US", "FR"]),
    "a surname": ("null", ["Smith", "Okafor", "Li"]),
    "bread": ("nan", ["roti", "puri", "paratha"]),
}


@pytest.mark.parametrize("asked", ["categorical", "ordinal", "levels"])
@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_looks_like_a_gap_is_a_value_where_words_are_asked_for(
    tmp_path: Path, name: str, asked: str
) -> None:
    word, others = WORDS[name]
    cells = [(word, *others)[i % 4] if i % 9 else "" for i in range(90)]
    file = written(tmp_path / "t.csv", "what,x", [f"{cell},{i}.5" for i, cell in enumerate(cells)])
    kind: Any = [word, *others] if asked == "levels" else asked
    data = open_data(file, columns={"what": kind})
    encoding = reopened(data)
    assert set(encoding.table.columns[0].categories) == {word, *others}
    assert not any("never occur" in note for note in data.notes)
    # the run reads its own file, and what it writes, with the word in its place, and an empty cell as missing
    x = encoding.read(file).x
    assert encoding.decode(x)["what"].isna().tolist() == [not cell for cell in cells]
    again = tmp_path / "again.csv"
    again.write_bytes(encoding.csv_file(encoding.decode(x)))
    assert [line.split(",")[0] for line in again.read_text().splitlines()[1:]] == cells


def test_undeclared_it_counts_as_missing_and_the_note_says_what_keeps_it(tmp_path: Path) -> None:
    file = written(
        tmp_path / "t.csv", "land,x", [f"{('NA', 'DE', 'US')[i % 3]},{i}.5" for i in range(60)]
    )
    notes = " ".join(open_data(file).notes)
    assert "'NA' counts as missing" in notes
    assert "`-s data.columns.land=categorical` keeps 'NA' as a word" in notes
    # a list without it makes it missing in so many words, and says nothing of keeping it
    listed = open_data(file, columns={"land": ["DE", "US"]})
    assert listed.space.columns[0].missing  # type: ignore[attr-defined]
    assert "keeps" not in " ".join(listed.notes)


def test_among_numbers_it_stays_a_gap_whatever_is_declared(tmp_path: Path) -> None:
    file = written(
        tmp_path / "t.csv", "stars,x", [f"{('NA', '1', '2')[i % 3]},{i}.5" for i in range(60)]
    )
    assert open_data(file, columns={"stars": "categorical"}).space.columns[0].categories == (
        "1",
        "2",
    )  # type: ignore[attr-defined]


def test_levels_typed_on_the_command_line_are_those_of_the_column(tmp_path: Path) -> None:
    file = written(
        tmp_path / "t.csv", "land,n", [f"{('NA', 'DE', 'US')[i % 3]},{i % 4}" for i in range(60)]
    )
    columns = parse_settings(["data.columns.land=[US,NA,DE]", "data.columns.n=[3, 2, 1, 0]"])[
        "data"
    ]
    asked = {key.removeprefix("columns."): value for key, value in columns.items()}
    assert [c.categories for c in open_data(file, columns=asked).space.columns] == [
        ("US", "NA", "DE"),
        tuple("3210"),
    ]  # type: ignore[attr-defined]
    # numbers that keep their type take the same words
    pd.DataFrame({"n": [i % 4 for i in range(60)], "x": np.arange(60) / 4}).to_parquet(
        tmp_path / "t.parquet"
    )
    typed = open_data(tmp_path / "t.parquet", columns={"n": asked["n"]})
    assert typed.space.columns[0].categories == tuple("3210")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("data.columns.e=f=drop", "e=f", "drop"),
        ("data.columns.a==b=number", "a==b", "number"),
        ("data.columns.y=x.2=[lo,hi]", "y=x.2", ["lo", "hi"]),
        ('data.columns.g=["a=b","c, d"]', "g", ["a=b", "c, d"]),
        ("data.columns.p[0]=drop", "p[0]", "drop"),
        ("data.columns.k=[a=1,a=2]", "k", ["a=1", "a=2"]),
    ],
)
def test_a_column_of_any_name_can_be_declared(setting: str, name: str, value: Any) -> None:
    assert parse_settings([setting]) == {"data": {f"columns.{name}": value}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("name;amount;date\nÄ;1;2024-01-01\nÖ;2;2024-01-02\n", "Ä"),
        ("name,town\nAnna,'Zürich'\n", "Zürich"),
        ("a|b\r\nx|Málaga y Ávila\r\n", "Málaga y Ávila"),
        ("text\n" + "word " * 40 + "naïve " + "word " * 40 + "\n", "word word naïve word word"),
        ("naïve\n", "naïve"),
    ],
)
def test_the_word_that_should_look_right_is_one_that_could_look_wrong(
    text: str, shown: str
) -> None:
    (note,) = decode(text.encode("cp1252"), "t.csv").notes
    found = re.search("'(.*)' should look right", note)
    assert found is not None
    assert any(ord(c) > 127 for c in found[1])
    assert found[1] in shown or shown in found[1]


@pytest.mark.parametrize("kind", ["table", "points"])
def test_infinity_is_named_by_its_line_with_a_way_out(tmp_path: Path, kind: str) -> None:
    last = "{}.25" if kind == "points" else "w{}"
    rows = [f"{'inf' if i in (5, 9) else i + 0.5},{last.format(i % 7)}" for i in range(40)]
    file = written(tmp_path / "t.csv", "a,b", rows)
    place = "column 'a', line 7 and 1 more" if kind == "table" else r"2 rows .*lines 7, 11"
    with pytest.raises(BadInput, match=rf"infinity in {place}.*`-s data.columns.a=drop`"):
        open_data(file)
    assert open_data(file, columns={"a": "drop"}).space is not None


@pytest.mark.parametrize("cell", ["soon", "31/2024", "Q1"])
def test_a_column_that_holds_no_dates_is_named_with_its_first_value(
    tmp_path: Path, cell: str
) -> None:
    rows = [f"{'2024-01-02' if i % 2 else cell},{i}" for i in range(30)]
    file = written(tmp_path / "t.csv", "mon,x", ["2024-01-01,0", *rows])
    frame = pd.DataFrame(
        {"mon": ["2024-01-01", *[row.split(",")[0] for row in rows]], "x": range(31)}
    )
    for source, place in ((file, "line 3"), (frame, r"row 1 \(counted from 0\)")):
        with pytest.raises(BadInput) as caught:
            open_data(source, columns={"mon": "datetime"})
        said = str(caught.value)
        assert "You might want" not in said
        assert f"'{cell}'" in said
        assert Counter(said)["("] == Counter(said)[")"]
        if "declared datetime" in said:
            assert re.search(place, said)


def test_conditions_name_columns_that_can_be_given(tmp_path: Path) -> None:
    rows = [f"p{i},{20 + i % 50},{'mf'[i % 2]},one" for i in range(100)]
    encoding = open_data(written(tmp_path / "t.csv", "id,Age,sex,same", rows)).encoding
    assert isinstance(encoding, TableEncoding)
    for text in ("Age>30", "Age >= 30", "Age<30"):
        with pytest.raises(BadInput, match=r"Age=LOW\.\.") as caught:
            encoding.parse_given(text, 1)
        assert "id" not in str(caught.value).replace("condition", "").split()
    for text in ("sexm", "town=Rome", "sex=m,town=Rome", "town>3"):
        with pytest.raises(BadInput) as caught:
            encoding.parse_given(text, 1)
        assert "Age" in str(caught.value)
        assert not re.search(r"\bid\b|\bsame\b", str(caught.value))


@pytest.mark.parametrize("name", ["t.arff", "t.dat", "t.rds", "t"])
def test_an_ending_that_is_not_known_is_told_all_that_are(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(bytes(range(256)))
    with pytest.raises(BadInput) as caught:
        open_data(file)
    said = str(caught.value)
    for ending in (
        ".csv",
        ".tsv",
        ".tab",
        ".data",
        ".json",
        ".jsonl",
        ".ndjson",
        ".feather",
        ".arrow",
        ".xlsx",
        ".npz",
        ".gz",
    ):
        assert f"{ending} " in f"{said.replace(')', ' ').replace(',', ' ')} ", ending
