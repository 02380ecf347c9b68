"""Can boosted trees tell samples from rows that the model never saw, and from those it was trained
on?

Two ideas: what a logistic regression no longer tells (independent columns) trees do, so that the
score has room above the models of today; a model that repeats its rows is closer to them than to
others of the same law, and trees see by how much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pushforward.core.measure import INSTEAD, MEMORISATION, Measure
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.data.repeats import rows_repeat
from pushforward.evaluation.intervals import normal_quantile
from pushforward.evaluation.measuring.batch import Role
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
from pushforward.evaluation.table.boosted import Told, tell
from pushforward.evaluation.table.folds import FOLDS, beside_equals, dealt
from pushforward.evaluation.table.items import rows_of

TREES = Measure(
    "tree two-sample score",
    "Boosted trees are trained to tell samples from real rows, and tried on rows that they have not seen.",
    "Not told apart by trees",
    "1 = guessing, 0 = always told",
    INSTEAD,
    better="higher",
    at_most=1.0,
)
ON_TRAIN = Measure(
    "tree two-sample score on train",
    "The same against as many rows that the model was trained on: a model that repeats them is closer to these.",
    "Not told apart from training rows",
    "read it beside the one above",
    INSTEAD,
    "check",
    at_most=1.0,
)
EXCESS = Measure(
    "tree score excess",
    "How much less trees tell samples from training rows than from rows that the model never saw.",
    "To trees samples are closer to training than to unseen rows",
    "0 = as close",
    MEMORISATION,
    "check",
)
VIEW = f"{FOLDS} folds"
AT_LEAST = 40
CLEAR = 3.0  # standard errors; an honest model exceeds them once in 740 cards
Rows = Mapping[Role, np.ndarray]


def tree_scores(
    rows: Rows,
    space: Table,
    names: tuple[str, str] = ("test", "held-out"),
    heldout: Role | None = "reference",
    seed: int = 0,
    cases: Rows | None = None,
) -> list[Score]:
    """Score samples of a table against as many real rows, and against as many training rows.

    The score is `2 - 2 AUC`, cut to [0, 1], the AUC being the mean of three folds that trees have
    not seen (Lopez-Paz & Oquab 2017 with the area in place of the accuracy): 1 where trees guess, 0
    where they are always right. Null: what real rows score on average, `1 - 2 sd sqrt(2 / pi)`, sd
    being that of the area between equal laws of these sizes; below 1, because half of the areas that
    chance makes lie above 0.5. The score falls with the number of rows, from which trees learn, so
    all sides are cut to the smallest.

    The excess is the difference of the two areas, not cut, times two; its null 0 is exact, since
    training and held-out rows are exchangeable for a model that did not look at single ones. What
    copies do to it depends on how many of the rows that they copy are among those compared.

    Args:
        rows: `samples` and `reference`, for the check `train` and the held-out ones; filled, shape
            (n, columns).
        space: the table's columns.
        names: which split the reference is, and which the held-out rows are.
        heldout: the role of held-out rows; None leaves the check out.
        seed: seed of folds and trees.
        cases: what the rows of a role belong to (a customer, a sensor), shape (n,). Of 40 cases and
            more one row of each is compared; of fewer all rows are, those of one case in one fold,
            and they count once.

    Raises:
        BadInput: fewer than 40 rows of a role, or three cases, NaN, or another width than the
            table's.

    Example:
        >>> from pushforward.core.table import Column
        >>> z = np.random.default_rng(0).normal(size=(300, 2))
        >>> space = Table(tuple(Column(n, "continuous", low=-4.0, high=4.0) for n in "ab"))
        >>> rows = {"samples": z[:100] + 2.0, "reference": z[100:200], "train": z[200:]}
        >>> score, on_train, excess = tree_scores(rows, space)
        >>> score.value < 0.3 < 0.9 < score.null < 1.0, excess.low < 0.0 < excess.high
        (True, True)
    """
    ids: dict[Role, np.ndarray] = {role: np.arange(len(side)) for role, side in rows.items()}
    trees = _Trees(rows, ids, space, seed, cases or {})
    return [one.score for one in _measured(trees, names, heldout)]


class _Trees:
    """Rows of several roles, cut to equal numbers, and what trees tell of them."""

    def __init__(self, rows: Rows, ids: Rows, space: Table, seed: int, cases: Rows) -> None:
        self.space, self.seed = space, seed
        orders: dict[Role, np.ndarray] = {}
        for role, side in rows.items():
            rows_of(side, space, _WORDS[role], AT_LEAST)
            rng = np.random.default_rng(derive_seed(seed, f"trees {role}"))
            orders[role] = _one_of_each(rng.permutation(len(side)), cases.get(role))
        self.n = min(map(len, orders.values()))
        self.rows, self.ids, self.cases = (_cut(of, orders, self.n) for of in (rows, ids, cases))
        self.folds: dict[Role, np.ndarray] = {
            role: dealt(self.n, derive_seed(seed, f"folds {role}"), self.cases.get(role))
            for role in self.rows
        }

    def against(self, role: Role, *, apart: bool = False) -> tuple[Told, int]:
        """Return how well trees tell the samples from the rows of a role, and how many samples are
        one of these.

        Args:
            apart: rows are dealt one by one: of a copy and its row in two folds each is then the
                wrong answer to the other, which gives copies away.
        """
        x, y = self.rows["samples"], self.rows[role]
        folds, copies = self.folds["samples"], 0
        if not apart and "samples" not in self.cases and not rows_repeat(y):
            folds, copies = beside_equals(folds, x, y, self.folds[role])
        of = self.cases.get("samples"), self.cases.get(role)
        return tell(x, y, (folds, self.folds[role]), self.space, self.seed, of), copies

    def terms(self, role: Role, values: np.ndarray) -> Terms:
        """Return the terms of a role's rows."""
        return Terms(self.ids[role], values)


