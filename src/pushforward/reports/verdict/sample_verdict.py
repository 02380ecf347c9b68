"""What the samples of several models say about each other, and each model about real data, in
words.

One idea: a sentence names who is better on what, and by which value; a long list is counted,
because the scorecard has it in full.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pushforward.reports.numbers import (
    listed,
    named,
    number,
    relation,
    seconds,
    short_names,
    value_text,
)
from pushforward.reports.records import Row
from pushforward.reports.verdict.contest import CHEAPER
from pushforward.reports.verdict.control_verdict import hopeless
from pushforward.reports.verdict.odds import odds_in_words
from pushforward.reports.verdict.standing import Standing
from pushforward.reports.verdict.told_apart import told_apart

THOUSAND = "1\N{NARROW NO-BREAK SPACE}000"


def beside_real_data(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    """Return for each model whether it is told apart from real data, in what and by how much."""
    found = []
    for row in models:
        apart = told_apart(row, rows)
        if apart.told is None:
            found.append(
                f"{row.name} could not be held against real data: nothing it was scored on has an error and an ideal."
            )
            continue
        odds = "" if apart.odds is None else odds_in_words(apart.odds, interval=True)
        if not apart.told:
            sees = (
                f"none of {apart.judged} measures tells"
                if apart.judged > 1
                else "the one measure does not tell"
            )
            found.append(
                f"{sees} {row.name} from real data at {number(apart.n, 0)} samples{f'; {odds}' if odds else ''}."
            )
            continue
        called = short_names(e.score for e in apart.found)
        parts = [
            f"{called[e.score.name]} ({value_text(e.score)}; real data {number(e.expected)})"
            for e in apart.found
        ]
        text = f"{row.name} is told apart from real data on {len(apart.found)} of {apart.judged} measures"
        text += f" at {number(apart.n, 0)} samples{f'; {odds}' if odds else ''}; furthest off: {listed(parts[:3])}."
        found.append(text + (f" It is {useless}." if (useless := hopeless(row, rows)) else ""))
    return [
        text[0].upper() + text[1:] if text.startswith(("none of", "the one")) else text
        for text in found
    ]


def sample_sentences(models: Sequence[Row], standings: Sequence[Standing]) -> list[str]:
    """Return who is clearly best on what, and between whom what is undecided."""
    if len(models) < 2 or not standings:
        return []
    called, found = short_names(place.key.score for place in standings), []
    for name in dict.fromkeys(place.leader for place in standings if place.decided):
        row = next(row for row in models if row.name == name)
        won = [place for place in standings if place.decided and place.leader == name]
        values = [(place.key.name, row.score(place.key)) for place in won]
        parts = [
            f"{called[measure]} ({value_text(score)})"
            for measure, score in values
            if score is not None
        ]
        found.append(f"{name} is clearly best on {named(parts, 'measures')}.")
    alike: dict[tuple[str, ...], list[Standing]] = {}
    for place in standings:
        if place.rivals:
            alike.setdefault(tuple(sorted((place.leader, *place.rivals))), []).append(place)
    for names, places in sorted(alike.items(), key=lambda item: -len(item[1])):
        measures = named([called[place.key.name] for place in places], "measures")
        worse = sorted({name for place in places for name in place.beaten} - set(names))
        text = f"Undecided between {listed(list(names))} on {measures}"
        found.append(
            text
            + (
                f"; {listed(worse)} {'is' if len(worse) == 1 else 'are'} clearly worse."
                if worse
                else "."
            )
        )
    return found


def truth_sentences(models: Sequence[Row]) -> list[str]:
    """Where the density of the data is known, say how far each model is from it."""
    found = [(row.name, s) for row in models for s in row.scores if s.measure.role == "truth"]
    known = [(name, s) for name, s in found if math.isfinite(s.value)]
    if not known:
        return []
    parts = [
        f"{name} {relation(s)}{value_text(s)}"
        for name, s in sorted(known, key=lambda item: item[1].value)
    ]
    return [
        f"The true density is known. Divergence of the truth from the model, in {known[0][1].unit}: {listed(parts)}."
    ]


def luck_sentences(models: Sequence[Row]) -> list[str]:
    """Say what the intervals cover: a family is more than one lucky seed."""
    runs = sorted({max(1, len(row.repeats)) for row in models})
    if not models:
        return []
    if not any(row.family for row in models):
        return [
            "Intervals cover the choice of examples; whether another training of the same model scores alike is not known."
        ]
    if runs == [1]:
        who = "Each model was" if len(models) > 1 else "The model was"
        return [
            f"{who} trained once: intervals cover the choice of examples, not the luck of training "
            "(`pushforward compare DATA --seeds 3` trains each family three times)."
        ]
    return [
        f"Each family was trained {listed([str(k) for k in runs], 'or')} times; values are means over runs, and intervals cover "
        "the luck of training as well as the choice of examples."
    ]


def cost_sentences(models: Sequence[Row]) -> list[str]:
    """Return what training took, and who samples fastest and slowest."""
    found = []
    spent = [row.train_seconds for row in models if row.train_seconds is not None]
    if spent:
        low, high = seconds(min(spent)), seconds(max(spent))
        found.append(
            f"Training took {low if low == high else f'{low} to {high}'}{' per family' if len(spent) > 1 else ''}."
        )
    timed = sorted(
        (row.seconds_per_1000, row.name) for row in models if row.seconds_per_1000 is not None
    )
    if len(timed) == 1:
        found.append(f"{THOUSAND} samples take {seconds(timed[0][0])}.")
    elif timed and timed[0][0] > 0:
        (fast, quick), (slow, last) = timed[0], timed[-1]
        if slow < CHEAPER * fast:  # a few samples are not timed any better
            found.append(
                f"{THOUSAND} samples take {seconds(fast)} to {seconds(slow)}: too near to call one faster."
            )
            return found
        times = number(slow / fast, 0 if slow / fast >= 10 else 1)
        text = f"{quick} samples fastest ({seconds(fast)} per {THOUSAND})"
        found.append(f"{text} and {last} slowest ({seconds(slow)}, {times} times as long).")
    return found
