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
    found = []
    for i in discrete:
        codes, column = rows[:, i].astype(np.int64), space.columns[i]
        often = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=1) >= support)
        for j in discrete:
            if i == j or (i, j) in decided:
                continue
            values, shares = np.unique(rows[:, j], return_counts=True)
            share = dict(zip(values.tolist(), (shares / len(rows)).tolist(), strict=True))
            always: dict[float, list[int]] = {}
            for code in often.tolist():
                others = rows[codes == code, j]
                value = float(others[0])
                if value < 0 or (others != value).any():
                    continue
                if share[value] < 1.0 and len(others) * math.log(share[value]) < CHANCE:
                    always.setdefault(value, []).append(code)
            found += [
                Expression(_implied((column, given), (space.columns[j], value)), space)
                for value, given in always.items()
            ]
    return found


def _implied(given: tuple[Column, list[int]], then: tuple[Column, float]) -> str:
    where = _one_of(given[0], [float(code) for code in given[1]])
    return f"if {where} then {column_word(then[0].name)} == {value_word(*then)}"


def implied_gaps(rows: np.ndarray, space: Table, support: int = SUPPORT) -> list[Expression]:
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
                found += _gaps((i, j), rows[:, i], gone, space, support)
    return found


def _gaps(
    places: tuple[int, int], given: np.ndarray, gone: np.ndarray, space: Table, support: int
) -> list[Expression]:
    column, target = (space.columns[place] for place in places)
    lost = absent(given[:, None], Table((column,)), 0)
    share = float(gone.mean())

    def told(rows: np.ndarray) -> str:
        """Say what all of some rows have, where chance would not."""
        size, missing = int(rows.sum()), int(gone[rows].sum())
        if size < support or 0 < missing < size:
            return ""
        likely = size * math.log(share if missing else 1.0 - share)
        return "" if likely >= CHANCE else "missing" if missing else "known"

    name, then = column_word(column.name), f"then {column_word(target.name)} is"
    found = [f"if {name} is missing {then} {state}" for state in [told(lost)] if state]
    if column.discrete:
        states = {value: told(given == value) for value in np.unique(given[~lost]).tolist()}
        for state in ("missing", "known"):
            values = [value for value, said in states.items() if said == state]
            # that it is missing only where the other is, is told the other way round
            if values and not (state == "known" and not (gone & ~lost).any()):
                found.append(f"if {_one_of(column, values)} {then} {state}")
    return [Expression(text, space) for text in found]


def _one_of(column: Column, values: list[float]) -> str:
    name, words = column_word(column.name), [value_word(column, value) for value in values]
    return f"{name} == {words[0]}" if len(words) == 1 else f"{name} in ({', '.join(words)})"
