"""What the controls say: real data against real data, and deliberately bad models.

Two ideas: controls are judged first, because they decide what a number of a model means; what was
not measured is said to be not known, and never counted as a failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pushforward.reports.numbers import listed, named, number, short_names, value_text
from pushforward.reports.records import Key, Row, key_of
from pushforward.reports.verdict.standing import at_null, blind, clear_of, control
from pushforward.reports.verdict.told_apart import told_apart, too_good

FLOOR = "the floor, a deliberately bad model,"


def ceiling_sentences(rows: Sequence[Row]) -> list[str]:
    """Return whether real data scored against real data are where they should be."""
    real = [row for row in rows if row.role == "ceiling"]
    if not real and all(score.ceiling is not None for row in rows for score in row.scores):
        return []
    if not real:
        return ["No real-versus-real row was measured, so how good a score could be is unknown."]
    scores = [score for row in real for score in row.scores if math.isfinite(score.value)]
    known = [s for s in scores if at_null(s) is not None]
    if not known:
        return [
            "Real data was scored against real data, but no null with an interval is known to check it against."
        ]
    off = [s for s in known if not at_null(s)]
    if not off:
        on = (
            "the one measure that has one"
            if len(known) == 1
            else f"all {len(known)} measures that have one"
        )
        return [f"Real data scored against real data is at its expected value on {on}."]
    called = short_names(known)
    parts = [f"{called[s.name]} ({value_text(s)}, expected {number(s.null)})" for s in off]
    return [
        f"Real data scored against real data misses its expected value on {len(off)} of {len(known)} measures: "
        f"{named(parts, 'measures')}.",
        "Read those against the ceiling row, not against their ideal; one miss in twenty is chance.",
    ]


def blind_sentences(rows: Sequence[Row], keys: Sequence[Key]) -> list[str]:
    """Return which measures are not counted, because a deliberately bad model scores as well as
    real data on them."""
    if not keys:
        return []
    called = short_names([key.score for key in keys])
    what = named([called[key.name] for key in keys], "measures")
    bad = listed([row.name for row in rows if row.role == "floor"], "or")
    one = len(keys) == 1
    verb, them = ("it is", "it") if one else ("they are", "them")
    return [
        f"{what}: at this size {bad} scores as well as real data on {them}, so {verb} not counted."
    ]


def too_good_sentences(
    rows: Sequence[Row], models: Sequence[Row], unseeing: Sequence[Key]
) -> list[str]:
    """Return which models score better than real data beyond chance, which is no merit; see
    `too_good`."""
    called = short_names(score for row in models for score in row.scores)
    over: dict[str, list[str]] = {}
    for name, score in too_good(models, rows, lambda score: key_of(score) not in unseeing):
        over.setdefault(name, []).append(called[score.name])
    found = [
        f"{name} scores better than real data on {named(what, 'measures')}."
        for name, what in over.items()
    ]
    if found:
        found.append("Samples crowded where data are dense, or copied, do that; it is not a merit.")
    return found


def floor_sentences(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    """Return which models are clearly better than the floor, which are not, and what could not be
    judged."""
    found = [(row.name, against_floor(row, rows)) for row in models]
    if not any(better or stuck for _, (better, stuck, _) in found):
        if any(control(rows, score, "floor") is not None for row in models for score in row.scores):
            return [
                "No measure parts real data from a deliberately bad model here, so none says how good a score is."
            ]
        return ["No floor was measured, so a score cannot be told from a bad one."]
    parts = [f"{name} ({named(stuck, 'measures')})" for name, (_, stuck, _) in found if stuck]
    unknown = max(len(open_) for _, (_, _, open_) in found)
    tail = (
        f" {unknown} without an interval {'is' if unknown == 1 else 'are'} not judged."
        if unknown
        else ""
    )
    if parts:
        return [f"Not clearly better than the floor: {listed(parts)}.{tail}"]
    most = max(len(better) for _, (better, _, _) in found)
    on = "the one measure" if most == 1 else f"all {most} measures"
    who = "Every model is" if len(models) > 1 else "It is"
    return [f"{who} clearly better than {FLOOR} on {on}, which is the least to ask.{tail}"]


def against_floor(row: Row, rows: Sequence[Row]) -> tuple[list[str], list[str], list[str]]:
    """Return the measures on which a model is clearly better than the floor, those on which it is
    not, and those without interval.

    Measures on which the floor scores as well as real data are left out.
    """
    better: list[str] = []
    stuck: list[str] = []
    unknown: list[str] = []
    called = short_names(row.scores)
    for score in row.scores:
        if (
            score.measure.role == "check"
            or blind(rows, score)
            or (mark := control(rows, score, "floor")) is None
        ):
            continue
        clear = clear_of(score, mark)
        (unknown if clear is None else better if clear else stuck).append(called[score.name])
    if row.likelihood and row.likelihood.kind in ("exact", "lower_bound"):
        floors = [
            r.likelihood
            for r in rows
            if r.role == "floor" and r.likelihood and r.likelihood.kind == "exact"
        ]
        for floor in (f for f in floors if f.unit == row.likelihood.unit):
            clear = clear_of(row.likelihood, floor)
            (unknown if clear is None else better if clear else stuck).append("held-out likelihood")
    return better, stuck, unknown


def hopeless(row: Row, rows: Sequence[Row]) -> str:
    """Return in words that a model is not clearly better than the floor on half of the measures or
    more; else nothing.

    Nothing either where nothing tells its samples from real data: an interval that reaches the
    floor convicts nobody by itself.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> from pushforward.core.score import Score
        >>> bad = Score(Measure("recall", better="higher"), 0.1, n=9, low=0.0, high=0.2, floor=0.1)
        >>> hopeless(Row("vae", scores=(bad,)), ()), hopeless(Row("vae"), ())
        ('no better than the floor on 1 of 1 measures', '')
    """
    better, stuck, _ = against_floor(row, rows)
    judged = len(better) + len(stuck)
    if not stuck or 2 * len(stuck) < judged or told_apart(row, rows).told is False:
        return ""
    bad = {
        r.name
        for s in row.scores
        for r in rows
        if r.role == "floor" and control(rows, s, "floor") in r.scores
    }
    against = listed(sorted(bad), "or") or "the floor"
    return f"no better than {against} on {len(stuck)} of {judged} measures"
