"""Which measures see which damage, as a table.

One idea: a cell is the chance to see the damage at this size, and the examples it would take where that chance is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pushforward.evaluation.cards.aspects import ASPECTS, OTHER, aspect_of
from pushforward.evaluation.cards.power import ENOUGH, Detection
from pushforward.report.numbers import number, split_name

SEEN = 0.995


def to_markdown(name: str, found: Sequence[Detection]) -> str:
    """Return measures against damages: power in percent and, below 80 %, how many examples a side would have 80 %.

    Example:
        >>> d = Detection("recall [pca-2] vs test", "noise of 5 %", 1.0, 0.9, 1.0, 0.2, 1.8, 0.26, 620, 100)
        >>> print(to_markdown("moons", [d]).splitlines()[-3])
        | recall (pca-2, vs test) | 26 % (n = 620) |
    """
    damages = list(dict.fromkeys(d.damage for d in found))
    order = [OTHER, *ASPECTS]
    metrics = sorted(dict.fromkeys(d.metric for d in found), key=lambda metric: order.index(aspect_of(metric)))
    cells = {(d.metric, d.damage): _cell(d) for d in found}
    n = found[0].n if found else 0
    lines = [f"# What can be seen in {name} at {n} against {n} examples", ""]
    lines += ["| | " + " | ".join(damages) + " |", "|---|" + "---:|" * len(damages)]
    for metric in metrics:
        head, detail = split_name(metric)
        title = f"{head} ({detail})" if detail else head
        lines.append(f"| {title} | " + " | ".join(cells.get((metric, damage), "") for damage in damages) + " |")
    lines += ["", _blind(found, damages)]
    return "\n".join(lines) + "\n"


def _cell(d: Detection) -> str:
    if math.isnan(d.power):
        return "n/a"
    text = "100 %" if d.power > SEEN else f"{100 * d.power:.0f} %"
    if d.power >= ENOUGH:
        return text
    if d.high < 0:
        return f"{text} (likes it)"
    return text if d.enough is None else f"{text} (n = {number(d.enough, 0)})"


def _blind(found: Sequence[Detection], damages: Sequence[str]) -> str:
    unseen = [name for name in damages if not any(d.power >= ENOUGH for d in found if d.damage == name)]
    if not unseen:
        return "Every damage is seen by some measure in four of five cases or more."
    return (
        "Seen by no measure in four of five cases: " + "; ".join(unseen) + ". Compare more examples, or finer features."
    )


def to_json(name: str, found: Sequence[Detection]) -> dict[str, Any]:
    """Return the same as a JSON-ready record; what is not finite becomes text."""
    return {"data": name, "n": found[0].n if found else 0, "detections": [_plain(asdict(d)) for d in found]}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}
