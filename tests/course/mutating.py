"""Wrong answers made from right ones by rule: whatever an exercise asks for, ignoring, freezing or moving any part of it is wrong.

Two kinds: an argument (or what a function among the arguments is asked, or answers) is replaced before the right answer sees it;
and one place of the source (a comparison, a number, an operation, an axis) is changed.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from pushforward.course.exercise import Exercise

Function = Callable[..., Any]


# ---- arguments -----------------------------------------------------------------------------------------------------------


def _of_tensor(first: Tensor) -> dict[str, Function]:
    """Return what may be done to a tensor in place of using it; `first` is the argument of the first case."""

    def frozen(x: Tensor) -> Tensor:
        if not first.numel():
            return x
        return first.flatten().repeat(1 + x.numel() // first.numel())[: x.numel()].reshape(x.shape)

    return {
        "zeros": torch.zeros_like,
        "ones": torch.ones_like,
        "that of the first case": frozen,
        "moved": lambda x: x + 0.1 if x.is_floating_point() else x.roll(1),
        "stretched": lambda x: 1.1 * x if x.is_floating_point() else x.roll(1),
        "its first row for all": lambda x: x[:1].expand_as(x) if x.dim() and len(x) else x,
        "its mean row for all": lambda x: (
            x.double().mean(0, keepdim=True).to(x.dtype).expand_as(x) if x.dim() else x
        ),
        "its mean": lambda x: x.double().mean().to(x.dtype).expand_as(x) if x.numel() else x,
        "its rows turned round": lambda x: x.flip(0) if x.dim() else x,
        "its first column for all": lambda x: (
            x[..., :1].expand_as(x) if x.dim() > 1 and x.shape[-1] else x
        ),
    }


OF_NUMBER: dict[str, Function] = {
    "one": lambda k: 1,
    "one more": lambda k: k + 1,
    "one less": lambda k: max(k - 1, 1),
}


def _of_function(function: Function) -> Iterator[tuple[str, Function]]:
    """Yield functions that are asked at other places, or whose answers are replaced."""
    for place in range(function.__code__.co_argcount):
        for name, change in (
            ("zeros", torch.zeros_like),
            ("the first", None),
            ("moved", lambda v: v + 0.1),
        ):
            if change is None:
                seen: list[Tensor] = []

                def asked(*inner: Tensor, place: int = place, seen: list[Tensor] = seen) -> Any:
                    seen.append(inner[place].detach())
                    return function(*inner[:place], seen[0], *inner[place + 1 :])

            else:

                def asked(*inner: Tensor, place: int = place, change: Function = change) -> Any:
                    return function(*inner[:place], change(inner[place]), *inner[place + 1 :])

            yield f"asked at {name} in place {place}", asked
    for name, change in (
        ("zero", torch.zeros_like),
        ("its mean over the batch", lambda v: v.mean(0, keepdim=True).expand_as(v)),
        ("its first row", lambda v: v[:1].expand_as(v)),
        ("moved", lambda v: v + 0.1),
        ("stretched", lambda v: v * 1.1),
    ):
        for which in (0, 1):

            def answered(*inner: Tensor, change: Function = change, which: int = which) -> Any:
                found = function(*inner)
                if isinstance(found, Tensor):
                    return change(found)
                return tuple(change(v) if i == which else v for i, v in enumerate(found))

            yield f"answers {name} ({which})", answered


def by_argument(exercise: Exercise, right: Function) -> Iterator[tuple[str, Function]]:
    """Yield wrong answers that ignore, freeze, move or exchange arguments, and what each does."""
    names = exercise.parameters
    for place, value in enumerate(exercise.arguments(0)):
        if isinstance(value, Tensor | int):
            for how, change in (
                _of_tensor(value) if isinstance(value, Tensor) else OF_NUMBER
            ).items():
                yield from _if_it_changes(exercise, right, f"{names[place]}: {how}", place, change)
        elif callable(value):
            for how, _ in _of_function(value):

                def wrong(*a: Any, place: int = place, how: str = how) -> Any:
                    return right(*a[:place], dict(_of_function(a[place]))[how], *a[place + 1 :])

                yield f"{names[place]}: {how}", wrong
        for other in range(place):

            def exchanged(*a: Any, place: int = place, other: int = other) -> Any:
                b = list(a)
                b[place], b[other] = b[other], b[place]
                return right(*b)

            yield f"{names[other]} and {names[place]} exchanged", exchanged


def _if_it_changes(
    exercise: Exercise, right: Function, says: str, place: int, change: Function
) -> Iterator[tuple[str, Function]]:
    """Yield the wrong answer if it is one: where an argument has no rows, turning them round changes nothing."""
    given = [exercise.arguments(case)[place] for case in range(exercise.cases)]
    if all(torch.equal(torch.as_tensor(change(value)), torch.as_tensor(value)) for value in given):
        return
    yield says, lambda *a: right(*a[:place], change(a[place]), *a[place + 1 :])


# ---- sources -------------------------------------------------------------------------------------------------------------

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
}
OPERATIONS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
METHODS = {
    "sum": "mean",
    "mean": "sum",
    "any": "all",
    "exp": "abs",
    "sqrt": "square",
    "log": "abs",
    "softmax": "log_softmax",
}


def _changes(node: ast.AST) -> Iterator[tuple[str, Function]]:
    """Yield what may be done to a node of a source, as functions that do it to a copy."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS.get(type(op), ()):
                yield (
                    f"{type(op).__name__} -> {other.__name__}",
                    lambda n, i=i, other=other: n.ops.__setitem__(i, other()),
                )
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        other = OPERATIONS[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", lambda n: setattr(n, "op", other())
        yield "left operand only", lambda n: setattr(n, "right", copy.deepcopy(_neutral(n.op)))
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        for value in (node.value + 1, node.value - 1, node.value * 1.25):
            if value != node.value and not (isinstance(node.value, int) and value != int(value)):
                yield f"{node.value} -> {value}", lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "no minus", lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "no not", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
    if isinstance(node, ast.BoolOp):
        swapped = ast.And if isinstance(node.op, ast.Or) else ast.Or
        yield f"-> {swapped.__name__}", lambda n: setattr(n, "op", swapped())
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
    ):
        yield (
            f"{node.func.attr} -> {METHODS[node.func.attr]}",
            lambda n: setattr(n.func, "attr", METHODS[n.func.attr]),
        )


def _neutral(op: ast.operator) -> ast.expr:
    return ast.Constant(0.0 if isinstance(op, ast.Add | ast.Sub) else 1.0)


def by_source(source: str) -> Iterator[tuple[str, str]]:
    """Yield sources with one place changed, and what was changed where."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    for place, node in enumerate(nodes):
        for count, (what, _) in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[place]
            list(_changes(twin))[count][1](twin)
            ast.fix_missing_locations(changed)
            yield f"line {getattr(node, 'lineno', 0)}: {what}", ast.unparse(changed)
