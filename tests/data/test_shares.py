"""Shares of the splits, and training on all rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.data.open import open_data

X = np.random.default_rng(0).normal(size=(400, 2))
ROWS = pd.DataFrame(
    {"x": np.arange(400) % 37, "y": ["a", "b"] * 200, "who": np.repeat(np.arange(100), 4)}
)


@pytest.mark.parametrize("source", [X, ROWS], ids=["points", "table"])
def test_shares_are_those_asked_for(source: object) -> None:
    data = open_data(source, split="90/2.5/7.5")
    assert [len(p) for p in (data.train, data.validation, data.test)] == [360, 10, 30]
    assert any("split 90/2.5/7.5 by seed 0" in note for note in data.notes)
    usual = open_data(source)
    assert [len(p) for p in (usual.train, usual.validation, usual.test)] == [280, 40, 80]


def test_groups_are_split_as_wholes_in_any_shares() -> None:
    data = open_data(ROWS, split="50/25/25", group="who")
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [200, 100, 100]
    cases = [set(part.cases.tolist()) for part in parts if part.cases is not None]
    assert len(set.union(*cases)) == sum(map(len, cases)) == 100


def test_all_rows_are_trained_on_and_none_is_measured_on() -> None:
    labels = np.arange(400) % 3
    usual, data = open_data((X, labels)), open_data((X, labels), split="all")
    given = data.train.given
    assert given is not None
    assert given.label is not None
    order = data.train.x[:, 0].argsort()
    assert torch.equal(data.train.x[order, 0], torch.from_numpy(np.sort(X[:, 0])).to(data.train.x))
    # labels went with their points
    for part in (usual.train, usual.test):
        assert part.given is not None
        assert part.given.label is not None
        place = (data.train.x[:, None, 0] == part.x[None, :, 0]).to(torch.uint8).argmax(dim=0)
        assert torch.equal(given.label[place], part.given.label)
    assert data.fingerprint != usual.fingerprint
    assert len(data.part("train")) == 400
    with pytest.raises(BadInput, match="all of which were trained on"):
        data.part("test")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("90/10", "expected three shares such as 90/5/5, or all"),
        ("80/10/20", "sums to 110: expected shares that sum to 100"),
        ("100/0/0", "every part needs some rows"),
        ("most", "expected three shares"),
        ("nan/1/1", "expected three shares"),
    ],
)
def test_other_shares_are_refused(split: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        open_data(X, split=split)


def test_text_and_toys_have_splits_of_their_own() -> None:
    with pytest.raises(BadInput, match="it is split by documents"):
        open_data("shakespeare", split="90/5/5")
    with pytest.raises(BadInput, match="toys are drawn"):
        open_data("two-moons", split="all")


def test_a_final_run_samples_and_refuses_to_be_measured_on_its_own(tmp_path: Path) -> None:
    path, run = tmp_path / "rows.csv", tmp_path / "run"
    ROWS.drop(columns="who").to_csv(path, index=False)
    pf.train("autoregressive", path, steps=2, preset="smoke", output=run, final=True)
    assert len(pf.open(run).sample(3)) == 3
    for measure in (lambda: pf.evaluate(run), lambda: pf.score(run, path)):
        with pytest.raises(BadInput, match="all of which were trained on"):
            measure()
    # others can be measured on
    assert pf.score(run, ROWS.drop(columns="who")[:50].assign(y="a"))
