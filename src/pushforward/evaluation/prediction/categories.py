"""Are predicted probabilities of categories right, and are they as sure as they say?

Two ideas: rules that only the true probabilities minimise (log loss, Brier) say how good they are,
beside what frequencies alone get; calibration is held against what a predictor of these very
probabilities shows that is perfectly calibrated, because bins of few rows never agree exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.evaluation.intervals import t_quantile, wilson
from pushforward.evaluation.prediction.measures import (
    ACCURACY,
    AUC,
    BRIER,
    CALIBRATION_ERROR,
    LOG_LOSS,
)
from pushforward.evaluation.prediction.over_cases import mean_over, reach_of, totals

MOST_BINS, FEWEST_IN_A_BIN = 15, 20
SIMULATED = 400
BLOCKS = 20


@dataclass(frozen=True)
class Bin:
    """Predictions of about one confidence: how sure they are, and how often they are true.

    Attributes:
        low, high: Wilson's 95 % interval of the share that is true.
    """

    confidence: float
    true: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """Whether predictions are as often true as they say.

    Attributes:
        score: the expected calibration error, with its null.
        p_value: the share of perfectly calibrated predictors with these probabilities that miss by
            as much.
    """

    score: Score
    bins: tuple[Bin, ...]
    p_value: float


def category_scores(
    p: np.ndarray,
    truth: np.ndarray,
    frequencies: np.ndarray | None,
    cases: np.ndarray | None = None,
) -> list[Score]:
    """Return log loss, Brier score, accuracy and area under the curve, beside what frequencies get.

    Args:
        p: (n, categories), rows sum to one.
        truth: (n,), indices.
        frequencies: of the categories in the training data, (categories,); None = not known.
        cases: of the rows; errors are over them.

    Example:
        >>> p = np.array([[0.8, 0.2], [0.4, 0.6], [0.6, 0.4]])
        >>> [round(s.value, 3) for s in category_scores(p, np.array([0, 1, 1]), None)]
        [0.55, 0.373, 0.667, 1.0]
    """
    losses = _losses(p, truth)
    usual = None if frequencies is None else _losses(np.tile(frequencies, (len(p), 1)), truth)
    found = []
    for place, measure in enumerate((LOG_LOSS, BRIER, ACCURACY)):
        mean, low, high, stderr = mean_over(losses[place], cases)
        floor = None if usual is None else float(usual[place].mean())
        unit = "nats/row" if measure is LOG_LOSS else ""
        score = Score(measure, mean, len(p), low, high, stderr, floor=floor, unit=unit)
        if measure is ACCURACY and cases is None:
            low, high = wilson(float(losses[place].sum()), len(p))
            score = replace(score, low=low, high=high)
        if not math.isfinite(mean):
            warning = "a category that came true had no probability"
            score = replace(score, warnings=(warning,))
        found.append(score)
    return [*found, *area_under_curve(p, truth, cases)]


def _losses(p: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.arange(len(p))
    with np.errstate(divide="ignore"):
        log_loss = -np.log(p[rows, truth])
    brier = (p**2).sum(1) - 2 * p[rows, truth] + 1
    return log_loss, brier, (p.argmax(1) == truth).astype(np.float64)


def area_under_curve(
    p: np.ndarray, truth: np.ndarray, cases: np.ndarray | None = None
) -> list[Score]:
    """Return the mean area under the curves of every category against the others; nothing where one
    category alone came true.

    The area of a category is the share of pairs of a row of it and another one in which the first
    has the larger probability of it, a tie counting half; the influence of a row is its share of
    such pairs less the area (DeLong, DeLong and Clarke-Pearson 1988).
    """
    present = [c for c in range(p.shape[1]) if 0 < (truth == c).sum() < len(truth)]
    if not present:
        return []
    areas, influence = [], np.zeros(len(p))
    for c in present:
        own = truth == c
        m, k = int(own.sum()), int((~own).sum())
        ranks = stats.rankdata(p[:, c])
        # pairs that a row wins: below it among the others, or above it among its own
        wins = np.empty(len(p))
        wins[own] = (ranks[own] - stats.rankdata(p[own, c])) / k
        wins[~own] = 1.0 - (ranks[~own] - stats.rankdata(p[~own, c])) / m
        area = float(wins[own].mean())
        areas.append(area)
        influence += np.where(own, (wins - area) / m, (wins - area) / k) / len(present)
    value = float(np.mean(areas))
    stderr, reach = reach_of(influence, cases)
    if math.isnan(stderr):
        return [Score(AUC, value, len(p), floor=0.5)]
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    return [Score(AUC, value, len(p), low, high, stderr, floor=0.5)]


def calibration(
    p: np.ndarray, truth: np.ndarray, seed: int = 0, cases: np.ndarray | None = None
) -> Calibration | None:
    """Return the expected calibration error of the most probable category (Guo et al. 2017) in bins
    of equally many rows, with its null; None for too few rows for two bins.

    `ECE = sum_b n_b / n |share true in b - mean confidence in b|`. Its null is the mean over
    predictors whose truth is drawn from these very probabilities; its interval is from a
    delete-a-block jackknife with fixed bins.

    Args:
        seed: of the simulated predictors.
    """
    n = len(p)
    count = min(MOST_BINS, n // FEWEST_IN_A_BIN)
    if count < 2:
        return None
    best = p.argmax(1)
    sure = p[np.arange(n), best]
    place = np.empty(n, dtype=np.int64)
    place[np.argsort(sure, kind="stable")] = np.arange(n) * count // n
    hit = (best == truth).astype(np.float64)
    value = _error(hit - sure, place, count)
    rng = np.random.default_rng(derive_seed(seed, "calibration"))
    drawn = np.array(
        [_error((rng.random(n) < sure) - sure, place, count) for _ in range(SIMULATED)]
    )
    stderr, reach = _jackknifed(hit - sure, place, count, cases)
    null, spread = float(drawn.mean()), float(drawn.std(ddof=1))
    ends = (max(0.0, value - reach), value + reach) if math.isfinite(reach) else (None, None)
    score = Score(
        CALIBRATION_ERROR,
        value,
        n,
        *ends,
        stderr,
        null=null,
        null_stderr=spread,
        setting=f"{count} bins",
    )
    p_value = (1 + int((drawn >= value).sum())) / (1 + SIMULATED)
    return Calibration(score, tuple(_bins(sure, hit, place, count)), p_value)


def _error(excess: np.ndarray, place: np.ndarray, count: int) -> float:
    return float(np.abs(np.bincount(place, weights=excess, minlength=count)).sum()) / len(excess)


def _jackknifed(
    excess: np.ndarray, place: np.ndarray, count: int, cases: np.ndarray | None
) -> tuple[float, float]:
    """Return the standard error, and the half-width of a 95 % interval."""
    owners = np.arange(len(excess)) if cases is None else np.unique(cases, return_inverse=True)[1]
    owners = owners.reshape(-1)
    blocks = min(BLOCKS, int(owners.max()) + 1)
    if blocks < 2:
        return math.nan, math.nan
    block = owners % blocks
    values = np.array([_error(excess[block != b], place[block != b], count) for b in range(blocks)])
    stderr = math.sqrt((blocks - 1) / blocks * float(((values - values.mean()) ** 2).sum()))
    return stderr, t_quantile(blocks - 1) * stderr


def _bins(sure: np.ndarray, hit: np.ndarray, place: np.ndarray, count: int) -> Sequence[Bin]:
    found = []
    sizes, true = np.bincount(place, minlength=count), totals(hit, place)
    for b in range(count):
        low, high = wilson(float(true[b]), int(sizes[b]))
        mean = float(sure[place == b].mean())
        found.append(Bin(mean, float(true[b] / sizes[b]), low, high, int(sizes[b])))
    return found
