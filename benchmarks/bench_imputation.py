"""Imputation of UCI Adult: 30 % of the cells of held-out rows are hidden and filled again.

Usage: python benchmarks/bench_imputation.py [SECONDS] [SEEDS] [ROWS]   (130 seconds of training for each of 3 seeds, 2,000 rows)

Beside the autoregressive model (`complete`: one draw, and the mean of 20) stand the training mean and mode, and scikit-
learn's IterativeImputer on standardised numbers and one-hot categories (its default, and draws from its posterior), fitted
on 5,000 training rows. Printed are, over hidden cells that were there: the error of numbers in standard deviations of their
column (root mean square), the share of categories that are right, and a tree two-sample score 2 - 2 AUC of completed rows
against other real ones (1 = cannot be told apart). Each with a 95 % interval over rows of the first seed and over seeds;
differences to IterativeImputer are paired by row.
The data are those of bench_adult.py.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from bench_adult import data
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from pushforward.core.conditionals import completed
from pushforward.core.given import Examples, Known
from pushforward.core.rng import derive_seed, generator
from pushforward.core.spec import TrainConfig
from pushforward.core.table import Table
from pushforward.engine.fit import fit
from pushforward.evaluation.intervals import mean_interval
from pushforward.families.build import build, settings

HIDDEN, DRAWS, FITTED = 0.3, 20, 5000
Filler = Callable[[torch.Tensor, int], np.ndarray]


@dataclass(frozen=True)
class Filled:
    """What a method is off by, for each row: NaN where the row has no such cell."""

    squares: np.ndarray
    right: np.ndarray
    told: float


def hide(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Return rows with a share of their cells hidden."""
    u = torch.rand(x.shape, generator=generator(seed, "hidden cells"), dtype=torch.float64)
    return torch.where(u < HIDDEN, torch.nan, x)


def autoregressive(
    space: Table, train: torch.Tensor, held: torch.Tensor, seconds: float, seed: int
) -> dict[str, Filler]:
    """Train a model and return its two ways to fill gaps."""
    chosen = settings("autoregressive", space, "cpu")
    model = build("autoregressive", space, values=chosen["model"], seed=seed)
    config = TrainConfig(**chosen["train"], seconds=seconds, seed=seed)
    fit(model, Examples(train), Examples(held), config)

    def draw(x: torch.Tensor, k: int) -> np.ndarray:
        known = Known(torch.nan_to_num(x), ~torch.isnan(x))
        return completed(model, known, derive_seed(seed, "draw", k)).x.numpy()

    def mean(x: torch.Tensor, k: int) -> np.ndarray:
        draws = np.stack([draw(x, k + i) for i in range(DRAWS)])
        return np.where(numbers_of(space), draws.mean(0), modes(draws))

    return {"autoregressive, draw": draw, f"autoregressive, mean of {DRAWS}": mean}


def modes(draws: np.ndarray) -> np.ndarray:
    """Return the most frequent of K values (K, n, C)."""
    votes = (draws[:, None] == draws[None]).sum(1)
    return np.take_along_axis(draws, votes.argmax(0)[None], 0)[0]


def numbers_of(space: Table) -> np.ndarray:
    """Return which columns are numbers."""
    return np.array([not column.discrete for column in space.columns])


def usual(space: Table, train: torch.Tensor) -> Filler:
    """Return what fills numbers by their mean and categories by their mode."""
    best = []
    for column, values in zip(space.columns, train.unbind(1), strict=True):
        there = values[~torch.isnan(values)]
        best.append(float(torch.mode(there)[0]) if column.discrete else float(there.mean()))
    return lambda x, k: np.where(np.isnan(x.numpy()), np.array(best), x.numpy())


