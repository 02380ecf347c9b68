"""Distances of mixed rows, and who is closest: brute force, coverage for honest and leaking models, the trap of fitted features."""

from __future__ import annotations

import numpy as np
import pytest

from mixed_tables import MIXED, mixed_rows
from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.features.columns import ColumnFeatures
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.table import gower as module
from pushforward.evaluation.table.distance_to_closest import (
    Closest,
    ClosestRecord,
    closest,
    closest_record,
    effective_flips,
)
from pushforward.evaluation.table.gower import Gower

GONE = missing_mark(MIXED.columns[3])


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Gower's distance of two rows of MIXED, one column after the other."""
    total = float(a[0] != b[0]) + float(a[1] != b[1]) + abs(a[2] - b[2]) / 8
    if (a[3] == GONE) != (b[3] == GONE):
        known = b[3] if a[3] == GONE else a[3]
        return (total + 0.5 + abs((known + 4) / 8 - 0.5)) / 4
    return (total + (0.0 if a[3] == GONE else abs(a[3] - b[3]) / 8)) / 4


def matrix(gower: Gower, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.concatenate([d for _, d in gower.tiles(gower(x), gower(y))])


def test_gower_by_hand_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = mixed_rows(30, rng), mixed_rows(40, rng)
    expected = np.array([[by_hand(a, b) for b in y] for a in x])
    np.testing.assert_allclose(matrix(Gower(MIXED), x, y), expected, atol=1e-12)
    monkeypatch.setattr(module, "TILE_NUMBERS", 90)
    assert [d.shape for _, d in Gower(MIXED).tiles(x[:5], y)] == [(2, 40), (2, 40), (1, 40)]
    np.testing.assert_allclose(matrix(Gower(MIXED), x, y), expected, atol=1e-12)
    index = Gower(MIXED).nearest(Gower(MIXED)(x), Gower(MIXED)(y), 3)
    np.testing.assert_allclose(
        np.sort(np.take_along_axis(expected, index, 1)), np.sort(expected)[:, :3], atol=1e-12
    )


def test_gower_of_some_columns_and_of_a_constant_one() -> None:
    space = Table(
        (Column("a", "integer", low=5, high=5), Column("b", "continuous", low=0.0, high=2.0))
    )
    x = np.array([[5.0, 0.0], [6.0, 1.0]])
    assert matrix(Gower(space), x, x).tolist() == [[0.0, 0.75], [0.75, 0.0]]
    assert matrix(Gower(space, (0,)), x, x).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert Gower(space).fingerprint != Gower(space, (0,)).fingerprint
    with pytest.raises(BadInput, match="no columns to compare"):
        Gower(space, ())


def test_closest_brute_force_with_ties_and_equal_rows() -> None:
    y = np.array([[0.0], [0.0], [3.0], [7.0]])
    found = closest(np.array([[0.0], [1.0], [3.0], [5.0]]), y)
    assert found.first.tolist() == [0.0, 1.0, 0.0, 2.0]
    assert found.second.tolist() == [0.0, 1.0, 3.0, 2.0]
    # two equal rows single out neither; one row met exactly is singled out
    assert found.ratio.tolist() == [1.0, 1.0, 0.0, 1.0]


def test_ties_count_half_and_the_sets_are_cut_to_equal_size() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(50, 2))
    share = closest_record(rng.normal(size=(40, 2)), y, y, "identity")[0]
    assert (share.value, share.null) == (0.5, 0.5)
    train = np.concatenate([y, rng.normal(size=(450, 2))])
    cut = closest_record(
        rng.normal(size=(400, 2)), train, rng.normal(size=(50, 2)), "identity", seed=3
    )[0]
    # uncut, nine tenths would be closer to train
    assert 0.3 < cut.value < 0.7
    assert (
        cut.warnings[1]
        == "only 10% of the training rows were kept: a copy of one that was not counts half"
    )


def test_shared_neighbours_are_one_coin() -> None:
    h = 30
    index = np.repeat([0, 1, 2], 10)
    near, far = Closest(index, np.zeros(30), np.ones(30)), Closest(index, np.ones(30), np.ones(30))
    # three equal clusters: sum of squares 1/3
    assert effective_flips(near, far, h) == pytest.approx(1 / (60 / 59 * (1 / 3 - 1 / 60)))
    apart = Closest(np.arange(30), np.zeros(30), np.ones(30))
    assert effective_flips(apart, far, h) == 30


def honest(rng: np.random.Generator, y: np.ndarray, n: int) -> np.ndarray:
    return rng.normal(size=(n, 2))


