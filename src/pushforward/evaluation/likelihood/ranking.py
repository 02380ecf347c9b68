"""Who is better by likelihood, and when nobody can say.

Three ideas: exact values, bounds and estimates are ranked apart; within a kind the test is paired,
because models meet the same examples; across kinds a bound can only win: a code length known to be
at most b beats every exact one above b.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.score import Score, Verdict, better_of

# (kind of the better, kind of the worse) for which an order of the printed numbers is an order of
# the true code lengths
CERTAIN = {("lower_bound", "exact"), ("exact", "upper_bound"), ("lower_bound", "upper_bound")}

ROUNDING = 1e-6  # of a log-probability: eight times what single precision resolves


@dataclass(frozen=True)
class PairedTest:
    """A paired comparison of two models on the same examples.

    Attributes:
        verdict: `first`, `second` or `undecided`.
        difference: mean code length of the first minus the second, in `unit`; negative means that
            the first is better.
        low, high: interval at the corrected level.
        z: difference over its standard error.
        threshold: what |z| had to exceed.
        unit: unit of the difference.
        note: how many comparisons the level was corrected for, and what was compared.
    """

    verdict: Verdict
    difference: float
    low: float
    high: float
    z: float
    threshold: float
    unit: str
    note: str


def paired_test(
    first: np.ndarray,
    second: np.ndarray,
    nats_per_unit: float,
    unit: str,
    comparisons: int = 1,
    level: float = 0.05,
) -> PairedTest:
    """Compare log-probabilities of the same examples, each under one model or under several
    training runs of it.

    With `d_i` the difference of code lengths of example i, averaged over runs, the half-width is
    `sqrt((t_{n-1} sd(d)/sqrt(n))^2 + (t_v u)^2)`; `u^2 = s_1^2/K_1 + s_2^2/K_2` is the variance
    from the runs' own means and v its degrees of freedom (Welch 1947). A single run adds nothing to
    u: its luck is then not covered. A difference within `ROUNDING` of the numbers is none.
    Differences that are all equal have no spread; then the chance
    that n examples agree in their sign, `2^(1 - n)`, has to be below the level.

    Args:
        first: nats, shape (n,) or (runs, n).
        second: the same examples, in the same order, under the other model.
        nats_per_unit: what turns nats into `unit`.
        unit: unit of the difference.
        comparisons: how many pairs are compared altogether.
        level: chance of any false verdict among them.

    Raises:
        BadInput: different examples, fewer than two, NaN or plus infinity.

    Example:
        >>> x = np.linspace(-9.0, 0.0, 50)
        >>> runs = np.stack([x - 0.02, x + 0.02])
        >>> paired_test(runs, runs - 0.1, 1.0, "nats/point").verdict
        'undecided'
        >>> paired_test(runs, runs - 1.0, 1.0, "nats/point").verdict
        'first'
    """
    a, b = _checked(first, second)
    n = a.shape[1]
    runs = "" if len(a) == len(b) == 1 else f" and {len(a)} against {len(b)} training runs"
    note = f"paired over {n} examples{runs}, level {level:g} shared by {comparisons} comparison{'s' * (comparisons > 1)}"
    t = lambda freedom: float(stats.t.ppf(1 - level / comparisons / 2, freedom))  # noqa: E731
    if np.isneginf(a).any() or np.isneginf(b).any():
        return _impossible(a, b, t(n - 1), unit, note)
    d = _beyond_rounding(a.mean(axis=0), b.mean(axis=0)) / nats_per_unit
    mean, stderr = float(d.mean()), float(d.std(ddof=1)) / math.sqrt(n)
    luck, freedom = _luck_of_training(a / nats_per_unit, b / nats_per_unit)
    reach = math.hypot(t(n - 1) * stderr, t(freedom) * luck)
    total = math.hypot(stderr, luck)
    if total == 0 and 2.0 ** (1 - min(n, 1000)) >= level / comparisons:
        # so few examples may agree by chance: an error of zero is no certainty
        reach = abs(mean)
    z = mean / total if total > 0 else (math.copysign(math.inf, mean) if mean else 0.0)
    verdict: Verdict = "undecided" if abs(mean) <= reach else ("first" if mean < 0 else "second")
    threshold = reach / total if total > 0 else t(n - 1)
    return PairedTest(verdict, mean, mean - reach, mean + reach, z, threshold, unit, note)


def _beyond_rounding(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return `b - a`, zero where it is what single precision makes of one number: equal models that
    add up in another order differ by as much, and always in one direction."""
    d = b - a
    return np.where(np.abs(d) <= ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, d)


