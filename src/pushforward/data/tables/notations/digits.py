"""The digits of a number, as a column writes them: in full, with an exponent, or as each number is
shortest.

One idea: no digit is written that the number does not have, and none is left out that the column's
own numbers show.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

LONGEST = 17


@dataclass(frozen=True)
class Powers:
    """How exponents are written.

    Attributes:
        mark: `e` or `E`.
        lead, fewest: the most and the fewest digits before the point of a mantissa.
        places: its most decimals.
        padded: True if every mantissa has all of them.
        least: decimals that every number has at least.
        plus: True if a positive exponent has its sign.
        power: digits that an exponent has at least.
    """

    mark: str
    lead: int = 1
    fewest: int = 1
    places: int = 0
    padded: bool = True
    plus: bool = True
    power: int = 2
    least: int = 0


def scientific(size: float, powers: Powers) -> str:
    """Return a number that is not negative with an exponent, a point before the decimals of its
    mantissa.

    Example:
        >>> scientific(607892.0, Powers("e", lead=3, fewest=2, plus=False, power=1))
        '608e3'
        >>> scientific(15000.0, Powers("e", lead=3, fewest=2, plus=False, power=1))
        '15e3'
        >>> scientific(0.00123, Powers("E", places=1))
        '1.2E-03'
    """
    mantissa, _, exponent = f"{size:.{powers.lead + powers.places - 1}e}".partition("e")
    digits = mantissa.replace(".", "")
    whole, rest = digits[: powers.lead], digits[powers.lead :]
    power = int(exponent) - (powers.lead - 1)
    if size == 0:
        whole, power = "0", 0
    if not powers.padded:
        rest = rest.rstrip("0").ljust(powers.least, "0")
    while not rest and not powers.places and len(whole) > powers.fewest and whole.endswith("0"):
        whole, power = whole[:-1], power + 1
    return whole + ("." + rest if rest else "") + exponent_of(power, powers)


def exponent_of(power: int, powers: Powers) -> str:
    """Return an exponent with its mark and sign.

    Example:
        >>> exponent_of(5, Powers("e")), exponent_of(-4, Powers("E", power=1))
        ('e+05', 'E-4')
    """
    sign = "-" if power < 0 else "+" if powers.plus else ""
    return f"{powers.mark}{sign}{abs(power):0{powers.power}d}"


def shortest(size: float, powers: Powers) -> str:
    """Return a number as programs print it: with an exponent where it is very small or very large.

    Example:
        >>> shortest(1.43e-05, Powers("e")), shortest(0.25, Powers("e"))
        ('1.43e-05', '0.25')
    """
    mantissa, mark, exponent = repr(float(size)).partition("e")
    return (mantissa if powers.least else mantissa.removesuffix(".0")) + (
        exponent_of(int(exponent), powers) if mark else ""
    )


def positional(size: float) -> str:
    """Return the shortest digits that give a double back, without an exponent.

    Example:
        >>> positional(1.43e-05), positional(2.0), positional(1e23)
        ('0.0000143', '2', '100000000000000000000000.0')
    """
    body = f"{Decimal(repr(float(size))):f}"
    # integers of so many digits are read as words
    return body.removesuffix(".0") if size < 1e16 else body if "." in body else body + ".0"


def grouped(whole: str, group: str, indian: bool) -> str:
    """Return whole digits in groups of three, or of two before the last three.

    Example:
        >>> grouped("1234567", ",", False), grouped("1234567", ",", True)
        ('1,234,567', '12,34,567')
    """
    if not group or len(whole) <= 3:
        return whole
    last, first, size = whole[-3:], whole[:-3], 2 if indian else 3
    pieces = []
    while first:
        pieces.append(first[-size:])
        first = first[:-size]
    return group.join([*reversed(pieces), last])
