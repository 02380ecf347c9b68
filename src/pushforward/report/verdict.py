"""The verdict in words, composed from records only.

Three ideas: an order is stated only where intervals part, everything else is "undecided"; likelihoods of different kinds are
kept apart, except for the one inference that is valid; the controls are judged first, because they decide what a pass means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pushforward.evaluation.cards.aspects import is_check
from pushforward.report.likelihood_verdict import likelihood_sentences, likelihoods
from pushforward.report.numbers import listed, number, relation, seconds, split_name, value_text
from pushforward.report.pareto import pareto_sentences
from pushforward.report.records import Comparison, Key, Row, Statement, key_of, metric_keys
from pushforward.report.standing import Between, Standing, at_null, blind, clear_of, control, standing

THOUSAND = "1\N{NARROW NO-BREAK SPACE}000"
TRUTH = "KL to the truth"
MOST_NAMED = 4  # a longer list is counted; the scorecard has it in full


def verdict(comparison: Comparison) -> tuple[Statement, ...]:
    """Return the comparison's own verdict, or the one composed from its rows."""
    return comparison.verdict or verdict_sentences(
        comparison.rows, comparison.data.nats_per_unit, comparison.between, pareto_sentences(comparison)
    )


def verdict_sentences(
    rows: tuple[Row, ...],
    nats_per_unit: float = 1.0,
    between: Between = lambda key, first, second: None,
    worth: Sequence[str] = (),
) -> tuple[Statement, ...]:
    """Compose the verdict: summary, likelihood, samples, luck, ceiling, floor, memorisation and cost, in this order.

    Args:
        rows: models and controls.
        nats_per_unit: turns the rows' nats into the unit of their likelihoods.
        between: what tests of two models over their shared reference decided; see `Comparison.between`.
        worth: sentences about quality against cost.

    Example:
        >>> verdict_sentences((Row("vae", family="vae"),))[0].text
        'One model, so nothing is ranked: read each number against its ceiling and its floor.'
    """
    models = tuple(row for row in rows if row.role == "model")
    # copying is a check with a null, not a quality: more distance to the training data is not better
    keys = [key for key in metric_keys(models) if not (is_check(key[0]) or key[0].startswith(TRUTH))]
    unseeing = [key for key in keys if any(blind(rows, s) for row in models if (s := row.score(key)) is not None)]
    places = [s for key in keys if key not in unseeing and (s := standing(models, key, between)) is not None]
    standings = [place for place in places if place.rivals or place.beaten]
    texts = {
        "In short": _summary(models, standings, nats_per_unit),
        "Likelihood": likelihood_sentences(models, nats_per_unit),
        "Truth": _truth(models),
        "Samples": _samples(models, standings),
        "Blind": _blind([key[0] for key in unseeing]),
        "Too good": _too_good(rows, models, unseeing),
        "Luck": _luck(models),
        "Ceiling": _ceiling(rows),
        "Floor": _floor(rows, models, unseeing),
        "Memorisation": _memorisation(rows, models),
        "Cost": [*_cost(models), *worth],
    }
    return tuple(Statement(topic, text) for topic, found in texts.items() for text in found)


def _summary(models: Sequence[Row], standings: list[Standing], nats_per_unit: float) -> list[str]:
    if len(models) < 2:
        return ["One model, so nothing is ranked: read each number against its ceiling and its floor."]
    return [_by_samples(models, standings), *_by_code_length(models, nats_per_unit)]


def _by_samples(models: Sequence[Row], standings: list[Standing]) -> str:
    if not standings:
        return "No sample measure was taken on two models, so the samples are not ranked."
    counts = _among_the_best(models, standings)
    first, most = max(counts.items(), key=lambda item: item[1])
    rest = [f"{name} on {n}" for name, n in counts.items() if n and name != first]
    never = [name for name, n in counts.items() if not n]
    equals = [name for name, n in counts.items() if n == most]
    if len(equals) > 1:
        text = f"For samples, {listed(equals)} are among the best on {most} of {len(standings)} measures each"
        rest = [f"{name} on {n}" for name, n in counts.items() if n and name not in equals]
    else:
        text = f"For samples choose {first}: it is among the best on {most} of {len(standings)} measures"
    text += f" ({listed(rest)})" if rest else ""
    return text + (
        f"; {listed(never)} {'is' if len(never) == 1 else 'are'} clearly worse on all of them." if never else "."
    )


def _by_code_length(models: Sequence[Row], nats_per_unit: float) -> list[str]:
    known = likelihoods(models, nats_per_unit)
    found = known.guaranteed()
    if found is None or len(known.scores) < 2:
        return []
    best, rivals = found
    score = known.scores[best]
    figure = f"{relation(score)}{value_text(score)} {score.unit}".strip()
    if rivals:
        return [
            f"For likelihood, {listed([best, *rivals])} are undecided: the shortest guaranteed code is near {figure}."
        ]
    kind = "exact" if score.kind == "exact" else "a bound, so its true value can only be better"
    return [f"For likelihood choose {best}: it guarantees the shortest code, {figure} ({kind})."]