def collapsed(rng: np.random.Generator, y: np.ndarray, n: int) -> np.ndarray:
    return rng.normal(size=(6, 2))[rng.integers(0, 6, n)] + 0.05 * rng.normal(size=(n, 2))


def leaking(rng: np.random.Generator, y: np.ndarray, n: int) -> np.ndarray:
    copies = y[rng.integers(0, len(y), n)] + 1e-3 * rng.normal(size=(n, 2))
    return np.where(rng.random((n, 1)) < 0.4, copies, honest(rng, y, n))


@pytest.mark.parametrize(("model", "share"), [(honest, 0.5), (collapsed, 0.5), (leaking, 0.7)])
def test_the_interval_covers(model, share: float) -> None:
    # 400 repetitions: the standard error of a coverage of 95 % is 1.1 %; a binomial interval of 120 covers 54 % when collapsed
    rng, inside = np.random.default_rng(2), 0
    for _ in range(400):
        y, z = rng.normal(size=(80, 2)), rng.normal(size=(80, 2))
        score = closest_record(model(rng, y, 120), y, z, "identity")[0]
        inside += score.low <= share <= score.high
    assert 0.925 <= inside / 400 <= 0.985


def test_quantiles_lie_between_order_statistics_that_cover() -> None:
    # samples uniform, one training row at 0 and the others far away: the distance to it is uniform with 5 % quantile 0.05
    rng, inside = np.random.default_rng(3), 0
    y = np.concatenate([[0.0], np.full(19, 1e6)])[:, None]
    for _ in range(400):
        score = closest_record(rng.random((100, 1)), y, rng.random((20, 1)), "identity")[1]
        inside += score.low <= 0.05 <= score.high
        assert score.low <= score.value <= score.high
    # at least nominal: ranks are whole numbers
    assert 0.94 <= inside / 400 <= 0.995


def test_copies_are_closer_than_held_out_rows_come() -> None:
    rng = np.random.default_rng(4)
    y, z = mixed_rows(300, rng), mixed_rows(300, rng)
    gower = Gower(MIXED)
    fresh = [
        s.value - s.null
        for s in closest_record(
            gower(mixed_rows(300, rng)), gower(y), gower(z), "gower", measure=gower.tiles
        )
    ]
    assert np.abs(fresh).max() < 0.25
    share, distance, ratio = closest_record(
        gower(y[:200]), gower(y), gower(z), "gower", measure=gower.tiles
    )
    assert share.low > 0.85
    assert distance.value == 0.0 < distance.null
    assert ratio.value == 0.0


def test_features_fitted_on_train_are_a_trap() -> None:
    # one column of numbers: between two training values all ranks are equal, so held-out rows tie with samples at distance zero
    rng, space = np.random.default_rng(5), Table((Column("x", "continuous", low=-3.5, high=3.5),))
    y, z, x = (rng.normal(size=(200, 1)) for _ in range(3))
    ranks, gower = ColumnFeatures(space, y), Gower(space)
    fooled = closest_record(ranks(x), ranks(y), ranks(z), ranks.name)[0]
    fair = closest_record(gower(x), gower(y), gower(z), gower.name, measure=gower.tiles)[0]
    assert fooled.high < 0.5
    assert fair.low < 0.5 < fair.high


def test_the_engine_measures_the_same_in_either_distance() -> None:
    rng = np.random.default_rng(6)
    x, y, z = (mixed_rows(60, rng) for _ in range(3))
    gower, columns = Gower(MIXED), ColumnFeatures(MIXED, y)
    evaluation = Evaluation([ClosestRecord(gower), ClosestRecord(columns, "validation")])
    state = evaluation.init()
    for role, rows in (("samples", x), ("train", y), ("heldout", z)):
        state = evaluation.take(state, role, rows)
    found = [measured.score for measured in evaluation.compute(state)]
    assert [s.name for s in found[:3]] == [
        "share closer to train [gower] train vs test",
        "distance to closest record, 5 % quantile [gower] vs train",
        "nearest neighbour distance ratio, 5 % quantile [gower] vs train",
    ]
    expected = closest_record(gower(x), gower(y), gower(z), "gower", measure=gower.tiles)
    assert [s.value for s in found[:3]] == pytest.approx([s.value for s in expected])
    assert found[3].name.endswith("train vs validation")
    assert found[3].features == columns.fingerprint


def test_refusals() -> None:
    x = np.random.default_rng(7).normal(size=(30, 2))
    with pytest.raises(BadInput, match="19 held-out rows: expected at least 20"):
        closest_record(x, x, x[:19], "identity")
    with pytest.raises(BadInput, match="rows of 2 and 1 numbers"):
        closest_record(x, x[:, :1], x, "identity")
