"""Scores as a table that fits the terminal.

One idea: numbers stand in columns under each other, and only the name of a measure is folded.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from pushforward.core.score import Score

HEADS = ("value", "95 % interval", "real data", "bad model", "best")
GAP, ROOM = 2, 24


def score_table(scores: Sequence[Score], columns: int) -> str:
    """Return a line for each score: measure, value, interval, what real data and a bad model score,
    and which side is better.

    Of a score that could not be computed the reason stands in place of its numbers; what rests on
    fewer samples than most says so.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> marks = {"low": 0.85, "high": 0.94, "ceiling": 0.95, "floor": 0.1}
        >>> score = Score(Measure("coverage", better="higher"), 0.9, n=100, view="pca-8", reference="test", **marks)
        >>> print(score_table([score], 80))
        n = 100           value   95 % interval  real data  bad model  best
        coverage [pca-8]    0.9   0.85 .. 0.94       0.95        0.1  high
    """
    if not scores:
        return ""
    most = max({s.n for s in scores}, key=lambda n: sum(s.n == n for s in scores))
    rows = [[_name(s, most), *_cells(s)] for s in scores]
    wide = [max(len(head), *(len(row[k + 1]) for row in rows)) for k, head in enumerate(HEADS)]
    while len(wide) > 1 and columns - sum(wide) - GAP * len(wide) < ROOM:
        wide.pop()  # a narrow terminal goes without the last columns
    first = min(columns - sum(wide) - GAP * len(wide), max(len(row[0]) for row in rows))
    first = max(first, len(f"n = {most}"))
    lines = [_line(f"n = {most}", HEADS, first, wide)]
    for score, (name, *cells) in zip(scores, rows, strict=True):
        head, *rest = textwrap.wrap(name, first, break_long_words=True, break_on_hyphens=False)
        if math.isnan(score.value):
            why = "; ".join(score.warnings) or "not a number"
            lines += textwrap.wrap(
                f"{name}: {why}", columns, subsequent_indent="  ", break_on_hyphens=False
            )
            continue
        lines.append(_line(head, cells, first, wide))
        lines += [f"  {part}" if len(part) + 2 <= first else part for part in rest]
    return "\n".join(lines)


def score_line(s: Score) -> str:
    """Return a score as one line; of one that could not be computed, the reason."""
    if math.isnan(s.value):
        return f"{s.name}: {'; '.join(s.warnings) or 'not a number'}"
    parts = [f"{s.name}: {s.value:.4g}"]
    if s.low is not None and s.high is not None:
        parts.append(f"[{s.low:.4g}, {s.high:.4g}]")
    if s.unit:
        parts.append(s.unit)
    parts.append(f"({s.better} is better; n = {s.n}")
    known = [
        (word, value)
        for word, value in (("ceiling", s.ceiling), ("floor", s.floor), ("null", s.null))
        if value is not None
    ]
    return " ".join(parts) + "".join(f"; {word} {value:.4g}" for word, value in known) + ")"


def _name(score: Score, most: int) -> str:
    kind = "" if score.kind in ("estimate", "exact") else f" ({score.kind.replace('_', ' ')})"
    unit = f", {score.unit}" if score.unit else ""
    few = f" (n = {score.n})" if score.n != most else ""
    return f"{score.name.removesuffix(' vs test')}{unit}{kind}{few}"


def _cells(score: Score) -> list[str]:
    interval = (
        ""
        if score.low is None or score.high is None
        else f"{_short(score.low)} .. {_short(score.high)}"
    )
    real = score.ceiling if score.ceiling is not None else score.null
    marks = ["" if mark is None else _short(mark) for mark in (real, score.floor)]
    return [_short(score.value), interval, *marks, "low" if score.better == "lower" else "high"]


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _line(name: str, cells: Sequence[str], first: int, wide: Sequence[int]) -> str:
    gap = " " * GAP
    return (
        f"{name:<{first}}"
        + "".join(gap + cell.rjust(width) for cell, width in zip(cells, wide, strict=False))
    ).rstrip()
