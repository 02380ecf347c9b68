"""A column of identifiers that comes back with new ones: unique, written alike, none of the real.

One idea: what tells rows apart carries nothing that a model could learn, so nothing of it is
learned but how it is written; a filter remembers which values were real, and none of them is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pushforward.data.tables.surrogates.bloom_filter import BloomFilter
from pushforward.data.tables.surrogates.patterns import Pattern, learned
from pushforward.data.tables.surrogates.surrogate import Surrogate, uniforms

ROOM = 4.0  # values of a pattern for each that is taken, with fewer of which digits count on
TRIES = 64


@dataclass(frozen=True)
class KeySurrogate(Surrogate):
    """How identifiers are made anew.

    Attributes:
        pattern: that they are written in.
        seen: the real ones.
        rows: how many real ones there are.
        missing: the share of rows that have none.
        number: whether they are whole numbers.

    Example:
        >>> surrogate = KeySurrogate.of([f"AB-{n:05d}" for n in range(417)])
        >>> surrogate.made(3, seed=0, label="order")
        ['AB-00417', 'AB-00418', 'AB-00419']
    """

    pattern: Pattern
    seen: BloomFilter
    rows: int
    missing: float = 0.0
    number: bool = False
    kind = "key"

    @property
    def said(self) -> str:
        """The pattern."""
        return f"written as {self.pattern.said}, so a key"

    @staticmethod
    def of(values: Sequence[str | int], missing: float = 0.0) -> KeySurrogate | None:
        """Return how different values are made anew, None if they have no pattern but words.

        Args:
            values: the real ones, without those that are missing.
            missing: the share of rows that have none.
        """
        number = all(isinstance(value, int) for value in values)
        if not number and not all(isinstance(value, str) for value in values):
            return None
        words = list(dict.fromkeys(map(str, values)))
        pattern = learned(words)
        if pattern is None:
            return None
        return KeySurrogate(pattern, BloomFilter.of(words), len(words), missing, number)

    def made(self, n: int, seed: int, label: str) -> list[str | int | None]:
        """Return n new identifiers, all different; the first are the same however many there are.

        Args:
            label: of the column, so that two columns differ.
        """
        gone = uniforms(seed, label, 0, n, 1)[:, 0] < self.missing
        found = self._counted(n, seed, label) if self._scarce(n) else self._drawn(n, seed, label)
        return [
            None if absent else int(value) if self.number else value
            for value, absent in zip(found, gone.tolist(), strict=True)
        ]

    def _scarce(self, n: int) -> bool:
        return self.pattern.counter >= 0 and self.pattern.capacity < ROOM * (self.rows + n)

    def _counted(self, n: int, seed: int, label: str) -> list[str]:
        uniform = uniforms(seed, label, 1, n, self.pattern.fields)
        return self.pattern.counted(uniform)

    def _drawn(self, n: int, seed: int, label: str) -> list[str]:
        fields, taken, found = self.pattern.fields, set[str](), list[str]()
        tables = [uniforms(seed, label, 1, n, fields)]
        first = self.pattern.drawn(tables[0])
        real = self.seen.among(first)
        # row by row, so that no row depends on later ones
        for row, value in enumerate(first):
            attempt, was = 1, bool(real[row])
            while (was or value in taken) and attempt < TRIES:
                attempt += 1
                if attempt > len(tables):
                    tables.append(uniforms(seed, label, attempt, n, fields))
                value = self.pattern.drawn(tables[attempt - 1][row : row + 1])[0]
                was = value in self.seen
            # a pattern without digits to count on that is as good as used up
            value = f"{value}-{row + 1}" if was or value in taken else value
            taken.add(value)
            found.append(value)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back."""
        return {
            "pattern": self.pattern.to_json(),
            "seen": self.seen.text,
            "rows": self.rows,
            "missing": self.missing,
            "number": self.number,
        }

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> KeySurrogate:
        """Invert `to_json`."""
        return cls(
            Pattern.from_json(record["pattern"]),
            BloomFilter.from_text(record["seen"]),
            record["rows"],
            record["missing"],
            record["number"],
        )
