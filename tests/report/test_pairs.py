"""Tests of two models over a shared reference decide the page's orders, and prices decide who is on the front."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from pushforward.core.score import Score
from pushforward.evaluation.cards.comparison import Difference, compare_models
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.reports.page.pairs import pairs
from pushforward.reports.page.quality import quality_against_cost
from pushforward.reports.page.render import render
from pushforward.reports.records import Comparison, Data, Row, key_of
from pushforward.reports.verdict.sentences import verdict
from pushforward.reports.verdict.standing import at_null, standing
from pushforward.reports.verdict.unmatched import pareto_sentences, standing_by, standings
from scored import called

DATA = Data("two-moons", "points", "points in 2 dimensions", "nats/point", {"test": 100})
OVERLAP = "frechet distance [pca-2] vs test"


def score(value: float, reach: float = 0.3, **more: float) -> Score:
    return called(
        OVERLAP,
        value,
        100,
        "lower",
        low=value - reach,
        high=value + reach,
        stderr=reach / 1.96,
        **more,
    )


def row(name: str, value: float, seconds: float, training: float = 60.0, reach: float = 0.3) -> Row:
    return Row(
        name, scores=(score(value, reach),), seconds_per_1000=seconds, train_seconds=training
    )


def decided(first: str, second: str, verdict: str, enough: int | None = None) -> Difference:
    entry = {
        "value": -0.2,
        "stderr": 0.05,
        "low": -0.3,
        "high": -0.1,
        "p_value": 0.001,
        "adjusted": 0.003,
        "paired": True,
    }
    return Difference(OVERLAP, first, second, **entry, verdict=verdict, enough=enough)  # type: ignore[arg-type]


@pytest.fixture
def page() -> Comparison:
    rows = (row("a", 1.0, 10.0), row("b", 1.2, 1.0), row("c", 9.0, 5.0))
    found = (
        decided("a", "b", "first"),
        decided("a", "c", "first"),
        decided("b", "c", "undecided", enough=1234),
    )
    return Comparison("t", DATA, "60 s", "cpu", 0, "today", rows, differences=found)


def test_a_test_over_the_reference_decides_where_intervals_overlap(page: Comparison) -> None:
    key = key_of(score(1.0))
    alone = standing(page.models, key)
    paired = standing(page.models, key, page.between)
    assert alone is not None
    assert paired is not None
    assert (alone.decided, alone.rivals) == (False, ("b",))
    assert (paired.decided, paired.leader, paired.beaten) == (True, "a", ("b", "c"))
    # the test is as good from the other side, and an undecided one takes away what intervals alone would give
    assert [page.between(key, *names) for names in (("b", "a"), ("c", "b"), ("a", "d"))] == [
        "second",
        "undecided",
        None,
    ]
    turned = dataclasses.replace(page, rows=page.rows[1:])
    place = standing(turned.models, key, turned.between)
    assert place is not None
    assert place.rivals == ("c",)
    assert any("a is clearly best" in s.text for s in verdict(page))


def test_the_page_counts_and_lists_the_tests(page: Comparison) -> None:
    found = pairs(page)
    assert [(p.first, p.second, p.wins, p.losses, p.undecided) for p in found] == [
        ("a", "b", 1, 0, 0),
        ("a", "c", 1, 0, 0),
        ("b", "c", 0, 0, 1),
    ]
    assert (found[2].lines[0].verdict, found[2].lines[0].enough) == (
        "undecided",
        "1\N{NARROW NO-BREAK SPACE}234",
    )
    html = render(page)
    assert "a against b: 1 for a, 0 for b, 0 undecided" in html
    assert "All 3 tests together" in html
    assert Comparison.from_json(json.loads(json.dumps(page.to_json(), allow_nan=False))) == page


def test_a_test_without_an_error_survives_the_record(page: Comparison) -> None:
    bare = compare_models(
        {name: [Measured(called("x", v, 9, "lower"))] for name, v in (("a", 1.0), ("b", 2.0))}
    )
    again = Comparison.from_json(
        json.loads(json.dumps(dataclasses.replace(page, differences=tuple(bare)).to_json()))
    )
    assert [d.verdict for d in again.differences] == ["undecided"]
    assert again.differences[0].p_value != again.differences[0].p_value
    assert pairs(again)[0].lines[0].p_value == ""


def test_prices(page: Comparison) -> None:
    # training differs by nothing, so that sampling alone is the price; b is cheaper than c and clearly better
    assert standings(page) == (
        {"a": "undecided", "b": "front", "c": "dominated"},
        ["sampling time"],
    )
    assert pareto_sentences(page) == [
        "On frechet distance against sampling time: nothing cheaper matches b; c beaten by something cheaper; a undecided."
    ]
    assert standing_by(page, "seconds_per_1000") == standings(page)[0]
    assert standing_by(page, "train_seconds") == {}
    (drawn, _) = quality_against_cost(page)
    assert drawn.caption.endswith("rings: something cheaper is clearly better")
    assert [
        ("ring" in c, "stairs" in drawn.art[0])
        for c in re.findall('<circle[^>]*class="([^"]*)"', drawn.art[0])
    ] == [
        (False, False),
        (False, False),
        (True, False),
    ]
    # five percent of clock noise makes nobody cheaper
    rows = (row("a", 1.0, 10.0), row("b", 5.0, 9.7), row("c", 9.0, 1.0))
    close = dataclasses.replace(page, rows=rows, differences=())
    assert standings(close)[0]["b"] == "dominated"
    longer = dataclasses.replace(
        page, rows=(row("a", 1.0, 10.0, 100.0), row("b", 5.0, 20.0, 50.0)), differences=()
    )
    assert standings(longer) == ({"a": "front", "b": "front"}, ["sampling time", "training time"])
    # a samples faster and is better, which leaves nothing to weigh; it trains longer, which does
    sampling, training = quality_against_cost(longer)
    assert "stairs" not in sampling.art[0]
    assert sampling.caption.endswith("clearly better")
    assert "stairs" in training.art[0]
    assert training.caption.endswith("nothing cheaper matches")


def test_a_null_that_was_measured_has_an_error_too() -> None:
    """Of 2,000 pairs of equal means, one in twenty misses where both errors count, one in six where one does."""
    import numpy as np

    rng = np.random.default_rng(0)
    own, real = rng.normal(size=(2, 2000))
    both = [at_null(score(a, 1.96, null=b, null_stderr=1.0)) for a, b in zip(own, real)]
    alone = [at_null(score(a, 1.96, null=b)) for a, b in zip(own, real)]
    # four standard errors of a share of 0.05 and 0.166 at 2,000
    assert abs(np.mean(both) - 0.95) < 0.02
    assert abs(np.mean(alone) - 0.834) < 0.034
    assert at_null(called("x", 1.0, 9, "lower", low=0.0, high=2.0)) is None
    assert at_null(called("x", 1.0, 9, "lower", null=2.0)) is None
