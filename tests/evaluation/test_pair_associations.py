"""Associations of columns: against scipy, between subsets of rows, and as a score that sees lost dependence and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import crosstab

from mixed_tables import MIXED, mixed_rows, shuffled
from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.table.associations import (
    Associations,
    halves,
    leave_one_out,
    squared_cramers_v,
)
from pushforward.evaluation.table.items import block_of
from pushforward.evaluation.table.pair_associations import (
    PairAssociations,
    association_items,
    pair_associations,
)

GONE = missing_mark(MIXED.columns[3])
NAMES = (
    "'count' with 'weight'",
    "'colour' with 'size'",
    "'colour' with 'count'",
    "'colour' with 'weight'",
    "'size' with 'count'",
    "'size' with 'weight'",
)


def bergsma(a: np.ndarray, b: np.ndarray) -> float:
    """Bias-corrected Cramér's V from scipy's chi-square, step by step."""
    counts = crosstab(a, b).count
    n, (r, c) = counts.sum(), counts.shape
    phi2 = stats.chi2_contingency(counts, correction=False).statistic / n - (r - 1) * (c - 1) / (
        n - 1
    )
    return float(
        np.sign(phi2)
        * np.sqrt(abs(phi2) / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1))
    )


def ratio(categories: np.ndarray, numbers: np.ndarray) -> float:
    """Bias-corrected correlation ratio of ranks from scipy's Kruskal-Wallis statistic."""
    groups = [numbers[categories == level] for level in np.unique(categories)]
    n = len(numbers)
    eta2 = stats.kruskal(*groups).statistic / (n - 1)
    corrected = 1 - (1 - eta2) * (n - 1) / (n - len(groups))
    return float(np.sign(corrected) * np.sqrt(abs(corrected)))


def whole(rows: np.ndarray, space: Table = MIXED) -> np.ndarray:
    """Associations of all rows."""
    found = Associations(rows, space, np.zeros(len(rows), dtype=np.int64))
    return found.rooted(found.of(np.ones((1, 20), dtype=bool)))[0]


def by_scipy(x: np.ndarray) -> list[float]:
    known = x[:, 3] != GONE
    spearman = stats.spearmanr(x[known, 2], x[known, 3]).statistic
    return [
        float(spearman),
        bergsma(x[:, 0], x[:, 1]),
        ratio(x[:, 0], x[:, 2]),
        ratio(x[known, 0], x[known, 3]),
        ratio(x[:, 1], x[:, 2]),
        ratio(x[known, 1], x[known, 3]),
    ]


def test_all_kinds_of_pairs_agree_with_scipy() -> None:
    x = mixed_rows(400, np.random.default_rng(0))
    assert Associations(x, MIXED, np.zeros(400, dtype=np.int64)).names == NAMES
    values = whole(x)
    assert values[1:] == pytest.approx(by_scipy(x)[1:], rel=1e-10)
    # a count of a row whose weight is missing still ranks the other counts: 40 rows of 400 move the correlation little
    assert values[0] == pytest.approx(by_scipy(x)[0], abs=0.003)
    assert values.min() > 0.2


def test_spearman_is_exact_where_nothing_is_missing_ties_included() -> None:
    rng = np.random.default_rng(1)
    x = np.stack(
        [rng.integers(0, 5, 300).astype(float), -rng.normal(size=300), np.zeros(300)], axis=1
    )
    x[:, 1] -= x[:, 0]
    space = Table(tuple(Column(n, "continuous", low=-9.0, high=9.0) for n in "abc"))
    values = whole(x, space)
    assert values[0] == pytest.approx(stats.spearmanr(x[:, 0], x[:, 1]).statistic, rel=1e-10)
    assert values[0] < -0.5
    assert values[1:].tolist() == [0.0, 0.0]


def test_a_subset_of_blocks_is_a_subset_of_rows() -> None:
    x = mixed_rows(500, np.random.default_rng(2))
    blocks = block_of(np.arange(500))
    found = Associations(x, MIXED, blocks)
    keep = np.concatenate([leave_one_out()[[0, 5]], halves(0, 2)])
    values = found.rooted(found.of(keep))
    for kept, row in zip(keep, values, strict=True):
        assert row[1:] == pytest.approx(by_scipy(x[kept[blocks]])[1:], rel=1e-10)
        assert row == pytest.approx(whole(x[kept[blocks]]), rel=1e-10)


def test_halves_are_complements_and_leave_one_out_leaves_one_out() -> None:
    cut = halves(3, 5)
    assert (cut[::2] != cut[1::2]).all()
    assert cut.sum(axis=1).tolist() == [10] * 10
    assert leave_one_out().sum(axis=1).tolist() == [20] + [19] * 20


