"""Classes as a judge sees them: which ones a sampler visits, how clearly, and whether it draws what
it was asked for.

Three ideas: a judge is a classifier that was fitted on real examples, and every score is a
statement about what it sees; real examples pass the same judge, whose errors are so part of the
null; the rarest classes, which a sampler loses first, are counted by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import CLASSES, Measure
from pushforward.evaluation.checks import require
from pushforward.evaluation.diversity.judge import AT_LEAST, ClassMetric, Judged
from pushforward.evaluation.intervals import jackknife, normal_quantile, rate_stderr, wilson
from pushforward.evaluation.measuring.batch import NO_LABEL, hashed
from pushforward.evaluation.measuring.metric import CardSetting, Metric
from pushforward.evaluation.measuring.real import against_real
from pushforward.evaluation.measuring.statistic import Kept, Measured, Statistic, Terms
from pushforward.evaluation.measuring.summaries import BLOCKED, BLOCKS, KEPT

RARE = Measure(
    "rare-class recall",
    "Whether the rarest classes get their share.",
    "Rare classes kept",
    "1 = as real data",
    CLASSES,
    better="higher",
)
VARIATION = Measure(
    "total variation of class shares",
    "How far class shares are off.",
    "Shares of classes off",
    "share moved",
    CLASSES,
)
INCEPTION = Measure(
    "inception-style score",
    "Clear samples of many classes score high.",
    "Clear and varied classes",
    "a count",
    CLASSES,
    better="higher",
)
ACCURACY = Measure(
    "label accuracy",
    "Whether a sample shows the class that was asked for.",
    "Class as asked",
    "share of samples",
    CLASSES,
    better="higher",
)
RAREST, DEALS = 0.25, 500


def rarest_classes(counts: np.ndarray) -> np.ndarray:
    """Return which classes together are the rarest quarter or less of these examples: as many as
    fit, and at least one.

    Args:
        counts: examples of each class; classes without any are left out.

    Example:
        >>> rarest_classes(np.array([40, 10, 0, 30, 15])).tolist()
        [1]
        >>> rarest_classes(np.array([50, 10, 0, 30, 10])).tolist()
        [1, 4]
    """
    order = [int(k) for k in np.argsort(counts, kind="stable") if counts[k] > 0]
    inside = np.cumsum(counts[order]) <= RAREST * counts.sum()
    return np.array(sorted(order[: max(1, int(inside.sum()))]), dtype=np.int64)


def rare_class_recall(judged: Judged) -> Measured:
    """Score the share of samples in the rarest classes over that of the reference; null 1.

    `r = p / q` with p and q the shares of the classes that together are the rarest quarter or less
    of the reference as the judge sees it. They are chosen on one half of the reference and q is
    their share of the other half: where they were chosen they look rarer than they are. The
    interval is normal for log r, with `Var log r = (1 - p) / (n p) + (1 - q) / (m q)` (Katz et al.
    1978, section 2), a half being added to both counts so that none is zero.

    Raises:
        BadInput: fewer than 40 reference examples.

    Example:
        >>> real = np.repeat([0, 1, 2], [45, 40, 15])
        >>> score = rare_class_recall(Judged.of_classes(real.clip(max=1), real, 3)).score
        >>> score.high < score.null
        True
    """
    require(len(judged.reference), 2 * AT_LEAST, "reference examples")
    x, y = judged.samples.argmax(axis=1), judged.reference.argmax(axis=1)
    order = np.argsort(hashed(judged.ids[1], KEPT), kind="stable")
    chosen, later = y[order[: len(y) // 2]], order[len(y) // 2 :]
    rare = rarest_classes(np.bincount(chosen, minlength=judged.reference.shape[1]))
    own, real = np.isin(x, rare).astype(np.float64), np.isin(y[later], rare).astype(np.float64)
    n, m = len(own), len(real)
    p, q = (float(own.sum()) + 0.5) / (n + 1), (float(real.sum()) + 0.5) / (m + 1)
    spread = math.sqrt((1 - p) / (n * p) + (1 - q) / (m * q))
    reach = normal_quantile() * spread
    score = replace(
        judged.score(RARE),
        value=p / q,
        low=p / q * math.exp(-reach),
        high=p / q * math.exp(reach),
        stderr=p / q * spread,
        null=1.0,
        warnings=(
            f"{len(rare)} of {judged.samples.shape[1]} classes, {real.mean():.1%} of {judged.reference_name}",
        ),
    )
    return Measured(
        score,
        Terms.of_mean(judged.ids[0], own / q),
        Terms.of_mean(judged.ids[1][later], -real * p / q**2),
    )


def class_variation(judged: Judged, seed: int = 0) -> Measured:
    """Score the total variation of class shares, `1/2 sum_k |p_k - q_k|`; null: its mean over 500
    divisions of the pooled examples.

    The standard error is the jackknife's to first order, `Var[s_k / 2] / n + Var[s_k / 2] / m` with
    s_k the sign of p_k - q_k, and the interval is normal, for the average at these sizes. It is
    conservative near the null.

    Example:
        >>> score = class_variation(Judged.of_classes(np.repeat([0, 1], 50), np.repeat([0, 1], [80, 20]), 2)).score
        >>> round(score.value, 9), score.low > score.null
        (0.3, True)
    """
    k = judged.samples.shape[1]
    x, y = judged.samples.argmax(axis=1), judged.reference.argmax(axis=1)
    a, b = np.bincount(x, minlength=k), np.bincount(y, minlength=k)
    n, m = len(x), len(y)
    dealt = np.random.default_rng(seed).multivariate_hypergeometric(
        a + b, n, size=DEALS, method="marginals"
    )
    noise = 0.5 * np.abs(dealt / n - (a + b - dealt) / m).sum(axis=1)
    sign = 0.5 * np.sign(a / n - b / m)
    terms = Terms.of_mean(judged.ids[0], sign[x]), Terms.of_mean(judged.ids[1], -sign[y])
    value = 0.5 * float(np.abs(a / n - b / m).sum())
    # equal shares have no slope, and the spread among divisions is all there is
    stderr = max(math.sqrt(terms[0].variance + terms[1].variance), float(noise.std(ddof=1)))
    reach = normal_quantile() * stderr
    score = replace(
        judged.score(VARIATION),
        value=value,
        low=max(0.0, value - reach),
        high=min(1.0, value + reach),
        stderr=stderr,
        null=float(noise.mean()),
    )
    return Measured(score, *terms)


def inception_value(p: np.ndarray) -> float:
    """Return `exp(mean_i KL(p_i | mean_j p_j))` of probabilities (n, classes) (Salimans et al.
    2016, section 4).

    Example:
        >>> round(inception_value(np.eye(3)), 9), inception_value(np.full((4, 3), 1 / 3))
        (3.0, 1.0)
    """
    return float(np.exp(_entropy(p.mean(axis=0)) - _entropy(p).mean()))


def _entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1))


def inception_score(judged: Judged) -> Measured:
    """Score `inception_value` of samples; null: that of reference examples; interval: a jackknife's
    over 20 blocks.

    It rises with clear and with varied classes and sees nothing within a class; a sampler that
    beats real examples draws them too clearly.

    Example:
        >>> score = inception_score(Judged.of_classes(np.repeat([0, 1], 50), np.arange(99) % 3, 3)).score
        >>> round(score.value, 4), round(score.null, 4)
        (2.0, 3.0)
    """
    value, stderr, reach, terms = _resampled(judged.samples, judged.ids[0])
    real, real_stderr, _, _ = _resampled(judged.reference, judged.ids[1])
    score = replace(
        judged.score(INCEPTION),
        value=value,
        low=max(1.0, value - reach),
        high=value + reach,
        stderr=stderr,
    )
    beyond = "clearer or more evenly spread classes than real data's, so higher is not better beyond their value"
    return Measured(against_real(score, real, real_stderr, beyond), terms)


def _resampled(p: np.ndarray, ids: np.ndarray) -> tuple[float, float, float, Terms]:
    place = (hashed(ids, BLOCKED) % np.uint64(BLOCKS)).astype(np.int64)
    there, sizes = np.unique(place, return_counts=True)
    value = inception_value(p)
    without = np.array([inception_value(p[place != k]) for k in there])
    found = jackknife(value, without, np.full(len(there), value), sizes=(sizes, sizes))
    return value, found.stderr, found.reach, Terms(there, found.first)


def label_accuracy(
    judged: Judged, labels: np.ndarray, real_labels: np.ndarray | None = None
) -> Measured:
    """Score how often the judge sees the class that a sample was drawn for; null and ceiling: how
    often it does for real examples.

    The interval is Wilson's. Samples and reference examples without a label are left out.

    Args:
        judged: what the judge saw.
        labels: the class asked for of each sample, -1 where none was; shape (n,).
        real_labels: true class of each reference example, -1 where it is unknown; shape (m,).

    Raises:
        BadInput: fewer than 20 samples with a label, or labels that the judge has no class for.

    Example:
        >>> asked = np.arange(100) % 4
        >>> label_accuracy(Judged.of_classes(asked.clip(max=2), asked, 4), asked, asked).score.value
        0.75
    """
    right = _right(judged.samples, labels, "samples with a label")
    ids = judged.ids[0][labels != NO_LABEL]
    low, high = wilson(int(right.sum()), len(right))
    known, known_stderr = None, None
    if real_labels is not None and int((real_labels != NO_LABEL).sum()) >= AT_LEAST:
        real = _right(judged.reference, real_labels, "reference examples with a label")
        known, known_stderr = float(real.mean()), rate_stderr(float(real.sum()), len(real))
    rate = float(right.mean())
    score = replace(
        judged.score(ACCURACY),
        n=len(right),
        value=rate,
        low=low,
        high=high,
        stderr=rate_stderr(float(right.sum()), len(right)),
        null=known,
        null_stderr=known_stderr,
        ceiling=known,
    )
    return Measured(score, Terms.of_mean(ids, right.astype(np.float64)))


def _right(p: np.ndarray, labels: np.ndarray, role: str) -> np.ndarray:
    there = labels != NO_LABEL
    require(int(there.sum()), AT_LEAST, role)
    asked = labels[there]
    if asked.min() < 0 or asked.max() >= p.shape[1]:
        raise BadInput(
            f"labels from {asked.min()} to {asked.max()}",
            f"0 to {p.shape[1] - 1}",
            "as the judge counts",
        )
    return p[there].argmax(axis=1) == asked


class RareClassRecall(ClassMetric):
    """`rare_class_recall` of the rows kept."""

    def judged(self, judged: Judged, kept: Kept) -> Measured:
        """Return one score."""
        return rare_class_recall(judged)


class ClassVariation(ClassMetric):
    """`class_variation` of the rows kept."""

    def judged(self, judged: Judged, kept: Kept) -> Measured:
        """Return one score."""
        return class_variation(judged, self.seed)


class InceptionScore(ClassMetric):
    """`inception_score` of the rows kept."""

    def judged(self, judged: Judged, kept: Kept) -> Measured:
        """Return one score."""
        return inception_score(judged)


class LabelAccuracy(ClassMetric):
    """`label_accuracy` of the rows kept, with the labels they came with."""

    def judged(self, judged: Judged, kept: Kept) -> Measured:
        """Return one score."""
        return label_accuracy(
            judged, kept.labels("samples", self.view), kept.labels("reference", self.view)
        )

    def compute(self, kept: Kept) -> list[Measured]:
        """Return one score, none of samples that nothing was asked of."""
        asked = kept.labels("samples", self.view) != NO_LABEL
        return super().compute(kept) if int(asked.sum()) >= AT_LEAST else []


def _judged_by(kind: type[ClassMetric]) -> Callable[[CardSetting], list[Statistic]]:
    def on(card: CardSetting) -> list[Statistic]:
        assert card.judge is not None
        return [kind(card.judge, card.reference_name, card.seed)]

    return on


LABEL_ACCURACY = Metric.of(ACCURACY, _judged_by(LabelAccuracy), "judge")
RARE_CLASS_RECALL = Metric.of(RARE, _judged_by(RareClassRecall), "judge")
CLASS_VARIATION = Metric.of(VARIATION, _judged_by(ClassVariation), "judge")
INCEPTION_SCORE = Metric.of(INCEPTION, _judged_by(InceptionScore), "judge")
