"""Arguments of the Python face, looked at before anything is done with them.

One idea: what a program passes is refused by its kind in a sentence that names the argument, as a word on the command line is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.engine.budget import parse_seconds


def whole(value: Any, name: str, least: int = 0) -> int:
    """Return a whole number, however it is written: 3, 3.0, or a number of NumPy or torch.

    Raises:
        BadInput: another kind of thing, a fraction, or fewer than `least`.

    Example:
        >>> whole(3.0, "n"), whole(np.int64(2), "n")
        (3, 2)
    """
    if isinstance(value, np.generic) or (isinstance(value, Tensor | np.ndarray) and value.ndim == 0):
        value = value.item()
    expected = f"a whole number of at least {least}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{name}: {a_type(value)}", expected)
    if value < least or value == float("inf") or value != value or value != int(value):
        raise BadInput(f"{name}={value}", expected)
    return int(value)


def perhaps(value: Any, name: str, least: int = 0) -> int | None:
    """Return a whole number, or None for None."""
    return None if value is None else whole(value, name, least)


def word(value: Any, name: str, expected: str) -> str:
    """Return a string.

    Raises:
        BadInput: another kind of thing.
    """
    if not isinstance(value, str):
        raise BadInput(f"{name}: {a_type(value)}", expected)
    return value


def place(value: Any, name: str = "path") -> Path:
    """Return a path.

    Raises:
        BadInput: what is no path.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(value, bytes):
        raise BadInput(f"{name}: {a_type(value)}", "a path, as text or a pathlib.Path")
    return Path(value)


def sections(value: Any) -> dict[str, dict[str, Any]] | None:
    """Return overrides of a preset, by section.

    Raises:
        BadInput: what is no mapping of mappings.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(part, Mapping) for part in value.values()):
        raise BadInput(f"settings: {a_type(value)}", 'a mapping such as {"model": {"width": 64}, "train": {...}}')
    return {str(key): dict(part) for key, part in value.items()}


def allowance(budget: Any, steps: Any, examples: Any) -> dict[str, float]:
    """Return a budget as the engine takes it; 40 seconds for none.

    Raises:
        BadInput: more than one, or what is none.
    """
    named = [value for value in (budget, steps, examples) if value is not None]
    if len(named) > 1:
        raise BadInput(f"{len(named)} budgets", "one of budget, steps and examples")
    if steps is not None:
        return {"steps": whole(steps, "steps", 1)}
    if examples is not None:
        return {"examples": whole(examples, "examples", 1)}
    return {"seconds": 40.0 if budget is None else parse_seconds(str(budget))}
