"""Rows that look like repeated measurements of few things: a random split then tests a model on
what it was trained on.

One idea: the numbers that name sensors or people are names; what rows of one name share is no
smooth function of the number.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

# with fewer names, a column may as well be a setting; with more than a tenth of the rows, rows of
# one name are few
FEWEST, SHARE = 8, 0.1
MOST_COLUMNS, MOST_ROWS = 64, 20_000
LEVEL = 1e-9


def group_note(x: np.ndarray) -> str | None:
    """Return the question which column says what each row belongs to, None if no column looks like
    it.

    Args:
        x: rows of numbers, shape (n, d).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> sensor = rng.integers(0, 20, 1000)
        >>> group_note(np.stack([sensor, rng.normal(size=20)[sensor] + 0.1 * rng.normal(size=1000)], 1))[:32]
        'column 0 holds 20 different whol'
    """
    rows = x[:MOST_ROWS]
    for column in range(min(rows.shape[1], MOST_COLUMNS)):
        names = rows[:, column]
        values, owner, counts = np.unique(names, return_inverse=True, return_counts=True)
        if (
            not FEWEST <= len(values) <= SHARE * len(rows)
            or counts.min() < 3
            or (values != np.round(values)).any()
        ):
            continue
        others = np.delete(rows, column, axis=1)[:, :MOST_COLUMNS]
        if any(_alike(names, owner.reshape(-1), counts, other) for other in others.T):
            return (
                f"column {column} holds {len(values)} different whole numbers, each in many rows, and rows of one are alike: "
                "does it say what a row belongs to (a sensor, a person)? Rows of one are in training and in test now, which "
                "flatters a model; hold whole groups out yourself, as x_train and x_test of an .npz"
            )
    return None


def _alike(names: np.ndarray, owner: np.ndarray, counts: np.ndarray, other: np.ndarray) -> bool:
    """Return whether groups differ (one-way analysis of variance) in what a cubic of their numbers
    does not explain."""
    spread = np.ptp(names)
    basis = np.vander((names - names.min()) / spread, 4)
    rest = other - basis @ np.linalg.lstsq(basis, other, rcond=None)[0]
    means = np.bincount(owner, weights=rest) / counts
    between, within = float((counts * means**2).sum()), float(((rest - means[owner]) ** 2).sum())
    freedom = len(counts) - 4, len(names) - len(counts)
    if within <= 0 or not np.isfinite(between + within):
        return False
    return bool(stats.f.sf((between / freedom[0]) / (within / freedom[1]), *freedom) < LEVEL)
