"""The parts of a row that are noised differently: symbols, which are masked, and numbers, which get
Gaussian noise.

One idea: a number that may be missing has a symbol of its own, "there" or "missing", so that a
missing number is a symbol like any other and the number itself is only spoken of where it is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pushforward.core.table import Column

HIDDEN = -1


class RowLayout:
    """Where each column of a table goes: S symbols of given sizes, then N numbers.

    Example:
        >>> columns = (Column("x", "continuous", low=0, high=1, missing=True), Column("c", "categorical", ("a", "b")))
        >>> layout = RowLayout(columns)
        >>> symbols, values = layout.split(torch.tensor([[0.5, 1.0], [math.nan, 0.0]], dtype=torch.float64))
        >>> layout.sizes, symbols.tolist(), layout.there(symbols).tolist()
        ([2, 2], [[1, 0], [0, 1]], [[True], [False]])
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.discrete = [i for i, c in enumerate(columns) if c.discrete]
        self.numbers = [i for i, c in enumerate(columns) if not c.discrete]
        self.flagged = [k for k, i in enumerate(self.numbers) if columns[i].missing]
        self.sizes = [len(columns[i].categories) + columns[i].missing for i in self.discrete] + [
            2
        ] * len(self.flagged)
        # the symbol of a missing category follows the others
        self.absent = [len(columns[i].categories) for i in self.discrete]
        self.names = [columns[i].name for i in self.discrete]
        self.names += [f"{columns[self.numbers[k]].name} missing" for k in self.flagged]

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return symbols (n, S) and numbers (n, N), NaN where missing, of rows in data units."""
        absent = torch.tensor(self.absent, dtype=torch.long, device=x.device)
        chosen, values = x[:, self.discrete], x[:, self.numbers]
        symbols = torch.where(torch.isnan(chosen), absent, chosen.nan_to_num(0.0).long())
        return torch.cat([symbols, torch.isnan(values[:, self.flagged]).long()], dim=1), values

    def join(self, symbols: Tensor, values: Tensor) -> Tensor:
        """Return the rows of symbols and numbers."""
        x = torch.full(
            (len(symbols), len(self.columns)), math.nan, dtype=torch.float64, device=symbols.device
        )
        chosen = symbols[:, : len(self.discrete)].double()
        absent = torch.tensor(self.absent, dtype=torch.long, device=symbols.device)
        x[:, self.discrete] = torch.where(chosen >= absent, math.nan, chosen)
        x[:, self.numbers] = torch.where(self.there(symbols), values.double(), math.nan)
        return x

    def there(self, symbols: Tensor) -> Tensor:
        """Return which numbers (n, N) are not missing; one whose symbol is hidden counts as
        there."""
        there = torch.ones(len(symbols), len(self.numbers), dtype=torch.bool, device=symbols.device)
        there[:, self.flagged] = symbols[:, len(self.discrete) :] != 1
        return there

    def absent_in(self, there: Tensor) -> Tensor:
        """Return which symbols (n, S) may not be the one for "missing", of a mask of columns (n, C)
        that are there; those of numbers are known then, and left out."""
        lacking = torch.tensor([self.columns[i].missing for i in self.discrete], dtype=torch.bool)
        barred = there[:, self.discrete] & lacking.to(there.device)
        none = torch.zeros(len(there), len(self.flagged), dtype=torch.bool, device=there.device)
        return torch.cat([barred, none], dim=1)

    def flags(self, numbers: Tensor) -> Tensor:
        """Return which symbols (n, S) say whether the numbers of a mask (n, N) are missing."""
        none = torch.zeros(
            len(numbers), len(self.discrete), dtype=torch.bool, device=numbers.device
        )
        return torch.cat([none, numbers[:, self.flagged]], dim=1)

    def spread(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return which symbols (n, S) and numbers (n, N) a mask of columns (n, C) speaks of."""
        numbers = mask[:, self.numbers]
        return torch.cat([mask[:, self.discrete], numbers[:, self.flagged]], dim=1), numbers
