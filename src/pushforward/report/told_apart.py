"""Whether one set of samples can be told from real data, in what, by how much, at what size.

Two ideas: the classifier two-sample test decides with half of the level, because its binomial is exact; every other measure shares
the other half by Holm's correction, so that real data against real data is called told apart in one page of twenty at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from pushforward.core.score import Score
from pushforward.evaluation.cards.aspects import DIVERSITY, aspect_of, is_check
from pushforward.evaluation.distribution.classifier_test import p_value as classifier_p
from pushforward.evaluation.intervals import normal_quantile
from pushforward.report.records import Row
from pushforward.report.standing import blind, control

LEVEL = 0.05
FREEDOM = 19  # most standard errors are a jackknife of twenty blocks
CLASSIFIER, TRUTH = "classifier two-sample accuracy", "KL to the truth"


@dataclass(frozen=True)
class Evidence:
    """One measure on which the samples are further from real data than chance allows, or not.

    Attributes:
        expected: what real data score: the null where it is known, else the ceiling row.
        p_value: two-sided for measures of diversity, which miss on either side; else one-sided, towards worse.
        share: how much of the way from real data to the floor it went, None where that is not known.
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
        n: number of samples compared.
        classifier: the two-sample test, None if it was not taken.
        found: the measures that convict, furthest from real data first.
        judged: number of measures that could have.
    """

    told: bool | None
    n: int
    classifier: Score | None
    found: tuple[Evidence, ...]
    judged: int


def told_apart(row: Row, rows: Sequence[Row]) -> Apart:
    """Judge one row against real data.

    Args:
        row: what to judge.
        rows: all rows, with the controls among them.

    Example:
        >>> score = Score("classifier two-sample accuracy [pca-2] vs test", 0.81, n=200, better="lower", low=.77, high=.85, null=.5)
        >>> found = told_apart(Row("vae", scores=(score,)), ())
        >>> found.told, found.n
        (True, 200)
    """
    merits = [s for s in row.scores if math.isfinite(s.value) and is_merit(s.name)]
    coin = next((s for s in merits if s.name.startswith(CLASSIFIER)), None)
    known = [e for s in merits if s is not coin and (e := _evidence(s, rows)) is not None]
    convicted = _holm(known, LEVEL / 2 if coin else LEVEL)
    if coin is not None:
        found = Evidence(coin, 0.5, classifier_p(coin), 2 * coin.value - 1)
        known = [found, *known]
        convicted = [found] * (found.p_value < LEVEL / 2) + convicted
    convicted.sort(key=lambda e: math.inf if e.share is None else -e.share)
    n = max((s.n for s in merits), default=0)
    return Apart(bool(convicted) if known else None, n, coin, tuple(convicted), len(known))


def is_merit(name: str) -> bool:
    """Return whether a measure says how good samples are: no check of copying or privacy, and no distance to a known truth.

    Example:
        >>> is_merit("recall [pca-2] vs test"), is_merit("authenticity [pca-2] vs train")
        (True, False)
    """
    return not (is_check(name) or name.startswith(TRUTH))


def _holm(known: Sequence[Evidence], level: float) -> list[Evidence]:
    """Return what convicts at a level shared by all: the k-th smallest of m is held against `level / (m - k + 1)` (Holm 1979)."""
    found = []
    for rank, evidence in enumerate(sorted(known, key=lambda e: e.p_value)):
        if not evidence.p_value < level / (len(known) - rank):
            break
        found.append(evidence)
    return found


def _evidence(score: Score, rows: Sequence[Row]) -> Evidence | None:
    """Hold a score against what real data score, None where either has no error."""
    own = _error(score)
    real = control(rows, score, "ceiling")
    if score.null is not None:
        expected, other = score.null, score.null_stderr or 0.0
    elif isinstance(real, Score) and _error(real) is not None:
        expected, other = real.value, _error(real) or 0.0
    else:
        return None
    if own is None:
        return None
    error = math.hypot(own, other)
    gap = (score.value - expected) * (1.0 if score.better == "lower" else -1.0)
    if aspect_of(score.name) == DIVERSITY:
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


def _error(score: Score) -> float | None:
    """Return the standard error; where it is missing or zero, what the interval says, because zero is no certainty."""
    if score.stderr:
        return score.stderr
    if score.low is None or score.high is None or not score.high > score.low:
        return None
    return (score.high - score.low) / (2.0 * normal_quantile())
