"""What a rule says that a value has to be, put where it may be put.

Two ideas: a rule that a row breaks is false as a whole, so that making its last part true mends it;
an equality that is linear in a free number is solved for it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from pushforward.core.table import Column
from pushforward.data.tables.marks import missing_mark
from pushforward.data.tables.rules.fitted import put
from pushforward.data.tables.rules.reader import Reader, missing_name
from pushforward.data.tables.stored import on_grid

Reading = Callable[[np.ndarray], Reader]


def solved(node: ast.expr, reading: Reading, rows: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return rows in which what breaks a rule is mended where its equalities say how.

    Args:
        node: the rule, or a part of it that has to be true.
        reading: makes what reads the rule of some rows.
        rows: filled rows (n, columns).
        free: values that may be changed, (n, columns).

    Example:
        >>> from pushforward.core.table import Table
        >>> from pushforward.data.tables.rules.grammar import WrittenRule
        >>> space = Table(tuple(Column(n, "integer", step=1.0, low=0, high=9) for n in ("total", "a", "b")))
        >>> written = WrittenRule("total = a + b", ("total", "a", "b"))
        >>> rows, free = np.array([[1.0, 2.0, 3.0], [9.0, 2.0, 3.0]]), np.array([[True] * 3, [False, True, True]])
        >>> solved(written.tree, lambda some: Reader(written, some, space, None), rows, free).tolist()
        [[5.0, 2.0, 3.0], [9.0, 2.0, 7.0]]
    """
    reader = reading(rows)
    free = free & reader.truth(node).false[:, None]
    if not free.any():
        return rows
    if isinstance(node, ast.BoolOp):
        # the last of several alternatives is what `if ... then` asks for
        for part in node.values if isinstance(node.op, ast.And) else node.values[-1:]:
            rows = solved(part, reading, rows, free)
        return rows
    gone = missing_name(node)
    if gone is not None:
        place = reader.place(gone)
        column = reader.space.columns[place]
        lost = np.full(len(rows), missing_mark(column))
        return put(rows, place, free[:, place] & column.missing, lost)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        return _equal(node, reading, rows, free)
    return rows


def _equal(node: ast.Compare, reading: Reading, rows: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return rows where two sides are made equal, by the first column that may be changed."""
    sides, reader = (node.left, node.comparators[0]), reading(rows)
    left, right = reader.pair(*sides)
    waiting = np.ones(len(rows), dtype=bool)
    alone = [reader.place(side) for side in sides if reader.is_column(side)]
    if left.column is not None:
        for side, other in ((sides[0], right), (sides[1], left)):
            for place in (reader.place(side),) if reader.is_column(side) else ():
                at = waiting & free[:, place]
                rows, waiting = put(rows, place, at, other.x), waiting & ~at
        return rows
    places = reader.places(*sides)
    once = [place for place in dict.fromkeys(places) if places.count(place) == 1]
    # what a rule is about stands alone on one side; else the last to be named gives way
    for place in (*alone, *(place for place in reversed(once) if place not in alone)):
        at = waiting & free[:, place]
        if at.any():
            values, there = _solution(node, reading, rows, place)
            at &= there
            rows, waiting = put(rows, place, at, values), waiting & ~at
    return rows


def _solution(
    node: ast.Compare, reading: Reading, rows: np.ndarray, place: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the value of one column at which two sides are equal, and in which rows there is one
    that the column can have.

    The difference of the sides is read at 0, 1 and 2 in place of the column: three points on a line
    say its root.
    """
    gap = []
    for trial in (0.0, 1.0, 2.0):
        tried = rows.copy()
        tried[:, place] = trial
        reader = reading(tried)
        a, b = reader.pair(node.left, node.comparators[0])
        gap.append(np.where(a.known & b.known, a.x - b.x, np.nan))
    slope = gap[1] - gap[0]
    linear = np.abs(gap[2] - gap[1] - slope) <= 1e-9 * sum(map(np.abs, gap))
    with np.errstate(divide="ignore", invalid="ignore"):
        root = -gap[0] / slope
    there = linear & (slope != 0.0) & np.isfinite(root)
    values = legal(np.where(there, root, 0.0), reading(rows).space.columns[place])
    there &= ~np.isnan(values)
    # what a grid makes of the root need not be one
    return values, there & reading(put(rows, place, there, values)).truth(node).true


def legal(values: np.ndarray, column: Column) -> np.ndarray:
    """Return numbers on a column's grid; NaN where they lie beyond its bounds.

    Example:
        >>> legal(np.array([1.4, -2.0]), Column("n", "integer", step=1.0, low=0, high=9, bounded_below=True)).tolist()
        [1.0, nan]
    """
    found = values if column.step is None else on_grid(values, column.step)
    below = column.bounded_below & (found < column.low)
    above = column.bounded_above & (found > column.high)
    return np.where(below | above, np.nan, found)
