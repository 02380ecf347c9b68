"""Exact Euclidean distances, of which only those that decide something are computed.

Three ideas: memory is O(tile x n) however many rows there are; one matrix product in single
precision bounds all squared distances of a tile from below and from above, with a proven error;
whatever the bounds leave open is computed by differences, squared and summed, because ties,
duplicates and zero distances decide the neighbour metrics. Every distance returned is
`scipy.spatial.distance.cdist`'s, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

from pushforward.evaluation.checks import require

TILE_NUMBERS = 2_000_000
ROWS_AT_ONCE = 4096
FEW_PAIRS = 100_000  # so few are computed sooner than bounded
DENSE = (
    1 / 16
)  # of a tile: from here on, computing all of it is cheaper than looking up what is open
WIDEST_SINGLE = (
    100_000  # more columns than this, and the error bound of single precision says nothing
)


def tiles(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield `(rows, distances)` with `distances` of shape (rows, len(y)), at most 16 MB each.

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

    A row excludes itself by position and not by distance zero, so an exact duplicate counts as a
    neighbour.

    Args:
        x: shape (n, d).
        k: which neighbour, from 1 to n - 1.
        rows: indices of the rows asked for; all of them by default.

    Example:
        >>> kth_neighbour(np.array([[0.0], [1.0], [3.0]]), k=1).tolist()
        [1.0, 1.0, 2.0]
    """
    asked = np.arange(len(x)) if rows is None else rows
    if len(asked) * len(x) > FEW_PAIRS:
        return closest(x[asked], x, k, asked)[1][:, k - 1]
    require(len(x) - 1, k, "rows to be near to")
    distance = cdist(x[asked], x)
    distance[np.arange(len(asked)), asked] = np.inf
    return np.partition(distance, k - 1, axis=1)[:, k - 1]


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each row of `x`, the index of and the distance to its nearest row of `y`; of
    equal ones the first."""
    index, distance = closest(x, y, 1)
    return index[:, 0], distance[:, 0]


def closest(
    x: np.ndarray, y: np.ndarray, k: int, excluded: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices of and distances to the k nearest rows of `y`, by distance and then by index;
    shapes (n, k).

    Args:
        x: finite rows, shape (n, d).
        y: finite rows, shape (m, d).
        k: how many, at most m, or m - 1 where rows are excluded.
        excluded: for each row of `x` one row of `y` that does not count, such as itself; shape
            (n,).

    Raises:
        BadInput: fewer than k rows to choose from.

    Example:
        >>> index, distance = closest(np.array([[0.9]]), np.array([[0.0], [1.0], [3.0]]), 2)
        >>> index.tolist(), distance.round(1).tolist()
        ([[1, 0]], [[0.1, 0.9]])
    """
    require(len(y) - (excluded is not None), k, "rows to be near to")
    if len(x) * len(y) <= FEW_PAIRS:
        return _closest_of_few(x, y, k, excluded)
    index, out = np.empty((len(x), k), dtype=np.int64), np.empty((len(x), k))
    bounds = _Bounds(x, y, _lanes(len(y), k))
    for rows, lower in bounds.tiles():
        if excluded is not None:
            lower[np.arange(len(lower)), excluded[rows]] = np.inf
        possible = lower <= bounds.ceiling(_reach(bounds, rows, lower, k))[:, None]
        for place, row in enumerate(possible, rows.start):
            index[place], out[place] = _closest_of(x[place, None], y, np.flatnonzero(row), k)
    return index, out


