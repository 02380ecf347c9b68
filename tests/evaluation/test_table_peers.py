"""Against SDMetrics, where it is right, and where it is not: each difference is shown on data that have it.

SDMetrics asks for pandas below 3, which would hold back the whole environment, so it is no declared dependency: these tests run
where someone has installed it without its own requirements.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixed_tables import MIXED, mixed_rows
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.table.associations import Associations
from pushforward.evaluation.table.column_shapes import column_items
from pushforward.evaluation.table.pair_shapes import pair_items

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip(
        "sdmetrics",
        reason="`pip install sdmetrics 'pandas<3'`, which an environment of its own needs, ends this",
    )
    from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
    from sdmetrics.single_column import KSComplement, TVComplement

pytestmark = pytest.mark.filterwarnings("ignore")
GONE = missing_mark(MIXED.columns[3])


def frame(rows: np.ndarray) -> pd.DataFrame:
    """Rows as the peer wants them: names of categories, None and NaN for what is missing."""
    columns = {}
    for place, column in enumerate(MIXED.columns):
        values = rows[:, place]
        if column.discrete:
            columns[column.name] = [column.categories[int(v)] if v >= 0 else None for v in values]
        else:
            columns[column.name] = (
                np.where(values == missing_mark(column), np.nan, values)
                if column.missing
                else values
            )
    return pd.DataFrame(columns)


def two() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return mixed_rows(500, rng, 0.3), mixed_rows(400, rng)


def test_columns_without_gaps_agree() -> None:
    x, y = two()
    shapes, _ = column_items(x, y, MIXED)
    a, b = frame(x), frame(y)
    assert 1 - TVComplement.compute(b["size"], a["size"]) == pytest.approx(
        shapes.values[1], abs=1e-12
    )
    assert 1 - KSComplement.compute(b["count"], a["count"]) == pytest.approx(
        shapes.values[2], abs=1e-12
    )


def test_pairs_of_categories_agree_gaps_included() -> None:
    x, y = two()
    items = pair_items(x, y, MIXED)
    a, b = (frame(side)[["colour", "size"]] for side in (x, y))
    assert 1 - ContingencySimilarity.compute(b, a) == pytest.approx(items.values[0], abs=1e-12)


def test_rank_correlations_agree_without_gaps() -> None:
    x, y = two()
    known_x, known_y = x[x[:, 3] != GONE][:, 2:], y[y[:, 3] != GONE][:, 2:]
    space = Table(MIXED.columns[2:])
    a, b = (
        Associations(side, space, np.zeros(len(side), dtype=np.int64)).of(
            np.ones((1, 20), dtype=bool)
        )[0, 0]
        for side in (known_x, known_y)
    )
    names = ["count", "weight"]
    real, synthetic = (pd.DataFrame(side, columns=names) for side in (known_y, known_x))
    found = CorrelationSimilarity.compute(real, synthetic, coefficient="Spearman")
    assert 2 * (1 - found) == pytest.approx(abs(a - b), abs=1e-12)


def test_the_peer_drops_what_is_missing_and_calls_a_table_without_gaps_perfect() -> None:
    values = np.linspace(-1.0, 1.0, 200)
    real = pd.Series(np.concatenate([values, np.full(200, np.nan)]))
    column = Column("x", "continuous", low=-1.0, high=1.0, missing=True)
    y = np.concatenate([values, np.full(200, missing_mark(column))])[:, None]
    assert KSComplement.compute(real, pd.Series(values)) == 1.0
    shapes, _ = column_items(values[:, None], y, Table((column,)))
    assert shapes.values[0] == pytest.approx(0.5)
    gaps = pd.Series(["a"] * 50 + [None] * 50)
    assert TVComplement.compute(gaps, pd.Series(["a"] * 50)) == 1.0


def test_the_peer_adds_a_millionth_for_every_new_category() -> None:
    real, synthetic = pd.Series(["a"] * 4), pd.Series(["a", "b", "b", "b"])
    found = TVComplement.compute(real, synthetic)
    assert found != 0.25
    assert found == pytest.approx(0.25, abs=1e-6)


def test_the_peer_refuses_a_collapsed_column() -> None:
    x = np.random.default_rng(1).normal(size=100)
    real, collapsed = pd.DataFrame({"a": x, "b": x}), pd.DataFrame({"a": x, "b": np.zeros(100)})
    with pytest.raises(Exception, match="constant"):
        CorrelationSimilarity.compute(real, collapsed, coefficient="Spearman")
    space = Table(tuple(Column(n, "continuous", low=-3.0, high=3.0) for n in "ab"))
    found = Associations(collapsed.to_numpy(), space, np.zeros(100, dtype=np.int64)).of(
        np.ones((1, 20), dtype=bool)
    )
    assert found.tolist() == [[0.0]]


def test_the_peer_gives_no_null_and_its_score_falls_with_the_sample() -> None:
    # two samples of one law: 1 - KS is 0.92 at a hundred rows and 0.99 at ten thousand
    rng = np.random.default_rng(2)
    small, large = (
        KSComplement.compute(pd.Series(rng.normal(size=n)), pd.Series(rng.normal(size=n)))
        for n in (100, 10_000)
    )
    assert small < 0.95 < large
    x, y = (rng.normal(size=(100, 1)).clip(-3, 3) for _ in range(2))
    shapes, _ = column_items(x, y, Table((Column("x", "continuous", low=-3.0, high=3.0),)))
    # Kolmogorov's mean at these sizes; 64 walks have a standard error of 4 %, and jumps take away a tenth
    assert shapes.null[0] == pytest.approx(np.sqrt(2 / 100 * np.pi / 2) * np.log(2), rel=0.2)
    assert shapes.values[0] == pytest.approx(stats.ks_2samp(x[:, 0], y[:, 0]).statistic)


def test_the_peers_equal_bins_hide_everything_behind_one_outlier() -> None:
    # equal bins of the real range: one outlier puts all other rows of both sides into one bin
    rng = np.random.default_rng(3)
    flags = rng.integers(0, 2, 400).astype(float)
    y = np.stack([np.append(rng.normal(size=399), 1e6), flags], axis=1)
    x = np.stack([rng.normal(size=400) + 3.0, flags], axis=1)
    real, synthetic = (pd.DataFrame({"a": side[:, 0], "b": side[:, 1]}) for side in (y, x))
    found = ContingencySimilarity.compute(real, synthetic, continuous_column_names=["a"])
    assert found > 0.99
    space = Table(
        (Column("a", "continuous", low=-4.0, high=1e6), Column("b", "boolean", ("no", "yes")))
    )
    assert pair_items(x, y, space).values[0] > 0.8


def test_the_peers_subsample_has_no_seed() -> None:
    # sdmetrics#790: the quality report subsamples 50,000 rows unasked, and the same two tables get another score each time
    x, y = two()
    a, b = (frame(side)[["colour", "size"]] for side in (x, y))
    found = {ContingencySimilarity.compute(b, a, num_rows_subsample=50) for _ in range(6)}
    assert len(found) > 1
    assert (pair_items(x, y, MIXED, seed=1).values == pair_items(x, y, MIXED, seed=1).values).all()
