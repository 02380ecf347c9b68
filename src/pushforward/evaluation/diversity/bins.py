"""Which modes a sampler visits, and how often.

Two ideas: clusters of training examples are bins, and a sample is what share of it falls into each;
two samples of one law differ in their shares too, so what chance alone does is found by dealing the
pooled examples out again.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans

from pushforward.core.errors import BadInput
from pushforward.core.measure import DIVERSITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.intervals import LEVEL, normal_quantile
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import (
    Kept,
    Measured,
    MeasuredOn,
    Need,
    Statistic,
    Terms,
    View,
)

DIFFERENT = Measure(
    "share of different bins",
    "How many groups of real data get too many or too few samples.",
    "Groups over- or underfed",
    "share of groups",
    DIVERSITY,
)
DIVERGENCE = Measure(
    "divergence of bin shares",
    "How far the shares of the groups are off.",
    "Shares of groups",
    "bits",
    DIVERSITY,
)
BINS, EACH, AT_LEAST = 100, 20, 40
DEALS = 500


def bin_centres(train: np.ndarray, bins: int, seed: int = 0) -> np.ndarray:
    """Return the centres of k-means clusters of rows (m, d), shape (k, d), k at most `bins` and the
    number of different rows.

    Example:
        >>> bin_centres(np.array([[0.0], [1.0], [9.0]]), 2).round(1).ravel().tolist() in ([0.5, 9.0], [9.0, 0.5])
        True
    """
    k = min(bins, len(np.unique(train, axis=0)))
    return KMeans(k, n_init="auto", random_state=seed).fit(train).cluster_centers_


def different_bins(counts_x: np.ndarray, counts_y: np.ndarray) -> np.ndarray:
    """Return which bins hold significantly different shares, by the two-proportion z test at 5 %,
    shape (..., k).

    `|p - q| > 1.96 sqrt(s (1 - s) (1/n + 1/m))` with s the pooled share (Richardson & Weiss 2018,
    section 2).

    Args:
        counts_x: samples in each bin, shape (..., k).
        counts_y: reference examples in each bin, shape (..., k).

    Example:
        >>> different_bins(np.array([50, 50]), np.array([70, 30])).tolist()
        [True, True]
    """
    n, m = counts_x.sum(axis=-1, keepdims=True), counts_y.sum(axis=-1, keepdims=True)
    pooled = (counts_x + counts_y) / (n + m)
    gap = np.abs(counts_x / n - counts_y / m)
    return gap > normal_quantile(LEVEL) * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return `1/2 KL(p | r) + 1/2 KL(q | r)`, r = (p + q) / 2, in bits: 0 for equal shares, 1 for
    disjoint ones; shape (...).

    Example:
        >>> float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
        1.0
    """
    return np.asarray((p * _surprise(p, q)).sum(axis=-1) + (q * _surprise(q, p)).sum(axis=-1))


