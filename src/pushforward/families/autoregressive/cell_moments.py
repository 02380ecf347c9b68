"""Mean and spread of every cell of a column of numbers, in closed form.

One idea: a cell has a fixed law (`cells.py`), so its moments are numbers that are computed once, and
those of a whole conditional are sums over cells.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.families.autoregressive.cells import NumberCells


def cell_moments(cells: NumberCells, k: int) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance (cells + 2,) of each cell of number k, in data units.

    A body cell of width w and slope s has, from its left edge, `E = w/2 + s w/6` and `E^2 = w^2/3 +
    s w^2/6`; on a grid, whose values are the middles of w unit intervals, `w/2 + s (w - 1/w)/6` and
    `w^2/3 - 1/12 + s (w^2 - 1)/6`. A tail is an exponential, or on a grid a geometric, law of scale t
    that ends after L: with m_1, m_2 the moments without an end, `E = (m_1 - r (m_1 + L)) / (1 - r)`
    and `E^2 = (m_2 - r (m_2 + 2 L m_1 + L^2)) / (1 - r)`, `r = exp(-L/t)`, since what lies beyond L
    is the same law again. Cells that hold nothing get whatever comes.

    Example:
        >>> from pushforward.core.table import Column
        >>> cells = NumberCells([Column("n", "integer", step=1.0, low=0, high=3, bounded_below=True, bounded_above=True)], 4)
        >>> cells.fit(torch.tensor([[0.0], [1.0], [1.0], [3.0]], dtype=torch.float64))
        >>> [part[1:5].tolist() for part in cell_moments(cells, 0)]
        [[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]]
    """
    gridded, used = bool(cells.gridded[k]), int(cells.used[k])
    left, right = cells.edges[k, :-1], cells.edges[k, 1:]
    w, s = torch.where(right.isfinite(), right - left, 1.0), cells.slopes[k]
    if gridded:
        first, second = w / 2 + s * (w - 1 / w) / 6, w**2 / 3 - 1 / 12 + s * (w**2 - 1) / 6
    else:
        first, second = w / 2 + s * w / 6, w**2 / 3 + s * w**2 / 6
    lower = _tail(cells, k, 0, gridded)
    upper = _tail(cells, k, 1, gridded)
    mean = torch.cat(
        [cells.edges[k, :1] - lower[0], left + first, cells.edges[k, used : used + 1] + upper[0]]
    )
    spread = torch.cat([lower[1], second - first**2, upper[1]])
    return _placed(cells, mean, k), spread.clamp(min=0.0) * cells.steps[k] ** 2


def _placed(cells: NumberCells, y: Tensor, k: int) -> Tensor:
    """Return coordinates in data units without putting them on the grid, where a mean need not
    be."""
    return (y + cells.origins[k]) * cells.steps[k]


def _tail(cells: NumberCells, k: int, side: int, gridded: bool) -> tuple[Tensor, Tensor]:
    """Return the mean distance from the edge, and its variance, each (1,)."""
    t, used = cells.scales[k, side], cells.used[k]
    ends = cells.edges[k, 0] - cells.support[k, 0], cells.support[k, 1] - cells.edges[k, used]
    length = ends[side]
    one, two = t, 2 * t**2
    if gridded:
        q = torch.exp(-1 / t)
        one, two = q / (1 - q), q * (1 + q) / (1 - q) ** 2
    r = torch.exp(-length / t)
    bounded = bool(length.isfinite()) and bool(length > 0)
    if bounded:
        first = (one - r * (one + length)) / (1 - r)
        second = (two - r * (two + 2 * length * one + length**2)) / (1 - r)
        one, two = first, second
    half = 0.5 if gridded else 0.0
    return (one + half).reshape(1), (two - one**2).reshape(1)
