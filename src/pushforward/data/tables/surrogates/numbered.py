"""A column of names of things, each in about one row, that comes back numbered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pushforward.data.tables.surrogates.surrogate import Surrogate, uniforms


@dataclass(frozen=True)
class NumberedSurrogate(Surrogate):
    """Things that are told apart by their names alone, called by a number.

    Attributes:
        word: that stands before the number.
        missing: the share of rows that have none.

    Example:
        >>> NumberedSurrogate("product").made(2, seed=0, label="product")
        ['product 1', 'product 2']
    """

    word: str
    missing: float = 0.0
    kind = "numbered"

    @property
    def said(self) -> str:
        """What they are."""
        return "of no pattern, so names of single things"

    def made(self, n: int, seed: int, label: str) -> list[str | int | None]:
        """Return n names."""
        gone = uniforms(seed, label, 0, n, 1)[:, 0] < self.missing
        return [
            None if absent else f"{self.word} {row + 1}" for row, absent in enumerate(gone.tolist())
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back."""
        return asdict(self)

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> NumberedSurrogate:
        """Invert `to_json`."""
        return cls(**record)
