"""Digits of other scripts: `١٢٣`, `１２．５`, `१२`: a column in them is read as if it were in ASCII,
and written in its own again.

One idea: a digit means the same in every script, so one notation in ASCII and one exchange of
characters is all there is to it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pushforward.data.tables.notations.notation import Notation, notation_from_json

_WIDE, _WIDE_LAST, _AWAY = 0xFF01, 0xFF5E, 0xFEE0
# what stands between Arabic digits: a point before decimals, a mark between thousands that is
# nothing else, a comma, a percent sign
_ARABIC = {"\u066b": ".", "\u066c": "'", "\u060c": ",", "\u066a": "%"}


def _plain(c: str) -> str:
    if c.isascii():
        return c
    digit = unicodedata.decimal(c, None)
    if digit is not None:
        return str(digit)
    return chr(ord(c) - _AWAY) if _WIDE <= ord(c) <= _WIDE_LAST else _ARABIC.get(c, c)


def in_other_digits(cell: str) -> bool:
    """Return whether a cell has a digit that is not one of ASCII.

    Example:
        >>> in_other_digits("１２"), in_other_digits("12 µ")
        (True, False)
    """
    return not cell.isascii() and any(
        not c.isascii() and unicodedata.decimal(c, None) is not None for c in cell
    )


def in_plain_digits(cell: str) -> str:
    """Return a cell with its digits, and what stands between them, in ASCII; a cell without digits
    of other scripts as it is.

    Example:
        >>> in_plain_digits("١٬٢٣٤٫٥"), in_plain_digits("－３．２")
        ("1'234.5", '-3.2')
    """
    return "".join(map(_plain, cell)) if in_other_digits(cell) else cell


@dataclass(frozen=True)
class ScriptNotation(Notation):
    """How a column in digits of another script is written.

    Attributes:
        inner: its notation in ASCII.
        letters: pairs of a character that `inner` writes and the one that the column has for it.

    Example:
        >>> from pushforward.data.tables.notations.numbers import NumberNotation
        >>> wide = script_of(NumberNotation(places=1), {"１２．５": 3})
        >>> wide.value("７．５"), wide.write(20.5)
        (7.5, '２０．５')
    """

    inner: Notation
    letters: str = ""
    kind: Literal["script"] = "script"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ScriptNotation:
        """Rebuild it from JSON, which has a record for the notation within."""
        return cls(notation_from_json(record["inner"]), record["letters"])

    def value(self, cell: str) -> Any:
        """Return what a cell stands for, in its own digits or in those of ASCII."""
        return self.inner.value(in_plain_digits(cell))

    def write(self, value: Any) -> str:
        """Return the cell of a value."""
        return self.spelled(self.inner.write(value))

    def spelled(self, cell: str) -> str:
        """Return a cell of ASCII in the column's own characters."""
        return cell.translate(str.maketrans(self.letters[::2], self.letters[1::2]))

    @property
    def said(self) -> str:
        """The notation within, and what its digits look like."""
        digits = f"digits written {self.spelled('0123456789')}"
        return f"{self.inner.said}; {digits}" if self.inner.said else digits


def script_of(inner: Notation, counts: Mapping[str, int]) -> ScriptNotation:
    """Return the notation of cells whose digits, or some of them, are of another script: that of
    most of them.

    Args:
        counts: how often every cell stands; those without any digit have no say.
    """
    seen: dict[str, Counter[str]] = {}
    zeros: Counter[str] = Counter()
    for cell, times in counts.items():
        foreign = in_other_digits(cell)
        for c in cell if foreign or any(map(str.isdecimal, cell)) else "":
            plain = _plain(c) if foreign else c
            if plain.isdecimal():
                zeros[chr(ord(c) - int(plain))] += times
            elif plain.isascii():
                seen.setdefault(plain, Counter())[c] += times
    zero = max(zeros, key=lambda c: zeros[c])
    letters = {str(k): chr(ord(zero) + k) for k in range(10)}
    letters |= {plain: max(shown, key=lambda c: shown[c]) for plain, shown in seen.items()}
    return ScriptNotation(inner, "".join(plain + c for plain, c in letters.items() if plain != c))
