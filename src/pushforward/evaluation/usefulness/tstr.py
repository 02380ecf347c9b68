"""Train on synthetic, test on real: is a predictor that was trained on samples as good as one that
was trained on real rows?

Two ideas: the ceiling is the same predictor trained on as many real rows, which the card of real
data has; a predictor owes its score to the rows that it learned from as much as to those that it is
tried on, so both are in the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.core.measure import INSTEAD, Measure
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.areas import area_interval, placements
from pushforward.evaluation.checks import two_samples
from pushforward.evaluation.intervals import t_quantile
from pushforward.evaluation.measuring.metric import CardSetting, Metric
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Measured,
    Statistic,
    Terms,
    TwoSample,
)
from pushforward.evaluation.usefulness.learners import Task
from pushforward.evaluation.usefulness.target import target_of

TSTR = Measure(
    "TSTR",
    "A predictor of one column is trained on samples and tried on real rows (train on synthetic, test on real).",
    "Use to a predictor",
    aspect=INSTEAD,
    better="higher",
    at_most=1.0,
)
BLOCKS, AT_LEAST = 5, 40
# on 1,200 rows of Adult 30 rounds at this rate reach what 60 at 0.1 do (.883 and .882) in half of
# the time; of several classes each round grows a tree for every one
ROUNDS, FEWEST_ROUNDS, TREES, RATE = 30, 8, 120, 0.2


@dataclass(frozen=True)
class _Tried:
    """A predictor's score on real rows, with what each of them contributes to its error; of classes
    also how many rows are not of the most frequent one."""

    value: float
    terms: np.ndarray
    fewest: int | None = None


_Trial = Callable[[np.ndarray, int], _Tried]  # from rows to learn from, and a seed


def train_on_synthetic(
    samples: np.ndarray,
    reference: np.ndarray,
    space: Table,
    target: str | None = None,
    reference_name: str = "test",
    seed: int = 0,
) -> Score:
    """Score boosted trees that learned a column from samples, on real rows.

    Of classes the area under the curve of each against the others, weighted by their shares among
    the real rows (of two classes the usual AUC); of a number the share of its variance that is
    explained, `1 - mean (y - f)^2 / var y`, over the rows in which it is known. The error has two
    parts: of the real rows DeLong's, and of the samples the jackknife of five blocks, for each of
    which the trees are fitted again without it; Student's quantile by Satterthwaite (1946).

    Args:
        samples: filled (see `data.tables.marks`), shape (n, columns).
        reference: real rows, filled, shape (m, columns).
        space: the table's columns.
        target: the column to predict; see `target_of` where None.
        reference_name: which split the reference is.
        seed: seed of the trees.

    Raises:
        BadInput: fewer than 40 rows on a side, NaN, or a column that there is not.

    Example:
        >>> from pushforward.core.table import Column
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> rows = np.stack([x[:, 0], x.sum(axis=1) > 0], axis=1).astype(float)
        >>> space = Table((Column("x", "continuous", low=-3.0, high=3.0), Column("up", "boolean", ("no", "yes"))))
        >>> score = train_on_synthetic(rows[:200], rows[200:], space)
        >>> score.short_name, score.unit, 0.7 < score.value < 0.95
        ('TSTR, up', 'AUC', True)
    """
    found = TrainOnSynthetic(space, target, reference_name, seed)
    ids = np.arange(len(samples)), np.arange(len(reference))
    return found.measure(samples, reference, *ids)[0].score


class TrainOnSynthetic(TwoSample):
    """`train_on_synthetic` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        target: the column to predict; see `target_of` where None.
        reference_name: which split the reference is.
        seed: seed of the trees.
    """

    def __init__(
        self, space: Table, target: str | None, reference_name: str = "test", seed: int = 0
    ) -> None:
        super().__init__(DATA, reference_name, seed)
        self.space, self.target = space, target_of(space.columns, target)
        self.named = target is not None

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the score of a predictor that learned from samples."""
        x, y = two_samples(x, y, AT_LEAST)
        place = [column.name for column in self.space.columns].index(self.target)
        column = self.space.columns[place]
        kind = "classes" if column.discrete else "number"
        rounds = min(ROUNDS, max(FEWEST_ROUNDS, TREES // max(1, len(column.categories))))
        task = Task(self.target, kind, self.space, place, rounds=rounds, rate=RATE)
        known_x, known_y = (
            side[:, place] != missing_mark(column)
            if column.missing and not column.discrete
            else np.ones(len(side), dtype=bool)
            for side in (x, y)
        )
        tried = _classes_of(task, y) if column.discrete else _number_of(task, y[known_y])
        return [self._score(task, x[known_x], y_ids[known_y], tried)]

    def _score(self, task: Task, x: np.ndarray, ids: np.ndarray, tried: _Trial) -> Measured:
        """Return the score of learning from rows x."""
        seed = derive_seed(self.seed, "tstr")
        whole, block = tried(x, seed), np.random.default_rng(seed).permutation(len(x)) % BLOCKS
        without = np.array([tried(x[block != k], seed).value for k in range(BLOCKS)])
        samples = math.sqrt((BLOCKS - 1) / BLOCKS) * (without.mean() - without)
        parts = float((samples**2).sum()), float((whole.terms**2).sum())
        stderr = math.sqrt(sum(parts))
        freedom = (BLOCKS - 1) * (sum(parts) / parts[0]) ** 2 if parts[0] > 0 else math.inf
        reach = t_quantile(freedom) * stderr
        low, high = whole.value - reach, whole.value + reach
        if whole.fewest is not None:
            # the error of ranks shrinks to nothing where all are right
            of_ranks = area_interval(whole.value, stderr, whole.fewest, whole.fewest)
            low, high = max(0.0, min(low, of_ranks[0])), min(1.0, max(high, of_ranks[1]))
        score = self.on.score(
            TSTR,
            whole.value,
            len(x),
            low=low,
            high=high,
            stderr=stderr,
            unit="AUC" if task.kind == "classes" else "share of variance",
            setting=self.target,
            warnings=() if self.named else (_chosen(task),),
        )
        return Measured(score, Terms(np.arange(BLOCKS), samples), Terms(ids, whole.terms))


def _chosen(task: Task) -> str:
    what = "the last column of classes" if task.kind == "classes" else "the last column of numbers"
    return f"'{task.name}' is predicted, {what}: `--target` chooses another"


def _classes_of(task: Task, y: np.ndarray) -> _Trial:
    """Return what scores trees that learned classes from some rows, on rows y."""
    assert task.place is not None
    place = task.place
    classes, codes, counts = np.unique(y[:, place], return_inverse=True, return_counts=True)
    fewest = max(1, len(y) - int(counts.max()))

    def tried(x: np.ndarray, seed: int) -> _Tried:
        if not len(x) or len(classes) < 2:
            return _Tried(0.5, np.zeros(len(y)), fewest)
        told = task.shares(x, x[:, place], classes, seed)(y)
        value, terms = 0.0, np.zeros(len(y))
        for k in range(len(classes)):
            mine = codes.ravel() == k
            share = float(mine.mean())
            above, below = placements(told[mine, k], told[~mine, k])
            value += share * float(above.mean())
            terms[mine] += share * _centred(above)
            terms[~mine] += share * _centred(below)
        return _Tried(value, terms, fewest)

    return tried


def _number_of(task: Task, y: np.ndarray) -> _Trial:
    """Return what scores trees that learned a number from some rows, on rows y."""
    assert task.place is not None
    place = task.place

    def tried(x: np.ndarray, seed: int) -> _Tried:
        target = y[:, place]
        if not len(x) or len(y) < 2 or not np.ptp(target):
            return _Tried(0.0, np.zeros(len(y)))
        worth = task.scored(task.learn(x, x[:, place], seed), y, target)
        return _Tried(float(worth.mean()), _centred(worth))

    return tried


def _centred(values: np.ndarray) -> np.ndarray:
    """Return the terms of a mean: `(v_i - mean) / sqrt(n (n - 1))`."""
    n = len(values)
    return (values - values.mean()) / math.sqrt(n * max(1, n - 1))


def _on(card: CardSetting) -> list[Statistic]:
    assert isinstance(card.space, Table)
    if not target_of(card.space.columns, card.target):
        return []
    return [TrainOnSynthetic(card.space, card.target, card.reference_name, card.seed)]


METRIC = Metric.of(TSTR, _on, "two columns", spaces=("table",), at_least=AT_LEAST)
