"""Mistakes put together from pieces.

Two ideas: a formula has pieces, and people get one, two or three of them wrong at a time, so that
wrong formulas are made by exchanging pieces and not written one by one; what any formula may be
mistaken for (an argument halved, negated, left out or exchanged with another, a result negated,
doubled or averaged) is made from the oracle and from the known mistakes by rule.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Answer = Callable[..., Any]
AT_ONCE, MOST = 3, 4000  # pieces that are wrong together, and formulas that are tried


@dataclass(frozen=True)
class FormulaForm:
    """A formula with exchangeable pieces.

    Attributes:
        make: the formula: the arguments of the oracle, and each piece by its name.
        right: the pieces of the right formula.
        wrong: a piece's name, what to tell who takes the other one, and the other one.
    """

    make: Answer
    right: dict[str, Any]
    wrong: tuple[tuple[str, str, Any], ...]

    def formulas(self) -> Iterator[tuple[str, Answer]]:
        """Yield wrong formulas and what is wrong with each; those with fewest wrong pieces
        first."""
        made = 0
        for count in range(1, AT_ONCE + 1):
            for chosen in itertools.combinations(self.wrong, count):
                pieces = [piece for piece, _, _ in chosen]
                if len(set(pieces)) < count:
                    continue
                made += 1
                if made > MOST:
                    return
                yield (
                    "; and ".join(says for _, says, _ in chosen),
                    self._with({piece: other for piece, _, other in chosen}),
                )

    def plain(self) -> Answer:
        """Return the right formula."""
        return self._with({})

    def _with(self, changed: dict[str, Any]) -> Answer:
        pieces = {**self.right, **changed}
        return lambda *arguments: self.make(*arguments, **pieces)


OF_ARGUMENT: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("{0} is not used: it is as if it were zero", torch.zeros_like),
    ("the sign of {0} is wrong", torch.neg),
    ("{0} counts half: is it read as the logarithm of a square, or divided by 2?", lambda v: v / 2),
    ("{0} counts twice", lambda v: 2 * v),
    ("{0} is squared", torch.square),
    ("the square root of {0} is taken", torch.sqrt),
    ("the exponential of {0} is taken once too often", torch.exp),
    ("the logarithm of {0} is taken, or its exponential is missing", torch.log),
    ("1 - {0} stands where {0} belongs", lambda v: 1 - v),
    ("one over {0} stands where {0} belongs", lambda v: 1 / v),
    ("every row gets the {0} of the first row", lambda v: v[:1].expand_as(v)),
    ("{0} is averaged over the batch", lambda v: v.mean(0, keepdim=True).expand_as(v)),
    ("the rows of {0} are in the wrong order", lambda v: v.flip(0)),
)
OF_RESULT: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the sign is wrong: every number is minus the right one", torch.neg),
    ("every number is twice the right one", lambda v: 2 * v),
    ("every number is half the right one", lambda v: v / 2),
    ("it is averaged over the batch; keep one value for each entry", lambda v: v.mean(0)),
    ("it is summed over the batch; keep one value for each entry", lambda v: v.sum(0)),
    ("it is averaged over everything", torch.mean),
    ("it is summed over everything", torch.sum),
    ("the square root is taken", torch.sqrt),
    ("it is squared", torch.square),
    ("the exponential is taken", torch.exp),
    ("the logarithm is taken", torch.log),
    ("it is in bits: divided by log 2", lambda v: v / math.log(2)),
    ("one over it came back", lambda v: 1 / v),
)


def arguments_changed(
    names: Sequence[str], arguments: Sequence[Any], right: Answer
) -> Iterator[tuple[str, Answer]]:
    """Yield wrong answers that are right for other arguments: one of them changed, or two
    exchanged."""
    for place, value in enumerate(arguments):
        if isinstance(value, Tensor) and value.is_floating_point():
            for says, change in OF_ARGUMENT:
                if value.dim() or ("row" not in says and "batch" not in says):
                    yield says.format(names[place]), _at(right, place, change)
        for other in range(place):
            if isinstance(value, Tensor) and isinstance(arguments[other], Tensor):
                yield (
                    f"{names[other]} and {names[place]} are exchanged",
                    _exchanged(right, other, place),
                )


def results_changed(values: tuple[Tensor, ...]) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    """Yield values changed once more, and how: all of them, or one of several."""
    for says, change in OF_RESULT:
        for place in (None, *(range(len(values)) if len(values) > 1 else ())):
            which = "" if place is None else f"of the values, number {place + 1}: "
            try:
                made = tuple(change(v) if place in (None, i) else v for i, v in enumerate(values))
            except (
                RuntimeError,
                IndexError,
            ):  # no such operation for truth values, or without an axis
                continue
            yield which + says, made


def _at(right: Answer, place: int, change: Callable[[Tensor], Tensor]) -> Answer:
    return lambda *a: right(*a[:place], change(a[place]), *a[place + 1 :])


def _exchanged(right: Answer, one: int, other: int) -> Answer:
    def answer(*a: Any) -> Any:
        b = list(a)
        b[one], b[other] = b[other], b[one]
        return right(*b)

    return answer
