"""Can someone who knows most of a row guess the rest of it from the samples?

One idea: the guess is what the sample most like the known columns holds in the secret one.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.measure import PRIVACY, Measure
from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Kept, Measured
from pushforward.evaluation.table.gower import Gower
from pushforward.evaluation.table.privacy.linkability import Names, places_of
from pushforward.evaluation.table.privacy.risk import (
    USUAL,
    Attack,
    AttackSetting,
    Rate,
    on_table,
    risk_score,
    targets,
)

INFERENCE = Measure(
    "attribute inference",
    "An attack guesses one column from the others.",
    "Guessing a secret",
    "excess success",
    PRIVACY,
    "check",
)
TOLERANCE = 0.05


def matches(
    guess: np.ndarray, truth: np.ndarray, column: Column, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Return which guesses are right: the same category, or a number within `tolerance` of the
    training range.

    Example:
        >>> age = Column("age", "integer", step=1.0, low=0, high=100, missing=True)
        >>> matches(np.array([40.0, 40.0, -100.0, 40.0]), np.array([45.0, 46.0, -100.0, -100.0]), age).tolist()
        [True, False, True, False]
    """
    if column.discrete:
        return guess == truth
    near = np.abs(guess - truth) <= tolerance * (column.high - column.low)
    if not column.missing:
        return near
    gone = (guess == missing_mark(column)), (truth == missing_mark(column))
    return np.where(gone[0] | gone[1], gone[0] & gone[1], near)


def attribute_inference(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    space: Table,
    secret: str | None = None,
    known: Names | None = None,
    how: AttackSetting = USUAL,
    tolerance: float = TOLERANCE,
) -> Score:
    """Return the attribute-inference risk (Giomi et al. 2023): see `risk.excess` for the value and
    its interval.

    The sample nearest to a row by the known columns, in Gower's distance, gives its secret value as
    the guess. Held-out rows are the control: what the other columns predict, they predict there
    too. The baseline guesses the value of a random sample.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        train: what the model was trained on, filled, shape (m, columns).
        heldout: real rows it was not trained on, filled, shape (h, columns).
        space: the table's columns.
        secret: the column that is guessed; by default every column in turn, each of an equal share
            of the rows.
        known: the columns that the attacker knows; by default all others.
        how: the attack's seed and size, and which split `heldout` is.
        tolerance: error of a right guess of a number, in training ranges.

    Raises:
        BadInput: one column only, fewer than 20 rows of any kind, a secret that is known, NaN, or
            another width.

    Example:
        >>> x = np.random.default_rng(0).random((600, 3))
        >>> space = Table(tuple(Column(n, "continuous", low=0.0, high=1.0) for n in "abc"))
        >>> attribute_inference(x[:300], x[:300], x[300:], space, "c").low > 0.9
        True
    """
    if len(space.columns) < 2:
        raise BadInput(
            "a table of one column",
            "two or more",
            "there must be something known and something secret",
        )
    secrets = range(len(space.columns)) if secret is None else places_of([secret], space)
    given = tuple(range(len(space.columns))) if known is None else places_of(known, space)
    if known is not None and any(place in given for place in secrets):
        raise BadInput("a secret column among the known ones", "other columns", "name the secret")
    x, y, z = targets(samples, train, heldout, space, how.seed)
    y, z = y[: how.attacks], z[: how.attacks]
    right, chance = np.zeros(2, dtype=np.int64), 0.0
    for turn, place in enumerate(secrets):
        gower = Gower(space, tuple(p for p in given if p != place))
        asked = [rows[turn :: len(secrets)] for rows in (y, z)]
        right += [_guessed(x, rows, place, gower, tolerance) for rows in asked]
        chance += _by_chance(x[:, place], asked[0][:, place], space.columns[place], tolerance)
    on_train, on_control = (Rate(int(hits), len(y)) for hits in right)
    attack = INFERENCE, "every column in turn" if secret is None else secret
    return risk_score(attack, on_train, on_control, chance / len(y), how.reference_name)


def _guessed(x: np.ndarray, rows: np.ndarray, place: int, gower: Gower, tolerance: float) -> int:
    """How many secrets of the rows the nearest samples tell."""
    guess = x[gower.nearest(gower(rows), gower(x))[:, 0], place]
    return int(matches(guess, rows[:, place], gower.space.columns[place], tolerance).sum())


def _by_chance(values: np.ndarray, secrets: np.ndarray, column: Column, tolerance: float) -> float:
    """How many secrets a random sample's value tells on average."""
    truths, times = np.unique(secrets, return_counts=True)
    hit = [
        float(matches(values, np.full(len(values), t), column, tolerance).mean())
        for t in truths.tolist()
    ]
    return float(times @ np.array(hit))


class AttributeInference(Attack):
    """`attribute_inference` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        secret: the column that is guessed; by default every column in turn.
        known: the columns that the attacker knows; by default all others.
        how: how it is made and judged.
        tolerance: error of a right guess of a number, in training ranges.
    """

    def __init__(
        self,
        space: Table,
        secret: str | None = None,
        known: Names | None = None,
        how: AttackSetting = USUAL,
        tolerance: float = TOLERANCE,
    ) -> None:
        super().__init__(space, how)
        self.secret, self.known, self.tolerance = secret, known, tolerance

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the attribute-inference risk."""
        x, y, z = self.rows(kept)
        found = attribute_inference(
            x, y, z, self.space, self.secret, self.known, self.how, self.tolerance
        )
        return [Measured(found)]


METRIC = Metric.of(
    INFERENCE, on_table(AttributeInference), "held-out", "two columns", spaces=("table",)
)
