"""Two models at a time: what a test over their shared reference decided.

One idea: all tests of a page share one level, so that a page of three hundred has a false verdict once in twenty pages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pushforward.evaluation.cards.comparison import Difference
from pushforward.report.numbers import number, split_name
from pushforward.report.records import Comparison


@dataclass(frozen=True)
class Line:
    """One measure of a pair, as text."""

    measure: str
    detail: str
    difference: str
    interval: str
    p_value: str
    verdict: str
    enough: str


@dataclass(frozen=True)
class Pair:
    """Two models, how often which is better, and every measure."""

    first: str
    second: str
    wins: int
    losses: int
    undecided: int
    lines: tuple[Line, ...]


def pairs(comparison: Comparison) -> tuple[Pair, ...]:
    """Return every pair of models that was tested, in order."""
    names = dict.fromkeys((d.first, d.second) for d in comparison.differences)
    return tuple(_pair(first, second, comparison.differences) for first, second in names)


def _pair(first: str, second: str, differences: tuple[Difference, ...]) -> Pair:
    mine = [d for d in differences if (d.first, d.second) == (first, second)]
    verdicts = [d.verdict for d in mine]
    counts = (verdicts.count("first"), verdicts.count("second"), verdicts.count("undecided"))
    return Pair(first, second, *counts, tuple(_line(d) for d in mine))


def _line(d: Difference) -> Line:
    measure, detail = split_name(d.metric)
    winner = {"first": d.first, "second": d.second, "undecided": "undecided"}[d.verdict]
    interval = f"{number(d.low)} to {number(d.high)}" if math.isfinite(d.low + d.high) else ""
    small = math.isfinite(d.adjusted) and d.adjusted < 1e-4
    p_value = "" if not math.isfinite(d.adjusted) else "< 0.0001" if small else number(d.adjusted, 4)
    enough = "" if d.verdict != "undecided" or d.enough is None else number(d.enough, 0)
    return Line(measure, detail, number(d.value), interval, p_value, winner, enough)
