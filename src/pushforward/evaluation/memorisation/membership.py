"""Membership inference: can somebody who sees the model tell who was in the training data?

Three ideas: an attack is a number for every candidate, larger where membership is likelier, and it
is judged on as many members as non-members; the mean success (AUC) hides that few are found with
certainty, so the true-positive rate at 1 % false positives stands beside it (Carlini et al. 2022);
with samples alone the number is the nearness of the nearest sample, with a likelihood it is the
log-likelihood.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.areas import area_interval, area_under_curve
from pushforward.evaluation.checks import as_rows, require
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import MeasuredOn
from pushforward.evaluation.memorisation.roles import MemorisationCheck, on_last, three_roles

AUC = Measure(
    "membership AUC",
    "How well an attack tells training from unseen examples.",
    "Who was in training, on average",
    "0.5 = guessing",
    MEMORISATION,
    "check",
)
TPR = Measure(
    "membership TPR at 1 % FPR",
    "Members found when one accusation in a hundred is false.",
    "Who was in training, for certain",
    "0.01 = guessing",
    MEMORISATION,
    "check",
)
FALSE_POSITIVES, AT_LEAST = 0.01, 20


def membership_scores(
    members: np.ndarray,
    others: np.ndarray,
    attack: str,
    fingerprint: str = "",
    n: int | None = None,
) -> list[Score]:
    """Return AUC and true-positive rate at 1 % false positives of an attack; nulls 0.5 and 0.01.

    The interval of the AUC is `area_interval`; that of the rate takes both ends of the threshold's
    own error and covers at least 95 %. Below 100 non-members the threshold is not known to 1 % and
    there is no rate.

    Args:
        members: the attack's number for training examples, shape (m,).
        others: for examples that were not trained on, shape (h,).
        attack: name of what was used, printed in brackets.
        fingerprint: fingerprint of the features, if any.
        n: number of model examples behind the attack; `m` by default.

    Raises:
        BadInput: fewer than 20 on a side, or NaN.

    Example:
        >>> x = np.random.default_rng(0).normal(size=2000)
        >>> auc, rate = membership_scores(x[:1000] + 1.0, x[1000:], "likelihood")
        >>> auc.low < 0.7602 < auc.high
        True
    """
    a = as_rows(members[:, None], "attack values of members", AT_LEAST)[:, 0]
    b = as_rows(others[:, None], "attack values of non-members", AT_LEAST)[:, 0]
    area, stderr = area_under_curve(a, b)
    low, high = area_interval(area, stderr, len(a), len(b))
    on = MeasuredOn(attack, fingerprint, "held-out", "train")
    scores = [on.score(AUC, area, n or len(a), low=low, high=high, stderr=stderr, null=0.5)]
    if len(b) >= round(1 / FALSE_POSITIVES):
        scores.append(_rate(on.score(TPR, area, n or len(a)), a, b))
    return scores


def _rate(score: Score, members: np.ndarray, others: np.ndarray) -> Score:
    ranked, h = np.sort(others)[::-1], len(others)
    allowed = math.floor(FALSE_POSITIVES * h)
    spread = math.ceil(2.24 * math.sqrt(h * FALSE_POSITIVES * (1 - FALSE_POSITIVES)))
    found = []
    for passing in (max(0, allowed - spread), allowed, min(h - 1, allowed + spread)):
        # above the next one: exactly `passing` non-members lie higher, fewer where they are tied
        found.append(float((members > ranked[passing]).mean()))
    m = len(members)
    return replace(
        score,
        value=found[1],
        low=wilson(found[0] * m, m, 0.975)[0],
        high=wilson(found[2] * m, m, 0.975)[1],
        null=FALSE_POSITIVES,
    )


def nearness_attack(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
) -> list[Score]:
    """Attack with samples alone: members are guessed by how near the nearest sample is (Chen et al.
    2020, section 5.1).

    As many training examples as there are held-out ones are judged, the first of them.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d), in random order.
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(600, 4))
        >>> nearness_attack(x[:300], x[:300], x[300:], "identity")[0].value
        1.0
    """
    rows, fitted, fresh = three_roles(samples, train, heldout)
    size = min(len(fitted), len(fresh))
    require(size, AT_LEAST, "training and held-out examples")
    near = [-nearest(side[:size], rows)[1] for side in (fitted, fresh)]
    return membership_scores(near[0], near[1], features, fingerprint, n=len(rows))


class NearnessAttack(MemorisationCheck):
    """`nearness_attack` on the rows kept."""

    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return AUC and true-positive rate."""
        return nearness_attack(samples, train, heldout, self.view.name, self.view.fingerprint)


METRIC = Metric(
    "membership inference",
    "How well an attack tells training from unseen examples",
    (AUC, TPR),
    on_last(NearnessAttack),
    requires=frozenset({"held-out"}),
)
