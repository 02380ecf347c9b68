"""A column that no model learns and that comes back all the same, with values made anew.

One idea: what is made depends on a seed, the column and the number of the row alone, so that the
first rows are the same however many are drawn, and what belongs to one person fits together.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

Value = str | int | None


class Surrogate(ABC):
    """How values of a column are made anew. Concrete ones are frozen values.

    Attributes:
        kind: its name in records.
        promise: what is true of the new values.
    """

    kind: ClassVar[str]
    promise: ClassVar[str] = "none of them real"

    @property
    @abstractmethod
    def said(self) -> str:
        """What the column is, in words that follow `so`."""

    @property
    def called(self) -> str:
        """The word that declares such a column."""
        return self.kind

    @abstractmethod
    def made(self, n: int, seed: int, label: str) -> list[Value]:
        """Return n new values.

        Args:
            label: of the column, so that two columns differ.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back, without the kind."""

    @classmethod
    @abstractmethod
    def of_json(cls, record: dict[str, Any]) -> Surrogate:
        """Invert `to_json`."""


def uniforms(seed: int, label: str, attempt: int, n: int, fields: int) -> np.ndarray:
    """Return numbers in [0, 1), (n, fields), of which the first rows do not depend on n.

    Example:
        >>> bool((uniforms(0, "a", 1, 3, 2) == uniforms(0, "a", 1, 5, 2)[:3]).all())
        True
    """
    key = np.array(
        [seed % 2**64, zlib.crc32(label.encode("utf-8", "surrogatepass"))], dtype=np.uint64
    )
    counter = np.array([0, 0, 0, attempt], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter)).random((n, fields))
