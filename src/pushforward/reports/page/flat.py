"""Every number of a comparison in one flat table.

One idea: one line is one score of one row, with everything that a score is, so that a spreadsheet
loses nothing.
"""

from __future__ import annotations

import csv
import io
import math

from pushforward.core.score import Score
from pushforward.evaluation.cards.controls import skill
from pushforward.reports.records import Comparison

COLUMNS = (
    *(
        "row",
        "role",
        "aspect",
        "measure",
        "value",
        "low",
        "high",
        "stderr",
        "null",
        "ceiling",
        "floor",
        "skill",
    ),
    *("unit", "kind", "better", "n", "features", "warnings"),
)


def to_csv(comparison: Comparison) -> str:
    """Return models and controls as comma-separated values; a number that is not known is empty.

    Example:
        >>> from pushforward.core.measure import FIDELITY, Measure
        >>> from pushforward.reports.records import Data, Row
        >>> data = Data("two-moons", "points", "points in 2 dimensions", "nats/point", {"test": 100})
        >>> row = Row("flow", scores=(Score(Measure("coverage", aspect=FIDELITY, better="higher"), 0.5, n=9),))
        >>> to_csv(Comparison("A run", data, "", "cpu", 0, "today", (row,))).splitlines()[1]
        'flow,model,fidelity and coverage,coverage,0.5,,,,,,,,,estimate,higher,9,,'
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in comparison.rows:
        for score in row.all_scores:
            writer.writerow([row.name, row.role, score.measure.aspect.name, *_cells(score)])
    return buffer.getvalue()


def _cells(s: Score) -> list[str]:
    numbers = (s.value, s.low, s.high, s.stderr, s.null, s.ceiling, s.floor, skill(s))
    known = ["" if v is None or math.isnan(v) else repr(v) for v in numbers]
    return [s.name, *known, s.unit, s.kind, s.better, str(s.n), s.features, "; ".join(s.warnings)]
