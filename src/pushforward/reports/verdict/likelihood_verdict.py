"""What the likelihoods say, in words.

Three ideas: models are ordered inside one kind only, example by example where their
log-probabilities are at hand; across kinds a bound can only win; the code length that is
*guaranteed* is the one thing that exact values and bounds share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pushforward.core.score import Score
from pushforward.evaluation.likelihood.ranking import LikelihoodOrder as Pair
from pushforward.evaluation.likelihood.ranking import Ranking, rank_likelihoods
from pushforward.reports.numbers import listed, relation, value_text
from pushforward.reports.records import Row

KINDS = {
    "exact": "exact values",
    "lower_bound": "lower bounds",
    "upper_bound": "upper bounds",
    "estimate": "estimates",
}
ALONE = {
    "exact": "an exact value",
    "lower_bound": "a lower bound",
    "upper_bound": "an upper bound",
    "estimate": "an estimate",
}
GUARANTEED = ("exact", "lower_bound")


@dataclass(frozen=True)
class Likelihoods:
    """The models whose held-out likelihood is a finite number, and every pair's order.

    Attributes:
        scores: by name.
        ranking: from `rank_likelihoods`.
    """

    scores: Mapping[str, Score]
    ranking: Ranking

    def ahead(self, name: str) -> list[str]:
        """Return the models of the same kind that `name` clearly beats."""
        return self._beaten(name, same_kind=True)

    def certainly_ahead(self, name: str) -> list[str]:
        """Return the models of another kind that the bound of `name` beats for certain."""
        return self._beaten(name, same_kind=False)

    def shorter(self, first: str, second: str) -> bool:
        """Return whether the code of `first` is shorter than that of `second` for certain."""
        return second in self.ahead(first) or second in self.certainly_ahead(first)

    def guaranteed(self) -> tuple[str, list[str]] | None:
        """Return the model with the shortest guaranteed code, and those whose printed guarantee is
        not clearly longer."""
        names = [n for n, s in self.scores.items() if s.kind in GUARANTEED]
        names = [n for n in names if _quantity(self.scores[n]) == _quantity(self.scores[names[0]])]
        if not names:
            return None
        best = min(names, key=lambda n: self.scores[n].value)
        return best, [n for n in names if n != best and not self._printed_longer(best, n)]

    def paired(self) -> bool:
        """Return True if every order rests on a test example by example."""
        return all(pair.paired is not None for pair in self.ranking.comparisons)

    def _beaten(self, name: str, *, same_kind: bool) -> list[str]:
        found = []
        for pair in self.ranking.comparisons:
            if (pair.kinds[0] == pair.kinds[1]) != same_kind:
                continue
            if (pair.first, pair.verdict) == (name, "first"):
                found.append(pair.second)
            elif (pair.second, pair.verdict) == (name, "second"):
                found.append(pair.first)
        return found

    def _printed_longer(self, best: str, other: str) -> bool:
        pair = next(p for p in self.ranking.comparisons if {p.first, p.second} == {best, other})
        if pair.paired is not None:
            return pair.paired.verdict == ("first" if pair.first == best else "second")
        a, b = self.scores[best], self.scores[other]
        return a.high is not None and b.low is not None and a.high < b.low


def likelihoods(models: Sequence[Row], nats_per_unit: float) -> Likelihoods:
    """Return the likelihoods of the models and their order."""
    scores = {
        row.name: row.likelihood
        for row in models
        if row.likelihood and math.isfinite(row.likelihood.value)
    }
    nats: dict[str, np.ndarray] = {row.name: row.nats for row in models if row.nats is not None}
    return Likelihoods(scores, rank_likelihoods(scores, nats, nats_per_unit))


def likelihood_sentences(models: Sequence[Row], nats_per_unit: float) -> list[str]:
    """Return one sentence per kind, what holds across kinds, and who has no likelihood and why.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> score = Score(Measure("negative log-likelihood"), 1.5, n=9, low=1.4, high=1.6, unit="bits/dim", kind="exact")
        >>> likelihood_sentences([Row("flow", likelihood=score)], 1.0)
        ['flow has an exact value: 1.50 bits/dim.']
    """
    known = likelihoods(models, nats_per_unit)
    found = []
    for kind, names in known.ranking.groups.items():
        alike: dict[tuple[str, str], list[str]] = {}
        for name in names:
            alike.setdefault(_quantity(known.scores[name]), []).append(name)
        found += [_one_kind(known, kind, group, len(models)) for group in alike.values()]
    if len(known.ranking.groups) > 1:
        found.append("Exact values, bounds and estimates are not ranked together.")
    if len({_quantity(score) for score in known.scores.values()}) > 1:
        found.append(
            "Likelihoods of different quantities (condition, split or unit) are not ranked together."
        )
    return found + _certain(known) + _missing(models, known)


def _one_kind(known: Likelihoods, kind: str, names: Sequence[str], models: int) -> str:
    best, *others = names
    score = known.scores[best]
    figure = f"{relation(score)}{value_text(score)} {score.unit}".strip()
    if not others:
        return f"{best} {'alone ' if models > 1 else ''}has {ALONE.get(kind, kind)}: {figure}."
    beaten = [name for name in known.ahead(best) if name in others]
    rivals = [name for name in others if name not in beaten]
    if rivals:
        text = (
            f"Among {KINDS.get(kind, kind)}, {listed([best, *rivals])} are undecided, near {figure}"
        )
        text += (
            f"; {listed(beaten)} {'is' if len(beaten) == 1 else 'are'} clearly worse."
            if beaten
            else "."
        )
    else:
        text = (
            f"Among {KINDS.get(kind, kind)}, {best} is best at {figure}, ahead of {listed(beaten)}"
        )
        text += _margin(known, best, beaten) + "."
    if kind.endswith("_bound"):
        text += " That orders what is guaranteed, not the models: each bound's gap is unknown."
    return text


def _margin(known: Likelihoods, best: str, beaten: Sequence[str]) -> str:
    """Name the next model's distance, where it was measured example by example."""
    pairs: list[Pair] = [
        p
        for p in known.ranking.comparisons
        if best in (p.first, p.second) and {p.first, p.second} & set(beaten)
    ]
    gaps = [
        abs(p.paired.difference)
        for p in pairs
        if p.paired is not None and math.isfinite(p.paired.difference)
    ]
    if not gaps or len(gaps) < len(beaten):
        return ""
    return (
        f" by {min(gaps):.3f} or more, example by example"
        if len(gaps) > 1
        else f" by {gaps[0]:.3f}, example by example"
    )


