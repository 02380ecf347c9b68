"""Alpha-precision and beta-recall: whether samples fill the typical part of the data, and then the
rest, in the right proportion.

Three ideas: the support of mass alpha is a ball around the centre, so an example has a position,
the smallest mass whose ball contains it; the curve over alpha is the distribution function of
positions, and for equal distributions it is the diagonal; the integrated score is one minus twice
the area between curve and diagonal, computed exactly from the positions, without a grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.measure import FIDELITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.distances import kth_neighbour, members
from pushforward.evaluation.intervals import normal_quantile, odds_interval
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms, TwoSample, View

ALPHA_PRECISION = Measure(
    "integrated alpha-precision",
    "Whether the typical part of the data gets its share of samples.",
    "Typical share right",
    "1 = as real data",
    FIDELITY,
    better="higher",
)
BETA_RECALL = Measure(
    "integrated beta-recall",
    "Whether samples come as close to each real example as real ones do.",
    "Detail right",
    "read beside real data",
    FIDELITY,
    better="higher",
)

RELATIVE = "equal distributions do not score 1 but about the null, and a worse model can score more: read it beside the null"
SPLITS = 4
NOWHERE = np.inf
TINY = np.finfo(np.float64).tiny
BRIDGE_VARIANCE = 7 / 60 - math.pi / 32  # of the integral of |B|, B a Brownian bridge


@dataclass(frozen=True)
class SupportPositions:
    """The smallest mass at which each example counts; it counts at every larger one.

    Attributes:
        samples: share of the reference that lies nearer to the reference's centre than the sample
            does, shape (n,).
        reference: smallest share of the samples that lie nearer to the samples' centre than one of
            those in the example's neighbourhood does; infinity where that has no sample, shape
            (m,).
        sample_ranks: share of the samples that lie nearer to their own centre, half of the sample
            included, shape (n,).
        reference_ranks: the same of the reference examples, shape (m,).
    """

    samples: np.ndarray
    reference: np.ndarray
    sample_ranks: np.ndarray
    reference_ranks: np.ndarray


def positions(samples: np.ndarray, reference: np.ndarray, k: int = 1) -> SupportPositions:
    """Return the positions of samples (n, d) and reference examples (m, d).

    The alpha-support is the ball around the mean of the reference with the alpha-quantile of its
    distances as radius; the beta-support the same of the samples; a neighbourhood reaches to the
    k-th nearest *other* reference example and is open (Alaa et al. 2022, section 4). A reference
    example helped to compute the centre, so its distance is stretched by `m / (m - 1)`, which is
    its distance to the mean of the others.

    Example:
        >>> found = positions(np.array([[0.1], [2.0], [0.5]]), np.array([[-1.0], [0.0], [1.0], [0.5]]), k=1)
        >>> found.samples.tolist(), found.reference.round(2).tolist()
        ([0.0, 1.0, 0.25], [inf, 0.33, inf, 0.0])
    """
    m = len(reference)
    centre = reference.mean(axis=0)
    radius = np.linalg.norm(reference - centre, axis=1) * m / (m - 1)
    of_samples = np.searchsorted(np.sort(radius), np.linalg.norm(samples - centre, axis=1)) / m
    spread = np.linalg.norm(samples - samples.mean(axis=0), axis=1)
    order = spread.argsort(kind="stable")
    shares = np.searchsorted(spread[order], spread[order]) / len(samples)
    of_reference = np.full(m, NOWHERE)
    for ((i, j),) in members(reference, samples[order], kth_neighbour(reference, k)[:, None]):
        # samples come from the centre outwards, so the first of each neighbourhood has the smallest
        # share
        found, first = np.unique(i, return_index=True)
        of_reference[found] = shares[j[first]]
    ranks = [(stats.rankdata(distance) - 0.5) / len(distance) for distance in (spread, radius)]
    return SupportPositions(of_samples, of_reference, ranks[0], ranks[1])


def integrated(positions: np.ndarray) -> float:
    """Return `1 - 2 integral |P_alpha - alpha| d alpha` (Alaa et al. 2022, section 3), from 0 to 1.

    Example:
        >>> integrated(np.array([0.25, 0.75])), integrated(np.array([np.inf, np.inf]))
        (0.75, 0.0)
    """
    edges, level = _steps(positions)
    above = edges[1:] - level
    below = edges[:-1] - level
    return 1.0 - float((above * np.abs(above) - below * np.abs(below)).sum())


def _steps(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the curve steps within [0, 1], both ends included, and its height between."""
    inside = np.sort(positions[positions < 1.0])
    return np.concatenate([[0.0], inside, [1.0]]), np.arange(len(inside) + 1) / len(positions)