def _checked(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as (runs, n), refusing other examples and what is no log-probability."""
    a, b = (np.atleast_2d(np.asarray(nats, dtype=np.float64)) for nats in (first, second))
    if a.shape[1] != b.shape[1] or a.shape[1] < 2:
        raise BadInput(
            f"{a.shape[1]} and {b.shape[1]} examples", "the same examples for both, at least two"
        )
    if np.isnan(a).any() or np.isnan(b).any() or np.isposinf(a).any() or np.isposinf(b).any():
        raise BadInput(
            "NaN or infinite log-probabilities", "finite numbers", "a model has diverged"
        )
    return a, b


def _luck_of_training(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the standard error from the runs' means, and Welch's degrees of freedom."""
    parts = [(float(x.mean(axis=1).var(ddof=1)) / len(x), len(x) - 1) for x in (a, b) if len(x) > 1]
    total = sum(v for v, _ in parts)
    if total == 0:
        return 0.0, 1.0
    return math.sqrt(total), total**2 / sum(v**2 / k for v, k in parts)


def _impossible(a: np.ndarray, b: np.ndarray, threshold: float, unit: str, note: str) -> PairedTest:
    """A model that calls an observed example impossible has infinite code length; two such models
    have no order."""
    worse_first, worse_second = bool(np.isneginf(a).any()), bool(np.isneginf(b).any())
    note += "; some examples have probability zero"
    if worse_first and worse_second:
        return PairedTest("undecided", math.nan, math.nan, math.nan, 0.0, threshold, unit, note)
    gap = math.inf if worse_first else -math.inf
    return PairedTest(
        "second" if worse_first else "first", gap, gap, gap, gap, threshold, unit, note
    )


@dataclass(frozen=True)
class LikelihoodOrder:
    """One pair of models.

    Attributes:
        first, second: names of the models.
        kinds: kinds of their log-probabilities.
        verdict: `first`, `second` or `undecided`.
        reason: why, in one sentence.
        paired: the paired test, where one was possible.
    """

    first: str
    second: str
    kinds: tuple[str, str]
    verdict: Verdict
    reason: str
    paired: PairedTest | None = None


@dataclass(frozen=True)
class Ranking:
    """Models by kind of likelihood, best value first within a kind, and every pair's verdict.

    The order inside a group is of point values; only the comparisons say which differences are
    real.
    """

    groups: dict[str, tuple[str, ...]]
    comparisons: tuple[LikelihoodOrder, ...]


def rank_likelihoods(
    scores: Mapping[str, Score],
    nats: Mapping[str, np.ndarray] | None = None,
    nats_per_unit: float = 1.0,
) -> Ranking:
    """Group models by the kind of their likelihood and compare every pair.

    Same kind: paired test where both models' log-probabilities are given, corrected for the number
    of pairs, else `core.score.better_of`. Different kinds: `certain by bound` where a bound on the
    right side is clearly ahead, else undecided.

    Args:
        scores: likelihood score of each model, from `likelihood_score`.
        nats: log-probabilities behind the scores, shape (n,) or (runs, n), on the same examples in
            the same order.
        nats_per_unit: what turns them into the unit of the scores.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> def score(kind, v):
        ...     return Score(Measure("negative log-likelihood"), v, n=9, low=v - 0.1, high=v + 0.1, kind=kind, view=kind)
        >>> r = rank_likelihoods({"vae": score("lower_bound", 1.0), "flow": score("exact", 2.0)})
        >>> r.comparisons[0].verdict, r.comparisons[0].reason[:16]
        ('first', 'certain by bound')
    """
    groups: dict[str, list[str]] = {}
    for name, score in sorted(scores.items(), key=lambda item: item[1].value):
        groups.setdefault(score.kind, []).append(name)
    pairs = list(itertools.combinations(scores, 2))
    known = nats or {}
    tested = {
        (a, b): paired_test(
            known[a], known[b], nats_per_unit, scores[a].unit, comparisons=len(pairs)
        )
        for a, b in pairs
        if _quantity(scores[a]) == _quantity(scores[b]) and _same_examples(known, a, b)
    }
    found = []
    for a, b in pairs:
        test = tested.get((a, b))
        if _quantity(scores[a]) != _quantity(scores[b]):
            verdict, reason = "undecided", "different quantities: another condition, split or unit"
        elif scores[a].kind != scores[b].kind:
            verdict, reason = _across_kinds(scores[a], scores[b], test)
        elif test is not None:
            verdict, reason = test.verdict, f"paired test, {test.note}"
        else:
            verdict, reason = better_of(scores[a], scores[b]), "95 % intervals, unpaired"
        found.append(LikelihoodOrder(a, b, (scores[a].kind, scores[b].kind), verdict, reason, test))
    return Ranking({kind: tuple(names) for kind, names in groups.items()}, tuple(found))


def _same_examples(nats: Mapping[str, np.ndarray], a: str, b: str) -> bool:
    return a in nats and b in nats and nats[a].shape[-1] == nats[b].shape[-1]


def _quantity(score: Score) -> tuple[str, str]:
    """What is measured, apart from the kind."""
    return f"{score.short_name} vs {score.reference}", score.unit


def _across_kinds(first: Score, second: Score, test: PairedTest | None) -> tuple[Verdict, str]:
    """A printed order is an order of true code lengths only where both errors point apart; the
    difference must be clear, too."""
    ahead = _clearly_lower(first, second) if test is None else test.verdict
    orders: dict[Verdict, tuple[Score, Score]] = {
        "first": (first, second),
        "second": (second, first),
    }
    if ahead in orders and (orders[ahead][0].kind, orders[ahead][1].kind) in CERTAIN:
        better, worse = orders[ahead]
        return ahead, (
            f"certain by bound: the code length is at most {better.value:.4g}, below the other's {worse.value:.4g}"
            if better.kind == "lower_bound"
            else f"certain by bound: the other's code length is at least {worse.value:.4g}, above {better.value:.4g}"
        )
    return (
        "undecided",
        f"{first.kind} and {second.kind} are different quantities and the bound does not decide",
    )


def _clearly_lower(first: Score, second: Score) -> Verdict:
    """Return which printed number is clearly lower, whatever its kind; the caller answers for what
    that means."""
    return better_of(replace(first, view="", kind=""), replace(second, view="", kind=""))
