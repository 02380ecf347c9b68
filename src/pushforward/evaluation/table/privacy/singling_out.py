"""Do the samples tell how to describe exactly one row of the training data?

Three ideas: what is unique among the samples, a rare value or a combination of values, is tried as
a description; whether it fits exactly one row depends on how many rows there are, so training and
control rows are equally many; an outlying row is hit by many descriptions at once, which the
interval counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import PRIVACY, Measure
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.distances import TILE_NUMBERS
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Kept, Measured, MeasuredOn
from pushforward.evaluation.table.privacy.risk import (
    USUAL,
    Attack,
    AttackSetting,
    Rate,
    on_table,
    risk_score,
    targets,
)

SINGLING_OUT = Measure(
    "singling out",
    "An attack describes one person by what is unique in samples.",
    "Singling out",
    "excess success",
    PRIVACY,
    "check",
)
FEWEST = 20
TRIES = 20  # combinations tried for each one that is wanted
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Predicates:
    """Descriptions of rows: every one of k columns lies in an interval. Missing numbers are plus
    infinity.

    Attributes:
        places: which columns, shape (n, k).
        low, high: ends of the intervals, shape (n, k).
    """

    places: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, chosen: np.ndarray) -> Predicates:
        return Predicates(self.places[chosen], self.low[chosen], self.high[chosen])

    def fits(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield `(predicates, which rows they fit)` in tiles of shape (predicates, rows)."""
        by_column = np.ascontiguousarray(rows.T)
        height = max(1, TILE_NUMBERS // max(1, len(rows)))
        for start in range(0, len(self), height):
            part = slice(start, start + height)
            found = np.ones((len(self.places[part]), len(rows)), dtype=bool)
            for k in range(self.places.shape[1]):
                values = by_column[self.places[part, k]]
                found &= (values >= self.low[part, k, None]) & (values <= self.high[part, k, None])
            yield part, found

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how many rows each predicate fits, shape (n,).

        Example:
            >>> age = Predicates(np.array([[0]]), np.array([[30.0]]), np.array([[50.0]]))
            >>> age.counts(np.array([[20.0], [30.0], [50.0], [np.inf]])).tolist()
            [2]
        """
        return np.concatenate(
            [np.zeros(0, dtype=np.int64), *(found.sum(axis=1) for _, found in self.fits(rows))]
        )

    def rate(self, rows: np.ndarray) -> Rate:
        """Return how many predicates fit exactly one row, and what they are worth.

        Leaving out a row loses the predicates that fit it alone and gains those that fit it and one
        other, in all `-I_j`. The jackknife's variance over rows is `sum_j (I_j - mean)^2`; it would
        be `S_1 + 2 S_2` if no two of the S_1 predicates that fit one row and of the S_2 that fit
        two had a row in common, and `design` is how many times larger it is.

        Example:
            >>> twice = Predicates(np.array([[0], [0]]), np.array([[1.0], [2.0]]), np.array([[9.0], [9.0]]))
            >>> twice.rate(np.array([[0.0], [3.0], [-1.0]])).successes
            2
        """
        successes, apart, influence = 0, 0, np.zeros(len(rows))
        for _, found in self.fits(rows):
            counts = found.sum(axis=1)
            successes += int((counts == 1).sum())
            apart += int(counts[(counts == 1) | (counts == 2)].sum())
            influence += found[counts == 1].sum(axis=0) - 1.0 * found[counts == 2].sum(axis=0)
        shared = len(rows) * float(influence.var())
        return Rate(successes, len(self), max(1.0, shared / apart) if apart else 1.0)

    def distinct(self) -> Predicates:
        """Return each predicate once, in order of its first appearance."""
        first = np.unique(
            np.concatenate([self.places, self.low, self.high], axis=1), axis=0, return_index=True
        )[1]
        return self[np.sort(first)]


def _finite(rows: np.ndarray, space: Table) -> np.ndarray:
    """Rows whose missing numbers are plus infinity, so that no bound on numbers fits them."""
    out = rows.copy()
    for place, column in enumerate(space.columns):
        if column.missing and not column.discrete:
            out[rows[:, place] == missing_mark(column), place] = np.inf
    return out


def univariate(samples: np.ndarray, space: Table) -> Predicates:
    """Return the values that one sample alone has, and the bounds that only the smallest or the
    largest number meets.

    Args:
        samples: the model's rows, missing numbers plus infinity, shape (n, columns).
        space: the table's columns.
    """
    found: list[tuple[int, float, float]] = []
    for place, column in enumerate(space.columns):
        values, counts = np.unique(samples[:, place], return_counts=True)
        found += [(place, value, value) for value in values[counts == 1].tolist()]
        known, times = values[np.isfinite(values)], counts[np.isfinite(values)]
        if not column.discrete and len(known):
            found += [(place, -math.inf, float(known[0]))] if times[0] == 1 else []
            found += [(place, float(known[-1]), _LARGEST)] if times[-1] == 1 else []
    table = np.array(found, dtype=np.float64).reshape(-1, 3)
    return Predicates(table[:, :1].astype(np.int64), table[:, 1:2], table[:, 2:])


def _described(
    rows: np.ndarray,
    places: np.ndarray,
    space: Table,
    middles: np.ndarray,
    rng: np.random.Generator | None = None,
) -> Predicates:
    """Describe rows by their values: categories and missing values as they are, numbers by a bound.

    The bound goes away from the middle of the column, or in a random direction where there is an
    `rng`.
    """
    values = np.take_along_axis(rows, places, axis=1)
    exact = np.array([column.discrete for column in space.columns])[places] | np.isinf(values)
    up = values > middles[places] if rng is None else rng.random(values.shape) < 0.5
    low = np.where(exact | up, values, -math.inf)
    return Predicates(places, low, np.where(exact | ~up, values, _LARGEST))


def multivariate(
    samples: np.ndarray, space: Table, k: int, wanted: int, rng: np.random.Generator
) -> Predicates:
    """Return descriptions of random samples by k random columns that fit that sample alone, at most
    `wanted`.

    Numbers are bounded away from the median, categories and missing values taken as they are (Giomi
    et al. 2023).

    Args:
        samples: the model's rows, missing numbers plus infinity, shape (n, columns).
        space: the table's columns.
        k: number of columns of a description.
        wanted: how many descriptions.
        rng: source of samples and columns.
    """
    finite = np.where(np.isinf(samples), np.nan, samples)
    known = ~np.isnan(finite).all(axis=0)
    middles = np.zeros(len(space.columns))
    middles[known] = np.nanmedian(finite[:, known], axis=0)
    tried = TRIES * wanted
    places = rng.permuted(np.tile(np.arange(len(space.columns)), (tried, 1)), axis=1)[:, :k]
    candidates = _described(
        samples[rng.integers(0, len(samples), tried)], np.sort(places, axis=1), space, middles
    )
    found: list[np.ndarray] = []
    have = 0
    distinct = candidates.distinct()
    for start in range(0, len(distinct), wanted):
        part = np.arange(start, min(start + wanted, len(distinct)))
        found.append(part[distinct[part].counts(samples) == 1])
        have += len(found[-1])
        if have >= wanted:
            break
    return distinct[np.concatenate(found)[:wanted]]


def guesses(space: Table, k: int, n: int, rng: np.random.Generator) -> Predicates:
    """Return n descriptions that use the schema alone: k random columns, random categories, bounds
    at random numbers in range."""
    rows = np.stack(
        [
            rng.integers(0, len(c.categories), n).astype(np.float64)
            if c.discrete
            else rng.uniform(c.low, c.high, n)
            for c in space.columns
        ],
        axis=1,
    )
    places = rng.permuted(np.tile(np.arange(len(space.columns)), (n, 1)), axis=1)[:, :k]
    return _described(rows, places, space, np.zeros(len(space.columns)), rng)


def singling_out(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    space: Table,
    how: AttackSetting = USUAL,
    columns: int = 4,
) -> list[Score]:
    """Return the singling-out risk of single values and of combinations (Giomi et al. 2023); see
    `risk.excess`.

    A description that fits one sample alone is successful if it fits exactly one row. It is tried
    on training rows and, as the control, on equally many held-out rows; the baseline are
    descriptions at random (`guesses`). If training rows had to be cut to h of m, a copied row was
    kept with chance h/m and the excess is divided by that.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        train: what the model was trained on, filled, shape (m, columns).
        heldout: real rows it was not trained on, filled, shape (h, columns).
        space: the table's columns.
        how: the attack's seed and size, and which split `heldout` is.
        columns: columns of a combination; at most as many as there are.

    Raises:
        BadInput: fewer than 20 rows of any kind, fewer than one column, NaN, or another width.

    Example:
        >>> from pushforward.core.table import Column
        >>> x = np.random.default_rng(0).random((600, 3))
        >>> space = Table(tuple(Column(n, "continuous", low=0.0, high=1.0) for n in "abc"))
        >>> [score.low > 0.4 for score in singling_out(x[:300], x[:300], x[300:], space)]
        [True, True]
    """
    if columns < 1:
        raise BadInput(f"combinations of {columns} columns", "one or more")
    x, y, z = (_finite(rows, space) for rows in targets(samples, train, heldout, space, how.seed))
    rng = np.random.default_rng([how.seed, 1])
    k = min(columns, len(space.columns))
    single = univariate(x, space)
    single = single[rng.permutation(len(single))[: how.attacks]]
    combined = multivariate(x, space, k, how.attacks, rng)
    kept = min(1.0, len(heldout) / len(train))
    out = []
    for words, predicates, width in (("single values", single, 1), (f"{k} columns", combined, k)):
        blind = guesses(space, width, how.attacks, rng)
        baseline = float((blind.counts(y) == 1).mean())
        out.append(_judged(words, predicates, (y, z), baseline, how.reference_name, kept))
    return out


def _judged(
    view: str,
    predicates: Predicates,
    attacked: tuple[np.ndarray, np.ndarray],
    baseline: float,
    reference_name: str,
    kept: float,
) -> Score:
    if len(predicates) < FEWEST:
        words = f"only {len(predicates)} descriptions fit one sample alone; {FEWEST} are needed to attack"
        on = MeasuredOn(view, reference=reference_name, subject="train")
        return on.score(SINGLING_OUT, math.nan, len(predicates), warnings=(words,))
    train, control = map(predicates.rate, attacked)
    return risk_score((SINGLING_OUT, view), train, control, baseline, reference_name, kept)


class SinglingOut(Attack):
    """`singling_out` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        how: how it is made and judged.
        columns: columns of a combination.
    """

    def __init__(self, space: Table, how: AttackSetting = USUAL, columns: int = 4) -> None:
        super().__init__(space, how)
        self.columns = columns

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the risk of single values and that of combinations."""
        x, y, z = self.rows(kept)
        return [
            Measured(score) for score in singling_out(x, y, z, self.space, self.how, self.columns)
        ]


METRIC = Metric.of(SINGLING_OUT, on_table(SinglingOut), "held-out", spaces=("table",))
