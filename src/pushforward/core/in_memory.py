"""What a program holds, where a command line has a name or a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class InMemory:
    """Data without a path, under the name that messages call them by.

    Example:
        >>> str(InMemory([[0.0, 1.0]]))
        'the data in memory'
    """

    source: Any
    name: str = "the data in memory"

    def __str__(self) -> str:
        return self.name