class Widened:
    """Rows as standardised numbers and one-hot categories, and back."""

    def __init__(self, space: Table, train: torch.Tensor) -> None:
        self.columns = space.columns
        self.mean = np.nanmean(train.numpy(), axis=0)
        self.sd = np.nanstd(train.numpy(), axis=0)

    def wide(self, x: np.ndarray) -> np.ndarray:
        """Return rows (n, wide), NaN where a cell is hidden."""
        parts = []
        for c, column in enumerate(self.columns):
            if column.discrete:
                one = (x[:, [c]] == np.arange(len(column.categories))).astype(float)
                one[np.isnan(x[:, c])] = np.nan
                parts.append(one)
            else:
                parts.append((x[:, [c]] - self.mean[c]) / self.sd[c])
        return np.concatenate(parts, axis=1)

    def narrow(self, wide: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the rows that wide ones stand for, known cells as they were."""
        out, at = x.copy(), 0
        for c, column in enumerate(self.columns):
            size = len(column.categories) if column.discrete else 1
            part, at = wide[:, at : at + size], at + size
            found = part.argmax(1) if column.discrete else part[:, 0] * self.sd[c] + self.mean[c]
            out[:, c] = np.where(np.isnan(x[:, c]), found, x[:, c])
        return out


def iterative(space: Table, train: torch.Tensor, most: int, *, draws: bool, seed: int) -> Filler:
    """Return scikit-learn's chained regressions, fitted on so many training rows at most."""
    widened = Widened(space, train)
    imputer = IterativeImputer(random_state=seed, sample_posterior=draws, max_iter=10)
    places = torch.randperm(len(train), generator=generator(seed, "fitted"))[:most]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        imputer.fit(widened.wide(train[places].numpy()))
    return lambda x, k: widened.narrow(imputer.transform(widened.wide(x.numpy())), x.numpy())


def judged(
    space: Table,
    filled: np.ndarray,
    hidden: torch.Tensor,
    truth: torch.Tensor,
    others: torch.Tensor,
    sd: np.ndarray,
    seed: int,
) -> Filled:
    """Return how far filled cells are from the truth, and whether a tree tells the rows apart."""
    asked = np.isnan(hidden.numpy()) & ~np.isnan(truth.numpy())
    number = numbers_of(space)
    error = ((filled - truth.numpy()) / sd) ** 2
    right = (filled == truth.numpy()).astype(float)
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without a hidden cell of a kind
        squares = np.nanmean(np.where(asked & number, error, np.nan), axis=1)
        hits = np.nanmean(np.where(asked & ~number, right, np.nan), axis=1)
    both = np.concatenate([filled, others.numpy()])
    label = np.repeat([1, 0], [len(filled), len(others)])
    trees = HistGradientBoostingClassifier(random_state=seed)
    p = cross_val_predict(trees, both, label, cv=3, method="predict_proba")[:, 1]
    return Filled(squares, hits, min(1.0, 2.0 - 2.0 * float(roc_auc_score(label, p))))


def said(name: str, found: list[Filled], peer: list[Filled]) -> str:
    """Return a line: each figure of the first seed with its interval over rows, and over seeds."""
    first = found[0]
    squares, hits = (part[~np.isnan(part)] for part in (first.squares, first.right))
    mse, low, high, _ = mean_interval(squares)
    acc, a, b, _ = mean_interval(hits)
    parts = [
        f"numbers {mse**0.5:.3f} [{max(0.0, low) ** 0.5:.3f}, {high**0.5:.3f}] sd",
        f"categories {acc:.3f} [{a:.3f}, {b:.3f}]",
        f"two-sample {np.mean([one.told for one in found]):.3f}",
    ]
    if len(found) > 1:
        over = [mean_interval(np.array([np.nanmean(one.right) for one in found]))]
        over.append(mean_interval(np.array([np.nanmean(one.squares) ** 0.5 for one in found])))
        parts.append(
            "over seeds " + ", ".join(f"{m:.3f} [{x:.3f}, {y:.3f}]" for m, x, y, _ in over)
        )
    if peer is not found:
        less = first.squares - peer[0].squares
        more = first.right - peer[0].right
        d, x, y, _ = mean_interval(less[~np.isnan(less)])
        e, u, v, _ = mean_interval(more[~np.isnan(more)])
        parts.append(
            f"against IterativeImputer: squares {d:+.3f} [{x:+.3f}, {y:+.3f}], categories {e:+.3f} [{u:+.3f}, {v:+.3f}]"
        )
    return f"{name:<34} " + "; ".join(parts)


def main(seconds: float, seeds: int, rows: int) -> None:
    """Hide, fill and compare."""
    torch.set_num_threads(1)
    encoding, train, validation, test = data()
    space = encoding.space
    sd = np.nanstd(train.x.numpy(), axis=0)
    truth, others = test.x[:rows], test.x[rows : 2 * rows]
    print(
        f"{len(train)} training rows; {len(truth)} rows with {HIDDEN:.0%} of their cells hidden, against {len(others)} others"
    )
    found: dict[str, list[Filled]] = {}
    for seed in range(seeds):
        hidden = hide(truth, seed)
        started = time.perf_counter()
        ways: dict[str, Filler] = {
            "mean and mode": usual(space, train.x),
            "IterativeImputer": iterative(
                space, train.x, min(FITTED, 5 * rows), draws=False, seed=seed
            ),
            "IterativeImputer, posterior draw": iterative(
                space, train.x, min(FITTED, 5 * rows), draws=True, seed=seed
            ),
            **autoregressive(space, train.x, validation.x, seconds, seed),
        }
        print(f"seed {seed}: fitted in {time.perf_counter() - started:.0f} s", flush=True)
        for name, fill in ways.items():
            started = time.perf_counter()
            one = judged(space, fill(hidden, 0), hidden, truth, others, sd, seed)
            found.setdefault(name, []).append(one)
            print(
                f"  {name}: filled and judged in {time.perf_counter() - started:.1f} s", flush=True
            )
    for name, several in found.items():
        print(said(name, several, found["IterativeImputer"]))


if __name__ == "__main__":
    words = sys.argv[1:]
    main(
        float(words[0]) if words else 130.0,
        int(words[1]) if len(words) > 1 else 3,
        int(words[2]) if len(words) > 2 else 2000,
    )
