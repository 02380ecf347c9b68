"""Kinds of columns: what tells them, how sure that is, what is asked, and that all comes back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import torch

from data.odd_tables import TABLES, written
from pushforward.app.runs.loading import load
from pushforward.core.errors import BadInput
from pushforward.data.encoding import encoding_from_json
from pushforward.data.tables.column_kinds import KINDS_OF_COLUMNS, table_of_kinds
from pushforward.data.tables.declared import _MAKERS
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.notations.clock import find_times
from pushforward.data.tables.notations.coordinates import find_coordinates
from pushforward.data.tables.notations.spans import find_spans
from pushforward.data.tables.scales import in_order
from pushforward.data.tables.schema import infer

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()
KINDS = {
    "bank": "date categorical currency constant",
    "bank_us": "date categorical continuous percent",
    "sensors": "datetime continuous angle hour",
    "zones": "datetime continuous",
    "survey": "date date ordinal ordinal ordinal",
    "durations": "duration duration duration integer duration",
    "places": "latitude longitude latitude longitude categorical",
    "prices": "key currency percent continuous",
    "clock": "hour angle integer categorical angle",
    "gaps": "integer categorical boolean empty categorical categorical",
}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_told_and_comes_back(name: str, tmp_path: Path) -> None:
    file = written(name, tmp_path)
    data = load(file, kind="table", protect=0)
    assert " ".join(one.kind for one in data.findings) == KINDS[name]
    encoding = data.encoding
    assert isinstance(encoding, TableEncoding)
    again = encoding_from_json(json.loads(json.dumps(encoding.to_json())))
    assert isinstance(again, TableEncoding)
    examples = again.read(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    back = again.csv(again.decode(examples.x)).splitlines()
    made = {one.label for one in encoding.stored if one.surrogate is not None}
    if not made and not data.lost:
        assert back == lines
    assert back[0] == lines[0]
    torch.testing.assert_close(again.encode(again.decode(examples.x)), examples.x, equal_nan=True)


def test_words_beside_a_moment_are_drawn_with_it(tmp_path: Path) -> None:
    """Every combination that a model can draw is a cell, and reading it gives the word back."""
    for name, label in (("survey", "born"), ("zones", "at")):
        data = load(written(name, tmp_path), protect=0)
        columns = data.space.columns
        word = next(i for i, one in enumerate(columns) if one.name.startswith(f"{label} "))
        moment = next(i for i, one in enumerate(columns) if one.name == label)
        assert word < moment
        x = data.train.x[:40].clone()
        for level in range(len(columns[word].categories)):
            x[:, word] = level
            frame = data.encoding.decode(x)
            assert label in frame.columns
            assert f"{columns[word].name}" not in frame.columns
            again = data.encoding.encode(frame)
            assert again[:, word].tolist() == x[:, word].tolist()
            if name == "zones":
                assert again[:, moment].tolist() == x[:, moment].tolist()
            spelled = columns[word].categories[level]
            want = {"day": 10, "month": 7, "year": 4}.get(spelled)
            for cell in frame[label]:
                assert cell.endswith(spelled) if want is None else len(cell) == want


def test_a_date_that_is_no_date_is_named_with_its_row(tmp_path: Path) -> None:
    data = load(written("survey", tmp_path), protect=0)
    other = data.encoding.decode(data.train.x[:3])
    other.loc[1, "born"] = "May 1998"
    with pytest.raises(
        BadInput, match=r"'May 1998' in column 'born', row 1 .*: expected dates that are exact"
    ):
        data.encoding.encode(other)


# cells, and the seconds that each is worth, computed here
SPANS: dict[str, Callable[[int, int, int], str]] = {
    "h m": lambda h, m, s: f"{h}h {m}m" if h else f"{m}m",
    "padded": lambda h, m, s: f"{h}h{m:02d}m{s:02d}s",
    "words": lambda h, m, s: f"{h} hours {m} minutes" if h > 1 and m > 1 else "2 hours 3 minutes",
    "iso": lambda h, m, s: f"PT{h}H{m}M{s}S",
    "german": lambda h, m, s: f"{h} Std. {m} Min.",
}


@pytest.mark.parametrize("name", SPANS)
def test_lengths_in_words_are_read_and_written(name: str) -> None:
    dice = random.Random(3)
    parts = [(dice.randint(0, 30), dice.randint(0, 59), dice.randint(0, 59)) for _ in range(200)]
    cells = [SPANS[name](*part) for part in parts]
    found = find_spans(dict.fromkeys(cells))
    assert found is not None
    notation, read = found
    assert len(read) == len(set(cells))
    seconds = "s" in SPANS[name](1, 2, 3).casefold().replace("std", "").replace(
        "hours", ""
    ).replace("minutes", "")
    for cell, (h, m, s) in zip(cells, parts, strict=True):
        if name != "words":
            worth = 3600 * h + 60 * m + (s if seconds else 0)
            assert read[cell] == timedelta(seconds=worth)
        assert notation.write(read[cell]) == cell
        assert notation.value(cell) == read[cell]


def test_numbers_with_one_unit_are_numbers_and_races_are_lengths() -> None:
    assert find_spans(["45m", "3m", "12m"]) is None
    assert find_spans(["3m 2h", "5 apples 3 pears", "2h 70"]) is None
    notation, read = find_times(["13:34.61", "1:02:03.45", "0:59.00"]) or (None, {})
    assert notation is not None
    assert read["13:34.61"] == timedelta(minutes=13, seconds=34, milliseconds=610)
    assert [notation.write(read[cell]) for cell in read] == ["1:02:03.45", "13:34.61", "0:59.00"]


def test_coordinates_are_whole_numbers_of_their_smallest_part() -> None:
    dice = random.Random(4)
    for letters, most in (("NS", 90), ("EW", 180)):
        cells, worth = [], []
        for _ in range(300):
            d, m, s = dice.randrange(most), dice.randrange(60), dice.randrange(60)
            below = dice.random() < 0.5 and (d, m, s) != (0, 0, 0)
            cells.append(f"{d}°{m:02d}'{s:02d}\"{letters[below]}")
            worth.append((-1 if below else 1) * (3600 * d + 60 * m + s))
        notation, read = find_coordinates(dict.fromkeys(cells)) or (None, {})
        assert notation is not None
        assert notation.axis == ("latitude" if most == 90 else "longitude")
        for cell, seconds in zip(cells, worth, strict=True):
            assert round(read[cell] * 3600) == seconds
            assert read[cell] * 3600 == pytest.approx(seconds, abs=1e-7)
            assert notation.write(read[cell]) == cell
    # nothing lies north of the pole, no hour has 61 minutes
    assert find_coordinates(["91°00'00\"N", "12°61'00\"E"]) is None


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["L", "S", "M", "XL"], ("S", "M", "L", "XL")),
        (["often", "never", "always", "rarely"], ("never", "rarely", "often", "always")),
        (["65+", "18-24", "25-64", "under 18"], ("under 18", "18-24", "25-64", "65+")),
        (["10-20k", "<10k", "20-50k"], ("<10k", "10-20k", "20-50k")),
        (["$1,000-$2,000", "$0-$1,000", "$2,000+"], ("$0-$1,000", "$1,000-$2,000", "$2,000+")),
        (["a", "b", "c"], ()),
        (["low", "high"], ()),
        (["S", "M", "Q"], ()),
        (["3-1", "0-2", "1-1"], ()),
        (["low", "medium", "banana"], ()),
    ],
)
def test_scales_are_ordered_and_other_words_are_not(
    words: list[str], order: tuple[str, ...]
) -> None:
    assert in_order(words) == order


def test_how_sure_a_kind_is_says_what_to_check(tmp_path: Path) -> None:
    dice = random.Random(6)
    rows = [
        (
            dice.randint(1, 9),
            dice.choice([10, 11, 12, 99999]),
            dice.randint(100, 140),
            f"0{dice.randint(0, 9)}:15",
        )
        for _ in range(300)
    ]
    frame = pd.DataFrame(rows, columns=["stars", "price", "zip_code", "at"])
    frame["customer_id"] = [n % 30 for n in range(300)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = {one.label: one for one in load(tmp_path / "t.csv").findings}
    assert {label: one.confidence for label, one in found.items()} == {
        "stars": "certain",
        "price": "doubtful",
        "zip_code": "doubtful",
        "at": "likely",
        "customer_id": "doubtful",
    }
    assert "`-s data.columns.zip_code=categorical`" in found["zip_code"].checks[0]
    assert "one table at a time is modelled, so join" in found["customer_id"].checks[0]
    assert "`-s data.columns.customer_id=group`" in found["customer_id"].checks[0]
    # what is asked about can be done as it is said
    asked = {label: one.doubts[0] for label, one in found.items() if one.checks}
    told = load(tmp_path / "t.csv", columns={label: doubt.kind for label, doubt in asked.items()})
    assert not [check for one in told.findings for check in one.checks]


def test_a_share_of_cells_that_do_not_fit_is_said(tmp_path: Path) -> None:
    cells = [str(n) for n in range(60)] + ["oops", "oops"]
    (tmp_path / "t.csv").write_text(
        "n,w\n" + "".join(f"{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    )
    n = load(tmp_path / "t.csv").findings[0]
    assert n.confidence == "doubtful"
    assert n.share == pytest.approx(60 / 62)
    assert "96.8 % of its cells fit" in n.line
    assert "'oops' (2 values) count as missing" in n.checks[0]
    assert n.declaration.missing == ("oops",)


PAIRS = random.Random(8)
TWO_WAYS = [f"{PAIRS.randint(1, 12):02d}/{PAIRS.randint(1, 12):02d}/2024" for _ in range(60)]


def opens(
    tmp_path: Path, cells: list[str], other: list[str], mark: str = ",", **how: object
) -> str:
    """Return how the dates of a file are read, with another column beside them."""
    file = tmp_path / "t.csv"
    rows = "".join(f"{cell}{mark}{one}\n" for cell, one in zip(cells, other, strict=True))
    file.write_text(f"day{mark}x\n" + rows)
    return load(file, **how).findings[0].reason


def test_dates_that_nothing_decides_are_refused_with_two_rows(tmp_path: Path) -> None:
    dull = ["a", "b"] * 30
    with pytest.raises(
        BadInput,
        match=r"dates of column 'day' that can be read in two ways.*'\d\d/\d\d/2024' in line 2 is \d+ \w+ 2024 or \d+ \w+ 2024, "
        r"'.*' in line 3 is .*`-s data.columns.day=day-first` or `-s data.columns.day=month-first`",
    ):
        opens(tmp_path, TWO_WAYS, dull)
    assert "written DD/MM/YYYY" in opens(tmp_path, TWO_WAYS, dull, columns={"day": "day-first"})
    assert "written MM/DD/YYYY" in opens(tmp_path, TWO_WAYS, dull, columns={"day": "month-first"})
    # left out, or kept as words, nothing is asked
    assert load(tmp_path / "t.csv", columns={"day": "drop"}).findings[0].kind == "drop"
    frame = pd.read_csv(tmp_path / "t.csv")
    with pytest.raises(BadInput, match=r"in row 0 \(counted from 0\) is \d+ \w+ 2024 or"):
        load(frame)
    frame["other"] = [f"{13 + n % 9}/0{1 + n % 9}/2024" for n in range(60)]
    assert "another column of the file is so day comes first" in load(frame).findings[0].reason


def test_what_decides_between_days_and_months(tmp_path: Path) -> None:
    dull, amounts = ["a", "b"] * 30, [f"{n},{n % 90:02d}" for n in range(10, 70)]
    assert "points stand between" in opens(tmp_path, [c.replace("/", ".") for c in TWO_WAYS], dull)
    assert "semicolons separate" in opens(tmp_path, TWO_WAYS, dull, ";")
    assert "a comma stands before decimals" in opens(tmp_path, TWO_WAYS, amounts, ";")
    assert "a comma stands before decimals" in opens(tmp_path, TWO_WAYS, amounts, "\t")
    euros = [f"{n}.50 €" for n in range(10, 70)]
    assert "'x' is in a currency of countries where day comes first" in opens(
        tmp_path, TWO_WAYS, euros
    )
    months = sorted(TWO_WAYS, key=lambda cell: (cell[6:], cell[:5]))
    assert "in order of time so month" in opens(tmp_path, months, dull)
    equal = [f"{n:02d}/{n:02d}/2024" for n in (1 + n % 12 for n in range(60))]
    assert "day and month are equal in every row" in opens(tmp_path, equal, dull)
    once = ["03/04/2024"] * 60
    assert "one value only" in opens(tmp_path, once, dull)


def test_every_kind_is_declared_once_and_told_in_the_guide() -> None:
    made = {kind.name for kind in KINDS_OF_COLUMNS} - {"drop"}
    assert made == set(_MAKERS)
    head, *rows = table_of_kinds()
    for row in (head, *rows):
        assert f"| {' | '.join(row)} |" in GUIDE
    names = [name for kind in KINDS_OF_COLUMNS for name in (kind.name, *kind.other_names)]
    assert len(set(names)) == len(names)


def test_a_declared_key_that_is_not_unique_names_both_rows() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3, 2, 3], "x": [0.5, 1.5, 2.5, 3.5, 4.5]})
    with pytest.raises(BadInput, match=r"2 in column 'id' declared a key, at row 1 .* and row 3"):
        infer(frame, {"id": "key"})
    told = infer(frame, {"id": "identifier"})
    assert told.findings[0].kind == "identifier"
