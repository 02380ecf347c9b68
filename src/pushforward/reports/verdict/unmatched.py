"""Which models nothing cheaper matches, in words and in the picture.

One idea: quality is the headline measure, and the costs are those that differ: under one budget of
training only sampling does.
"""

from __future__ import annotations

import math

from pushforward.evaluation.cards.pareto import Priced, Standing, pareto
from pushforward.reports.numbers import listed
from pushforward.reports.records import Comparison, Key, Row, metric_keys
from pushforward.reports.verdict.odds import ODDS, share_right

SAME = 0.1  # costs that differ by less, in relation, are noise of the clock
SATURATED = 0.98  # a classifier that is right on every model tells no two of them apart
COSTS = {
    "seconds_per_1000": "sampling time",
    "calls_per_sample": "network calls",
    "train_seconds": "training time",
}


def headline_key(comparison: Comparison) -> Key | None:
    """Return the measure that quality is read on.

    The one that the comparison names; else how often a classifier is right (of tables boosted
    trees, see `ODDS`), which anybody can read, unless it is right on every model; else the first
    that all models have and where lower is better.
    """
    keys = metric_keys(comparison.models)
    named = [key for key in keys if key.name == comparison.headline]
    found = [[row.score(key) for row in comparison.models] for key in keys]
    shared = [
        key
        for key, scores in zip(keys, found, strict=True)
        if all(s and math.isfinite(s.value) for s in scores)
    ]
    coins = [key for name in ODDS for key in shared if key.measure.name == name]
    telling = [
        k
        for k in coins
        if min(share_right(s) for row in comparison.models if (s := row.score(k))) < SATURATED
    ]
    lower = [
        key for some in (shared, keys) for key in some if key.better == "lower" and key not in coins
    ]
    return next(iter([*named, *telling, *lower, *keys]), None)


def standings(comparison: Comparison) -> tuple[dict[str, Standing], list[str]]:
    """Return where each model stands on the headline measure, and by which costs; nothing for fewer
    than two models."""
    key = headline_key(comparison)
    rows = _rows(comparison, key)
    costs = [name for name in COSTS if _differs([getattr(row, name) for row in rows])]
    if key is None or len(rows) < 2 or not costs:
        return {}, []
    return pareto([_priced(row, key, costs) for row in rows], SAME), [COSTS[name] for name in costs]


def standing_by(comparison: Comparison, cost: str) -> dict[str, Standing]:
    """Return where each model stands on the headline measure by one cost alone; nothing where the
    cost does not differ."""
    key = headline_key(comparison)
    rows = _rows(comparison, key)
    if key is None or len(rows) < 2 or not _differs([getattr(row, cost) for row in rows]):
        return {}
    return pareto([_priced(row, key, [cost]) for row in rows], SAME)


def pareto_sentences(comparison: Comparison) -> list[str]:
    """Return which models are on the front of quality against cost, which are dominated, and which
    are undecided."""
    found, costs = standings(comparison)
    key = headline_key(comparison)
    if not found or key is None:
        return []
    groups = {
        where: [name for name, stands in found.items() if stands == where]
        for where in ("front", "dominated")
    }
    open_ = [name for name, stands in found.items() if stands == "undecided"]
    text = f"On {key.score.short_name} against {listed(costs)}"
    parts = [f"nothing cheaper matches {listed(groups['front'])}" if groups["front"] else ""]
    parts.append(
        f"{listed(groups['dominated'])} beaten by something cheaper" if groups["dominated"] else ""
    )
    parts.append(f"{listed(open_)} undecided" if open_ else "")
    return [f"{text}: {'; '.join(part for part in parts if part)}."]


def _rows(comparison: Comparison, key: Key | None) -> list[Row]:
    return [
        row for row in comparison.models if key and (s := row.score(key)) and math.isfinite(s.value)
    ]


def _priced(row: Row, key: Key, costs: list[str]) -> Priced:
    score = row.score(key)
    assert score is not None
    return Priced(row.name, score, {name: getattr(row, name) for name in costs})


def _differs(values: list[float | None]) -> bool:
    known = [v for v in values if v is not None]
    return len(known) == len(values) > 0 and max(known) > (1 + SAME) * min(known)
