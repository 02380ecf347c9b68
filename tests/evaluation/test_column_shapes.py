"""Shapes of columns and of pairs: scipy's statistics, enumerated nulls, intervals that cover, and the damage they must see."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mixed_tables import MIXED, mixed_rows, shuffled
from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.open import open_data
from pushforward.data.tables.marks import filled, missing_mark
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.table.column_shapes import ColumnShapes, column_items, column_shapes
from pushforward.evaluation.table.items import block_of, counts_by_block, leaving_out, walks
from pushforward.evaluation.table.pair_associations import pair_associations
from pushforward.evaluation.table.pair_shapes import PairShapes, binned, pair_items, pair_shapes

CALIFORNIA = (
    Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tables" / "california.csv"
)
GONE = missing_mark(MIXED.columns[3])


def two(
    seed: int = 0, n: int = 300, m: int = 240, shift: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return mixed_rows(n, rng, shift), mixed_rows(m, rng)


def test_every_column_has_scipys_distance() -> None:
    x, y = two()
    shapes, moved = column_items(x, y, MIXED)
    assert moved is not None
    assert shapes.names == ("'colour'", "'size'", "'count'", "'weight'")
    assert moved.names == ("'count'", "'weight'")
    for place in (0, 1):
        levels = np.arange(-1, 4)[:, None]
        gap = (x[:, place] == levels).mean(axis=1) - (y[:, place] == levels).mean(axis=1)
        assert shapes.values[place] == pytest.approx(np.abs(gap).sum() / 2, rel=1e-12)
    for place in (2, 3):
        # the mark lies below every number, so a missing value is the smallest one
        assert shapes.values[place] == pytest.approx(
            stats.ks_2samp(x[:, place], y[:, place]).statistic, rel=1e-12
        )
    known = x[x[:, 3] != GONE, 3], y[y[:, 3] != GONE, 3]
    assert moved.values[0] == pytest.approx(
        stats.wasserstein_distance(x[:, 2], y[:, 2]) / 8, rel=1e-12
    )
    assert moved.values[1] == pytest.approx(stats.wasserstein_distance(*known) / 8, rel=1e-12)


def test_replicates_are_the_distances_without_a_block_of_rows() -> None:
    x, y = two(seed=1)
    ids = np.random.default_rng(0).permutation(10_000)
    ids_x, ids_y = ids[:300], ids[5000:5240]
    shapes, moved = column_items(x, y, MIXED, 0, ids_x, ids_y)
    assert moved is not None
    for k in (0, 7, 19):
        less_x, less_y = x[block_of(ids_x) != k], y[block_of(ids_y) != k]
        assert shapes.without_samples[k, 3] == pytest.approx(
            stats.ks_2samp(less_x[:, 3], y[:, 3]).statistic
        )
        assert shapes.without_reference[k, 3] == pytest.approx(
            stats.ks_2samp(x[:, 3], less_y[:, 3]).statistic
        )
        assert moved.without_samples[k, 0] == pytest.approx(
            stats.wasserstein_distance(less_x[:, 2], y[:, 2]) / 8
        )
    levels = np.arange(3)[:, None]
    gap = (less_x[:, 1] == levels).mean(axis=1) - (y[:, 1] == levels).mean(axis=1)
    assert shapes.without_samples[19, 1] == pytest.approx(np.abs(gap).sum() / 2)


def test_counts_of_blocks_add_up() -> None:
    counts = counts_by_block(np.array([0, 1, 1, 2]), np.array([3, 3, 4, 19]), 3)
    assert counts.sum(axis=0).tolist() == [1, 2, 1]
    assert leaving_out(counts)[[0, 4]].tolist() == [[1, 2, 1], [0, 1, 1]]


def test_the_null_is_the_average_over_all_ways_to_divide_the_rows() -> None:
    # five pooled rows with ties, three of them samples: ten divisions, enumerated
    pooled = np.array([0.0, 0.0, 1.0, 2.0, 2.0])
    ends = np.array([1, 2, 4])
    ks, tv = [], []
    for chosen in itertools.combinations(range(5), 3):
        member = np.isin(np.arange(5), chosen)
        ks.append(stats.ks_2samp(pooled[member], pooled[~member]).statistic)
        counts = np.array(
            [[np.sum(pooled[side] == v) for v in (0.0, 1.0, 2.0)] for side in (member, ~member)]
        )
        tv.append(np.abs(counts[0] / 3 - counts[1] / 2).sum() / 2)
    walk = walks(3, 2, seed=0, repeats=20_000)[:, ends]
    # standard errors of the simulated means are below 0.002
    assert np.abs(walk).max(axis=1).mean() == pytest.approx(np.mean(ks), abs=0.008)
    assert np.abs(np.diff(walk, axis=1, prepend=0.0)).sum(axis=1).mean() / 2 == pytest.approx(
        np.mean(tv), abs=0.008
    )


def test_the_null_of_untied_numbers_is_kolmogorovs_mean() -> None:
    rng = np.random.default_rng(0)
    space = Table((Column("x", "continuous", low=-3.0, high=3.0),))
    shapes, moved = column_items(rng.normal(size=(2000, 1)), rng.normal(size=(1500, 1)), space)
    assert moved is not None
    # E sup |B| = sqrt(pi/2) ln 2; 64 walks have a standard error of 4 %, and jumps take away 2 %
    expected = np.sqrt(np.pi / 2) * np.log(2) * np.sqrt(1 / 2000 + 1 / 1500)
    assert shapes.null[0] == pytest.approx(expected, rel=0.12)
    # int sqrt(F (1 - F)) of a standard normal is 0.9032 by quadrature
    grid = np.linspace(-9, 9, 20_001)
    inside = np.sqrt(stats.norm.cdf(grid) * stats.norm.sf(grid)).sum() * (grid[1] - grid[0])
    assert moved.null[0] == pytest.approx(
        np.sqrt(2 / np.pi * (1 / 2000 + 1 / 1500)) * inside / 6, rel=0.03
    )


@pytest.mark.parametrize(("shift", "coverage"), [(0.0, (0.95, 1.0)), (0.5, (0.93, 0.985))])
def test_intervals_cover_the_expected_distance_and_the_null_is_it_when_nothing_differs(
    shift: float, coverage: tuple[float, float]
) -> None:
    # 300 repetitions: the standard error of a coverage of 95 % is 1.3 %; at the null the jackknife is conservative
    rng, space = np.random.default_rng(2), Table(MIXED.columns[::3])
    found = [
        column_shapes(
            mixed_rows(120, rng, shift)[:, ::3], mixed_rows(100, rng)[:, ::3], space, seed=i
        )
        for i in range(300)
    ]
    for k in range(2):
        values = np.array([scores[k].value for scores in found])
        inside = np.mean([scores[k].low <= values.mean() <= scores[k].high for scores in found])
        assert coverage[0] <= inside <= coverage[1]
        null = np.mean([scores[k].null for scores in found])
        if shift == 0.0:
            assert null == pytest.approx(values.mean(), rel=0.06)
        else:
            assert null < 0.75 * values.mean()


def test_the_worst_columns_are_named_and_a_perfect_model_is_not_scolded() -> None:
    x, y = two(seed=3, n=600, m=600, shift=0.0)
    assert column_shapes(x, y, MIXED)[0].warnings == ()
    x[:, 2] = 0.0
    shapes, moved = column_shapes(x, y, MIXED)
    assert shapes.warnings[0].startswith("furthest from test: 'count' 0.")
    assert "by chance" in shapes.warnings[0]
    assert "'weight'" not in shapes.warnings[0]
    assert moved.warnings[0].startswith("furthest from test: 'count'")


def test_missing_values_count() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(400, 1)).clip(-3, 3)
    space = Table((Column("x", "continuous", low=-3.0, high=3.0, missing=True),))
    x = y.copy()
    x[:100] = missing_mark(space.columns[0])
    shapes, moved = column_shapes(x, y, space)
    # a quarter of the mass went below every number
    assert shapes.value == pytest.approx(0.25, abs=1e-12)
    assert moved.value < 0.02
    x[:] = missing_mark(space.columns[0])
    shapes, moved = column_shapes(x, y, space)
    assert (shapes.value, moved.value) == (1.0, 1.0)


def test_one_absurd_number_does_not_hide_in_the_null() -> None:
    x, y = two(seed=4, shift=0.0)
    calm = column_shapes(x, y, MIXED)[1]
    x[0, 3] = 1e9
    wild = column_shapes(x, y, MIXED)[1]
    assert wild.value > 1e5
    assert wild.null == pytest.approx(calm.null, rel=1e-9)


def test_constant_and_discrete_tables_have_no_transport() -> None:
    space = Table(
        (Column("flag", "boolean", ("no", "yes")), Column("k", "integer", step=1.0, low=3, high=3))
    )
    rows = np.stack([np.arange(50.0) % 2, np.full(50, 3.0)], axis=1)
    scores = column_shapes(rows, rows[::-1].copy(), space)
    assert [s.name for s in scores] == ["column shapes [data] vs test"]
    assert scores[0].value == pytest.approx(0.0, abs=1e-12)


def test_refusals() -> None:
    x, y = two()
    with pytest.raises(BadInput, match="39 samples: expected at least 40; draw or provide 1 more"):
        column_shapes(x[:39], y, MIXED)
    with pytest.raises(BadInput, match="samples of 3 columns: expected the table's 4"):
        column_shapes(x[:, :3], y, MIXED)
    with pytest.raises(BadInput, match="a table of one column: expected two or more"):
        pair_shapes(x[:, :1], y[:, :1], Table(MIXED.columns[:1]))


def test_pairs_brute_force() -> None:
    x, y = two(seed=5)
    items = pair_items(x, y, MIXED)
    codes = [
        [binned(side[:, p], y[:, p], column) for p, column in enumerate(MIXED.columns)]
        for side in (x, y)
    ]
    for k, (i, j) in enumerate(itertools.combinations(range(4), 2)):
        cells = [list(zip(side[i].tolist(), side[j].tolist(), strict=True)) for side in codes]
        every = set(cells[0]) | set(cells[1])
        expected = sum(abs(cells[0].count(c) / 300 - cells[1].count(c) / 240) for c in every) / 2
        assert items.values[k] == pytest.approx(expected, rel=1e-12)
    assert items.names[1] == "'colour' with 'count'"


def test_bins_keep_spikes_apart_and_do_not_see_units() -> None:
    column = Column("x", "continuous", low=0.0, high=1e5)
    reference = np.concatenate([np.zeros(900), np.arange(1.0, 101.0)])
    zero, just_above, large = binned(np.array([0.0, 0.5, 1e5]), reference, column)
    assert zero < just_above
    assert just_above <= large
    x = np.random.default_rng(0).normal(size=500)
    np.testing.assert_array_equal(binned(x, x, column), binned(np.exp(x), np.exp(x), column))


def test_many_cells_are_counted_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = two(seed=6)
    dense = pair_items(x, y, MIXED)
    monkeypatch.setattr("pushforward.evaluation.table.pair_shapes.DENSE", 1)
    sparse = pair_items(x, y, MIXED)
    np.testing.assert_allclose(dense.values, sparse.values, rtol=1e-12)
    np.testing.assert_allclose(dense.without_samples, sparse.without_samples, rtol=1e-12)


def test_pairs_see_what_columns_cannot() -> None:
    rng = np.random.default_rng(7)
    x, y = mixed_rows(800, rng), mixed_rows(800, rng)
    real, broken = pair_shapes(x, y, MIXED), pair_shapes(shuffled(x, rng), y, MIXED)
    assert real.low <= real.null <= real.high
    assert real.warnings == ()
    assert broken.low > broken.null
    assert "furthest from test: " in broken.warnings[0]


def test_the_interval_of_pairs_covers() -> None:
    # 300 repetitions on two columns; conservative, since some cells hardly differ
    rng, space = np.random.default_rng(8), Table(MIXED.columns[1:3])
    found = [
        pair_shapes(
            shuffled(mixed_rows(100, rng)[:, 1:3], rng), mixed_rows(80, rng)[:, 1:3], space, seed=i
        )
        for i in range(300)
    ]
    mean = np.mean([s.value for s in found])
    assert 0.94 <= np.mean([s.low <= mean <= s.high for s in found]) <= 1.0


def test_the_engine_measures_the_same_and_blocks_carry_the_error() -> None:
    x, y = two(seed=9)
    evaluation = Evaluation([ColumnShapes(MIXED), PairShapes(MIXED)])
    state = evaluation.take(evaluation.take(evaluation.init(), "samples", x), "reference", y)
    found = evaluation.compute(state)
    assert [m.score.value for m in found] == pytest.approx(
        [*(s.value for s in column_shapes(x, y, MIXED)), pair_shapes(x, y, MIXED).value]
    )
    for measured in found:
        assert measured.samples is not None
        assert measured.reference is not None
        variance = measured.samples.variance + measured.reference.variance
        assert np.sqrt(variance) == pytest.approx(measured.score.stderr)
        assert measured.reference.ids.tolist() == list(range(20))


def test_real_rows_look_real_at_full_size() -> None:
    if not CALIFORNIA.is_file():
        pytest.skip("`california.csv` in ../shared/data/tables ends this")
    data = open_data(CALIFORNIA)
    assert isinstance(data.space, Table)
    train, test = (filled(part.x.numpy(), data.space) for part in (data.train, data.test))
    scores = [*column_shapes(train, test, data.space), pair_shapes(train, test, data.space)]
    scores.append(pair_associations(train, test, data.space))
    for score in scores:
        assert score.low <= score.null
        assert score.warnings == ()
    broken = shuffled(train, np.random.default_rng(0))
    assert column_shapes(broken, test, data.space)[0].value == pytest.approx(scores[0].value)
    assert pair_shapes(broken, test, data.space).low > 2 * scores[2].null
    assert pair_associations(broken, test, data.space).low > 5 * scores[3].null


def test_inputs_stay_and_equal_inputs_give_equal_outputs() -> None:
    x, y = two(seed=10)
    before = x.copy(), y.copy()
    assert column_shapes(x, y, MIXED, seed=3) == column_shapes(x, y, MIXED, seed=3)
    assert (x == before[0]).all()
    assert (y == before[1]).all()
