"""Cells whose values are written in another spelling than they had.

One idea: what is said of them is made where it is needed, as points and tables write numbers with
different digits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pushforward.data.folders import counted


@dataclass(frozen=True)
class Respelled:
    """The cells of a column that come back otherwise, as what, and how often each stands there.

    Example:
        >>> found = Respelled({"1.50": "1.5", "+2": "2"}, {"1.50": 3, "+2": 1}, "numbers")
        >>> found.cell("1.5"), found.cell("7"), found.without({"1.5"})
        ('1.50', '7', "1 number is written otherwise, such as '+2', which comes back as '2'")
    """

    changed: Mapping[str, str]
    counts: Mapping[str, int]
    kind: str

    @property
    def said(self) -> str:
        """The sentence on all of them."""
        return self.without(())

    def without(self, written: Collection[str]) -> str:
        """Return the sentence on those that are not written as one of these, empty without any."""
        rest = {cell: back for cell, back in self.changed.items() if back not in written}
        return lost_spelling(rest, self.counts, self.kind) if rest else ""

    def cell(self, written: str) -> str:
        """Return a cell that is written so."""
        return next((one for one, back in self.changed.items() if back == written), written)


def lost_spelling(changed: dict[str, str], counts: Mapping[str, int], kind: str) -> str:
    """Return what is said of cells that come back otherwise.

    Example:
        >>> lost_spelling({"1.50": "1.5"}, {"1.50": 3}, "numbers")
        "3 numbers are written otherwise, such as '1.50', which comes back as '1.5'"
    """
    size = sum(counts[cell] for cell in changed)
    cell, written = next(iter(changed.items()))
    verb = "is" if size == 1 else "are"
    return f"{counted(size, kind[:-1])} {verb} written otherwise, such as '{cell}', which comes back as '{written}'"
