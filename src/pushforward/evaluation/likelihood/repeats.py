"""One score from several training runs: the luck of training belongs into the interval.

One idea: runs differ by their seed and share their reference examples, so the spread between runs
and the sampling error inside a run are two sources; their half-widths add in quadrature, and
neither may hide the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.score import Score
from pushforward.evaluation.intervals import LEVEL


def over_seeds(scores: Sequence[Score], level: float = LEVEL) -> Score:
    """Return the mean of one score over K training runs, with an interval that covers the luck of
    training.

    `mean -+ sqrt(a^2 + b^2)`, where `a = t_{K-1} s / sqrt(K)` with s the standard deviation between
    runs, and b is the mean distance from a run's value to its own end of the interval. All runs
    meet the same reference examples, so b does not shrink with K; s holds part of that error again,
    which makes the interval wide rather than narrow.

    Args:
        scores: the same measure of each run; a single one is returned as it is.
        level: coverage, which must be that of the scores' own intervals.

    Raises:
        BadInput: no scores, or scores that differ in name, unit, kind or features.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> runs = [Score(Measure("d"), v, n=9, low=v - 0.1, high=v + 0.1) for v in (1.0, 1.0, 1.0)]
        >>> s = over_seeds(runs)
        >>> s.value, round(s.low, 3), round(s.high, 3)
        (1.0, 0.9, 1.1)
    """
    _require_one_measure(scores)
    first = scores[0]
    if len(scores) == 1:
        return first
    values = np.array([s.value for s in scores])
    warnings = tuple(dict.fromkeys(text for s in scores for text in s.warnings))
    if not np.isfinite(values).all():
        note = f"{int((~np.isfinite(values)).sum())} of {len(scores)} runs have no finite value"
        return replace(
            first,
            value=float(values.mean()),
            low=None,
            high=None,
            stderr=None,
            warnings=(*warnings, note),
        )
    mean, spread = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    a = float(stats.t.ppf(0.5 + level / 2, len(values) - 1)) * spread
    low, high = _interval(scores, mean, a)
    errors = [s.stderr for s in scores if s.stderr is not None]
    stderr = math.hypot(spread, float(np.mean(errors))) if len(errors) == len(scores) else None
    return replace(first, value=mean, low=low, high=high, stderr=stderr, warnings=warnings)


def _require_one_measure(scores: Sequence[Score]) -> None:
    if not scores:
        raise BadInput("no scores", "one or more runs")
    first = scores[0]
    for other in scores[1:]:
        if (other.name, other.unit, other.kind, other.features) != (
            first.name,
            first.unit,
            first.kind,
            first.features,
        ):
            raise BadInput(
                f"scores of '{first.name}' and '{other.name}'", "the same measure of every run"
            )


def _interval(
    scores: Sequence[Score], mean: float, luck: float
) -> tuple[float | None, float | None]:
    """Return the ends of the mean's interval, cut to the range of the measure; None where a run has
    none.

    t intervals from two runs do not know that a rate ends at one.
    """
    ends = [
        (s.value - s.low, s.high - s.value)
        for s in scores
        if s.low is not None and s.high is not None
    ]
    if len(ends) < len(scores):
        return None, None
    down, up = np.array(ends).mean(axis=0)
    low, high = mean - math.hypot(luck, down), mean + math.hypot(luck, up)
    if all(s.value - reach >= 0 for s, (reach, _) in zip(scores, ends, strict=True)):
        low = max(0.0, low)
    at_most = scores[0].measure.at_most
    return low, high if at_most is None else min(at_most, high)
