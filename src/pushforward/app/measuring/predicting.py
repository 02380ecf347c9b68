"""Predict one column of rows from their other columns, and say how right that was where the truth is
there.

Two ideas: the law is the generative model's own conditional, so nothing is trained for the target;
rows are judged where the run was not trained on them, beside what the frequencies of the training
data alone get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.app.measuring.parts import own_data, places_of, trained_on
from pushforward.app.runs.opening import reopen
from pushforward.app.runs.rows_with_gaps import TableRun, gapped_source
from pushforward.core.column_law import LEVELS, CategoryLaw, ColumnLaw, NumberLaw
from pushforward.core.conditionals import Told, column_law
from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Examples, Known
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.table import Column
from pushforward.data.tables.gapped import GappedRows, GapRules
from pushforward.data.tables.refilled import Refilled
from pushforward.data.tables.stored import Stored, restore
from pushforward.evaluation.prediction.categories import Calibration, calibration, category_scores
from pushforward.evaluation.prediction.numbers import PredictedNumbers, number_scores

MOST_DRAWS = 10_000
COMPARED, MOST_CATEGORIES = 200, 50  # rows and categories for which two orders are compared
DIGITS = 6  # of a probability that is written


@dataclass(frozen=True)
class ColumnPrediction:
    """What was predicted of a column, and how right it was.

    Attributes:
        table: the rows as they came, with the law of the target in columns behind them.
        law: of every row.
        judged: how many rows the scores are of, 0 where the truth is nowhere there.
        scores: how right the law was.
        calibrated: whether probabilities are as sure as they say; None for numbers, or few rows.
        order_gap: the mean distance in total variation from what the same model says if the
            target stands where it does in the table, which a network of finite size does not make
            0; None where it was not compared.
        notes: sentences for a person.
    """

    table: Refilled
    law: ColumnLaw
    judged: int = 0
    scores: tuple[Score, ...] = ()
    calibrated: Calibration | None = None
    order_gap: float | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


def predict(
    run: TableRun, source: Any, target: str, draws: int, seed: int = 0, told: Told = None
) -> ColumnPrediction:
    """Return the law of one column of rows given their others.

    A gap of a column that has some in training is a value like any other, which the law is given;
    one of a column that has none is not known, and the law is the mean over it.

    Args:
        target: name of a modelled column, which the rows need not have.
        draws: of what is not known, and of rows where the family has no exact law.

    Raises:
        BadInput: no such column, or one that no model knows; rows that cannot be rows of the run's
            table.
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise BadInput(f"--draws {draws}", f"2 to {MOST_DRAWS:,}")
    place, stored, column = target_of(run, target)
    rows, path = gapped_source(run.encoding, source, GapRules(optional=(target,)))
    known = rows.usual(run.encoding.table.columns)
    law = column_law(run.model, known, place, seed, draws, told)
    more, spelled = columns_of(law, stored, column)
    taken = [name for name in more if name in rows.there]
    if taken:
        raise BadInput(f"a column '{taken[0]}' in {source}", "another name", "it is to be added")
    table = Refilled(rows, run.encoding, path, {}, more, spelled)
    notes = _of_draws(run, law, draws)
    there = rows.known.mask[:, place]
    gap = _order_gap(run, known, place, law)
    if not bool(there.any()):
        return ColumnPrediction(table, law, order_gap=gap, notes=notes)
    judged, said, training = _judged(run, source, rows, place)
    cases = run.encoding.cases_of(rows.sheet.frame)
    owners = None if cases is None else cases[judged].numpy()
    truth = rows.known.values[judged, place].numpy()
    scores, calibrated = scores_of(law[judged], truth, column, training, (owners, seed))
    return ColumnPrediction(
        table, law, len(judged), tuple(scores), calibrated, gap, (*notes, *said)
    )


def target_of(run: TableRun, target: str) -> tuple[int, Stored, Column]:
    """Return where a column stands among those that are modelled, and how it is kept and modelled.

    Raises:
        BadInput: no such column, or one that no model knows.
    """
    for place, (stored, column) in enumerate(run.encoding.modelled):
        if stored.label == target:
            return place, stored, column
    names = [stored.label for stored, _ in run.encoding.modelled]
    other = next((one for one in run.encoding.stored if one.label == target), None)
    if other is None:
        fix = closest(target, names)
        raise BadInput(f"the target '{target}'", "one of " + ", ".join(names[:20]), fix)
    why = {
        "constant": "it has one value in the training data",
        "absent": "it has no value in the training data",
        "surrogate": "it identifies rows, and was not modelled",
        "excluded": "it was left out",
    }[other.role]
    raise BadInput(f"the target '{target}'", "a column that is modelled", why)


def columns_of(
    law: ColumnLaw, stored: Stored, column: Column
) -> tuple[pd.DataFrame, Mapping[str, Stored]]:
    """Return a law as columns, called `TARGET=...`, and how they are written.

    Of categories that samples do not show the probabilities are added up.
    """
    if isinstance(law, CategoryLaw):
        return _of_categories(law, stored, column), {}
    assert isinstance(law, NumberLaw)
    protection = stored.protection
    found: dict[str, pd.Series] = {}
    quantiles = law.quantiles.numpy()
    shown = [quantiles[:, i] for i in range(len(LEVELS))]
    mean = law.mean.numpy()
    if protection is not None:
        *shown, mean = (protection.shown(one, column, 0) for one in (*shown, mean))
    plain = column.kind != "datetime" and not stored.carrier
    middle = pd.Series(mean).round(DIGITS) if plain else restore(stored, column, mean)
    found[f"{column.name}=mean"] = middle
    found[f"{column.name}=sd"] = pd.Series(law.sd.numpy()).round(DIGITS)
    spelled = {} if plain else {f"{column.name}=mean": stored}
    for level, values in zip(LEVELS, shown, strict=True):
        name = f"{column.name}={level:.0%}"
        found[name], spelled[name] = restore(stored, column, values), stored
    return pd.DataFrame(found), spelled


