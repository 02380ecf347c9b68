"""Tables end to end on the command line: samples are written as the file was, wide ones are summarised, what is lost is said."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pushforward.core.errors import BadInput
from pushforward.data.tables import sheet

Call = Callable[..., tuple[int, str, str]]
N = 120
DICE = random.Random(0)
PATTERNS = {
    "price": r"-?\$\d[\d,]*\.\d\d",
    "share": r"-?\d+%",
    "weight": r"-?\d+,\d\d|-",
    "day": r"\d\d\.\d\d\.2\d{3}|\d\d\.\d\d\.1\d{3}",
    "at": r"\d\d:\d\d",
    "sort": r"plum|fig",
}


def row(i: int) -> str:
    price = f"${DICE.uniform(1, 4000):,.2f}"
    weight = "-" if i % 9 == 0 else f"{DICE.uniform(3, 90):.2f}".replace(".", ",")
    day = f"{DICE.randint(1, 28):02d}.{DICE.randint(1, 12):02d}.20{DICE.randint(10, 24)}"
    at = f"{DICE.randint(0, 23):02d}:{DICE.randint(0, 59):02d}"
    return ";".join([price, f"{DICE.randint(0, 99)}%", weight, day, at, "plum" if i % 2 else "fig"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.csv.gz"
    text = "\n".join([";".join(PATTERNS), *(row(i) for i in range(N))]) + "\n"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_samples_of_a_table_are_written_as_its_file_was(
    run: Call, shop: Path, tmp_path: Path
) -> None:
    assert (
        run(
            "train",
            "autoregressive",
            shop,
            "--preset",
            "smoke",
            "--steps",
            2,
            "-o",
            tmp_path / "run",
        )[0]
        == 0
    )
    assert run("sample", tmp_path / "run", "-n", 40, "-o", tmp_path / "s.csv")[0] == 0
    text = (tmp_path / "s.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert list(rows[0]) == list(PATTERNS)
    for name, pattern in PATTERNS.items():
        wrong = [one[name] for one in rows if not re.fullmatch(pattern, one[name])]
        assert not wrong, (name, wrong[:5])
    assert run("sample", tmp_path / "run", "-n", 40)[1].strip() == text.strip()
    # what was written is read again, and conditions are spelled as cells are
    status, out, _ = run("score", tmp_path / "run", tmp_path / "s.csv", "--json")
    assert (status, json.loads(out)["n"]) == (0, 40)
    given = run(
        "sample",
        tmp_path / "run",
        "-n",
        3,
        "--given",
        "price=$12.50,share=45%,day=03.11.2024,weight=29,07",
    )[1]
    assert all(line.startswith("$12.50;45%;29,07;03.11.2024;") for line in given.splitlines()[1:])


def test_a_wide_table_is_summarised_and_listed_as_json(run: Call, tmp_path: Path) -> None:
    path, width = tmp_path / "wide.csv", 160
    lines = [",".join(f"c{i}" for i in range(width))]
    lines += [
        ",".join(
            "abc"[DICE.randrange(3)] if i % 50 == 0 else f"{DICE.gauss(0, 1):.2f}"
            for i in range(width)
        )
        for _ in range(30)
    ]
    lines = [line + (",id" if not i else f",n{i}") for i, line in enumerate(lines)]
    path.write_text("\n".join(lines) + "\n")
    status, out, _ = run("data", "describe", path)
    assert status == 0
    assert len(out.splitlines()) < 90
    assert "156 continuous, 4 categorical" in out
    assert out.rstrip().endswith("nothing is lost")
    assert "`--keep id`, or keep=['id'] in Python, models it)" in out
    described = json.loads(run("data", "describe", path, "--json")[1])
    assert len(described["columns"]) == width
    status, out, _ = run(
        "train", "autoregressive", path, "--preset", "smoke", "--steps", 2, "--dry-run"
    )
    assert status == 0
    assert len(out.splitlines()) < 150
    planned = json.loads(
        run(
            "train",
            "autoregressive",
            path,
            "--preset",
            "smoke",
            "--steps",
            2,
            "--dry-run",
            "--json",
        )[1]
    )
    assert len(planned["space"]["columns"]) == width


def test_too_much_is_refused_by_a_limit_that_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    width = sheet.MOST_COLUMNS + 1
    path.write_text(
        "\n".join([",".join(f"c{i}" for i in range(width)), *(["1," * (width - 1) + "2"] * 2)])
    )
    with pytest.raises(
        BadInput, match=r"20,001 columns: expected at most 20,000 columns.*--no-limits"
    ):
        sheet.read_sheet(path, sheet.Reading())


def test_a_schema_is_written_changed_and_given_back(run: Call, shop: Path, tmp_path: Path) -> None:
    schema = tmp_path / "shop.yaml"
    status, text, _ = run("data", "describe", shop, "--schema")
    assert status == 0
    assert "  price:\n    kind: currency\n" in text
    assert "reading: day-first" in text
    schema.write_text(text.replace("    kind: date\n", "    kind: categorical\n"))
    described = json.loads(run("data", "describe", shop, "--schema", schema, "--json")[1])
    kinds = {one["name"]: (one["kind"], one["confidence"]) for one in described["schema"]}
    assert kinds["day"] == ("categorical", "declared")
    assert kinds["at"] == ("time", "declared")
    assert described["to check"] == []
    # what is set beside a file wins, and a run keeps what both said
    words = ("--schema", schema, "-s", "data.columns.sort=drop", "-o", tmp_path / "run")
    assert run("train", "ar", shop, "--preset", "smoke", "--steps", 2, *words)[0] == 0
    assert run("sample", tmp_path / "run", "-n", 5, "-o", tmp_path / "s.csv")[0] == 0
    head, *rows = (tmp_path / "s.csv").read_text().splitlines()
    assert head == "price;share;weight;day;at"
    days = {line.split(";")[3] for line in rows}
    real = {row(i).split(";")[3] for i in range(0)} | {
        line.split(";")[3] for line in gzip.decompress(shop.read_bytes()).decode().splitlines()
    }
    assert days <= real | {""}


def test_a_schema_without_a_table_or_a_file_is_refused(
    run: Call, shop: Path, tmp_path: Path
) -> None:
    status, out, said = run("data", "describe", "digits", "--schema")
    assert (status, out) == (2, "")
    assert "digits" in said
    status, _, said = run("train", "ar", shop, "--schema", "--dry-run")
    assert status == 2
    assert "--schema without a file: expected a schema file" in said
    status, _, said = run("train", "ar", shop, "--schema", tmp_path / "gone.yaml", "--dry-run")
    assert status == 2
    assert re.search(r"the schema \S+gone.yaml: no file: expected a schema", said)
