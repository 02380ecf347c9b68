"""What somebody would train on the data: a predictor of the classes or of one column.

Two ideas: a predictor is an ordinary one that needs no tuning, so that what changes between two of
its trainings is the data; it is scored example by example, so that two trainings can be compared on
the examples that they share.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pushforward.core.errors import BadInput, unknown
from pushforward.core.space import Space
from pushforward.core.table import Column
from pushforward.evaluation.checks import as_rows

COMPONENTS, MOST = (
    64,
    5000,
)  # the support vector machine takes time proportional to the square of the rows
TREES = 60
CATEGORIES = 200  # a column of more is an ordered number to the boosted trees, which take 255
# whole numbers that are fewer, and of so many rows each, are classes to whoever predicts them: 0
# and 1, or stars
FEW_LEVELS, ROWS_OF_ONE = 10, 10
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Task:
    """What is predicted from what.

    Attributes:
        name: of the classes or the column.
        kind: `classes` (share right) or `number` (share of variance explained).
        space: what one example is.
        place: of the column to predict, None where labels are beside the examples.
        why: how a column of numbers is judged, and which option judges it otherwise; empty where
            there is one way.
        rounds, rate: how many trees are boosted (one a class, of more than two), and how much each
            of them corrects.

    Example:
        >>> from pushforward.core.space import Points
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> task = Task("side", "classes", Points(2))
        >>> told = task.scored(task.learn(x[:100], x[:100, 0] > 0, 0), x[100:], x[100:, 0] > 0)
        >>> bool(told.mean() > 0.9)
        True
    """

    name: str
    kind: str
    space: Space
    place: int | None = None
    why: str = ""
    rounds: int = TREES
    rate: float = 0.1

    @property
    def of_numbers(self) -> bool:
        """Whether a column of numbers is predicted, of which a missing one is no class."""
        return self.place is not None and not self.space.columns[self.place].discrete

    @property
    def unit(self) -> str:
        """What a score of 1 is all of."""
        return "share right" if self.kind == "classes" else "share of variance"

    def takes(self, rows: int) -> int:
        """Return how many of so many rows the predictor is fitted to: trees take all, the support
        vector machine 5,000 at most."""
        return min(rows, MOST) if self.place is None else rows

    def learn(self, x: np.ndarray, target: np.ndarray, seed: int) -> Predict:
        """Return a predictor fitted on examples (n, ...) and their targets (n,); a constant where
        there is one class only."""
        if self.place is None:
            order = np.random.default_rng(seed).permutation(len(x))[:MOST]
            x, target = x[order], target[order]
        if len(np.unique(target)) < 2:
            return lambda rows: np.full(len(rows), target[0])
        if self.place is not None:
            model = self._trees(seed)
        else:
            width = min(COMPONENTS, len(x), as_rows(x).shape[1])
            model = make_pipeline(StandardScaler(), PCA(width, random_state=seed % 2**32), SVC())
        if self.kind != "classes":
            model.fit(self._inputs(x), target)
            return lambda rows: np.asarray(model.predict(self._inputs(rows)))
        # classes may be numbers, which scikit-learn takes for classes only where they count
        values, codes = np.unique(target, return_inverse=True)
        model.fit(self._inputs(x), codes)
        return lambda rows: values[np.asarray(model.predict(self._inputs(rows)), dtype=np.int64)]

    def shares(self, x: np.ndarray, target: np.ndarray, classes: np.ndarray, seed: int) -> Predict:
        """Return what gives rows the probability of each of some classes (n, classes), fitted to
        rows of a table and their classes; none to one that it has not seen.

        Example:
            >>> from pushforward.core.table import Table
            >>> space = Table(tuple(Column(n, "continuous", low=-3.0, high=3.0) for n in "ab"))
            >>> x = np.random.default_rng(0).normal(size=(200, 2))
            >>> told = Task("b", "classes", space, 1).shares(x, x[:, 0] > 0, np.array([0, 1]), 0)(x)
            >>> told.shape, bool(((told[:, 1] > 0.5) == (x[:, 0] > 0)).all())
            ((200, 2), True)
        """
        values, codes = np.unique(target, return_inverse=True)
        at = [np.flatnonzero(values == value) for value in classes]
        trees: Any = self._trees(seed)
        if len(values) > 1:
            trees.fit(self._inputs(x), codes)

        def told(rows: np.ndarray) -> np.ndarray:
            one = np.ones((len(rows), 1))
            found = trees.predict_proba(self._inputs(rows)) if len(values) > 1 else one
            columns = [found[:, place].sum(axis=1) for place in at]
            return np.stack(columns, axis=1)

        return told

    def scored(self, predict: Predict, x: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return what each test example is worth, shape (n,): 1 if right, else 0; of numbers `1 -
        error^2 / variance`."""
        found = predict(x)
        if self.kind == "classes":
            return (found == target).astype(np.float64)
        return 1.0 - (found - target) ** 2 / float(np.var(target))

    def _inputs(self, x: np.ndarray) -> np.ndarray:
        rows = as_rows(x)
        return rows if self.place is None else np.delete(rows, self.place, axis=1)

    def _trees(self, seed: int) -> HistGradientBoostingClassifier | HistGradientBoostingRegressor:
        others = [c for i, c in enumerate(self.space.columns) if i != self.place]
        categorical = [c.discrete and len(c.categories) <= CATEGORIES for c in others]
        kind = (
            HistGradientBoostingClassifier
            if self.kind == "classes"
            else HistGradientBoostingRegressor
        )
        options: dict[str, Any] = {
            "categorical_features": categorical,
            "early_stopping": False,
            "max_iter": self.rounds,
            "learning_rate": self.rate,
        }
        return kind(random_state=seed % 2**32, **options)


