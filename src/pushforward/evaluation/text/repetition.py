"""Text that loops.

One idea: likelihood-trained models drawn from greedily fall into loops, which show as n-grams of a
window that occurred earlier in the same window.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import TEXT, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import same_width
from pushforward.evaluation.intervals import mean_interval
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.real import against_real
from pushforward.evaluation.measuring.statistic import DATA, Measured, MeasuredOn, Terms, TwoSample
from pushforward.evaluation.text.ngrams import as_tokens, distinct_in_rows, ngrams

REPETITION = Measure(
    "repeated 4-grams",
    "How much of a sample repeats what it has already said.",
    "Loops",
    "share of phrases",
    TEXT,
)
ORDER = 4


def repeated_share(windows: np.ndarray, n: int = ORDER) -> np.ndarray:
    """Return the share of each window's n-grams that repeat an earlier one of it, shape (rows,).

    `1 - |distinct n-grams| / |n-grams|` (Welleck et al. 2020, seq-rep-n).

    Raises:
        BadInput: windows shorter than n, or no tokens.

    Example:
        >>> repeated_share(np.array([[1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6]])).round(3).tolist()
        [0.667, 0.0]
    """
    codes = ngrams(as_tokens(windows, length=n), n)
    return 1.0 - distinct_in_rows(codes) / codes.shape[1]


def measure_repetition(
    samples: np.ndarray, reference: np.ndarray, ids: np.ndarray, reference_name: str = "test"
) -> Measured:
    """Return `repetition_score` with what every window contributes to its error."""
    x = as_tokens(samples, "samples", 2, ORDER)
    y = as_tokens(reference, "reference examples", 2, ORDER)
    same_width(x, y)
    own, real = repeated_share(x), repeated_share(y)
    value, low, high, stderr = mean_interval(own)
    on = MeasuredOn("tokens of a window", reference=reference_name)
    score = on.score(
        REPETITION, value, len(own), low=max(0.0, low), high=min(1.0, high), stderr=stderr
    )
    expected, _, _, real_stderr = mean_interval(real)
    beyond = "fewer repetitions than real text has, which repeats itself where the matter does"
    return Measured(against_real(score, expected, real_stderr, beyond), Terms.of_mean(ids, own))


def repetition_score(
    samples: np.ndarray, reference: np.ndarray, reference_name: str = "test"
) -> Score:
    """Score the mean share of 4-grams of a window that repeat an earlier one of it; null: that of
    real windows.

    The interval is Student's over windows.

    Args:
        samples: windows of the model's tokens, shape (n, length).
        reference: real windows, shape (m, length).
        reference_name: which split `reference` is.

    Raises:
        BadInput: fewer than two windows on a side, fewer than 4 tokens in a window, or different
            lengths.

    Example:
        >>> loops = np.tile([3, 1, 4, 1, 5], (9, 3))
        >>> s = repetition_score(loops, np.arange(135).reshape(9, 15))
        >>> round(s.value, 4), s.null
        (0.5833, 0.0)
    """
    return measure_repetition(samples, reference, np.arange(len(samples)), reference_name).score


class Repetition(TwoSample):
    """`repetition_score` of the windows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return one score."""
        return [measure_repetition(x, y, x_ids, self.reference_name)]


METRIC = Metric.of(
    REPETITION, lambda card: [Repetition(DATA, card.reference_name)], spaces=("text",)
)
