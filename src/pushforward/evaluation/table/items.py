"""Means over the columns or the pairs of a table, with an error that knows that they share the
rows.

Two ideas: whole rows are left out, block by block, and every item is computed again, so what the
items have in common is counted once; distances of two samples are positive even between equal
distributions, so an interval is for the expected value at these sizes, which is what the null is
the null of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.table import Table
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.intervals import jackknife, t_quantile
from pushforward.evaluation.measuring.batch import hashed
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Measured,
    MeasuredOn,
    Statistic,
    Terms,
    TwoSample,
)
from pushforward.evaluation.measuring.summaries import BLOCKED, BLOCKS

AT_LEAST = 2 * BLOCKS
NAMED = 3  # how many items a warning names
DOUBT = 0.01  # chance of naming any item of a perfect model
WALKS = 64
Ways = tuple[float, np.ndarray, np.ndarray]  # on all rows, and without each block of either side


def rows_of(x: np.ndarray, space: Table, role: str, at_least: int = 1) -> np.ndarray:
    """Return filled rows of a table as float64, refusing another number of columns.

    Args:
        x: rows in data units, missing values marked (see `data.tables.marks`), shape (n, columns).
        space: the table's columns.
        role: what the rows are, for the error.
        at_least: how many rows are needed.

    Raises:
        BadInput: too few rows, NaN, or another width than the table's.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("x", "continuous", low=0, high=1),))
        >>> rows_of(np.zeros((2, 3)), space, "samples")
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: samples of 3 columns: expected the table's 1
    """
    rows = as_rows(x, role, at_least)
    if rows.shape[1] != len(space.columns):
        raise BadInput(f"{role} of {rows.shape[1]} columns", f"the table's {len(space.columns)}")
    return rows


def block_of(ids: np.ndarray) -> np.ndarray:
    """Return the block of each identity, 0 to 19: the same row falls into the same block whatever
    it is compared with."""
    return (hashed(ids, BLOCKED) % np.uint64(BLOCKS)).astype(np.int64)


def both_sides(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    sample_ids: np.ndarray | None = None,
    reference_ids: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return samples and reference as checked rows, and the block of each row of either; identities
    are positions by default.

    Raises:
        BadInput: fewer than 40 rows on a side, NaN, or another width.
    """
    x = rows_of(samples, space, "samples", AT_LEAST)
    y = rows_of(reference, space, "reference rows", AT_LEAST)
    blocks_x = block_of(np.arange(len(x)) if sample_ids is None else sample_ids)
    return x, y, blocks_x, block_of(np.arange(len(y)) if reference_ids is None else reference_ids)


def counts_by_block(codes: np.ndarray, blocks: np.ndarray, size: int) -> np.ndarray:
    """Return how often each code occurs in each block, shape (20, size).

    Example:
        >>> counts_by_block(np.array([0, 2, 2]), np.array([0, 0, 19]), 3)[[0, 19]].tolist()
        [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    flat = np.bincount(blocks * size + codes, minlength=BLOCKS * size)
    return flat.reshape(BLOCKS, size).astype(np.float64)


def leaving_out(counts: np.ndarray) -> np.ndarray:
    """Return totals over all blocks and over all but each one: counts (20, size) become (21,
    size)."""
    total = counts.sum(axis=0)
    return np.concatenate([total[None], total - counts])


def shares(counts: np.ndarray) -> np.ndarray:
    """Return counts over their sum along the last axis; zeros where there is nothing."""
    total = counts.sum(axis=-1, keepdims=True)
    return counts / np.where(total > 0, total, 1.0)


def walks(n: int, m: int, seed: int, repeats: int = WALKS) -> np.ndarray:
    """Return running sums of `1/n` for a sample and `-1/m` for a reference row in random order,
    shape (repeats, n + m).

    The difference of two empirical distributions whose rows are exchangeable, whatever the
    distribution: between two places of a walk lies a difference of shares, and its largest
    excursion is a Kolmogorov-Smirnov statistic.

    Example:
        >>> walk = walks(2, 2, seed=0, repeats=5)
        >>> walk.shape, bool(np.abs(walk[:, -1]).max() < 1e-12)
        ((5, 4), True)
    """
    steps = np.concatenate([np.full(n, 1.0 / n), np.full(m, -1.0 / m)])
    return np.random.default_rng(seed).permuted(np.tile(steps, (repeats, 1)), axis=1).cumsum(axis=1)


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return `1/2 sum_v |p_v - q_v|` along the last axis.

    Example:
        >>> total_variation(np.array([[0.5, 0.5, 0.0]]), np.array([[0.25, 0.5, 0.25]])).tolist()
        [0.25]
    """
    return 0.5 * np.abs(p - q).sum(axis=-1)