def _of_categories(law: CategoryLaw, stored: Stored, column: Column) -> pd.DataFrame:
    p = law.p.numpy()
    hidden = np.zeros(p.shape[1], dtype=bool)
    if stored.protection is not None:
        hidden = stored.protection.hidden(np.arange(p.shape[1], dtype=np.float64), column)
    best = np.where(hidden, -1.0, p).argmax(1)
    words = [column.categories[i] for i in best.tolist()]
    found: dict[str, Any] = {f"{column.name}=(predicted)": words}
    for c, name in enumerate(column.categories):
        if not hidden[c]:
            found[f"{column.name}={name}"] = np.round(p[:, c], DIGITS)
    if hidden.any():
        found[f"{column.name}=(rare)"] = np.round(p[:, hidden].sum(1), DIGITS)
    return pd.DataFrame(found)


def _of_draws(run: TableRun, law: ColumnLaw, draws: int) -> tuple[str, ...]:
    """Return what is to be said of rows whose law is not exact."""
    rough = int((~law.exact).sum())
    if not rough:
        return ()
    of = "every row" if rough == len(law) else f"{rough:,} of {len(law):,} rows"
    error = ""
    if isinstance(law, CategoryLaw):
        worst = float(law.stderr[~law.exact].max(1).values.mean())
        error = f"; the standard error of a probability is about {worst:.2g}"
    why = "columns before the target are not known"
    why = why if run.law.kind == "exact" else f"{run.model.family} has no exact law of a column"
    return (f"the law of {of} is an estimate from {draws} draws, because {why}{error}",)


def _judged(
    run: TableRun, source: Any, rows: GappedRows, place: int
) -> tuple[Tensor, tuple[str, ...], np.ndarray | None]:
    """Return the rows that are judged, what is to be said of them, and the numbers of the training
    rows, None where they cannot be opened."""
    there = rows.known.mask[:, place]
    x = torch.where(rows.known.mask, rows.known.values, torch.nan)
    own = own_data(run.record, source)
    if own is not None:
        test = torch.zeros(len(x), dtype=torch.bool)
        test[places_of(own.test.x, x)] = True
        judged = (there & test).nonzero().flatten()
        said = (
            f"{source} is what this run was trained on: all rows are predicted, and judged are the "
            f"{len(judged):,} test rows, which training never saw",
        )
        return judged, said, own.train.x[:, place].numpy()
    judged = there.nonzero().flatten()
    said = trained_on(run.record, Examples(x[judged]), str(source))
    try:
        return judged, said, reopen(run.record).train.x[:, place].numpy()
    except BadInput:
        return judged, said, None


def scores_of(
    law: ColumnLaw,
    truth: np.ndarray,
    column: Column,
    training: np.ndarray | None,
    how: tuple[np.ndarray | None, int] = (None, 0),
) -> tuple[list[Score], Calibration | None]:
    """Return how right laws were, and whether they are calibrated.

    Args:
        training: values of the column in training, NaN where missing; None = not known.
        how: the cases of the rows, None = each its own, and a seed.
    """
    cases, seed = how
    known = None if training is None else training[~np.isnan(training)]
    if not len(truth):
        return [], None
    if isinstance(law, CategoryLaw):
        p, places = law.p.numpy(), truth.astype(np.int64)
        frequencies = None
        if known is not None:
            counts = np.bincount(known.astype(np.int64), minlength=p.shape[1]) + 0.5
            frequencies = counts / counts.sum()
        return category_scores(p, places, frequencies, cases), calibration(p, places, seed, cases)
    assert isinstance(law, NumberLaw)
    parts = (part.numpy() for part in (law.mean, law.quantiles, law.points))
    return number_scores(PredictedNumbers(*parts), truth, known, cases), None


def _order_gap(run: TableRun, known: Known, place: int, law: ColumnLaw) -> float | None:
    """Return how far the law is from that by Bayes' rule over whole rows, `p(row with c) / sum_c
    p(row with c)`, in the mean total variation of the first rows of which all else is known."""
    if run.law.kind != "exact" or not isinstance(law, CategoryLaw):
        return None
    others = known.mask.clone()
    others[:, place] = True
    exact = (law.exact & others.all(1)).nonzero().flatten()[:COMPARED]
    whole = exact[~torch.isnan(law.p[exact]).any(1)]
    categories = law.p.shape[1]
    if not len(whole) or categories > MOST_CATEGORIES:
        return None
    x = known.values[whole].repeat_interleave(categories, dim=0)
    x[:, place] = torch.arange(categories, dtype=torch.float64).repeat(len(whole))
    seed = derive_seed(0, "order")
    nats = run.model.log_prob(x, seed=seed).nats.double().unflatten(0, (len(whole), categories))
    # a row that is impossible whatever the target says nothing of its law
    likely = torch.isfinite(nats).any(1)
    if not bool(likely.any()):
        return None
    apart = nats[likely].softmax(1) - law.p[whole[likely]]
    return float(0.5 * apart.abs().sum(1).mean())
