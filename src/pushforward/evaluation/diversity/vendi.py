"""Vendi score: how many different things a sample effectively holds.

Two ideas: the exponential of an entropy counts what is different, whatever it is called; the
eigenvalues of n x n similarities are those of the d x d second moment of normalised rows, which is
small and adds up over blocks.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import DIVERSITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, two_samples
from pushforward.evaluation.intervals import Jackknife, jackknife
from pushforward.evaluation.measuring.batch import hashed
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.real import against_real
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample
from pushforward.evaluation.measuring.summaries import BLOCKED, BLOCKS, KEPT

VENDI = Measure(
    "vendi score",
    "How many clearly different things the samples amount to.",
    "Different things",
    "a count",
    DIVERSITY,
    better="higher",
)
BEYOND = "more diverse than real data: noise is, so higher is not better beyond real data's value"


def vendi(rows: np.ndarray) -> float:
    """Return the Vendi score of rows (n, d) under the cosine kernel, between 1 and min(n, d).

    `exp(-sum_i l_i log l_i)` with l the eigenvalues of K / n (Friedman & Dieng 2023, definition
    3.1) and `K_ij = x_i . x_j / (|x_i| |x_j|)`.

    Raises:
        BadInput: a row of zeros, which has no direction.

    Example:
        >>> round(vendi(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 1.0]])), 9)
        2.0
    """
    directions = _directions(as_rows(rows))
    return _effective(directions.T @ directions / len(rows))


def _effective(second_moment: np.ndarray) -> float:
    values = np.linalg.eigvalsh(second_moment)
    positive = values[values > 0]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def _directions(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not length.all():
        raise BadInput(
            f"{int((length == 0).sum())} rows of zeros",
            "rows with a direction",
            "measure on features that are not zero",
        )
    return rows / length


def _resampled(rows: np.ndarray, ids: np.ndarray) -> tuple[Jackknife, np.ndarray]:
    """Leave out each block of hashed identities."""
    directions = _directions(rows)
    place = (hashed(ids, BLOCKED) % np.uint64(BLOCKS)).astype(np.int64)
    there, sizes = np.unique(place, return_counts=True)
    parts = [directions[place == k] for k in there]
    moments = [part.T @ part for part in parts]
    whole = np.sum(moments, axis=0)
    without = np.array(
        [_effective((whole - m) / (len(rows) - s)) for m, s in zip(moments, sizes, strict=True)]
    )
    value = _effective(whole / len(rows))
    # the other side of the two-sample jackknife is constant
    return jackknife(value, without, np.full(len(there), value), sizes=(sizes, sizes)), there


def measure_vendi(
    samples: np.ndarray, reference: np.ndarray, ids: tuple[np.ndarray, np.ndarray], on: MeasuredOn
) -> Measured:
    """Return `vendi_score` with what each block of samples contributes to its error; `ids` tell the
    rows of either side apart."""
    x, y = two_samples(samples, reference, 2 * BLOCKS)
    size = min(len(x), len(y))
    sides = []
    for rows, names in zip((x, y), ids, strict=True):
        chosen = np.argsort(hashed(names, KEPT), kind="stable")[:size]
        sides.append(_resampled(rows[chosen], names[chosen]))
    (own, places), (real, _) = sides
    low, high = max(1.0, own.value - own.reach), own.value + own.reach
    score = on.score(
        VENDI, own.value, size, low=low, high=high, stderr=own.stderr, unit="effective examples"
    )
    return Measured(against_real(score, real.value, real.stderr, BEYOND), Terms(places, own.first))


def vendi_score(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Score the effective number of different examples; null: that of equally many reference
    examples.

    The larger side is cut to the size of the smaller one, since the score grows with n. The
    interval is a jackknife's over 20 blocks, for the average score at this size.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.

    Raises:
        BadInput: fewer than 40 rows on a side, a row of zeros, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 4))
        >>> s = vendi_score(x[:200] * [3, 1, 1, 1], x[200:], "identity")
        >>> s.high < s.null < 4.0
        True
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    return measure_vendi(
        samples, reference, ids, MeasuredOn(features, fingerprint, reference_name)
    ).score


class Vendi(TwoSample):
    """`vendi_score` of the rows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return one score."""
        return [measure_vendi(x, y, (x_ids, y_ids), self.on)]


METRIC = Metric.of(VENDI, lambda card: [Vendi(card.features[0], card.reference_name)])
