"""Rules that a user writes: comparisons of columns, numbers and names of categories.

Two ideas: the grammar is a few nodes of Python's own syntax tree, read and never executed; a
comparison with a missing value is neither true nor false, and only a rule that is false is broken
(Kleene 1938).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput, refusing, unknown
from pushforward.core.limits import require_below
from pushforward.core.table import Column, Table
from pushforward.evaluation.table.rules import Rule, absent

_QUOTED = re.compile(r"`([^`]+)`")
_ARITHMETIC: dict[type, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
}
_PLACEHOLDER = "column_{}_"
LONGEST_RULE = 10_000


@dataclass(frozen=True)
class _Value:
    """Numbers, or indices of categories, with a mask of the known ones."""

    x: np.ndarray
    known: np.ndarray
    column: Column | None = None


@dataclass(frozen=True)
class _Truth:
    """Which rows are true and which are false; the others are unknown."""

    true: np.ndarray
    false: np.ndarray


class Expression(Rule):
    """A rule in words of Python: comparisons, `and`, `or`, `not`, `+ - *`, `in`, and
    `missing(column)`.

    Names are columns, in backticks where they are not plain words; texts are categories, or dates
    in ISO 8601 beside a column of dates. Numbers are compared to a relative 1e-12, since 0.1 + 0.2
    is not 0.3 in binary. Categories have an order if ordinal.

    Args:
        text: the rule.
        space: the table's columns.

    Raises:
        BadInput: something else than the grammar, an unknown column or category, or a comparison of
            different kinds.

    Example:
        >>> status = Column("marital-status", "categorical", ("single", "married"))
        >>> space = Table((Column("age", "integer", low=0, high=99), status))
        >>> rule = Expression("`marital-status` == 'single' or age >= 16", space)
        >>> rule.broken(np.array([[12.0, 0.0], [12.0, 1.0], [30.0, 1.0]]), space).tolist()
        [False, True, False]
    """

    def __init__(self, text: str, space: Table) -> None:
        self.text = text
        self._aliases: dict[str, str] = {}
        shown = text if len(text) <= 80 else text[:77] + "..."
        require_below(
            len(text),
            LONGEST_RULE,
            f"a rule of {len(text):,} characters",
            "characters",
            "write it as several",
        )
        try:
            self._tree = ast.parse(_QUOTED.sub(self._alias, text.strip()), mode="eval").body
        except SyntaxError as error:
            raise BadInput(
                f"the rule '{shown}'", "a comparison such as age >= 18", str(error.msg)
            ) from None
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise BadInput(
                f"the rule '{shown}'", "a comparison such as age >= 18", str(error)
            ) from None
        with refusing(f"the rule '{shown}'", "comparisons of columns, numbers and names"):
            self.broken(np.zeros((0, len(space.columns))), space)

    def __str__(self) -> str:
        return self.text

    def _alias(self, match: re.Match[str]) -> str:
        alias = _PLACEHOLDER.format(len(self._aliases))
        self._aliases[alias] = match.group(1)
        return alias

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which filled rows (n, columns) make the rule false; unknown is not false."""
        return _Reader(self.text, rows, space, self._aliases).truth(self._tree).false