def _surprise(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Derivative of the divergence by each share of p: `1/2 log2 (2 p / (p + q))`, zero where p
    is."""
    ratio = np.divide(
        2.0 * p, p + q, out=np.ones(np.broadcast_shapes(p.shape, q.shape)), where=p > 0
    )
    return 0.5 * np.log2(ratio)


def dealt_again(
    counts_x: np.ndarray, counts_y: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of 500 random divisions of the pooled examples into sides of these sizes, shape
    (500, k) each.

    Example:
        >>> x, y = dealt_again(np.array([3, 0]), np.array([0, 2]))
        >>> bool((x.sum(axis=1) == 3).all()), bool((x + y == [3, 2]).all())
        (True, True)
    """
    pooled, rng = counts_x + counts_y, np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(
        pooled, int(counts_x.sum()), size=DEALS, method="marginals"
    )
    return drawn, pooled - drawn


def measure_bins(
    samples: np.ndarray,
    reference: np.ndarray,
    train: np.ndarray,
    ids: tuple[np.ndarray, np.ndarray],
    on: MeasuredOn,
    bins: int = BINS,
    seed: int = 0,
) -> list[Measured]:
    """Return `bin_scores` with what every example contributes to their errors; `ids` tell the rows
    of either side apart."""
    x = as_rows(samples, "samples", AT_LEAST)
    y = as_rows(reference, "reference examples", AT_LEAST)
    fitted = as_rows(train, "training examples", AT_LEAST)
    same_width(x, y)
    same_width(x, fitted)
    if bins < 2:
        raise BadInput(f"{bins} bins", "at least two")
    # a bin of few expected examples has no z test: twenty on average
    centres = bin_centres(fitted, min(bins, min(len(x), len(y), len(fitted)) // EACH), seed)
    own, real = nearest(x, centres)[0], nearest(y, centres)[0]
    counts = [np.bincount(side, minlength=len(centres)) for side in (own, real)]
    found = count_scores(
        counts[0], counts[1], replace(on, view=f"{on.view}, {len(centres)} bins"), seed
    )
    p, q = counts[0] / len(x), counts[1] / len(y)
    terms = [
        Terms.of_mean(names, _surprise(a, b)[side])
        for names, side, a, b in ((ids[0], own, p, q), (ids[1], real, q, p))
    ]
    # terms are first-order and may hold more than the error does near the null, where they count
    # its second-order part twice
    total, stderr = sum(t.variance for t in terms), found[1].stderr or 0.0
    scale = min(1.0, stderr / math.sqrt(total)) if total > 0 else 1.0
    return [Measured(found[0]), Measured(found[1], *(Terms(t.ids, scale * t.terms) for t in terms))]


def count_scores(
    counts_x: np.ndarray, counts_y: np.ndarray, on: MeasuredOn, seed: int = 0
) -> list[Score]:
    """Return the share of different bins and the divergence of shares, from the counts alone; see
    `bin_scores`.

    Args:
        counts_x: samples in each bin, shape (k,).
        counts_y: reference examples in each bin, shape (k,).
        on: what the bins are of.
        seed: seed of the deals.
    """
    n, m = int(counts_x.sum()), int(counts_y.sum())
    p, q = counts_x / n, counts_y / m
    dealt_x, dealt_y = dealt_again(counts_x, counts_y, seed)
    by_chance = different_bins(dealt_x, dealt_y).mean(axis=-1)
    noise = jensen_shannon(dealt_x / n, dealt_y / m)
    share = on.score(
        DIFFERENT,
        float(different_bins(counts_x, counts_y).mean()),
        n,
        stderr=float(by_chance.std(ddof=1)),
        null=float(by_chance.mean()),
        warnings=(
            f"no interval, since bins are not independent; chance alone gives up to {np.quantile(by_chance, 0.95):.3f}",
        ),
    )
    value = float(jensen_shannon(p, q))
    first, second = _share_variance(p, q, n) + _share_variance(q, p, m), float(noise.var(ddof=1))
    stderr = math.sqrt(max(first - second, second))
    reach = normal_quantile() * stderr
    divergence = on.score(
        DIVERGENCE,
        value,
        n,
        low=max(0.0, value - reach),
        high=min(1.0, value + reach),
        stderr=stderr,
        null=float(noise.mean()),
        unit="bits",
    )
    return [share, divergence]


def _share_variance(p: np.ndarray, q: np.ndarray, n: int) -> float:
    """Return the first-order variance from the n examples of p."""
    slope = _surprise(p, q)
    return float((p * slope**2).sum() - (p * slope).sum() ** 2) / (n - 1)


def bin_scores(
    samples: np.ndarray,
    reference: np.ndarray,
    train: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    bins: int = BINS,
    seed: int = 0,
) -> list[Score]:
    """Score the share of bins whose shares differ (NDB / k) and the Jensen-Shannon divergence of
    all shares.

    Bins are k-means clusters of train, at most 100 and at least twenty examples a bin. Both nulls
    are means over 500 random divisions of the pooled examples into sides of these sizes: about 0.05
    for the share, less where bins are small; the share's `stderr` is its spread among them. The
    interval of the divergence is normal, for its average at these sizes, with `stderr^2 = max(f -
    v, v)`: `f = Var[1/2 log2 2p/(p+q)] / n + Var[1/2 log2 2q/(p+q)] / m` is the first-order
    variance as it is estimated, which counts the second-order part twice, and v is that part, the
    variance among divisions. It covers 93-97 % away from the null and is conservative at it, where
    the divergence is a chi-square and not normal.

    Args:
        samples: features of the model's examples, shape (n, d).
        reference: features of real examples, shape (m, d).
        train: features of training examples, on which bins are fitted, shape (h, d).
        features: name of the features, printed in brackets.
        fingerprint: fingerprint of the features.
        reference_name: which split `reference` is.
        bins: most bins.
        seed: seed of the clusters and of the divisions.

    Raises:
        BadInput: fewer than 40 rows of a role, fewer than two bins, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(600, 2))
        >>> share, divergence = bin_scores(np.abs(x[:200]), x[200:400], x[400:], "identity")
        >>> share.value > 0.5, divergence.low > divergence.null
        (True, True)
    """
    ids = np.arange(len(samples)), np.arange(len(reference))
    on = MeasuredOn(features, fingerprint, reference_name)
    return [m.score for m in measure_bins(samples, reference, train, ids, on, bins, seed)]


class BinShares(Statistic):
    """`bin_scores` of the rows kept.

    Args:
        view: features to look at.
        reference_name: which split the reference is; part of the name.
        bins: most bins.
        seed: seed of the clusters and of the divisions.
    """

    def __init__(
        self, view: View, reference_name: str = "test", bins: int = BINS, seed: int = 0
    ) -> None:
        self.view, self.reference_name, self.bins, self.seed = view, reference_name, bins, seed

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of samples and reference, and of train for the bins."""
        return tuple(Need(role, self.view, "rows") for role in ("samples", "reference", "train"))

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the share of different bins and the divergence."""
        x, y, t = (kept.rows(role, self.view) for role in ("samples", "reference", "train"))
        ids = kept.ids("samples", self.view), kept.ids("reference", self.view)
        on = MeasuredOn(self.view.name, self.view.fingerprint, self.reference_name)
        return measure_bins(x, y, t, ids, on, self.bins, self.seed)


METRIC = Metric(
    "bins",
    "Which groups of real data get too many or too few samples",
    (DIFFERENT, DIVERGENCE),
    lambda card: [BinShares(card.features[0], card.reference_name, seed=card.seed)],
)
