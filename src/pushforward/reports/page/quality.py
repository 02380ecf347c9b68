"""Quality against cost: the headline measure beside what samples and trainings take.

One idea: what nothing cheaper matches is joined by stairs, and what something cheaper clearly beats
has a ring.
"""

from __future__ import annotations

import math

from pushforward.core.score import Score
from pushforward.evaluation.cards.pareto import Standing
from pushforward.reports.drawing.charts import Mark, scatter_chart
from pushforward.reports.numbers import listed, seconds
from pushforward.reports.page.figure import Figure, colours
from pushforward.reports.records import Comparison, Key
from pushforward.reports.verdict.standing import control
from pushforward.reports.verdict.unmatched import headline_key, standing_by


def quality_against_cost(comparison: Comparison) -> tuple[Figure, ...]:
    """Return the headline measure against sampling time and against training time, with intervals
    and the ceiling."""
    key = headline_key(comparison)
    if key is None or len(comparison.models) < 2:
        return ()
    score = next(s for row in comparison.models if (s := row.score(key)))
    top = control(comparison.rows, score, "ceiling")
    value = top.value if isinstance(top, Score) else top
    level = (
        None
        if value is None
        else (value, next((row.name for row in comparison.of_role("ceiling")), "ceiling"))
    )
    values = [s for row in comparison.models if (s := row.score(key)) and math.isfinite(s.value)]
    lowest = [v for s in values for v in (s.low, s.value) if v is not None]
    # a ratio above 20 would flatten the better half of a linear axis
    log_y = bool(lowest) and min(lowest) > 0 and max(s.value for s in values) / min(lowest) > 20
    costs = (
        ("seconds per 1\N{NARROW NO-BREAK SPACE}000 samples", "seconds_per_1000"),
        ("seconds of training", "train_seconds"),
    )
    found = []
    for what, name in costs:
        stand = standing_by(comparison, name)
        marks = _marks(comparison, key, name, stand)
        if marks:
            known = ", ".join(f"{m.label} {seconds(m.x)}" for m in marks)
            said = f"{key.name} against {what}: {known}"
            log_x = name == "seconds_per_1000"
            art = scatter_chart(
                marks,
                what,
                f"{score.title} ({score.measure.counts or key.name}; {key.better} is better)",
                said,
                log_x=log_x,
                log_y=log_y,
                level=level,
                steps=[
                    (m.x, m.y)
                    for m in marks
                    if stand.get(m.label) == "front" and m.x is not None and m.y is not None
                ],
            )
            axes = listed([axis for axis, on in (("time", log_x), ("quality", log_y)) if on])
            parts = ["95 % intervals", f"logarithmic {axes}" if axes else "", _fronted(stand)]
            found.append(
                Figure(f"Against {what}", (art,), "; ".join(part for part in parts if part))
            )
    return tuple(found)


def _fronted(stand: dict[str, Standing]) -> str:
    """Return what rings and stairs mean, where there are any."""
    named = {
        where: [name for name, found in stand.items() if found == where]
        for where in ("front", "dominated")
    }
    parts = (
        ["the stairs join the models that nothing cheaper matches"]
        if len(named["front"]) > 1
        else []
    )
    parts += ["rings: something cheaper is clearly better"] if named["dominated"] else []
    return "; ".join(parts)


def _marks(comparison: Comparison, key: Key, name: str, stand: dict[str, Standing]) -> list[Mark]:
    palette, marks = colours(comparison), []
    for row in comparison.models:
        score, cost = row.score(key), getattr(row, name)
        if score is not None and cost is not None and math.isfinite(score.value):
            beaten = stand.get(row.name) == "dominated"
            marks.append(
                Mark(cost, score.value, row.name, score.low, score.high, palette[row.name], beaten)
            )
    return marks
