"""Rows of another program that cannot be rows of the data: counted, named, and never a reason to refuse the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.app.measuring.augmenting import augment_samples
from pushforward.core.errors import BadInput
from pushforward.data.tables.encoding import TableEncoding

Run = Callable[..., tuple[int, str, str]]


def rows(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, income = rng.integers(18, 90, n), np.round(rng.lognormal(3, 1, n), 2)
    return pd.DataFrame({"age": age, "income": income, "c": rng.choice(list("xyz"), n), "k": 7})


def test_each_kind_of_row_that_cannot_be_is_left_out_for_its_reason() -> None:
    encoding = TableEncoding.of(rows(500, 0))
    frame = rows(60, 1).astype({"income": object, "c": object})
    frame.loc[3, "c"] = "W"
    frame.loc[5, "income"] = np.nan
    frame.loc[7, "income"] = np.inf
    frame.loc[9, "k"] = 8
    frame.loc[11, "income"] = "much"
    frame.loc[3, "age"] = np.nan  # a second reason for the same row
    x, odd = encoding.encode_foreign(frame)
    assert sorted(odd) == [3, 5, 7, 9, 11]
    words = (
        "unknown category 'W'|a missing value",
        "a missing value",
        "infinity",
        "8 in column 'k'",
        "'much'",
    )
    for row, said in zip(sorted(odd), words, strict=True):
        assert any(one in odd[row] for one in said.split("|")), odd
    good = frame.drop(index=list(odd))
    assert x.tolist() == encoding.encode(good).tolist()
    with pytest.raises(BadInput, match="in column"):
        encoding.encode(frame)


def test_numbers_beyond_bounds_and_off_the_grid_stay_to_be_counted() -> None:
    encoding = TableEncoding.of(rows(500, 0))
    frame = rows(60, 1)
    frame["age"] = frame["age"].astype(float)
    frame.loc[3, "age"], frame.loc[5, "age"], frame.loc[7, "income"] = -5.0, 20.5, 3.14159
    x, odd = encoding.encode_foreign(frame)
    assert odd == {}
    assert (x[3, 0].item(), x[5, 0].item(), x[7, 1].item()) == (-5.0, 20.5, 3.14159)


def test_evaluate_counts_them_and_scores_the_rest(tmp_path: Path, run: Run) -> None:
    rows(600, 0).to_csv(tmp_path / "real.csv", index=False)
    foreign = rows(200, 1).astype({"c": object})
    foreign["income"] = foreign["income"].clip(
        rows(600, 0)["income"].min(), rows(600, 0)["income"].max()
    )
    foreign.loc[4, "age"], foreign.loc[6, "c"] = -3, "W"
    foreign.to_csv(tmp_path / "made.csv", index=False)
    status, out, err = run(
        "evaluate",
        "--samples",
        tmp_path / "made.csv",
        "--reference",
        tmp_path / "real.csv",
        "--json",
    )
    assert status == 0, err
    record = json.loads(out)
    assert record["notes"][0].startswith(
        f"1 of 200 rows of {tmp_path / 'made.csv'} (0.50%) cannot be"
    )
    assert "unknown category 'W' in column 'c', line 8" in record["notes"][0]
    scores = {one["name"]: one for one in record["scores"]}
    wrong = record["compared"]["samples"] * (1.0 - scores["validity [data] vs test"]["value"])
    assert round(wrong) in (
        0,
        1,
    )  # the age below all others, if it is among those that were compared


def test_nothing_but_rows_that_cannot_be_is_refused(tmp_path: Path, run: Run) -> None:
    rows(600, 0).to_csv(tmp_path / "real.csv", index=False)
    rows(200, 1).assign(c="W").to_csv(tmp_path / "made.csv", index=False)
    status, _, err = run(
        "evaluate", "--samples", tmp_path / "made.csv", "--reference", tmp_path / "real.csv"
    )
    assert status == 2
    assert "200 of 200 rows" in err


def test_augment_says_it_too(tmp_path: Path) -> None:
    rows(300, 0).to_csv(tmp_path / "real.csv", index=False)
    foreign = rows(100, 1).astype({"c": object})
    foreign.loc[6, "c"] = "W"
    foreign.to_csv(tmp_path / "made.csv", index=False)
    found = augment_samples(
        tmp_path / "made.csv", str(tmp_path / "real.csv"), seeds=2, target="age"
    )
    assert any("1 of 100 rows" in note for note in found.notes)
