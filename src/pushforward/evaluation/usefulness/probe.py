"""How much a linear classifier reads off a representation.

One idea: representations are compared on the same test examples, right or wrong example by example,
so that their luck cancels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, require
from pushforward.evaluation.intervals import wilson

PROBE = Measure("probe accuracy", "Whether a linear classifier tells the classes.", better="higher")
STEPS = 500


@dataclass(frozen=True)
class Probed:
    """One representation.

    Attributes:
        name: of the representation.
        width: its dimensions.
        accuracy: on test examples; null: of the commonest class.
        p_value: of being as good as the first representation (McNemar 1947, exact); NaN for the
            first one.
    """

    name: str
    width: int
    accuracy: Score
    p_value: float


def probe(
    views: Mapping[str, Sequence[np.ndarray]],
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    seed: int = 0,
) -> list[Probed]:
    """Fit a logistic regression to each representation of train and score it on test.

    Args:
        views: representation of train (n, d) and of test (m, d), by name.
        train_labels: shape (n,).
        test_labels: shape (m,).
        seed: of the solver.

    Raises:
        BadInput: fewer than 20 examples on a side, or NaN.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> views = {"all": (x[:100], x[100:]), "rest": (x[:100, 1:], x[100:, 1:])}
        >>> a, b = probe(views, y[:100], y[100:])
        >>> a.accuracy.low > b.accuracy.high, b.p_value < 1e-6
        (True, True)
    """
    require(len(train_labels), 20, "training examples")
    require(len(test_labels), 20, "test examples")
    commonest = np.bincount(test_labels).max() / len(test_labels)
    found: list[Probed] = []
    first: np.ndarray | None = None
    for name, (train, test) in views.items():
        rows, fresh = as_rows(train, f"{name} of train"), as_rows(test, f"{name} of test")
        model = make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=STEPS, random_state=seed)
        )
        right = model.fit(rows, train_labels).predict(fresh) == test_labels
        low, high = wilson(int(right.sum()), len(right))
        score = Score(PROBE, float(right.mean()), len(right), low, high, null=commonest, view=name)
        found.append(
            Probed(name, rows.shape[1], score, math.nan if first is None else mcnemar(first, right))
        )
        first = right if first is None else first
    return found


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Return the exact two-sided p-value of equal accuracy, from the examples that one gets right
    and the other wrong.

    Example:
        >>> round(mcnemar(np.array([1, 1, 1, 1, 0]) > 0, np.array([0, 0, 0, 0, 0]) > 0), 4)
        0.125
    """
    wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
    return 1.0 if wins + losses == 0 else float(stats.binomtest(wins, wins + losses, 0.5).pvalue)
