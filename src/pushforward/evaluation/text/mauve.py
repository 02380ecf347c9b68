"""MAUVE: how two samples of texts fall into the same clusters.

Three ideas: clusters of features turn samples into histograms; a curve weighs what the model says
that people do not against what people say that the model does not; two histograms of few texts
differ although their law is one, so the value of equal laws is below 1 and is computed at these
sizes.
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.cluster import KMeans

from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.intervals import normal_quantile
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample

MAUVE = Measure(
    "mauve",
    "Whether samples and real texts fall into the same groups.",
    "Same kinds of text",
    "1 = alike",
    DISTANCE,
    better="higher",
)
SCALE, POINTS, EDGE = 5.0, 25, 1e-6
AT_LEAST, EACH, MOST = 50, 10, 500
RELABELLINGS = 100


def frontier_area(p: np.ndarray, q: np.ndarray) -> float:
    """Return the area under the divergence curve of two histograms, in [0, 1]; 1 exactly if they
    are equal.

    The curve is `(exp(-5 KL(p | r)), exp(-5 KL(q | r)))` for `r = w p + (1 - w) q` (Pillutla et al.
    2021, section 2), at 25 values of w from 1e-6 to 1 - 1e-6 and closed by (0, 1) and (1, 0), by
    the trapezoidal rule.

    Args:
        p: shares of each cluster, shape (k,), or many such histograms (..., k).
        q: shares of the other side, shape (k,).

    Example:
        >>> half = np.array([0.5, 0.5])
        >>> round(frontier_area(half, np.array([0.9, 0.1])), 7), round(frontier_area(half, half), 7)
        (0.6710958, 1.0)
    """
    return float(_areas(p[None], q[None])[0])


def _areas(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Areas of many pairs of histograms, (pairs, k) each."""
    x, y = np.zeros((2, len(p), POINTS + 2))
    x[:, -1] = y[:, 0] = 1.0
    for k, w in enumerate(np.linspace(EDGE, 1 - EDGE, POINTS), 1):
        r = w * p + (1 - w) * q
        x[:, k], y[:, k] = np.exp(-SCALE * _divergence(p, r)), np.exp(-SCALE * _divergence(q, r))
    return (np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1])).sum(axis=1) / 2


def _divergence(p: np.ndarray, r: np.ndarray) -> np.ndarray:
    ratio = np.divide(p, r, out=np.ones(np.broadcast_shapes(p.shape, r.shape)), where=p > 0)
    return (p * np.log(ratio)).sum(axis=-1)


def expected_area(counts_x: np.ndarray, counts_y: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return mean and standard deviation of the area of equal laws at these sizes: 100 relabellings
    of the pooled examples.

    Args:
        counts_x: samples in each cluster, shape (k,).
        counts_y: reference examples in each, shape (k,).
        seed: seed of the relabellings.

    Example:
        >>> mean, spread = expected_area(np.full(5, 20), np.full(5, 20))
        >>> 0.9 < mean < 1.0
        True
    """
    pooled, n = counts_x + counts_y, int(counts_x.sum())
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        pooled, n, size=RELABELLINGS, method="marginals"
    )
    values = _areas(drawn / n, (pooled - drawn) / counts_y.sum())
    return float(values.mean()), float(values.std(ddof=1))


def area_terms(counts_x: np.ndarray, counts_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what one example of each cluster contributes to the area's error, for either side: the
    jackknife's terms.

    `sqrt((n - 1) / n) (theta_(i) - mean theta_(.))` with `theta_(i)` the area without one example
    of cluster i; zero where a cluster has none.
    """
    return _terms(counts_x, counts_y / counts_y.sum()), _terms(counts_y, counts_x / counts_x.sum())


def _terms(counts: np.ndarray, other: np.ndarray) -> np.ndarray:
    # the curve's mirror image has the same area up to the rule's error, so either side may come
    # first
    n, there = int(counts.sum()), np.flatnonzero(counts)
    without = np.repeat(counts[None].astype(np.float64), len(there), axis=0)
    without[np.arange(len(there)), there] -= 1.0
    values = _areas(without / (n - 1), np.broadcast_to(other, without.shape))
    terms = np.zeros(len(counts))
    mean = float((counts[there] * values).sum()) / n
    terms[there] = math.sqrt((n - 1) / n) * (values - mean)
    return terms


def measure_mauve(
    samples: np.ndarray,
    reference: np.ndarray,
    ids: tuple[np.ndarray, np.ndarray],
    on: MeasuredOn,
    seed: int = 0,
) -> Measured:
    """Return `mauve_score` with what every example contributes to its error."""
    x, y = two_samples(samples, reference, AT_LEAST)
    pooled = np.concatenate([x, y])
    wanted = min(MOST, min(len(x), len(y)) // EACH, len(np.unique(pooled, axis=0)))
    places = KMeans(wanted, n_init="auto", random_state=seed).fit_predict(pooled)
    own, real = places[: len(x)], places[len(x) :]
    counts = [np.bincount(side, minlength=wanted) for side in (own, real)]
    value = frontier_area(counts[0] / len(x), counts[1] / len(y))
    null, _ = expected_area(counts[0], counts[1], seed)
    terms = area_terms(counts[0], counts[1])
    measured = Terms(ids[0], terms[0][own]), Terms(ids[1], terms[1][real])
    stderr = math.sqrt(measured[0].variance + measured[1].variance)
    reach = normal_quantile() * stderr
    score = on.score(
        MAUVE,
        value,
        len(x),
        low=max(0.0, value - reach),
        high=min(1.0, value + reach),
        stderr=stderr,
        null=null,
        warnings=(
            f"of {wanted} clusters at {len(x)} against {len(y)} examples: compare at equal sizes only",
        ),
    )
    return Measured(score, *measured)


def mauve_score(
    samples: np.ndarray,
    reference: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    seed: int = 0,
) -> Score:
    """Score the area under the divergence curve of cluster histograms (Pillutla et al. 2021), with
    scale 5.

    Clusters are k-means of both sides together, one for every ten examples of the smaller side and
    at most 500. The null is the mean over relabellings of the pooled examples, well below 1. The
    interval is a jackknife's given the clusters, for the average area at these sizes and not for
    its limit, which is larger; it is conservative near the null.

    Args:
        samples: features of the model's texts, shape (n, d).
        reference: features of real texts, shape (m, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        seed: seed of the clusters and relabellings.

    Raises:
        BadInput: fewer than 50 rows on a side, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> s = mauve_score(x[:100] + 2.0, x[100:], "identity")
        >>> s.high < s.null < 1.0
        True
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    return measure_mauve(
        samples, reference, ids, MeasuredOn(features, fingerprint, reference_name), seed
    ).score


class Mauve(TwoSample):
    """`mauve_score` of the rows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return one score."""
        return [measure_mauve(x, y, (x_ids, y_ids), self.on, self.seed)]


METRIC = Metric.of(
    MAUVE,
    lambda card: [Mauve(card.features[0], card.reference_name, card.seed)],
    spaces=("text",),
    at_least=AT_LEAST,
)