def _among_the_best(models: Sequence[Row], standings: list[Standing]) -> dict[str, int]:
    """Count for each model the measures on which no other is clearly ahead of it; most first."""
    counts = {row.name: sum(row.name == s.leader or row.name in s.rivals for s in standings) for row in models}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _samples(models: Sequence[Row], standings: list[Standing]) -> list[str]:
    if len(models) < 2 or not standings:
        return []
    called, found = _short([place.key[0] for place in standings]), []
    for name in dict.fromkeys(place.leader for place in standings if place.decided):
        row = next(row for row in models if row.name == name)
        won = [place for place in standings if place.decided and place.leader == name]
        values = [(place.key[0], row.score(place.key)) for place in won]
        parts = [f"{called[measure]} ({value_text(score)})" for measure, score in values if score is not None]
        found.append(f"{name} is clearly best on {_named(parts, 'measures')}.")
    alike: dict[tuple[str, ...], list[Standing]] = {}
    for place in standings:
        if place.rivals:
            alike.setdefault(tuple(sorted((place.leader, *place.rivals))), []).append(place)
    for names, places in sorted(alike.items(), key=lambda item: -len(item[1])):
        measures = _named([called[place.key[0]] for place in places], "measures")
        worse = sorted({name for place in places for name in place.beaten} - set(names))
        text = f"Undecided between {listed(list(names))} on {measures}"
        found.append(
            text + (f"; {listed(worse)} {'is' if len(worse) == 1 else 'are'} clearly worse." if worse else ".")
        )
    return found


def _truth(models: Sequence[Row]) -> list[str]:
    """Where the density of the data is known, say how far each model is from it."""
    known = [(row.name, s) for row in models for s in row.scores if s.name.startswith(TRUTH) and math.isfinite(s.value)]
    if not known:
        return []
    parts = [f"{name} {relation(s)}{value_text(s)}" for name, s in sorted(known, key=lambda item: item[1].value)]
    return [
        f"The true density is known. Divergence of the truth from the model, in {known[0][1].unit}: {listed(parts)}."
    ]


def _luck(models: Sequence[Row]) -> list[str]:
    """Say what the intervals cover: a family is more than one lucky seed."""
    runs = sorted({max(1, len(row.repeats)) for row in models})
    if not models:
        return []
    if runs == [1]:
        who = "Each model was" if len(models) > 1 else "The model was"
        return [
            f"{who} trained once: intervals cover the choice of examples, not the luck of training (--seeds 3 does)."
        ]
    return [
        f"Each family was trained {listed([str(k) for k in runs], 'or')} times; values are means over runs, and intervals cover "
        "the luck of training as well as the choice of examples."
    ]


def _too_good(rows: Sequence[Row], models: Sequence[Row], unseeing: Sequence[Key]) -> list[str]:
    called, found = _short([score.name for row in models for score in row.scores]), []
    for row in models:
        judged = [score for score in row.scores if not is_check(score.name) and key_of(score) not in unseeing]
        over = [called[score.name] for score in judged if clear_of(score, control(rows, score, "ceiling"))]
        if over:
            found.append(f"{row.name} scores better than real data on {_named(over, 'measures')}.")
    if found:
        found.append("Samples crowded where data are dense, or copied, do that; it is not a merit.")
    return found


def _ceiling(rows: Sequence[Row]) -> list[str]:
    real = [row for row in rows if row.role == "ceiling"]
    if not real and all(score.ceiling is not None for row in rows for score in row.scores):
        return []
    if not real:
        return ["No real-versus-real row was measured, so how good a score could be is unknown."]
    scores = [score for row in real for score in row.scores if math.isfinite(score.value)]
    known = [s for s in scores if at_null(s) is not None]
    if not known:
        return ["Real data was scored against real data, but no null with an interval is known to check it against."]
    off = [s for s in known if not at_null(s)]
    if not off:
        on = "the one measure that has one" if len(known) == 1 else f"all {len(known)} measures that have one"
        return [f"Real data scored against real data is at its expected value on {on}."]
    called = _short([s.name for s in known])
    parts = [f"{called[s.name]} ({value_text(s)}, expected {number(s.null)})" for s in off]
    return [
        f"Real data scored against real data misses its expected value on {len(off)} of {len(known)} measures: "
        f"{_named(parts, 'measures')}.",
        "Read those against the ceiling row, not against their ideal; one miss in twenty is chance.",
    ]


def _blind(names: list[str]) -> list[str]:
    if not names:
        return []
    called = _short(names)
    what = _named([called[name] for name in names], "measures")
    return [
        f"Not counted: {what}, because here {'it does' if len(names) == 1 else 'they do'} not tell the floor from real data."
    ]


def _floor(rows: Sequence[Row], models: Sequence[Row], unseeing: Sequence[Key]) -> list[str]:
    stuck, judged, called = [], 0, _short([score.name for row in models for score in row.scores])
    for row in models:
        judged_here = [score for score in row.scores if not is_check(score.name) and key_of(score) not in unseeing]
        marks = [(score, control(rows, score, "floor")) for score in judged_here]
        marks = [(score, mark) for score, mark in marks if mark is not None]
        judged += len(marks)
        under = [called[score.name] for score, mark in marks if not clear_of(score, mark)]
        if row.likelihood and row.likelihood.kind in ("exact", "lower_bound"):
            floors = [r.likelihood for r in rows if r.role == "floor" and r.likelihood and r.likelihood.kind == "exact"]
            floors = [floor for floor in floors if floor.unit == row.likelihood.unit]
            judged += len(floors)
            under += ["held-out likelihood" for floor in floors if not clear_of(row.likelihood, floor)]
        if under:
            stuck.append(f"{row.name} ({_named(under, 'measures')})")
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


def _named(parts: list[str], what: str) -> str:
    """Return a short list as a phrase, a long one as a count."""
    return listed(parts) if len(parts) <= MOST_NAMED else f"{len(parts)} {what}"


def _short(names: Sequence[str]) -> dict[str, str]:
    """Return for each measure its name without what it was measured with, where that stays unique."""
    heads = {name: split_name(name)[0] for name in names}
    return {name: head if list(heads.values()).count(head) == 1 else name for name, head in heads.items()}
