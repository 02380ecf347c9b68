"""Which classifier a reader is told of, in which number, and on what the best of a table is read."""

from __future__ import annotations

from typing import Any

import pytest

from pushforward.core.score import Score
from pushforward.evaluation.distribution.classifier_test import CLASSIFIER
from pushforward.evaluation.distribution.energy import ENERGY
from pushforward.evaluation.table.tree_score import ON_TRAIN, TREES
from pushforward.reports.records import Comparison, Data, Row
from pushforward.reports.verdict.headline import headline
from pushforward.reports.verdict.told_apart import told_apart
from pushforward.reports.verdict.unmatched import headline_key


def trees(value: float, half: float = 0.06, **more: Any) -> Score:
    ends = {"low": max(0.0, value - half), "high": min(1.0, value + half)}
    known = {"stderr": half / 1.96, "null": 0.98, "view": "3 folds", "reference": "test"}
    return Score(TREES, value, n=600, **{**ends, **known, **more})


def coin(value: float) -> Score:
    return Score(CLASSIFIER, value, n=300, low=value - 0.04, high=value + 0.04, null=0.5)


def comparison(*rows: Row) -> Comparison:
    data = Data("t", "table", "rows", "nats/row", {"test": 600})
    return Comparison("A run", data, "", "cpu", 0, "today", rows)


def one(*scores: Score) -> str:
    return headline([Row("ar", scores=scores)], [], lambda key, first, second: None)


def test_trees_that_convict_are_told_before_another_classifier() -> None:
    assert (
        one(coin(0.9), trees(0.5)) == "ar is told apart from real data: at 600 samples "
        "trees choose the sample beside a real row in 75 % (guessing: 50 %)."
    )
    # where only the other one convicts, it is told
    assert "a classifier is right on 90 %" in one(coin(0.9), trees(0.97))
    # and where nothing does, trees are
    assert one(coin(0.5), trees(0.96)) == (
        "ar is not told apart from real data at 600 samples: "
        "trees choose the sample beside a real row in 52 % (guessing: 50 %)."
    )


def test_rows_that_were_trained_on_convict_nobody() -> None:
    known = Score(ON_TRAIN, 0.2, n=600, low=0.1, high=0.3, stderr=0.05, null=0.9, null_stderr=0.03)
    found = told_apart(Row("ar", scores=(trees(0.97), known)), ())
    assert found.told is False
    assert found.judged == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.9, 0.4), TREES), ((0.03, 0.01), CLASSIFIER)],
)
def test_tables_are_ranked_by_trees_unless_all_are_told(values: tuple, expected: object) -> None:
    energy = Score(ENERGY, 0.1, n=600, low=0.0, high=0.2)
    rows = [
        Row(name, scores=(energy, coin(0.7), trees(value)))
        for name, value in zip("ab", values, strict=True)
    ]
    key = headline_key(comparison(*rows))
    assert key is not None
    assert key.measure == expected
