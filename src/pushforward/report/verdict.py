"""The verdict in words, composed from records only.

Three ideas: an order is stated only where intervals part, everything else is "undecided"; likelihoods of different kinds are
kept apart, except for the one inference that is valid; the controls are judged first, because they decide what a pass means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pushforward.core.score import Score
from pushforward.report.numbers import listed, number, relation, seconds, split_name, value_text
from pushforward.report.records import Comparison, Key, Row, Statement, key_of, metric_keys
from pushforward.report.standing import Standing, clear_of, control, standing

KINDS = {"exact": "exact values", "lower_bound": "lower bounds", "upper_bound": "upper bounds", "estimate": "estimates"}
THOUSAND = "1\N{NARROW NO-BREAK SPACE}000"
ALONE = {
    "exact": "an exact value",
    "lower_bound": "a lower bound",
    "upper_bound": "an upper bound",
    "estimate": "an estimate",
}


def verdict(comparison: Comparison) -> tuple[Statement, ...]:
    """Return the comparison's own verdict, or the one composed from its rows."""
    return comparison.verdict or verdict_sentences(comparison.rows)


def verdict_sentences(rows: tuple[Row, ...]) -> tuple[Statement, ...]:
    """Compose the verdict: summary, likelihood, samples, ceiling, floor, memorisation and cost, in this order.

    Example:
        >>> verdict_sentences((Row("vae", family="vae"),))[0].text
        'One model, so nothing is ranked: read each number against its ceiling and its floor.'
    """
    models = tuple(row for row in rows if row.role == "model")
    places = [s for key in metric_keys(models) if (s := standing(models, key)) is not None]
    standings = [place for place in places if place.rivals or place.beaten]
    texts = {
        "In short": _summary(models, standings),
        "Likelihood": _likelihood(models),
        "Samples": _samples(models, standings),
        "Too good": _too_good(rows, models),
        "Ceiling": _ceiling(rows),
        "Floor": _floor(rows, models),
        "Memorisation": _memorisation(rows, models),
        "Cost": _cost(models),
    }
    return tuple(Statement(topic, text) for topic, found in texts.items() for text in found)


def _summary(models: Sequence[Row], standings: list[Standing]) -> list[str]:
    if len(models) < 2:
        return ["One model, so nothing is ranked: read each number against its ceiling and its floor."]
    if not standings:
        return ["No sample measure was taken on two models, so the samples are not ranked."]
    wins = {row.name: sum(s.decided and s.leader == row.name for s in standings) for row in models}
    ranked = sorted((name for name in wins if wins[name]), key=lambda name: -wins[name])
    left = sum(not s.decided for s in standings)
    if not ranked:
        return [
            f"No family is clearly best on any of the {len(standings)} sample measures: the leaders' intervals overlap."
        ]
    first, *rest = ranked
    text = f"{first} is clearly best on {wins[first]} of {len(standings)} sample measures"
    if rest:
        text += ", " + listed([f"{name} on {wins[name]}" for name in rest])
    return [text + (f"; {left} {'is' if left == 1 else 'are'} undecided." if left else ".")]


def _likelihood(models: Sequence[Row]) -> list[str]:
    measured = {row.name: row.likelihood for row in models if row.likelihood and math.isfinite(row.likelihood.value)}
    keys = list(dict.fromkeys(key_of(score) for score in measured.values()))
    found = [_one_kind(models, key) for key in keys]
    if len({key[2] for key in keys}) > 1:
        found.append(
            "Exact values, bounds and estimates are not ranked together: a bound can be far from the model's true value "
            "and an estimate can err to either side."
        )
    elif len(keys) > 1:
        found.append("Likelihoods measured differently (name, unit or features) are not ranked together.")
    found += _one_way(measured)
    reasons: dict[str, list[str]] = {}
    for row in models:
        if row.name not in measured:
            missing = "its likelihood is not a finite number" if row.likelihood else "no likelihood was measured"
            reasons.setdefault(row.no_likelihood or missing, []).append(row.name)
    return found + [
        f"{listed(names)} cannot be compared by likelihood: {why.rstrip('.')}." for why, names in reasons.items()
    ]


def _one_kind(models: Sequence[Row], key: Key) -> str:
    place = standing(models, key, lambda row: row.likelihood)
    assert place is not None
    scores = {row.name: row.likelihood for row in models if row.likelihood and key_of(row.likelihood) == key}
    best = scores[place.leader]
    figure = f"{relation(best)}{value_text(best)} {best.unit}".strip()
    kind = KINDS.get(key[2], key[2])
    if place.decided:
        text = f"Among {kind}, {place.leader} is best at {figure}, ahead of {listed(list(place.beaten))}."
    elif place.rivals:
        names = listed([place.leader, *place.rivals])
        text = f"Among {kind}, {names} are undecided, near {figure}"
        text += _worse(place)
    else:
        kind = ALONE.get(key[2], key[2])
        return f"{place.leader} {'alone ' if len(models) > 1 else ''}has {kind}: {figure}."
    if key[2].endswith("_bound"):
        text += " That orders what is guaranteed, not the models: each bound's gap is unknown."
    return text


def _one_way(measured: dict[str, Score]) -> list[str]:
    found = []
    for bounded, bound in measured.items():
        under = [
            name
            for name, exact in measured.items()
            if (bound.kind, exact.kind) == ("lower_bound", "exact")
            and exact.unit == bound.unit
            and clear_of(bound, exact)
        ]
        if under:
            found.append(
                f"One inference across kinds is valid: {bounded}'s bound already beats the exact value of {listed(under)}, "
                "and its true value can only be better."
            )
    return found


