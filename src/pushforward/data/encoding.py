"""From a user's text or table to tensors of a space, and back; saved with every run that needs it.

One idea: images and points are tensors already, but a token or a category means nothing without its
dictionary, so the dictionary travels with the run and speaks for it: it decodes samples, reads
other files and understands `--given`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from torch import Tensor

from pushforward.core.errors import BadInput, refusing
from pushforward.core.given import Examples, Given
from pushforward.core.registry import Registry
from pushforward.core.space import Space


class Encoding(ABC):
    """A dictionary between data as people have them and examples of a space. Concrete encodings are
    final."""

    kind: str

    @property
    @abstractmethod
    def space(self) -> Space:
        """The space that examples live in."""

    @abstractmethod
    def decode(self, x: Tensor) -> Any:
        """Return examples as people read them: a list of strings, or a DataFrame."""

    def csv(self, shown: Any) -> str:
        """Return decoded examples as the text of a CSV file; tables are written as the file that
        they came from was."""
        raise BadInput(f"{self.kind} as .csv", "a .txt or .jsonl")

    def csv_file(self, shown: Any, delimiter: str | None = None) -> bytes:
        """Return what `csv` gives as the bytes of a file, in the character set and with the line
        ends of the source.

        Args:
            delimiter: in the place of the source's own.
        """
        return self.csv(shown).encode()

    @property
    def schema(self) -> str:
        """The types of the Arrow file that a table came from (see `data.tables.arrow`), empty for
        others."""
        return ""

    @property
    def ending(self) -> str:
        """What the names of its own files end in, empty where that is nothing or one of many."""
        return ""

    @abstractmethod
    def read(self, source: Any) -> Examples:
        """Return everything in another source (a path, text, a DataFrame) as examples of the same
        space.

        Raises:
            BadInput: a source that cannot be read, or holds what this dictionary does not know.
        """

    def read_foreign(self, path: Path) -> tuple[Examples, dict[int, str]]:
        """Return a file that another program generated, and which of its examples cannot be any of
        these data, and why."""
        return self.read(path), {}

    @abstractmethod
    def parse_given(self, text: str, n: int) -> Given:
        """Return the condition that `--given text` names, for n examples.

        Raises:
            BadInput: what the dictionary does not know.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return a JSON record with its `kind`, which `encoding_from_json` turns back into an equal
        encoding."""

    @classmethod
    @abstractmethod
    def from_json(cls, record: dict[str, Any]) -> Encoding:
        """Rebuild an encoding from `to_json`."""


ENCODINGS: Registry[type[Encoding]] = Registry(
    "encoding",
    {
        "points": "pushforward.data.points:PointsEncoding",
        "text": "pushforward.data.text.encoding:TextEncoding",
        "table": "pushforward.data.tables.encoding:TableEncoding",
    },
)


def encoding_from_json(record: dict[str, Any]) -> Encoding:
    """Rebuild any encoding from its record.

    Raises:
        BadInput: a kind that this version does not know.
    """
    kind = str(record.get("kind", "")) if isinstance(record, dict) else type(record).__name__
    if kind not in ENCODINGS:
        raise BadInput(
            f"an encoding of kind '{kind}'",
            "one of " + ", ".join(ENCODINGS.names()),
            "update pushforward",
        )
    with refusing(
        f"the record of a {kind}", "what training wrote", "it was edited; restore it or train again"
    ):
        return ENCODINGS.load(kind).from_json(record)
