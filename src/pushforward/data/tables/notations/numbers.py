"""Numbers as people write them: `29,07`, `1,234.5`, `$12.50`, `(3.20)`, `45%`, `12 kg`, `1.5E-3`.

One idea: a cell is a body of digits between a head and a tail, and a column has one head and one
tail apart from signs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from pushforward.data.folders import counted
from pushforward.data.tables.notations.digits import (
    Powers,
    grouped,
    positional,
    scientific,
    shortest,
)
from pushforward.data.tables.notations.notation import Notation

SPACES = " \u00a0\u2009\u202f"
MINUS = "-\u2212\u2013"
CELL = re.compile(
    rf"(?P<head>[^\d]*?)(?P<body>(?:\d|[.,](?=\d))(?:[\d.,'’_{SPACES}]*\d)?\.?(?:[eE][+\-\u2212]?\d+)?)(?P<tail>\D*)",
    re.DOTALL,
)
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
SIMPLE = re.compile(r"-?\d+(?:\.\d+)?")
# codes of ISO 4217 that are written before or after an amount, and abbreviations in use
_MONEY = """
AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KES KRW MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN
RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR BTC RS KR US A C HK NZ R S FR RM ZŁ KČ FT
"""
_CODES = frozenset(_MONEY.split())

Style = tuple[str, str]


@dataclass(frozen=True)
class NumberNotation(Notation):
    """How the numbers of a column are written.

    Attributes:
        decimal, group: what separates decimals, and groups of three digits (empty: nothing does).
        head, tail: what stands before and after every number: a currency, a percent sign, a unit.
        negative: the cell of a negative number, `#` standing for its digits, such as `-$#` or
            `($#)`.
        positive: the cell of a number that is not negative, such as `$#` or `+#`.
        places: the most decimals that occur; None if numbers are written as they are, however long.
        padded: True if every number has all `places` decimals.
        least: decimals that every number has at least, as programs write `2.0` beside `1.25`.
        zeros: True if numbers below zero that are rounded to it keep their sign, as programs write
            `-0.00`.
        exponent: `e` or `E` where numbers are written with one.
        lead, fewest, plus, power: how its mantissas and exponents are written; see `digits.Powers`.
        mixed: True if only some numbers have an exponent, as programs print the smallest and
            largest; `places` are then those after the point of the whole number.
        indian: True if digits are grouped as in `12,34,567`.
        width: digits that every number is filled up to with zeros before it.

    Example:
        >>> price = NumberNotation(head="$", positive="$#", negative="($#)", group=",", places=2, padded=True)
        >>> price.value("($1,234.50)"), price.write(-1234.5)
        (-1234.5, '($1,234.50)')
    """

    decimal: str = "."
    group: str = ""
    head: str = ""
    tail: str = ""
    negative: str = "-#"
    positive: str = "#"
    places: int | None = None
    padded: bool = False
    exponent: str = ""
    indian: bool = False
    width: int = 0
    lead: int = 1
    fewest: int = 1
    plus: bool = True
    power: int = 2
    mixed: bool = False
    least: int = 0
    zeros: bool = False
    kind: Literal["number"] = "number"

    def value(self, cell: str) -> int | float | None:
        """Return the number in a cell, whole ones as integers; a bare number is read where amounts
        of money are written."""
        found = pieces_of(cell)
        if found is None:
            return float(cell) if PLAIN.fullmatch(cell.strip()) else None
        sign, head, body, tail = found
        affixes, bare = (head.strip(), tail.strip()), not head and not tail
        if affixes != (self.head.strip(), self.tail.strip()) and not (
            bare and (is_money(self.head + self.tail) or self._zero(body))
        ):
            return None
        plain = plain_digits(body, (self.decimal, self.group))
        if plain is None:
            return None
        return sign * (int(plain) if plain.isdigit() and len(plain) < 19 else float(plain))

    def write(self, value: int | float) -> str:
        """Return the cell of a number."""
        if isinstance(value, float) and not math.isfinite(value):
            return repr(value)
        body = self._digits(abs(value))
        # a number that rounds to nothing has no sign, unless others of the column have one
        something = any(c in "123456789" for c in body.split(self.exponent or "e")[0])
        below = math.copysign(1.0, value) < 0 and (something or self.zeros)
        return (self.negative if below else self.positive).replace("#", body)

    def of_width(self, width: int) -> NumberNotation:
        """Return this notation with zeros before every number, up to a width."""
        return replace(self, width=width)

    @property
    def plain(self) -> bool:
        """True if any program reads it so: a point, no groups, nothing around."""
        return (self.decimal, self.group, self.head, self.tail, self.negative, self.positive) == (
            ".",
            "",
            "",
            "",
            "-#",
            "#",
        )

    @property
    def said(self) -> str:
        """What is unusual about it, empty for plain numbers."""
        parts = []
        if self.decimal == ",":
            parts.append("a comma before the decimals")
        if self.group:
            parts.append(f"thousands set apart by {_NAMES.get(self.group, repr(self.group))}")
        if self.head or self.tail:
            parts.append(
                " and ".join(
                    f"'{piece.strip()}'" for piece in (self.head, self.tail) if piece.strip()
                )
                + " around them"
            )
        if self.width:
            parts.append(f"zeros before them, up to {self.width} digits")
        if "(" in self.negative:
            parts.append("brackets for negative ones")
        if self.exponent and not self.mixed and self.places is not None:
            parts.append(f"an exponent after {counted(self.lead + self.places, 'digit')}")
        return "numbers with " + ", ".join(parts) if parts else ""

    def _zero(self, body: str) -> bool:
        return body.strip("0") == ""

    def _digits(self, size: int | float) -> str:
        powers = Powers(
            self.exponent,
            self.lead,
            self.fewest,
            self.places or 0,
            self.padded,
            self.plus,
            self.power,
        )
        powers = replace(powers, least=self.least) if self.least else powers
        if self.mixed:
            body = shortest(size if self.places is None else round(size, self.places), powers)
        elif self.exponent:
            digits = repr(float(size)) if self.places is None else ""
            exact = (
                replace(powers, places=max(0, _significant(digits) - 1), padded=True)
                if digits
                else powers
            )
            body = scientific(size, exact)
        elif self.places is None:
            body = str(size) if isinstance(size, int) else positional(size)
        else:
            body = f"{size:.{self.places}f}"
        if self.exponent and self.exponent in body:
            return body.replace(".", self.decimal)
        whole, _, rest = body.partition(".")
        if not self.padded and self.places is not None:
            rest = rest.rstrip("0").ljust(self.least, "0")
        elif self.least:
            rest = rest.ljust(self.least, "0")
        return grouped(whole.zfill(self.width), self.group, self.indian) + (
            self.decimal + rest if rest else ""
        )


_NAMES = {
    ",": "a comma",
    ".": "a point",
    "'": "an apostrophe",
    "’": "an apostrophe",
    "_": "a low line",
}
_NAMES |= dict.fromkeys(SPACES, "a space")


def is_money(affix: str) -> bool:
    """Return whether what stands around a number names a currency.

    Example:
        >>> is_money("$"), is_money("USD "), is_money(" kg")
        (True, True, False)
    """
    bare = affix.strip(SPACES + ".")
    signs = "".join(c for c in bare if unicodedata.category(c) == "Sc")
    rest = bare.replace(signs, "") if signs else bare
    return bool(bare) and (not rest or rest.upper() in _CODES) and (bool(signs) or len(bare) > 1)


def pieces_of(cell: str) -> tuple[int, str, str, str] | None:
    """Return sign, head, body and tail of a cell; signs and brackets belong to neither head nor
    tail.

    Example:
        >>> pieces_of("($1,234.50)")
        (-1, '$', '1,234.50', '')
    """
    match = CELL.fullmatch(cell.strip())
    if match is None:
        return None
    head, body, tail = match["head"], match["body"], match["tail"]
    sign = 1
    if head.count("(") == 1 and tail.count(")") == 1:
        sign, head, tail = -1, head.replace("(", ""), tail.replace(")", "")
    elif any(c in MINUS for c in head):
        sign, head = -1, re.sub(rf"[{MINUS}]", "", head, count=1)
    elif "+" in head:
        head = head.replace("+", "", 1)
    elif tail in tuple(MINUS):
        sign, tail = -1, ""
    return sign, head, body, tail


def plain_digits(body: str, style: Style) -> str | None:
    """Return a body in plain digits, None if the style does not read it.

    Example:
        >>> plain_digits("1.234,5", (",", ".")), plain_digits("1.234,5", (".", ","))
        ('1234.5', None)
    """
    decimal, group = style
    number, exponent = body, ""
    cut = re.search(r"[eE]", body)
    if cut is not None:
        number, exponent = body[: cut.start()], "e" + body[cut.end() :].replace("\u2212", "-")
    whole, point, rest = number.partition(decimal)
    if rest and not rest.isdigit():
        return None
    if group and group in whole:
        pieces = whole.split(group)
        western = all(len(piece) == 3 for piece in pieces[1:]) and 1 <= len(pieces[0]) <= 3
        indian = (
            group == ","
            and len(pieces[-1]) == 3
            and all(len(piece) == 2 for piece in pieces[1:-1])
            and len(pieces[0]) <= 2
        )
        if pieces[0].startswith("0") or not (western or (indian and len(pieces) > 2)):
            return None
        whole = "".join(pieces)
    elif group and len(whole) > 3:
        return None
    if (whole and not whole.isdecimal()) or not (whole or rest):
        return None
    return f"{whole or '0'}.{rest or '0'}{exponent}" if point or exponent else whole


def _significant(digits: str) -> int:
    return len(digits.split("e")[0].replace(".", "").strip("0")) or 1
