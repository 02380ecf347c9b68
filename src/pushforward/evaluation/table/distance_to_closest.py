"""Do samples lie closer to the rows the model was trained on than to rows it never saw?

Three ideas: train and held-out rows are exchangeable for an honest model, so at equal numbers a
sample's closest row is of either kind with chance one half, whatever the quality of the samples;
samples that share a neighbour share its luck; how close is close is judged by how close held-out
rows come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pushforward.core.measure import PRIVACY, Measure
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.distances import tiles
from pushforward.evaluation.intervals import LEVEL, normal_quantile, wilson
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import CardSetting, Metric
from pushforward.evaluation.measuring.statistic import (
    Kept,
    Measured,
    MeasuredOn,
    Need,
    Statistic,
    View,
)
from pushforward.evaluation.table.gower import Gower

CLOSER = Measure(
    "share closer to train",
    "Samples whose closest row is a training row and not an unseen one.",
    "Nearer to training rows",
    "0.5 = fair",
    PRIVACY,
    "check",
)
CLOSEST = Measure(
    "distance to closest record, 5 % quantile",
    "How close the closest samples come to a training row.",
    "Closest training row",
    "mean share of a column's range",
    PRIVACY,
    "check",
    "higher",
)
RATIO = Measure(
    "nearest neighbour distance ratio, 5 % quantile",
    "Near 0: a sample points at one training row.",
    "One row closer than the next",
    "ratio",
    PRIVACY,
    "check",
    "higher",
)
APPROXIMATE = "interval approximate: samples with a common closest row are not independent"
CUT = "a copy of one that was not counts half"
QUANTILE = 0.05
AT_LEAST = 20
Tiles = Callable[[np.ndarray, np.ndarray], Iterator[tuple[slice, np.ndarray]]]


@dataclass(frozen=True)
class Closest:
    """The closest row of a set to each of some rows.

    Attributes:
        index: which row it is, shape (n,).
        first, second: distances to the closest and to the second closest row, shape (n,).
    """

    index: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """`first / second`, 1 where both are zero: several equal rows single out none of them."""
        return np.where(
            self.second > 0, self.first / np.where(self.second > 0, self.second, 1.0), 1.0
        )


def closest(x: np.ndarray, y: np.ndarray, measure: Tiles = tiles) -> Closest:
    """Return the closest rows of `y` (two or more) to each row of `x`.

    Example:
        >>> found = closest(np.array([[0.0]]), np.array([[3.0], [-1.0]]))
        >>> found.index.tolist(), found.first.tolist(), found.ratio.round(3).tolist()
        ([1], [1.0], [0.333])
    """
    index, pair = np.empty(len(x), dtype=np.int64), np.empty((len(x), 2))
    for rows, distance in measure(x, y):
        index[rows] = distance.argmin(axis=1)
        pair[rows] = np.partition(distance, 1, axis=1)[:, :2]
    return Closest(index, pair[:, 0], pair[:, 1])


def effective_flips(to_train: Closest, to_heldout: Closest, h: int) -> float:
    """Return how many independent coins the share of samples closer to train is worth.

    With `w_j` the share of samples whose closest of all N = 2h rows is j, halved at ties, the
    labels being exchangeable, `Var = (1/4) N/(N-1) (sum_j w_j^2 - 1/N)`, which is that of `1 /
    (N/(N-1) (sum_j w_j^2 - 1/N))` coins, and of no more coins than samples.

    Example:
        >>> near = Closest(np.array([0, 0, 0]), np.zeros(3), np.ones(3))
        >>> far = Closest(np.array([0, 1, 2]), np.ones(3), np.ones(3))
        >>> effective_flips(near, far, 50)
        1.0
    """
    n, total = len(to_train.first), 2 * h
    weight = np.zeros((2, h))
    sides = np.where(
        to_train.first == to_heldout.first,
        0.5,
        (to_train.first < to_heldout.first).astype(np.float64),
    )
    np.add.at(weight[0], to_train.index, sides / n)
    np.add.at(weight[1], to_heldout.index, (1.0 - sides) / n)
    spread = total / (total - 1) * (float((weight**2).sum()) - 1.0 / total)
    return min(float(n), 1.0 / max(spread, 1.0 / n))


def closest_record(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
    seed: int = 0,
    measure: Tiles = tiles,
) -> list[Score]:
    """Score how close samples come to training rows, against as many held-out rows.

    Train and held-out rows are cut at random to the size of the smaller set. The scores, in this
    order: the share of samples closer to a training than to any held-out row, ties counting half,
    null 0.5; the 5 % quantile of the distance to the closest training row; the 5 % quantile of that
    distance over the distance to the second closest. The nulls of the quantiles are those of the
    held-out rows. The share's interval is Wilson's with `effective_flips` in place of the samples:
    approximate, measured to cover 93-97 % for honest and for leaking models. A quantile's interval
    lies between order statistics and is for these training rows.

    The features must not have been fitted on the training rows: ranks among training rows, for one,
    put a sample and a held-out number that fall between the same two at distance zero, and an
    honest model then looks drawn to the held-out rows.

    Args:
        samples: features of the model's rows, shape (n, d).
        train: features of the training rows, shape (m, d).
        heldout: features of real rows not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.
        reference_name: which split `heldout` is.
        seed: seed of the cut.
        measure: distances in tiles; Euclidean by default.

    Raises:
        BadInput: fewer than 20 rows of any kind, NaN, or different widths.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(400, 3))
        >>> share, distance, ratio = closest_record(x[:100] + 0.01, x[:200], x[200:], "identity")
        >>> share.value > 0.95, share.low > 0.5, distance.value < distance.null, ratio.value < ratio.null
        (True, True, True, True)
    """
    x = as_rows(samples, "samples", AT_LEAST)
    y, z = as_rows(train, "training rows", AT_LEAST), as_rows(heldout, "held-out rows", AT_LEAST)
    same_width(x, y)
    same_width(x, z)
    h, rng = min(len(y), len(z)), np.random.default_rng(seed)
    y, z = (rows[rng.permutation(len(rows))[:h]] for rows in (y, z))
    near, far, natural = closest(x, y, measure), closest(x, z, measure), closest(z, y, measure)
    on = MeasuredOn(features, fingerprint, "train")
    return [
        _share(
            near, far, h, h / len(train), replace(on, reference=reference_name, subject="train")
        ),
        _quantile(near.first, natural.first, CLOSEST, on),
        _quantile(near.ratio, natural.ratio, RATIO, on),
    ]


def _share(near: Closest, far: Closest, h: int, cut: float, on: MeasuredOn) -> Score:
    share = float(np.where(near.first == far.first, 0.5, near.first < far.first).mean())
    flips = effective_flips(near, far, h)
    low, high = wilson(share * round(flips), round(flips))
    return on.score(
        CLOSER,
        share,
        len(near.first),
        low=low,
        high=high,
        stderr=math.sqrt(share * (1.0 - share) / flips),
        null=0.5,
        warnings=(APPROXIMATE,)
        if cut == 1.0
        else (APPROXIMATE, f"only {cut:.0%} of the training rows were kept: {CUT}"),
    )


def _quantile(values: np.ndarray, natural: np.ndarray, measure: Measure, on: MeasuredOn) -> Score:
    (low, high), (null_low, null_high) = _between(values), _between(natural)
    return on.score(
        measure,
        float(np.quantile(values, QUANTILE)),
        len(values),
        low=low,
        high=high,
        null=float(np.quantile(natural, QUANTILE)),
        null_stderr=(null_high - null_low) / (2 * normal_quantile(LEVEL)),
    )


def _between(values: np.ndarray) -> tuple[float, float]:
    """The order statistics that a binomial count of smaller values leaves the quantile between;
    never below 0."""
    n, ordered = len(values), np.sort(values)
    # ranks l and u with P(l <= values below the quantile < u) >= 95 %
    lower, upper = (
        int(stats.binom.ppf(tail, n, QUANTILE)) for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    )
    return 0.0 if lower == 0 else float(ordered[lower - 1]), float(ordered[min(upper, n - 1)])


class ClosestRecord(Statistic):
    """`closest_record` of the rows that an evaluation keeps.

    Args:
        view: what the distances are between: `Gower`, or features that were not fitted on the
            training rows, which are compared by Euclidean distance.
        reference_name: which split the held-out rows are.
        seed: seed of the cut to equal sizes.
        heldout: which role the held-out rows have; `reference` where the reference is itself held
            out.
    """

    def __init__(
        self, view: View, reference_name: str = "test", seed: int = 0, heldout: Role = "heldout"
    ) -> None:
        self.view, self.reference_name, self.seed = view, reference_name, seed
        self.heldout: Role = heldout

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of samples, training and held-out rows."""
        roles: tuple[Role, ...] = ("samples", "train", self.heldout)
        return tuple(Need(role, self.view, "rows") for role in roles)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the share closer to train and the two quantiles."""
        x, y, z = (kept.rows(role, self.view) for role in ("samples", "train", self.heldout))
        measure = self.view.tiles if isinstance(self.view, Gower) else tiles
        name, mark = self.view.name, self.view.fingerprint
        return [
            Measured(s)
            for s in closest_record(x, y, z, name, mark, self.reference_name, self.seed, measure)
        ]


def _on(card: CardSetting) -> list[Statistic]:
    assert isinstance(card.space, Table)
    return [ClosestRecord(Gower(card.space), card.heldout_name, card.seed, card.null_role)]


METRIC = Metric(
    "distance to closest record",
    "How close samples come to training rows, beside rows that were not trained on",
    (CLOSER, CLOSEST, RATIO),
    _on,
    ("table",),
    frozenset({"held-out"}),
)
