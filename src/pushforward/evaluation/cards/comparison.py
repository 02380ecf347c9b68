"""Which of two models is better on a sample metric, and when nobody can say.

Three ideas: models are scored against the same reference, so its luck is shared and cancels in the
difference where the metric says what every reference example contributed; a difference is decided
at a level shared by all metrics and pairs, and only if both nulls are rejected that a reader may
have in mind (equal values by the standard error, equal laws by a test that is exact); an undecided
one says how many samples would decide it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from pushforward.core.score import Score, Verdict, require_comparable
from pushforward.evaluation.intervals import normal_quantile
from pushforward.evaluation.measuring.statistic import Measured, Terms

LEVEL, POWER = 0.05, 0.8
MOST = 10**15  # samples; more than that is no number to plan with
BLOCKS_AT_MOST = 20  # sides of so few units are blocks of a jackknife, whose spread is known to that many degrees of freedom only


@dataclass(frozen=True)
class Difference:
    """One metric of two models.

    Attributes:
        metric: name of the score.
        first, second: names of the models.
        value: score of the first minus that of the second.
        stderr: its standard error, NaN where the metric has none.
        low, high: 95 % interval, not corrected for the number of comparisons.
        p_value: two-sided, not corrected.
        adjusted: p-value after Holm's correction for all comparisons made together.
        verdict: `first`, `second` or `undecided`, at 5 % for all comparisons together.
        paired: whether the shared reference was accounted for.
        enough: samples of each model at which a true difference of this size would be decided in
            four of five cases at the uncorrected level; None if there is no difference or no error.
    """

    metric: str
    first: str
    second: str
    value: float
    stderr: float
    low: float
    high: float
    p_value: float
    adjusted: float
    verdict: Verdict
    paired: bool
    enough: int | None


def difference(
    first: Measured, second: Measured, names: tuple[str, str] = ("first", "second")
) -> Difference:
    """Compare two models on one metric, uncorrected.

    `Var(a - b) = sum_i s_ai^2 + sum_i s_bi^2 + sum_j (r_aj - r_bj)^2` with s the terms of the
    models' own samples and r those of the shared reference, plus what either stderr holds beyond
    its terms. Without terms the two errors are added as if independent, which is wide where the
    reference is shared. A metric that brings a test of its own (see `Rival`) has its standard
    error, and the larger of the p-values of equal values and of equal laws.

    An error of zero is no certainty: a score that did not vary over its own examples takes the
    error that its interval stands for; where no interval says more, the test of equal laws alone
    decides, and without one nothing does.

    Args:
        first: the first model's score and terms.
        second: the second's, of the same metric.
        names: names of the models.

    Raises:
        BadInput: other metrics, features or units.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> a, b = (Score(Measure("d"), v, n=100, stderr=0.1) for v in (1.0, 2.0))
        >>> difference(Measured(a), Measured(b)).verdict
        'first'
    """
    a, b = first.score, second.score
    require_comparable(a, b)
    value, nan = a.value - b.value, math.nan
    found = _error(first, second)
    if found is None or not math.isfinite(value):
        return Difference(a.name, *names, value, nan, nan, nan, nan, nan, "undecided", False, None)
    if found.stderr == 0:
        ends, p = ((nan, nan), found.equal_laws) if value else ((0.0, 0.0), 1.0)
        test = Difference(a.name, *names, value, 0.0, *ends, p, p, "undecided", found.paired, None)
        return replace(test, verdict=_verdict(test, a))
    p = 2 * float(special.stdtr(found.freedom, -abs(value) / found.stderr))
    p = max(p, found.equal_laws) if found.tested else p
    reach = float(special.stdtrit(found.freedom, 0.975)) * found.stderr
    # the interval holds zero where the test does not reject it
    reach = max(reach, abs(value)) if p >= LEVEL else reach
    test = Difference(
        a.name,
        *names,
        value,
        found.stderr,
        value - reach,
        value + reach,
        p,
        p,
        "undecided",
        found.paired,
        None,
    )
    return replace(test, verdict=_verdict(test, a), enough=_enough(value, found, min(a.n, b.n)))


@dataclass(frozen=True)
class _Error:
    """Standard error of a difference, its degrees of freedom, whether the reference was paired, and
    a p-value of equal laws."""

    stderr: float
    freedom: float
    paired: bool
    tested: bool = False
    equal_laws: float = 1.0


def _enough(value: float, found: _Error, n: int) -> int | None:
    if value == 0:
        return None
    wanted = float(special.ndtri(1 - LEVEL / 2) + special.ndtri(POWER))
    seen = abs(value) / found.stderr
    if found.tested:
        seen = min(seen, -float(special.ndtri(found.equal_laws / 2)))
    return math.ceil(min(n * (wanted / seen) ** 2, float(MOST))) if seen > 0 else None


def _error(first: Measured, second: Measured) -> _Error | None:
    """Return what is known of the error of the difference, None if a score has no error."""
    errors = [_own_error(m.score) for m in (first, second)]
    if errors[0] is None or errors[1] is None:
        return None
    if first.rival is not None and second.rival is not None:
        contrast = first.rival.against(second.rival)
        if contrast is not None:
            return _Error(contrast.stderr, math.inf, True, True, contrast.p_value)
    alone = sum(e**2 for e in errors if e is not None)
    freedom = min(
        (len(t.ids) - 1 for t in _sides(first, second) if len(t.ids) <= BLOCKS_AT_MOST),
        default=math.inf,
    )
    a, b = first.reference, second.reference
    if a is None or b is None:
        return _Error(math.sqrt(alone), freedom, False)
    # the shared part of the reference's error enters both scores with its sign
    shared, at_a, at_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    common = 2.0 * float((a.terms[at_a] * b.terms[at_b]).sum())
    # terms explain no more than the whole error, so nothing that is left can be below what the
    # samples contribute
    least = sum(m.samples.variance for m in (first, second) if m.samples is not None)
    return _Error(math.sqrt(max(least, alone - common, 0.0)), freedom, len(shared) > 0)


def _own_error(score: Score) -> float | None:
    """Return a score's standard error; of one that did not vary, the longer side of its interval
    (Newcombe 1998, method 10)."""
    if score.stderr == 0 and score.low is not None and score.high is not None:
        return max(score.high - score.value, score.value - score.low) / normal_quantile()
    return score.stderr


def _sides(*measured: Measured) -> list[Terms]:
    return [t for m in measured for t in (m.samples, m.reference) if t is not None]


def _verdict(found: Difference, score: Score, level: float = LEVEL) -> Verdict:
    if not found.adjusted < level:
        return "undecided"
    return "first" if (found.value < 0) == (score.better == "lower") else "second"


def compare_models(
    models: Mapping[str, Sequence[Measured]], level: float = LEVEL
) -> list[Difference]:
    """Compare every pair of models on every metric that both have, with Holm's correction for all
    of them.

    Holm (1979): with p-values ascending, the k-th of m is multiplied by m - k + 1 and never falls
    below an earlier one; the chance of any false verdict is at most `level`.

    Args:
        models: scores by the name of the model.
        level: the chance of any false verdict.

    Raises:
        BadInput: scores of one name on different features.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> score = lambda v: [Measured(Score(Measure("d"), v, n=100, stderr=0.1))]
        >>> [d.verdict for d in compare_models({"a": score(1.0), "b": score(2.0), "c": score(2.05)})]
        ['first', 'first', 'undecided']
    """
    found = []
    for a, b in itertools.combinations(models, 2):
        others = {m.score.name: m for m in models[b]}
        found += [
            (difference(m, others[m.score.name], (a, b)), m.score)
            for m in models[a]
            if m.score.name in others
        ]
    order = sorted(
        (k for k, (d, _) in enumerate(found) if not math.isnan(d.p_value)),
        key=lambda k: found[k][0].p_value,
    )
    adjusted, largest = [math.nan] * len(found), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, found[k][0].p_value * (len(order) - rank)))
        adjusted[k] = largest
    corrected = [
        (replace(d, adjusted=p), score) for (d, score), p in zip(found, adjusted, strict=True)
    ]
    return [replace(d, verdict=_verdict(d, score, level)) for d, score in corrected]
