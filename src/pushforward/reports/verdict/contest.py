"""Which models win against which, measure by measure, and what to choose.

Two ideas: a win is a decided one, so a model is recommended for what it won and never for what was
left open; models between which nothing is decided are told apart by their cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from pushforward.reports.numbers import listed, number
from pushforward.reports.records import Key, Row
from pushforward.reports.verdict.standing import Between, standing

MOST_NAMED = 3
CHEAPER = 2.0  # a smaller saving is no reason to choose


@dataclass(frozen=True)
class Contest:
    """Decided comparisons of models.

    Attributes:
        names: the models, most wins over losses first.
        wins: for each ordered pair, the measures on which the first is better, decided.
        met: for each ordered pair, the measures that both were scored on.
    """

    names: tuple[str, ...]
    wins: dict[tuple[str, str], int]
    met: dict[tuple[str, str], int]

    @property
    def decided(self) -> int:
        """Number of decided comparisons."""
        return sum(self.wins.values())

    def equals(self, name: str) -> list[str]:
        """Return the models against which nothing is decided either way."""
        return [
            n
            for n in self.names
            if n != name and not self.wins[name, n] + self.wins[n, name] and self.met[name, n]
        ]


def contest(models: Sequence[Row], keys: Iterable[Key], between: Between) -> Contest:
    """Count the decided comparisons of every two models; see `standing` for `between`.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> from pushforward.core.score import Score
        >>> from pushforward.reports.records import metric_keys
        >>> score = lambda v: (Score(Measure("d"), v, n=9, low=v - 0.1, high=v + 0.1),)
        >>> rows = [Row("a", scores=score(1.0)), Row("b", scores=score(2.0))]
        >>> found = contest(rows, metric_keys(rows), lambda key, first, second: None)
        >>> found.names, found.wins["a", "b"], found.wins["b", "a"]
        (('a', 'b'), 1, 0)
    """
    pairs = list(permutations([row.name for row in models], 2))
    wins, met = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)
    for key in keys:
        for first, second in permutations(models, 2):
            place = standing((first, second), key, between)
            if place is None or not place.rivals + place.beaten:
                continue
            met[first.name, second.name] += 1
            wins[first.name, second.name] += place.decided and place.leader == first.name
    names = [row.name for row in models]
    net = {n: sum(wins[n, o] - wins[o, n] for o in names if o != n) for n in names}
    return Contest(tuple(sorted(names, key=lambda n: -net[n])), wins, met)


def choice(found: Contest, models: Sequence[Row]) -> str:
    """Return what to choose for samples and on what that rests, in a sentence.

    Args:
        found: their contest.
        models: the same models, at least two, for what they cost.
    """
    if not any(found.met.values()):
        return "No sample measure was taken on two models, so the samples are not ranked."
    if not found.decided:
        who = "neither is" if len(found.names) == 2 else "none is"
        text = f"No winner among {listed(list(found.names))}: {who} better on any of {max(found.met.values())} measures"
        return f"{text}{_cheaper(models)}."
    best = found.names[0]
    for other in found.names[1:]:
        won, lost = found.wins[best, other], found.wins[other, best]
        if 2 * lost > won:
            of = f"{won} of {found.met[best, other]} measures"
            return (
                f"No clear winner: against {other}, {best} is better on {of} and worse on {lost}."
            )
    equals = found.equals(best)
    text = f"Choose {listed([best, *equals], 'or')}: "
    if equals:
        text += f"no measure tells which{_cheaper([row for row in models if row.name in (best, *equals)])}; "
    return text + _record(found, best, named=bool(equals)) + "."


def _record(found: Contest, best: str, *, named: bool) -> str:
    beaten = [n for n in found.names if found.wins.get((best, n))]
    beaten.sort(key=lambda n: -found.wins[best, n])
    who = best if named else "it"
    met = max(found.met[best, n] for n in beaten) if beaten else 0
    if len(beaten) <= MOST_NAMED:
        parts = [
            f"{n} on {found.wins[best, n]}{f' of {met} measures' if not i else ''}"
            for i, n in enumerate(beaten)
        ]
        text = f"{who} beats {listed(parts)}"
    else:
        won = [found.wins[best, n] for n in beaten]
        text = f"{who} beats the other {len(beaten)} on {min(won)} to {max(won)} of {met} measures"
    lost = [f"{found.wins[n, best]} to {n}" for n in found.names if found.wins.get((n, best))]
    return f"{text}, and loses {listed(lost)}" if lost else f"{text} and loses none"


def _cheaper(models: Sequence[Row]) -> str:
    """Name the one that samples fastest, where the clock tells."""
    timed = sorted((row.seconds_per_1000, row.name) for row in models if row.seconds_per_1000)
    if len(timed) < 2 or len(timed) < len(models) or timed[1][0] < CHEAPER * timed[0][0]:
        return ""
    times = timed[-1][0] / timed[0][0]
    return (
        f", and {timed[0][1]} samples fastest (by {number(times, 0 if times >= 10 else 1)} times)"
    )
