"""A deterministic split into training, validation and test examples.

Three ideas: exact duplicates stay together, so that no test example was trained on, unless repeats
are what the law itself makes; labels are split in equal shares, and every class is trained on;
splits that a source brings are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.data.folders import SPLITS, TEST, TRAIN, VALIDATION
from pushforward.data.repeats import groups_of, repeats_naturally

SHARES = (0.7, 0.1, 0.2)
# of the training part of a source that brings one other split
NO_VALIDATION, NO_TEST = (0.9, 0.1, 0.0), (0.8, 0.0, 0.2)


@dataclass(frozen=True)
class SplitBy:
    """How examples are split where their source does not say it.

    Example:
        >>> str(SplitBy(3))
        '70/10/20 by seed 3'
    """

    seed: int = 0
    shares: tuple[float, float, float] = SHARES

    def __str__(self) -> str:
        return f"{said_of(self.shares)} by seed {self.seed}"


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Split:
    """Row numbers of the training, validation and test split, and how they came about."""

    rows: Rows
    how: str


def split_rows(
    x: np.ndarray, labels: np.ndarray | None, seed: int, shares: tuple[float, float, float] = SHARES
) -> Rows:
    """Return row numbers of the training, validation and test split, each in random order.

    Files often lie sorted; whoever looks at the first rows of a split only (to initialise, to
    choose a model, to draw a picture) sees all kinds. A class whose every example would fall to
    validation and test has one moved to training.

    Raises:
        BadInput: too few distinct examples for three splits.

    Example:
        >>> [len(rows) for rows in split_rows(np.arange(20.0).reshape(10, 2), None, seed=0)]
        [7, 1, 2]
    """
    n = len(x)
    group = groups_of(x)
    if group.max(initial=-1) + 1 < 5:
        distinct = int(group.max(initial=-1)) + 1
        raise BadInput(
            f"{n} examples, {distinct} of them distinct",
            "at least 5 distinct examples",
            "bring more data",
        )
    strata = np.zeros(n, dtype=np.int64) if labels is None else labels
    _, first = np.unique(group, return_index=True)
    rng = np.random.default_rng(derive_seed(seed, "split"))
    place = np.empty(len(first), dtype=np.int64)
    for stratum in np.unique(strata[first]):
        members = np.flatnonzero(strata[first] == stratum)
        # systematic assignment along a random order: every prefix has the shares to within one
        # example
        order = rng.permutation(members)
        position = (np.arange(len(order)) + rng.random()) / len(order)
        place[order] = np.searchsorted(np.cumsum(shares)[:-1], position, side="right")
    _repair(place, group, strata, shares)
    splits = [rng.permutation(np.flatnonzero(place[group] == k)) for k in range(3)]
    for rows, share, name in zip(splits, shares, SPLITS, strict=True):
        if len(rows) == 0 and share > 0:
            raise BadInput(f"{n} examples", f"enough for a {name} split", "bring more data")
    return splits[0], splits[1], splits[2]


def said_of(shares: tuple[float, float, float]) -> str:
    """Return shares in per cent.

    Example:
        >>> said_of(SHARES), said_of((0.985, 0.005, 0.01))
        ('70/10/20', '98.5/0.5/1')
    """
    return "/".join(f"{100.0 * share:.4g}" for share in shares)


def _repair(
    place: np.ndarray, group: np.ndarray, strata: np.ndarray, shares: tuple[float, float, float]
) -> None:
    """Change the split of few groups so that every class is in training and, if there are examples
    enough, no split is empty."""
    for stratum in np.unique(strata):
        mine = np.unique(group[strata == stratum])
        if (place[mine] != TRAIN).all():
            place[mine[0]] = TRAIN
    for split in (VALIDATION, TEST):
        if shares[split] == 0 or (place == split).any():
            continue
        for candidate in np.flatnonzero(place == TRAIN)[::-1]:
            rest = (place[group] == TRAIN) & (group != candidate)
            if np.isin(strata[group == candidate], strata[rest]).all():
                place[candidate] = split
                break


def split_examples(
    x: np.ndarray,
    labels: np.ndarray | None,
    seed: int,
    roles: np.ndarray | None = None,
    levels: int | None = None,
    shares: tuple[float, float, float] = SHARES,
) -> Split:
    """Return the split of examples: the source's own where it has one, drawn where it has none.

    Args:
        roles: the split that the source puts each example in, None if it has none.
        levels: of the pixels of pictures, None for points.
        shares: of training, validation and test examples; a source that brings splits has its own.

    Raises:
        BadInput: too few distinct examples, or a split of the source that is empty.

    Example:
        >>> split_examples(np.arange(10.0)[:, None], None, 0).how
        '70/10/20 by seed 0, duplicates kept together'
    """
    if roles is None:
        drawn, how = _drawn(x, labels, seed, shares, repeats_naturally(x, levels))
        return Split(drawn, f"{SplitBy(seed, shares)}, {how}")
    train, validation, test = (np.flatnonzero(roles == role) for role in range(3))
    if len(validation) and len(test):
        # training examples are met in random order, as from every other source
        order = np.random.default_rng(derive_seed(seed, "split")).permutation(train)
        return Split((order, validation, test), "by the source's own splits")
    missing = VALIDATION if len(test) else TEST
    shares = NO_VALIDATION if missing == VALIDATION else NO_TEST
    own, how = _drawn(
        x[train],
        None if labels is None else labels[train],
        seed,
        shares,
        repeats_naturally(x[train], levels),
    )
    percent = round(100 * shares[missing])
    said = (
        f"by the source's own {SPLITS[TEST if missing == VALIDATION else VALIDATION]} split; "
        f"{percent} % of its training examples by seed {seed} are {SPLITS[missing]} examples, {how}"
    )
    rest = train[own[missing]]
    return Split(
        (train[own[TRAIN]], rest, test)
        if missing == VALIDATION
        else (train[own[TRAIN]], validation, rest),
        said,
    )


def _drawn(
    x: np.ndarray,
    labels: np.ndarray | None,
    seed: int,
    shares: tuple[float, float, float],
    natural: bool,
) -> tuple[Rows, str]:
    if not natural:
        return split_rows(x, labels, seed, shares), "duplicates kept together"
    distinct = int(groups_of(x).max()) + 1
    if distinct < 2:
        raise BadInput(
            f"{len(x)} examples, all of them equal", "examples that differ", "bring more data"
        )
    said = f"row by row, because repeats are natural here ({len(x):,} examples, {distinct:,} different ones)"
    return split_rows(np.arange(len(x))[:, None], labels, seed, shares), said
