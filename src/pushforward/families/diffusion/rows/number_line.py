"""Numbers of a table on a line where each column is about standard normal: a monotone map, its
slope, and the cells of a grid.

Four ideas: normal scores of the training quantiles, joined by straight lines that go on beyond the
data, so that every number has a place and a finite slope; a number on a grid owns the interval half
a step around it, so that its probability is that of an interval; a frequent grid value has a wide
interval of its own, so that a column of nine zeros in ten is no harder than others; a circle is cut
where the fewest rows lie.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.table import Column
from pushforward.families.diffusion.rows.line_mixture import GaussianMixtures
from pushforward.nets.number_columns import NumberColumns

ROWS_PER_CELL = 8
NARROWEST = 1e-9  # of the range: what keeps the slope of repeated real numbers finite
WIDEST = 1e-6  # of the range: of what lies beyond the outermost numbers
SMALLEST_SCALE = 0.2  # a column that hardly varies is not blown up


class NumberLine(NumberColumns):
    """The map `z = (Phi^-1(F(y)) - mean) / std`, F piecewise linear, of number columns, and the
    marginal law of each z.

    Everything is float64; shapes are (n, columns), NaN where a value is missing.

    Example:
        >>> line = NumberLine([Column("n", "integer", step=1.0, low=0, high=2, bounded_below=True)], 8)
        >>> x = torch.tensor([[0.0], [0.0], [1.0], [2.0]], dtype=torch.float64)
        >>> line.fit(x)
        >>> line.from_line(line.to_line(x)).flatten().tolist()
        [0.0, 0.0, 1.0, 2.0]
    """

    knots: Tensor
    scores: Tensor
    used: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, columns: list[Column], places: int) -> None:
        super().__init__(columns)
        self.places = places
        n, double = len(columns), torch.float64
        size = 6 * places + 8
        self.register_buffer("knots", torch.full((n, size), math.inf, dtype=double))
        self.register_buffer("scores", torch.zeros(n, size, dtype=double))
        self.register_buffer("used", torch.full((n,), 2, dtype=torch.long))
        low = [c.low if c.bounded_below else -math.inf for c in columns]
        high = [c.high if c.bounded_above else math.inf for c in columns]
        lowest = super().coordinate(torch.tensor(low, dtype=double))
        self.register_buffer("lowest", lowest, persistent=False)
        highest = super().coordinate(torch.tensor(high, dtype=double))
        self.register_buffer("highest", highest, persistent=False)
        self.marginal = GaussianMixtures(n, 3 * places + 2)
        self.fit_ranges()

    def coordinate(self, values: Tensor, k: int | Tensor | slice = slice(None)) -> Tensor:
        """Return values in units of their steps, those on a circle from where it is cut."""
        y, turn, cut = super().coordinate(values, k), self.turns[k], self.knots[k, 1]
        return torch.where(turn > 0.0, cut + torch.remainder(y - cut, turn), y)

    def number(self, y: Tensor, k: int | Tensor | slice = slice(None)) -> Tensor:
        """Return the values of coordinates, those of a circle in the turn of the data."""
        turn, first = self.turns[k], self.firsts[k]
        whole = torch.where(self.gridded[k], y.round(), y)
        turned = first + torch.remainder(whole - first, turn)
        return super().number(torch.where(turn > 0.0, turned, y), k)

    def _ends(self) -> tuple[Tensor, Tensor]:
        """Return the lowest and the highest coordinate that there is."""
        half = 0.5 * self.gridded.double()
        low, high = self.knots[:, 1] + half, self.knots[:, 1] + self.turns - half
        around = self.turns > 0.0
        return torch.where(around, low, self.lowest), torch.where(around, high, self.highest)

    def _fit_column(self, k: int, values: Tensor) -> None:
        gridded = bool(self.gridded[k])
        y = super().coordinate(values, k)
        if turn := float(self.turns[k]):
            cut = emptiest(y, turn)
            y = cut + torch.remainder(y - cut, turn)
        unique, counts = torch.unique(y, return_counts=True)
        edges, rows = cells(unique, counts, self.places, gridded)
        alone = (
            (edges[1:] - edges[:-1] == 1.0) if gridded else torch.zeros_like(rows, dtype=torch.bool)
        )
        # half a row more in every cell, and beyond either end, keeps every slope positive and
        # finite
        mass = torch.cat([rows.new_tensor([0.5]), rows + 0.5])
        share = mass.cumsum(0) / (mass.sum() + 0.5)
        outer, inner = (
            torch.special.ndtri(share),
            torch.special.ndtri(0.5 * (share[1:] + share[:-1])),
        )
        knots = torch.cat([edges, 0.5 * (edges[1:] + edges[:-1])[alone]]).sort().values
        scores = torch.cat([outer, inner[alone]]).sort().values
        here = _interpolate(unique, knots, scores)[0]
        weight = counts.double() / counts.sum()
        mean = (weight * here).sum()
        std = (weight * (here - mean).square()).sum().sqrt().clamp(min=SMALLEST_SCALE)
        knots, scores = _with_tails(knots, scores)
        scores = (scores - mean) / std
        self.used[k] = len(knots)
        self.knots[k] = math.inf
        self.knots[k, : len(knots)], self.scores[k, : len(knots)] = knots, scores
        spread = torch.where(alone, 0.0, (outer[1:] - outer[:-1]) / math.sqrt(12.0)) / std
        full = rows > 0
        self.marginal.set(k, ((inner - mean) / std)[full], spread[full], rows[full])

    def _segment(self, where: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        index = torch.searchsorted(table, where.T.contiguous(), right=True).T - 1
        index = torch.minimum(index.clamp(min=0), self.used - 2)
        column = torch.arange(len(self.columns), device=where.device)
        ends = [t[column, index + i] for t in (self.knots, self.scores) for i in (0, 1)]
        return ends[0], ends[1], ends[2], ends[3]

    def _place(self, y: Tensor) -> tuple[Tensor, Tensor]:
        left, right, low, high = self._segment(y, self.knots)
        slope = (high - low) / (right - left)
        return low + slope * (y - left), slope

    def to_line(self, values: Tensor) -> Tensor:
        """Return the places z of values; a missing value stands at 0, the centre."""
        return torch.nan_to_num(self._place(self.coordinate(values))[0], nan=0.0)

    def log_slope(self, values: Tensor) -> Tensor:
        """Return `log dz/dx` of real columns, in data units; 0 for columns on a grid, whose
        probabilities are of intervals."""
        slope = self._place(self.coordinate(values))[1]
        return torch.where(self.gridded | torch.isnan(values), 0.0, slope.log())

    def from_line(self, z: Tensor) -> Tensor:
        """Return the number that stands at z: on its grid, within its bounds."""
        left, right, low, high = self._segment(
            z, torch.where(self.knots.isinf(), math.inf, self.scores)
        )
        y = left + (right - left) / (high - low) * (z - low)
        return self.number(torch.where(self.gridded, y.round(), y).clamp(*self._ends()))

    def interval(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ends on the line of the cells of grid values; a bound's cell goes on to
        infinity, so that nothing is lost."""
        y, (lowest, highest) = self.coordinate(values), self._ends()
        below, above = self._place(y - 0.5)[0], self._place(y + 0.5)[0]
        return torch.where(y <= lowest, -math.inf, below), torch.where(
            y >= highest, math.inf, above
        )

    def possible(self, values: Tensor) -> Tensor:
        """Return which values lie within the bounds of their columns; missing ones do."""
        y, (lowest, highest) = self.coordinate(values), self._ends()
        return torch.isnan(y) | ((y >= lowest) & (y <= highest))