def members(
    x: np.ndarray, y: np.ndarray, *radii: np.ndarray
) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Yield, tile by tile, for each of `radii` the pairs (i, j) with `|x_i - y_j| < radius`, in the
    order of i, then j.

    Args:
        x: finite rows, shape (n, d).
        y: finite rows, shape (m, d).
        radii: each of shape (n, 1), balls around the rows of `x`, or (1, m), balls around the rows
            of `y`.

    Example:
        >>> x, y = np.array([[0.0], [5.0]]), np.array([[1.0], [5.0], [7.0]])
        >>> [[(i.tolist(), j.tolist()) for i, j in found] for found in members(x, y, np.array([[1.0], [2.1]]))]
        [[([1, 1], [1, 2])]]
    """
    if len(x) * len(y) <= FEW_PAIRS:
        distance = cdist(x, y)
        yield [_places(distance < radius) for radius in radii]
        return
    bounds = _Bounds(x, y)
    with np.errstate(over="ignore"):
        scaled = [np.ldexp(radius, -bounds.exponent) ** 2 for radius in radii]
    for rows, lower in bounds.tiles():
        found = []
        for radius, square in zip(radii, scaled, strict=True):
            part = rows if len(square) > 1 else slice(None)
            possible = lower <= bounds.ceiling(square[part])
            if np.count_nonzero(possible) > DENSE * possible.size:
                i, j = _places(cdist(x[rows], y) < radius[part])
            else:
                i, j = _places(possible)
                certain, limit = (
                    np.broadcast_to(a[part], lower.shape)[i, j] for a in (square, radius)
                )
                inside = bounds.upper(lower[i, j], i + rows.start, j) < certain * (
                    1.0 - bounds.rounding
                )
                doubtful = np.flatnonzero(~inside)
                inside[doubtful] = _exact(x[rows], y, i[doubtful], j[doubtful]) < limit[doubtful]
                i, j = i[inside], j[inside]
            found.append((i + rows.start, j))
        yield found


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return `|x|^2 + |y|^2 - 2 x . y`, not below zero, for rows (n, d) and (m, d).

    Good to rounding of the squared norms, so centre the rows: enough for sums of distances, not for
    ties.

    Example:
        >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).tolist()
        [[25.0]]
    """
    out = x @ y.T
    out *= -2.0
    out += np.einsum("ij,ij->i", x, x)[:, None]
    out += np.einsum("ij,ij->i", y, y)
    return np.maximum(out, 0.0, out=out)


