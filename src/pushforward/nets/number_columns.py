"""Columns of numbers of which something is fitted, one column after the other.

One idea: in units of its step a number on a grid is an integer and a real number stays as it is, so that both share one arithmetic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from pushforward.core.table import Column


class NumberColumns(nn.Module, ABC):
    """Number columns with their steps (1 for real numbers) and which of them lie on a grid; what is fitted are buffers.

    Concrete classes register their buffers and end their constructor with `fit_ranges`.
    """

    steps: Tensor
    gridded: Tensor

    def __init__(self, columns: list[Column]) -> None:
        super().__init__()
        self.columns = columns
        steps = torch.tensor([1.0 if c.step is None else c.step for c in columns], dtype=torch.float64)
        self.register_buffer("steps", steps, persistent=False)
        gridded = torch.tensor([c.step is not None for c in columns], dtype=torch.bool)
        self.register_buffer("gridded", gridded, persistent=False)

    def fit_ranges(self) -> None:
        """Start from the declared range of every column, as if its ends were all that is known."""
        for k, column in enumerate(self.columns):
            self._fit_column(k, torch.tensor([column.low, column.high], dtype=torch.float64))

    def fit(self, values: Tensor) -> None:
        """Learn from training rows (n, columns), NaN where missing; a column without numbers keeps its declared range."""
        for k in range(len(self.columns)):
            known = values[:, k][~torch.isnan(values[:, k])]
            if len(known):
                self._fit_column(k, known)

    def coordinate(self, values: Tensor, k: int | Tensor | slice = slice(None)) -> Tensor:
        """Return values of some columns, all by default, in units of their steps: integers on a grid."""
        y = values / self.steps[k]
        return torch.where(self.gridded[k], y.round(), y)

    @abstractmethod
    def _fit_column(self, k: int, values: Tensor) -> None:
        """Learn column k from its values, none of them missing."""
