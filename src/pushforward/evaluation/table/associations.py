"""How strongly any two columns of a table depend on each other.

Two ideas: every kind of pair has a measure free of units, around 0 if they are independent and 1 if
one decides the other: rank correlation of numbers, bias-corrected Cramér's V of categories,
bias-corrected correlation ratio of ranks between the kinds; subsets of rows are unions of blocks,
so that counts of blocks are added and never made again.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import sparse

from pushforward.core.table import Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.distances import TILE_NUMBERS
from pushforward.evaluation.measuring.summaries import BLOCKS
from pushforward.evaluation.table.items import counts_by_block


def squared_cramers_v(counts: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the square of the bias-corrected Cramér's V of contingency tables, along the last
    axis; 0 where a side is constant.

    With `phi^2 = chi^2 / n` of a table of r x c non-empty rows and columns, `V^2 = (phi^2 -
    (r-1)(c-1)/(n-1)) / min(r~-1, c~-1)` and `r~ = r - (r-1)^2/(n-1)`, c~ alike (Bergsma 2013).
    Bergsma cuts it at zero; here it may be negative, so that independent columns scatter around
    zero and are not piled up on it.

    Args:
        counts: counts of the cells, shape (..., cells).
        rows: which row each cell is in, from 0, shape (cells,).
        columns: which column each cell is in, shape (cells,).

    Example:
        >>> tables = np.array([[50.0, 0.0, 0.0, 50.0], [25.0, 25.0, 25.0, 25.0]])
        >>> squared_cramers_v(tables, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).round(2).tolist()
        [1.0, -0.01]
    """
    n = counts.sum(axis=-1)
    r_total, c_total = (_totals(counts, side) for side in (rows, columns))
    expected = r_total[..., rows] * c_total[..., columns]
    # chi^2 = n (sum O^2 / (R C) - 1) needs the cells that occur and no others
    phi2 = (counts**2 / np.where(expected > 0, expected, 1.0)).sum(axis=-1) - 1.0
    r, c = (r_total > 0).sum(axis=-1), (c_total > 0).sum(axis=-1)
    rest = np.maximum(n - 1.0, 1.0)
    width = np.minimum(r - (r - 1) ** 2 / rest, c - (c - 1) ** 2 / rest) - 1.0
    excess = phi2 - (r - 1) * (c - 1) / rest
    return np.where(width > 0, excess / np.where(width > 0, width, 1.0), 0.0).clip(max=1.0)


def _membership(place: np.ndarray) -> sparse.csr_matrix:
    """Matrix (places, n) that sums n rows by their place."""
    return sparse.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))))


def _totals(counts: np.ndarray, place: np.ndarray) -> np.ndarray:
    member = _membership(place)
    flat = counts.reshape(-1, counts.shape[-1])
    return np.asarray(member @ flat.T).T.reshape(*counts.shape[:-1], -1)