def _certain(known: Likelihoods) -> list[str]:
    """Across kinds a lower bound of log p that beats an exact value beats it for certain; nothing
    else does."""
    by_loser: dict[str, list[str]] = {}
    for name in known.scores:
        for loser in known.certainly_ahead(name):
            by_loser.setdefault(loser, []).append(name)
    grouped: dict[tuple[str, ...], list[str]] = {}
    for loser, winners in by_loser.items():
        grouped.setdefault(tuple(winners), []).append(loser)
    found = []
    for winners, losers in grouped.items():
        bounds = "bound" if len(winners) == 1 else "bounds"
        verb = "beats" if len(winners) == 1 else "beat"
        found.append(
            f"One order across kinds is certain: the {bounds} of {listed(list(winners))} already {verb} {listed(losers)}, "
            "and the true values can only be better."
        )
    return found


def _missing(models: Sequence[Row], known: Likelihoods) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for row in models:
        if row.name not in known.scores:
            missing = (
                "its likelihood is not a finite number"
                if row.likelihood
                else "no likelihood was measured"
            )
            reasons.setdefault(row.no_likelihood or missing, []).append(row.name)
    return [
        f"{listed(names)} cannot be compared by likelihood: {why.rstrip('.')}."
        for why, names in reasons.items()
    ]


def _quantity(score: Score) -> tuple[str, str]:
    return f"{score.short_name} vs {score.reference}", score.unit
