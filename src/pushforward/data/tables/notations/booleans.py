"""True and false as a column spells them."""

from __future__ import annotations

from dataclasses import dataclass

from pushforward.data.tables.notations.notation import Notation

TRUE, FALSE = ("True", "true", "TRUE"), ("False", "false", "FALSE")


@dataclass(frozen=True)
class BooleanNotation(Notation):
    """Two words, whatever their case in other cells.

    Example:
        >>> n = BooleanNotation("true", "false")
        >>> n.value("TRUE"), n.value("yes"), n.write(False)
        (True, None, 'false')
    """

    true: str = "True"
    false: str = "False"
    kind: str = "boolean"

    def value(self, cell: str) -> bool | None:
        """Return True or False, None for another word."""
        word = cell.strip()
        return True if word in TRUE else False if word in FALSE else None

    def write(self, value: bool) -> str:
        """Return the word."""
        return self.true if value else self.false

    @property
    def said(self) -> str:
        """Nothing: either word is plain."""
        return ""
