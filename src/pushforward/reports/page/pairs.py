"""Two models at a time: what a test over their shared reference decided.

One idea: all tests of a page share one level, so that a page of three hundred has a false verdict
once in twenty pages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushforward.core.score import Score
from pushforward.evaluation.cards.comparison import Difference
from pushforward.reports.numbers import number
from pushforward.reports.records import Comparison


@dataclass(frozen=True)
class PairLine:
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
    lines: tuple[PairLine, ...]


def pairs(comparison: Comparison) -> tuple[Pair, ...]:
    """Return every pair of models that was tested, in order."""
    names = dict.fromkeys((d.first, d.second) for d in comparison.differences)
    scores = {score.name: score for row in comparison.rows for score in row.scores}
    return tuple(_pair(first, second, comparison.differences, scores) for first, second in names)


def _pair(
    first: str, second: str, differences: Sequence[Difference], scores: Mapping[str, Score]
) -> Pair:
    mine = [d for d in differences if (d.first, d.second) == (first, second)]
    verdicts = [d.verdict for d in mine]
    counts = (verdicts.count("first"), verdicts.count("second"), verdicts.count("undecided"))
    return Pair(first, second, *counts, tuple(_line(d, scores.get(d.metric)) for d in mine))


def _line(d: Difference, score: Score | None) -> PairLine:
    measure, detail = (d.metric, "") if score is None else (score.short_name, score.details)
    winner = {"first": d.first, "second": d.second, "undecided": "undecided"}[d.verdict]
    interval = f"{number(d.low)} to {number(d.high)}" if math.isfinite(d.low + d.high) else ""
    small = math.isfinite(d.adjusted) and d.adjusted < 1e-4
    p_value = (
        "" if not math.isfinite(d.adjusted) else "< 0.0001" if small else number(d.adjusted, 4)
    )
    enough = "" if d.verdict != "undecided" or d.enough is None else number(d.enough, 0)
    return PairLine(measure, detail, number(d.value), interval, p_value, winner, enough)
