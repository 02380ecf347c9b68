"""Complete, predict, sample given rows, balance and score by column, as a person asks for them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.core.errors import BadInput

Command = Callable[..., tuple[int, str, str]]
FAMILIES = ("autoregressive", "diffusion")


def table(n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    kind = rng.choice(["old", "new"], n)
    size = np.where(
        rng.random(n) < 0.8, np.where(kind == "old", "S", "L"), rng.choice(list("SML"), n)
    )
    frame = pd.DataFrame(
        {
            "id": [f"AB-{i:05d}" for i in range(n)],
            "kind": kind,
            "size": size,
            "count": rng.integers(0, 40, n) + 10 * (kind == "new"),
            "price": np.round(rng.gamma(2.0, 30.0, n), 2),
            "unit": "EUR",
        }
    )
    frame.loc[rng.random(n) < 0.2, "size"] = None
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("verbs")
    table().to_csv(made / "data.csv", index=False)
    for family in FAMILIES:
        pf.fit(
            family, made / "data.csv", steps=40, preset="smoke", path=made / family, progress=False
        )
    return made


@pytest.fixture(scope="module")
def gaps(folder: Path) -> Path:
    """Rows with gaps in every column, of which two have none at all and one nothing else."""
    rng = np.random.default_rng(1)
    frame = table(400).iloc[360:].astype(object).reset_index(drop=True)
    for name in ("id", "kind", "size", "count", "price", "unit"):
        frame.loc[rng.random(len(frame)) < 0.3, name] = None
    frame.loc[0] = ["AB-99999", "old", "S", 3, 12.5, "EUR"]
    frame.loc[1] = [None] * 6
    frame.loc[2, "kind"] = None
    path = folder / "gaps.csv"
    lines = frame.to_csv(index=False, lineterminator="\r\n").splitlines()
    lines[1] = '"AB-99999", "old",S,3,12.50,EUR'
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    return path


def raw_rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_bytes().decode().rstrip("\r\n").split("\r\n")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_gap_is_filled_and_nothing_else_is_touched(
    family: str, folder: Path, gaps: Path, run: Command, tmp_path: Path
) -> None:
    out = tmp_path / "whole.csv"
    status, said, told = run("complete", folder / family, gaps, "-o", out)
    assert status == 0
    assert "rows filled" in said
    before, after = raw_rows(gaps), raw_rows(out)
    assert before[0] == after[0]
    assert before[1] == after[1]
    names = before[0]
    for old, new in zip(before[1:], after[1:], strict=True):
        for name, was, now in zip(names, old, new, strict=True):
            if was:
                assert now == was
            elif name == "id":
                assert now == ""
            else:
                assert now
    empty = sum(row[0] == "" for row in before[1:])
    assert f"cells that stay empty: {empty} of 'id'" in told
    assert "1 rows have no known cell" in told
    # what was drawn can be read back, and equal seeds give equal files
    assert pf.open(folder / family).log_prob(out).nats.isfinite().all()
    again = tmp_path / "again.csv"
    run("complete", folder / family, gaps, "-o", again)
    assert again.read_bytes() == out.read_bytes()
    run("complete", folder / family, gaps, "-o", again, "--seed", 1)
    assert again.read_bytes() != out.read_bytes()


def test_several_draws_are_several_whole_files(
    folder: Path, gaps: Path, run: Command, tmp_path: Path
) -> None:
    out = tmp_path / "whole.csv"
    status, said, _ = run(
        "complete", folder / "autoregressive", gaps, "--draws", 3, "-o", out, "--json"
    )
    assert status == 0
    record = json.loads(said)
    names = [tmp_path / f"whole-{k}.csv" for k in (1, 2, 3)]
    assert record["files"] == [str(name) for name in names]
    assert not out.exists()
    files = [raw_rows(name) for name in names]
    assert all(len(rows) == len(raw_rows(gaps)) for rows in files)
    assert files[0] != files[1] != files[2]
    # the first draw is the one that is made alone
    run("complete", folder / "autoregressive", gaps, "-o", out)
    assert out.read_bytes() == names[0].read_bytes()
    status, _, told = run("complete", folder / "autoregressive", gaps, "--draws", 3)
    assert status == 2
    assert "each draw goes to a file of its own" in told


def test_a_mean_says_how_sure_it_is(folder: Path, gaps: Path, run: Command, tmp_path: Path) -> None:
    out = tmp_path / "mean.csv"
    status, _, _ = run(
        "complete", folder / "autoregressive", gaps, "--how", "mode", "--draws", 20, "-o", out
    )
    assert status == 0
    unsure = pd.read_csv(tmp_path / "mean-uncertainty.csv")
    before = pd.read_csv(gaps)
    modelled = ["kind", "size", "count", "price"]
    assert len(unsure) == int(before[modelled].isna().to_numpy().sum())
    after = pd.read_csv(out)
    single = before[modelled].isna().sum(axis=1) == 1
    for _, cell in unsure.iterrows():
        value = after.loc[cell["row"] - 1, cell["column"]]
        if cell["column"] in ("kind", "size"):
            assert value == cell["value"]
            assert 0.3 < cell["p"] <= 1.0
            assert np.isnan(cell["sd"])
        else:
            assert float(value) == pytest.approx(float(cell["value"]), abs=0.51)
            assert cell["sd"] > 0
        assert cell["draws"] == (0 if single[cell["row"] - 1] else 20)


def test_a_table_without_gaps_comes_back_as_it_is(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    whole = tmp_path / "w.csv"
    table().dropna().head(9).to_csv(whole, index=False)
    status, out, told = run("complete", folder / "autoregressive", whole)
    assert status == 0
    assert out == whole.read_text()
    assert "no modelled cell of 9 rows is missing" in told


def test_frames_are_completed_in_python(folder: Path) -> None:
    frame = table(300).iloc[250:].reset_index(drop=True)
    frame.loc[3:9, "count"] = np.nan
    answer = pf.complete(folder / "autoregressive", frame, progress=False)
    (found,) = answer.frames
    assert list(found.columns) == list(frame.columns)
    assert not found["size"].isna().any()
    kept = frame["count"].notna()
    assert (found["count"][kept] == frame["count"][kept]).all()
    assert len(answer.json()["records"]) == len(frame)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("complete RUN missing.csv", "check the path"),
        ("complete RUN BAD -o out.csv", "unknown category 'XL' in column 'size', line 3"),
        ("complete RUN GAPS --draws 2000 -o out.csv", "1 to 1000"),
        ("complete RUN GAPS --how best -o out.csv", "how"),
        ("complete RUN GAPS -o out.xyz", "a name that ends in"),
        ("predict RUN GAPS --target colour", "the target 'colour': expected one of kind"),
        ("predict RUN GAPS --target id", "it identifies rows"),
        ("predict RUN GAPS --target unit", "it has one value"),
        ("predict RUN GAPS --target kind --draws 1", "draws"),
        ("sample RUN --given BAD", "1 of 2 rows cannot be"),
        ("sample RUN --given GIVEN -n 7", "one sample for each"),
        ("sample RUN --given missing.csv", "there is no such file"),
        ("sample RUN --skip-bad", "--given FILE"),
        ("sample RUN --balance price", "ranges with shares"),
        ("sample RUN --balance kind --given kind=old", "a column cannot be both"),
        ("score RUN GAPS --by column --steps 3", "--steps with --by column"),
        ("score RUN DATA --by row", "by"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    words: str,
    says: str,
    folder: Path,
    gaps: Path,
    run: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    bad, given = tmp_path / "bad.csv", tmp_path / "given.csv"
    bad.write_text("id,kind,size,count,price,unit\nAB-1,old,S,1,2.00,EUR\nAB-2,old,XL,1,2.00,EUR\n")
    given.write_text("kind\nold\nnew\n")
    if "--given BAD" in words:
        bad.write_text("kind,size\nold,XL\nold,S\n")
    there = set(tmp_path.iterdir())
    named = {"RUN": folder / "autoregressive", "GAPS": gaps, "BAD": bad, "GIVEN": given}
    named["DATA"] = folder / "data.csv"
    status, out, told = run(*(named.get(word, word) for word in words.split()))
    assert status == 2
    assert says in told
    assert not out
    assert set(tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    "words",
    [
        "complete RUN X.csv",
        "predict RUN X.csv --target x0",
        "score RUN X.csv --by column",
        "sample RUN --balance x0",
    ],
)
def test_runs_on_what_is_no_table_are_refused(words: str, run: Command, tmp_path: Path) -> None:
    flow = tmp_path / "flow"
    pf.fit("flow", "two-moons", steps=2, preset="smoke", path=flow, progress=False)
    (tmp_path / "X.csv").write_text("x0,x1\n1,2\n")
    status, _, told = run(
        *({"RUN": flow, "X.csv": tmp_path / "X.csv"}.get(w, w) for w in words.split())
    )
    assert status == 2
    assert "a run on a table" in told


@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_stand_behind_the_rows(
    family: str, folder: Path, run: Command, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    status, said, told = run(
        "predict", folder / family, folder / "data.csv", "--target", "size", "--draws", 8, "-o", out
    )
    assert status == 0
    before, after = (
        list(csv.reader(path.read_text().splitlines())) for path in (folder / "data.csv", out)
    )
    assert [row[:6] for row in after] == before
    assert after[0][6:] == ["size=(predicted)", "size=S", "size=M", "size=L"]
    p = np.array([[float(cell) for cell in row[7:]] for row in after[1:]])
    assert p.sum(1) == pytest.approx(1.0, abs=1e-5)
    assert [row[6] for row in after[1:]] == [list("SML")[i] for i in p.argmax(1)]
    assert "log loss" in said
    assert "accuracy" in said
    assert "judged are the" in told
    if family == "diffusion":
        assert "is an estimate from 8 draws" in told
    else:
        assert "order of columns" in said


def test_a_target_need_not_be_there_and_rows_may_have_gaps(
    folder: Path, gaps: Path, run: Command, tmp_path: Path
) -> None:
    rows = pd.read_csv(gaps, skipinitialspace=True).drop(columns="price")
    rows.to_csv(tmp_path / "g.csv", index=False)
    status, said, told = run(
        "predict", folder / "autoregressive", tmp_path / "g.csv", "--target", "price", "--json"
    )
    assert status == 0
    record = json.loads(said)
    assert record["judged"] == 0
    assert not record["scores"]
    # a gap of `size` is a value as in training; those of `kind` and `count` are not known
    unsure = int((rows["kind"].isna() | rows["count"].isna()).sum())
    assert record["exact"] == len(rows) - unsure
    assert f"the law of {unsure} of {len(rows)} rows is an estimate" in told
    for row in record["records"]:
        assert row["price=5%"] <= row["price=50%"] <= row["price=95%"]
        assert row["price=sd"] > 0


def test_samples_of_rows_keep_what_is_given_in_order(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    given = pd.DataFrame({"count": [20, None, 17, 20], "kind": ["new", "old", None, "old"]})
    path = tmp_path / "given.csv"
    given.astype({"count": "Int64"}).to_csv(path, index=False)
    for family in FAMILIES:
        status, out, _ = run("sample", folder / family, "--given", path)
        assert status == 0
        rows = list(csv.DictReader(out.splitlines()))
        assert len(rows) == 4
        assert [rows[i]["kind"] for i in (0, 1, 3)] == ["new", "old", "old"]
        assert [rows[i]["count"] for i in (0, 2, 3)] == ["20", "17", "20"]
        assert all(row["price"] for row in rows)


def test_impossible_rows_are_left_out_where_that_is_asked_for(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    path = tmp_path / "given.csv"
    path.write_text("kind,count\nold,20\nXX,20\nnew,-4\nnew,25\n")
    out = tmp_path / "o.csv"
    status, said, told = run(
        "sample", folder / "autoregressive", "--given", path, "--skip-bad", "-o", out, "--json"
    )
    assert status == 0
    record = json.loads(said)
    assert [one["row"] for one in record["refused"]] == [2, 3]
    assert "row 2 is left out: unknown category 'XX'" in told
    assert [row["kind"] for row in csv.DictReader(out.read_text().splitlines())] == ["old", "new"]


def test_a_column_is_balanced(folder: Path, run: Command) -> None:
    for family in FAMILIES:
        status, out, _ = run("sample", folder / family, "-n", 9, "--balance", "size")
        assert status == 0
        sizes = [row["size"] for row in csv.DictReader(out.splitlines())]
        assert sorted(sizes) == sorted("LLLMMMSSS")
        assert sizes != sorted(sizes)


def test_columns_add_up_to_the_score(folder: Path, run: Command, tmp_path: Path) -> None:
    data = folder / "data.csv"
    out = tmp_path / "rows.csv"
    whole = json.loads(run("score", folder / "autoregressive", data, "--json")[1])
    found = json.loads(
        run("score", folder / "autoregressive", data, "--by", "column", "--json", "-o", out)[1]
    )
    assert found["value"] == pytest.approx(whole["value"], rel=1e-6)
    assert found["stderr"] == pytest.approx(whole["stderr"], rel=1e-3)
    assert sum(one["nats"] for one in found["columns"]) == pytest.approx(found["value"])
    assert [one["column"] for one in found["columns"]] == ["kind", "size", "count", "price"]
    rows = pd.read_csv(out)
    assert len(rows) == whole["n"]
    assert rows["nats"].mean() == pytest.approx(whole["value"])
    status, _, told = run("score", folder / "diffusion", data, "--by", "column")
    assert status == 2
    assert "none has a term of its own" in told


def test_the_column_that_surprises_is_the_one_that_was_changed(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    frame = table().dropna().head(40)
    frame["price"] = frame["price"].astype(object)
    frame.iloc[7, frame.columns.get_loc("price")] = 9000.0
    path, out = tmp_path / "odd.csv", tmp_path / "rows.csv"
    frame.to_csv(path, index=False)
    run("score", folder / "autoregressive", path, "--by", "column", "-o", out)
    rows = pd.read_csv(out)
    assert rows.loc[7, "column"] == "price"
    assert rows["excess"].idxmax() == 7


def test_predictions_of_a_changed_frame_refuse_a_name_that_is_taken(folder: Path) -> None:
    frame = table(20).assign(**{"size=S": 0.1})
    with pytest.raises(BadInput, match="size=S"):
        pf.predict(folder / "autoregressive", frame, target="size", progress=False)
