"""Tables with gaps: read cell by cell, refused row by row, and given back byte for byte."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pushforward.core.errors import BadInput
from pushforward.data.tables.balance import counts_of
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.gapped import GapRules, ImpossibleRows
from pushforward.data.tables.raw_cells import raw_cells
from pushforward.data.tables.refilled import Filling, Refilled
from pushforward.data.tables.written import Dialect

FRAME = pd.DataFrame(
    {
        "city": ["Bern", "Oslo", "Rome"] * 20,
        "age": [18, 40, 77] * 20,
        "pay": ["<=50K", ">50K"] * 30,
        "when": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"] * 20),
        "same": ["k"] * 60,
    }
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_are_cut_as_csv_cuts_them(delimiter: str) -> None:
    rng = random.Random(0)
    for _ in range(400):
        rows = [
            ["".join(rng.choices("ab ,;\"\n'|", k=rng.randint(0, 4))).strip(" ") for _ in range(3)]
            for _ in range(4)
        ]
        held = io.StringIO()
        end, quoting = rng.choice(["\n", "\r\n"]), rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(held, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
        text = held.getvalue()
        raw = raw_cells(text, Dialect(delimiter=delimiter))
        # nothing filled: not a byte is changed
        assert raw.filled({}, Dialect(delimiter=delimiter)) == text
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = []
        for row in reader:
            lines.append(reader.line_num)
            assert len(raw.records[reader.line_num]) == len(row)
        assert lines == [line for line in raw.records if len(raw.records[line]) == 3]
        # each cell filled: it reads back as what was put there, the others as they were
        at, place = rng.choice(lines), rng.randrange(3)
        word = f'new{delimiter} "cell"\n'
        again = raw.filled({(at, place): word}, Dialect(delimiter=delimiter))
        found = list(csv.reader(io.StringIO(again, newline=""), delimiter=delimiter, strict=True))
        expected = [list(row) for row in rows]
        expected[lines.index(at)][place] = word
        assert found == expected


def test_blanks_between_cells_stay_as_they_were() -> None:
    text = "# made by hand\n  a    b\n 1.5  p\n12.5  NA\n"
    raw = raw_cells(text, Dialect(delimiter=" "))
    assert raw.fits([3, 4], 2)
    filled = raw.filled({(4, 1): "q"}, Dialect(delimiter=" "))
    assert filled == "# made by hand\n  a    b\n 1.5  p\n12.5  q\n"


def encoding() -> TableEncoding:
    return TableEncoding.of(FRAME)


def test_what_is_in_a_cell_is_known_and_nothing_is_a_gap() -> None:
    frame = FRAME.astype(object).iloc[:4].copy()
    frame.loc[0, "age"] = None
    frame.loc[2, ["city", "when"]] = None
    frame.loc[3, "same"] = None
    rows = encoding().gapped(frame)
    assert rows.gaps.tolist() == [
        [False, True, False, False],
        [False] * 4,
        [True, False, False, True],
        [False] * 4,
    ]
    whole = encoding().encode(FRAME)[:4]
    assert torch.equal(rows.known.values[~rows.gaps], whole[~rows.gaps])


def test_a_gap_that_training_had_is_a_value_and_another_is_not_known() -> None:
    frame = FRAME.copy()
    frame.loc[5, "city"] = None
    dictionary = TableEncoding.of(frame)
    asked = FRAME.astype(object).iloc[:2].copy()
    asked.loc[0, ["city", "age"]] = None
    rows = dictionary.gapped(asked)
    known = rows.usual(dictionary.table.columns)
    assert known.mask[0].tolist() == [True, False, True, True]
    assert bool(known.values[0, 0].isnan())


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (
            "city",
            "Paris",
            r"unknown category 'Paris' in column 'city', row 2 .*\(expected one of Bern",
        ),
        ("age", -3, r"-3 in column 'age', row 2 .*\(expected 18 to 77\)"),
        ("age", 3.5, r"3.5 in column 'age', row 2 .*\(expected multiples of 1"),
        ("when", "soon", r"'soon' in column 'when' at row 2"),
        ("same", "other", r"'other' in column 'same', row 2"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_cell(column: str, value: object, says: str) -> None:
    frame = FRAME.astype(object).iloc[:4].copy()
    frame.loc[2, column] = value
    with pytest.raises(ImpossibleRows, match=says) as refused:
        encoding().gapped(frame)
    assert list(refused.value.reasons) == [2]
    assert str(refused.value).startswith("1 of 4 rows cannot be")


def test_a_thousand_impossible_conditions_are_a_thousand_reasons_at_once() -> None:
    rng = np.random.default_rng(0)
    bad = pd.DataFrame(
        {
            "city": [f"nowhere-{i}" for i in range(500)] + ["Bern"] * 500,
            "age": [18] * 500 + (-rng.integers(1, 99, 500)).tolist(),
        }
    )
    with pytest.raises(ImpossibleRows, match=r"1,000 of 1,000 rows cannot be") as refused:
        encoding().gapped(bad, GapRules(optional=None, shown=True))
    assert len(refused.value.reasons) == 1000
    assert all(reason for reason in refused.value.reasons.values())
    assert len(str(refused.value)) < 1000


def test_columns_too_few_and_too_many_are_named() -> None:
    with pytest.raises(BadInput, match=r"without the column 'city'.*--given FILE"):
        encoding().gapped(FRAME[["age", "pay", "when"]])
    with pytest.raises(BadInput, match=r"a column 'agee'.*did you mean 'age'"):
        encoding().gapped(FRAME.assign(agee=1))
    assert len(encoding().gapped(FRAME[["age"]], GapRules(optional=None))) == 60
    with pytest.raises(BadInput, match="without the column 'city'"):
        encoding().gapped(FRAME[["age", "when"]], GapRules(optional=("pay",)))


TEXT = (
    "sep=;\r\n# a comment\r\ncity;age;pay;when;same\r\n"
    "'Bern';;<=50K;2024-01-01;k\r\n Oslo;40;>50K;;\r\n;77;\"<=50K\";2024-03-01;k\r\n"
)


def test_known_cells_of_a_file_come_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    text = TEXT.replace("'", "")
    path.write_bytes(text.encode())
    dictionary = encoding()
    rows = dictionary.gapped(path)
    where = {"age": [1, 0, 0], "when": [0, 1, 0], "city": [0, 0, 1]}
    values = dictionary.decode(dictionary.encode(FRAME)[:3])
    fillings = {
        name: Filling(np.array(mask, dtype=bool), values[name]) for name, mask in where.items()
    }
    more = pd.DataFrame({"p": [0.5, 0.25, 1.0]})
    plain = Refilled(rows, dictionary, path, fillings)
    assert plain.as_it_was
    filled = text.replace("Bern;;", "Bern;18;").replace(">50K;;", ">50K;2024-02-01;")
    filled = filled.replace("\r\n;77", "\r\nRome;77")
    assert plain.file(tmp_path / "out.csv") == filled.encode()
    added = Refilled(rows, dictionary, path, fillings, more).text().split("\r\n")
    assert added[2] == "city;age;pay;when;same;p"
    assert [line.rpartition(";")[2] for line in added[3:6]] == ["0.5", "0.25", "1.0"]
    assert [line.rpartition(";")[0] for line in added[3:6]] == filled.split("\r\n")[3:6]
    # in another format the values are the same
    back = pd.read_json(io.BytesIO(plain.file(tmp_path / "out.json")))
    assert back["city"].tolist() == ["Bern", "Oslo", "Rome"]
    assert back["age"].tolist() == [18, 40, 77]


def test_a_file_without_names_gets_them_where_columns_are_added(tmp_path: Path) -> None:
    frame = FRAME[["city", "age"]]
    path = tmp_path / "bare.csv"
    frame.to_csv(path, header=False, index=False)
    from pushforward.data.open import open_data

    data = open_data(str(path), kind="table")
    dictionary = data.encoding
    assert isinstance(dictionary, TableEncoding)
    rows = dictionary.gapped(path)
    again = Refilled(rows, dictionary, path, {}, pd.DataFrame({"p": [1] * 60})).text().splitlines()
    assert again[0] == "x0,x1,p"
    assert again[1] == "Bern,18,1"


def test_a_frame_keeps_its_types_and_its_index() -> None:
    frame = FRAME.iloc[:3].copy()
    frame["age"] = frame["age"].astype("Int64")
    frame.loc[1, "age"] = pd.NA
    frame.index = pd.Index(["u", "v", "w"])
    dictionary = encoding()
    rows = dictionary.gapped(frame)
    values = dictionary.decode(dictionary.encode(FRAME)[:3])
    found = Refilled(
        rows, dictionary, None, {"age": Filling(np.array([False, True, False]), values["age"])}
    ).frame
    assert found["age"].tolist() == [18, 40, 77]
    assert str(found["when"].dtype) == str(frame["when"].dtype)
    assert list(found.index) == ["u", "v", "w"]


def test_shares_are_kept_exactly() -> None:
    assert counts_of([0.3, 0.7], 10) == [3, 7]
    assert counts_of([1 / 3] * 3, 10) == [4, 3, 3]
    assert counts_of([0.1] * 10, 10) == [1] * 10
    for n in range(1, 60):
        assert sum(counts_of([0.17, 0.33, 0.5], n)) == n
        exact = [n * s for s in (0.17, 0.33, 0.5)]
        assert all(abs(c - e) < 1.0 for c, e in zip(counts_of([0.17, 0.33, 0.5], n), exact))


def test_a_balanced_column_has_its_shares_in_shuffled_rows() -> None:
    given = encoding().balanced("pay=<=50K=0.25,>50K=0.75", 40, seed=1, given="city=Oslo")
    assert given.known is not None
    pay = given.known.values[:, 2]
    assert pay.sum() == 30.0
    assert bool((given.known.values[:, 0] == 1.0).all())
    assert given.known.mask.sum(0).tolist() == [40, 0, 40, 0]
    other = encoding().balanced("pay=<=50K=0.25,>50K=0.75", 40, seed=2).known
    same = encoding().balanced("pay=<=50K=0.25,>50K=0.75", 40, seed=1).known
    assert other is not None
    assert same is not None
    assert torch.equal(same.values[:, 2], pay)
    assert not torch.equal(other.values[:, 2], pay)
    equal = encoding().balanced("city", 7, seed=0).known
    assert equal is not None
    assert torch.bincount(equal.values[:, 0].long()).tolist() == [3, 2, 2]


def test_numbers_are_balanced_by_ranges() -> None:
    known = encoding().balanced("age=..30=0.5,31..=0.5", 10, seed=0).known
    assert known is not None
    assert known.low is not None
    assert known.high is not None
    assert int((known.high[:, 1] == 30.0).sum()) == 5
    assert int((known.low[:, 1] == 31.0).sum()) == 5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("age", "a column of numbers.*ranges with shares"),
        ("pya", "did you mean 'pay'"),
        ("pay=<=50K=0.5", "add up to 0.5"),
        ("pay=<=50K=0.5,>50k=0.5", "a category and its share.*did you mean '>50K'"),
        ("pay=<=50K=-1,>50K=2", "a number from 0 to 1"),
        ("pay=<=50K=half,>50K=0.5", "a number from 0 to 1"),
        ("pay=<=50K=0.5,<=50K=0.5", "twice"),
        ("same", "one of city, age"),
        ("age=30=1", "low..high=share"),
    ],
)
def test_shares_that_are_none_are_refused(words: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        encoding().balanced(words, 10, seed=0)
    with pytest.raises(BadInput, match="a column cannot be both"):
        encoding().balanced("pay", 10, seed=0, given="pay=<=50K")


def test_a_category_that_samples_do_not_show_has_no_share() -> None:
    frame = FRAME.copy()
    frame.loc[0, "city"] = "Ur"
    dictionary = TableEncoding.of(frame)
    dictionary, _ = dictionary.protected(dictionary.encode(frame), 5)
    known = dictionary.balanced("city", 9, seed=0).known
    assert known is not None
    names = dictionary.table.columns[0].categories
    assert names.index("Ur") not in known.values[:, 0].tolist()
    with pytest.raises(BadInput, match="samples do not show"):
        dictionary.balanced("city=Ur=1", 9, seed=0)
    asked = pd.DataFrame({"city": ["Ur", "Oslo"]})
    with pytest.raises(ImpossibleRows, match="1 of 2 rows"):
        dictionary.gapped(asked, GapRules(optional=None, shown=True))
    # a row of one's own may hold it
    whole = frame.astype(object).iloc[:1]
    assert bool(dictionary.gapped(whole).known.mask.all())
