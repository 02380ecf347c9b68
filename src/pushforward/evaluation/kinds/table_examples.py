"""Tables to measures: columns of different kinds, whose missing values are marks."""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.kinds.example_kind import ExampleKind

BEYOND = 10  # spans on either side of a number's training range that its histogram still covers


class TableExamples(ExampleKind):
    """Rows of categories and numbers."""

    def even(self, space: Table, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return rows of values spread evenly over what each column may hold."""
        return np.stack([_even(column, n, rng) for column in space.columns], axis=1)

    def log_marginals(self, space: Table, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the sum of the columns' own log-probabilities.

        Histograms of categories and of numbers on a grid, whose last half count is shared by the
        values that were not seen; Gaussians of real numbers; a missing value is a category.

        Raises:
            BadInput: a constant column of real numbers, whose density is infinite.
        """
        columns = zip(space.columns, train.T, test.T, strict=True)
        return np.sum([_column(column, a, b) for column, a, b in columns], axis=0)

    def marginals(self, space: Table) -> str:
        """Return what the marginals are, in words."""
        return "independent columns fitted on train: histograms of categories and grids, Gaussians of real numbers"

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """Return the size of noise of dose one: each column's own."""
        return rows.std(axis=0)

    def on_grid(self, space: Table, rows: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Return rows whose numbers are on their columns' grids and within their ranges; categories
        and marks are as they were."""
        for place, column in enumerate(space.columns):
            values = rows[:, place]
            if column.discrete:
                noisy[:, place] = values
                continue
            if column.step is not None:
                noisy[:, place] = (
                    column.low
                    + np.round((noisy[:, place] - column.low) / column.step) * column.step
                )
            inside = (values >= column.low) & (
                values <= column.high
            )  # a missing value's mark stays where it is
            noisy[:, place] = np.where(
                inside, noisy[:, place].clip(column.low, column.high), values
            )
        return noisy


def _even(column: Column, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return values spread evenly over what a column may hold."""
    if column.discrete:
        return rng.integers(0, len(column.categories), size=n).astype(np.float64)
    values = rng.uniform(column.low, column.high, size=n)
    return (
        values
        if column.step is None
        else column.low + np.round((values - column.low) / column.step) * column.step
    )


def _column(column: Column, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    if column.discrete:
        levels = len(column.categories)
        index = [
            np.where(v == missing_mark(column), levels, v).astype(np.int64) for v in (train, test)
        ]
        size = levels + column.missing
        counts = np.bincount(index[0], minlength=size)
        return np.log((counts + 0.5) / (len(train) + 0.5 * size))[index[1]]
    absent = (
        [v == missing_mark(column) for v in (train, test)]
        if column.missing
        else [np.zeros(len(v), bool) for v in (train, test)]
    )
    known = train[~absent[0]]
    share = (absent[0].sum() + 0.5) / (len(train) + 1.0) if column.missing else 0.0
    nats = _grid(column, known, test) if column.step is not None else _gaussian(column, known, test)
    return np.where(absent[1], np.log(share) if share else -np.inf, nats + np.log1p(-share))


def _grid(column: Column, known: np.ndarray, test: np.ndarray) -> np.ndarray:
    assert column.step is not None
    seen, counts = np.unique(known, return_counts=True)
    span = max(column.high - column.low, column.step)
    cells = round((1 + 2 * BEYOND) * span / column.step) + 1 - len(seen)
    place = np.searchsorted(seen, test).clip(max=len(seen) - 1)
    hit = np.isclose(seen[place], test, rtol=0, atol=column.step / 4)
    total = len(known) + 0.5 * len(seen) + 0.5
    inside = (test >= column.low - BEYOND * span) & (test <= column.high + BEYOND * span)
    unseen = np.where(inside, np.log(0.5 / total / max(1, cells)), -np.inf)
    return np.where(hit, np.log((counts[place] + 0.5) / total), unseen)


def _gaussian(column: Column, known: np.ndarray, test: np.ndarray) -> np.ndarray:
    variance = known.var()
    if variance == 0:
        raise BadInput(
            f"the constant column '{column.name}'", "a column that varies", "drop it from the data"
        )
    return -0.5 * (np.log(2 * np.pi * variance) + (test - known.mean()) ** 2 / variance)


TABLES = TableExamples()