def precision_null(n: int, m: int) -> float:
    """Return the expected integrated alpha-precision of n samples of the distribution of m
    reference examples.

    Positions are then uniform, whatever the distribution, and `sqrt(nm / (n + m))` times the
    curve's error is a Brownian bridge, of which `E integral |B| = sqrt(2 pi) / 8`.

    Example:
        >>> round(precision_null(1000, 1000), 3)
        0.972
    """
    return 1.0 - math.sqrt(2.0 * math.pi) / 4.0 * math.sqrt(1.0 / n + 1.0 / m)


def recall_null(reference: np.ndarray, n: int, k: int, seed: int) -> float | None:
    """Return the expected integrated beta-recall of n samples of the reference's distribution; None
    if that is too small.

    No closed form is known: neighbourhoods of outer examples reach inwards, some contain no sample,
    and both fade slowly as the data grow. Real examples are scored against real ones in halves of
    the reference and in halves of its half, cut like n to m; an error of order `1 / sqrt(size)`
    extrapolates to the whole, `f(m/2) + (f(m/2) - f(m/4)) / sqrt 2`.

    Args:
        reference: shape (m, d).
        n: number of samples.
        k: which neighbour.
        seed: seed of the parts.
    """
    rng, m = np.random.default_rng([seed, 1]), len(reference)
    means = []
    for whole, splits in ((m, SPLITS), (m // 2, 2 * SPLITS)):
        size = max(round(whole * n / (n + m)), 1)
        if whole - size <= k:
            return None
        values = []
        for _ in range(splits):
            rows = rng.permutation(m)[:whole]
            values.append(
                integrated(positions(reference[rows[:size]], reference[rows[size:]], k).reference)
            )
        means.append(float(np.mean(values)))
    return min(1.0, max(0.0, means[0] + (means[0] - means[1]) / math.sqrt(2.0)))


def _terms(positions: np.ndarray, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each example adds to an integrated score, to first order, up to constants: of the
    curve's side, of the supports'.

    With `s` the sign of `P_alpha - alpha`, an example at position a adds `-2 int_a^1 s`; an example
    of rank b among those that define the supports lowers every radius beyond b and adds twice the
    mean of `s` over the positions beyond b.
    """
    edges, level = _steps(positions)
    signed = np.abs(edges[:-1] - level) - np.abs(edges[1:] - level)
    beyond = np.concatenate([signed[::-1].cumsum()[::-1], [0.0]])
    inside = edges[1:-1]
    sign = np.sign((np.arange(len(inside)) + 0.5) / len(positions) - inside)
    tail = np.concatenate([sign[::-1].cumsum()[::-1], [0.0]]) / len(positions)
    return -2.0 * np.interp(np.minimum(positions, 1.0), edges, beyond), 2.0 * tail[
        np.searchsorted(inside, ranks)
    ]


def _centre_terms(x: np.ndarray, y: np.ndarray, at: SupportPositions) -> np.ndarray:
    """Return what each reference example adds to integrated alpha-precision by moving the centre,
    to first order; shape (m,).

    With unit vectors u of samples and w of reference examples, a shift of the centre by delta moves
    a sample's position by `f (mean w - u) . delta`, f the density of the reference's radii and the
    mean over examples of like radius.
    """
    m, centre = len(y), y.mean(axis=0)
    outwards_x, outwards_y = x - centre, y - centre
    radius_x, radius_y = np.linalg.norm(outwards_x, axis=1), np.linalg.norm(outwards_y, axis=1)
    order = radius_y.argsort()
    sums = np.concatenate(
        [
            np.zeros((1, y.shape[1])),
            (outwards_y / radius_y[:, None].clip(TINY))[order].cumsum(axis=0),
        ]
    )
    half, place = math.ceil(m ** (2 / 3) / 2), np.searchsorted(radius_y[order], radius_x)
    low, high = (place - half).clip(0, m - 2), (place + half).clip(2, m)
    count, extent = high - low, radius_y[order][high - 1] - radius_y[order][low]
    density = np.where(at.samples < 1.0, (count - 1) / m / extent.clip(TINY), 0.0) * (extent > 0)
    sign = np.sign((stats.rankdata(at.samples) - 0.5) / len(x) - at.samples)
    turn = (sums[high] - sums[low]) / count[:, None] - outwards_x / radius_x[:, None].clip(TINY)
    return outwards_y @ (2.0 * (sign * density) @ turn / len(x))


def _checked(samples: np.ndarray, reference: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    if k < 1:
        raise BadInput(f"k = {k}", "a neighbour from 1 on")
    x = as_rows(samples, "samples", at_least=2)
    y = as_rows(reference, "reference examples", at_least=2 * k + 2)
    same_width(x, y)
    if (y == y[0]).all():
        raise BadInput(
            "reference examples that are all equal",
            "features that vary",
            "their supports have no size",
        )
    return x, y


def _measure(
    samples: np.ndarray,
    reference: np.ndarray,
    on: MeasuredOn,
    k: int,
    seed: int,
    ids: tuple[np.ndarray, np.ndarray],
) -> list[Measured]:
    x, y = _checked(samples, reference, k)
    at = positions(x, y, k)
    n = len(x)
    precision = on.score(ALPHA_PRECISION, integrated(at.samples), n, null=precision_null(n, len(y)))
    expected = recall_null(y, n, k, seed)
    recall = on.score(BETA_RECALL, integrated(at.reference), n, null=expected, warnings=(RELATIVE,))
    of_samples, of_reference = _terms(at.samples, at.reference_ranks)
    met, meeting = _terms(at.reference, at.sample_ranks)
    sides = (
        Terms.of_mean(ids[0], of_samples),
        Terms.of_mean(ids[1], of_reference + _centre_terms(x, y, at)),
    )
    # where the curve is near the diagonal its side is not known: the variance at the null is added
    null = 4.0 * BRIDGE_VARIANCE * (1 / len(x) + 1 / len(y))
    # neighbourhoods depend on each other: the variance to first order is 0.6 to 1.3 of the true
    # one, so it is doubled
    wider = (
        Terms.of_mean(ids[0], math.sqrt(2.0) * meeting),
        Terms.of_mean(ids[1], math.sqrt(2.0) * met),
    )
    return [_with_interval(precision, *sides, null), _with_interval(recall, *wider, null)]


def _with_interval(score: Score, samples: Terms, reference: Terms, more: float) -> Measured:
    stderr = math.sqrt(samples.variance + reference.variance + more)
    reach = normal_quantile() * stderr
    # a value that came out too near 1 has too small an error: on Exp(1) moved by 1, plain ends held
    # 89 of 100 means
    low, high = odds_interval(score.value, reach)
    return Measured(replace(score, low=low, high=high, stderr=stderr), samples, reference)


class AlphaPrecision(TwoSample):
    """Integrated alpha-precision and integrated beta-recall (Alaa et al. 2022), with first-order
    terms of both sides.

    `P_alpha = P(sample in alpha-support of the data)`, `R_beta = P(a sample of the beta-support
    lies near a real example)`, and the scores are `1 - 2 integral |P_alpha - alpha| d alpha` and
    the same of R: 1 if mass is spread over supports as in the data. Supports are balls around one
    centre: they say little about data of several far modes.

    Beta-recall is not 1 for equal distributions, and not always highest for them: of equal sizes
    half of all neighbourhoods contain no sample, and in many dimensions those of outer examples
    reach to the centre. On Gaussians of 2 to 64 dimensions equal distributions score 0.5 to 0.7 at
    the first neighbour, and worse models a little more at times; at the fifth neighbour it is 0.94
    in two dimensions, 0.4 in eight, and samples crowding at the centre score above equal ones. So
    the default is the first.

    The code in common use (synthcity 0.2.11) departs from the equations. Its recall looks at the
    nearest of all samples instead of the nearest in the beta-support, and takes quantiles over
    those nearest samples instead of all, so that it is the diagonal for any samples that come near
    every real example: copies of one half of the data and as many samples at its centre score 0.78,
    here 0.26. Its integral is a sum over thirty levels, and unequal sizes are refused.

    The null of alpha-precision is `precision_null`, that of beta-recall `recall_null`. The
    intervals are normal, from the first-order terms of both sides, and by odds where these reach
    further; they cover what this pair of sample sizes gives on average, in 94 to 100 % of the
    cases: near the diagonal the side of a curve is not known, and neighbourhoods depend on each
    other, so both variances are enlarged.

    Args:
        view: features to look at.
        reference_name: which split the reference is.
        seed: seed of the parts that the null of beta-recall is made of.
        k: which neighbour of a real example its neighbourhood reaches to.

    Raises:
        BadInput: k < 1, fewer than 2 samples or 2 k + 2 reference examples, a reference that does
            not vary, NaN, or different widths.

    Example:
        >>> from pushforward.evaluation.measuring.statistic import DATA
        >>> x, ids = np.random.default_rng(0).normal(size=(400, 2)), np.arange(200)
        >>> precision, recall = AlphaPrecision(DATA).measure(x[:200], x[200:], ids, ids)
        >>> precision.score.value > 0.85, precision.samples.terms.shape
        (True, (200,))
    """

    def __init__(self, view: View, reference_name: str = "test", seed: int = 0, k: int = 1) -> None:
        super().__init__(view, reference_name, seed)
        self.k = k

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the two integrated scores."""
        return _measure(x, y, self.on, self.k, self.seed, (x_ids, y_ids))


METRIC = Metric(
    "alpha-precision and beta-recall",
    "Whether mass is spread over supports as in the data",
    (ALPHA_PRECISION, BETA_RECALL),
    lambda card: [AlphaPrecision(card.features[0], card.reference_name, card.seed)],
)
