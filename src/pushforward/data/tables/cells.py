"""What the cells of one column are: numbers, dates, times, booleans or words, and in which
notation.

Two ideas: a column is what most of its cells are, so that a dash among numbers is a gap and never
makes words of them; and what is neither is named with its lines and the option that decides, or
kept as a word, but never dropped in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.data.folders import counted, few
from pushforward.data.tables.column_hints import DECIMALS, ORDERS, Asked, asking
from pushforward.data.tables.dated import (
    dates_of,
    mixed_zones,
    months_of,
    partial_of,
    read_otherwise,
    spans_of,
    times_of,
)
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.foreign_digits import in_its_digits
from pushforward.data.tables.notations.booleans import FALSE, TRUE
from pushforward.data.tables.notations.coordinates import find_coordinates
from pushforward.data.tables.notations.dates import find_dates
from pushforward.data.tables.notations.magnitudes import find_magnitudes
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers
from pushforward.data.tables.notations.number_styles import find_numbers
from pushforward.data.tables.notations.numbers import SIMPLE, NumberNotation
from pushforward.data.tables.notations.script import (
    ScriptNotation,
    in_other_digits,
    in_plain_digits,
)
from pushforward.data.tables.spelling import codes, may_be_code
from pushforward.data.tables.typed_values import Typed, Way, booleans_of, text_of, values_of
from pushforward.data.tables.unheeded import unheeded

FEWEST_ROWS, ALL_DIFFERENT, MOST_CODES = 20, 0.9, 32
_PADDED = re.compile(r"[+-]?0\d+")
_ZEROS = re.compile(r"[+-]?0\d")
_LONG = re.compile(r"[+-]?\d{19,}")
_SHOWN = 5
_KINDS = {"number": "numbers", "magnitude": "numbers", "coordinate": "numbers"}
_KINDS |= {"clock": "times", "span": "times"}


def typed(cells: Sequence[str], lines: Sequence[int], asked: Asked) -> Typed:
    """Return a column of cells as numbers, dates, times, booleans or text.

    Raises:
        BadInput: a few words among numbers or dates, or many different ones, named with their lines
            and what to do.

    Example:
        >>> typed(["1,5", "-", "2,25"], [2, 3, 4], Asked("field 1 of a.csv")).series.tolist()
        [1.5, nan, 2.25]
    """
    foreign = {
        cell: in_plain_digits(cell)
        for cell in set(cells)
        if not asked.words and in_other_digits(cell)
    }
    if not foreign:
        return _typed(cells, lines, asked)
    own = asked.notation.inner if isinstance(asked.notation, ScriptNotation) else asked.notation
    found = _typed([foreign.get(cell, cell) for cell in cells], lines, replace(asked, notation=own))
    if found.notation is None or found.notation.kind == "boolean":
        return replace(_typed(cells, lines, replace(asked, words=True)), said=found.said)
    return in_its_digits(found, cells, foreign)


def _typed(cells: Sequence[str], lines: Sequence[int], asked: Asked) -> Typed:
    counts = Counter(cells)
    empty = _says_none(counts, asked)
    gaps = {cell for cell in counts if cell not in empty and is_missing_among_numbers(cell)}
    known = [cell for cell in counts if cell not in empty and cell not in gaps]
    if asked.words or not (known or gaps):
        unread = unheeded(asked, None, "its cells stay words") if asked.words else []
        return text_of(cells, counts, empty, tuple(unread))
    found = _best(known, counts, asked) if known else None
    if found is None:
        if known and all(cell.strip() in (*TRUE, *FALSE) for cell in known):
            found = booleans_of(cells, counts, empty | gaps)
            return replace(
                found, said=(*found.said, *unheeded(asked, None, "this is true or false"))
            )
        why = (*_why_text(known, asked), *unheeded(asked, None), *_keeping(empty, known, asked))
        return text_of(cells, counts, empty, why)
    odd = {cell: counts[cell] for cell in known if cell not in found.values}
    if odd and found.kind == "dates":
        if mixed_zones(found, odd):
            return _local_and_zoned(cells, counts, empty, odd, asked)
        odd = {} if read_otherwise(found, odd, asked) else odd
    # words that count as missing because numbers were asked for are what that decided
    found.said += [] if odd and asked.reading == "number" else unheeded(asked, found)
    if odd:
        sentence = _words_among(found, odd, counts, cells, lines, asked)
        if sentence is None:
            size, alike = sum(odd.values()), sum(counts[cell] for cell in known)
            return text_of(
                cells,
                counts,
                empty,
                (f"{found.kind} and words ({size} of {alike} values), so they are kept as text",),
            )
        found.said.append(sentence)
        found.lost.append(sentence)
        found.doubts.append(Doubt(f"{sentence.partition(' (`')[0]}", "categorical"))
    return values_of(
        cells, counts, empty | gaps | set(odd), found, set(odd), asked.reading == "number"
    )


def _says_none(counts: Counter[str], asked: Asked) -> set[str]:
    """Return the cells that say that there is no value, without those that are values here."""
    found = {cell for cell in counts if cell.strip() in MISSING or cell.strip() in asked.marks}
    # `NA` is a country among words, and a gap among numbers
    among_words = any(not any(c.isdigit() for c in cell) for cell in counts if cell not in found)
    return {
        cell
        for cell in found
        if not (cell.strip() in asked.values and (among_words or found == set(counts)))
    }


def _keeping(empty: set[str], known: list[str], asked: Asked) -> tuple[str, ...]:
    """Return how words for a missing value are kept as words, if there are any."""
    lettered = sorted({cell.strip() for cell in empty if cell.strip().isalpha()})
    if not lettered or not known or not asked.label:
        return ()
    return (
        f"{asking(asked.label, 'categorical')} keeps {few([repr(one) for one in lettered])} as a word",
    )


def _best(known: list[str], counts: Counter[str], asked: Asked) -> Way | None:
    own = None
    if asked.notation is not None:
        values = {
            cell: value for cell in known if (value := asked.notation.value(cell)) is not None
        }
        own = (
            Way(values, asked.notation, _KINDS.get(asked.notation.kind, "dates"))
            if values
            else None
        )
        if len(values) == len(known):
            return own
    alike = sum(counts[cell] for cell in known)
    declared = dates_of(known, asked) if asked.reading in ORDERS and own is None else None
    if declared is not None and declared.heeded and _size(declared, counts) >= 0.5 * alike:
        return declared
    if (
        not asked.wants_numbers
        and asked.reading not in DECIMALS
        and (
            any(_LONG.fullmatch(cell.strip()) for cell in known)
            or (_padded(known) and not _own_numbers(known, counts))
            or codes(known, asked.label)
        )
    ):
        return None
    # eight digits may be a day, so only other plain numbers need no look at dates
    plain = all(map(SIMPLE.fullmatch, known)) and not _moments_in_digits(known)
    times = (partial_of, dates_of, spans_of, months_of, times_of)
    every = (
        *(partial_of, dates_of, _coordinates, spans_of),
        *(_magnitudes, _numbers, months_of, times_of),
    )
    ways = (_numbers,) if plain else every
    wanted = (_magnitudes, _numbers) if asked.wants_numbers else ()
    wanted = times if asked.cells == "times" else wanted
    for find in (*wanted, *ways):
        found = find(known, asked)
        # who wants numbers has them, however few they are
        if found is not None and (
            find in wanted or sum(counts[cell] for cell in found.values) >= 0.5 * alike
        ):
            # what the run knows wins unless another notation reads more
            return own if own is not None and _size(own, counts) >= _size(found, counts) else found
    return own if own is not None and _size(own, counts) >= 0.5 * alike else None


def _size(found: Way, counts: Counter[str]) -> int:
    return sum(counts[cell] for cell in found.values)


def _why_text(known: list[str], asked: Asked) -> tuple[str, ...]:
    if any(_LONG.fullmatch(cell.strip()) for cell in known):
        return ("integers of more than 18 digits, so they are kept as text",)
    if known and _padded(known):
        return ("some numbers begin with zeros, so they are kept as text",)
    why = codes(known, asked.label)
    return (why,) if why else ()


def _padded(known: list[str]) -> bool:
    return any(_PADDED.fullmatch(cell.strip()) for cell in known) and not _moments_in_digits(known)


def _own_numbers(known: list[str], counts: Counter[str]) -> bool:
    """Return whether codes with zeros before them would be lost as words, because nearly every row
    has its own."""
    n = sum(counts.values())
    widths = {len(cell.strip()) for cell in known}
    return (
        n >= FEWEST_ROWS
        and len(known) >= ALL_DIFFERENT * n
        and len(widths) == 1
        and all(cell.strip().isdigit() for cell in known)
    )


def _moments_in_digits(known: list[str]) -> bool:
    if not all(len(cell.strip()) in (8, 12, 14) for cell in known):
        return False
    # the first of them are enough for numbers that are no dates
    return all(
        (dates := find_dates(some)) is not None and len(dates.read) == len(some)
        for some in (known[:50], known)
    )


def _numbers(known: list[str], asked: Asked) -> Way | None:
    of_run = asked.notation.decimal if isinstance(asked.notation, NumberNotation) else ""
    certain = DECIMALS.get(asked.reading, "") or asked.decimal or of_run
    numbers = find_numbers(known, certain or asked.likely)
    if numbers is not None and numbers.ambiguous and not certain and numbers.notation.group == ".":
        # what the fields' separator makes likely is no reason to take a point for anything but a
        # point
        numbers = find_numbers(known)
    if numbers is None:
        return None
    notation = numbers.notation
    if any(_ZEROS.match(cell.strip()) for cell in known):
        widths = {len(cell.strip().lstrip("+-").partition(notation.decimal)[0]) for cell in known}
        notation = notation.of_width(widths.pop()) if len(widths) == 1 else notation
    if notation.plain:
        values: dict[str, Any] = {
            cell: _plain(cell.strip()) for cell in known if cell in numbers.read
        }
    else:
        values = {
            cell: value
            for cell in known
            if cell in numbers.read and (value := notation.value(cell)) is not None
        }
    said = [f"{notation.said}, and written so again"] if notation.said else []
    doubts: list[Doubt] = []
    if not asked.wants_numbers and (code := may_be_code(known, asked.label)):
        said.append(code)
        doubts.append(Doubt("numbers with an exponent may be codes", "categorical"))
    pointed = "." in (notation.decimal, notation.group) and "," not in "".join(values)
    asks = numbers.ambiguous and not certain and not (pointed and asked.by_comma)
    if asks:
        mark = "." if pointed else ","
        one = next(cell for cell in values if mark in cell)
        thousands = notation.group == mark
        key = "decimal-comma" if thousands != pointed else "decimal-point"
        other = "decimals" if thousands else "thousands"
        said.append(f"'{one}' could mean {other} too: {asking(asked.label, key)} reads it so")
        doubts.append(Doubt(f"'{one}' could mean {other} too", key))
    sure = (notation.places or notation.group in (",", ".")) and not (
        numbers.ambiguous and not certain
    )
    decimal = notation.decimal if sure else ""
    return Way(values, notation, "numbers", said, [], decimal, "", asks, doubts=doubts)


def _magnitudes(known: list[str], asked: Asked) -> Way | None:
    found = find_magnitudes(known)
    if found is None:
        return None
    notation, values = found
    said = [f"{notation.said}, and written so again"]
    return Way(dict(values), notation, "numbers", said)


def _coordinates(known: list[str], asked: Asked) -> Way | None:
    if not any(mark in cell for cell in known[:20] for mark in "°º"):
        return None
    found = find_coordinates(known)
    if found is None:
        return None
    return Way(dict(found[1]), found[0], "numbers", [f"{found[0].said}, and written so again"])


def _local_and_zoned(
    cells: Sequence[str], counts: Counter[str], empty: set[str], odd: dict[str, int], asked: Asked
) -> Typed:
    said = f"local times and times with a zone, such as '{next(iter(odd))}', are different moments"
    if len(counts) >= ALL_DIFFERENT * len(cells) and len(cells) >= FEWEST_ROWS:
        hint = f"write all in one way, or leave the column out with {asking(asked.label, 'drop')}"
        raise BadInput(f"{said}, {asked.where}", "all with a zone, or none", hint)
    return text_of(cells, counts, empty, (f"{said}, so they are kept as text",))


def _words_among(
    found: Way,
    odd: dict[str, int],
    counts: Counter[str],
    cells: Sequence[str],
    lines: Sequence[int],
    asked: Asked,
) -> str | None:
    """Return what becomes of words among numbers or dates, None if all become text.

    Raises:
        BadInput: words that are too few to be categories, or rows that would all be different
            words.
    """
    shown = ", ".join(f"'{cell}'" for cell in list(odd)[:_SHOWN]) + (
        ", ..." if len(odd) > _SHOWN else ""
    )
    size, alike = sum(odd.values()), sum(odd.values()) + sum(counts[cell] for cell in found.values)
    many = f"{shown} ({counted(size, 'value')}) {'counts' if size == 1 else 'count'}"
    if asked.reading == "number":
        return f"{many} as missing, as asked"
    if _stand_for_gaps(found, odd):
        keeps = f"{asking(asked.label, 'categorical')} keeps words"
        return f"{many} as missing among {found.kind} ({keeps})"
    # so many numbers are no codes: as words they would be as many categories, or an identifier
    different = len(counts) >= ALL_DIFFERENT * len(cells) and len(cells) >= FEWEST_ROWS
    if size >= max(2, 0.1 * alike) and len(found.values) <= MOST_CODES and not different:
        return None
    places = [lines[row] for row, cell in enumerate(cells) if cell in odd][: _SHOWN + 1]
    more = (
        "s " + ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
        if len(places) > 1
        else f" {places[0]}"
    )
    one = {"numbers": "a number", "dates": "a date", "times": "a time"}[found.kind]
    choices = ", ".join(f"'-s data.columns.{asked.label}={kind}' {does}" for kind, does in _CHOICES)
    raise BadInput(
        f"{shown} in line{more}, {asked.where}",
        f"{one}, as in the other lines",
        f"repair it, or choose: {choices}",
    )


_CHOICES = (
    ("number", "makes it missing"),
    ("categorical", "makes words of all"),
    ("drop", "leaves the column out"),
)


def _stand_for_gaps(found: Way, odd: dict[str, int]) -> bool:
    """Return whether words recur as a mark for a gap does, among numbers that are too many to be
    codes."""
    recur = len(odd) <= 3 and all(
        size > 1 and not any(c.isdigit() for c in cell) for cell, size in odd.items()
    )
    return recur and len(found.values) > FEWEST_ROWS


def _plain(cell: str) -> int | float:
    bare = cell[1:] if cell[0] in "+-" else cell
    return int(cell) if bare.isdecimal() and len(bare) < 19 else float(cell)
