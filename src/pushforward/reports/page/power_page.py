"""Which measures see which damage, as a table.

One idea: a cell is the chance to see the damage at this size, and the examples it would take where
that chance is small.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pushforward.core.measure import in_order
from pushforward.core.score import Score
from pushforward.evaluation.cards.power import ENOUGH, LEVEL, Detection
from pushforward.reports.numbers import number
from pushforward.reports.page.templating import environment, stylesheet

SEEN = 0.995
FIELDS: tuple[str, ...] = (
    *("metric", "damage", "n", "power", "power_low", "power_high"),
    *("enough", "shift", "low", "high", "clean", "damaged"),
)


@dataclass(frozen=True)
class Grid:
    """Damages across, aspects and their measures down, and the detection where both meet."""

    damages: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Score, ...]], ...]
    cells: dict[tuple[str, str], Detection]
    n: int

    def text(self, metric: Score, damage: str) -> str:
        """Return the power of a measure against a damage in percent, and the examples that would be
        enough."""
        found = self.cells.get((metric.name, damage))
        return "" if found is None else _cell(found)

    def shade(self, metric: Score, damage: str) -> int:
        """Return the power in tenths, for the tint of a cell."""
        found = self.cells.get((metric.name, damage))
        return 0 if found is None or math.isnan(found.power) else round(10 * found.power)


def grid(found: Sequence[Detection]) -> Grid:
    """Return detections as a table, measures by their aspect."""
    metrics = list({d.metric: d.score for d in found}.values())
    aspects = in_order(metric.measure.aspect for metric in metrics)
    return Grid(
        tuple(dict.fromkeys(d.damage for d in found)),
        tuple(
            (aspect.name, tuple(m for m in metrics if m.measure.aspect == aspect))
            for aspect in aspects
        ),
        {(d.metric, d.damage): d for d in found},
        found[0].n if found else 0,
    )


def titled(metric: Score) -> str:
    """Return a measure's name with what it was measured by in brackets.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> titled(Score(Measure("recall"), 0.5, 100, view="pca-2", reference="test"))
        'recall (pca-2, vs test)'
    """
    return f"{metric.short_name} ({metric.details})" if metric.details else metric.short_name


def to_markdown(name: str, found: Sequence[Detection]) -> str:
    """Return measures against damages: power in percent and, below 80 %, how many examples a side
    would have 80 %.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> recall = Score(Measure("recall"), 0.5, 100, view="pca-2", reference="test")
        >>> d = Detection(recall, "noise of 5 %", 1.0, 0.9, 1.0, 0.2, 1.8, 0.26, 620, 100)
        >>> print(to_markdown("moons", [d]).splitlines()[-3])
        | recall (pca-2, vs test) | 26 % (n = 620) |
    """
    table = grid(found)
    lines = [f"# {heading(name, table)}", "", "| | " + " | ".join(table.damages) + " |"]
    lines.append("|---|" + "---:|" * len(table.damages))
    for metric in (m for _, group in table.groups for m in group):
        lines.append(
            f"| {titled(metric)} | "
            + " | ".join(table.text(metric, d) for d in table.damages)
            + " |"
        )
    lines += ["", unseen(found), *(line for known in known_to(found) for line in ("", known))]
    return "\n".join(lines) + "\n"


def heading(name: str, table: Grid) -> str:
    """Return the title: the data and how many examples play either part."""
    return f"What can be seen in {name} at {table.n} against {table.n} examples"


def unseen(found: Sequence[Detection]) -> str:
    """Return which damages no measure sees often enough, as a sentence."""
    damages = dict.fromkeys(d.damage for d in found)
    missed = [
        name for name in damages if not any(d.power >= ENOUGH for d in found if d.damage == name)
    ]
    if not missed:
        return "Every damage is seen by some measure in four of five cases or more."
    return (
        "Seen by no measure in four of five cases: "
        + "; ".join(missed)
        + ". Compare more examples, or finer features."
    )


def known_to(found: Sequence[Detection]) -> list[str]:
    """Say how well the chances are known, where intervals were measured.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> d = Detection(Score(Measure("recall"), 0.5, 100), "noise", 1.0, 0.9, 1.0, 0.2, 1.8, 0.5, None, 100, 0.3, 0.7)
        >>> known_to([d])[0].endswith("by a test with 5 % false alarms, and known to 20 points.")
        True
    """
    reach = max(
        (0.5 * (d.power_high - d.power_low) for d in found if not math.isnan(d.power_low)),
        default=None,
    )
    if reach is None:
        return []
    return [
        f"A chance is the share of repetitions in which the damage was seen, by a test with {100 * LEVEL:.0f} % false alarms, and "
        f"known to {100 * reach:.0f} points."
    ]


def to_html(name: str, found: Sequence[Detection], command: str = "") -> str:
    """Return one offline page with the table, its cells tinted by the chance to see the damage."""
    table, templates = grid(found), environment()
    return templates.get_template("power.html").render(
        css=stylesheet(templates),
        title=heading(name, table),
        table=table,
        unseen=" ".join([unseen(found), *known_to(found)]),
        enough=f"{100 * ENOUGH:.0f}",
        level=f"{100 * LEVEL:.0f}",
        command=command,
    )


def to_csv(found: Sequence[Detection]) -> str:
    """Return one line for each measure and damage."""
    text = io.StringIO()
    lines: csv.DictWriter[str] = csv.DictWriter(text, FIELDS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(_fields(d) for d in found)
    return text.getvalue()


def to_json(name: str, found: Sequence[Detection]) -> dict[str, Any]:
    """Return the same as a JSON-ready record; what is not finite becomes text."""
    return {
        "data": name,
        "n": found[0].n if found else 0,
        "detections": [_plain(_fields(d)) for d in found],
    }


def _fields(d: Detection) -> dict[str, Any]:
    return {name: getattr(d, name) for name in FIELDS}


def _cell(d: Detection) -> str:
    if math.isnan(d.power):
        return "n/a"
    text = "100 %" if d.power > SEEN else f"{100 * d.power:.0f} %"
    if d.power >= ENOUGH:
        return text
    if d.high < 0:
        return f"{text} (likes it)"
    return text if d.enough is None else f"{text} (n = {number(d.enough, 0)})"


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {
        k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()
    }
