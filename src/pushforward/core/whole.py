"""Whole numbers, however a program writes them."""

from __future__ import annotations

from typing import Any

from pushforward.core.errors import BadInput, a_type


def whole(value: Any, name: str, least: int = 0) -> int:
    """Return a whole number, however it is written: 3, 3.0, or a number of NumPy or torch.

    Raises:
        BadInput: another kind of thing, a fraction, or fewer than `least`.

    Example:
        >>> whole(3.0, "n"), whole(2, "n")
        (3, 2)
    """
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # a scalar of NumPy or torch
        value = value.item()
    expected = f"a whole number of at least {least}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{name}: {a_type(value)}", expected)
    if value < least or value == float("inf") or value != value or value != int(value):
        raise BadInput(f"{name}={value}", expected)
    return int(value)