def emptiest(y: Tensor, turn: float) -> float:
    """Return where a circle is cut: in the middle of the gap between neighbours that is widest for
    the rows on its two sides.

    Args:
        y: coordinates of all rows; turn: after which they begin again.

    Example:
        >>> emptiest(torch.tensor([350.0, 355.0, 5.0, 20.0]), 360.0)
        185.0
    """
    first = float(y.min())
    unique, counts = torch.unique(first + torch.remainder(y - first, turn), return_counts=True)
    gaps = torch.cat([unique[1:], unique[:1] + turn]) - unique
    best = int((gaps / (counts + counts.roll(-1))).argmax())
    return float(unique[best] + 0.5 * gaps[best])


def cells(unique: Tensor, counts: Tensor, most: int, gridded: bool) -> tuple[Tensor, Tensor]:
    """Return increasing edges that cover the data, and the training rows in each cell.

    Frequent grid values have a cell of width one to themselves: those with more rows than an even
    share of the cells that are left for the others; if the whole range has at most `most` grid
    values, each has. The other cells hold about as many rows each.

    Example:
        >>> y, n = torch.tensor([0.0, 1.0, 2.0, 50.0]), torch.tensor([90, 1, 1, 20])
        >>> [t.tolist() for t in cells(y, n, 4, gridded=True)]
        [[-0.5, 0.5, 49.5, 50.5], [90.0, 2.0, 20.0]]
    """
    unique, counts = unique.double(), counts.double()
    if gridded and float(unique[-1] - unique[0]) < most:
        edges = torch.arange(
            float(unique[0]) - 0.5,
            float(unique[-1]) + 1.0,
            dtype=torch.float64,
            device=unique.device,
        )
        mass = torch.zeros(len(edges) - 1, dtype=torch.float64, device=unique.device)
        return edges, mass.index_add_(0, (unique - unique[0]).round().long(), counts)
    total = float(counts.sum())
    if gridded:
        edges = torch.cat([unique - 0.5, unique + 0.5]).unique()
    else:
        # a point at either end, and a narrow cell around a constant; of neighbouring doubles the
        # middle is one of them
        pad = _padding(float(unique[-1] - unique[0]), float(unique.abs().max()))
        edges = torch.cat(
            [unique[:1] - pad, 0.5 * unique[1:] + 0.5 * unique[:-1], unique[-1:] + pad]
        ).unique()
        most = max(1, min(most, int(total) // ROWS_PER_CELL))
    rows = torch.zeros(len(edges) - 1, dtype=torch.float64, device=unique.device)
    rows.index_add_(0, torch.searchsorted(edges, unique, right=True) - 1, counts)
    frequent, left = torch.zeros_like(rows, dtype=torch.bool), most
    while gridded:
        found = frequent | (rows >= max(2.0, float(rows[~frequent].sum()) / left))
        left = max(1, most - int(found.sum()))
        if torch.equal(found, frequent):
            break
        frequent = found
    rest = torch.where(frequent, 0.0, rows)
    place = torch.floor(rest.cumsum(0) / rest.sum().clamp(min=1.0) * left).clamp(max=left - 1)
    keep = frequent[1:] | frequent[:-1] | (place[1:] != place[:-1])
    kept = torch.cat([edges[:1], edges[1:-1][keep], edges[-1:]])
    index = torch.searchsorted(kept, edges[:-1], right=True) - 1
    return kept, torch.zeros(len(kept) - 1, dtype=torch.float64, device=unique.device).index_add_(
        0, index, rows
    )


def _padding(spread: float, largest: float) -> float:
    """Return how far the outermost cells reach beyond real numbers: of the spread next to nothing,
    and more than rounding."""
    pad = max(NARROWEST * spread, NARROWEST * largest, 1e-12)
    # beside an offset it is the spread that counts: a cell as wide as the data would draw numbers
    # far from all of them
    return 1e6 * pad if spread == 0.0 else max(min(pad, WIDEST * spread), 8.0 * math.ulp(largest))


def _interpolate(y: Tensor, knots: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    index = (torch.searchsorted(knots, y, right=True) - 1).clamp(0, len(knots) - 2)
    slope = (scores[index + 1] - scores[index]) / (knots[index + 1] - knots[index])
    return scores[index] + slope * (y - knots[index]), slope


def _with_tails(knots: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the knots with one more at either end: the line goes on as steeply as over its outer
    tenth of the rows."""
    tenth = torch.special.ndtri(scores.new_tensor([0.1, 0.9]))
    # a tenth may lie in the last cell, whose own slope then counts
    inner = torch.stack([torch.maximum(tenth[0], scores[1]), torch.minimum(tenth[1], scores[-2])])
    place = _interpolate(inner, scores, knots)[0]
    low, high = (
        (place[0] - knots[0]) / (inner[0] - scores[0]),
        (knots[-1] - place[1]) / (scores[-1] - inner[1]),
    )
    knots = torch.cat([(knots[0] - low).unsqueeze(0), knots, (knots[-1] + high).unsqueeze(0)])
    return knots, torch.cat([scores[:1] - 1.0, scores, scores[-1:] + 1.0])
