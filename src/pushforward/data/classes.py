"""Classes of labelled examples.

One idea: a model can be given a class only if it was trained on it, so every class is in training
or is named and left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.folders import SPLITS, TRAIN, counted, few
from pushforward.data.source import Raw

LEFT_OUT = -1


def classes_of(
    raw: Raw, origin: str, notes: list[str], lost: list[str]
) -> tuple[tuple[str, ...], np.ndarray | None, np.ndarray | None]:
    """Return the names of classes, the class of each example, and the split of each, `LEFT_OUT`
    where its class is not trained on.

    Raises:
        BadInput: another number of labels than of examples.
    """
    names, roles = raw.labels, raw.roles
    if names is None:
        return (), None, roles
    if len(names) != len(raw.x):
        raise BadInput(
            f"{len(names)} labels for {len(raw.x)} examples in {origin}", "one label per example"
        )
    trained = (
        set(names)
        if roles is None
        else {name for name, role in zip(names, roles, strict=True) if role == TRAIN}
    )
    own = trained <= set(raw.order)
    classes = (
        tuple(name for name in raw.order if name in trained)
        if own
        else tuple(sorted(trained, key=label_key))
    )
    if own and list(classes) != sorted(trained, key=label_key):
        notes.append(f"classes are in the order of the data: {few(classes)}")
    if roles is not None and (unseen := sorted(set(names) - trained, key=label_key)):
        out = np.array([name not in trained for name in names])
        roles = np.where(out, LEFT_OUT, roles)
        said = f"{counted(int(out.sum()), 'example')} of classes that are not in training: {few(unseen)}"
        notes.append(f"left out: {said}")
        lost.append(said)
    if len(classes) < 2:
        notes.append("one class only, so labels are left out")
        lost.append(f"the labels: all are of one class ({few(classes)})")
        return (), None, roles
    place = {name: i for i, name in enumerate(classes)}
    return classes, np.array([place.get(name, 0) for name in names]), roles


def spread_of(
    classes: tuple[str, ...], index: np.ndarray | None, rows: Sequence[np.ndarray]
) -> list[str]:
    """Return a sentence for every split that lacks classes which are trained on.

    Example:
        >>> spread_of(("a", "b"), np.array([0, 0, 0, 1]), (np.array([0, 3]), np.array([1]), np.array([2])))
        ['no validation or test examples of 1 class: b (1 to train on)']
    """
    if index is None:
        return []
    missing: dict[str, list[str]] = {}
    for i, name in enumerate(classes):
        without = [SPLITS[role] for role in (1, 2) if not (index[rows[role]] == i).any()]
        if without:
            told = f"{name} ({int((index[rows[0]] == i).sum()):,} to train on)"
            missing.setdefault(" or ".join(without), []).append(told)
    return [
        f"no {splits} examples of {len(names)} class{'es' if len(names) > 1 else ''}: {few(names)}"
        for splits, names in missing.items()
    ]


def label_key(name: str) -> tuple[int, float, str]:
    """Return what labels are sorted by: numbers in numeric order, then words.

    Example:
        >>> sorted(["10", "b", "9", "--1", "²"], key=label_key)
        ['9', '10', '--1', 'b', '²']
    """
    try:
        value = float(name)
    except ValueError:
        return (1, 0.0, name)
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)
