"""Which rows are learned from and which are tried: three folds of either side.

Two ideas: nothing but chance and a row's group decides its fold, so that of two equal laws neither
side has an advantage; a sample that is a reference row goes where that row is, because in two folds
each would be the wrong answer to the other.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.evaluation.measuring.summaries import content

FOLDS = 3


def dealt(n: int, seed: int, cases: np.ndarray | None = None) -> np.ndarray:
    """Return the fold of each of n rows, 0 to 2, of about equal size and drawn at random; rows of
    one case are in one fold.

    Args:
        n: number of rows.
        seed: seed of the draw; equal seeds and sizes deal alike.
        cases: what each row belongs to, shape (n,); every row is a case by itself where None.

    Raises:
        BadInput: fewer than three cases.

    Example:
        >>> np.bincount(dealt(7, seed=0)).tolist(), np.diff(dealt(4, 0, np.array([5, 5, 6, 7]))[:2]).tolist()
        ([3, 2, 2], [0])
    """
    rng = np.random.default_rng(seed)
    which = np.arange(n) if cases is None else np.unique(cases, return_inverse=True)[1].ravel()
    sizes = np.bincount(which)
    if len(sizes) < FOLDS:
        raise BadInput(f"{len(sizes)} groups of rows", f"{FOLDS}, one for each fold")
    fold_of, filled = np.empty(len(sizes), dtype=np.int64), np.zeros(FOLDS, dtype=np.int64)
    for case in rng.permutation(len(sizes)):
        fold_of[case] = filled.argmin()
        filled[fold_of[case]] += sizes[case]
    return fold_of[which]


def beside_equals(
    folds: np.ndarray, x: np.ndarray, y: np.ndarray, folds_y: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return the folds of samples x, of which each one that equals a row of y is in that row's fold,
    and how many are.

    A row of y takes one equal sample; what else repeats among the samples stays where it was dealt,
    so that a generator of few rows is still told by them.

    Args:
        folds: of the samples, shape (n,).
        x: samples, shape (n, d).
        y: reference rows, shape (m, d).
        folds_y: of the reference rows, shape (m,).

    Example:
        >>> x, y = np.array([[1.0], [1.0], [2.0]]), np.array([[1.0], [3.0]])
        >>> moved, copies = beside_equals(np.array([0, 0, 0]), x, y, np.array([2, 1]))
        >>> moved.tolist(), copies
        ([2, 0, 0], 1)
    """
    keys_x, keys_y = _numbered(content(x)), _numbered(content(y))
    _, at_x, at_y = np.intersect1d(keys_x, keys_y, return_indices=True)
    moved = folds.copy()
    moved[at_x] = folds_y[at_y]
    return moved, len(at_x)


def _numbered(contents: np.ndarray) -> np.ndarray:
    """Return each content with how often it occurred before, so that no two are equal."""
    order = np.argsort(contents, kind="stable")
    ordered = contents[order]
    begins = np.searchsorted(ordered, ordered, "left")
    before = np.empty(len(contents), dtype=np.uint64)
    before[order] = (np.arange(len(contents)) - begins).astype(np.uint64)
    pairs = np.empty(len(contents), dtype=[("content", np.uint64), ("before", np.uint64)])
    pairs["content"], pairs["before"] = contents, before
    return pairs
