"""Are predicted laws of numbers right, and do their intervals hold what they promise?

One idea: a law is judged as a whole (CRPS), by its middle (absolute and squared error) and by how
often its interval holds the truth, beside what the training values alone get.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.prediction.measures import (
    ABSOLUTE_ERROR,
    COVERAGE,
    CRPS,
    ROOT_MEAN_SQUARE,
)
from pushforward.evaluation.prediction.over_cases import MeanOver, mean_over


@dataclass(frozen=True)
class PredictedNumbers:
    """Laws of n numbers.

    Attributes:
        mean: (n,).
        quantiles: (n, 3), at 5 %, 50 % and 95 %.
        points: (n, m), in order and equally probable.
    """

    mean: np.ndarray
    quantiles: np.ndarray
    points: np.ndarray


def crps(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of laws that m equally probable points stand
    for.

    `CRPS = int (F(z) - 1[z >= y])^2 dz = E|X - y| - E|X - X'| / 2` (Gneiting and Raftery 2007,
    equation 21), X and X' of the law.

    Shapes: points (n, m) in order, truth (n,).

    Example:
        >>> crps(np.array([[1.0, 3.0]]), np.array([2.0])).tolist()
        [0.5]
    """
    m = points.shape[1]
    apart = np.abs(points - truth[:, None]).mean(1)
    weights = (2 * np.arange(m) - m + 1) / m**2  # sum_ij |x_i - x_j| / 2 m^2, of points in order
    return apart - (points * weights).sum(1)


def number_scores(
    law: PredictedNumbers,
    truth: np.ndarray,
    training: np.ndarray | None,
    cases: np.ndarray | None = None,
) -> list[Score]:
    """Return CRPS, the errors of median and mean, and the coverage of the 90 % interval.

    Args:
        training: numbers of the training data, whose law by itself is the bad model; None = not
            known.
        cases: of the rows; errors are over them.
    """
    n = len(truth)
    floors = _of_training(truth, training, law.points.shape[1])
    ranked = mean_over(crps(law.points, truth), cases)
    absolute = mean_over(np.abs(law.quantiles[:, 1] - truth), cases)
    squares, low, high, stderr = mean_over((law.mean - truth) ** 2, cases)
    root = math.sqrt(squares)
    low, high = (None if end is None else math.sqrt(max(0.0, end)) for end in (low, high))
    rooted = Score(ROOT_MEAN_SQUARE, root, n, low, high, floor=floors[2])
    spread = None if stderr is None or root == 0.0 else stderr / (2 * root)
    inside = (law.quantiles[:, :1] <= law.points) & (law.points <= law.quantiles[:, 2:])
    held = (law.quantiles[:, 0] <= truth) & (truth <= law.quantiles[:, 2])
    rate, low, high, error = mean_over(held.astype(np.float64), cases)
    low, high = (None if e is None else min(1.0, max(0.0, e)) for e in (low, high))
    return [
        _score(CRPS, n, ranked, floors[0]),
        _score(ABSOLUTE_ERROR, n, absolute, floors[1]),
        replace(rooted, stderr=spread),
        Score(COVERAGE, rate, n, low, high, error, null=float(inside.mean())),
    ]


def _score(measure: Measure, n: int, found: MeanOver, floor: float | None) -> Score:
    mean, low, high, stderr = found
    return Score(measure, mean, n, low, high, stderr, floor=floor)


def _of_training(
    truth: np.ndarray, training: np.ndarray | None, count: int
) -> tuple[float | None, float | None, float | None]:
    """Return CRPS, absolute error and root mean square error of the training numbers' own law."""
    if training is None or not len(training):
        return None, None, None
    even = np.quantile(training, (np.arange(count) + 0.5) / count, method="inverted_cdf")
    ranked = crps(np.tile(even, (len(truth), 1)), truth)
    absolute = np.abs(np.median(training) - truth)
    square = (training.mean() - truth) ** 2
    return float(ranked.mean()), float(absolute.mean()), math.sqrt(float(square.mean()))
