"""Can someone who knows some columns of a row here and others there tell that both belong to one
person?

One idea: if the sample most like the one half is also the sample most like the other half, it links
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from pushforward.core.errors import BadInput, unknown
from pushforward.core.measure import PRIVACY, Measure
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.evaluation.checks import require
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Kept, Measured
from pushforward.evaluation.table.gower import Gower
from pushforward.evaluation.table.privacy.risk import (
    USUAL,
    Attack,
    AttackSetting,
    Rate,
    on_table,
    risk_score,
    targets,
)

LINKABILITY = Measure(
    "linkability",
    "An attack joins what is known of a person in two places.",
    "Linking two halves",
    "excess success",
    PRIVACY,
    "check",
)
Names = Sequence[str]


def places_of(names: Names, space: Table) -> tuple[int, ...]:
    """Return the places of columns by name.

    Raises:
        BadInput: no such column.
    """
    known = [column.name for column in space.columns]
    for name in names:
        if name not in known:
            raise BadInput(*unknown("column", name, known))
    return tuple(known.index(name) for name in names)


def guessing_links(n: int, k: int) -> float:
    """Return the chance that two random choices of k of n samples share one: `1 - C(n - k, k) /
    C(n, k)`.

    Example:
        >>> guessing_links(100, 1), guessing_links(4, 2)
        (0.010000000000000009, 0.8333333333333334)
    """
    return 1.0 - comb(n - k, k) / comb(n, k)


def linked(
    rows: np.ndarray, samples: np.ndarray, sides: tuple[Gower, Gower], neighbours: int, seed: int
) -> np.ndarray:
    """Return which rows have a sample that is among the nearest by either side's columns, shape
    (n,).

    The samples are put in another random order for either side, so that among samples at equal
    distance both sides choose independently.

    Args:
        rows: the rows under attack, filled, shape (n, columns).
        samples: the model's rows, filled, shape (m, columns).
        sides: distances on either set of columns.
        neighbours: how many nearest samples are looked at.
        seed: seed of the orders.
    """
    rng = np.random.default_rng(seed)
    found = []
    for gower in sides:
        order = rng.permutation(len(samples))
        found.append(order[gower.nearest(gower(rows), gower(samples[order]), neighbours)])
    return (found[0][:, :, None] == found[1][:, None, :]).any(axis=(1, 2))


def linkability(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    space: Table,
    known: tuple[Names, Names] | None = None,
    how: AttackSetting = USUAL,
    neighbours: int = 1,
) -> Score:
    """Return the linkability risk (Giomi et al. 2023): see `risk.excess` for the value and its
    interval.

    A row is linked if the samples nearest to it by one set of columns and those nearest by the
    other, in Gower's distance, have one in common. Held-out rows are the control, `guessing_links`
    the baseline.

    Args:
        samples: the model's rows, filled, shape (n, columns).
        train: what the model was trained on, filled, shape (m, columns).
        heldout: real rows it was not trained on, filled, shape (h, columns).
        space: the table's columns.
        known: two sets of column names that share none; by default every other column and the rest.
        how: the attack's seed and size, and which split `heldout` is.
        neighbours: how many nearest samples are looked at.

    Raises:
        BadInput: fewer than 20 rows of any kind, unknown or shared columns, more neighbours than
            samples, NaN, or another width.

    Example:
        >>> from pushforward.core.table import Column
        >>> x = np.random.default_rng(0).random((600, 4))
        >>> space = Table(tuple(Column(n, "continuous", low=0.0, high=1.0) for n in "abcd"))
        >>> linkability(x[:300], x[:300], x[300:], space).low > 0.9
        True
    """
    if len(space.columns) < 2:
        raise BadInput("a table of one column", "two or more", "linking needs two sets of columns")
    every = tuple(range(len(space.columns)))
    first, second = (
        (every[::2], every[1::2]) if known is None else (places_of(names, space) for names in known)
    )
    if set(first) & set(second):
        raise BadInput("two sets of columns that share some", "sets without a common column")
    x, y, z = targets(samples, train, heldout, space, how.seed)
    if neighbours < 1:
        raise BadInput(f"{neighbours} neighbours", "one or more")
    require(len(x), 2 * neighbours, "samples")
    sides = Gower(space, first), Gower(space, second)
    hits = [
        int(linked(rows[: how.attacks], x, sides, neighbours, how.seed).sum()) for rows in (y, z)
    ]
    on_train, on_control = (Rate(successes, len(y[: how.attacks])) for successes in hits)
    chance = guessing_links(len(x), neighbours)
    return risk_score((LINKABILITY, "data"), on_train, on_control, chance, how.reference_name)


class Linkability(Attack):
    """`linkability` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        known: two sets of column names that share none; by default every other column and the rest.
        how: how it is made and judged.
        neighbours: how many nearest samples are looked at.
    """

    def __init__(
        self,
        space: Table,
        known: tuple[Names, Names] | None = None,
        how: AttackSetting = USUAL,
        neighbours: int = 1,
    ) -> None:
        super().__init__(space, how)
        self.known, self.neighbours = known, neighbours

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the linkability risk."""
        x, y, z = self.rows(kept)
        return [Measured(linkability(x, y, z, self.space, self.known, self.how, self.neighbours))]


METRIC = Metric.of(LINKABILITY, on_table(Linkability), "held-out", "two columns", spaces=("table",))
