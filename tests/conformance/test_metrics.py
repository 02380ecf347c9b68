"""Every registered metric keeps its declaration, and real examples score what it expects of real examples."""

from __future__ import annotations

import pytest

from pushforward.evaluation.cards.metrics import METRICS, declared
from real_against_real import kinds_of, require_conforming, require_direction, scores


@pytest.mark.parametrize("name", METRICS.names())
def test_a_metric_keeps_its_declaration_on_real_examples(name: str) -> None:
    metric = METRICS.load(name)
    assert metric.name == name
    require_conforming(metric)


@pytest.mark.parametrize("name", METRICS.names())
def test_damage_is_no_merit(name: str) -> None:
    require_direction(METRICS.load(name))


def test_trees_see_columns_that_know_nothing_of_each_other() -> None:
    metric = METRICS.load("tree two-sample score")
    real, apart = (scores(metric, "table", apart=damaged)[0] for damaged in (False, True))
    assert real.measure.better == "higher"
    assert apart.high < real.low


def test_every_kind_of_data_has_measures_of_its_own() -> None:
    own = {
        kind: {m.name for m in METRICS if kinds_of(m) == [kind]}
        for kind in ("image", "text", "table")
    }
    assert "label accuracy" in own["image"]  # the only kind that comes with a judge here
    assert {"mauve", "self-BLEU-4", "entropy gap"} <= own["text"]
    assert {"tree two-sample score", "TSTR", "linkability", "pair shapes"} <= own["table"]


def test_a_measure_is_declared_once() -> None:
    names = [measure.name for metric in METRICS for measure in metric.measures]
    assert len(names) == len(set(names)) == len(declared())
