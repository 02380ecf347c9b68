"""A table of every kind of column, drawn from a law that tests can shift, break and copy."""

from __future__ import annotations

import numpy as np

from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import filled

MIXED = Table(
    (
        Column("colour", "categorical", ("red", "green", "blue", "grey"), missing=True),
        Column("size", "ordinal", ("small", "medium", "large")),
        Column("count", "integer", step=1.0, low=0, high=8, bounded_below=True),
        Column("weight", "continuous", low=-4.0, high=4.0, missing=True),
    )
)


def mixed_rows(n: int, rng: np.random.Generator, shift: float = 0.0) -> np.ndarray:
    """Filled rows (n, 4): one hidden normal moves all columns; a tenth of the colours and weights are missing."""
    hidden = rng.normal(size=n)
    colour = np.floor(1.1 * hidden + rng.normal(size=n) + 2.0 + shift).clip(0, 3)
    size = np.where(
        rng.random(n) < 0.6, np.floor(hidden + 1.5 + shift).clip(0, 2), rng.integers(0, 3, n)
    )
    count = rng.binomial(8, 1.0 / (1.0 + np.exp(-0.8 * hidden - shift)), size=n).astype(np.float64)
    weight = hidden + 0.6 * rng.normal(size=n) + shift
    colour[rng.random(n) < 0.1] = np.nan
    weight[rng.random(n) < 0.1] = np.nan
    return filled(np.stack([colour, size, count, weight], axis=1), MIXED)


def shuffled(rows: np.ndarray, rng: np.random.Generator, share: float = 1.0) -> np.ndarray:
    """Rows of which a share has its columns permuted independently: the columns stay, their dependence goes."""
    out = rows.copy()
    cut = round(share * len(rows))
    for place in range(rows.shape[1]):
        out[:cut, place] = rng.permutation(out[:cut, place])
    return out
