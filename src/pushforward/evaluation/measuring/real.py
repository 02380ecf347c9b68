"""Scores that are read against what real examples score.

One idea: where a number has no natural best value, such as the diversity of a sample, real examples
of the same number say what to expect, and a model that beats them is not better but different.
"""

from __future__ import annotations

import math
from dataclasses import replace

from pushforward.core.score import Score
from pushforward.evaluation.intervals import normal_quantile


def against_real(score: Score, real: float, real_stderr: float, beyond: str) -> Score:
    """Return the score with the real examples' value as its null, and a warning if it is clearly on
    the better side of it.

    Clearly means by more than 1.96 standard errors of the difference, `hypot(stderr, real_stderr)`:
    one false warning in forty.

    Args:
        score: the model's score, with its standard error.
        real: the value of real examples.
        real_stderr: its standard error.
        beyond: what a model does that is better than real, such as 'more diverse than real data:
            noise is'.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> s = Score(Measure("diversity", better="higher"), 9.0, n=50, stderr=0.3)
        >>> against_real(s, 7.0, 0.4, "more diverse than real data").warnings
        ('more diverse than real data',)
    """
    gap = score.value - real if score.better == "higher" else real - score.value
    clearly = gap > normal_quantile() * math.hypot(score.stderr or 0.0, real_stderr)
    return replace(
        score,
        null=real,
        null_stderr=real_stderr,
        warnings=(*score.warnings, beyond) if clearly else score.warnings,
    )
