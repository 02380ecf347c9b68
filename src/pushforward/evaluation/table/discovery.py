"""Rules that the training rows keep without exception.

Two ideas: a rule is worth testing only if rows could have broken it, and if independent columns
would have kept it by chance less than once in a billion; what still holds by accident shows in the
held-out rows, which break it too.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from pushforward.core.table import Table
from pushforward.evaluation.marks import missing_mark
from pushforward.evaluation.table.items import rows_of
from pushforward.evaluation.table.rules import AtMost, Determines, Implies, Rule, absent, said

CHANCE = math.log(1e-9)
SUPPORT = 30
FEW = 256  # most different numbers of a column that is tried as deciding or decided


def discover(train: np.ndarray, space: Table, support: int = SUPPORT) -> tuple[Rule, ...]:
    """Return the functional dependencies, orders of numbers and implied missing values that all
    training rows keep.

    Args:
        train: training rows, filled, shape (n, columns).
        space: the table's columns.
        support: fewest rows that could have broken a rule.

    Raises:
        BadInput: no rows, NaN, or another width.

    Example:
        >>> from pushforward.core.table import Column
        >>> level = np.random.default_rng(0).integers(0, 3, size=(200, 1)).astype(float)
        >>> space = Table((Column("school", "categorical", ("a", "b", "c")), Column("years", "integer", step=1.0, low=1, high=3)))
        >>> [str(rule) for rule in discover(np.concatenate([level, 3 - level], axis=1), space)]
        ["'school' decides 'years'", "'years' decides 'school'"]
    """
    rows = rows_of(train, space, "training rows")
    return (
        *dependencies(rows, space, support),
        *orders(rows, space, support),
        *implied(rows, space, support),
    )


def dependencies(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[Determines]:
    """Return which columns of few values decide which others.

    A value that n_a rows have would go with one value of a column of shares p by chance with
    probability `sum_v p_v^{n_a}`; a rule's chance is the product over its values. Rows that repeat
    a deciding value could have broken it.
    """
    coded: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for place, column in enumerate(space.columns):
        if column.discrete or column.step is not None:
            values, codes = np.unique(rows[:, place], return_inverse=True)
            if len(values) > 1 and (column.discrete or len(values) <= FEW):
                coded[place] = values, codes
    found = []
    for i, (values, codes) in coded.items():
        if len(rows) - len(values) < support:
            continue
        sizes, times = np.unique(np.bincount(codes), return_counts=True)
        first = np.unique(codes, return_index=True)[1]
        for j, (others, decided) in coded.items():
            if i == j or (decided != decided[first][codes]).any():
                continue
            log_share = np.log(np.bincount(decided) / len(rows))
            chances = np.asarray(logsumexp(sizes[:, None] * log_share, axis=1))
            if float((times * chances).sum()) < CHANCE:
                names = (space.columns[i].name, space.columns[j].name)
                found.append(Determines(names, (i, j), values, others[decided[first]]))
    return found


def orders(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[AtMost]:
    """Return which columns of numbers are never above which others; dates are compared with dates.

    By chance n rows of independent columns keep an order with probability `P(a <= b)^n`: an order
    that the ranges imply is none.
    """
    numbers = [place for place, column in enumerate(space.columns) if not column.discrete]
    found = []
    for i in numbers:
        for j in numbers:
            dates = {space.columns[place].kind == "datetime" for place in (i, j)}
            known = ~absent(rows, space, i) & ~absent(rows, space, j)
            a, b = rows[known, i], rows[known, j]
            if i == j or len(dates) > 1 or len(a) < support or (a > b).any():
                continue
            below = float(np.searchsorted(np.sort(a), b, "right").mean()) / len(a)
            if len(a) * math.log(below) < CHANCE:
                found.append(AtMost((space.columns[i].name, space.columns[j].name), (i, j)))
    return found


def implied(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[Implies]:
    """Return which values of which columns decide that another is missing, or that it is known.

    By chance n rows with the value all have a state of share s with probability `s^n`.
    """
    found = []
    for j, target in enumerate(space.columns):
        gone = absent(rows, space, j)
        if not target.missing or not gone.any() or gone.all():
            continue
        for i, column in enumerate(space.columns):
            if i != j and (column.discrete or column.missing):
                found += _implied((i, j), rows[:, i], gone, space, support)
    return found


def _implied(
    places: tuple[int, int], given: np.ndarray, gone: np.ndarray, space: Table, support: int
) -> list[Implies]:
    column, target = (space.columns[place] for place in places)
    values, codes = np.unique(given, return_inverse=True)
    sizes, missing = np.bincount(codes), np.bincount(codes, weights=gone)
    share = float(gone.mean())
    found = []
    for value, size, lost in zip(values, sizes, missing, strict=True):
        if (
            size < support
            or 0 < lost < size
            or not (column.discrete or value == missing_mark(column))
        ):
            continue
        if int(size) * math.log(share if lost else 1.0 - share) < CHANCE:
            found.append(
                Implies(
                    (column.name, target.name),
                    places,
                    float(value),
                    said(column, float(value)),
                    bool(lost),
                )
            )
    return found
