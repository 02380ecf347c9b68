"""What being told apart from real data decides between models that the measures do not order
clearly.

Two ideas: a few decided measures are no reason to take samples that anybody can tell from real data
before samples that nobody can; and where two reasons disagree, the length of the code is the third,
or nothing is recommended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pushforward.reports.numbers import listed, number
from pushforward.reports.verdict.contest import Contest
from pushforward.reports.verdict.told_apart import Apart

Shorter = Callable[[str, str], bool]


@dataclass(frozen=True)
class Preference:
    """What to choose, in a sentence, and the models that it leaves."""

    text: str
    names: tuple[str, ...]


def preferred(
    found: Contest, apart: Mapping[str, Apart], shorter: Shorter = lambda first, second: False
) -> Preference | None:
    """Return what to choose where a model is told apart from real data and its rival is not; None
    where that decides nothing.

    A model that wins more than half of the measures against its rival is chosen for that. Otherwise
    the measures, real data and the code have a vote each.

    Args:
        found: the contest of the models.
        apart: each model against real data.
        shorter: whether the first model's code is shorter than the second's for certain.

    Example:
        >>> told = lambda said: Apart(said, 200, None, (), 9)
        >>> found = Contest(("a", "b"), {("a", "b"): 1, ("b", "a"): 0}, {("a", "b"): 9, ("b", "a"): 9})
        >>> preferred(found, {"a": told(True), "b": told(False)}).text
        'No clear winner: a beats b on 1 of 9 measures, but at 200 samples it is told apart from real data, and b is not.'
    """
    if not any(found.met.values()):
        return None
    fine = [name for name in found.names if apart[name].told is False]
    worse = [name for name in found.names if apart[name].told]
    if not found.decided:
        return (
            _nothing_else(found, fine, worse, apart)
            if fine and len(fine) + len(worse) == len(found.names)
            else None
        )
    best = found.names[0]
    rival = next((name for name in fine if name != best and not _clearly(found, best, name)), None)
    if best not in worse or rival is None:
        return None
    won, lost, met = found.wins[best, rival], found.wins[rival, best], found.met[best, rival]
    votes = (won > lost) - (won < lost) - 1 + shorter(best, rival) - shorter(rival, best)
    if votes > 0:
        return None
    size = f"at {number(apart[rival].n, 0)} samples"
    measures = f"{best} beats {rival} on {won} of {met} measures" + (
        f" and loses {lost}" if lost else ""
    )
    if votes == 0:
        case = measures if won else f"{best} has the shorter code"
        text = f"No clear winner: {case}, but {size} it is told apart from real data, and {rival} is not."
        return Preference(text, (best, rival))
    code = " and its code is shorter for certain" if shorter(rival, best) else ""
    but = f"; {measures}" if won else f"; no measure puts {best} before it"
    return Preference(
        f"Choose {rival}: {size} {best} is told apart from real data, and it is not{code}{but}.",
        (rival,),
    )


def _clearly(found: Contest, first: str, second: str) -> bool:
    return 2 * (found.wins[first, second] - found.wins[second, first]) > found.met[first, second]


def _nothing_else(
    found: Contest, fine: list[str], worse: list[str], apart: Mapping[str, Apart]
) -> Preference | None:
    if not worse:
        return None
    size = f"at {number(apart[fine[0]].n, 0)} samples"
    verb, who = ("is" if len(names) == 1 else "are" for names in (worse, fine))
    who = f"{listed(fine)} {who}"
    text = f"Choose {listed(fine, 'or')}: no measure orders {listed([*fine, *worse])}, but {size} {listed(worse)} {verb} told apart"
    return Preference(f"{text} from real data, and {who} not.", tuple(fine))
