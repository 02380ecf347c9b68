"""Rules that all rows of a table keep.

Two ideas: a rule is worth stating only if rows could have broken it, and if independent columns
would have kept it by chance less than once in a billion; it is looked for in some of the rows, and
holds only if all of them keep it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.data.tables.rules.arithmetic import equalities, orders
from pushforward.data.tables.rules.expression import Expression
from pushforward.data.tables.rules.fitted import Determines
from pushforward.data.tables.rules.rule import Rule, absent, column_word, value_word

CHANCE = math.log(1e-9)
SUPPORT = 30
FEW = 256  # most different numbers of a column that is tried as deciding or decided
ROWS = 50_000  # in which rules are looked for
WIDEST = 300  # columns of a table in which rules are looked for


def discover(train: np.ndarray, space: Table, support: int = SUPPORT) -> tuple[Rule, ...]:
    """Return the equalities and orders of numbers, the functional dependencies, and the values and
    missing values that others imply, which all rows keep; none of a table wider than `WIDEST`.

    Args:
        train: filled rows, shape (n, columns).
        space: the table's columns.
        support: fewest rows that could have broken a rule.

    Raises:
        BadInput: no rows, NaN, or another width.

    Example:
        >>> level = np.random.default_rng(0).integers(0, 3, size=(200, 1)).astype(float)
        >>> space = Table((Column("school", "categorical", ("a", "b", "c")), Column("years", "integer", step=1.0, low=1, high=3)))
        >>> [str(rule) for rule in discover(np.concatenate([level, 3 - level], axis=1), space)]
        ['school decides years', 'years decides school']
    """
    if train.ndim != 2 or not len(train) or train.shape[1] != len(space.columns):
        came = f"training rows of shape {train.shape}"
        raise BadInput(came, f"one or more rows of {len(space.columns)} columns")
    if not bool(np.isfinite(train).all()):
        raise BadInput("NaN or infinity in training rows", "filled rows")
    if len(space.columns) > WIDEST:
        return ()
    rows = train if len(train) <= ROWS else train[np.linspace(0, len(train) - 1, ROWS).astype(int)]
    found: list[Rule] = [*equalities(rows, space, support)]
    said = {rule.places for rule in found}
    found += [r for r in orders(rows, space, support, CHANCE) if r.places not in said]
    gaps = implied_gaps(rows, space, support)
    # that a number is missing where a category is so is no news told the other way round
    said |= {
        rule.places for rule in gaps if any(not space.columns[p].discrete for p in rule.places)
    }
    found += [rule for rule in dependencies(rows, space, support) if rule.places not in said]
    decided = {rule.at for rule in found if isinstance(rule, Determines)}
    found += [*implied_values(rows, space, support, decided), *gaps]
    if len(rows) == len(train):
        return tuple(found)
    # what a dependency saw in some rows says nothing of values that only others have
    return tuple(rule for rule in found if not rule.broken(train, space).any())


def dependencies(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[Determines]:
    """Return which columns of few values decide which others.

    A value that n_a rows have would go with one value of a column of shares p by chance with
    probability `sum_v p_v^{n_a}`; a rule's chance is the product over its values. Rows that repeat
    a deciding value could have broken it.
    """
    coded = _coded(rows, space)
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


def _coded(rows: np.ndarray, space: Table) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return the different values of each column of few, and which of them each row has."""
    coded: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for place, column in enumerate(space.columns):
        if column.discrete or column.step is not None:
            values, codes = np.unique(rows[:, place], return_inverse=True)
            if len(values) > 1 and (column.discrete or len(values) <= FEW):
                coded[place] = values, codes
    return coded


