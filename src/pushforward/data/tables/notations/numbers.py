"""Numbers as people write them: `29,07`, `1,234.5`, `$12.50`, `(3.20)`, `45%`, `12 kg`, `1.5E-3`.

Two ideas: a cell is a body of digits between a head and a tail, and a column has one head and one tail apart from signs; which
sign separates decimals and which separates thousands is what reads most bodies.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from pushforward.data.tables.notations.notation import Notation

SPACES = " \u00a0\u2009\u202f"
MINUS = "-\u2212\u2013"
_CELL = re.compile(
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
_LONGEST_UNIT = 12

Style = tuple[str, str]


@dataclass(frozen=True)
class NumberNotation(Notation):
    """How the numbers of a column are written.

    Attributes:
        decimal, group: what separates decimals, and groups of three digits (empty: nothing does).
        head, tail: what stands before and after every number: a currency, a percent sign, a unit.
        negative: the cell of a negative number, `#` standing for its digits, such as `-$#` or `($#)`.
        positive: the cell of a number that is not negative, such as `$#` or `+#`.
        places: the most decimals that occur; None if numbers are written as they are, however long.
        padded: True if every number has all `places` decimals.
        exponent: `e` or `E` where numbers are written with one.
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
    kind: Literal["number"] = "number"

    def value(self, cell: str) -> int | float | None:
        """Return the number in a cell, whole ones as integers; a bare number is read where amounts of money are written."""
        found = _pieces(cell)
        if found is None:
            return float(cell) if PLAIN.fullmatch(cell.strip()) else None
        sign, head, body, tail = found
        affixes, bare = (head.strip(), tail.strip()), not head and not tail
        if affixes != (self.head.strip(), self.tail.strip()) and not (
            bare and (is_money(self.head + self.tail) or self._zero(body))
        ):
            return None
        plain = _plain(body, (self.decimal, self.group))
        if plain is None:
            return None
        return sign * (int(plain) if plain.isdigit() and len(plain) < 19 else float(plain))

    def write(self, value: int | float) -> str:
        """Return the cell of a number."""
        if isinstance(value, float) and not math.isfinite(value):
            return repr(value)
        body = self._digits(abs(value))
        # a number that rounds to nothing has no sign
        below = (value < 0) and (any(c in "123456789" for c in body.split(self.exponent or "e")[0]))
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
                " and ".join(f"'{piece.strip()}'" for piece in (self.head, self.tail) if piece.strip()) + " around them"
            )
        if self.width:
            parts.append(f"zeros before them, up to {self.width} digits")
        if "(" in self.negative:
            parts.append("brackets for negative ones")
        return "numbers with " + ", ".join(parts) if parts else ""

    def _zero(self, body: str) -> bool:
        return body.strip("0") == ""

    def _digits(self, size: int | float) -> str:
        if self.exponent:
            digits = repr(float(size)) if self.places is None else ""
            body = (
                f"{size:.{self.places}e}" if self.places is not None else f"{size:.{max(0, _significant(digits) - 1)}e}"
            )
            return body.replace("e", self.exponent).replace(".", self.decimal)
        if self.places is None:
            body = str(size) if isinstance(size, int) else _positional(size)
        else:
            body = f"{size:.{self.places}f}"
        whole, _, rest = body.partition(".")
        if not self.padded:
            rest = rest.rstrip("0")
        return _grouped(whole.zfill(self.width), self.group, self.indian) + (self.decimal + rest if rest else "")


_NAMES = {",": "a comma", ".": "a point", "'": "an apostrophe", "’": "an apostrophe", "_": "a low line"}
_NAMES |= dict.fromkeys(SPACES, "a space")


@dataclass(frozen=True)
class Numbers:
    """What was found: the notation, the cells that it reads, and whether `1,234` could also mean 1.234."""

    notation: NumberNotation
    read: frozenset[str]
    ambiguous: bool = False


def find_numbers(cells: Collection[str], decimal: str = "") -> Numbers | None:
    """Return the notation that reads most of the cells, None if it reads none.

    Args:
        cells: the different cells of a column, none of them missing.
        decimal: what separates decimals elsewhere in the file, if that is known: it decides where `1,234` may mean two things.

    Example:
        >>> find_numbers(["29,07", "3,5", "-12"]).notation.decimal
        ','
    """
    simple = _simple(cells)
    if simple is not None:
        return simple
    pieces = {cell: found for cell in cells if (found := _pieces(cell)) is not None}
    special = frozenset(cell for cell in cells if PLAIN.fullmatch(cell.strip()) and cell not in pieces)
    if not pieces:
        return Numbers(NumberNotation(), special) if special else None
    around = Counter((head, tail) for _, head, _, tail in pieces.values())
    (head, tail), _ = _most(around)
    if not _affix(head, tail):
        return None
    alike = NumberNotation(head=head, tail=tail)
    pieces = {cell: found for cell, found in pieces.items() if _fits(found, alike)}
    style, ambiguous = _style([body for _, _, body, _ in pieces.values()], decimal)
    read = {cell: found for cell, found in pieces.items() if _plain(found[2], style) is not None}
    if not read:
        return None
    return Numbers(
        _shaped(replace(alike, decimal=style[0], group=style[1]), read), frozenset(read) | special, ambiguous
    )