def test_cramers_v_corrects_its_bias_and_survives_empty_levels() -> None:
    rng = np.random.default_rng(3)
    place = np.arange(30)
    rows, columns = place // 6, place % 6
    independent = rng.multinomial(100, np.full(30, 1 / 30), size=400).astype(float)
    # uncorrected: sqrt(chi^2 / n / 4) averages sqrt(20/100/4) = 0.22
    found = squared_cramers_v(independent, rows, columns)
    # the corrected square averages zero: its standard deviation is 0.016, its standard error 0.0008
    assert abs(found.mean()) < 0.003
    assert 0.3 < (found < 0).mean() < 0.7
    counts = np.zeros((1, 30))
    counts[0, [0, 7, 14]] = 40.0
    assert squared_cramers_v(counts, rows, columns)[0] == pytest.approx(1.0, abs=1e-12)
    counts[:] = 0.0
    counts[0, [0, 1]] = 40.0
    assert squared_cramers_v(counts, rows, columns).tolist() == [0.0]


def test_the_score_is_the_mean_difference_and_names_the_worst_pair() -> None:
    rng = np.random.default_rng(4)
    x, y = mixed_rows(500, rng), mixed_rows(400, rng)
    x[:, 2] = rng.permutation(x[:, 2])
    score = pair_associations(x, y, MIXED)
    items = association_items(x, y, MIXED)
    a, b = whole(x), whole(y)
    assert items.values == pytest.approx(np.abs(a - b))
    assert score.value == pytest.approx(np.abs(a - b).mean())
    assert score.warnings[0].startswith("furthest from test: 'count' with 'weight' 0.")
    assert "'colour' with 'weight'" not in score.warnings[0]


def test_wrong_columns_with_the_right_dependence_are_right() -> None:
    rng = np.random.default_rng(5)
    x, y = mixed_rows(500, rng), mixed_rows(500, rng)
    x[:, 2] = 8 - 7 * np.exp(-x[:, 2])
    known = x[:, 3] != GONE
    x[known, 3] = x[known, 3] ** 3 / 16
    score = pair_associations(x, y, MIXED)
    assert score.low <= score.null <= score.high
    assert score.warnings == ()


@pytest.mark.parametrize(("share", "coverage"), [(0.0, (0.95, 1.0)), (0.8, (0.93, 0.995))])
def test_the_interval_covers_and_the_null_is_the_mean_of_equal_laws(
    share: float, coverage: tuple[float, float]
) -> None:
    # 300 repetitions: the standard error of a coverage of 95 % is 1.3 %; the jackknife is conservative (Efron-Stein)
    rng, space = np.random.default_rng(6), Table(MIXED.columns[1:])
    found = [
        pair_associations(
            shuffled(mixed_rows(240, rng)[:, 1:], rng, share),
            mixed_rows(200, rng)[:, 1:],
            space,
            seed=i,
        )
        for i in range(300)
    ]
    mean = np.mean([s.value for s in found])
    assert coverage[0] <= np.mean([s.low <= mean <= s.high for s in found]) <= coverage[1]
    null = np.mean([s.null for s in found])
    if share == 0.0:
        assert null == pytest.approx(mean, rel=0.12)
    else:
        assert null < 0.6 * mean


def test_the_engine_measures_the_same() -> None:
    rng = np.random.default_rng(7)
    x, y = mixed_rows(300, rng), mixed_rows(240, rng)
    evaluation = Evaluation([PairAssociations(MIXED)])
    state = evaluation.take(evaluation.take(evaluation.init(), "samples", x), "reference", y)
    (found,) = evaluation.compute(state)
    assert found.score.name == "pair associations [data] vs test"
    assert found.score.value == pytest.approx(pair_associations(x, y, MIXED).value, rel=1e-10)
    assert found.samples is not None
    assert found.reference is not None
    assert np.sqrt(found.samples.variance + found.reference.variance) == pytest.approx(
        found.score.stderr
    )


def test_tables_of_one_kind_and_refusals() -> None:
    rng = np.random.default_rng(8)
    x, y = mixed_rows(100, rng), mixed_rows(100, rng)
    for places in ([0, 1], [2, 3]):
        space = Table(tuple(MIXED.columns[p] for p in places))
        assert pair_associations(x[:, places], y[:, places], space).value < 0.3
    with pytest.raises(BadInput, match="a table of one column"):
        pair_associations(x[:, :1], y[:, :1], Table(MIXED.columns[:1]))
    with pytest.raises(BadInput, match="30 reference rows: expected at least 40"):
        pair_associations(x, y[:30], MIXED)
