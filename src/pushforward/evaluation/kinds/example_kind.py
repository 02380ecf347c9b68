"""What measures must know of a kind of data: how examples are spread, spoilt and explained by their
parts alone.

One idea: everything that a control, a damage or a floor does differently for pictures, points,
tables and texts is a method here, of one object a kind, in one file a kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from pushforward.core.registry import Registry
from pushforward.core.space import Space


class ExampleKind(ABC):
    """Examples of one kind as arrays in data units, the missing values of a table as marks (see
    `evaluation/marks.py`).

    To add a kind, write a subclass, and name an object of it in `EXAMPLE_KINDS`. Every method takes
    the space, of its own kind.

    Attributes:
        noisy: whether noise can be added to the numbers of an example.
        neighbouring: whether parts have neighbours, so that an example can be blurred or turned.
        fewest_shuffled: parts that must be shuffled for anything to happen.
    """

    noisy = True
    neighbouring = False
    fewest_shuffled = 1

    @abstractmethod
    def even(self, space: Any, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n examples spread evenly over what the space may hold, or over what the training
        rows (m, d) span."""

    @abstractmethod
    def log_marginals(self, space: Any, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the log-probability of test rows (n, d) under independent marginals of the
        training rows, in nats, (n,)."""

    @abstractmethod
    def marginals(self, space: Any) -> str:
        """Return what independent marginals of such data are, in words."""

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """Return the size of noise of dose one, for each part (d,): that of all numbers of the
        training rows together."""
        return np.full(rows.shape[1], rows.std())

    def on_grid(self, space: Any, rows: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Return noisy rows where values may be, given the rows that they were."""
        return noisy

    def shuffle(self, rows: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> None:
        """Permute the chosen parts over the examples, each part by itself, in place."""
        for part in chosen:
            rows[:, part] = rows[rng.permutation(len(rows)), part]


EXAMPLE_KINDS: Registry[ExampleKind] = Registry(
    "example kind",
    {
        "points": "pushforward.evaluation.kinds.point_examples:POINTS",
        "image": "pushforward.evaluation.kinds.image_examples:IMAGES",
        "table": "pushforward.evaluation.kinds.table_examples:TABLES",
        "text": "pushforward.evaluation.kinds.text_examples:TEXTS",
    },
    of="pushforward.evaluation.kinds.example_kind:ExampleKind",
)


def examples_of(space: Space) -> ExampleKind:
    """Return what measures must know of a space's kind.

    Example:
        >>> from pushforward.core.space import Image
        >>> examples_of(Image(1, 8, 8)).neighbouring
        True
    """
    return EXAMPLE_KINDS.load(space.kind)
