"""Pieces that many formulas have: a sum over dimensions, a constant for each of them, a sign."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

HALF_LOG_TAU = math.log(2 * math.pi) / 2
Wrong = tuple[str, str, Any]


def whole(value: Tensor) -> Tensor:
    """Return the sum over dimensions, axis 1."""
    return value.sum(1)


def same(value: Tensor) -> Tensor:
    """Return the value."""
    return value


def over(piece: str = "over", what: str = "it") -> tuple[Wrong, ...]:
    """Return what is put in the place of a sum over dimensions."""
    return (
        (piece, f"{what} is averaged over dimensions, and belongs summed", lambda v: v.mean(1)),
        (piece, f"{what} is summed over the batch: the wrong axis", lambda v: v.sum(0)),
        (piece, f"{what} is averaged over the batch: the wrong axis", lambda v: v.mean(0)),
        (piece, f"{what} is not summed over dimensions", same),
        (piece, f"{what} is summed over everything", lambda v: v.sum()),
        (piece, f"{what} is averaged over everything", lambda v: v.mean()),
        (piece, f"{what} is averaged over the batch after the sum", lambda v: v.sum(1).mean()),
    )


def constants() -> tuple[Wrong, ...]:
    """Return how often log(2 pi)/2 is taken where once for every one of d dimensions is right; the
    piece is `tau`, of d."""
    return (
        ("tau", "the constant log(2 pi)/2 of every dimension is missing", lambda d: 0.0),
        ("tau", "log(2 pi) is taken whole: half of it belongs to every dimension", lambda d: 2.0),
        ("tau", "the constant log(2 pi)/2 is added, and belongs subtracted", lambda d: -1.0),
        ("tau", "log(2 pi)/2 is taken once, and belongs to every dimension", lambda d: 1.0 / d),
        (
            "tau",
            "log(2 pi) is taken once; half of it belongs to every dimension",
            lambda d: 2.0 / d,
        ),
        ("tau", "log(2 pi)/4 is taken: a factor 1/2 too many", lambda d: 0.5),
        (
            "tau",
            "log pi stands where log(2 pi) belongs",
            lambda d: math.log(math.pi) / (2 * HALF_LOG_TAU),
        ),
        ("tau", "2 pi stands there without its logarithm", lambda d: math.pi / HALF_LOG_TAU),
        ("tau", "the logarithm of 2 pi is to the base two", lambda d: 1 / math.log(2)),
        ("tau", "the logarithm of 2 pi is to the base ten", lambda d: 1 / math.log(10)),
    )


def sign(what: str = "the sign of everything is wrong") -> tuple[Wrong, ...]:
    """Return a minus; the piece is `sign`."""
    return (("sign", what, -1.0),)


def weights(
    piece: str, what: str, right: float = 1.0, extra: tuple[tuple[str, float], ...] = ()
) -> tuple[Wrong, ...]:
    """Return wrong factors of a term: none, the other sign, twice and half of the right one."""
    return (
        (piece, f"{what} is missing", 0.0),
        (piece, f"the sign of {what} is wrong", -right),
        (piece, f"{what} counts twice", 2 * right),
        (piece, f"{what} counts half", right / 2),
        *((piece, says, value) for says, value in extra),
    )


def coefficients(piece: str, what: str, **of: tuple[str, Callable[..., Any]]) -> tuple[Wrong, ...]:
    """Return wrong coefficients of a term, each with what it is in words."""
    return tuple((piece, f"{what} {says}", function) for says, function in of.values())
