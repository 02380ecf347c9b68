"""The entropy of a text's own tokens.

One idea: a sampler that draws colder than it says writes probable text of few different tokens, so
the entropy of a window's own tokens stands beside whatever calls it good.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import TEXT, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.intervals import normal_quantile
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Measured,
    MeasuredOn,
    Terms,
    TwoSample,
    View,
)

ENTROPY = Measure(
    "entropy gap",
    "How varied the characters of one sample are, beside real text.",
    "Variety within a text",
    "bits",
    TEXT,
)


def token_entropy(windows: np.ndarray) -> np.ndarray:
    """Return the entropy of the tokens within each window, in bits: `-sum_v f_v log2 f_v` for
    frequencies f, shape (n,).

    Example:
        >>> token_entropy(np.array([[0, 1, 2, 3], [5, 5, 5, 5]])).tolist()
        [2.0, 0.0]
    """
    rows = np.sort(as_rows(windows).astype(np.int64), axis=1)
    n, length = rows.shape
    # a token that occurs c times adds c log2 c: counted at the end of its run in the sorted window
    last = np.concatenate([rows[:, 1:] != rows[:, :-1], np.ones((n, 1), dtype=bool)], axis=1)
    row, place = np.nonzero(last)
    first = np.concatenate([[True], row[1:] != row[:-1]])
    runs = (place - np.where(first, -1, np.concatenate([[-1], place[:-1]]))).astype(np.float64)
    spent = np.bincount(row, weights=runs * np.log2(runs), minlength=n)
    return math.log2(length) - spent / length


def entropy_gap(samples: np.ndarray, reference: np.ndarray, reference_name: str = "test") -> Score:
    """Score how far the mean entropy of a sample's tokens is from that of real windows, in bits;
    null 0, though chance is above it.

    Example:
        >>> same, few = np.tile(np.arange(4), (9, 1)), np.zeros((9, 4))
        >>> entropy_gap(few, same).value, entropy_gap(same, same).value
        (2.0, 0.0)
    """
    x, y = (
        token_entropy(as_rows(samples, "samples", at_least=2)),
        token_entropy(as_rows(reference, at_least=2)),
    )
    stderr = math.hypot(
        float(x.std(ddof=1)) / math.sqrt(len(x)), float(y.std(ddof=1)) / math.sqrt(len(y))
    )
    gap, reach = float(x.mean() - y.mean()), normal_quantile() * stderr
    said = f"a sample's tokens have {x.mean():.3f} bits of entropy, those of {reference_name} {y.mean():.3f}"
    return MeasuredOn("tokens of a window", reference=reference_name).score(
        ENTROPY,
        abs(gap),
        len(x),
        low=max(0.0, abs(gap) - reach),
        high=abs(gap) + reach,
        stderr=stderr,
        null=0.0,
        unit="bits",
        warnings=(said,),
    )


class EntropyGap(TwoSample):
    """`entropy_gap` of the windows kept.

    Example:
        >>> x = np.random.default_rng(0).integers(0, 5, size=(40, 8))
        >>> EntropyGap().measure(x, x, np.arange(40), np.arange(40))[0].score.value
        0.0
    """

    def __init__(self, view: View = DATA, reference_name: str = "test", seed: int = 0) -> None:
        super().__init__(view, reference_name, seed)

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the gap."""
        score = entropy_gap(x, y, self.reference_name)
        sign = float(np.sign(token_entropy(x).mean() - token_entropy(y).mean()))
        sides = [
            Terms.of_mean(i, s * token_entropy(w))
            for i, s, w in ((x_ids, sign, x), (y_ids, -sign, y))
        ]
        return [Measured(score, *sides)]


METRIC = Metric.of(
    ENTROPY, lambda card: [EntropyGap(reference_name=card.reference_name)], spaces=("text",)
)
