"""Exact Euclidean distances in tiles.

Two ideas: memory is O(tile x n) however many rows there are; distances are differences squared and summed, never
`|x|^2 + |y|^2 - 2 x.y`, because ties and zero distances decide the neighbour metrics and must be exact.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

TILE_NUMBERS = 4_000_000


def tiles(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield `(rows, distances)` with `distances` of shape (rows, len(y)), at most 32 MB each.

    Example:
        >>> [d.tolist() for _, d in tiles(np.zeros((1, 2)), np.array([[3.0, 4.0]]))]
        [[[5.0]]]
    """
    height = max(1, TILE_NUMBERS // max(1, len(y)))
    for start in range(0, len(x), height):
        rows = slice(start, min(start + height, len(x)))
        yield rows, cdist(x[rows], y)


def kth_neighbour(x: np.ndarray, k: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the distance from each row to its k-th nearest *other* row.

    A row excludes itself by position and not by distance zero, so an exact duplicate counts as a neighbour.

    Args:
        x: shape (n, d).
        k: which neighbour, from 1 to n - 1.
        rows: indices of the rows asked for; all of them by default.

    Example:
        >>> kth_neighbour(np.array([[0.0], [1.0], [3.0]]), k=1).tolist()
        [1.0, 1.0, 2.0]
    """
    asked = np.arange(len(x)) if rows is None else rows
    out = np.empty(len(asked))
    for part, distance in tiles(x[asked], x):
        distance[np.arange(distance.shape[0]), asked[part]] = np.inf
        out[part] = np.partition(distance, k - 1, axis=1)[:, k - 1]
    return out


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each row of `x`, the index of and the distance to its nearest row of `y`."""
    index, out = np.empty(len(x), dtype=np.int64), np.empty(len(x))
    for part, distance in tiles(x, y):
        index[part] = distance.argmin(axis=1)
        out[part] = distance.min(axis=1)
    return index, out
