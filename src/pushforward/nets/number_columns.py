"""Columns of numbers of which something is fitted, one column after the other.

Two ideas: in units of its step a number on a grid is an integer and a real number stays as it is,
so that both share one arithmetic; where integers are so large that no double lies half-way between
two of them, they are counted from their far end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from pushforward.core.table import Column

HALVES = 2.0**52  # from here on no double lies between two integers


class NumberColumns(nn.Module, ABC):
    """Number columns with their steps (1 for real numbers), which of them lie on a grid, and which
    on a circle; what is fitted are buffers.

    Concrete classes register their buffers and end their constructor with `fit_ranges`.
    """

    steps: Tensor
    gridded: Tensor
    origins: Tensor
    firsts: Tensor
    turns: Tensor

    def __init__(self, columns: list[Column]) -> None:
        super().__init__()
        self.columns = columns
        steps = torch.tensor(
            [1.0 if c.step is None else c.step for c in columns], dtype=torch.float64
        )
        self.register_buffer("steps", steps, persistent=False)
        gridded = torch.tensor([c.step is not None for c in columns], dtype=torch.bool)
        self.register_buffer("gridded", gridded, persistent=False)
        origins = torch.tensor([origin_of(c) for c in columns], dtype=torch.float64)
        self.register_buffer("origins", origins, persistent=False)
        turns = torch.tensor([turn_of(c) for c in columns], dtype=torch.float64).reshape(-1, 2)
        self.register_buffer("firsts", turns[:, 0].clone(), persistent=False)
        self.register_buffer("turns", turns[:, 1].clone(), persistent=False)

    def fit_ranges(self) -> None:
        """Start from the declared range of every column, as if its ends were all that is known."""
        if self.steps.is_meta:  # a network of which only the size is asked
            return
        for k, column in enumerate(self.columns):
            self._fit_column(k, torch.tensor([column.low, column.high], dtype=torch.float64))

    def fit(self, values: Tensor) -> None:
        """Learn from training rows (n, columns), NaN where missing; a column without numbers keeps
        its declared range."""
        for k in range(len(self.columns)):
            known = values[:, k][~torch.isnan(values[:, k])]
            if len(known):
                self._fit_column(k, known)

    def coordinate(self, values: Tensor, k: int | Tensor | slice = slice(None)) -> Tensor:
        """Return values of some columns, all by default, in units of their steps: integers on a
        grid, from their origin."""
        y = values / self.steps[k]
        return torch.where(self.gridded[k], y.round() - self.origins[k], y)

    def number(self, y: Tensor, k: int | Tensor | slice = slice(None)) -> Tensor:
        """Return the values of coordinates, the inverse of `coordinate`; what comes near a point of
        a grid is put there."""
        return torch.where(
            self.gridded[k], from_grid(y.round() + self.origins[k], self.steps[k]), y
        )

    @abstractmethod
    def _fit_column(self, k: int, values: Tensor) -> None:
        """Learn column k from its values, none of them missing."""


def from_grid(y: Tensor, step: Tensor) -> Tensor:
    """Return y grid steps in data units; a step of 0.01 divides by 100, which hits the nearest
    double, as decimals do.

    Example:
        >>> from_grid(torch.tensor(29.0, dtype=torch.float64), torch.tensor(0.01, dtype=torch.float64)).item()
        0.29
    """
    inverse = (1.0 / step).round()
    return torch.where((step < 1.0) & ((inverse * step - 1.0).abs() < 1e-9), y / inverse, y * step)


def turn_of(column: Column) -> tuple[float, float]:
    """Return where the turn of a column begins and how long it is, in units of its step: on a grid
    as many steps as it has numbers; (0, 0) on a line.

    Example:
        >>> turn_of(Column("hour", "integer", step=1.0, low=0, high=23, period=24.0))
        (0.0, 24.0)
    """
    if column.period is None:
        return 0.0, 0.0
    if column.step is None:
        return column.low, column.period
    return float(round(column.low / column.step)), 1.0 + round(
        (column.high - column.low) / column.step
    )


def origin_of(column: Column) -> float:
    """Return the integer from which those of a column are counted: 0 unless they are too large for
    halves.

    Example:
        >>> origin_of(Column("n", "integer", step=1.0, low=0, high=90)), origin_of(Column("n", "integer", step=1.0, high=2.0**52))
        (0.0, 4503599627370496.0)
    """
    if column.step is None:
        return 0.0
    end = max(column.low, column.high, key=abs) / column.step
    return float(round(end)) if abs(end) >= HALVES - 1.0 else 0.0
