"""A deterministic split into training, validation and test examples.

Two ideas: exact duplicates stay together, so that no test example was trained on; labels are split in equal shares.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed

SHARES = (0.7, 0.1, 0.2)


def split_rows(
    x: np.ndarray, labels: np.ndarray | None, seed: int, shares: tuple[float, float, float] = SHARES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row numbers of the training, validation and test split, each in random order.

    Files often lie sorted; whoever looks at the first rows of a split only (to initialise, to choose a model, to draw a picture)
    sees all kinds.

    Raises:
        BadInput: too few distinct examples for three splits.

    Example:
        >>> [len(rows) for rows in split_rows(np.arange(20.0).reshape(10, 2), None, seed=0)]
        [7, 1, 2]
    """
    n = len(x)
    flat = np.ascontiguousarray(x.reshape(n, -1))
    _, group = np.unique(flat, axis=0, return_inverse=True)
    group = group.reshape(-1)
    if group.max(initial=-1) + 1 < 5:
        distinct = int(group.max(initial=-1)) + 1
        raise BadInput(f"{n} examples, {distinct} of them distinct", "at least 5 distinct examples", "bring more data")
    strata = np.zeros(n, dtype=np.int64) if labels is None else labels
    _, first = np.unique(group, return_index=True)
    rng = np.random.default_rng(derive_seed(seed, "split"))
    place = np.empty(len(first), dtype=np.int64)
    for stratum in np.unique(strata[first]):
        members = np.flatnonzero(strata[first] == stratum)
        # systematic assignment along a random order: every prefix has the shares to within one example
        order = rng.permutation(members)
        position = (np.arange(len(order)) + rng.random()) / len(order)
        place[order] = np.searchsorted(np.cumsum(shares)[:-1], position, side="right")
    splits = [rng.permutation(np.flatnonzero(place[group] == k)) for k in range(3)]
    for rows, share, name in zip(splits, shares, ("training", "validation", "test"), strict=True):
        if len(rows) == 0 and share > 0:
            raise BadInput(f"{n} examples", f"enough for a {name} split", "bring more data")
    return splits[0], splits[1], splits[2]
