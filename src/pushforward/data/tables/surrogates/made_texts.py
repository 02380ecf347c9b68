"""A column of sentences that comes back with made-up ones of as many words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pushforward.data.tables.surrogates.names import USUAL
from pushforward.data.tables.surrogates.persona import Persona
from pushforward.data.tables.surrogates.surrogate import Surrogate, uniforms


@dataclass(frozen=True)
class TextSurrogate(Surrogate):
    """Sentences that say nothing, in the place of what somebody wrote.

    Attributes:
        lengths: numbers of words, of which each is as often as any other.
        missing: the share of rows that have none.
        locale: whose words they are.

    Example:
        >>> len(TextSurrogate((5, 9)).made(1, seed=0, label="note")[0].split()) in (5, 9)
        True
    """

    lengths: tuple[int, ...]
    missing: float = 0.0
    locale: str = USUAL
    kind = "text"

    @property
    def said(self) -> str:
        """What they are."""
        return "so texts"

    def made(self, n: int, seed: int, label: str) -> list[str | int | None]:
        """Return n sentences."""
        drawn = uniforms(seed, label, 0, n, 2)
        return [
            None
            if u < self.missing
            else _sentence(self.locale, seed, row, self.lengths[int(v * len(self.lengths))])
            for row, (u, v) in enumerate(drawn.tolist())
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back."""
        return {"lengths": list(self.lengths), "missing": self.missing, "locale": self.locale}

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> TextSurrogate:
        """Invert `to_json`."""
        return cls(tuple(record["lengths"]), record["missing"], record["locale"])


def _sentence(locale: str, seed: int, row: int, count: int) -> str:
    return Persona(locale, seed, row).words(count)
