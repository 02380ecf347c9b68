"""Do two columns together look like the data's?

Two ideas: a pair of columns is a table of counts, numbers being cut at the reference's deciles, so
that any kind of dependence shows, not only a monotone one; the pairs share the rows, so their mean
is judged by leaving rows out and not pairs.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import TABLE, Measure
from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.evaluation.table.items import (
    Items,
    TableMetric,
    both_sides,
    counts_by_block,
    leaving_out,
    on_table,
    shares,
    three_ways,
    total_variation,
    walks,
)

PAIR_SHAPES = Measure(
    "pair shapes",
    "How far two columns together are from the data's.",
    "Pairs of columns off",
    "0 to 1",
    TABLE,
)
BINS = 10
DENSE = 1 << 16  # cells of a pair that are counted without looking which of them occur


def binned(x: np.ndarray, reference: np.ndarray, column: Column, bins: int = BINS) -> np.ndarray:
    """Return whole numbers that stand for the values of a column: categories as they are, numbers
    by where they lie.

    Numbers are cut at the reference's quantiles, or at its values if there are at most `bins`; a
    value that equals a cut has a place of its own, so a spike, such as a zero that most rows have,
    is not mixed with its neighbours. Missing values have one too.

    Args:
        x: values of the column, shape (n,).
        reference: the reference's values, shape (m,).
        column: what they are.
        bins: number of quantile bins.

    Example:
        >>> column = Column("x", "continuous", low=0.0, high=9.0, missing=True)
        >>> reference = np.array([missing_mark(column), 0.0, 0.0, 4.0, 9.0])
        >>> binned(np.array([missing_mark(column), 0.0, 3.0, 4.0, 50.0]), reference, column).tolist()
        [0, 2, 3, 4, 7]
    """
    if column.discrete:
        return x.astype(np.int64)
    known = (
        reference != missing_mark(column) if column.missing else np.ones(len(reference), dtype=bool)
    )
    cuts = np.unique(reference[known])
    if len(cuts) > bins:
        cuts = np.unique(np.quantile(reference[known], np.arange(1, bins) / bins))
    places = 1 + np.searchsorted(cuts, x, "left") + np.searchsorted(cuts, x, "right")
    return np.where(x == missing_mark(column), 0, places) if column.missing else places


def _codes(x: np.ndarray, y: np.ndarray, column: Column) -> tuple[np.ndarray, int]:
    """Codes 0, 1, ... of both sides' values of one column, samples first, and how many there
    are."""
    both = np.concatenate([binned(x, y, column), binned(y, y, column)])
    values, codes = np.unique(both, return_inverse=True)
    return codes, len(values)


def pair_items(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    seed: int = 0,
    sample_ids: np.ndarray | None = None,
    reference_ids: np.ndarray | None = None,
) -> Items:
    """Return the total variation of every pair of columns; arguments as of
    `column_shapes.column_items`.

    Example:
        >>> x = np.random.default_rng(0).integers(0, 2, size=(200, 2)).astype(float)
        >>> space = Table(tuple(Column(n, "boolean", ("no", "yes")) for n in "ab"))
        >>> found = pair_items(x[:, [0, 0]], x, space)
        >>> found.names, bool(np.isclose(found.values[0], (x[:, 0] != x[:, 1]).mean()))
        (("'a' with 'b'",), True)
    """
    if len(space.columns) < 2:
        raise BadInput(
            "a table of one column", "two or more", "pairs say nothing of a single column"
        )
    x, y, blocks_x, blocks_y = both_sides(samples, reference, space, sample_ids, reference_ids)
    walk = walks(len(x), len(y), seed)
    coded = [_codes(x[:, place], y[:, place], column) for place, column in enumerate(space.columns)]
    names, ways, null = [], [], []
    for i, j in combinations(range(len(coded)), 2):
        (first, _), (second, size) = coded[i], coded[j]
        cells, number = first * size + second, coded[i][1] * size
        if number > DENSE:
            present, cells = np.unique(cells, return_inverse=True)
            number = len(present)
        p = leaving_out(counts_by_block(cells[: len(x)], blocks_x, number))
        q = leaving_out(counts_by_block(cells[len(x) :], blocks_y, number))
        ends = (p[0] + q[0]).cumsum().astype(np.int64)
        jumps = np.diff(walk[:, ends[ends > 0] - 1], axis=1, prepend=0.0)
        names.append(f"'{space.columns[i].name}' with '{space.columns[j].name}'")
        ways.append(three_ways(total_variation, shares(p), shares(q)))
        null.append(0.5 * float(np.abs(jumps).sum(axis=1).mean()))
    return Items.of(tuple(names), ways, np.array(null))


def pair_shapes(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    reference_name: str = "test",
    seed: int = 0,
) -> Score:
    """Score the pairs of columns: the mean over pairs of the total variation `1/2 sum_{uv} |p_uv -
    q_uv|` of their tables.

    Numbers are cut as `binned` says, a missing value is a value. The distance of a pair is at least
    that of either of its columns, and biased upwards the more cells it has: read it against its
    null, the expected value at these sizes.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        reference: real rows, filled, shape (m, columns).
        space: the table's columns.
        reference_name: which split `reference` is.
        seed: seed of the random orders behind the null.

    Raises:
        BadInput: one column only, fewer than 40 rows on a side, NaN, or another width.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> space = Table(tuple(Column(n, "continuous", low=-4.0, high=4.0) for n in "ab"))
        >>> curved = np.stack([x[:, 0], x[:, 0] ** 2 - 1], axis=1)
        >>> pair_shapes(x[:200], curved[200:], space).low > 0.5
        True
    """
    found = PairShapes(space, reference_name, seed)
    return found.measure(samples, reference, np.arange(len(samples)), np.arange(len(reference)))[
        0
    ].score


class PairShapes(TableMetric):
    """`pair_shapes` of the rows that an evaluation keeps."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the mean total variation of pairs."""
        items = pair_items(x, y, self.space, self.seed, x_ids, y_ids)
        return [items.mean(PAIR_SHAPES, len(x), self.reference_name)]


METRIC = Metric.of(PAIR_SHAPES, on_table(PairShapes), "two columns", spaces=("table",))
