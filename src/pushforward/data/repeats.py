"""Whether equal examples are different cases or copies of one.

Two ideas: what a law repeats by itself must be split case by case, or no test example occurs in
training and the test set has another law; copies are what agrees in everything as soon as it agrees
in nearly everything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import combinations, pairwise

import numpy as np

# the counts of draws have a variance near their mean or above, those of copies hardly any
UNEVEN, FEW_LEVELS = 0.4, 16
LOOKED_AT = 60
SHORT = 24  # characters
EXPECTED = 0.2  # of the equal pairs of documents that are there
COPIED = 0.45  # share of equal pairs from which on rows of a table are taken for copies

# the rule by which a data set is split: 2 is today's, 1 and 0 are those of earlier versions, whose
# runs must find their data again
RULES = (2, 1, 0)
_rule: ContextVar[int] = ContextVar("rule", default=RULES[0])


@contextmanager
def rule_of(version: int) -> Iterator[None]:
    """Tell repeats from copies inside the block as an earlier version did."""
    token = _rule.set(version)
    try:
        yield
    finally:
        _rule.reset(token)


def groups_of(x: np.ndarray) -> np.ndarray:
    """Return a number for each example, equal for equal ones, in the order of the examples as
    tuples of numbers.

    Splits depend on that order. It is that of the examples' bytes, once they are big-endian and
    negative ones come first; a sort by columns takes minutes for photographs.

    Example:
        >>> groups_of(np.array([[3, 1], [2, 2], [3, 1]])).tolist()
        [1, 0, 1]
    """
    rows = _as_ordered_bytes(x.reshape(len(x), -1))
    if not rows.size:
        return np.zeros(len(x), dtype=np.int64)
    whole = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).reshape(-1)
    return np.unique(whole, return_inverse=True)[1].reshape(-1)


def _as_ordered_bytes(x: np.ndarray) -> np.ndarray:
    """Return unsigned integers whose big-endian bytes are ordered as the numbers of x are."""
    x = np.ascontiguousarray(x.astype(x.dtype.newbyteorder("="), copy=False))
    if x.dtype.kind in "bu":
        bits = x.view(f"u{x.itemsize}")
    elif x.dtype.kind == "i":
        bits = x.view(f"u{x.itemsize}") ^ np.array(
            1 << (8 * x.itemsize - 1), dtype=f"u{x.itemsize}"
        )
    else:
        # 0 and -0 are equal; of negative numbers larger bits mean smaller numbers
        plain = (x if x.itemsize <= 8 else x.astype(np.float64)) + 0.0
        bits = plain.view(f"u{plain.itemsize}")
        sign = np.array(1 << (8 * plain.itemsize - 1), dtype=bits.dtype)
        bits = np.where(bits & sign, ~bits, bits | sign)
    return bits.astype(bits.dtype.newbyteorder(">"), copy=False)


def repeats_naturally(x: np.ndarray, levels: int | None = None) -> bool:
    """Return whether equal pictures or points are different cases.

    Copies of photographs are copies, and a model must not be tested on one that it was trained on.
    Counts, categories and tiny binary pictures repeat because their law says so. Repeats are
    natural where n draws from all possible examples would repeat, or where most examples are
    repeats and some recur much more often than others; what is copied k times recurs k times.
    Photographs (more than 16 levels) recur for the first reason only, points also where
    `copied_share` finds few copies.

    Args:
        levels: of the pixels of pictures, None for points.

    Example:
        >>> repeats_naturally(np.array([[0], [1], [1], [0], [1]])), repeats_naturally(np.arange(4)[:, None])
        (True, False)
    """
    n, counts = len(x), np.bincount(groups_of(x))
    if len(counts) == n or _rule.get() == 0:
        return False
    possible = x[0].size * math.log(levels) if levels is not None else _log_cells(x.reshape(n, -1))
    if possible <= math.log(n * n / 2):
        return True
    uneven = counts.var() >= UNEVEN * counts.mean()
    if 2 * len(counts) < n and bool(uneven) and (levels is None or levels <= FEW_LEVELS):
        return True
    return levels is None and _rule.get() > 1 and _few_copies(x.reshape(n, -1), counts)


def rows_repeat(x: np.ndarray) -> bool:
    """Return whether equal rows of a table (n, columns), without gaps, are different cases.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> people = np.stack([rng.integers(18, 60, 500), rng.integers(0, 9, 500), rng.integers(0, 2, 500)], 1)
        >>> sizes = rng.normal(size=(500, 3))
        >>> rows_repeat(people), rows_repeat(np.concatenate([sizes, sizes[:100]]))
        (True, False)
    """
    counts = np.bincount(groups_of(x))
    if 2 * len(counts) < len(x):
        return True
    return len(counts) < len(x) and _rule.get() > 1 and _few_copies(x, counts)


def _few_copies(x: np.ndarray, counts: np.ndarray) -> bool:
    whole = int(np.gcd.reduce(counts)) > 1  # a table that was appended to itself
    return not whole and x.shape[1] > 1 and copied_share(x) < COPIED


def copied_share(x: np.ndarray) -> float:
    """Return the share of equal pairs of rows that must be copies, as nearly all pairs of columns
    say.

    Of the pairs of rows that agree in all columns but j and k, A agree in both, B in j and C in k,
    and D there are in all. If agreeing in k says nothing more about j once all others agree, `(A -
    m) / (C - m) = (B - m) / (D - m)` without the m copies, which agree in everything; so `m = (A D
    - B C) / (A + D - B - C)`. Columns that tell on each other make it too large and chance moves
    it, so that nine in ten pairs of columns (of at most 60) must say as much.

    Args:
        x: shape (n, columns), at least two equal rows and two columns.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 3))
        >>> copied_share(np.concatenate([x, x[:50]]))
        1.0
    """
    rng = np.random.default_rng(0)
    hashed = np.empty(x.shape, dtype=np.uint64)
    for place, column in enumerate(x.T):
        _, codes = np.unique(column, return_inverse=True)
        hashed[:, place] = rng.integers(0, 2**64, int(codes.max()) + 1, dtype=np.uint64)[
            codes.reshape(-1)
        ]
    rows = hashed.sum(axis=1, dtype=np.uint64)
    equal, found = _pairs(rows), []
    chosen = list(combinations(range(x.shape[1]), 2))
    if len(chosen) > LOOKED_AT:
        chosen = [chosen[place] for place in rng.permutation(len(chosen))[:LOOKED_AT]]
    for j, k in chosen:
        first, second = _pairs(rows - hashed[:, k]), _pairs(rows - hashed[:, j])
        neither = _pairs(rows - hashed[:, j] - hashed[:, k])
        if (spread := equal + neither - first - second) > 0.0:
            copies = (equal * neither - first * second) / spread
            found.append(max(0.0, copies / equal))
    return float(np.quantile(found, 0.1)) if found else 1.0


def _pairs(keys: np.ndarray) -> float:
    counts = np.unique(keys, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)


def documents_repeat(documents: Sequence[str]) -> bool:
    """Return whether equal documents are different cases: names and labels are, essays are not.

    Repeats are natural where those that repeat are short and some recur much more often than others
    (see `repeats_naturally`), or where about as many are equal as their characters let expect: a
    document drawn from a law p equals another with the probability `E[p(document)]`, and p is that
    of a chain of characters, each of which depends on the one before, fitted to all documents.

    Example:
        >>> names = ["anna", "ben", "cleo", "anna", "dora", "ben", "emil", "anna"] * 3
        >>> documents_repeat(names), documents_repeat(["To be, or not to be, that is the question of them all"] * 2 + names[2:3])
        (True, False)
    """
    n, counts = len(documents), Counter(documents)
    equal = sum(times * (times - 1) for times in counts.values()) / 2
    if not equal or _rule.get() < 2:
        return False
    times = np.array(list(counts.values()))
    lengths = [len(document) for document, size in counts.items() if size > 1]
    if float(np.median(lengths)) <= SHORT and times.var() >= UNEVEN * times.mean():
        return True
    follows, firsts = Counter[str](), Counter[str]()
    for document in counts:
        follows.update(a + b for a, b in pairwise(f"\0{document}\0"))
        firsts.update(f"\0{document}")
    log_p = {pair: math.log(size / firsts[pair[0]]) for pair, size in follows.items()}
    expected = sum(
        size * math.exp(sum(log_p[a + b] for a, b in pairwise(f"\0{document}\0")))
        for document, size in counts.items()
    )
    return (n - 1) / 2 * expected >= EXPECTED * equal


def _log_cells(x: np.ndarray) -> float:
    """Return the logarithm of the number of possible rows of numbers with at most three decimals,
    infinity for others."""
    for decimals in range(4):
        whole = x.astype(np.float64) * 10**decimals
        if np.abs(whole).max() < 2**50 and bool(
            np.isclose(whole, np.round(whole), rtol=1e-12, atol=1e-6).all()
        ):
            return float(np.log(np.ptp(whole, axis=0) + 1).sum())
    return math.inf
