"""Fréchet distance between two samples of features.

Two ideas: it is the 2-Wasserstein distance of two fitted Gaussians, so it sees means and covariances and nothing else; its
plug-in value is biased upwards by O(1/n), so two values are comparable at equal n only, unless the bias is removed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.intervals import Jackknife, jackknife
from pushforward.evaluation.measuring.moments import Moments

BLOCKS = 20


def gaussian_frechet(mean_x: np.ndarray, cov_x: np.ndarray, mean_y: np.ndarray, cov_y: np.ndarray) -> float:
    """Return the squared Fréchet distance of two Gaussians.

    `|m_x - m_y|^2 + tr S_x + tr S_y - 2 tr (S_x^{1/2} S_y S_x^{1/2})^{1/2}` (Dowson & Landau 1982, equation 4),
    by symmetric eigenvalues clipped at zero: real by construction, also for singular covariances.

    Example:
        >>> value = gaussian_frechet(np.zeros(2), np.array([[2.0, 1], [1, 2]]), np.zeros(2), np.diag([1.0, 3]))
        >>> round(value, 8), round(8 - 2 * 14**0.5, 8)
        (0.51668523, 0.51668523)
    """
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ cov_y @ root).clip(min=0.0)
    gap = mean_x - mean_y
    return float(gap @ gap + np.trace(cov_x) + np.trace(cov_y) - 2.0 * np.sqrt(cross).sum())


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """Return the plug-in squared Fréchet distance of two samples, rows (n, d) and (m, d).

    With fewer rows than dimensions, `tr (S_x S_y)^{1/2}` is the nuclear norm of `A B^T`, where A and B are the centred
    rows over `sqrt(n-1)` and `sqrt(m-1)`: exact, and no d x d matrix is formed.
    """
    if min(len(x), len(y)) >= x.shape[1]:
        first, second = Moments.of(x), Moments.of(y)
        return gaussian_frechet(first.mean, first.covariance, second.mean, second.covariance)
    a = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    b = (y - y.mean(axis=0)) / np.sqrt(len(y) - 1)
    gap = x.mean(axis=0) - y.mean(axis=0)
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(gap @ gap + (a * a).sum() + (b * b).sum() - 2.0 * cross)


def _leave_blocks_out(x: np.ndarray, y: np.ndarray, seed: int) -> Jackknife:
    """Delete-a-block jackknife; blocks are drawn at random, because rows may come ordered by class."""
    rng = np.random.default_rng(seed)
    whole_x, whole_y = Moments.of(x), Moments.of(y)

    def distance(first: Moments, second: Moments) -> float:
        return gaussian_frechet(first.mean, first.covariance, second.mean, second.covariance)

    without_x = [
        distance(whole_x.without(Moments.of(x[rows])), whole_y)
        for rows in np.array_split(rng.permutation(len(x)), BLOCKS)
    ]
    without_y = [
        distance(whole_x, whole_y.without(Moments.of(y[rows])))
        for rows in np.array_split(rng.permutation(len(y)), BLOCKS)
    ]
    return jackknife(distance(whole_x, whole_y), np.array(without_x), np.array(without_y))


def frechet_distance(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    seed: int = 0,
) -> list[Score]:
    """Score `samples` against `reference`: the plug-in distance, and the distance with its O(1/n) bias removed.

    The first score is the number everyone prints: its interval covers what this pair of sample *sizes* gives on average, so it
    compares with equal sizes only. The second estimates the limit of infinitely many rows on both sides, has null 0 and may be
    negative. Both intervals are the jackknife's; near the null they are conservative (about 99 %). With fewer than two rows
    per dimension the bias is not of order 1/n yet, and there is neither an interval nor a second score.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        seed: seed of the jackknife's blocks.

    Raises:
        BadInput: fewer than 40 rows on a side, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> plug_in, limit = frechet_distance(x[:200], x[200:] + 1.0, "identity")
        >>> limit.name, limit.low < 2.0 < limit.high
        ('frechet distance, bias removed [identity] vs test', True)
    """
    x = as_rows(samples, "samples", at_least=2 * BLOCKS)
    y = as_rows(reference, "reference examples", at_least=2 * BLOCKS)
    same_width(x, y)
    plug_in = Score(
        f"frechet distance [{features}] vs {reference_name}",
        frechet(x, y),
        n=len(x),
        better="lower",
        features=fingerprint,
    )
    if min(len(x), len(y)) < 2 * x.shape[1]:
        warning = (
            f"{min(len(x), len(y))} examples for {x.shape[1]} features: the upward bias dominates this distance, so it has "
            f"no interval; use at least {2 * x.shape[1]} examples or fewer features"
        )
        return [replace(plug_in, warnings=(warning,))]
    return _with_intervals(plug_in, x, y, seed)


def _with_intervals(plug_in: Score, x: np.ndarray, y: np.ndarray, seed: int) -> list[Score]:
    """Give the plug-in score its interval, and add the score whose bias is removed."""
    found = _leave_blocks_out(x, y, seed)
    limit = found.value - found.bias
    biased = f"biased upwards at {len(x)} against {len(y)} examples: compare at equal sizes only, or take the bias-removed value"
    measured = replace(plug_in, stderr=found.stderr)
    return [
        replace(measured, low=found.value - found.reach, high=found.value + found.reach, warnings=(biased,)),
        replace(
            measured,
            name=plug_in.name.replace("frechet distance", "frechet distance, bias removed", 1),
            value=limit,
            low=limit - found.reach,
            high=limit + found.reach,
            null=0.0,
        ),
    ]
