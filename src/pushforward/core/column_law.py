"""What is known of one column of a row from its other columns: a law, not a guess.

Two ideas: a law of categories is their probabilities, one of numbers its moments and quantiles; each
says of every row whether it is exact or comes from draws, and then how far draws may be off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from pushforward.core.errors import BadInput

LEVELS = (0.05, 0.5, 0.95)  # of the quantiles that a law of numbers has
POINTS = 200  # equally probable places that stand for a law of numbers


@dataclass(frozen=True)
class ColumnLaw:
    """The law of a column that is there, of n rows.

    Attributes:
        exact: (n,), True where nothing was drawn.
    """

    exact: Tensor

    def __len__(self) -> int:
        return len(self.exact)

    def __getitem__(self, rows: Tensor | slice) -> Self:
        parts = {f.name: getattr(self, f.name)[rows] for f in fields(self)}
        return type(self)(**parts)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the laws of several batches of rows as one."""
        kind = type(parts[0])
        names = [f.name for f in fields(kind)]
        return kind(**{name: torch.cat([getattr(one, name) for one in parts]) for name in names})

    def put(self, rows: Tensor, other: Self) -> Self:
        """Return the same laws with those of some rows replaced."""
        parts = {}
        for one in fields(self):
            parts[one.name] = getattr(self, one.name).clone()
            parts[one.name][rows] = getattr(other, one.name)
        return type(self)(**parts)


@dataclass(frozen=True)
class CategoryLaw(ColumnLaw):
    """Probabilities of the categories of a column.

    Attributes:
        p: (n, categories), float64; rows sum to one.
        stderr: (n, categories), standard errors of probabilities that were estimated, 0 where exact.

    Example:
        >>> law = CategoryLaw.of_draws(torch.tensor([[0.0, 0.0, 1.0]]), 2)
        >>> law.p.tolist(), law.exact.tolist()
        ([[0.625, 0.375]], [False])
    """

    p: Tensor
    stderr: Tensor

    @staticmethod
    def sure(p: Tensor) -> CategoryLaw:
        """Return the law of probabilities that are known."""
        return CategoryLaw(torch.ones(len(p), dtype=torch.bool), p, torch.zeros_like(p))

    @staticmethod
    def of_draws(x: Tensor, categories: int) -> CategoryLaw:
        """Return the law that K draws (n, K) of indices speak for: shares to which half a draw of
        each category was added, so that none is impossible (Jeffreys' prior)."""
        draws = x.shape[1]
        counts = torch.stack([(x == c).sum(1) for c in range(categories)], dim=1).double()
        p = (counts + 0.5) / (draws + 0.5 * categories)
        stderr = (p * (1.0 - p) / draws).sqrt()
        return CategoryLaw(torch.zeros(len(x), dtype=torch.bool), p, stderr)

    @staticmethod
    def mixed(p: Tensor, weights: Tensor) -> CategoryLaw:
        """Return the mean of K laws (n, K, categories), each given another draw of what is not
        known, by weights (n, K): how probable it is there that the value is not missing.

        The error is that of a ratio, `sum_k w_k^2 (p_k - p)^2 / (sum_k w_k)^2`.
        """
        share = (weights / weights.sum(1, keepdim=True)).unsqueeze(2)
        mean = (share * p).sum(1)
        stderr = (share.square() * (p - mean.unsqueeze(1)).square()).sum(1).sqrt()
        return CategoryLaw(torch.zeros(len(p), dtype=torch.bool), mean, stderr)


@dataclass(frozen=True)
class NumberLaw(ColumnLaw):
    """Moments and quantiles of a column of numbers, in data units.

    Attributes:
        mean, sd: (n,), float64.
        quantiles: (n, 3), at `LEVELS`.
        points: (n, POINTS), places at the levels `(i + 1/2) / POINTS`, in order: as good as draws,
            and more even.

    Example:
        >>> law = NumberLaw.of_draws(torch.tensor([[3.0, 1.0, 2.0]], dtype=torch.float64))
        >>> law.mean.tolist(), law.quantiles[:, 1].tolist(), law.points.shape
        ([2.0], [2.0], torch.Size([1, 200]))
    """

    mean: Tensor
    sd: Tensor
    quantiles: Tensor
    points: Tensor

    @staticmethod
    def of_draws(x: Tensor) -> NumberLaw:
        """Return the law of K draws (n, K), each as probable as the others."""
        ordered = x.sort(1).values
        sd = x.std(1, unbiased=x.shape[1] > 1)
        there = torch.zeros(len(x), dtype=torch.bool)
        levels = torch.tensor(LEVELS, dtype=torch.float64)
        points = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
        return NumberLaw(there, x.mean(1), sd, _at(ordered, levels), _at(ordered, points))

    @staticmethod
    def mixed(laws: NumberLaw, weights: Tensor) -> NumberLaw:
        """Return the means of K laws each, given another draw of what is not known, by weights (n,
        K) as `CategoryLaw.mixed` has them.

        Args:
            laws: n K of them, those of one row next to each other.
        """
        mean, sd, points = (
            part.unflatten(0, weights.shape) for part in (laws.mean, laws.sd, laws.points)
        )
        share = weights / weights.sum(1, keepdim=True)
        middle = (share * mean).sum(1)
        away = sd.square() + (mean - middle.unsqueeze(1)).square()
        each = share.unsqueeze(2).expand_as(points).flatten(1)
        ordered, place = points.flatten(1).sort(1)
        mass = each.gather(1, place).cumsum(1)
        levels = torch.tensor(LEVELS, dtype=torch.float64)
        even = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
        found = [_reached(ordered, mass, at) for at in (levels, even)]
        exact = torch.zeros(len(weights), dtype=torch.bool)
        return NumberLaw(exact, middle, (share * away).sum(1).sqrt(), *found)


def _at(ordered: Tensor, levels: Tensor) -> Tensor:
    """Return the smallest values (n, L) that shares of values in order (n, K) do not exceed."""
    count = ordered.shape[1]
    place = (levels * count).ceil().long().clamp(1, count) - 1
    return ordered[:, place]


def _reached(ordered: Tensor, mass: Tensor, levels: Tensor) -> Tensor:
    """Return the values (n, L) at which a mass that rises to one reaches some levels."""
    wanted = (levels * mass[:, -1:]).contiguous()
    place = torch.searchsorted(mass.contiguous(), wanted).clamp(max=ordered.shape[1] - 1)
    return ordered.gather(1, place)


def require_draws(draws: int) -> None:
    """Refuse a number of draws from which no law follows.

    Example:
        >>> require_draws(2)
    """
    if draws < 2:
        raise BadInput(f"{draws} draws", "two or more", "an error cannot be told from one")
