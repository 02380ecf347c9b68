"""Does every column by itself look like the data's?

Two ideas: each kind of column has its distance in [0, 1], total variation of categories and
Kolmogorov-Smirnov of numbers, and a missing value counts in both; how far numbers have moved is
another question, answered in units of the training range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pushforward.core.measure import TABLE, Measure
from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.evaluation.table.items import (
    Items,
    TableMetric,
    Ways,
    both_sides,
    counts_by_block,
    leaving_out,
    on_table,
    shares,
    three_ways,
    total_variation,
    walks,
)

SHAPES = Measure(
    "column shapes",
    "How far each column by itself is from the data's, on average.",
    "Columns off",
    "0 to 1",
    TABLE,
)
TRANSPORT = Measure(
    "normalised wasserstein distance",
    "How far numbers have moved, in parts of the column's range.",
    "Numbers moved",
    "share of the range",
    TABLE,
)


def kolmogorov_smirnov(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return `max_v |F_v - G_v|` of two sets of shares on ascending values, along the last axis.

    Example:
        >>> kolmogorov_smirnov(np.array([[0.5, 0.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])).tolist()
        [0.5]
    """
    return np.abs((p - q).cumsum(axis=-1)).max(axis=-1)


def wasserstein(p: np.ndarray, q: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the 1-Wasserstein distance `int |F - G|` of two sets of shares on ascending `values`,
    along the last axis.

    Example:
        >>> wasserstein(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([2.0, 5.0])).tolist()
        [3.0]
    """
    return np.abs((p - q).cumsum(axis=-1)[..., :-1]) @ np.diff(values)


@dataclass(frozen=True)
class _Distance:
    """The distance of one column on all rows, without each block of either side, and by chance."""

    column: Column
    ways: Ways
    null: float


class _Counted:
    """The values of one column on either side, counted in blocks."""

    def __init__(
        self, x: np.ndarray, y: np.ndarray, blocks_x: np.ndarray, blocks_y: np.ndarray
    ) -> None:
        self.values, codes = np.unique(np.concatenate([x, y]), return_inverse=True)
        self.x = leaving_out(counts_by_block(codes[: len(x)], blocks_x, len(self.values)))
        self.y = leaving_out(counts_by_block(codes[len(x) :], blocks_y, len(self.values)))

    def shape(self, column: Column, walk: np.ndarray) -> _Distance:
        """Distance of the shapes; its null is the mean over walks that jump where pooled values are
        tied."""
        jumps = walk[:, (self.x[0] + self.y[0]).cumsum().astype(np.int64) - 1]
        p, q = shares(self.x), shares(self.y)
        if column.discrete:
            null = 0.5 * np.abs(np.diff(jumps, axis=1, prepend=0.0)).sum(axis=1)
            return _Distance(column, three_ways(total_variation, p, q), float(null.mean()))
        null = np.abs(jumps).max(axis=1)
        return _Distance(column, three_ways(kolmogorov_smirnov, p, q), float(null.mean()))

    def transport(self, column: Column) -> _Distance:
        """Distance of the known numbers in training ranges.

        Its null comes from `F_n(v) - G_m(v)` being normal: `E |F_n - G_m| = sqrt(2/pi (1/n + 1/m) G
        (1 - G))`. Only the reference is asked for G, because one absurd sample would raise a null
        that pools the two.
        """
        known = (
            self.values != missing_mark(column)
            if column.missing
            else np.ones(len(self.values), dtype=bool)
        )
        values = (self.values[known] - column.low) / (column.high - column.low)
        p, q = shares(self.x[:, known]), shares(self.y[:, known])

        def moved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            # a side without any known number is as far away as the range is long
            return np.where(
                a.any(axis=-1) & b.any(axis=-1),
                wasserstein(a, b, values),
                a.any(axis=-1) != b.any(axis=-1),
            )

        below = q[0].cumsum()[:-1].clip(0.0, 1.0)
        n, m = (max(1.0, float(side[0, known].sum())) for side in (self.x, self.y))
        null = math.sqrt(2.0 / math.pi * (1.0 / n + 1.0 / m)) * float(
            np.sqrt(below * (1.0 - below)) @ np.diff(values)
        )
        return _Distance(column, three_ways(moved, p, q), null)


def _items(found: list[_Distance]) -> Items:
    return Items.of(
        tuple(f"'{d.column.name}'" for d in found),
        [d.ways for d in found],
        np.array([d.null for d in found]),
    )


def column_items(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    seed: int = 0,
    sample_ids: np.ndarray | None = None,
    reference_ids: np.ndarray | None = None,
) -> tuple[Items, Items | None]:
    """Return the distances of all columns' shapes, and the Wasserstein distances of those that hold
    numbers, if any.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        reference: real rows, filled, shape (m, columns).
        space: the table's columns.
        seed: seed of the random orders behind the null.
        sample_ids: identities of the samples, which decide their blocks; their positions by
            default.
        reference_ids: the same for the reference.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(100, 1))
        >>> space = Table((Column("x", "continuous", low=-2.0, high=2.0),))
        >>> shape, moved = column_items(x[:50] + 1.0, x[:50], space)
        >>> shape.names, round(float(moved.values[0]), 12)
        (("'x'",), 0.25)
    """
    x, y, blocks_x, blocks_y = both_sides(samples, reference, space, sample_ids, reference_ids)
    walk = walks(len(x), len(y), seed)
    shapes, moves = [], []
    for place, column in enumerate(space.columns):
        counted = _Counted(x[:, place], y[:, place], blocks_x, blocks_y)
        shapes.append(counted.shape(column, walk))
        if not column.discrete and column.high > column.low:
            moves.append(counted.transport(column))
    return _items(shapes), _items(moves) if moves else None


def column_shapes(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    reference_name: str = "test",
    seed: int = 0,
) -> list[Score]:
    """Score the columns one by one: the mean distance of their shapes, and how far their numbers
    have moved.

    Column shapes: the mean over columns of the total variation `1/2 sum_v |p_v - q_v|` of
    categories, a missing value being one, and of the Kolmogorov-Smirnov distance `max_v |F(v) -
    G(v)|` of numbers, a missing value lying below all of them. Normalised Wasserstein distance: the
    mean over columns of numbers of `int |F - G|` over the training range, known values only; left
    out if no column holds numbers that vary. It sees how far, the shapes see how many.

    Both are biased upwards: read them against their null, the expected value at these sizes.
    `column_items` has every column's.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        reference: real rows, filled, shape (m, columns).
        space: the table's columns.
        reference_name: which split `reference` is.
        seed: seed of the random orders behind the null.

    Raises:
        BadInput: fewer than 40 rows on a side, NaN, or another width.

    Example:
        >>> x = np.random.default_rng(0).integers(0, 3, size=(200, 1)).astype(float)
        >>> space = Table((Column("colour", "categorical", ("red", "green", "blue")),))
        >>> score, = column_shapes(x[:100].clip(max=1), x[100:], space)
        >>> score.name, score.low > score.null, score.warnings[0].split(" (")[0][:28]
        ('column shapes [data] vs test', True, "furthest from test: 'colour'")
    """
    n, m = len(samples), len(reference)
    found = ColumnShapes(space, reference_name, seed).measure(
        samples, reference, np.arange(n), np.arange(m)
    )
    return [measured.score for measured in found]


class ColumnShapes(TableMetric):
    """`column_shapes` of the rows that an evaluation keeps."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the mean distance of shapes and, if a column holds numbers, the mean Wasserstein
        distance."""
        shapes, moves = column_items(x, y, self.space, self.seed, x_ids, y_ids)
        out = [shapes.mean(SHAPES, len(x), self.reference_name)]
        return out if moves is None else [*out, moves.mean(TRANSPORT, len(x), self.reference_name)]


METRIC = Metric(
    "column shapes",
    SHAPES.says.removesuffix("."),
    (SHAPES, TRANSPORT),
    on_table(ColumnShapes),
    ("table",),
)
