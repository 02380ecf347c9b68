"""One model's measures on one scale: from a deliberately bad model to real data.

One idea: no two measures share a unit, but all have a floor and a ceiling, and where a value lies
between them has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from pushforward.core.score import Score
from pushforward.reports.drawing.axes import path, tag
from pushforward.reports.page.score_table import position
from pushforward.reports.records import Row
from pushforward.reports.verdict.standing import blind, control

WIDTH, STEP, LEFT, RIGHT, TOP = 430.0, 19.0, 206.0, 16.0, 24.0
MOST = 11


def ladder(row: Row, rows: Sequence[Row], colour: int = 0) -> Markup | None:
    """Return a chart of up to eleven measures of a row, furthest from real data first; None if none
    has both controls.

    Measures on which the floor scores as well as real data have no such scale and are left out.
    """
    found: dict[str, tuple[float, float | None, float | None]] = {}
    for score in row.scores:
        if score.measure.role == "check" or blind(rows, score):
            continue
        marks = [control(rows, score, role) for role in ("floor", "ceiling")]
        floor, ceiling = (m.value if isinstance(m, Score) else m for m in marks)
        if (
            floor is None
            or ceiling is None
            or math.isnan(at := position(score.value, floor, ceiling))
        ):
            continue
        ends = [None if v is None else position(v, floor, ceiling) for v in (score.low, score.high)]
        found.setdefault(score.title, (at, ends[0], ends[1]))
    if not found:
        return None
    lines = sorted(found.items(), key=lambda item: item[1][0])[:MOST]
    height = TOP + STEP * len(lines) + 8
    x = lambda part: LEFT + part * (WIDTH - LEFT - RIGHT)  # noqa: E731
    parts = [
        tag("text", "bad model", x=x(0.0), y=12.0, class_="axis", text_anchor="middle"),
        tag("text", "real data", x=x(1.0), y=12.0, class_="axis", text_anchor="end"),
    ]
    parts += [
        tag("path", d=path([(x(v), TOP - 6), (x(v), height - 6)]), class_="grid")
        for v in (0.0, 0.5)
    ]
    parts.append(
        tag("path", d=path([(x(1.0), TOP - 6), (x(1.0), height - 6)]), class_="line level")
    )
    for i, (title, (at, low, high)) in enumerate(lines):
        y = TOP + STEP * i + 8
        parts.append(tag("text", title, x=LEFT - 14, y=y + 4, class_="label", text_anchor="end"))
        if low is not None and high is not None and math.isfinite(low + high):
            parts.append(
                tag("path", d=path([(x(low), y), (x(high), y)]), class_=f"whisker c{colour}")
            )
        parts.append(tag("circle", cx=x(at), cy=y, r=4.5, class_=f"dot c{colour}"))
    said = f"Where {row.name} lies between a deliberately bad model and real data: " + "; ".join(
        f"{title} {round(100 * at)} %" for title, (at, _, _) in lines
    )
    view = f"0 0 {WIDTH:.0f} {height:.0f}"
    return tag(
        "svg", Markup("").join(parts), viewBox=view, role="img", class_="chart", aria_label=said
    )
