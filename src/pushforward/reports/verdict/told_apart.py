"""Whether samples can be told from real data, in what, by how much, at what size; and whether they
are better than real.

Three ideas: the classifier two-sample test decides with half of the level, because its binomial is
exact; every other measure shares the other half by Holm's correction, so that real data against
real data is called told apart in one page of twenty at most; a page that looks for more than real
everywhere finds it somewhere by chance, so that claim shares one level, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from pushforward.core.score import Score
from pushforward.evaluation.distribution.classifier_test import CLASSIFIER
from pushforward.evaluation.distribution.classifier_test import p_value as classifier_p
from pushforward.evaluation.intervals import normal_quantile
from pushforward.reports.records import Row
from pushforward.reports.verdict.odds import told_first
from pushforward.reports.verdict.standing import blind, clear_of, control

LEVEL = 0.05
FREEDOM = 19  # most standard errors are a jackknife of twenty blocks


@dataclass(frozen=True)
class Evidence:
    """One measure on which the samples are further from real data than chance allows, or not.

    Attributes:
        expected: what real data score: the null where it is known, else the ceiling row.
        p_value: two-sided for measures of an aspect that is missed on either side; else one-sided,
            towards worse.
        share: how much of the way from real data to the floor it went, None where that is not
            known.
    """

    score: Score
    expected: float
    p_value: float
    share: float | None


@dataclass(frozen=True)
class Apart:
    """What is known of one row against real data.

    Attributes:
        told: True if told apart, False if not at this size, None if no measure could judge.
        n: number of samples compared, those of one case counted once.
        classifier: the two-sample test, None if it was not taken.
        found: the measures that convict, furthest from real data first.
        judged: number of measures that could have.
        odds: the classifier that a reader is told of: of those that convict, else of all, the one
            that is told first.
    """

    told: bool | None
    n: int
    classifier: Score | None
    found: tuple[Evidence, ...]
    judged: int
    odds: Score | None = None


def told_apart(row: Row, rows: Sequence[Row]) -> Apart:
    """Judge one row against real data.

    Args:
        row: what to judge.
        rows: all rows, with the controls among them.

    Example:
        >>> score = Score(CLASSIFIER, 0.81, n=200, low=0.77, high=0.85, null=0.5)
        >>> found = told_apart(Row("vae", scores=(score,)), ())
        >>> found.told, found.n
        (True, 200)
    """
    merits = [s for s in row.scores if math.isfinite(s.value) and s.measure.role == "merit"]
    coin = next((s for s in merits if s.measure == CLASSIFIER), None)
    known = [
        e for s in merits if s is not coin and (e := _evidence(s, rows, row.crowd)) is not None
    ]
    level = LEVEL / 2 if coin else LEVEL
    convicted = [known[k] for k in rejected([e.p_value for e in known], level)]
    if coin is not None:
        alone = replace(coin, n=max(1, round(coin.n / row.crowd)))
        found = Evidence(coin, 0.5, classifier_p(alone), 2 * coin.value - 1)
        known = [found, *known]
        convicted = [found] * (found.p_value < LEVEL / 2) + convicted
    convicted.sort(key=lambda e: math.inf if e.share is None else -e.share)
    n = round(max((s.n for s in merits), default=0) / row.crowd)
    told = told_first([e.score for e in convicted]) or told_first(merits)
    return Apart(bool(convicted) if known else None, n, coin, tuple(convicted), len(known), told)


def too_good(
    models: Sequence[Row], rows: Sequence[Row], counts: Callable[[Score], bool] = lambda score: True
) -> list[tuple[str, Score]]:
    """Return each model and measure on which its samples score better than real data, beyond what
    chance does on a whole page.

    Both intervals part, and a one-sided test of the difference rejects at a level that all models
    and measures share (Holm 1979): five models of the law of the data are called better than real
    on one page of twenty at most. Where the ceiling is a bare number, it is taken to be known as
    well as the score.

    Args:
        models: the rows to judge.
        rows: all rows, with the ceiling among them.
        counts: which scores to look at.

    Example:
        >>> from dataclasses import replace
        >>> from pushforward.core.measure import Measure
        >>> real = Score(Measure("density", better="higher"), 1.0, n=100, low=0.9, high=1.1)
        >>> rows = [Row("real", "ceiling", scores=(real,)), Row("gan", scores=(replace(real, value=1.5, low=1.4, high=1.6),))]
        >>> [(name, score.value) for name, score in too_good(rows[1:], rows)]
        [('gan', 1.5)]
    """
    found, p_values = [], []
    for row in models:
        for score in row.scores:
            real = control(rows, score, "ceiling")
            own = _error(score, row.crowd)
            other = _error(real, row.crowd) if isinstance(real, Score) else own
            if (
                real is None
                or own is None
                or other is None
                or score.measure.role == "check"
                or not counts(score)
            ):
                continue
            gap = (score.value - (real.value if isinstance(real, Score) else real)) * (
                -1.0 if score.better == "lower" else 1.0
            )
            found.append((row.name, score, clear_of(score, real)))
            p_values.append(float(stats.t.sf(gap / math.hypot(own, other), FREEDOM)))
    return [found[k][:2] for k in sorted(rejected(p_values, LEVEL)) if found[k][2]]


def rejected(p_values: Sequence[float], level: float) -> list[int]:
    """Return which hypotheses fall: the k-th smallest of m p-values is held against `level / (m - k
    + 1)` (Holm 1979).

    Example:
        >>> rejected([0.04, 0.01, 0.02], 0.05)
        [1, 2, 0]
    """
    found = []
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        if not p_values[k] < level / (len(p_values) - rank):
            break
        found.append(k)
    return found


def _evidence(score: Score, rows: Sequence[Row], crowd: float) -> Evidence | None:
    """Hold a score against what real data score, None where either has no error.

    A measure of examples that are all alike within their cases has the variance of so many times
    fewer of them, and no larger one.
    """
    own = _error(score, crowd)
    real = control(rows, score, "ceiling")
    if score.null is not None:
        expected, other = score.null, math.sqrt(crowd) * (score.null_stderr or 0.0)
    elif isinstance(real, Score) and _error(real) is not None:
        expected, other = real.value, _error(real, crowd) or 0.0
    else:
        return None
    if own is None:
        return None
    error = math.hypot(own, other)
    gap = (score.value - expected) * (1.0 if score.better == "lower" else -1.0)
    if score.measure.aspect.two_sided:
        p = 2.0 * float(stats.t.sf(abs(gap) / error, FREEDOM))
    else:
        p = float(stats.t.sf(gap / error, FREEDOM))
    floor = control(rows, score, "floor")
    bad = floor.value if isinstance(floor, Score) else floor
    # where the floor is as good as real data, the way to it says nothing
    way = (
        None
        if bad is None or bad == expected or blind(rows, score)
        else abs(score.value - expected) / abs(bad - expected)
    )
    return Evidence(score, expected, p, way)


def _error(score: Score, crowd: float = 1.0) -> float | None:
    """Return the standard error, of so many times fewer examples.

    Where it is missing or zero, what the interval says, because zero is no certainty. What rounding
    leaves of a number that never changed is zero, too.
    """
    rounding = 1e-12 * max(abs(score.value), 1e-300)
    if score.stderr is not None and score.stderr > rounding:
        return math.sqrt(crowd) * score.stderr
    if score.low is None or score.high is None or not score.high - score.low > rounding:
        return None
    return math.sqrt(crowd) * (score.high - score.low) / (2.0 * normal_quantile())
