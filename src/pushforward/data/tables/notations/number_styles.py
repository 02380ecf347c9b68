"""Which notation the numbers of a column are written in, found from what most of its cells are.

Two ideas: what separates decimals and what separates thousands is the style that reads most cells;
where two styles read all of them, that is said, because only the rest of the file or its owner can
know.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from pushforward.data.tables.notations.digits import LONGEST
from pushforward.data.tables.notations.numbers import (
    CELL,
    PLAIN,
    SIMPLE,
    SPACES,
    NumberNotation,
    Style,
    is_money,
    pieces_of,
    plain_digits,
)

_LIKE_GROUPS = re.compile(r"-?(?:[1-9]\d{0,2}\.\d{3}|\d{1,3})")
_LONGEST_UNIT = 12


@dataclass(frozen=True)
class NumberColumn:
    """What was found: the notation, the cells that it reads, and whether the cells alone leave open
    what
    `1,234` or `1.234` means."""

    notation: NumberNotation
    read: frozenset[str]
    ambiguous: bool = False


def find_numbers(cells: Collection[str], decimal: str = "") -> NumberColumn | None:
    """Return the notation that reads most of the cells, None if it reads none.

    Args:
        cells: the different cells of a column, none of them missing.
        decimal: what separates decimals elsewhere in the file, if that is known: it decides where
            `1,234` or `1.234` may mean two things.

    Example:
        >>> find_numbers(["29,07", "3,5", "-12"]).notation.decimal
        ','
    """
    simple = _simple(cells)
    if simple is not None and not (simple.ambiguous and decimal == ","):
        return simple
    pieces = {cell: found for cell in cells if (found := pieces_of(cell)) is not None}
    special = frozenset(
        cell for cell in cells if PLAIN.fullmatch(cell.strip()) and cell not in pieces
    )
    if not pieces:
        return NumberColumn(NumberNotation(), special) if special else None
    around = Counter((head, tail) for _, head, _, tail in pieces.values())
    (head, tail), _ = _most(around)
    if not _affix(head, tail):
        return None
    alike = NumberNotation(head=head, tail=tail)
    pieces = {cell: found for cell, found in pieces.items() if _fits(found, alike)}
    style, ambiguous = _style([body for _, _, body, _ in pieces.values()], decimal)
    read = {
        cell: found for cell, found in pieces.items() if plain_digits(found[2], style) is not None
    }
    if not read:
        return None
    return NumberColumn(
        _shaped(replace(alike, decimal=style[0], group=style[1]), read),
        frozenset(read) | special,
        ambiguous,
    )


def _simple(cells: Collection[str]) -> NumberColumn | None:
    """Return the notation of plain decimal numbers, as most columns have them, without taking every
    cell apart."""
    if not all(map(SIMPLE.fullmatch, cells)):
        return None
    places = {len(cell.rpartition(".")[2]) if "." in cell else 0 for cell in cells}
    most = max(places)
    notation = NumberNotation(
        places=most if most <= 15 else None, padded=len(places) == 1 and most <= 15
    )
    zeros = any(cell[0] == "-" and "." in cell and not cell.strip("-0.") for cell in cells)
    notation = replace(
        notation, least=_least([cell.partition(".")[2] for cell in cells]), zeros=zeros
    )
    return NumberColumn(
        notation, frozenset(cells), most == 3 and all(map(_LIKE_GROUPS.fullmatch, cells))
    )


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
    return (
        not head and not tail and (is_money(notation.head + notation.tail) or body.strip("0") == "")
    )


def _style(bodies: list[str], decimal: str) -> tuple[Style, bool]:
    separators = {c for body in bodies for c in body if not c.isdigit() and c not in "eE+-\u2212"}
    groups = ["", *(c for c in ("'", "’", "_", *SPACES) if c in separators)]
    styles: list[Style] = [(".", group) for group in groups]
    if "," in separators:
        commas = [(",", group) for group in groups]
        styles += [*commas, (".", ",")] if decimal == "," else [(".", ","), *commas]
    if "." in separators and not _addresses(bodies):
        styles = [(",", "."), *styles] if decimal == "," else [*styles, (",", ".")]
    reads = {
        style: sum(plain_digits(body, style) is not None for body in bodies) for style in styles
    }
    best = max(styles, key=lambda style: reads[style])
    rival = _RIVALS.get(best)
    return best, rival is not None and reads.get(rival) == reads[best]


# two styles that read the same cells as other numbers
_RIVALS: dict[Style, Style] = {
    (".", ","): (",", ""),
    (",", ""): (".", ","),
    (".", ""): (",", "."),
    (",", "."): (".", ""),
}


def _addresses(bodies: list[str]) -> bool:
    """Return whether what looks like digits in groups are addresses of four bytes, such as
    `192.168.100.101`."""
    long = [body.split(".") for body in bodies if body.count(".") > 1]
    return bool(long) and all(
        len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
        for parts in long
    )


def _shaped(notation: NumberNotation, read: dict[str, tuple[int, str, str, str]]) -> NumberNotation:
    """Return the notation with what its cells show: signs, decimals, exponents."""
    decimals, wholes, exponents, indian = set(), set(), Counter(), False
    rests: dict[bool, list[str]] = {True: [], False: []}
    powers: list[str] = []
    effective = 0
    zeros = False
    for sign, _, body, _ in read.values():
        number, mark, power = _cut(body)
        if mark or body.strip("0.,"):
            # a zero needs no exponent
            exponents[mark] += 1
        whole, _, rest = number.partition(notation.decimal)
        decimals.add(len(rest))
        rests[bool(mark)].append(rest)
        zeros = zeros or (sign < 0 and bool(rest) and not number.strip("0.,"))
        indian = indian or bool(re.match(r"\d{1,2}(,\d\d)+,\d{3}\b", number))
        effective = max(effective, len(rest) - int(power or 0))
        if mark:
            powers.append(power)
            wholes.add(len(whole.replace(notation.group, "") if notation.group else whole) or 1)
    exponent = max(exponents, key=lambda mark: exponents[mark]) if exponents else ""
    mixed = bool(exponents[""]) and len(exponents) > 1
    places = None if max(decimals) > 15 else max(decimals)
    if mixed:
        exponent = max((mark for mark in exponents if mark), key=lambda mark: exponents[mark])
        places = effective if effective <= 15 else None
    padded = len(decimals) == 1 and places is not None and not mixed
    lead = 1 if mixed or not wholes else min(max(wholes), LONGEST - (places or 0))
    shaped = replace(
        notation,
        positive=_template(
            [cell for cell, found in read.items() if found[0] > 0],
            notation,
            notation.head + "#" + notation.tail,
        ),
        negative=_template(
            [cell for cell, found in read.items() if found[0] < 0],
            notation,
            f"-{notation.head}#{notation.tail}",
        ),
        places=places,
        padded=padded,
        least=_least(rests[False] if mixed else rests[False] + rests[True]),
        exponent=exponent,
        indian=indian and notation.group == ",",
        lead=lead,
        fewest=min(lead, *wholes) if wholes else 1,
        plus=any(power.startswith("+") for power in powers)
        or all(power.startswith("-") for power in powers),
        power=min((len(power.lstrip("+-")) for power in powers), default=2),
        mixed=mixed,
        zeros=zeros,
    )
    if places is None and exponent and len(decimals) == 1 and not mixed:
        shaped = _of_exact_places(shaped, list(read), max(decimals))
    return shaped


def _least(rests: list[str]) -> int:
    """Return how many decimals every number has at least: those of `2.0` beside `1.25`, none where
    all have as many."""
    sizes = set(map(len, rests))
    least = min(sizes, default=0)
    return (
        least
        if len(sizes) > 1 and any(len(rest) == least and rest.endswith("0") for rest in rests)
        else 0
    )


def _of_exact_places(
    notation: NumberNotation, cells: Collection[str], places: int
) -> NumberNotation:
    """Return a notation of so many decimals where programs printed all that a double has; else the
    notation."""
    exact = replace(notation, places=places, padded=True, least=0)
    read = [(cell.strip(), exact.value(cell)) for cell in cells]
    # so do all cells come back, and no digit is made up
    return (
        exact
        if all(value is not None and exact.write(value) == cell for cell, value in read)
        else notation
    )


def _cut(body: str) -> tuple[str, str, str]:
    """Return the mantissa of a body, the letter of its exponent and the exponent; the last two are
    empty without one."""
    mark = next((c for c in body if c in "eE"), "")
    number, _, power = body.partition(mark) if mark else (body, "", "")
    return number, mark, power.replace("\u2212", "-")


def _template(cells: list[str], notation: NumberNotation, default: str) -> str:
    seen: Counter[str] = Counter()
    for cell in cells:
        match = CELL.fullmatch(cell.strip())
        found = pieces_of(cell)
        # a zero has no sign, and a bare number in a column of amounts is no example
        if (
            match
            and found
            and (found[1], found[3]) == (notation.head, notation.tail)
            and match["body"].strip("0.,") != ""
        ):
            seen[f"{match['head']}#{match['tail']}"] += 1
    return max(seen, key=lambda template: seen[template]) if seen else default
