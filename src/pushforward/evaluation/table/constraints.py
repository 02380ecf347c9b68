"""How many samples are impossible as whole rows?

Two ideas: what every training row keeps, and what the user knows, is asked of every sample;
held-out rows are asked too, because a rule found in finitely many rows can be an accident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pushforward.core.measure import TABLE, Measure
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.data.tables.rules.discovery import SUPPORT, discover
from pushforward.data.tables.rules.expression import Expression
from pushforward.data.tables.rules.rule import Rule
from pushforward.evaluation.intervals import rate_stderr, wilson
from pushforward.evaluation.measuring.metric import CardSetting, Metric
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Kept,
    Measured,
    MeasuredOn,
    Need,
    Statistic,
    Terms,
)
from pushforward.evaluation.table.items import NAMED, rows_of

CONSTRAINTS = Measure(
    "constraint violations",
    "Rows that break a rule which every training row keeps.",
    "Impossible rows",
    "share of samples",
    TABLE,
)


def breaks(rows: np.ndarray, space: Table, rules: Sequence[Rule]) -> np.ndarray:
    """Return which filled rows (n, columns) break which rule, shape (n, rules).

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("age", "integer", low=0, high=99),))
        >>> breaks(np.array([[5.0], [50.0]]), space, [Expression("age >= 18", space)]).tolist()
        [[True], [False]]
    """
    out = np.zeros((len(rows), len(rules)), dtype=bool)
    for place, rule in enumerate(rules):
        out[:, place] = rule.broken(rows, space)
    return out


def constraint_violations(
    samples: np.ndarray,
    reference: np.ndarray,
    train: np.ndarray,
    space: Table,
    given: Sequence[str] = (),
    reference_name: str = "test",
    support: int = SUPPORT,
) -> Score:
    """Return the share of samples that break a rule, with Wilson's interval; null: the share of
    reference rows that do.

    The rules are those of `given`, and all that `discover` finds in the training rows. Without any
    rule the value is NaN.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        reference: real rows that the model was not trained on, filled, shape (m, columns).
        train: what the model was trained on, filled, shape (k, columns).
        space: the table's columns.
        given: rules of the user's (see `Expression`).
        reference_name: which split `reference` is.
        support: fewest training rows that could have broken a discovered rule.

    Raises:
        BadInput: a rule that cannot be read, fewer than 2 samples, NaN, or another width.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("age", "integer", low=0, high=99),))
        >>> x = np.arange(100.0)[:, None]
        >>> score = constraint_violations(x[:40], x[20:], x[20:], space, given=["age >= 20"])
        >>> score.value, score.null, score.warnings[0]
        (0.5, 0.0, '1 rule, broken most: age >= 20 by 50.0% of the samples (0.0% of test)')
    """
    metric = Constraints(space, given, reference_name, support)
    return metric.measure(samples, reference, train, np.arange(len(samples))).score


class Constraints(Statistic):
    """`constraint_violations` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        given: rules of the user's (see `Expression`).
        reference_name: which split the reference is.
        support: fewest training rows that could have broken a discovered rule.
    """

    def __init__(
        self,
        space: Table,
        given: Sequence[str] = (),
        reference_name: str = "test",
        support: int = SUPPORT,
    ) -> None:
        self.space, self.reference_name, self.support = space, reference_name, support
        self.given = tuple(Expression(text, space) for text in given)

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of samples, reference and training."""
        return (
            Need("samples", DATA, "rows"),
            Need("reference", DATA, "rows"),
            Need("train", DATA, "rows"),
        )

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the share of samples that break a rule."""
        x, y, train = (kept.rows(role, DATA) for role in ("samples", "reference", "train"))
        return [self.measure(x, y, train, kept.ids("samples", DATA))]

    def measure(
        self, samples: np.ndarray, reference: np.ndarray, train: np.ndarray, ids: np.ndarray
    ) -> Measured:
        """Return the share of samples that break a rule; the value rests on the samples alone."""
        x = rows_of(samples, self.space, "samples", 2)
        y = rows_of(reference, self.space, "reference rows", 1)
        rules = (*self.given, *discover(train, self.space, self.support))
        on = MeasuredOn("data", reference=self.reference_name)
        if not rules:
            words = f"no rule was given and none holds without exception on {self.support} training rows that could break it"
            return Measured(on.score(CONSTRAINTS, math.nan, len(x), warnings=(words,)))
        broken, natural = breaks(x, self.space, rules), breaks(y, self.space, rules)
        guilty = np.logical_or.reduce(broken, axis=1)
        rate = float(guilty.mean())
        low, high = wilson(float(guilty.sum()), len(x))
        score = on.score(
            CONSTRAINTS,
            rate,
            len(x),
            low=low,
            high=high,
            stderr=rate_stderr(float(guilty.sum()), len(x)),
            null=float(natural.any(axis=1).mean()),
            null_stderr=rate_stderr(float(natural.any(axis=1).sum()), len(y)),
            warnings=(self._words(rules, broken.mean(axis=0), natural.mean(axis=0)),),
        )
        return Measured(score, Terms.of_mean(ids, guilty.astype(np.float64)))

    def _words(self, rules: Sequence[Rule], share: np.ndarray, natural: np.ndarray) -> str:
        counted = f"{len(rules)} rule{'s' if len(rules) > 1 else ''}"
        worst = [i for i in np.argsort(natural - share, kind="stable")[:NAMED] if share[i] > 0]
        if not worst:
            return f"{counted}, none broken"
        first, *rest = worst
        said = [
            f"{rules[first]} by {share[first]:.1%} of the samples ({natural[first]:.1%} of {self.reference_name})"
        ]
        said += [f"{rules[i]} by {share[i]:.1%} ({natural[i]:.1%})" for i in rest]
        return f"{counted}, broken most: {', '.join(said)}"


def _on(card: CardSetting) -> list[Statistic]:
    assert isinstance(card.space, Table)
    return [Constraints(card.space, card.rules, card.reference_name)]


METRIC = Metric.of(CONSTRAINTS, _on, spaces=("table",))