def _samples(models: Sequence[Row], standings: list[Standing]) -> list[str]:
    if len(models) < 2:
        return []
    called, found = _short([place.key[0] for place in standings]), []
    for name in dict.fromkeys(place.leader for place in standings if place.decided):
        row = next(row for row in models if row.name == name)
        won = [place for place in standings if place.decided and place.leader == name]
        values = [(place.key[0], row.score(place.key)) for place in won]
        parts = [f"{called[measure]} ({value_text(score)})" for measure, score in values if score is not None]
        found.append(f"{name} is best on {listed(parts)}.")
    for place in standings:
        if place.rivals:
            names = listed([place.leader, *place.rivals])
            text = f"Undecided on {called[place.key[0]]}: {names}"
            found.append(text + _worse(place))
    return found


def _too_good(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    called, found = _short([score.name for row in models for score in row.scores]), []
    for row in models:
        over = [called[score.name] for score in row.scores if clear_of(score, control(rows, score, "ceiling"))]
        if over:
            found.append(
                f"{row.name} scores better than real data on {listed(over)}: samples crowded where data is dense, or copied, "
                "do that; it is not a merit."
            )
    return found


def _ceiling(rows: Sequence[Row]) -> list[str]:
    real = [row for row in rows if row.role == "ceiling"]
    if not real and all(score.ceiling is not None for row in rows for score in row.scores):
        return []
    if not real:
        return ["No real-versus-real row was measured, so how good a score could be is unknown."]
    scores = [score for row in real for score in row.scores if math.isfinite(score.value)]
    known = [s for s in scores if s.null is not None and s.low is not None and s.high is not None]
    if not known:
        return ["Real data was scored against real data, but no null with an interval is known to check it against."]
    off = [s for s in known if not (s.low or 0.0) <= (s.null or 0.0) <= (s.high or 0.0)]
    if not off:
        on = "the one measure that has one" if len(known) == 1 else f"all {len(known)} measures that have one"
        return [f"Real data scored against real data is at its expected value on {on}."]
    called = _short([s.name for s in known])
    parts = [f"{called[s.name]} ({value_text(s)}, expected {number(s.null)})" for s in off]
    return [
        f"Real data scored against real data misses its expected value on {len(off)} of {len(known)} measures: {listed(parts)}. "
        "Read those against the ceiling row, not against their ideal (one miss in twenty is chance)."
    ]


def _floor(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    stuck, judged, called = [], 0, _short([score.name for row in models for score in row.scores])
    for row in models:
        marks = [(score, control(rows, score, "floor")) for score in row.scores]
        marks = [(score, mark) for score, mark in marks if mark is not None]
        judged += len(marks)
        under = [called[score.name] for score, mark in marks if not clear_of(score, mark)]
        if row.likelihood and row.likelihood.kind in ("exact", "lower_bound"):
            floors = [r.likelihood for r in rows if r.role == "floor" and r.likelihood and r.likelihood.kind == "exact"]
            floors = [floor for floor in floors if floor.unit == row.likelihood.unit]
            judged += len(floors)
            under += ["held-out likelihood" for floor in floors if not clear_of(row.likelihood, floor)]
        if under:
            stuck.append(f"{row.name} ({listed(under)})")
    if not judged:
        return ["No floor was measured, so a score cannot be told from a bad one."]
    if not stuck:
        return [f"{'Every model is' if len(models) > 1 else 'It is'} clearly better than the floor on every measure."]
    return [f"Not clearly better than the floor: {listed(stuck)}."]


def _memorisation(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    found = []
    tripped = [row.name for row in models if row.memorised]
    passed = [row.name for row in models if row.memorised is False]
    if tripped:
        found.append(f"{listed(tripped)} may be copying training examples: look at the nearest neighbours below.")
    if passed:
        found.append(f"No sign of copying in {listed(passed)}.")
    if not tripped and not passed:
        return ["The memorisation check was not run."]
    checked = [row for row in rows if row.role == "copycat" and row.memorised is not None]
    missed = [row.name for row in checked if not row.memorised]
    if not checked:
        found.append("No copycat control was run, so a pass is not backed by a check that is known to work here.")
    elif missed:
        found.append(f"The copycat control ({listed(missed)}) did NOT trip the check, so it cannot be trusted here.")
    else:
        found.append("The copycat control, which replays training data, tripped the check, so the check works here.")
    return found


def _cost(models: Sequence[Row]) -> list[str]:
    found = []
    spent = [row.train_seconds for row in models if row.train_seconds is not None]
    if spent:
        low, high = seconds(min(spent)), seconds(max(spent))
        found.append(
            f"Training took {low if low == high else f'{low} to {high}'}{' per family' if len(spent) > 1 else ''}."
        )
    timed = sorted((row.seconds_per_1000, row.name) for row in models if row.seconds_per_1000 is not None)
    if len(timed) == 1:
        found.append(f"{THOUSAND} samples take {seconds(timed[0][0])}.")
    elif timed and timed[0][0] > 0:
        (fast, quick), (slow, last) = timed[0], timed[-1]
        times = number(slow / fast, 0 if slow / fast >= 10 else 1)
        text = f"{quick} samples fastest ({seconds(fast)} per {THOUSAND})"
        found.append(f"{text} and {last} slowest ({seconds(slow)}, {times} times as long).")
    return found


def _worse(place: Standing) -> str:
    if not place.beaten:
        return "."
    return f"; {listed(list(place.beaten))} {'is' if len(place.beaten) == 1 else 'are'} clearly worse."


def _short(names: Sequence[str]) -> dict[str, str]:
    """Return for each measure its name without what it was measured with, where that stays unique."""
    heads = {name: split_name(name)[0] for name in names}
    return {name: head if list(heads.values()).count(head) == 1 else name for name, head in heads.items()}