def three_ways(
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray], p: np.ndarray, q: np.ndarray
) -> Ways:
    """Return a distance on all rows, without each block of `p`, and without each block of `q`; p
    and q of shape (21, size)."""
    return float(distance(p[:1], q[:1])[0]), distance(p[1:], q[:1]), distance(p[:1], q[1:])


def striking(items: int) -> float:
    """Return how many of its standard errors an item must differ by: Student's 1 % over all items
    (Bonferroni).

    Example:
        >>> round(striking(1), 2), round(striking(100), 2)
        (2.86, 4.9)
    """
    return t_quantile(BLOCKS - 1, 1.0 - DOUBT / items)


@dataclass(frozen=True)
class Items:
    """One distance per item, again without each block of rows.

    Attributes:
        names: what the items are, such as columns.
        values: distance of each item, shape (items,).
        without_samples: the same without each block of samples, shape (20, items).
        without_reference: the same without each block of reference rows, shape (20, items).
        null: expected distance of each item between samples of one distribution at these sizes,
            shape (items,).
        sure: which items differ beyond doubt, where something knows better than `stderrs`; shape
            (items,).
    """

    names: tuple[str, ...]
    values: np.ndarray
    without_samples: np.ndarray
    without_reference: np.ndarray
    null: np.ndarray
    sure: np.ndarray | None = None

    @staticmethod
    def of(names: tuple[str, ...], ways: Sequence[Ways], null: np.ndarray) -> Items:
        """Collect what was found one item at a time."""
        values, first, second = zip(*ways, strict=True)
        return Items(
            names, np.array(values), np.stack(first, axis=1), np.stack(second, axis=1), null
        )

    @property
    def stderrs(self) -> np.ndarray:
        """Standard error of each item's distance, from both samples; shape (items,)."""
        return np.sqrt(
            (BLOCKS - 1) * (self.without_samples.var(axis=0) + self.without_reference.var(axis=0))
        )

    def furthest(self, reference_name: str) -> tuple[str, ...]:
        """Return a sentence on the items that exceed their null beyond doubt, at most three; none
        if none does."""
        excess = self.values - self.null
        sure = (
            excess > striking(len(self.values)) * self.stderrs if self.sure is None else self.sure
        )
        clear = np.flatnonzero(sure & (excess > 1e-9))
        if not len(clear):
            return ()
        worst = clear[np.argsort(-excess[clear], kind="stable")][:NAMED]
        said = ", ".join(
            f"{self.names[i]} {self.values[i]:.3f} ({self.null[i]:.3f} by chance)" for i in worst
        )
        more = f"; {len(clear) - len(worst)} more stand out" if len(clear) > len(worst) else ""
        return (f"furthest from {reference_name}: {said}{more}",)

    def mean(self, measure: Measure, n: int, reference_name: str) -> Measured:
        """Return the mean over items as a score with the delete-a-block jackknife's interval, and
        the blocks' terms.

        `Var = (K-1)/K sum_k (theta_k - mean)^2` on each side. By Efron & Stein (1981) it is on
        average not below the true variance for any statistic of independent rows, smooth or not:
        the interval covers 93-97 % where the distributions differ clearly and up to 100 % where
        they do not.
        """
        value = float(self.values.mean())
        first, second = self.without_samples.mean(axis=1), self.without_reference.mean(axis=1)
        found = jackknife(value, first, second)
        score = MeasuredOn("data", reference=reference_name).score(
            measure,
            value,
            n,
            low=max(0.0, value - found.reach),
            high=value + found.reach,
            stderr=found.stderr,
            null=float(self.null.mean()),
            warnings=self.furthest(reference_name),
        )
        return Measured(score, _terms(first), _terms(second))


def _terms(replicates: np.ndarray) -> Terms:
    """Terms of the mean of the jackknife's pseudo-values; units are blocks."""
    scale = math.sqrt((BLOCKS - 1) / BLOCKS)
    return Terms(np.arange(BLOCKS), scale * (replicates.mean() - replicates))


class TableMetric(TwoSample):
    """A metric of two sets of rows of a table, in data units.

    Args:
        space: the table's columns.
        reference_name: which split the reference is.
        seed: seed of the random orders behind the null.
    """

    def __init__(self, space: Table, reference_name: str = "test", seed: int = 0) -> None:
        super().__init__(DATA, reference_name, seed)
        self.space = space


def on_table(kind: type[TableMetric]) -> Callable[[CardSetting], list[Statistic]]:
    """Return what puts a metric of rows on cards of tables."""

    def on(card: CardSetting) -> list[Statistic]:
        assert isinstance(card.space, Table)
        return [kind(card.space, card.reference_name, card.seed)]

    return on