class _Reader:
    """Walks the syntax tree of one rule over some rows."""

    def __init__(self, text: str, rows: np.ndarray, space: Table, aliases: dict[str, str]) -> None:
        self._text, self._rows, self._space, self._aliases = text, rows, space, aliases
        self._all = np.ones(len(rows), dtype=bool)

    def truth(self, node: ast.expr) -> _Truth:
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value) for value in node.values]
            trues, falses = [p.true for p in parts], [p.false for p in parts]
            if isinstance(node.op, ast.And):
                return _Truth(np.logical_and.reduce(trues), np.logical_or.reduce(falses))
            return _Truth(np.logical_or.reduce(trues), np.logical_and.reduce(falses))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand)
            return _Truth(part.false, part.true)
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "missing"
            and len(node.args) == 1
        ):
            name = node.args[0]
            if isinstance(name, ast.Name):
                gone = absent(self._rows, self._space, self._place(name))
                return _Truth(gone, ~gone)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            parts = [
                self._compare(a, op, b)
                for a, op, b in zip(sides, node.ops, sides[1:], strict=False)
            ]
            true, false = [p.true for p in parts], [p.false for p in parts]
            return _Truth(np.logical_and.reduce(true), np.logical_or.reduce(false))
        raise self._refusal(node, "a comparison, and, or, not, or missing(column)")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Truth:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
                raise self._refusal(right, "a list such as ('a', 'b')")
            parts = [self._compare(left, ast.Eq(), choice) for choice in right.elts]
            true, false = (
                np.logical_or.reduce([p.true for p in parts]),
                np.logical_and.reduce([p.false for p in parts]),
            )
            return _Truth(false, true) if isinstance(op, ast.NotIn) else _Truth(true, false)
        a, b = self._pair(left, right)
        known = a.known & b.known
        same = np.isclose(a.x, b.x, rtol=1e-12, atol=0.0)
        less = (a.x < b.x) & ~same
        found: dict[type, np.ndarray] = {
            ast.Eq: same,
            ast.NotEq: ~same,
            ast.Lt: less,
            ast.LtE: less | same,
            ast.Gt: ~less & ~same,
            ast.GtE: ~less,
        }
        if type(op) not in found:
            raise self._refusal(left, "==, !=, <, <=, >, >= or in")
        ordered = all(v.column is None or v.column.kind == "ordinal" for v in (a, b))
        if not ordered and not isinstance(op, ast.Eq | ast.NotEq):
            raise self._refusal(left, "== or != for categories without an order")
        return _Truth(found[type(op)] & known, ~found[type(op)] & known)

    def _pair(self, left: ast.expr, right: ast.expr) -> tuple[_Value, _Value]:
        """Both sides of a comparison; a text is read as what the other side is."""
        texts = [isinstance(n, ast.Constant) and isinstance(n.value, str) for n in (left, right)]
        if all(texts):
            raise self._refusal(left, "a column on one side")
        if texts[0]:
            b, a = self._pair(right, left)
            return a, b
        a = self._value(left)
        if texts[1]:
            return a, self._text_as(right, left, a)
        b = self._value(right)
        if (a.column is None) != (b.column is None):
            raise self._refusal(left, "two categories or two numbers")
        if (
            a.column is not None
            and b.column is not None
            and a.column.categories != b.column.categories
        ):
            raise self._refusal(left, "columns of the same categories")
        return a, b

    def _text_as(self, node: ast.expr, other: ast.expr, beside: _Value) -> _Value:
        word = str(getattr(node, "value", ""))
        if beside.column is not None:
            if word not in beside.column.categories:
                raise BadInput(
                    *unknown(
                        f"category of '{beside.column.name}'", word, beside.column.categories[:20]
                    )
                )
            return _Value(
                np.full(len(self._all), float(beside.column.categories.index(word))),
                self._all,
                beside.column,
            )
        if (
            isinstance(other, ast.Name)
            and self._space.columns[self._place(other)].kind == "datetime"
        ):
            try:
                moment = np.datetime64(word, "us").astype(np.int64) / 1e6
            except ValueError:
                raise self._refusal(node, "a date such as '2024-01-31'") from None
            return _Value(np.full(len(self._all), moment), self._all)
        raise self._refusal(node, "a number")

    def _value(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.Name):
            place = self._place(node)
            column = self._space.columns[place]
            known = ~absent(self._rows, self._space, place)
            return _Value(self._rows[:, place], known, column if column.discrete else None)
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            return _Value(np.full(len(self._all), float(node.value)), self._all)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._number(node.operand)
            return _Value(-inner.x, inner.known)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            a, b = self._number(node.left), self._number(node.right)
            return _Value(_ARITHMETIC[type(node.op)](a.x, b.x), a.known & b.known)
        raise self._refusal(node, "a column, a number, or + - * of them")

    def _number(self, node: ast.expr) -> _Value:
        value = self._value(node)
        if value.column is not None:
            raise self._refusal(node, "a column of numbers")
        return value

    def _place(self, node: ast.Name) -> int:
        name = self._aliases.get(node.id, node.id)
        names = [column.name for column in self._space.columns]
        if name not in names:
            raise BadInput(*unknown("column", name, names))
        return names.index(name)

    def _refusal(self, node: ast.AST, expected: str) -> BadInput:
        shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        for alias, name in self._aliases.items():
            shown = shown.replace(alias, f"`{name}`")
        return BadInput(f"'{shown}' in the rule '{self._text}'", expected)
