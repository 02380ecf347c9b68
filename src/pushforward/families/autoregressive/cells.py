"""Numbers as cells: a partition of the line on which every conditional is a normalised histogram.

Three ideas: cells follow the quantiles of the training data, and a frequent value has a cell of its
own; within a cell a fixed law integrates (or sums over the grid) to one; beyond the training range
lie two exponential tails, cut off where the column is bounded.

A grid value k occupies [k - 1/2, k + 1/2] in units of its step, so that numbers on a grid and real
numbers share one arithmetic.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.table import Column
from pushforward.nets.number_columns import NumberColumns, origin_of

FEATURES = 8
STEEPEST = 0.9  # largest slope of the density within a cell: it never reaches zero
POINTS_PER_CELL = 8


class NumberCells(NumberColumns):
    """Cells of number columns, padded to `cells + 2`: index 0 is the lower tail, 1..cells the body,
    cells + 1 the upper tail.

    A body cell [a, b] has the density `(1 + s (2u - 1)) / (b - a)` with `u = (y - a) / (b - a)`;
    its integral over the unit interval around a grid value is the same expression, so it serves
    both measures. At a distance d into a tail of length L the density is `exp(-d / t) / (t (1 -
    exp(-L / t)))`, and on a grid its integral over the unit interval.

    Example:
        >>> net = NumberCells([Column("n", "integer", step=1.0, low=0, high=3, bounded_below=True, bounded_above=True)], 4)
        >>> net.fit(torch.tensor([[0.0], [1.0], [1.0], [3.0]], dtype=torch.float64))
        >>> net.locate(torch.tensor([[0.0], [3.0]], dtype=torch.float64)).tolist()
        [[1], [4]]
    """

    edges: Tensor
    slopes: Tensor
    used: Tensor
    scales: Tensor
    support: Tensor

    def __init__(self, columns: list[Column], cells: int) -> None:
        super().__init__(columns)
        self.cells, n = cells, len(columns)
        double = torch.float64
        self.register_buffer("edges", torch.full((n, cells + 1), math.inf, dtype=double))
        self.register_buffer("slopes", torch.zeros(n, cells, dtype=double))
        self.register_buffer("used", torch.ones(n, dtype=torch.long))
        self.register_buffer("scales", torch.ones(n, 2, dtype=double))
        self.register_buffer(
            "support",
            torch.tensor([_support(c, origin_of(c)) for c in columns], dtype=double).reshape(n, 2),
            persistent=False,
        )
        self.fit_ranges()

    def _fit_column(self, k: int, values: Tensor) -> None:
        gridded = bool(self.gridded[k])
        y = self.coordinate(values, k).sort().values
        low, high = self.support[k].tolist()
        edges = cell_edges(y, self.cells, gridded, low, high)
        used = len(edges) - 1
        self.used[k] = used
        self.edges[k] = math.inf
        self.edges[k, : used + 1] = edges
        index = (torch.searchsorted(edges, y, right=True) - 1).clamp(0, used - 1)
        u = (y - edges[index]) / (edges[index + 1] - edges[index])
        count = torch.zeros_like(edges[1:]).index_add_(0, index, torch.ones_like(u))
        total = torch.zeros_like(edges[1:]).index_add_(0, index, u)
        # a linear density on [0, 1] has mean 1/2 + s/6; few points are pulled towards a level one
        slope = 6.0 * (total / count.clamp(min=1.0) - 0.5) * count / (count + POINTS_PER_CELL)
        self.slopes[k] = 0.0
        self.slopes[k, :used] = slope.clamp(-STEEPEST, STEEPEST)
        tenth = max(1, len(y) // 10)
        shortest = 1.0 if gridded else 1e-3 * float(edges[-1] - edges[0])
        self.scales[k, 0] = (y[tenth - 1] - y[:tenth]).mean().clamp(min=shortest)
        self.scales[k, 1] = (y[-tenth:] - y[-tenth]).mean().clamp(min=shortest)

    def _column(self, values: Tensor, k: Tensor | None) -> tuple[Tensor, Tensor]:
        # NaN has no cell here: the caller gives missing values one of their own
        k = torch.arange(len(self.columns), device=self.used.device) if k is None else k
        y = self.coordinate(values, k)
        return torch.where(torch.isnan(y), self.edges[k, 0], y), k

    def locate(self, values: Tensor, k: Tensor | None = None) -> Tensor:
        """Return the cell of values (n, m) of the columns `k` (m,), all by default; NaN gets
        any."""
        y, k = self._column(values, k)
        index = torch.searchsorted(self.edges[k], y.T.contiguous(), right=True).T
        used = self.used[k]
        last = self.edges[k, used]
        # the largest training value belongs to the body: with a bound there is nothing beyond it
        index = torch.where(y == last, used, index)
        return torch.where(index > used, self.cells + 1, index)

    def live(self) -> Tensor:
        """Return (columns, cells + 2): True for cells that can hold a number."""
        cell = torch.arange(self.cells + 2, device=self.used.device)
        body = (cell >= 1) & (cell <= self.used.unsqueeze(1))
        length = self._tail_lengths(torch.arange(len(self.columns), device=self.used.device))
        return (
            body
            | ((cell == 0) & (length[:, :1] > 0))
            | ((cell == self.cells + 1) & (length[:, 1:] > 0))
        )

    def _tail_lengths(self, k: Tensor) -> Tensor:
        return torch.stack(
            [
                self.edges[k, 0] - self.support[k, 0],
                self.support[k, 1] - self.edges[k, self.used[k]],
            ],
            -1,
        )

    def _body(self, cell: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return left edge, width and slope of body cells; tails get those of the nearest one."""
        inner = torch.minimum(cell.clamp(min=1), self.used[k]) - 1
        left, right = self.edges[k, inner], self.edges[k, inner + 1]
        return left, right - left, self.slopes[k, inner]

    def log_law(self, values: Tensor, cell: Tensor, k: Tensor | None = None) -> Tensor:
        """Return the log-probability (density) of values within their cells, in data units; NaN
        gives 0."""
        y, k = self._column(values, k)
        left, width, slope = self._body(cell, k)
        u = ((y - left) / width).clamp(0.0, 1.0)
        body = torch.log1p(slope * (2.0 * u - 1.0)) - width.log()
        upper = (cell > self.used[k]).long()
        half = 0.5 * self.gridded[k].to(y)
        d = torch.where(
            upper == 1, y - half - self.edges[k, self.used[k]], self.edges[k, 0] - y - half
        ).clamp(min=0.0)
        scale, length = (
            self.scales[k, upper],
            self._tail_lengths(k)[torch.arange(len(k), device=k.device), upper],
        )
        point = torch.where(self.gridded[k], torch.log(-torch.expm1(-1.0 / scale)), -scale.log())
        tail = point - d / scale - torch.log(-torch.expm1(-length / scale))
        inside = (y >= self.support[k, 0]) & (y <= self.support[k, 1])
        law = torch.where(
            (cell >= 1) & (cell <= self.cells), body, tail.masked_fill(~inside, -math.inf)
        )
        return torch.where(torch.isnan(values), 0.0, law)

    def draw(self, cell: Tensor, uniform: Tensor, k: Tensor) -> Tensor:
        """Return a value of each cell (n, m) by inverting the law's CDF at `uniform` in [0, 1)."""
        left, width, slope = self._body(cell, k)
        grid = self.gridded[k]
        # u + s (u^2 - u) = r, solved without cancellation
        flat = 1.0 - slope
        u = 2.0 * uniform / (flat + torch.sqrt(flat.square() + 4.0 * slope * uniform))
        place = torch.minimum((u * width).floor(), width - 1.0) + 0.5
        body = left + torch.where(grid, place, torch.minimum(u * width, width))
        upper = (cell > self.used[k]).long()
        scale, length = (
            self.scales[k, upper],
            self._tail_lengths(k)[torch.arange(len(k), device=k.device), upper],
        )
        d = -scale * torch.log1p(uniform * torch.expm1(-length / scale))
        d = torch.minimum(d.clamp(min=0.0), length)
        d = torch.where(grid, torch.minimum(d.floor(), length - 1.0) + 0.5, d)
        tail = torch.where(upper == 1, self.edges[k, self.used[k]] + d, self.edges[k, 0] - d)
        y = torch.where((cell >= 1) & (cell <= self.cells), body, tail)
        return self.number(y, k)

    def rise(self, cell: Tensor, uniform: Tensor, k: Tensor) -> Tensor:
        """Return what `draw` does at a uniform that is turned in the lower tail, so that values
        rise with it in every cell."""
        turned = torch.where(cell == 0, 1.0 - uniform, uniform)
        return self.draw(cell, turned.clamp(max=1.0 - 2.0**-53), k)

    def quantiles_within(
        self, low: Tensor, high: Tensor, k: int, steps: int = 52
    ) -> tuple[Tensor, Tensor]:
        """Return, for every cell of number k, the share of its law below `low` and not above
        `high`, each (n, cells).

        By bisection on `rise`, which never falls; shapes: low, high (n,).
        """
        cells = torch.arange(self.live().shape[1], device=low.device).expand(len(low), -1)
        places = torch.full((cells.shape[1],), k, device=low.device)
        found = []
        for end, outside in ((low.unsqueeze(1), torch.lt), (high.unsqueeze(1), torch.gt)):
            a, b = (
                torch.zeros(cells.shape, dtype=torch.float64),
                torch.ones(cells.shape, dtype=torch.float64),
            )
            for _ in range(steps):
                middle = 0.5 * (a + b)
                beyond = outside(self.rise(cells, middle, places), end)
                below = beyond if outside is torch.lt else ~beyond
                a, b = torch.where(below, middle, a), torch.where(below, b, middle)
            found.append(b if outside is torch.lt else a)
        first, last = found
        first = torch.where(first <= 2.0**-51, 0.0, first)
        last = torch.where(last >= 1.0 - 2.0**-51, 1.0, last)
        return first, torch.maximum(first, last)

    def features(self, values: Tensor, cell: Tensor, k: Tensor | None = None) -> Tensor:
        """Return (n, m, FEATURES): where a value lies among the training values, with waves, and
        how far out it is."""
        y, k = self._column(values, k)
        left, width, _ = self._body(cell, k)
        u = ((y - left) / width).clamp(0.0, 1.0)
        inner = torch.minimum(cell.clamp(min=1), self.used[k]) - 1
        r = 2.0 * (inner + u) / self.used[k] - 1.0
        first, last = self.edges[k, 0], self.edges[k, self.used[k]]
        z = torch.asinh(2.0 * (2.0 * (y - first) / (last - first) - 1.0))
        waves = [f(math.pi * w * r) for w in (1.0, 2.0, 4.0) for f in (torch.sin, torch.cos)]
        # on a circle the ends are one place: where it is on it says so, a rank does not
        turn = self.turns[k]
        phase = 2.0 * math.pi * (y - self.firsts[k]) / torch.where(turn > 0.0, turn, 1.0)
        r, z = torch.where(turn > 0.0, phase.sin(), r), torch.where(turn > 0.0, phase.cos(), z)
        present = (~torch.isnan(values)).unsqueeze(-1)
        return (torch.stack([r, z, *waves], dim=-1) * present).float()