def implied_values(
    rows: np.ndarray, space: Table, support: int, decided: set[tuple[int, int]]
) -> list[Expression]:
    """Return which categories of a column always go with one category of another.

    By chance n rows with the first all have a category of share s with probability `s^n`.

    Args:
        decided: pairs of columns of which the first decides the second anyway.
    """
    discrete = [place for place, column in enumerate(space.columns) if column.discrete]
    codes = rows[:, discrete].astype(np.int64)
    log_share = [_log_shares(column) for column in codes.T]
    found = []
    for i, given in zip(discrete, codes.T, strict=True):
        order, values, starts, sizes = _grouped(given)
        least, most = (f.reduceat(codes[order], starts) for f in (np.minimum, np.maximum))
        # a missing value is told by itself
        telling = (least == most) & (least >= 0) & ((sizes >= support) & (values >= 0))[:, None]
        for k in np.flatnonzero(telling.any(axis=0)):
            j = discrete[k]
            if i == j or (i, j) in decided:
                continue
            always: dict[int, list[int]] = {}
            for g in np.flatnonzero(telling[:, k]):
                chance = int(sizes[g]) * log_share[k].get(int(least[g, k]), 0.0)
                if chance < CHANCE:
                    always.setdefault(int(least[g, k]), []).append(int(values[g]))
            found += [
                Expression(_implied((space.columns[i], these), (space.columns[j], float(v))), space)
                for v, these in always.items()
            ]
    return found


def _log_shares(codes: np.ndarray) -> dict[int, float]:
    values, counts = np.unique(codes, return_counts=True)
    return dict(zip(values.tolist(), np.log(counts / len(codes)).tolist(), strict=True))


def _grouped(given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return an order in which equal values stand together, those values, where each begins, and
    how often it is there.

    Example:
        >>> [part.tolist() for part in _grouped(np.array([2, 1, 2]))]
        [[1, 0, 2], [1, 2], [0, 1], [1, 2]]
    """
    order = np.argsort(given, kind="stable")
    values, starts, sizes = np.unique(given[order], return_index=True, return_counts=True)
    return order, values, starts, sizes


def _implied(given: tuple[Column, list[int]], then: tuple[Column, float]) -> str:
    where = _one_of(given[0], [float(code) for code in given[1]])
    return f"if {where} then {column_word(then[0].name)} == {value_word(*then)}"


def implied_gaps(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[Expression]:
    """Return which values of which columns decide that another is missing, or that it is known.

    By chance n rows with the value all have a state of share s with probability `s^n`.
    """
    gone = np.stack([absent(rows, space, place) for place in range(len(space.columns))], axis=1)
    targets = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
    share = gone[:, targets].mean(axis=0)
    found: list[tuple[int, int, str]] = []
    for i, column in enumerate(space.columns):
        if not len(targets) or not (column.discrete or column.missing):
            continue
        # of a number only whether it is there
        given = rows[:, i] if column.discrete else gone[:, i].astype(np.float64)
        order, values, starts, sizes = _grouped(given)
        lost = np.add.reduceat(gone[np.ix_(order, targets)].astype(np.int64), starts)
        whole, none = lost == sizes[:, None], lost == 0
        chance = sizes[:, None] * np.log(np.where(whole, share, 1.0 - share))
        told = (whole | none) & (sizes[:, None] >= support) & (chance < CHANCE)
        mark = missing_mark(column) if column.discrete else 1.0
        for k in np.flatnonzero(told.any(axis=0)):
            j = int(targets[k])
            if i != j:
                states = {
                    float(values[g]): "missing" if whole[g, k] else "known"
                    for g in np.flatnonzero(told[:, k])
                }
                both = bool((gone[:, j] & ~gone[:, i]).any())
                found += [(j, i, text) for text in _gaps((i, j), states, mark, both, space)]
    return [Expression(text, space) for _, _, text in sorted(found, key=lambda one: one[:2])]


def _gaps(
    places: tuple[int, int], states: dict[float, str], mark: float, both: bool, space: Table
) -> list[str]:
    """Return what values of a column say of another.

    Args:
        states: what the other is where the column has a value; `mark` is its being missing.
        both: whether the other is ever missing where the column is not.
    """
    column, target = (space.columns[place] for place in places)
    name, then = column_word(column.name), f"then {column_word(target.name)} is"
    found = [f"if {name} is missing {then} {states[mark]}"] if mark in states else []
    if column.discrete:
        for state in ("missing", "known"):
            values = [v for v, said in states.items() if said == state and v != mark]
            # that it is missing only where the other is, is told the other way round
            if values and (state == "missing" or both):
                found.append(f"if {_one_of(column, values)} {then} {state}")
    return found


def _one_of(column: Column, values: list[float]) -> str:
    name, words = column_word(column.name), [value_word(column, value) for value in values]
    return f"{name} == {words[0]}" if len(words) == 1 else f"{name} in ({', '.join(words)})"
