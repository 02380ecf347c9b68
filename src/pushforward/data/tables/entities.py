"""Tables that look like repeated measurements of few things: sensors, patients, shops.

One idea: rows of one thing that lie in training and in test at once flatter a model, and only the
user knows which column names things; so a column that is called like one, or whose values tell most
of a number, is asked about.
"""

from __future__ import annotations

import re
import shlex

import numpy as np
from torch import Tensor

from pushforward.core.table import Column, Table

FEWEST, ROWS_EACH, UNEVEN = 5, 5, 5.0
TOLD = 0.5
MOST_ROWS, MOST_COLUMNS = 20_000, 64
_THINGS = (
    "id|uuid|sensor|patient|subject|user|customer|client|device|station|machine|person|participant|animal|batch|plate|donor|session|"
    "household|employee|student|vehicle|store|shop|site|player|driver|account"
)
_CALLED = re.compile(
    rf"(^|[^a-z])({_THINGS})s?([^a-z]|$|id|no|nr|name|num)|[a-z](Id|ID)$", re.IGNORECASE
)


def entity_note(table: Table, x: Tensor) -> str | None:
    """Return the question whether a column says what each row belongs to, None if no column looks
    like it.

    Args:
        x: rows of the table, shape (n, columns).
    """
    rows = x[:MOST_ROWS].numpy()
    numbers = [i for i, column in enumerate(table.columns) if not column.discrete][:MOST_COLUMNS]
    for place, column in enumerate(table.columns[:MOST_COLUMNS]):
        names = rows[:, place]
        if np.isnan(names).any() or not (column.kind == "categorical" or _is_called_so(column)):
            continue
        _, owner, counts = np.unique(names, return_inverse=True, return_counts=True)
        repeated = FEWEST <= len(counts) <= len(rows) / ROWS_EACH
        if not repeated or counts.max() > UNEVEN * np.median(counts):
            continue
        others = [i for i in numbers if i != place]
        if _is_called_so(column) or (
            len(counts) > 2 * FEWEST and any(_told(owner, counts, rows[:, i]) for i in others)
        ):
            return (
                f"column '{column.name}' has {len(counts)} values, each in about {int(np.median(counts))} rows: if it names what "
                "was measured again and again (a sensor, a person), rows of one are in training and in test now, which flatters; "
                f"`-s {shlex.quote(f'data.group={column.name}')}` keeps them together then"
            )
    return None


def _is_called_so(column: Column) -> bool:
    return column.kind in ("categorical", "integer") and _CALLED.search(column.name) is not None


def _told(owner: np.ndarray, counts: np.ndarray, numbers: np.ndarray) -> bool:
    """Return whether groups tell most of a number: the share of its variance between them, less
    what chance would give."""
    if np.isnan(numbers).any():
        return False
    means = np.bincount(owner, weights=numbers) / counts
    within = float(((numbers - means[owner]) ** 2).sum()) / (len(numbers) - len(counts))
    whole = float(numbers.var(ddof=1))
    return whole > 0.0 and 1.0 - within / whole > TOLD
