"""What of a table is never shown again: values that fewer than k rows hold.

One idea: a model learns from all values, but what it draws passes a gate; a category or an extreme
number that too few rows share is replaced by one that enough of them share, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.table import Column
from pushforward.data.tables.surrogates.surrogate import uniforms

USUAL = 5


@dataclass(frozen=True)
class Protection:
    """Which values of a column may be shown.

    Attributes:
        levels: the categories that enough rows hold, in order; empty for numbers.
        weights: their shares among these rows.
        low, high: the smallest and the largest number that enough rows reach, None = no bound.
        rare: how many different values are not shown.

    Example:
        >>> column = Column("age", "integer", step=1.0, low=0.0, high=99.0)
        >>> ages = np.array([1.0, 3.0, 3.0, 4.0, 50.0, 50.0, 99.0])
        >>> protection = protection_of(column, ages, 2)
        >>> protection.low, protection.high, protection.rare
        (3.0, 50.0, 2)
    """

    levels: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    rare: int = 0

    def hidden(self, values: np.ndarray, column: Column) -> np.ndarray:
        """Return which of the numbers of a column may not be shown."""
        known = ~np.isnan(values)
        if column.discrete:
            return known & ~np.isin(values, self.levels)
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return known & ((values < low) | (values > high))

    def shown(self, values: np.ndarray, column: Column, seed: int) -> np.ndarray:
        """Return values with those that may not be shown replaced: categories by others as often
        as these are, ordered ones by the nearest, numbers by the bound; by none at all where no
        category may be shown."""
        wrong = self.hidden(values, column)
        if not wrong.any():
            return values
        if not column.discrete:
            return np.clip(values, self.low, self.high)
        found = values.copy()
        if not self.levels:
            found[wrong] = np.nan
        elif column.kind == "ordinal":
            levels = np.asarray(self.levels, dtype=np.float64)
            nearest = np.abs(values[wrong, None] - levels).argmin(axis=1)
            found[wrong] = levels[nearest]
        else:
            drawn = uniforms(seed, f"protect {column.name}", 0, len(values), 1)[wrong, 0]
            places = np.searchsorted(np.cumsum(self.weights), drawn, "right")
            found[wrong] = np.asarray(self.levels)[places.clip(max=len(self.levels) - 1)]
        return found


def protection_of(
    column: Column, values: np.ndarray, k: int, owners: np.ndarray | None = None
) -> Protection | None:
    """Return the protection of a column's values that fewer than k rows hold, None if there are
    none.

    Args:
        values: of all rows, NaN where missing.
        owners: whom each row belongs to: rows of one person count once; None = one each.

    Raises:
        BadInput: k below 0.
    """
    if k < 0:
        raise BadInput(f"data.protect={k}", "0 or more", f"{USUAL} is usual")
    there = ~np.isnan(values)
    known = values[there]
    if k < 2 or not len(known):
        return None
    pairs = np.arange(len(known)) if owners is None else owners[there]
    # each value once for each of those who hold it
    held = np.unique(np.stack([known, pairs.astype(np.float64)]), axis=1)
    different, counts = np.unique(held[0], return_counts=True)
    if column.discrete:
        often = counts >= k
        if often.all():
            return None
        total = float(counts[often].sum())
        weights = tuple((counts[often] / total).tolist()) if total else ()
        levels = tuple(different[often].astype(int).tolist())
        return Protection(levels, weights, rare=int((~often).sum()))
    if column.period is not None and _covered(different, column.period):
        return None  # a circle without an end has no extremes
    least, most = _reached(held, k), _reached(-held[:, ::-1], k)
    if least is None or most is None or least > -most:
        middle = float(np.median(known))
        return Protection(low=middle, high=middle, rare=len(different))
    most = -most
    rare = int(((different < least) | (different > most)).sum())
    return Protection(low=least, high=most, rare=rare) if rare else None


def _covered(different: np.ndarray, period: float) -> bool:
    """Return whether different values lie all around a circle, with no gap of an eighth of it."""
    gaps = np.diff(np.append(different, different[0] + period))
    return bool(gaps.max() <= period / 8.0)


def _reached(held: np.ndarray, k: int) -> float | None:
    """Return the smallest value that k owners are at or below, None if there are fewer.

    Args:
        held: values in order, and whom each belongs to, shape (2, m); an owner may come again.
    """
    _, first = np.unique(held[1], return_index=True)
    if len(first) < k:
        return None
    return float(held[0][np.sort(first)[k - 1]])


def said_of(column: Column, protection: Protection, k: int) -> str:
    """Return what is protected of a column, in words."""
    many = f"{protection.rare:,} value{'s' * (protection.rare != 1)}"
    if column.discrete:
        return f"{many} that fewer than {k} rows hold"
    return f"{many} beyond those that {k} rows reach"
