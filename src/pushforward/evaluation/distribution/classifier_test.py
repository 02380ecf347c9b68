"""Classifier two-sample test: can a classifier tell the samples from real examples?

Two ideas: a classifier is fitted on one half and judged on the other, so its right answers are
independent coin flips and the binomial is exact; cross-fitting would judge every example, but its
folds are dependent: measured on Gaussians, its binomial 95 % interval covers 88-91 % and its 5 %
test rejects 8 % of equal pairs.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample

CLASSIFIER = Measure(
    "classifier two-sample accuracy",
    "A classifier is trained to tell samples from real data, and tried on examples that it has not seen.",
    "Told apart by a classifier",
    "0.5 = guessing",
    DISTANCE,
    at_most=1.0,
)

AT_LEAST = 20
MOST = 2000  # the support vector machine takes time proportional to the square or more


def halves(n: int, m: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return which of n and of m rows a classifier is fitted on and judged on: `fit_x, judge_x,
    fit_y, judge_y`.

    Both sides are cut at random to the size of the smaller one, so that a coin is right half of the
    time.

    Example:
        >>> [len(rows) for rows in halves(9, 6, seed=0)]
        [3, 3, 3, 3]
    """
    rng = np.random.default_rng(seed)
    size = min(n, m)
    x, y = rng.permutation(n)[:size], rng.permutation(m)[:size]
    half = size // 2
    return x[:half], x[half:], y[:half], y[half:]


def held_out_margins(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the margins (positive: looks like `x`) of the judged half of each side, from a
    classifier fitted on the other half.

    The classifier is a support vector machine with a Gaussian kernel on standardised features.

    Args:
        x: rows (n, d).
        y: rows (m, d).
        seed: seed of the cut.
    """
    fit_x, judge_x, fit_y, judge_y = halves(len(x), len(y), seed)
    classifier = make_pipeline(StandardScaler(), SVC(kernel="rbf", C=1.0))
    classifier.fit(np.concatenate([x[fit_x], y[fit_y]]), np.repeat([1, 0], len(fit_x)))
    return classifier.decision_function(x[judge_x]), classifier.decision_function(y[judge_y])


def classifier_test(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    seed: int = 0,
) -> Score:
    """Return the held-out accuracy of a classifier of samples against reference (Lopez-Paz & Oquab
    2017); null 0.5.

    `n` is the number of samples that were judged; as many reference examples were. The interval is
    Wilson's. An accuracy of 0.5 proves nothing but that this classifier on these features sees no
    difference.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        seed: seed of the halves.

    Raises:
        BadInput: fewer than 20 rows on a side, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> s = classifier_test(x[:200] + 3.0, x[200:], "identity")
        >>> s.n, s.value > 0.9, p_value(s) < 1e-9
        (100, True, True)
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    return _measure(
        samples, reference, MeasuredOn(features, fingerprint, reference_name), seed, ids
    ).score


def _measure(
    samples: np.ndarray,
    reference: np.ndarray,
    on: MeasuredOn,
    seed: int,
    ids: tuple[np.ndarray, np.ndarray],
) -> Measured:
    x, y = two_samples(samples, reference, AT_LEAST)
    margins_x, margins_y = held_out_margins(x, y, seed)
    right_x, right_y = margins_x > 0, margins_y <= 0
    judged = 2 * len(right_x)
    right = int(right_x.sum() + right_y.sum())
    low, high = wilson(right, judged)
    accuracy = right / judged
    stderr = math.sqrt(accuracy * (1 - accuracy) / judged)
    score = on.score(
        CLASSIFIER, accuracy, len(right_x), low=low, high=high, stderr=stderr, null=0.5
    )
    # the accuracy is the average of two rates, one of either side
    _, judge_x, _, judge_y = halves(len(x), len(y), seed)
    sides = [
        Terms.of_mean(i, 0.5 * r)
        for i, r in ((ids[0][judge_x], right_x), (ids[1][judge_y], right_y))
    ]
    return Measured(score, *sides)


class ClassifierTest(TwoSample):
    """The classifier two-sample test of 2,000 rows of a side at most, with terms of the examples
    that were judged.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(400, 2)), np.arange(200)
        >>> (m,) = ClassifierTest(DATA).measure(x[:200] + 3.0, x[200:], ids, ids)
        >>> m.score.value > 0.9, m.samples.terms.shape
        (True, (100,))
    """

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the held-out accuracy."""
        return [_measure(x[:MOST], y[:MOST], self.on, self.seed, (x_ids[:MOST], y_ids[:MOST]))]


METRIC = Metric.of(
    CLASSIFIER,
    lambda card: [
        ClassifierTest(card.features[0], card.reference_name, derive_seed(card.seed, "halves"))
    ],
)


def p_value(score: Score) -> float:
    """Return the exact one-sided binomial p value of a `classifier_test` score: `P(X >= right)`, X
    ~ Binomial(2n, 1/2)."""
    judged = 2 * score.n
    return float(stats.binom.sf(round(score.value * judged) - 1, judged, 0.5))
