"""A column of names of things, each in about one row, that comes back numbered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from pushforward.data.tables.surrogates.bloom_filter import BloomFilter
from pushforward.data.tables.surrogates.surrogate import Surrogate, uniforms


@dataclass(frozen=True)
class NumberedSurrogate(Surrogate):
    """Things that are told apart by their names alone, called by a number.

    Attributes:
        word: that stands before the number.
        seen: the real ones, which are passed over.
        missing: the share of rows that have none.

    Example:
        >>> NumberedSurrogate("product", BloomFilter.of(["product 1"])).made(2, seed=0, label="product")
        ['product 2', 'product 3']
    """

    word: str
    seen: BloomFilter
    missing: float = 0.0
    kind = "numbered"

    @property
    def said(self) -> str:
        """What they are."""
        return "of no pattern, so names of single things"

    @property
    def called(self) -> str:
        """The word that declares such a column: the real values need not differ in every row."""
        return "identifier"

    def made(self, n: int, seed: int, label: str) -> list[str | int | None]:
        """Return n names."""
        gone = uniforms(seed, label, 0, n, 1)[:, 0] < self.missing
        names = (f"{self.word} {number}" for number in count(1))
        new = (name for name in names if name not in self.seen)
        # a row without one takes its number along, so that the first rows never depend on n
        return [None if absent else name for name, absent in zip(new, gone.tolist(), strict=False)]

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back."""
        return {"word": self.word, "seen": self.seen.text, "missing": self.missing}

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> NumberedSurrogate:
        """Invert `to_json`."""
        return cls(**{**record, "seen": BloomFilter.from_text(record["seen"])})
