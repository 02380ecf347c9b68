"""Attacks with a control: published pins, brute force, copies that must be caught and independent samples that must not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mixed_tables import MIXED, mixed_rows
from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.table.gower import Gower
from pushforward.evaluation.table.privacy.attribute_inference import (
    AttributeInference,
    attribute_inference,
    matches,
)
from pushforward.evaluation.table.privacy.linkability import (
    Linkability,
    guessing_links,
    linkability,
    linked,
)
from pushforward.evaluation.table.privacy.risk import AttackSetting, Rate, excess, risk_score
from pushforward.evaluation.table.privacy.singling_out import (
    Predicates,
    SinglingOut,
    guesses,
    multivariate,
    singling_out,
    univariate,
)

GONE = missing_mark(MIXED.columns[3])


def all_attacks(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0, attacks: int = 200
) -> list[Score]:
    how = AttackSetting(seed=seed, attacks=attacks)
    return [
        *singling_out(x, y, z, MIXED, how, columns=3),
        linkability(x, y, z, MIXED, how=how),
        attribute_inference(x, y, z, MIXED, how=how),
    ]


def test_the_published_rate_and_the_excess() -> None:
    rate = Rate(850, 1000)
    assert (round(rate.centre, 3), round(rate.reach, 3)) == (0.849, 0.022)
    risk, reach = excess(Rate(900, 1000), Rate(500, 1000))
    a, b = Rate(900, 1000), Rate(500, 1000)
    assert risk == pytest.approx((a.centre - 0.5) / 0.5)
    # numerical derivatives of (a - b) / (1 - b) at the centres
    step = 1e-6
    by_a = ((a.centre + step - b.centre) / (1 - b.centre) - risk) / step
    by_b = ((a.centre - b.centre - step) / (1 - b.centre - step) - risk) / step
    assert reach == pytest.approx(np.hypot(by_a * a.reach, by_b * b.reach), rel=1e-4)
    assert Rate(850, 1000, design=10.0).reach == pytest.approx(Rate(85, 100).reach)


@pytest.mark.parametrize(("p", "q"), [(0.3, 0.3), (0.6, 0.2), (0.05, 0.02)])
def test_the_interval_of_the_excess_covers(p: float, q: float) -> None:
    # 800 repetitions: the standard error of a coverage of 95 % is 0.8 %
    rng, truth = np.random.default_rng(0), (p - q) / (1 - q)
    found = [
        excess(Rate(int(a), 500), Rate(int(b), 500))
        for a, b in zip(rng.binomial(500, p, 800), rng.binomial(500, q, 800), strict=True)
    ]
    assert 0.93 <= np.mean([abs(risk - truth) <= reach for risk, reach in found]) <= 0.97


def test_a_risk_says_its_rates_and_when_the_attack_is_useless() -> None:
    score = risk_score((Measure("linkability"), ""), Rate(60, 200), Rate(20, 200), 0.01, "test")
    assert score.name == "linkability train vs test"
    assert score.warnings == (
        "200 attacks: successful on 30.0% of training rows, 10.0% of test rows, 1.0% by guessing",
    )
    assert (
        "no better than guessing"
        in risk_score((Measure("x"), ""), Rate(60, 200), Rate(20, 200), 0.29, "test").warnings[1]
    )
    halved = risk_score((Measure("x"), ""), Rate(60, 200), Rate(20, 200), 0.01, "test", kept=0.5)
    assert halved.value == pytest.approx(2 * score.value)


def test_copies_score_high_and_independent_samples_cover_zero() -> None:
    rng = np.random.default_rng(1)
    y, z = mixed_rows(250, rng), mixed_rows(250, rng)
    caught = [score.low for score in all_attacks(y, y, z)]
    # four colours and nine counts describe few rows alone, so half a row links seldom here, and always in the doctest
    assert min(caught[0], caught[1], caught[3]) > 0.35
    assert caught[2] > 0.05
    # 4 attacks, 95 % intervals: with this seed none misses
    for score in all_attacks(mixed_rows(250, rng), y, z):
        assert score.low <= 0.0 <= score.high


def test_zero_is_covered_for_independent_samples_and_the_leak_is_in_proportion() -> None:
    # 60 repetitions x 4 attacks: at most 8 % misses are allowed to each attack, five of 60; P(more) is 3 % at a nominal 5 %
    rng = np.random.default_rng(2)
    missed = np.zeros(4)
    for seed in range(60):
        x, y, z = (mixed_rows(100, rng) for _ in range(3))
        missed += [not s.low <= 0.0 <= s.high for s in all_attacks(x, y, z, seed, 100)]
    assert missed.max() <= 6
    y, z, fresh = (mixed_rows(400, rng) for _ in range(3))
    half = all_attacks(np.concatenate([y[:200], fresh[:200]]), y, z, attacks=400)
    whole = all_attacks(y, y, z, attacks=400)
    for some, every in zip(half, whole, strict=True):
        assert 0.2 < some.value / every.value < 0.85


def test_predicates_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushforward.evaluation.table.privacy.singling_out.TILE_NUMBERS", 100)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(40, 3)).round(1)
    places = np.array([rng.permutation(3)[:2] for _ in range(60)])
    low = rng.normal(size=(60, 2)) - 0.5
    predicates = Predicates(places, low, low + rng.random((60, 2)) * 2)
    fits = np.array(
        [
            [
                all(lo <= row[p] <= hi for p, lo, hi in zip(ps, los, his, strict=True))
                for row in rows
            ]
            for ps, los, his in zip(predicates.places, predicates.low, predicates.high, strict=True)
        ]
    )
    assert predicates.counts(rows).tolist() == fits.sum(axis=1).tolist()
    rate = predicates.rate(rows)
    once = fits.sum(axis=1) == 1
    assert (rate.successes, rate.attacks) == (int(once.sum()), 60)
    # leaving out row j changes the successes by minus the influence that the rate uses
    left_out = np.array([(np.delete(fits, j, axis=1).sum(axis=1) == 1).sum() for j in range(40)])
    apart = fits.sum(axis=1)[np.isin(fits.sum(axis=1), (1, 2))].sum()
    assert rate.design == pytest.approx(max(1.0, 40 * left_out.var() / apart))


def test_single_values_are_unique_ones_and_extremes() -> None:
    space = Table(
        (
            Column("a", "categorical", ("p", "q", "r")),
            Column("b", "integer", low=0, high=9, missing=True),
        )
    )
    x = np.array([[0.0, 1.0], [0.0, 5.0], [1.0, 5.0], [2.0, np.inf], [0.0, 7.0]])
    found = univariate(x, space)
    described = sorted(
        zip(
            found.places[:, 0].tolist(),
            found.low[:, 0].tolist(),
            found.high[:, 0].tolist(),
            strict=True,
        )
    )
    largest = np.finfo(float).max
    assert described == [
        (0, 1.0, 1.0),
        (0, 2.0, 2.0),
        (1, -np.inf, 1.0),
        (1, 1.0, 1.0),
        (1, 7.0, 7.0),
        (1, 7.0, largest),
        (1, np.inf, np.inf),
    ]
    assert found.counts(x).tolist() == [1] * 7


def test_combinations_fit_one_sample_alone_and_bound_away_from_the_middle() -> None:
    rng = np.random.default_rng(4)
    x = mixed_rows(200, rng)
    x[x[:, 3] == GONE, 3] = np.inf
    found = multivariate(x, MIXED, 3, 100, rng)
    assert 20 <= len(found) <= 100
    assert (found.counts(x) == 1).all()
    assert len(found.distinct()) == len(found)
    assert (np.diff(found.places, axis=1) > 0).all()
    numbers = found.places == 2
    up = numbers & (found.high > 1e300)
    assert (found.low[up] > np.median(x[:, 2])).all()
    assert (found.high[numbers & ~up] <= np.median(x[:, 2])).all()
    blind = guesses(MIXED, 3, 500, rng)
    assert (np.isin(blind.low[blind.places == 0], range(4))).all()


def test_a_cut_of_the_training_rows_is_made_good() -> None:
    rng = np.random.default_rng(5)
    y, z = mixed_rows(600, rng), mixed_rows(200, rng)
    equal = singling_out(y[:200], y[:200], z, MIXED, AttackSetting(attacks=400), columns=4)[1]
    cut = singling_out(y[:200], y, z, MIXED, AttackSetting(attacks=400), columns=4)[1]
    assert cut.low < equal.value < cut.high
    assert cut.value > 0.3


def test_too_few_unique_samples_are_said_to_be() -> None:
    space = Table((Column("a", "boolean", ("no", "yes")), Column("b", "boolean", ("no", "yes"))))
    x = np.random.default_rng(6).integers(0, 2, size=(100, 2)).astype(float)
    for score in singling_out(x, x, x, space):
        assert np.isnan(score.value)
        assert score.warnings[0].startswith("only 0 descriptions fit one sample alone")


def test_links_brute_force() -> None:
    rng = np.random.default_rng(7)
    x, rows = rng.random((50, 4)), rng.random((30, 4))
    space = Table(tuple(Column(n, "continuous", low=0.0, high=1.0) for n in "abcd"))
    sides = Gower(space, (0, 2)), Gower(space, (1, 3))
    for k in (1, 4):
        expected = []
        for row in rows:
            near = [
                np.argsort(np.abs(x[:, p] - row[list(p)]).sum(axis=1))[:k].tolist()
                for p in ((0, 2), (1, 3))
            ]
            expected.append(bool(set(near[0]) & set(near[1])))
        assert linked(rows, x, sides, k, seed=0).tolist() == expected


def test_guessing_links_by_enumeration() -> None:
    pairs = [
        set(a) & set(b)
        for a in itertools.combinations(range(6), 2)
        for b in itertools.combinations(range(6), 2)
    ]
    assert guessing_links(6, 2) == pytest.approx(np.mean([bool(p) for p in pairs]))


def test_equal_samples_are_chosen_from_at_random() -> None:
    # all samples are equal on both sides: a link is a coincidence of two random choices
    space = Table((Column("a", "boolean", ("no", "yes")), Column("b", "boolean", ("no", "yes"))))
    sides = Gower(space, (0,)), Gower(space, (1,))
    x = np.zeros((40, 2))
    share = np.mean([linked(x[:1], x, sides, 1, seed)[0] for seed in range(400)])
    # four standard errors of 1/40 are 0.031
    assert share < 0.06


def test_guesses_of_a_secret_brute_force() -> None:
    rng = np.random.default_rng(8)
    x, y, z = (mixed_rows(n, rng) for n in (80, 60, 60))
    score = attribute_inference(x, y, z, MIXED, "weight", ["count", "size"], tolerance=0.1)
    column = MIXED.columns[3]
    right = 0
    chance = []
    for row in y:
        distance = (x[:, 1] != row[1]) + np.abs(x[:, 2] - row[2]) / 8
        near = distance == distance.min()
        hits = matches(x[:, 3], np.full(80, row[3]), column, 0.1)
        right += hits[near].mean()
        chance.append(hits.mean())
    said = score.warnings[0]
    # ties are broken at random: the expected number, give or take
    rate = float(said.split("successful on ")[1].split("%")[0]) / 100
    assert rate == pytest.approx(right / 60, abs=0.12)
    assert f"{np.mean(chance):.1%} by guessing" in said
    assert score.name == "attribute inference [weight] train vs test"


def test_what_the_world_predicts_is_no_leak() -> None:
    rng = np.random.default_rng(9)
    space = Table((Column("a", "integer", low=0, high=9), Column("b", "integer", low=0, high=9)))
    x, y, z = (
        np.repeat(rng.integers(0, 10, size=(200, 1)), 2, axis=1).astype(float) for _ in range(3)
    )
    score = attribute_inference(x, y, z, space, "b")
    assert "successful on 100.0% of training rows, 100.0% of test rows" in score.warnings[0]
    assert score.value == 0.0


def test_attacks_of_the_engine() -> None:
    rng = np.random.default_rng(10)
    x, y, z = (mixed_rows(80, rng) for _ in range(3))
    how = AttackSetting(attacks=50)
    evaluation = Evaluation(
        [
            SinglingOut(MIXED, how),
            Linkability(MIXED, (["colour", "count"], ["size"]), how, neighbours=2),
            AttributeInference(MIXED, "size", how=how),
        ]
    )
    state = evaluation.init()
    for role, rows in (("samples", x), ("train", y), ("heldout", z)):
        state = evaluation.take(state, role, rows)
    found = [measured.score for measured in evaluation.compute(state)]
    assert [s.name for s in found] == [
        "singling out [single values] train vs test",
        "singling out [4 columns] train vs test",
        "linkability [data] train vs test",
        "attribute inference [size] train vs test",
    ]
    assert evaluation.compute(state)[2].score == found[2]


def test_refusals() -> None:
    x = mixed_rows(40, np.random.default_rng(11))
    with pytest.raises(BadInput, match="sets without a common column"):
        linkability(x, x, x, MIXED, (["count"], ["count", "size"]))
    with pytest.raises(BadInput, match="unknown column 'cuont'"):
        linkability(x, x, x, MIXED, (["cuont"], ["size"]))
    with pytest.raises(BadInput, match="40 samples: expected at least 42"):
        linkability(x, x, x, MIXED, neighbours=21)
    with pytest.raises(BadInput, match="a secret column among the known ones"):
        attribute_inference(x, x, x, MIXED, "size", ["size", "count"])
    with pytest.raises(BadInput, match="10 held-out rows: expected at least 20"):
        singling_out(x, x, x[:10], MIXED)
    one = Table(MIXED.columns[:1])
    with pytest.raises(BadInput, match="a table of one column"):
        linkability(x[:, :1], x[:, :1], x[:, :1], one)
    with pytest.raises(BadInput, match="a table of one column"):
        attribute_inference(x[:, :1], x[:, :1], x[:, :1], one)