def _support(column: Column, origin: float) -> tuple[float, float]:
    step, half = (1.0, 0.0) if column.step is None else (column.step, 0.5)
    low = column.low / step if column.step is None else round(column.low / step) - int(origin)
    high = column.high / step if column.step is None else round(column.high / step) - int(origin)
    return (
        low - half if column.bounded_below else -math.inf,
        high + half if column.bounded_above else math.inf,
    )


def cell_edges(
    y: Tensor, cells: int, gridded: bool, low: float = -math.inf, high: float = math.inf
) -> Tensor:
    """Return at most `cells + 1` increasing edges that cover sorted training coordinates.

    Example:
        >>> cell_edges(torch.tensor([0.0] * 20 + [1.0, 2.0, 5.0, 9.0], dtype=torch.float64), 2, gridded=True).tolist()
        [-0.5, 0.5, 9.5]
    """
    unique, counts = torch.unique(y, return_counts=True)
    first, last = float(unique[0]), float(unique[-1])
    if gridded and last - first + 1 <= cells:
        return torch.arange(last - first + 2, dtype=y.dtype, device=y.device) + (first - 0.5)
    if first == last:
        # a real column that happens to be constant in training: a narrow cell, within the bounds
        width = max(1e-6, 1e-3 * abs(first), 1e-3 * (high - low) if high - low < math.inf else 0.0)
        a, b = max(low, first - width), min(high, first + width)
        return torch.tensor(
            [a, b] if b > a else [first, first + width], dtype=y.dtype, device=y.device
        )
    fewest, most = 1, cells
    if not gridded:
        most = max(1, min(cells, len(y) // POINTS_PER_CELL))
    best = _edges(unique, counts, 1, gridded)
    while fewest <= most:
        middle = (fewest + most) // 2
        edges = _edges(unique, counts, middle, gridded)
        if len(edges) <= cells + 1:
            best, fewest = edges, middle + 1
        else:
            most = middle - 1
    return best if len(best) <= cells + 1 else best[[0, -1]]


def _edges(unique: Tensor, counts: Tensor, resolution: int, gridded: bool) -> Tensor:
    """Return the edges of about `resolution` quantile cells, beside those of frequent grid
    values."""
    n = int(counts.sum())
    alone = torch.zeros_like(counts, dtype=torch.bool)
    bins = resolution
    while gridded and resolution > 1:
        frequent = alone | (counts >= max(2.0, float(counts[~alone].sum()) / bins))
        if torch.equal(frequent, alone):
            break
        alone, bins = frequent, max(1, resolution - int(frequent.sum()))
    rest = torch.where(alone, 0, counts)
    p = (rest.cumsum(0) - 0.5 * rest) / max(1, int(rest.sum()))
    # cells thin out towards the ends, where one quantile covers a long way
    margin = 4.0 / n
    ends = (
        torch.log((p + margin) / (1.0 - p + margin)) / (2.0 * math.log((1.0 + margin) / margin))
        + 0.5
    )
    place = ((0.75 * p + 0.25 * ends) * bins).floor().clamp(0, bins - 1)
    cut = (place[1:] != place[:-1]) | alone[1:] | alone[:-1]
    left, right = unique[:-1][cut], unique[1:][cut]
    if not gridded:
        return torch.cat([unique[:1], 0.5 * left + 0.5 * right, unique[-1:]]).unique()
    after, before = left + 0.5, right - 0.5
    alone_left, alone_right = alone[:-1][cut], alone[1:][cut]
    middle = ((after + before) / 2.0 - 0.5).floor() + 0.5
    # what lies between two frequent values belongs to neither
    one = torch.where(alone_left, after, torch.where(alone_right, before, middle))
    other = torch.where(alone_left & alone_right, before, one)
    return torch.cat([unique[:1] - 0.5, one, other, unique[-1:] + 0.5]).unique()