class _Bounds:
    """Bounds of the squared distances between the rows of two sets, in units of `2^exponent`.

    Rows are centred, scaled by a power of two and rounded to single precision, `a = x (1 + e)` with
    `|e| <= u = 2^-24`, which moves a squared distance by at most `4 u (|a|^2 + |b|^2)`. The row
    `(-2 a, |a|^2, 1)` times the column `(b, 1, |b|^2)` is computed to `g (|a| + |b|)^2 <= 2 g
    (|a|^2 + |b|^2)` with `g = (d + 2) u / (1 - (d + 2) u)`, in whatever order it is summed and with
    or without fused multiplication (Higham 2002, equation 3.5). Both together stay below `t (|a|^2
    + |b|^2)` with `t = 2.1 (d + 8) u`, so with both norms shrunk by `1 - t` the product is a lower
    bound, and `2 t (|a|^2 + |b|^2)` above it lies an upper bound. `slack` covers what underflows.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, lanes: int = 1) -> None:
        d = x.shape[1]
        kind = np.float32 if d <= WIDEST_SINGLE else np.float64
        self.lanes = lanes
        self.tolerance = 2.1 * (d + 8) * float(np.finfo(kind).eps) / 2
        self.rounding, self.slack = 4.0 * (d + 16) * float(np.finfo(np.float64).eps), d * 2.0**-110
        self._choose_units(x, y)
        # where a square underflows in double precision, `cdist` calls distances equal that the
        # bounds tell apart
        self.slack += d * 2.0 ** min(1000, -1022 - 2 * self.exponent)
        self.left = np.ones((len(x), d + 2), dtype=kind)
        self.right = np.zeros((d + 2, -(-len(y) // lanes) * lanes), dtype=kind)
        self._fill(self.left, x)
        self._fill(self.right[:, : len(y)].T, y)
        self.of_x, self.of_y = (
            np.einsum("ij,ij->i", a[:, :d], a[:, :d], dtype=np.float64)
            for a in (self.left, self.right.T)
        )
        self.left[:, :d] *= -2.0
        self.left[:, d] = (1.0 - self.tolerance) * self.of_x
        self.right[d], self.right[d + 1] = 1.0, (1.0 - self.tolerance) * self.of_y
        self.right[d + 1, len(y) :] = np.inf

    def _choose_units(self, x: np.ndarray, y: np.ndarray) -> None:
        """Choose a centre and powers of two such that nothing overflows, whatever the rows are."""
        low, high = (
            np.minimum(x.min(axis=0), y.min(axis=0)),
            np.maximum(x.max(axis=0), y.max(axis=0)),
        )
        # halved, so that a difference of two rows is finite
        self._first = math.frexp(max(-float(low.min()), float(high.max())))[1] + 1
        # a median, because one exploded sample would move a mean away from all the others; any
        # centre is right
        self._centre = np.median(np.ldexp(y[:: max(1, len(y) // 1000)], -self._first), axis=0)
        above, below = (
            np.ldexp(high, -self._first) - self._centre,
            self._centre - np.ldexp(low, -self._first),
        )
        self._second = math.frexp(float(np.maximum(above, below).max()))[1]
        self.exponent = self._first + self._second

    def _fill(self, target: np.ndarray, rows: np.ndarray) -> None:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            centred = np.ldexp(rows[part], -self._first) - self._centre
            target[part, : rows.shape[1]] = np.ldexp(centred, -self._second)

    def tiles(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield `(rows, lower bounds)`; the bounds may be written to and are overwritten by the
        next tile."""
        n, width = len(self.left), self.right.shape[1]
        height = min(max(1, TILE_NUMBERS // width), n)
        buffer = np.empty((height, width), dtype=self.left.dtype)
        for start in range(0, n, height):
            rows = slice(start, min(start + height, n))
            yield rows, np.matmul(self.left[rows], self.right, out=buffer[: rows.stop - start])

    def upper(self, lower: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return upper bounds from the lower bounds of pairs of rows."""
        return lower + (2.0 * self.tolerance * (self.of_x[i] + self.of_y[j]) + self.slack)

    def ceiling(self, square: np.ndarray) -> np.ndarray:
        """Return what no lower bound exceeds if the distance, as `cdist` rounds it, is at most the
        root of `square`."""
        kind = self.left.dtype.type
        largest = np.minimum(
            square * (1.0 + self.rounding) + self.slack, float(np.finfo(kind).max) / 2
        )
        return np.nextafter(largest.astype(kind), kind(np.inf))


def _lanes(m: int, k: int) -> int:
    """Return how many interleaved groups of the m columns have their minimum taken: many more than
    k, or one per column."""
    lanes = max(256, 16 * k)
    return lanes if m > 2 * lanes else m


def _places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = np.flatnonzero(mask)
    i = flat // mask.shape[1]
    return i, flat - i * mask.shape[1]


def _closest_of_few(
    x: np.ndarray, y: np.ndarray, k: int, excluded: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    distance = cdist(x, y)
    if excluded is not None:
        distance[np.arange(len(x)), excluded] = np.inf
    index = (
        distance.argmin(axis=1)[:, None]
        if k == 1
        else distance.argsort(axis=1, kind="stable")[:, :k]
    )
    return index, np.take_along_axis(distance, index, axis=1)


def _reach(bounds: _Bounds, rows: slice, lower: np.ndarray, k: int) -> np.ndarray:
    """Return, for each row of a tile, an upper bound of its k-th smallest squared distance: the
    largest of any k."""
    every, lanes = np.arange(len(lower))[:, None], bounds.lanes
    grouped = lower.reshape(len(lower), -1, lanes)
    lane = np.argpartition(grouped.min(axis=1), k - 1, axis=1)[:, :k]
    column = grouped[every, :, lane].argmin(axis=2) * lanes + lane
    return bounds.upper(lower[every, column], every + rows.start, column).max(axis=1)


def _closest_of(
    row: np.ndarray, y: np.ndarray, columns: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest of the candidate columns, which are in ascending order."""
    if len(columns) > 8 * k:
        # of many duplicates the first k suffice
        twins = columns[: 8 * k][cdist(row, y[columns[: 8 * k]])[0] == 0.0][:k]
        if len(twins) == k:
            return twins, np.zeros(k)
    distance = _row_distances(row, y, columns)
    order = np.argsort(distance, kind="stable")[:k]
    return columns[order], distance[order]


def _row_distances(row: np.ndarray, y: np.ndarray, columns: np.ndarray) -> np.ndarray:
    # gathering a row costs more than computing a distance to it
    return cdist(row, y)[0, columns] if 4 * len(columns) > len(y) else cdist(row, y[columns])[0]


def _exact(x: np.ndarray, y: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return the distances of pairs of rows, which are in the order of i."""
    out = np.empty(len(i))
    for part in np.split(np.arange(len(i)), np.flatnonzero(np.diff(i)) + 1):
        if len(part):
            out[part] = _row_distances(x[i[part[0]], None], y, j[part])
    return out
