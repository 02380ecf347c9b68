"""How often a classifier finds the samples among real data, in words.

One idea: of several classifiers a reader is told of the first that says something, and in a number
that anybody can read: guessing is right on half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pushforward.core.score import Score
from pushforward.evaluation.distribution.classifier_test import CLASSIFIER
from pushforward.evaluation.table.tree_score import TREES

GUESSING = "guessing: 50 %"


@dataclass(frozen=True)
class Odds:
    """How one measure is said.

    Attributes:
        says: a sentence without its share.
        share: from a value to how often the classifier is right.
    """

    says: str
    share: Callable[[float], float]


# in the order in which they are told: trees see what a kernel on features does not. Their area is
# how often they choose the sample of a pair
ODDS = {
    TREES.name: Odds(
        "trees choose the sample beside a real row in", lambda value: 1.0 - value / 2.0
    ),
    CLASSIFIER.name: Odds("a classifier is right on", lambda value: value),
}


def told_first(scores: Sequence[Score]) -> Score | None:
    """Return the score of the classifier that is told first, None if there is none.

    Example:
        >>> told_first([Score(CLASSIFIER, 0.7, n=9), Score(TREES, 0.8, n=9)]).metric
        'tree two-sample score'
    """
    return next((s for name in ODDS for s in scores if s.metric == name), None)


def share_right(score: Score, value: float | None = None) -> float:
    """Return how often a classifier is right, at its value or at an end of its interval.

    Example:
        >>> share_right(Score(CLASSIFIER, 0.7, n=9)), share_right(Score(TREES, 0.8, n=9))
        (0.7, 0.6)
    """
    return ODDS[score.metric].share(score.value if value is None else value)


def odds_in_words(score: Score, *, interval: bool = False) -> str:
    """Return how often a classifier is right, as part of a sentence.

    Example:
        >>> odds_in_words(Score(TREES, 0.8, n=9, low=0.7, high=0.9), interval=True)
        'trees choose the sample beside a real row in 60 % (55 % to 65 %; guessing: 50 %)'
        >>> odds_in_words(Score(CLASSIFIER, 0.81, n=9))
        'a classifier is right on 81 % (guessing: 50 %)'
    """
    beside = GUESSING
    if interval and score.low is not None and score.high is not None:
        ends = sorted(share_right(score, end) for end in (score.low, score.high))
        beside = f"{percent(ends[0])} to {percent(ends[1])}; {GUESSING}"
    return f"{ODDS[score.metric].says} {percent(share_right(score))} ({beside})"


def percent(share: float) -> str:
    """Return a share as a whole number of percent; never 0 or 100 unless it is.

    Example:
        >>> percent(0.813), percent(0.9993)
        ('81 %', '99.9 %')
    """
    whole = round(100 * share)
    return f"{whole} %" if whole not in (0, 100) or share in (0, 1) else f"{100 * share:.1f} %"
