"""Has the model memorised its training data?

One idea: the verdict rests on evidence that bad quality cannot fake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pushforward.core.measure import MEMORISATION
from pushforward.core.score import Score
from pushforward.evaluation.checks import require
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.memorisation.copying import COPYING
from pushforward.evaluation.memorisation.duplicates import DUPLICATES
from pushforward.evaluation.memorisation.near_duplicates import NEAR
from pushforward.evaluation.memorisation.pull import PULL

THRESHOLD, CORROBORATION, MANY = 3.0, 2.0, 0.05


@dataclass(frozen=True)
class MemorisationVerdict:
    """Whether the memorisation checks tripped, None if they are undecided, and one sentence saying
    on what evidence."""

    tripped: bool | None
    sentence: str


def memorisation_verdict(scores: Sequence[Score]) -> MemorisationVerdict:
    """Judge a scorecard: replayed training data, or not, by the evidence that quality cannot fake.

    Trips if training examples pull by more than three standard errors (an honest model does so once
    in 740 runs), or if exact duplicates exceed their natural rate by three and either the pull
    corroborates it by two, or more than a twentieth of the samples are duplicates where no held-out
    example is: an honest model that collapsed to a frequent pattern of a tiny space repeats
    training examples too, but there held-out examples do so as well. Samples that replay held-out
    and training examples alike have no pull; their duplicates convict them.

    What a collapsed model could do as well (samples crowd around a few training examples) convicts
    nobody, but where a rate or a statistic lies beyond what held-out data give, the verdict is
    undecided and says which, and never that there is no sign.

    Args:
        scores: any scores; those of memorisation are read.

    Raises:
        BadInput: the pull of training examples is not among the scores.

    Example:
        >>> pull = Score(PULL, 8.0, n=9, stderr=1.0, null=0.0)
        >>> memorisation_verdict([pull]).tripped
        True
    """
    pulls = [score.value for score in scores if score.measure == PULL]
    require(len(pulls), 1, f"scores named '{PULL.name}'")
    pull = max(pulls)
    evidence = []
    for score in scores:
        alone = (score.null == 0.0 and (score.low or 0.0) > MANY) or pull > CORROBORATION
        if score.measure == DUPLICATES and _excess(score) > THRESHOLD and alone:
            evidence.append(
                f"{score.value:.1%} of the samples are exact training examples, {score.null:.1%} of held-out data"
            )
    if pull > THRESHOLD or evidence:
        if pull > CORROBORATION:
            evidence.append(
                f"samples lie nearer to training than to held-out examples by {pull:.1f} standard errors"
            )
        return MemorisationVerdict(True, "replays training data: " + "; ".join(evidence))
    signs = [said for score in scores if (said := _sign(score))]
    if signs:
        look = "look at the nearest pairs; a model that collapsed near a few training examples looks so too"
        return MemorisationVerdict(None, f"not ruled out: {'; '.join(signs)}: {look}")
    return MemorisationVerdict(False, "no sign of replayed training data at this sample size")


def _sign(score: Score) -> str:
    """Return what a measure says beyond held-out data in the direction of copies, empty if nothing.

    A rate counts if its whole interval lies above the interval of as many held-out examples, the
    copying statistic if it lies three standard errors below zero, and any other check that is zero
    for an honest model (such as the excess of the tree score) if it lies three above.
    """
    if score.measure in (DUPLICATES, NEAR) and score.low is not None and score.null is not None:
        _, usual = wilson(score.null * score.n, score.n)
        if score.low > usual:
            kind = "exact" if score.measure == DUPLICATES else "near"
            return f"{score.value:.1%} of the samples are {kind} duplicates of training examples, {score.null:.1%} of held-out data"
    if score.measure == COPYING and score.value < -THRESHOLD:
        return f"samples lie nearer to training examples than held-out data do, by {-score.value:.1f} standard errors"
    zero = score.measure.aspect == MEMORISATION and score.null == 0.0 and score.better == "lower"
    if zero and score.measure not in (DUPLICATES, NEAR, PULL) and _excess(score) > THRESHOLD:
        return (
            f"{score.title[:1].lower()}{score.title[1:]}, by {_excess(score):.1f} standard errors"
        )
    return ""


def _excess(score: Score) -> float:
    """Standard errors by which a rate exceeds its null; zero where neither varies."""
    return (score.value - (score.null or 0.0)) / score.stderr if score.stderr else 0.0