def task_of(
    space: Space, classes: tuple[str, ...], column: str | None, rows: np.ndarray | None = None
) -> Task:
    """Return the task of some data: its classes, or a table's column.

    Args:
        rows: the training rows (n, columns), which tell whether a column of whole numbers is one of
            classes.

    Raises:
        BadInput: a column that the table does not have, none named, or nothing to predict.

    Example:
        >>> from pushforward.core.space import Points
        >>> task_of(Points(2), ("left", "right"), None).kind
        'classes'
    """
    if space.columns:
        names = [c.name for c in space.columns]
        if column is None:
            raise BadInput("a table without a target", f"--target, one of {', '.join(names)}")
        if column not in names:
            raise BadInput(*unknown("column", column, names))
        place = names.index(column)
        if space.columns[place].discrete:
            return Task(column, "classes", space, place)
        kind, why = _judged(space.columns[place], None if rows is None else rows[:, place])
        return Task(column, kind, space, place, why)
    if column is not None:
        raise BadInput(
            f"--target {column} of {space.kind}", "no --target: the labels are predicted"
        )
    if len(classes) < 2:
        raise BadInput(
            f"{space.kind} without labels",
            "labels of two classes or more",
            "bring labels, or a table",
        )
    return Task("the classes", "classes", space)


def _judged(column: Column, values: np.ndarray | None) -> tuple[str, str]:
    """Return how a column of numbers is judged: as classes where it is whole and has few values of
    many rows each; and why."""

    def option(kind: str) -> str:
        return f"`-s {shlex.quote(f'data.columns.{column.name}={kind}')}`"

    different = np.unique(values[~np.isnan(values)]) if values is not None else np.empty(0)
    whole = column.kind == "integer" and len(different) <= FEW_LEVELS
    if whole and values is not None and len(values) >= ROWS_OF_ONE * len(different) > ROWS_OF_ONE:
        shown = ", ".join(f"{value:g}" for value in different)
        why = f"'{column.name}' holds {len(different)} whole numbers ({shown}), so they are predicted as classes"
        return "classes", f"{why}: {option('continuous')} predicts it as a number"
    return (
        "number",
        f"'{column.name}' is predicted as a number: {option('categorical')} predicts it as classes",
    )
