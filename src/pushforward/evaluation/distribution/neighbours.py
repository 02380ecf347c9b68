"""Precision, recall, density and coverage from nearest-neighbour balls.

Three ideas: a ball around an example reaches to its k-th nearest *other* example of the same set,
and an example is covered if it lies strictly inside; three sets of distances (real, generated,
between) are looked at once each; the terms of one example depend on its neighbours, so a binomial
error is too small by a factor of up to two, and subsampling says by how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist

from pushforward.core.errors import BadInput
from pushforward.core.measure import FIDELITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, require, same_width
from pushforward.evaluation.distances import kth_neighbour, members
from pushforward.evaluation.distribution.subsampling import (
    BLOCKS,
    REACH,
    block_sizes,
    subsampled_variance,
)
from pushforward.evaluation.intervals import normal_quantile, wilson
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample, View

PRECISION = Measure(
    "precision",
    "How many samples lie where real data lie.",
    "Samples that look real",
    "share of samples",
    FIDELITY,
    better="higher",
    at_most=1.0,
)
RECALL = Measure(
    "recall",
    "How many real examples lie where samples lie.",
    "Real data within reach",
    "share of real data",
    FIDELITY,
    better="higher",
    at_most=1.0,
)
DENSITY = Measure(
    "density",
    "How many samples crowd around each real example; above 1, too many.",
    "Crowding near real data",
    "1 = as real data",
    FIDELITY,
    better="higher",
)
COVERAGE = Measure(
    "coverage",
    "How many real examples have a sample close by.",
    "Real data covered",
    "share of real data",
    FIDELITY,
    better="higher",
    at_most=1.0,
)

LOOKED_AT = 256
CROWDED = "density above 1: the samples crowd where the data are dense, which is not better than 1"


@dataclass(frozen=True)
class Balls:
    """Who lies in whose ball.

    Attributes:
        sample_hits: for each sample, the number of reference balls that contain it, shape (m,).
        recalled: for each reference example, whether some sample ball contains it, shape (n,).
        covered: for each reference example, whether its own ball contains a sample, shape (n,).
    """

    sample_hits: np.ndarray
    recalled: np.ndarray
    covered: np.ndarray

    def terms(self, k: int) -> tuple[np.ndarray, ...]:
        """Return what precision, recall, density and coverage are the means of; shapes (m,), (n,),
        (m,), (n,)."""
        return (
            (self.sample_hits > 0).astype(float),
            self.recalled * 1.0,
            self.sample_hits / k,
            self.covered * 1.0,
        )


def balls(samples: np.ndarray, reference: np.ndarray, k: int) -> Balls:
    """Count ball memberships of samples (m, d) and reference examples (n, d).

    The authors' package `prdc` 0.2 has the same strict inequality. Its distances come from a matrix
    product alone, so it differs where rows lie far from the origin or copies tie, and it needs k +
    2 rows.

    Example:
        >>> found = balls(np.array([[0.4], [9.0]]), np.array([[0.0], [1.0], [9.5]]), 1)
        >>> found.sample_hits.tolist(), found.recalled.tolist(), found.covered.tolist()
        ([2, 1], [True, True, True], [True, True, True])
    """
    reach_reference, reach_samples = kth_neighbour(reference, k), kth_neighbour(samples, k)
    hits = np.zeros(len(samples), dtype=np.int64)
    recalled, covered = np.zeros(len(reference), dtype=bool), np.zeros(len(reference), dtype=bool)
    for (i, j), (i_recalled, _) in members(
        reference, samples, reach_reference[:, None], reach_samples[None]
    ):
        hits += np.bincount(j, minlength=len(samples))
        covered[i] = True
        recalled[i_recalled] = True
    return Balls(hits, recalled, covered)


def coverage_null(n: int, m: int, k: int) -> float:
    """Return the expected coverage of n reference examples by m samples of the same continuous
    distribution.

    `1 - prod_{i=1..k} (n - i) / (n + m - i)`: the chance that not all of the k nearest of the other
    n + m - 1 are reference (Naeem et al. 2020, lemma 2).

    Example:
        >>> round(coverage_null(1000, 1000, 5), 4)
        0.969
    """
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (n - i) / (n + m - i)
    return 1.0 - missed


def ties(reference: np.ndarray, k: int) -> bool:
    """Return whether the edge of some ball goes through several examples, as it does where rows
    repeat or lie on a grid.

    What lies on an edge is in no ball, so equal laws give less than the nulls of continuous ones,
    and only real data say how much.

    Args:
        reference: shape (n, d), of which at most 256 rows are looked at.
        k: the neighbour that sets a ball's radius.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(60, 2))
        >>> ties(x, 5), ties(np.round(x), 5)
        (False, True)
    """
    if len(reference) < k + 2:
        return True
    rows = np.linspace(0, len(reference) - 1, min(len(reference), LOOKED_AT)).astype(np.int64)
    distance = np.sort(
        np.partition(cdist(reference[rows], reference), k + 1, axis=1)[:, : k + 2], axis=1
    )
    edge, beyond = (
        distance[:, k],
        distance[:, k + 1],
    )  # the nearest is the row itself, or a copy of it
    return bool((beyond - edge <= 1e-9 * edge).any())


def neighbour_scores(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    k: int = 5,
    seed: int = 0,
) -> list[Score]:
    """Return precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al.
    2020), in this order.

    Precision and recall have no closed null: read them against the real-versus-real ceiling, which
    is well below 1 in many dimensions. Density has null 1 (where no distances tie) and no upper
    limit: samples shrunk towards the mean score far above 1. See `measure_balls` for the intervals.

    Args:
        samples: features of the model's examples, shape (m, d).
        reference: features of real examples, shape (n, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        k: the neighbour that sets a ball's radius.
        seed: seed of the parts that the intervals are made of.

    Raises:
        BadInput: k < 1, k + 1 examples are not there on both sides, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> [s.value for s in neighbour_scores(x[:100] + 9.0, x[100:], "identity")]
        [0.0, 0.0, 0.0, 0.0]
    """
    x, y = as_rows(samples, "samples"), as_rows(reference, "reference examples")
    ids = np.arange(max(len(x), len(y)))
    on = MeasuredOn(features, fingerprint, reference_name)
    return [m.score for m in measure_balls(x, y, (ids[: len(x)], ids[: len(y)]), k, seed, on)]


def measure_balls(
    x: np.ndarray,
    y: np.ndarray,
    ids: tuple[np.ndarray, np.ndarray],
    k: int,
    seed: int,
    on: MeasuredOn,
) -> list[Measured]:
    """Return precision, recall, density and coverage of samples `x` against reference `y`.

    Every value is the mean of one term for each example: of the samples for precision and density,
    of the reference for recall and coverage. The terms depend on each other: on Gaussians of 2 to
    32 dimensions the true standard error is 1.2 to 2.5 times that of as many coin flips. The
    variance is that of subsampling, at least twice the binomial one; the interval of a rate is
    Wilson's at the number of independent examples that this variance amounts to. It covers what
    this pair of sample sizes gives on average, in 93 to 100 % of the cases. The terms returned are
    scaled to the same variance.

    Raises:
        BadInput: k < 1, fewer than k + 1 examples on a side, or different widths.
    """
    if k < 1:
        raise BadInput(f"k = {k}", "a neighbour from 1 on")
    require(len(x), k + 1, "samples")
    require(len(y), k + 1, "reference examples")
    same_width(x, y)
    terms = balls(x, y, k).terms(k)
    variances = None
    if min(block_sizes(len(x), len(y))) >= 2 * k:
        variances = subsampled_variance(
            lambda a, b: np.array([t.mean() for t in balls(a, b, k).terms(k)]), x, y, seed
        )
    found = []
    nulls = {} if ties(y, k) else {DENSITY: 1.0, COVERAGE: coverage_null(len(y), len(x), k)}
    for place, measure in enumerate((PRECISION, RECALL, DENSITY, COVERAGE)):
        score = on.score(measure, float(terms[place].mean()), len(x), null=nulls.get(measure))
        if variances is None:
            warning = f"no interval from {min(len(x), len(y))} examples; use at least {2 * k * BLOCKS} on either side"
            found.append(Measured(replace(score, warnings=(warning,))))
        else:
            found.append(_with_interval(score, terms[place], float(variances[place]), *ids))
    return found


def _with_interval(
    score: Score, terms: np.ndarray, variance: float, x_ids: np.ndarray, y_ids: np.ndarray
) -> Measured:
    n, value = len(terms), score.value
    is_rate = score.measure != DENSITY
    # a rate of 0 or 1 varies, too: two successes and two failures more (Agresti & Coull 1998)
    smoothed = (int(np.count_nonzero(terms)) + 2) / (n + 4)
    independent = max(smoothed * (1 - smoothed), 0.0 if is_rate else float(terms.var(ddof=1))) / n
    variance = max(variance, 2.0 * independent)
    stderr = math.sqrt(variance)
    if is_rate:
        amount = n * independent / variance * (normal_quantile() / REACH) ** 2
        low, high = wilson(value * amount, amount)
    else:
        low, high = max(0.0, value - REACH * stderr), value + REACH * stderr
    warnings = (CROWDED,) if not is_rate and low > 1.0 else ()
    score = replace(score, low=low, high=high, stderr=stderr, warnings=warnings)
    centred = terms - value
    total = float((centred**2).sum())
    scaled = centred * math.sqrt(variance / total) if total > 0 else centred
    if score.measure in (PRECISION, DENSITY):
        return Measured(score, samples=Terms(x_ids, scaled))
    return Measured(score, reference=Terms(y_ids, scaled))


class NeighbourScores(TwoSample):
    """Precision, recall, density and coverage.

    Args:
        view: features to look at.
        reference_name: which split the reference is.
        seed: seed of the parts that the intervals are made of.
        k: the neighbour that sets a ball's radius.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(200, 2)), np.arange(100)
        >>> [m.score.value for m in NeighbourScores(DATA).measure(x[:100] + 9.0, x[100:], ids, ids)]
        [0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, view: View, reference_name: str = "test", seed: int = 0, k: int = 5) -> None:
        super().__init__(view, reference_name, seed)
        self.k = k

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the four scores with the terms that `measure_balls` describes."""
        return measure_balls(x, y, (x_ids, y_ids), self.k, self.seed, self.on)


METRIC = Metric(
    "nearest neighbours",
    "Who lies in whose ball of nearest neighbours",
    (PRECISION, RECALL, DENSITY, COVERAGE),
    lambda card: [NeighbourScores(card.features[0], card.reference_name)],
)
