"""Precision, recall, density and coverage from nearest-neighbour balls.

Two ideas: a ball around an example reaches to its k-th nearest *other* example of the same set, and an example is covered if it
lies strictly inside; distances come in exact tiles, so that memory is O(tile x n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, require, same_width
from pushforward.evaluation.distances import kth_neighbour, tiles
from pushforward.evaluation.intervals import mean_interval, wilson

APPROXIMATE = "interval approximate: the examples share neighbourhoods and are not independent"


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


def balls(samples: np.ndarray, reference: np.ndarray, k: int) -> Balls:
    """Count ball memberships of samples (m, d) and reference examples (n, d)."""
    reach_reference, reach_samples = kth_neighbour(reference, k), kth_neighbour(samples, k)
    hits = np.zeros(len(samples), dtype=np.int64)
    recalled, covered = np.zeros(len(reference), dtype=bool), np.zeros(len(reference), dtype=bool)
    for rows, distance in tiles(reference, samples):
        inside = distance < reach_reference[rows, None]
        hits += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (distance < reach_samples).any(axis=1)
    return Balls(hits, recalled, covered)


def coverage_null(n: int, m: int, k: int) -> float:
    """Return the expected coverage of n reference examples by m samples of the same continuous distribution.

    `1 - prod_{i=1..k} (n - i) / (n + m - i)`: the chance that not all of the k nearest of the other n + m - 1 are reference.

    Example:
        >>> round(coverage_null(1000, 1000, 5), 4)
        0.969
    """
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (n - i) / (n + m - i)
    return 1.0 - missed


def neighbour_scores(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    k: int = 5,
) -> list[Score]:
    """Return precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020), in this order.

    Precision and recall have no closed null: read them against the real-versus-real ceiling, which is well below 1 in many
    dimensions. Density has null 1 and no upper limit: samples shrunk towards the mean score far above 1.

    Args:
        samples: features of the model's examples, shape (m, d).
        reference: features of real examples, shape (n, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        k: the neighbour that sets a ball's radius.

    Raises:
        BadInput: k < 1, k + 1 examples are not there on both sides, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> [s.value for s in neighbour_scores(x[:100] + 9.0, x[100:], "identity")]
        [0.0, 0.0, 0.0, 0.0]
    """
    if k < 1:
        raise BadInput(f"k = {k}", "a neighbour from 1 on")
    x, y = as_rows(samples, "samples"), as_rows(reference, "reference examples")
    require(len(x), k + 1, "samples")
    require(len(y), k + 1, "reference examples")
    same_width(x, y)
    found = balls(x, y, k)
    blank = Score("", 0.0, n=len(x), better="higher", features=fingerprint, warnings=(APPROXIMATE,))
    scores = [
        _rate(replace(blank, name="precision"), found.sample_hits > 0),
        _rate(replace(blank, name="recall"), found.recalled),
        _density(replace(blank, name="density", null=1.0), found.sample_hits / k),
        _rate(replace(blank, name="coverage", null=coverage_null(len(y), len(x), k)), found.covered),
    ]
    return [replace(score, name=f"{score.name} [{features}] vs {reference_name}") for score in scores]


def _rate(score: Score, inside: np.ndarray) -> Score:
    rate = float(inside.mean())
    low, high = wilson(float(inside.sum()), len(inside))
    return replace(score, value=rate, low=low, high=high, stderr=math.sqrt(rate * (1 - rate) / len(inside)))


def _density(score: Score, hits: np.ndarray) -> Score:
    mean, low, high, stderr = mean_interval(hits)
    warnings = score.warnings
    if low > 1.0:
        warnings = (
            *warnings,
            "density above 1: the samples crowd where the data are dense, which is not better than 1",
        )
    return replace(score, value=mean, low=low, high=high, stderr=stderr, warnings=warnings)