def _simple(cells: Collection[str]) -> Numbers | None:
    """Return the notation of plain decimal numbers, as most columns have them, without taking every cell apart."""
    if not all(map(SIMPLE.fullmatch, cells)):
        return None
    places = {len(cell.rpartition(".")[2]) if "." in cell else 0 for cell in cells}
    most = max(places)
    notation = NumberNotation(places=most if most <= 15 else None, padded=len(places) == 1 and most <= 15)
    return Numbers(notation, frozenset(cells))


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


def _affix(head: str, tail: str) -> bool:
    if head.strip() and not is_money(head):
        return False
    return (len(tail) <= _LONGEST_UNIT and not any(c in tail for c in ":/\\=<>|;\"'#,")) or bool(
        re.fullmatch(r" ?[^\W\d]+/[^\W\d]+", tail)
    )


def _most(counts: Counter[Style]) -> tuple[Style, int]:
    # among equals, the one with more around it says more
    return max(counts.items(), key=lambda item: (item[1], len(item[0][0]) + len(item[0][1])))


def _fits(found: tuple[int, str, str, str], notation: NumberNotation) -> bool:
    _, head, body, tail = found
    if (head.strip(), tail.strip()) == (notation.head.strip(), notation.tail.strip()):
        return True
    return not head and not tail and (is_money(notation.head + notation.tail) or body.strip("0") == "")


def _pieces(cell: str) -> tuple[int, str, str, str] | None:
    """Return sign, head, body and tail of a cell; signs and brackets belong to neither head nor tail."""
    match = _CELL.fullmatch(cell.strip())
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


def _plain(body: str, style: Style) -> str | None:
    """Return a body in plain digits, None if the style does not read it."""
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


def _style(bodies: list[str], decimal: str) -> tuple[Style, bool]:
    separators = {c for body in bodies for c in body if not c.isdigit() and c not in "eE+-\u2212"}
    groups = ["", *(c for c in ("'", "’", "_", *SPACES) if c in separators)]
    styles: list[Style] = [(".", group) for group in groups]
    if "," in separators:
        commas = [(",", group) for group in groups]
        styles += [*commas, (".", ",")] if decimal == "," else [(".", ","), *commas]
        styles += [(",", ".")] if "." in separators else []
    reads = {style: sum(_plain(body, style) is not None for body in bodies) for style in styles}
    best = max(styles, key=lambda style: reads[style])
    rival = {(".", ","): (",", ""), (",", ""): (".", ",")}.get(best)
    ambiguous = rival is not None and reads.get(rival) == reads[best] and decimal == ""
    return best, ambiguous


def _shaped(notation: NumberNotation, read: dict[str, tuple[int, str, str, str]]) -> NumberNotation:
    """Return the notation with what its cells show: signs, decimals, exponents."""
    decimals, exponents, indian = set(), Counter(), False
    for _, _, body, _ in read.values():
        mark = next((c for c in body if c in "eE"), "")
        exponents[mark] += 1
        number = body.split(mark)[0] if mark else body
        decimals.add(len(number.partition(notation.decimal)[2]))
        indian = indian or bool(re.match(r"\d{1,2}(,\d\d)+,\d{3}\b", number))
    exponent = max(exponents, key=lambda mark: exponents[mark])
    mixed = bool(exponents[""]) and len(exponents) > 1
    places = None if mixed or max(decimals) > 15 else max(decimals)
    return replace(
        notation,
        positive=_template(
            [cell for cell, found in read.items() if found[0] > 0], notation, notation.head + "#" + notation.tail
        ),
        negative=_template(
            [cell for cell, found in read.items() if found[0] < 0], notation, f"-{notation.head}#{notation.tail}"
        ),
        places=places,
        padded=len(decimals) == 1 and places is not None,
        exponent="" if mixed else exponent,
        indian=indian and notation.group == ",",
    )


def _template(cells: list[str], notation: NumberNotation, default: str) -> str:
    seen: Counter[str] = Counter()
    for cell in cells:
        match = _CELL.fullmatch(cell.strip())
        found = _pieces(cell)
        # a zero has no sign, and a bare number in a column of amounts is no example
        if (
            match
            and found
            and (found[1], found[3]) == (notation.head, notation.tail)
            and match["body"].strip("0.,") != ""
        ):
            seen[f"{match['head']}#{match['tail']}"] += 1
    return max(seen, key=lambda template: seen[template]) if seen else default


def _grouped(whole: str, group: str, indian: bool) -> str:
    if not group or len(whole) <= 3:
        return whole
    last, first, size = whole[-3:], whole[:-3], 2 if indian else 3
    pieces = []
    while first:
        pieces.append(first[-size:])
        first = first[:-size]
    return group.join([*reversed(pieces), last])


def _significant(digits: str) -> int:
    return len(digits.split("e")[0].replace(".", "").strip("0")) or 1


def _positional(size: float) -> str:
    """Return the shortest digits of a double, without an exponent where that stays readable."""
    short = repr(size)
    if "e" not in short:
        return short.removesuffix(".0")
    return short if not 1e-7 < size < 1e16 else f"{size:.25f}".rstrip("0").rstrip(".")
