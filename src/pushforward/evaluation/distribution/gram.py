"""Sums of a kernel over pairs of rows, in tiles: no whole matrix is ever stored.

One idea: row sums, column sums and the sum of squares are all that a discrepancy and its error
need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TILE_NUMBERS = 2_000_000

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Gram:
    """Row sums, column sums and sum of squares of a kernel matrix that is never stored."""

    rows: np.ndarray
    columns: np.ndarray
    squares: float


def within(x: np.ndarray, kernel: Kernel) -> Gram:
    """Return sums over distinct pairs of one sample (n, d), from one half of the symmetric matrix.

    Example:
        >>> within(np.array([[1.0], [2.0], [3.0]]), lambda a, b: a @ b.T).rows.tolist()
        [5.0, 8.0, 9.0]
    """
    n = len(x)
    rows, squares, height = np.zeros(n), 0.0, max(1, TILE_NUMBERS // n)
    for start in range(0, n, height):
        tile = kernel(x[start : start + height], x[start:])
        own, rest = tile[:, : len(tile)], tile[:, len(tile) :]
        np.fill_diagonal(own, 0.0)
        rows[start : start + len(tile)] += tile.sum(axis=1)
        rows[start + len(tile) :] += rest.sum(axis=0)
        squares += _sum_of_squares(own) + 2.0 * _sum_of_squares(rest)
    return Gram(rows, rows, squares)


def between(x: np.ndarray, y: np.ndarray, kernel: Kernel) -> Gram:
    """Return sums over all pairs of two samples (n, d) and (m, d).

    Example:
        >>> found = between(np.array([[1.0], [2.0]]), np.array([[3.0]]), lambda a, b: a @ b.T)
        >>> found.rows.tolist(), found.columns.tolist(), found.squares
        ([3.0, 6.0], [9.0], 45.0)
    """
    rows, columns, squares = np.empty(len(x)), np.zeros(len(y)), 0.0
    height = max(1, TILE_NUMBERS // len(y))
    for start in range(0, len(x), height):
        tile = kernel(x[start : start + height], y)
        rows[start : start + len(tile)] = tile.sum(axis=1)
        columns += tile.sum(axis=0)
        squares += _sum_of_squares(tile)
    return Gram(rows, columns, squares)


def _sum_of_squares(tile: np.ndarray) -> float:
    return float(np.einsum("ij,ij->", tile, tile))


def degenerate_within(gram: Gram, n: int) -> float:
    """Return the unbiased second moment of the completely degenerate part (U-centring; Székely &
    Rizzo 2014, proposition 1)."""
    total = float(gram.rows.sum())
    inside = (
        gram.squares + total**2 / ((n - 1) * (n - 2)) - 2.0 / (n - 2) * float((gram.rows**2).sum())
    )
    return max(0.0, inside / (n * (n - 3)))


def degenerate_between(gram: Gram, n: int, m: int) -> float:
    """Return the same of two samples, from the doubly centred kernel between them."""
    total = float(gram.rows.sum())
    inside = (
        gram.squares
        - float((gram.rows**2).sum()) / m
        - float((gram.columns**2).sum()) / n
        + total**2 / (n * m)
    )
    return max(0.0, inside / ((n - 1) * (m - 1)))
