"""Equalities and orders of columns of numbers that all rows keep.

Two ideas: a sum, a product or a straight line that some thirty rows meet to the column's step is no
accident; an order is told only where ranges do not imply it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pushforward.core.table import Table, number_word
from pushforward.data.tables.rules.expression import Expression
from pushforward.data.tables.rules.grammar import SECONDS
from pushforward.data.tables.rules.rule import absent, column_word

SEEN, TRIED = 2_000, 64  # rows from which candidates come, and on which each is tried
MOST = 30  # columns of numbers among which sums and products are looked for


def equalities(rows: np.ndarray, space: Table, support: int) -> list[Expression]:
    """Return which columns of numbers are the same as others, a straight line of one, the sum or
    the product of two, or a date and a number of days, hours, ... from another.

    Args:
        rows: filled rows, (n, columns).
        support: fewest rows that know all of its columns and have another value than 0 in each.
    """
    return list(_found(rows, space, support))


def _found(rows: np.ndarray, space: Table, support: int) -> Iterator[Expression]:
    numbers = [place for place, column in enumerate(space.columns) if not column.discrete]
    varied = [place for place in numbers if len(np.unique(rows[:TRIED, place])) > 2]
    if len(varied) > MOST:
        return
    explained: set[int] = set()
    some = rows[:SEEN]
    for target in reversed(varied):  # what is computed mostly stands behind what it is made of
        others = [place for place in varied if place != target and place not in explained]
        for text in _candidates(some, space, target, others):
            rule = Expression(text, space)
            if _holds(rule, rows, space, support):
                explained.add(target)
                yield rule
                break


def _holds(rule: Expression, rows: np.ndarray, space: Table, support: int) -> bool:
    """Return whether all rows keep a rule, and enough of them say something about it."""
    telling = np.ones(len(rows), dtype=bool)
    for place in rule.places:
        telling &= ~absent(rows, space, place) & (rows[:, place] != 0.0)
    return int(telling.sum()) >= support and not bool(rule.broken(rows, space).any())


def _candidates(rows: np.ndarray, space: Table, target: int, others: list[int]) -> Iterator[str]:
    """Yield what a column may be, simple things first, as far as a few rows say."""
    name = [column_word(column.name) for column in space.columns]
    dates = [column.kind == "datetime" for column in space.columns]
    known = {place: ~absent(rows, space, place) for place in (target, *others)}
    for a in others:
        at = np.flatnonzero(known[target] & known[a])
        if dates[a] == dates[target] and len(at) > 2:
            line = _line(rows[at, a], rows[at, target])
            if line is not None and not (dates[a] and line[0] != 1.0):
                yield f"{name[target]} == {_linear(name[a], *line)}"
    yield from _of_two(rows, space, target, others, known)
    yield from _sum_of_many(rows, space, target, [p for p in others if dates[p] == dates[target]])


def _of_two(
    rows: np.ndarray, space: Table, target: int, others: list[int], known: dict[int, np.ndarray]
) -> Iterator[str]:
    """Yield a column as the sum or the product of two others, or as a date and a span from another,
    as far as a few rows say."""
    name = [column_word(column.name) for column in space.columns]
    dates = [column.kind == "datetime" for column in space.columns]
    step = space.columns[target].step
    spans = {f" * 1 {word}": size for word, size in SECONDS.items() if word != "week"}
    for a in others:
        if dates[a] != dates[target]:
            continue
        units = {"": 1.0} if not dates[a] else {"": 1.0, **spans}
        both = known[target] & known[a]
        for b in others:
            if a == b or dates[b] or (b < a and not dates[a]):
                continue
            at = np.flatnonzero(both & known[b])[:TRIED]
            if len(at) < 3:
                continue
            x, y, t = rows[at, a], rows[at, b], rows[at, target]
            near = (1e-9 if step is None else 0.5 * step) + 1e-9 * np.abs(t)
            for unit, size in units.items():
                if bool((np.abs(x + size * y - t) <= near).all()):
                    yield f"{name[target]} == {name[a]} + {name[b]}{unit}"
            if not dates[a] and bool((np.abs(x * y - t) <= near).all()):
                yield f"{name[target]} == {name[a]} * {name[b]}"


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """Return slope and intercept of the line through the outermost points, in twelve digits; None
    if there is none."""
    first, last = int(x.argmin()), int(x.argmax())
    if x[first] == x[last] or y[first] == y[last]:
        return None
    slope = float(f"{(y[last] - y[first]) / (x[last] - x[first]):.12g}")
    return slope, float(f"{y[first] - slope * x[first]:.12g}")


def _linear(name: str, slope: float, intercept: float) -> str:
    scaled = name if slope == 1.0 else f"{number_word(slope)} * {name}"
    if intercept == 0.0:
        return scaled
    return f"{scaled} {'+' if intercept > 0 else '-'} {number_word(abs(intercept))}"


def _sum_of_many(rows: np.ndarray, space: Table, target: int, others: list[int]) -> Iterator[str]:
    """Yield a column as the sum of three and more others, with signs, if least squares say so."""
    places = [target, *others]
    at = np.logical_and.reduce([~absent(rows, space, place) for place in places])
    some = rows[at][: 20 * TRIED]
    if len(others) < 3 or len(some) < 3 * len(places) or space.columns[target].kind == "datetime":
        return
    spread = some[:, others].std(axis=0)
    if (spread == 0).any():
        return
    weights = np.linalg.lstsq(some[:, others] / spread, some[:, target], rcond=None)[0] / spread
    signs = np.rint(weights)
    if np.abs(signs).max() != 1.0 or np.abs(weights - signs).max() > 1e-3:
        return
    terms = [(place, sign) for place, sign in zip(others, signs.tolist(), strict=True) if sign]
    if len(terms) < 3 or (terms[0][1] < 0 and all(sign < 0 for _, sign in terms)):
        return
    terms.sort(key=lambda term: -term[1])
    words = [("- " if sign < 0 else "+ ") + column_word(space.columns[p].name) for p, sign in terms]
    yield f"{column_word(space.columns[target].name)} == {' '.join(words).removeprefix('+ ')}"


def orders(rows: np.ndarray, space: Table, support: int, chance: float) -> list[Expression]:
    """Return which columns of numbers are never above which others; dates are compared with dates.

    By chance n rows of independent columns keep an order with probability `P(a <= b)^n`: an order
    that the ranges imply is none. What follows from two others is not told.
    """
    numbers = [place for place, column in enumerate(space.columns) if not column.discrete]
    found: set[tuple[int, int]] = set()
    known = {place: ~absent(rows, space, place) for place in numbers}
    dates = {place: space.columns[place].kind == "datetime" for place in numbers}
    for i in numbers:
        for j in numbers:
            if i == j or dates[i] != dates[j]:
                continue
            few = known[i][:TRIED] & known[j][:TRIED]
            if (rows[:TRIED, i] > rows[:TRIED, j])[few].any():
                continue
            both = known[i] & known[j]
            a, b = rows[both, i], rows[both, j]
            if len(a) < support or (a > b).any() or (a == b).all():
                continue
            below = float(np.searchsorted(np.sort(a), b, "right").mean()) / len(a)
            if len(a) * math.log(below) < chance:
                found.add((i, j))
    whole = [place for place in numbers if bool(known[place].all())]
    through = {(i, j) for i, k in found for m, j in found if k == m and k in whole}
    name = [column_word(column.name) for column in space.columns]
    told = sorted(found - through)
    return [Expression(f"{name[i]} <= {name[j]}", space) for i, j in told]
