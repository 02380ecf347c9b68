"""What the parts of a rule are for some rows: truths, numbers and categories.

Two ideas: a comparison with a missing value is neither true nor false (Kleene 1938); a sum that a
column has to equal is one to that column's step.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput, unknown
from pushforward.core.table import Column, Table
from pushforward.data.tables.rules.grammar import SECONDS, WrittenRule
from pushforward.data.tables.rules.rule import absent

ReadWord = Callable[[int, str], float]
_ARITHMETIC: dict[type, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}


@dataclass(frozen=True)
class Value:
    """Numbers, or indices of categories, with a mask of the known ones.

    Attributes:
        column: the column of categories that they are of, None for numbers.
    """

    x: np.ndarray
    known: np.ndarray
    column: Column | None = None


@dataclass(frozen=True)
class Truth:
    """Which rows are true and which are false; the others are unknown."""

    true: np.ndarray
    false: np.ndarray


class Reader:
    """Walks the syntax tree of one rule over some rows."""

    def __init__(
        self, written: WrittenRule, rows: np.ndarray, space: Table, reads: ReadWord | None
    ) -> None:
        self.written, self.rows, self.space, self.reads = written, rows, space, reads
        self._all = np.ones(len(rows), dtype=bool)

    def truth(self, node: ast.expr) -> Truth:
        """Return for which rows a condition is true, and for which false.

        Raises:
            BadInput: something that is no condition.
        """
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value) for value in node.values]
            trues, falses = [p.true for p in parts], [p.false for p in parts]
            if isinstance(node.op, ast.And):
                return Truth(np.logical_and.reduce(trues), np.logical_or.reduce(falses))
            return Truth(np.logical_or.reduce(trues), np.logical_and.reduce(falses))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand)
            return Truth(part.false, part.true)
        gone = missing_name(node)
        if gone is not None:
            lost = absent(self.rows, self.space, self.place(gone))
            return Truth(lost, ~lost)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            parts = [
                self._compare(a, op, b)
                for a, op, b in zip(sides, node.ops, sides[1:], strict=False)
            ]
            true, false = [p.true for p in parts], [p.false for p in parts]
            return Truth(np.logical_and.reduce(true), np.logical_or.reduce(false))
        raise self.refusal(node, "a comparison, and, or, not, or missing(column)")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Truth:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
                raise self.refusal(right, "a list such as ('a', 'b')")
            parts = [self._compare(left, ast.Eq(), choice) for choice in right.elts]
            true, false = (
                np.logical_or.reduce([p.true for p in parts]),
                np.logical_and.reduce([p.false for p in parts]),
            )
            return Truth(false, true) if isinstance(op, ast.NotIn) else Truth(true, false)
        a, b = self.pair(left, right)
        known = a.known & b.known
        equality = isinstance(op, ast.Eq | ast.NotEq)
        slack = self._slack(left, right) if equality else 0.0
        same = np.isclose(a.x, b.x, rtol=1e-12, atol=slack)
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
            raise self.refusal(left, "==, !=, <, <=, >, >= or in")
        ordered = all(v.column is None or v.column.kind == "ordinal" for v in (a, b))
        if not ordered and not equality:
            raise self.refusal(left, "== or != for categories without an order")
        return Truth(found[type(op)] & known, ~found[type(op)] & known)

    def pair(self, left: ast.expr, right: ast.expr) -> tuple[Value, Value]:
        """Return both sides of a comparison; a word is read as what the other side is."""
        words = [isinstance(n, ast.Constant) and isinstance(n.value, str) for n in (left, right)]
        if all(words):
            raise self.refusal(left, "a column on one side")
        if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
            b, a = self.pair(right, left)
            return a, b
        a = self.value(left)
        if isinstance(right, ast.Constant) and (words[1] or a.column is not None):
            return a, self._word(right, left, a)
        b = self.value(right)
        if (a.column is None) != (b.column is None):
            raise self.refusal(left, "two categories or two numbers")
        if (
            a.column is not None
            and b.column is not None
            and a.column.categories != b.column.categories
        ):
            raise self.refusal(left, "columns of the same categories")
        return a, b

    def _word(self, node: ast.Constant, other: ast.expr, beside: Value) -> Value:
        """Return a word, or a number beside categories, as a value of the other side."""
        word = str(node.value)
        if beside.column is not None:
            known = beside.column.categories
            lower = [name.lower() for name in known]
            found = (
                known.index(word)
                if word in known
                # True and TRUE are one answer
                else lower.index(word.lower())
                if isinstance(node.value, bool) and lower.count(word.lower()) == 1
                else None
            )
            if found is None:
                raise BadInput(*unknown(f"category of '{beside.column.name}'", word, known[:20]))
            return Value(np.full(len(self._all), float(found)), self._all, beside.column)
        place = self._only_column(other)
        if place is None:
            raise self.refusal(node, "a number")
        return Value(np.full(len(self._all), self._number_in(node, place, word)), self._all)

    def _number_in(self, node: ast.Constant, place: int, word: str) -> float:
        """Return the number that a word of a column of numbers stands for."""
        if self.reads is not None:
            return self.reads(place, word)
        if self.space.columns[place].kind == "datetime":
            try:
                return float(np.datetime64(word, "us").astype(np.int64)) / 1e6
            except ValueError:
                raise self.refusal(node, "a date such as '2024-01-31'") from None
        raise self.refusal(node, "a number")

    def _only_column(self, node: ast.expr) -> int | None:
        """Return the column of numbers that a side is computed from, None if it is not one."""
        columns = set(self.places(node))
        return columns.pop() if len(columns) == 1 else None

    def places(self, *nodes: ast.expr) -> list[int]:
        """Return the places of all columns that parts name, as often as they do and in the order
        of the words."""
        inner = [each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)]
        called = {
            each.func.id
            for node in nodes
            for each in ast.walk(node)
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
        }
        names = [each for each in inner if each.id not in called]
        names.sort(key=lambda each: (each.lineno, each.col_offset))
        return [self.place(each) for each in names if not self._is_time(each)]

    def value(self, node: ast.expr) -> Value:
        """Return the numbers, or the categories, that a part stands for.

        Raises:
            BadInput: something that is no value.
        """
        if isinstance(node, ast.Name):
            if self._is_time(node):
                return Value(np.full(len(self._all), SECONDS[_single(node.id)]), self._all)
            place = self.place(node)
            column = self.space.columns[place]
            known = ~absent(self.rows, self.space, place)
            return Value(self.rows[:, place], known, column if column.discrete else None)
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            return Value(np.full(len(self._all), float(node.value)), self._all)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._number(node.operand)
            return Value(-inner.x, inner.known)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            a, b = self._number(node.left), self._number(node.right)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                x = _ARITHMETIC[type(node.op)](a.x, b.x)
            finite = np.isfinite(x)
            return Value(np.where(finite, x, 0.0), a.known & b.known & finite)
        raise self.refusal(node, "a column, a number, or + - * / of them")

    def _slack(self, left: ast.expr, right: ast.expr) -> float:
        """Return how far what is computed may lie from a column that it equals: what rounding to
        the column's step can move it."""
        for side, other in ((left, right), (right, left)):
            if isinstance(side, ast.Name) and isinstance(other, ast.BinOp):
                step = self.space.columns[self.place(side)].step
                return 0.0 if step is None else 0.5 * step * (1.0 + 1e-9)
        return 0.0

    def _number(self, node: ast.expr) -> Value:
        value = self.value(node)
        if value.column is not None:
            raise self.refusal(node, "a column of numbers")
        return value

    def is_column(self, node: ast.expr) -> bool:
        """Return whether a part is a column and nothing else."""
        return isinstance(node, ast.Name) and not self._is_time(node)

    def _is_time(self, node: ast.Name) -> bool:
        named = {column.name for column in self.space.columns}
        return _single(node.id) in SECONDS and self.written.name(node.id) not in named

    def place(self, node: ast.expr) -> int:
        """Return the place of a column.

        Raises:
            BadInput: no column of that name; the nearest is named.
        """
        assert isinstance(node, ast.Name)
        name = self.written.name(node.id)
        names = [column.name for column in self.space.columns]
        if name not in names:
            raise BadInput(*unknown("column", name, names))
        return names.index(name)

    def refusal(self, node: ast.AST, expected: str) -> BadInput:
        """Return the error for a part that cannot be read."""
        return BadInput(f"'{self.written.said(node)}' in the rule '{self.written.text}'", expected)


def missing_name(node: ast.expr) -> ast.Name | None:
    """Return the column that `missing(column)` is about, None for anything else."""
    called = isinstance(node, ast.Call) and ast.unparse(node.func) == "missing"
    if not called or not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    name = node.args[0]
    return name if isinstance(name, ast.Name) else None


def _single(word: str) -> str:
    return word.removesuffix("s")
