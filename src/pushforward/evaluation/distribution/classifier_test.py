"""Classifier two-sample test: can a classifier tell the samples from real examples?

Two ideas: a classifier is fitted on one half and judged on the other, so its right answers are independent coin flips and the
binomial is exact; cross-fitting would judge every example, but its folds are dependent: measured on Gaussians, its binomial 95 %
interval covers 88-91 % and its 5 % test rejects 8 % of equal pairs.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.intervals import wilson

AT_LEAST = 20


def held_out_margins(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the margins (positive: looks like `x`) of the judged half of each side, from a classifier fitted on the other half.

    Both sides are cut at random to the size of the smaller one, so that a coin is right half of the time. The classifier is a
    support vector machine with a Gaussian kernel on standardised features.

    Args:
        x: rows (n, d).
        y: rows (m, d).
        seed: seed of the cut.
    """
    rng = np.random.default_rng(seed)
    size = min(len(x), len(y))
    x, y = x[rng.permutation(len(x))[:size]], y[rng.permutation(len(y))[:size]]
    half = size // 2
    labels = np.repeat([1, 0], half)
    classifier = make_pipeline(StandardScaler(), SVC(kernel="rbf", C=1.0))
    classifier.fit(np.concatenate([x[:half], y[:half]]), labels)
    return classifier.decision_function(x[half:]), classifier.decision_function(y[half:])


def classifier_test(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    seed: int = 0,
) -> Score:
    """Return the held-out accuracy of a classifier of samples against reference (Lopez-Paz & Oquab 2017); null 0.5.

    `n` is the number of samples that were judged; as many reference examples were. The interval is Wilson's. An accuracy of 0.5
    proves nothing but that this classifier on these features sees no difference.

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
    x = as_rows(samples, "samples", at_least=AT_LEAST)
    y = as_rows(reference, "reference examples", at_least=AT_LEAST)
    same_width(x, y)
    margins_x, margins_y = held_out_margins(x, y, seed)
    judged = 2 * len(margins_x)
    right = int((margins_x > 0).sum() + (margins_y <= 0).sum())
    low, high = wilson(right, judged)
    accuracy = right / judged
    return Score(
        f"classifier two-sample accuracy [{features}] vs {reference_name}",
        accuracy,
        n=len(margins_x),
        better="lower",
        low=low,
        high=high,
        stderr=math.sqrt(accuracy * (1 - accuracy) / judged),
        null=0.5,
        features=fingerprint,
    )


def p_value(score: Score) -> float:
    """Return the exact one-sided binomial p value of a `classifier_test` score: `P(X >= right)`, X ~ Binomial(2n, 1/2)."""
    judged = 2 * score.n
    return float(stats.binom.sf(round(score.value * judged) - 1, judged, 0.5))
