"""Who is ahead on one measure, as far as it is decided.

Two ideas: only scores that agree in name, unit, kind, features and direction have an order; a lead
counts when a test over the shared reference says so, or, where there was none, when intervals part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pushforward.core.score import Score, Verdict, better_of
from pushforward.evaluation.intervals import normal_quantile
from pushforward.reports.records import Key, Row, key_of


@dataclass(frozen=True)
class Standing:
    """The state of play on one measure.

    Attributes:
        leader: row with the best point value.
        rivals: rows whose intervals do not part from the leader's; empty means the leader is
            decided.
        beaten: rows clearly worse than the leader.
    """

    key: Key
    leader: str
    rivals: tuple[str, ...]
    beaten: tuple[str, ...]

    @property
    def decided(self) -> bool:
        """True if at least one row is beaten and no rival is left."""
        return bool(self.beaten) and not self.rivals


Between = Callable[[Key, str, str], Verdict | None]


def standing(
    rows: Iterable[Row], key: Key, between: Between = lambda key, first, second: None
) -> Standing | None:
    """Return the standing of the rows measured on `key`, or None if no row has a finite value.

    Args:
        between: what a test of two rows over their shared reference said, None where there was
            none: then their intervals decide.
    """
    scores = {
        row.name: s for row in rows if (s := row.score(key)) is not None and math.isfinite(s.value)
    }
    if not scores:
        return None
    sign = 1.0 if key.better == "lower" else -1.0
    leader = min(scores, key=lambda name: sign * scores[name].value)
    others = [name for name in scores if name != leader]
    beaten = tuple(
        name
        for name in others
        if (between(key, leader, name) or better_of(scores[leader], scores[name])) == "first"
    )
    return Standing(key, leader, tuple(name for name in others if name not in beaten), beaten)


def clear_of(score: Score, mark: Score | float | None) -> bool | None:
    """Return whether the whole interval of `score` is better than a control: its interval, or its
    bare value.

    None where that is not known: there is no control, or the score is not a number or has no
    interval.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> coverage = Measure("coverage", better="higher")
        >>> seen = Score(coverage, 0.9, n=50, low=0.8, high=0.95)
        >>> clear_of(seen, 0.5), clear_of(seen, 0.85), clear_of(Score(coverage, 0.9, n=50), 0.5)
        (True, False, None)
    """
    if mark is None or score.low is None or score.high is None or not math.isfinite(score.value):
        return None
    if isinstance(mark, Score):
        near, far = (
            (mark.low, mark.high)
            if mark.low is not None and mark.high is not None
            else (mark.value, mark.value)
        )
    else:
        near = far = mark
    assert near is not None
    assert far is not None
    return score.high < near if score.better == "lower" else score.low > far


def at_null(score: Score) -> bool | None:
    """Return whether a score is where real data are expected, None if it has no null or no
    interval.

    The null lies in the interval, or, where the null was measured too, within 1.96 standard errors
    of the difference: both bars are as long as each other then, and the null misses the interval of
    the score alone once in six times and not in twenty.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> seen = Score(Measure("diversity", better="higher"), 9.0, n=50, low=8.0, high=10.0, stderr=0.5, null=7.8)
        >>> from dataclasses import replace
        >>> at_null(seen), at_null(replace(seen, null_stderr=0.5))
        (False, True)
    """
    if score.null is None or score.low is None or score.high is None:
        return None
    if score.null_stderr is None:
        return score.low <= score.null <= score.high
    stderr = (
        (score.high - score.low) / (2 * normal_quantile()) if score.stderr is None else score.stderr
    )
    return abs(score.value - score.null) <= normal_quantile() * math.hypot(
        stderr, score.null_stderr
    )


def control(rows: Iterable[Row], score: Score, role: str) -> Score | float | None:
    """Return the ceiling or floor for `score`: the (best) control row's score, else the value it
    carries, else None."""
    key = key_of(score)
    found = [
        s
        for row in rows
        if row.role == role and (s := row.score(key)) is not None and math.isfinite(s.value)
    ]
    if found:
        return min(found, key=lambda s: s.value if score.better == "lower" else -s.value)
    return score.ceiling if role == "ceiling" else score.floor if role == "floor" else None


def blind(rows: Iterable[Row], score: Score) -> bool:
    """Return True if the floor scores as well as real data on this measure, so that whatever it
    says of a model means nothing.

    Only where that was measured: False where a control is missing, or where one of the two has no
    interval.
    """
    rows = list(rows)
    ceiling, floor = control(rows, score, "ceiling"), control(rows, score, "floor")
    if (
        not (isinstance(ceiling, Score) and isinstance(floor, Score))
        or floor.low is None
        or floor.high is None
    ):
        return False
    return clear_of(ceiling, floor) is False
