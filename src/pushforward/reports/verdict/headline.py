"""The one sentence at the top, on which a person can act.

Two ideas: danger comes first (samples that copy), then uselessness (no better than the floor), then
whether anybody could tell them from real data; only a model that is neither dangerous nor useless
is recommended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pushforward.reports.numbers import listed, number
from pushforward.reports.records import Key, Row
from pushforward.reports.verdict.beside_real import Shorter, preferred
from pushforward.reports.verdict.contest import choice, contest
from pushforward.reports.verdict.control_verdict import hopeless
from pushforward.reports.verdict.odds import ODDS, odds_in_words
from pushforward.reports.verdict.privacy_verdict import privacy_in_short
from pushforward.reports.verdict.standing import Between
from pushforward.reports.verdict.told_apart import Evidence, told_apart

MOST_NAMED = 2


def headline(
    rows: Sequence[Row],
    keys: Iterable[Key],
    between: Between,
    shorter: Shorter = lambda first, second: False,
) -> str:
    """Return what to do, or what the samples are worth, in two sentences at most, and for a table
    whether rows leak.

    Args:
        rows: models and controls.
        keys: the measures on which a model can win.
        between: what tests of two models decided; see `standing`.
        shorter: whether the first model's code is shorter than the second's for certain.

    Example:
        >>> from pushforward.core.score import Score
        >>> from pushforward.evaluation.distribution.classifier_test import CLASSIFIER
        >>> score = Score(CLASSIFIER, 0.81, n=200, low=0.77, high=0.85, null=0.5)
        >>> headline([Row("vae", scores=(score,))], [], lambda key, first, second: None)
        'vae is told apart from real data: at 200 samples a classifier is right on 81 % (guessing: 50 %).'
    """
    models = [row for row in rows if row.role == "model"]
    if not models:
        return "No model was measured."
    if len(models) == 1:
        return " ".join(filter(None, [_alone(models[0], rows), privacy_in_short(models)]))
    safe = [row for row in models if not row.memorised]
    if not safe:
        return "Choose none: every model replays its training data."
    usable = [row for row in safe if not hopeless(row, rows)]
    if not usable:
        worth = "clearly better than the floor on half of the measures"
        return f"Choose none yet: no model is {worth}. Train longer."
    found = contest(usable, keys, between)
    apart = {row.name: told_apart(row, rows) for row in usable}
    if len(usable) > 1 and (told := preferred(found, apart, shorter)) is not None:
        left = [row for row in usable if row.name in told.names]
        return " ".join(filter(None, [told.text, privacy_in_short(left)]))
    equals = found.equals(found.names[0]) if found.decided else []
    worse = [name for name in equals if apart[name].told and apart[found.names[0]].told is False]
    usable = [row for row in usable if row.name not in worse]
    found = contest(usable, keys, between) if worse else found
    chosen = (
        choice(found, usable)
        if len(usable) > 1
        else f"Choose {usable[0].name}, the only usable model."
    )
    best = next(row for row in usable if row.name == found.names[0])
    level = [] if chosen.startswith("Choose") else [best.name, *found.equals(best.name)]
    ties = [name for name in found.names if name in level and apart[name].told is False]
    who = (
        f"Even {best.name}" if found.equals(best.name) or not chosen.startswith("Choose") else "It"
    )
    still, also = _still(best, rows, who, ties), _told_apart_alone(worse)
    return " ".join(filter(None, [chosen, still, also, privacy_in_short([best])]))


def _told_apart_alone(worse: list[str]) -> str:
    """Return which models no measure puts behind the best, though real data tell them apart; empty
    if there are none."""
    if not worse:
        return ""
    verb = "is" if len(worse) == 1 else "are"
    return f"No measure orders it and {listed(worse, 'or')}, but {listed(worse)} {verb} told apart from real data."


def _alone(row: Row, rows: Sequence[Row]) -> str:
    if row.memorised:
        return f"{row.name} {row.memorisation.partition(';')[0].rstrip('.')}: do not take its samples for new ones."
    found = told_apart(row, rows)
    if found.told is None:
        return f"{row.name} could not be judged: no measure has an error and a known value for real data."
    size = f"at {number(found.n, 0)} samples"
    if useless := hopeless(row, rows):
        return f"{row.name} is useless as it is: {useless}{f'; {size} {odds_in_words(found.odds)}' if found.odds else ''}."
    if not found.told:
        seen = (
            f": {odds_in_words(found.odds)}"
            if found.odds
            else f": {_counted(found.judged)} no difference"
        )
        return f"{row.name} is not told apart from real data {size}{seen}."
    text = f"{row.name} is told apart from real data: {size} "
    parts = [_off(e) for e in found.found if e.score.metric not in ODDS][:MOST_NAMED]
    if found.odds is None:
        return f"{text}it is off in {' and '.join(parts)}."
    return f"{text}{odds_in_words(found.odds)}{f'; furthest off: {parts[0]}' if parts else ''}."


def _still(row: Row, rows: Sequence[Row], who: str, ties: list[str]) -> str:
    """Return what the best of several is worth beside real data, and those that nothing orders
    before or after it."""
    found = told_apart(row, rows)
    if found.told is None:
        return ""
    size = f"{number(found.n, 0)} samples"
    if not found.told:
        if len(ties) > 1:
            return f"At {size} {listed(ties)} are not told apart from real data."
        return f"At {size} {'it' if who == 'It' else row.name} is not told apart from real data."
    if found.odds is None or found.odds not in [e.score for e in found.found]:
        return f"{who} is still told apart from real data: off in {_off(found.found[0])} at {size}."
    return f"{who} is still told apart from real data: at {size} {odds_in_words(found.odds)}."


def _off(evidence: Evidence) -> str:
    # some titles say already that it is off
    what = evidence.score.title.lower().removesuffix(" off")
    return f"{what} ({number(evidence.score.value)}; real data: {number(evidence.expected)})"


def _counted(judged: int) -> str:
    return "the one measure sees" if judged == 1 else f"{judged} measures see"
