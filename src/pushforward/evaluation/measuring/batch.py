"""What an evaluation is fed: batches of examples that have an identity and play a role.

Two ideas: an example's identity decides the block it falls into and whether it is kept, so neither
the order of batches nor the worker that saw them can change a result; identities are hashed,
because data often lie sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pushforward.core.errors import BadInput

Role = Literal["samples", "reference", "train", "heldout"]
ROLES: tuple[Role, ...] = ("samples", "reference", "train", "heldout")
NO_LABEL = -1


def hashed(ids: np.ndarray, salt: int = 0) -> np.ndarray:
    """Return one 64-bit word per identity: the finaliser of SplitMix64 (Steele, Lea & Flood 2014,
    figure 14).

    Args:
        ids: whole numbers, shape (n,).
        salt: which of many independent-looking hashes.

    Example:
        >>> bool(hashed(np.array([7]))[0] == hashed(np.array([3, 7]))[1] != hashed(np.array([7]), salt=1)[0])
        True
    """
    with np.errstate(over="ignore"):
        z = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(2 * salt + 1)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@dataclass(frozen=True)
class Batch:
    """Some examples of one role.

    Attributes:
        ids: what tells an example from every other one of its role, such as its row or the number
            of its seed; shape (n,).
        x: examples in data units, shape (n, ...).
        labels: class of each example, shape (n,), `NO_LABEL` where there is none; None if nothing
            has any.
        cases: what each example belongs to (a document, a customer), shape (n,); None if each is a
            case by itself.
    """

    ids: np.ndarray
    x: np.ndarray
    labels: np.ndarray | None = None
    cases: np.ndarray | None = None

    def __post_init__(self) -> None:
        named = (("ids", self.ids), ("labels", self.labels), ("cases", self.cases))
        for name, array in named:
            if array is not None and array.shape != (len(self.x),):
                raise BadInput(
                    f"{name} of shape {array.shape} for {len(self.x)} examples", "one per example"
                )

    @staticmethod
    def of(
        x: np.ndarray,
        labels: np.ndarray | None = None,
        first: int = 0,
        cases: np.ndarray | None = None,
    ) -> Batch:
        """Return a batch whose examples are numbered from `first` on.

        Example:
            >>> Batch.of(np.zeros((2, 3)), first=5).ids.tolist()
            [5, 6]
        """
        return Batch(np.arange(first, first + len(x)), x, labels, cases)

    def __len__(self) -> int:
        return len(self.x)
