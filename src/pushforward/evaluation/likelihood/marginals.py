"""The independent-marginals model: every coordinate by itself, the floor of every likelihood."""

from __future__ import annotations

import numpy as np
import torch

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.core.moments import location_and_scale
from pushforward.core.space import Image, Points, Space
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.marks import missing_mark

BEYOND = 10  # spans on either side of a number's training range that its histogram still covers


def marginal_log_prob(train: np.ndarray, test: np.ndarray, space: Space) -> LogProb:
    """Return the exact log-probability of `test` under independent marginals fitted on `train`.

    Images: each pixel's histogram with half a count added to every level (Krichevsky & Trofimov 1981), counting measure.
    Text: the training frequencies of tokens, likewise. Points: each coordinate a Gaussian with the training mean and variance.
    Tables: histograms of categories and of numbers on a grid, whose last half count is shared by the values that were not seen;
    Gaussians of real numbers; a missing value is a category. Rows of tables are filled (see `evaluation.marks`).

    Raises:
        BadInput: a constant coordinate (its density is infinite), or another kind of space.
    """
    fitted, held_out = as_rows(train, "training examples", at_least=2), as_rows(test, "test examples", at_least=1)
    if isinstance(space, Image):
        counts = np.stack([(fitted == level).sum(axis=0) for level in range(space.levels)])
        log_p = np.log((counts + 0.5) / (len(fitted) + 0.5 * space.levels))
        nats = np.take_along_axis(log_p, held_out.astype(np.int64), axis=0).sum(axis=1)
    elif isinstance(space, Text):
        counts = np.bincount(fitted.astype(np.int64).ravel(), minlength=space.vocabulary)
        log_p = np.log((counts + 0.5) / (fitted.size + 0.5 * space.vocabulary))
        nats = log_p[held_out.astype(np.int64)].sum(axis=1)
    elif isinstance(space, Table):
        columns = zip(space.columns, fitted.T, held_out.T, strict=True)
        nats = np.sum([_column(column, a, b) for column, a, b in columns], axis=0)
    elif isinstance(space, Points):
        constant = np.flatnonzero(np.ptp(fitted, axis=0) == 0).tolist()
        if constant:
            raise BadInput(f"constant training columns {constant}", "columns that vary", "drop them from the data")
        mean, scale = (part.numpy() for part in location_and_scale(torch.from_numpy(fitted)))
        nats = -0.5 * (np.log(2 * np.pi) + 2 * np.log(scale) + ((held_out - mean) / scale) ** 2).sum(axis=1)
    else:
        raise BadInput(f"a space of kind '{space.kind}'", "images, points, tables or text")
    return LogProb(torch.from_numpy(nats), "exact", space.measure, space.unit, "independent marginals", calls=0.0)


def _column(column: Column, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    if column.discrete:
        levels = len(column.categories)
        index = [np.where(v == missing_mark(column), levels, v).astype(np.int64) for v in (train, test)]
        size = levels + column.missing
        counts = np.bincount(index[0], minlength=size)
        return np.log((counts + 0.5) / (len(train) + 0.5 * size))[index[1]]
    absent = (
        [v == missing_mark(column) for v in (train, test)]
        if column.missing
        else [np.zeros(len(v), bool) for v in (train, test)]
    )
    known = train[~absent[0]]
    share = (absent[0].sum() + 0.5) / (len(train) + 1.0) if column.missing else 0.0
    nats = _grid(column, known, test) if column.step is not None else _gaussian(column, known, test)
    return np.where(absent[1], np.log(share) if share else -np.inf, nats + np.log1p(-share))


def _grid(column: Column, known: np.ndarray, test: np.ndarray) -> np.ndarray:
    assert column.step is not None
    seen, counts = np.unique(known, return_counts=True)
    span = max(column.high - column.low, column.step)
    cells = round((1 + 2 * BEYOND) * span / column.step) + 1 - len(seen)
    place = np.searchsorted(seen, test).clip(max=len(seen) - 1)
    hit = np.isclose(seen[place], test, rtol=0, atol=column.step / 4)
    total = len(known) + 0.5 * len(seen) + 0.5
    inside = (test >= column.low - BEYOND * span) & (test <= column.high + BEYOND * span)
    unseen = np.where(inside, np.log(0.5 / total / max(1, cells)), -np.inf)
    return np.where(hit, np.log((counts[place] + 0.5) / total), unseen)


def _gaussian(column: Column, known: np.ndarray, test: np.ndarray) -> np.ndarray:
    variance = known.var()
    if variance == 0:
        raise BadInput(f"the constant column '{column.name}'", "a column that varies", "drop it from the data")
    return -0.5 * (np.log(2 * np.pi * variance) + (test - known.mean()) ** 2 / variance)