def _cut(of: Rows, orders: Rows, n: int) -> dict[Role, np.ndarray]:
    return {role: array[orders[role][:n]] for role, array in of.items() if role in orders}


def _one_of_each(order: np.ndarray, cases: np.ndarray | None) -> np.ndarray:
    """Return the first place of every case in an order of places; all where too few would be left."""
    if cases is None:
        return order
    _, first = np.unique(cases[order], return_index=True)
    return order[np.sort(first)] if len(first) >= AT_LEAST else order


_WORDS: Mapping[Role, str] = {
    "samples": "samples",
    "reference": "reference rows",
    "train": "training rows",
    "heldout": "held-out rows",
}


def _measured(trees: _Trees, names: tuple[str, str], heldout: Role | None) -> list[Measured]:
    on = MeasuredOn(VIEW, reference=names[0])
    told, copies = trees.against("reference")
    score = replace(_score(TREES, told, trees.n, on), warnings=_copied(copies, trees.n, names[0]))
    first = Measured(
        score,
        trees.terms("samples", -2.0 * told.samples),
        trees.terms("reference", -2.0 * told.rows),
    )
    if heldout is None:
        return [first]
    fresh = told if heldout == "reference" else trees.against(heldout)[0]
    known, _ = trees.against("train", apart=True)
    check = _excess(fresh, known, trees.n, names[1])
    beside = _score(ON_TRAIN, known, trees.n, replace(on, reference="train"))
    held = _score(TREES, fresh, trees.n, on)
    beside = replace(beside, null=held.value, null_stderr=held.stderr, warnings=check.warnings)
    return [first, Measured(beside), Measured(check)]


def _score(measure: Measure, told: Told, n: int, on: MeasuredOn) -> Score:
    low, high = told.interval
    return on.score(
        measure,
        _within(2.0 - 2.0 * told.area),
        n,
        low=_within(2.0 - 2.0 * high),
        high=_within(2.0 - 2.0 * low),
        stderr=2.0 * told.stderr,
        null=1.0 - 2.0 * math.sqrt(told.chance / (2.0 * math.pi)),
    )


def _within(value: float) -> float:
    return min(1.0, max(0.0, value))


def _excess(fresh: Told, known: Told, n: int, name: str) -> Score:
    """Return `2 (A_heldout - A_train)`; what a sample adds to both areas counts once."""
    value = 2.0 * (fresh.area - known.area)
    terms = (fresh.samples - known.samples, fresh.rows, known.rows)
    stderr = 2.0 * math.sqrt(sum(float((t**2).sum()) for t in terms))
    reach = normal_quantile() * stderr
    warnings = ()
    if value > CLEAR * stderr:
        warnings = (
            f"trees tell samples less from training than from {name} rows, by {value / stderr:.1f} "
            "standard errors: samples repeat what is true of training rows only",
        )
    return MeasuredOn(VIEW, reference=name, subject="train").score(
        EXCESS,
        value,
        n,
        low=value - reach,
        high=value + reach,
        stderr=stderr,
        null=0.0,
        warnings=warnings,
    )


def _copied(copies: int, n: int, name: str) -> tuple[str, ...]:
    """Say how many samples are reference rows, where rows do not repeat by themselves."""
    if not copies:
        return ()
    return (f"{copies:,} of {n:,} samples are rows of {name}: each was tried in its row's fold",)


class TreeScores(Statistic):
    """`tree_scores` of the rows that an evaluation keeps.

    Args:
        space: the table's columns.
        names: which split the reference is, and which the held-out rows are.
        heldout: which role the held-out rows have; None leaves the check out.
        seed: seed of folds and trees.
    """

    def __init__(
        self,
        space: Table,
        names: tuple[str, str] = ("test", "test"),
        heldout: Role | None = "reference",
        seed: int = 0,
    ) -> None:
        self.space, self.names, self.seed = space, names, seed
        self.heldout: Role | None = heldout

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whose rows it looks at."""
        more: tuple[Role, ...] = () if self.heldout is None else ("train", self.heldout)
        return tuple(dict.fromkeys(("samples", "reference", *more)))

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of all roles."""
        return tuple(Need(role, DATA, "rows") for role in self.roles)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the score, and with held-out rows that on train and the excess."""
        rows: dict[Role, np.ndarray] = {role: kept.rows(role, DATA) for role in self.roles}
        ids: dict[Role, np.ndarray] = {role: kept.ids(role, DATA) for role in self.roles}
        cases: dict[Role, np.ndarray] = {}
        for role in self.roles:
            if (known := kept.cases(role, DATA)) is not None:
                cases[role] = known
        if any(len(np.unique(of)) < FOLDS for of in cases.values()):
            few = (f"fewer than {FOLDS} groups of rows, one for each fold",)
            on = MeasuredOn(VIEW, reference=self.names[0])
            return [Measured(on.score(TREES, math.nan, len(rows["samples"]), warnings=few))]
        return _measured(_Trees(rows, ids, self.space, self.seed, cases), self.names, self.heldout)


def _on(card: CardSetting) -> list[Statistic]:
    assert isinstance(card.space, Table)
    names = card.reference_name, card.heldout_name
    return [TreeScores(card.space, names, card.heldout, card.seed)]


METRIC = Metric(
    "tree two-sample score",
    TREES.says.removesuffix("."),
    (TREES, ON_TRAIN, EXCESS),
    _on,
    ("table",),
    at_least=AT_LEAST,
)
