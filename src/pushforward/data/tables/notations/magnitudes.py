"""Numbers whose size is a letter or word behind them: `1.2K`, `$3.4M`, `15 thousand`, `512 KB`,
`1.5 ms`.

One idea: a column of them shares one unit and differs in its multiples, so a cell is digits, a
multiple and the unit, and a number is written with the multiple that leaves it the fewest digits
before the point.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from pushforward.data.folders import few
from pushforward.data.tables.notations.notation import Notation
from pushforward.data.tables.notations.number_styles import find_numbers
from pushforward.data.tables.notations.numbers import (
    NumberNotation,
    is_money,
    pieces_of,
    plain_digits,
)

_SPACES = " \u00a0\u2009\u202f"
# exponents of ten; large ones are written behind counts, money and units, small ones behind units
# only
_LARGE = {"k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15}
_COUNTS = {
    "B": 9,
    "b": 9,
    "bn": 9,
    "Bn": 9,
    "mn": 6,
    "Mn": 6,
    "MM": 6,
    "Mio": 6,
    "Mrd": 9,
    "Tsd": 3,
    "tn": 12,
}
_WORDS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_WORDS |= {"lakh": 5, "Lakh": 5, "crore": 7, "Crore": 7, "Cr": 7}
_SMALL = {"m": -3, "\u00b5": -6, "\u03bc": -6, "u": -6, "n": -9, "p": -12, "c": -2, "d": -1, "h": 2}
_BINARY = {
    f"{letter}i{unit}": 1024**power for power, letter in enumerate("KMGT", 1) for unit in ("", "B")
}
# units that take multiples; anything else behind numbers is a word of its own
_UNITS = frozenset(
    "B b byte bytes bit bits bps b/s B/s Hz W Wh V A s m g L l J N Pa eV F Ohm \u03a9 mol cal t bp Sv Bq".split()  # noqa: SIM905
)
FEWEST, LOOKED_AT = 5, 200


@dataclass(frozen=True)
class MagnitudeNotation(Notation):
    """How numbers with multiples are written.

    Attributes:
        suffixes: what is written behind the digits, and the factor that it stands for, from the
            smallest; one of them may be empty.
        places: for one, two, three, ... digits before the point the most decimals, for every factor
            but 1.
        bare: the most decimals of numbers of factor 1.
        padded: True if all of those decimals are always written.
        number: how the digits are written; its head and signs hold for all cells.

    Example:
        >>> views = MagnitudeNotation((("", 1.0), ("K", 1e3), ("M", 1e6)), (1, 0, 0))
        >>> views.value("1.2K"), views.write(15300), views.write(999999), views.write(87)
        (1200, '15K', '1M', '87')
    """

    suffixes: tuple[tuple[str, float], ...]
    places: tuple[int, ...]
    bare: int = 0
    padded: bool = False
    number: NumberNotation = field(default_factory=NumberNotation)
    kind: Literal["magnitude"] = "magnitude"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> MagnitudeNotation:
        """Rebuild it from JSON, which has lists for tuples and a record for its numbers."""
        suffixes = tuple((str(word), float(factor)) for word, factor in record["suffixes"])
        number = NumberNotation(**record["number"])
        return cls(
            **{**record, "suffixes": suffixes, "places": tuple(record["places"]), "number": number}
        )

    def value(self, cell: str) -> int | float | None:
        """Return the number in a cell, a whole one as an integer."""
        found = pieces_of(cell)
        if found is None or found[1].strip() != self.number.head.strip():
            return None
        sign, _, body, tail = found
        factor = next(
            (factor for word, factor in self.suffixes if word.strip() == tail.strip()), None
        )
        plain = plain_digits(body, (self.number.decimal, self.number.group))
        if plain is None or (factor is None and (tail.strip() or body.strip("0"))):
            return None
        exact = sign * Decimal(plain) * Decimal(repr(1.0 if factor is None else factor))
        return (
            int(exact) if exact == exact.to_integral_value() and abs(exact) < 1e18 else float(exact)
        )

    def write(self, value: int | float) -> str:
        """Return the cell of a number."""
        size = abs(float(value))
        fitting = [place for place, (_, factor) in enumerate(self.suffixes) if factor <= size] or [
            0
        ]
        place = fitting[-1]
        digits = self._digits(size, place)
        if float(digits) == 0.0:
            place = next((k for k, (_, factor) in enumerate(self.suffixes) if factor == 1.0), 0)
            digits = self._digits(0.0, place)
        above = place + 1
        if above < len(self.suffixes):
            # 999,999 is 1M and no 1000K
            rounded = float(digits) * self.suffixes[place][1]
            if rounded >= self.suffixes[above][1]:
                place, digits = above, self._digits(rounded, above)
        notation = replace(self.number, places=len(digits.partition(".")[2]), padded=True)
        body = notation.write(float(digits) if value >= 0 else -float(digits))
        last = max(index for index, c in enumerate(body) if c.isdigit()) + 1
        return body[:last] + self.suffixes[place][0] + body[last:]

    @property
    def said(self) -> str:
        """The multiples in words."""
        named = few(
            [
                f"{word.strip()} = {_factor_words(factor)}"
                for word, factor in self.suffixes
                if factor != 1.0
            ]
        )
        head = f", '{self.number.head.strip()}' before them" if self.number.head.strip() else ""
        return (
            f"numbers with multiples behind them ({named}){head}, as exact as the cells of the file"
        )

    def _digits(self, size: float, place: int) -> str:
        factor = self.suffixes[place][1]
        share = size / factor
        places = self._places(share, factor)
        digits = f"{share:.{places}f}"
        if len(digits.partition(".")[0]) > len(f"{int(share)}"):
            digits = f"{share:.{self._places(float(digits), factor)}f}"
        return digits if self.padded or "." not in digits else digits.rstrip("0").rstrip(".")

    def _places(self, share: float, factor: float) -> int:
        if factor == 1.0:
            return self.bare
        return self.places[min(len(f"{int(share)}"), len(self.places)) - 1]


def find_magnitudes(
    cells: Collection[str],
) -> tuple[MagnitudeNotation, dict[str, int | float]] | None:
    """Return the notation of cells that all are numbers with multiples of one unit, two different
    ones at least, and their values.

    Codes such as `2B` or `14K` are none: without a unit some multiple must stand behind decimals or
    three digits.

    Example:
        >>> find_magnitudes(["1.2K", "15K", "980", "3.4M", "12"])[1]["1.2K"]
        1200
    """
    some = itertools.islice(cells, LOOKED_AT)
    if not any(
        cell.rstrip(" .)")[-1:].isalpha() for cell in some
    ):  # most columns, without taking every cell apart
        return None
    pieces = {cell: found for cell in cells if (found := pieces_of(cell)) is not None}
    if (
        len(pieces) < max(len(cells), FEWEST)
        or len({head.strip() for _, head, _, _ in pieces.values()}) > 1
    ):
        return None
    head = next(iter(pieces.values()))[1]
    multiples = _factors({tail for _, _, _, tail in pieces.values()})
    if (head and not is_money(head)) or multiples is None:
        return None
    unit, factors = multiples
    bodies = [(body, factors[tail]) for _, _, body, tail in pieces.values()]
    if not unit and not any(
        factor != 1.0 and (not body.isdigit() or len(body) > 2) for body, factor in bodies
    ):
        return None
    numbers = find_numbers({body for body, _ in bodies})
    if (
        numbers is None
        or numbers.notation.exponent
        or len(numbers.read) < len({body for body, _ in bodies})
    ):
        return None
    signed = find_numbers(
        [cell[: _end(cell)] + cell[_end(cell) + len(found[3]) :] for cell, found in pieces.items()]
    )
    template = numbers.notation if signed is None else signed.notation
    number = replace(
        numbers.notation,
        head=head,
        positive=template.positive,
        negative=template.negative,
        places=None,
        padded=False,
    )
    notation = _shaped(bodies, factors, number)
    values = {cell: notation.value(cell) for cell in pieces}
    known = {cell: value for cell, value in values.items() if value is not None}
    return (notation, known) if len(known) == len(cells) else None


def _end(cell: str) -> int:
    return max(index for index, c in enumerate(cell) if c.isdigit()) + 1


def _shaped(
    bodies: list[tuple[str, float]], factors: dict[str, float], number: NumberNotation
) -> MagnitudeNotation:
    """Return the notation whose decimals are those that its cells show, by the digits before the
    point."""
    by_length: dict[int, int] = {}
    padded = True
    for body, factor in bodies:
        whole, _, rest = body.partition(number.decimal)
        length = len(whole.replace(number.group, "") if number.group else whole)
        # all numbers without a multiple are alike, however many digits they have
        key = 0 if factor == 1.0 else length
        padded = padded and by_length.get(key, len(rest)) == len(rest)
        by_length[key] = max(by_length.get(key, 0), len(rest))
    bare = by_length.pop(0, 0)
    known = sorted(by_length)
    places = tuple(
        by_length[min(known, key=lambda seen, length=length: (abs(seen - length), seen))]
        for length in range(1, max(known) + 1)
    )
    return MagnitudeNotation(
        tuple(sorted(factors.items(), key=lambda pair: pair[1])), places, bare, padded, number
    )


def _factors(tails: Collection[str]) -> tuple[str, dict[str, float]] | None:
    """Return the unit and the factor of every tail; None if they are not two multiples of one
    unit."""
    bare = {tail: tail.strip(_SPACES).rstrip(".") for tail in tails}
    spaced = len({tail[:1] in _SPACES for tail in tails if tail}) == 1
    if not spaced or len(set(bare.values())) < max(2, len(tails)):
        return None
    for unit in (
        "",
        *sorted(unit for unit in _UNITS if all(word.endswith(unit) for word in bare.values())),
    ):
        found = {tail: _multiple(word, unit, set(bare.values())) for tail, word in bare.items()}
        known = {tail: factor for tail, factor in found.items() if factor is not None}
        if len(known) == len(tails) and len(set(known.values())) == len(tails):
            return unit, known
    return None


def _multiple(word: str, unit: str, words: set[str]) -> float | None:
    if unit and not word.endswith(unit):
        return None
    prefix = word[: len(word) - len(unit)].rstrip(_SPACES)
    if not prefix:
        return 1.0
    if prefix in _BINARY and (unit or prefix.endswith("B")):
        return float(_BINARY[prefix])
    if prefix in _LARGE:
        return 10.0 ** _LARGE[prefix]
    if unit:
        return float(f"1e{_SMALL[prefix]}") if prefix in _SMALL else None
    # a small m is a million only beside thousands, and never beside a large one
    if prefix == "m" and words & {"k", "K", "bn", "Bn", "tn"} and "M" not in words:
        return 1e6
    known = {**_COUNTS, **_WORDS}
    return 10.0 ** known[prefix] if prefix in known else None


def _factor_words(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 1 else f"{factor:g}"