class Associations:
    """The associations of all pairs of columns of some rows, and of any union of their blocks.

    Pairs come in this order: numbers with numbers, categories with categories, categories with
    numbers. A missing category is a category. A missing number has no rank and its row is left out
    of the pair; ranks are those among all known values of a column. A column that is constant, on
    the rows asked for, has association 0 with any other.

    Args:
        rows: filled rows, shape (n, columns).
        space: the table's columns.
        blocks: block of each row, 0 to 19.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("a", "continuous", low=0, high=9), Column("b", "continuous", low=0, high=99)))
        >>> x = np.arange(10.0)
        >>> found = Associations(np.stack([x, -(x**3)], axis=1), space, np.arange(10))
        >>> found.names, found.rooted(found.of(np.ones((1, 20), dtype=bool))).round(12).tolist()
        (("'a' with 'b'",), [[-1.0]])
    """

    def __init__(self, rows: np.ndarray, space: Table, blocks: np.ndarray) -> None:
        self._blocks = blocks
        numbers = [place for place, column in enumerate(space.columns) if not column.discrete]
        categories = [place for place, column in enumerate(space.columns) if column.discrete]
        self._known = np.ones((len(rows), len(numbers)))
        self._values, self._counts = [], []
        for k, place in enumerate(numbers):
            column = space.columns[place]
            if column.missing:
                self._known[:, k] = rows[:, place] != missing_mark(column)
            values, codes = np.unique(rows[:, place], return_inverse=True)
            counts = counts_by_block(codes, blocks, len(values))
            if column.missing:
                counts[:, values == missing_mark(column)] = 0.0
            self._values.append(codes)
            self._counts.append(counts)
        self._codes = [np.unique(rows[:, place], return_inverse=True)[1] for place in categories]
        self._members = [_membership(codes) for codes in self._codes]
        self._correlated = len(numbers) * (len(numbers) - 1) // 2
        self.names = tuple(
            f"'{space.columns[i].name}' with '{space.columns[j].name}'"
            for pairs in (
                combinations(numbers, 2),
                combinations(categories, 2),
                _product(categories, numbers),
            )
            for i, j in pairs
        )

    def of(self, keep: np.ndarray) -> np.ndarray:
        """Return associations on the blocks that each row of `keep` (subsets, 20) asks for, shape
        (subsets, pairs).

        Correlations of numbers, but squares of the other two, which are smooth at zero and which
        `rooted` turns into associations.
        """
        height = max(1, TILE_NUMBERS // max(1, self._known.size))
        ranked = [
            self._ranked(keep[start : start + height]) for start in range(0, len(keep), height)
        ]
        between_numbers, mixed = (np.concatenate(part) for part in zip(*ranked, strict=True))
        return np.concatenate([between_numbers, self._categorical(keep), mixed], axis=1)

    def rooted(self, found: np.ndarray) -> np.ndarray:
        """Return what `of` found, with `sign(x) sqrt(|x|)` of its squares."""
        squares = found[:, self._correlated :]
        return np.concatenate(
            [found[:, : self._correlated], np.sign(squares) * np.sqrt(np.abs(squares))], axis=1
        )

    def _categorical(self, keep: np.ndarray) -> np.ndarray:
        found = []
        for a, b in combinations(self._codes, 2):
            size = int(b.max()) + 1
            present, cells = np.unique(a * size + b, return_inverse=True)
            counts = keep.astype(np.float64) @ counts_by_block(cells, self._blocks, len(present))
            found.append(squared_cramers_v(counts, present // size, present % size))
        return np.stack(found, axis=1) if found else np.zeros((len(keep), 0))

    def _ranked(self, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rank correlations of the numbers, and correlation ratios of the numbers on the
        categories, of each subset."""
        known = keep[:, self._blocks, None] * self._known
        ranks = np.zeros_like(known)
        for k, (codes, counts) in enumerate(zip(self._values, self._counts, strict=True)):
            total = keep @ counts
            # centred on the known values: mid-ranks of N values average N/2
            middle = total.cumsum(axis=1) - (total + total.sum(axis=1, keepdims=True)) / 2.0
            ranks[:, :, k] = middle[:, codes] * known[:, :, k]
        return _correlations(ranks, known), self._ratios(ranks, known)

    def _ratios(self, ranks: np.ndarray, known: np.ndarray) -> np.ndarray:
        """`1 - (1 - eta^2)(n - 1)/(n - c)` with eta^2 the share of a rank's variance between c
        categories (Kelley 1935).

        eta^2 is the Kruskal-Wallis statistic over n - 1.
        """
        subsets, rows, numbers = ranks.shape
        if not self._members or not numbers:
            return np.zeros((subsets, 0))
        total, n = (ranks**2).sum(axis=1), known.sum(axis=1)
        by_row = [np.moveaxis(part, 1, 0).reshape(rows, -1) for part in (ranks, known)]
        found = []
        for member in self._members:
            sums, counts = (
                np.asarray(member @ part).reshape(-1, subsets, numbers) for part in by_row
            )
            between = (sums**2 / np.maximum(counts, 1.0)).sum(axis=0)
            levels = (counts > 0).sum(axis=0)
            defined = (total > 0) & (n > levels)
            eta2 = np.where(defined, between / np.where(total > 0, total, 1.0), 0.0)
            corrected = 1.0 - (1.0 - eta2) * (n - 1.0) / np.where(defined, n - levels, 1.0)
            found.append(np.where(defined, corrected, 0.0))
        return np.concatenate(found, axis=1)


def _correlations(ranks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Correlations of the columns of ranks (subsets, n, numbers) over the rows where both are
    known, (subsets, pairs)."""
    first, second = np.triu_indices(ranks.shape[2], 1)
    across = np.swapaxes(ranks, 1, 2)
    n = np.maximum(np.swapaxes(known, 1, 2) @ known, 1.0)
    sums = across @ known
    raw = across**2 @ known
    squares = raw - sums**2 / n
    products = across @ ranks - sums * np.swapaxes(sums, 1, 2) / n
    varies = squares > 1e-9 * raw
    defined = varies & np.swapaxes(varies, 1, 2)
    scale = np.sqrt(np.maximum(squares * np.swapaxes(squares, 1, 2), 0.0))
    return np.where(defined, products / np.where(defined, scale, 1.0), 0.0)[:, first, second]


def _product(first: list[int], second: list[int]) -> list[tuple[int, int]]:
    return [(i, j) for i in first for j in second]


def leave_one_out() -> np.ndarray:
    """Return which blocks to keep: all, and all but each one; shape (21, 20)."""
    return np.concatenate([np.ones((1, BLOCKS), dtype=bool), ~np.eye(BLOCKS, dtype=bool)])


def halves(seed: int, times: int) -> np.ndarray:
    """Return random halves of the blocks, each followed by its complement; shape (2 times, 20)."""
    half = np.arange(BLOCKS) < BLOCKS // 2
    first = np.random.default_rng(seed).permuted(np.tile(half, (times, 1)), axis=1)
    return np.stack([first, ~first], axis=1).reshape(2 * times, BLOCKS)
