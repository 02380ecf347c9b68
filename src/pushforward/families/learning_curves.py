"""How well presets did after so many steps, measured here once: what a choice between them goes by.

Two ideas: a curve is of final figures, a training of its own for each length, because learning
rates fall towards the end of a training; steps are the same on every machine, so that a curve and
the seconds of a step tell what a budget of seconds will reach.

    python benchmarks/measure_curves.py

makes `learning_curves.json`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pushforward.core.space import Space

TABLE = Path(__file__).with_name("learning_curves.json")
# what as many times the rows weigh beside as many times the dimensions, where data are compared
ROWS_WEIGH = 0.25
SMALLER = 8.0  # data of so many times fewer dimensions are nothing like those of a curve


@dataclass(frozen=True)
class Reference:
    """The data that curves were measured on.

    Attributes:
        dimensions: of an example.
        rows: of the training split.
    """

    name: str
    kind: str
    dimensions: int
    rows: int

    def distance(self, space: Space, rows: int) -> float:
        """Return how unlike other data are: a factor of dimensions, and of rows, as logarithms."""
        size = abs(math.log(space.dimensions / self.dimensions))
        return size + ROWS_WEIGH * abs(math.log(max(1, rows) / self.rows))


@dataclass(frozen=True)
class LearningCurve:
    """What one candidate reached on held-out examples.

    Attributes:
        preset: its settings.
        width: share of the preset's width.
        batch: examples of a step.
        points: `(steps, held-out quantity)`, lower is better, of trainings of these lengths.
        quantity: what is held out, with its unit.

    Example:
        >>> curve = LearningCurve("minute", 1.0, 128, ((100, 3.0), (1000, 2.0)))
        >>> [round(curve.at(steps), 3) for steps in (10, 100, 316, 1000, 10**6)]
        [4.0, 3.0, 2.5, 2.0, 2.0]
    """

    preset: str
    width: float
    batch: int
    points: tuple[tuple[int, float], ...]
    quantity: str = ""

    def at(self, steps: int) -> float:
        """Return the quantity after so many steps: a line in their logarithm between the points,
        drawn out below the first, and flat beyond the last, because nobody knows whether it would
        still fall."""
        logs = [math.log(at) for at, _ in self.points]
        values = [value for _, value in self.points]
        asked = min(math.log(max(1, steps)), logs[-1])
        if len(logs) == 1:
            return values[0]
        place = next((i for i, at in enumerate(logs[1:], 1) if asked <= at), len(logs) - 1)
        slope = (values[place] - values[place - 1]) / (logs[place] - logs[place - 1])
        if asked < logs[0]:
            slope = min(slope, 0.0)  # fewer steps are never said to be better
        return values[place] + slope * (asked - logs[place])


@dataclass(frozen=True)
class Longest:
    """The end of a curve: what the longest training of a candidate reached, on which data."""

    reference: Reference
    curve: LearningCurve

    @property
    def figures(self) -> str:
        """The held-out quantity in words."""
        steps, value = self.curve.points[-1]
        trained = f"{steps:,} steps of {self.curve.batch}"
        return f"{self.curve.quantity} {value:.4g} held out ({self.reference.name}, {trained})"

    def command(self, family: str) -> str:
        """Return what measures it."""
        candidate = f"{self.curve.preset}:{self.curve.batch}:{self.curve.width:g}"
        length = self.curve.points[-1][0]
        asked = f"{family} {self.reference.name.upper()} {candidate} --lengths {length}"
        return f"python benchmarks/measure_curves.py {asked}"


def longest_curve(family: str, kind: str, preset: str) -> Longest | None:
    """Return the longest training with a preset on the largest examples of a kind, None where none was
    measured.

    Example:
        >>> longest_curve("flow", "image", "minute").figures
        '-log p of the data [nats] 637.7 held out (mnist, 1,000 steps of 128)'
        >>> longest_curve("flow", "points", "gpu") is None
        True
    """
    found = [
        Longest(reference, curve)
        for reference, curves in learning_curves().get(family, [])
        for curve in curves
        if reference.kind == kind and curve.preset == preset
    ]
    size = lambda one: (one.reference.dimensions, one.curve.points[-1][0])  # noqa: E731
    return max(found, key=size, default=None)


@cache
def learning_curves() -> dict[str, list[tuple[Reference, list[LearningCurve]]]]:
    """Return the measured curves of each family, by the data that they were measured on.

    Example:
        >>> all(curve.points for found in learning_curves().values() for _, of in found for curve in of)
        True
    """
    found: dict[str, list[tuple[Reference, list[LearningCurve]]]] = {}
    for entry in json.loads(TABLE.read_text(encoding="utf-8")):
        reference = Reference(**entry["reference"])
        curves = [_curve(record) for record in entry["curves"]]
        found.setdefault(entry["family"], []).append((reference, curves))
    return found


def _curve(record: dict[str, Any]) -> LearningCurve:
    points = tuple((int(steps), float(value)) for steps, value in record["points"])
    size = record["width"], record["batch"]
    return LearningCurve(record["preset"], *size, points, record["quantity"])


def curves_near(
    family: str, space: Space, rows: int
) -> tuple[Reference, list[LearningCurve]] | None:
    """Return the curves of the data most like some, None where none were measured on any like them.

    Curves are those of larger examples too: what learns most in a minute on small ones does so all
    the more where deep bodies take longer still.

    Example:
        >>> from pushforward.core.space import Points
        >>> curves_near("nobody", Points(2), 10) is None
        True
    """
    of = [
        entry
        for entry in learning_curves().get(family, [])
        if entry[0].kind == space.kind and space.dimensions * SMALLER >= entry[0].dimensions
    ]
    return min(of, key=lambda entry: entry[0].distance(space, rows), default=None)
