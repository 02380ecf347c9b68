"""What a page shows of a table: each column's shares, and how strongly columns depend on each
other.

Two ideas: real rows cut every column into bins, and the same bins count the samples; a page keeps
shares and dependences, which show what a model got wrong, and no rows beyond a few examples.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.table.associations import Associations

MOST_COLUMNS, MOST_BINS, MOST_CATEGORIES = 24, 12, 8
OTHER, MISSING = "other", "missing"


@dataclass(frozen=True)
class Bins:
    """How one column is cut.

    Attributes:
        name: of the column.
        edges: for numbers, ends of the bins; values outside fall into the first or the last one.
        labels: what each bin is called, categories (the commonest first), `other` and `missing`
            among them.
        kept: for categories, the index of each category that has a bin of its own.
    """

    name: str
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()
    kept: tuple[int, ...] = ()


Words = Callable[..., list[str] | None]


def bins_of(rows: np.ndarray, space: Table, words: Words | None = None) -> tuple[Bins, ...]:
    """Return the bins of the first 24 columns, by the real rows (n, columns), missing values marked
    by numbers.

    Example:
        >>> space = Table((Column("sex", "categorical", ("f", "m")), Column("age", "integer", step=1.0, low=0, high=9)))
        >>> [b.labels for b in bins_of(np.array([[0.0, 1.0], [1.0, 3.0], [1.0, 3.0]]), space)]
        [('m', 'f'), ('1', '2', '3')]
    """
    return tuple(
        _bins(rows[:, k], column, None if words is None else partial(words, k))
        for k, column in enumerate(space.columns[:MOST_COLUMNS])
    )


def shares_of(rows: np.ndarray, space: Table, bins: Sequence[Bins]) -> np.ndarray:
    """Return the share of the rows in each bin, shape (columns, most bins), NaN beyond a column's
    bins.

    Example:
        >>> space = Table((Column("sex", "categorical", ("f", "m")),))
        >>> shares_of(np.array([[0.0], [1.0], [1.0], [1.0]]), space, (Bins("sex", ("m", "f"), kept=(1, 0)),)).tolist()
        [[0.75, 0.25]]
    """
    found = np.full((len(bins), max(len(b.labels) for b in bins)), np.nan)
    for k, (cut, column) in enumerate(zip(bins, space.columns)):
        places = _places(rows[:, k], column, cut)
        found[k, : len(cut.labels)] = np.bincount(places, minlength=len(cut.labels)) / max(
            1, len(rows)
        )
    return found


def links_of(rows: np.ndarray, space: Table) -> np.ndarray:
    """Return the association of every two of the first columns, shape (columns, columns), 1 on the
    diagonal.

    Rank correlation of numbers, Cramér's V of categories, correlation ratio between the kinds; see
    `Associations`.
    """
    columns = space.columns[:MOST_COLUMNS]
    numbers = [k for k, column in enumerate(columns) if not column.discrete]
    others = [k for k, column in enumerate(columns) if column.discrete]
    pairs = [
        (a, b) for some in (numbers, others) for i, a in enumerate(some) for b in some[i + 1 :]
    ]
    pairs += [(a, b) for a in others for b in numbers]
    found = np.eye(len(columns))
    if pairs:
        counted = Associations(
            rows[:, : len(columns)], Table(columns), np.zeros(len(rows), dtype=np.int64)
        )
        values = counted.rooted(counted.of(np.ones((1, 20), dtype=bool)))[0]
        for (a, b), value in zip(pairs, values, strict=True):
            found[a, b] = found[b, a] = value
    return found


def _bins(values: np.ndarray, column: Column, words: Words | None) -> Bins:
    absent = (MISSING,) if column.missing else ()
    if column.discrete:
        known = values[values >= 0].astype(np.int64)
        counts = np.bincount(known, minlength=len(column.categories))
        order = [int(i) for i in np.argsort(-counts, kind="stable")]
        kept = order if len(order) <= MOST_CATEGORIES else order[: MOST_CATEGORIES - 1]
        rest = (OTHER,) if len(kept) < len(order) else ()
        return Bins(
            column.name,
            (*(str(column.categories[i]) for i in kept), *rest, *absent),
            kept=tuple(kept),
        )
    known = values[values != missing_mark(column)] if column.missing else values
    low, high = (
        (float(v) for v in np.quantile(known, [0.01, 0.99]))
        if len(known)
        else (column.low, column.high)
    )
    if column.step is not None and (high - low) / column.step < MOST_BINS:
        count = max(1, round((high - low) / column.step) + 1)
        edges = [low + column.step * (k - 0.5) for k in range(count + 1)]
        labels = [_said(low + column.step * k, column, words) for k in range(count)]
    else:
        high = high if high > low else low + (abs(low) or 1.0)
        edges = [float(v) for v in np.linspace(low, high, MOST_BINS + 1)]
        labels = [
            f"{_said(a, column, words)} to {_said(b, column, words)}"
            for a, b in itertools.pairwise(edges)
        ]
    return Bins(column.name, (*labels, *absent), tuple(edges))


def _places(values: np.ndarray, column: Column, cut: Bins) -> np.ndarray:
    last = len(cut.labels) - 1
    if column.discrete:
        place = np.full(len(column.categories) + 1, len(cut.kept), dtype=np.int64)
        place[list(cut.kept)] = np.arange(len(cut.kept))
        place[-1] = last  # a missing value has index -1
        return place[values.astype(np.int64)]
    bins = len(cut.edges) - 1
    found = np.clip(np.searchsorted(cut.edges, values, side="right") - 1, 0, bins - 1)
    return np.where(values == missing_mark(column), last, found) if column.missing else found


def _said(value: float, column: Column, words: Words | None) -> str:
    own = None if words is None else words(value)
    if own is not None:
        return own[0]
    if column.kind == "datetime" and math.isfinite(value):
        return (datetime(1970, 1, 1) + timedelta(seconds=value)).strftime("%Y-%m-%d")
    return f"{value:.3g}" if abs(value) < 1e5 and column.kind != "integer" else f"{value:,.0f}"
