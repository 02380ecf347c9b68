"""How long a run lasts: seconds of wall clock, optimiser steps or examples.

One idea: everything that depends on progress (learning rate, evaluations) asks for the fraction of
the budget spent.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from pushforward.core.errors import BadInput
from pushforward.core.spec import TrainConfig

Measure = Literal["seconds", "steps", "examples"]
MEASURES: tuple[Measure, ...] = ("seconds", "steps", "examples")
DEFAULT_SECONDS = 40.0  # where nobody gives a budget and no preset has a length of its own
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
LONGEST = 366.0 * 86400.0
_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """An amount of one measure.

    Example:
        >>> Budget("steps", 400).fraction(step=100, seconds=3.0, batch_size=32)
        0.25
    """

    measure: Measure
    amount: float

    def fraction(self, step: int, seconds: float, batch_size: int) -> float:
        """Return the share of the budget spent, at least 0; 1 or more means stop."""
        return self.spent(step, seconds, batch_size) / self.amount

    def spent(self, step: int, seconds: float, batch_size: int) -> float:
        """Return how much of its measure was spent."""
        return {"seconds": seconds, "steps": step, "examples": step * batch_size}[self.measure]

    def __str__(self) -> str:
        if self.measure == "seconds":
            return f"{self.amount:g} s of wall clock"
        return f"{int(self.amount):,} {self.measure}"


def budget_of(config: TrainConfig) -> Budget:
    """Return the one budget that a configuration names.

    Raises:
        BadInput: none or more than one of seconds, steps and examples is set.
    """
    named: list[Measure] = [measure for measure in MEASURES if getattr(config, measure) is not None]
    if len(named) != 1:
        came = "no budget" if not named else "budgets in " + " and ".join(named)
        raise BadInput(came, "exactly one of --budget, --steps and --examples")
    return Budget(named[0], float(getattr(config, named[0])))


def parse_seconds(text: str) -> float:
    """Return the seconds in `60s`, `2m`, `1.5h` or a bare number.

    Example:
        >>> parse_seconds("2m"), parse_seconds("5e-1h"), parse_seconds(".5")
        (120.0, 1800.0, 0.5)
    """
    match = re.fullmatch(rf"\s*({_NUMBER})\s*([a-z]*)\s*", text.lower())
    unit = "" if match is None else match[2] or "s"
    seconds = float(match[1]) * _UNITS[unit] if match is not None and unit in _UNITS else 0.0
    if not 0.0 < seconds < math.inf:
        raise BadInput(f"the budget '{text}'", "a positive time such as 60s, 2m or 1h")
    if seconds > LONGEST:
        raise BadInput(
            f"the budget '{text}'", "at most a year (8784h)", "`--resume` goes on after any budget"
        )
    return seconds
