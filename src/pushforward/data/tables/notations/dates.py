"""Dates and moments as people write them: `2024-03-11`, `11.3.24`, `03/11/2024 4:05 PM`,
`20240311`, `Mar 3, 2024`.

Two ideas: a pattern of marks (`%d/%m/%Y %H:%M`, as of `strftime`, with `%-d` for a number without a
zero before it) says where the parts stand, and cells that differ by zeros only share one; one
pattern both reads and writes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from pushforward.data.tables.notations.calendar import order_of
from pushforward.data.tables.notations.date_cells import (
    PARTS,
    family_of_shape,
    moment_of,
    named_parts,
    offset_of,
    ordered_shape,
    take_apart,
)
from pushforward.data.tables.notations.names import (
    DAYS,
    MONTHS,
    NameStyle,
    month_of,
    style_of,
)
from pushforward.data.tables.notations.notation import Notation

_MARK = re.compile(r"%(-?)([YymdHIMSfbaApPze])")
_CUTS = (r"[.,]%f", r":%S", r"(T| {1,2}|, |,| at |:)?%-?[HI].*")


@dataclass(frozen=True)
class DateNotation(Notation):
    """How dates are written.

    Attributes:
        pattern: marks of `strftime` (`%-d` and its like for numbers without zeros before them)
            among other characters.
        language, letters: of the names of months, and how many letters of them are written (0 =
            all).
        places: digits of a second's fraction that are always written, 0 if it is written as long as
            it is.
        zone: the offset that every moment is written in, such as `+02:00` or `Z`; empty if there is
            none, or more than one.
        upper: True if the names of months are in capitals.
        names, days: the twelve months and the seven days as they are written, where that is not the
            language's own way.

    Example:
        >>> when = DateNotation("%d/%m/%Y %I:%M %p")
        >>> when.value("03/11/2024 04:05 PM"), when.write(datetime(2024, 11, 3, 16, 5))
        (datetime.datetime(2024, 11, 3, 16, 5), '03/11/2024 04:05 PM')
    """

    pattern: str
    language: str = "en"
    letters: int = 3
    places: int = 0
    zone: str = ""
    upper: bool = False
    names: str = ""
    days: str = ""
    kind: Literal["date"] = "date"

    def value(self, cell: str) -> datetime | None:
        """Return the moment in a cell, None if it is not written so, or there is no such day."""
        pattern = self.pattern
        for cut in ("", *_CUTS):
            # what says less than the others is read as well: a date among moments
            pattern = re.sub(cut, "", pattern) if cut else pattern
            match = _compiled(pattern).fullmatch(cell.strip())
            if match is not None:
                return moment_of(match.groupdict())
        return None

    def write(self, value: Any) -> str:
        """Return the cell of a moment (anything with the fields of `datetime`)."""
        if self.zone and value.tzinfo is not None:
            value = value.astimezone(offset_of(self.zone))
        return _MARK.sub(lambda mark: self._part(value, mark[2], bool(mark[1])), self.pattern)

    @property
    def said(self) -> str:
        """The pattern with the usual letters, such as DD/MM/YYYY."""
        words = {
            "Y": "YYYY",
            "y": "YY",
            "m": "MM",
            "d": "DD",
            "H": "hh",
            "I": "hh",
            "M": "mm",
            "S": "ss",
            "f": "fff",
        }
        words["p"] = "AM/PM"
        words |= {
            "P": "am/pm",
            "b": "month",
            "e": "D",
            "a": "weekday",
            "A": "weekday",
            "z": "Z" if self.zone == "Z" else "±hh:mm",
        }
        return "dates written " + _MARK.sub(lambda mark: words[mark[2]], self.pattern)

    def _part(self, value: Any, mark: str, short: bool) -> str:
        if mark == "b":
            return NameStyle(self.language, self.letters, self.upper, self.names).written(
                MONTHS, value.month - 1
            )
        if mark in "aA":
            return NameStyle("en", 3 if mark == "a" else 0, False, self.days).written(
                DAYS, value.weekday()
            )
        if mark in "pP":
            half = "AM" if value.hour < 12 else "PM"
            return half if mark == "p" else half.lower()
        if mark == "e":
            return f"{value.day:2d}"
        if mark == "z":
            return self.zone or _offset_words(value)
        if mark == "f":
            digits = f"{value.microsecond:06d}{getattr(value, 'nanosecond', 0):03d}"
            return digits[: self.places] if self.places else digits.rstrip("0") or "0"
        numbers = {
            "m": value.month,
            "d": value.day,
            "H": value.hour,
            "I": value.hour % 12 or 12,
            "M": value.minute,
            "S": value.second,
        }
        if mark in numbers:
            return str(numbers[mark]) if short else f"{numbers[mark]:02d}"
        return f"{value.year % 100:02d}" if mark == "y" else f"{value.year:04d}"


@dataclass(frozen=True)
class Dates:
    """What was found: the notation, what it reads, why days and months are taken in that order
    (`forced`: as was
    declared), and their zones."""

    notation: DateNotation
    read: dict[str, datetime]
    why: str = ""
    asks: bool = False
    forced: bool = False
    zones: tuple[str, ...] = ()


def find_dates(cells: Sequence[str], order: str = "", forced: str = "") -> Dates | None:
    """Return the notation of most of the cells, None if they are no dates.

    Args:
        cells: the different cells of a column in the order of its rows, none of them missing.
        order: of day, month and year elsewhere in the file.
        forced: an order that the user declared.

    Example:
        >>> find_dates(["25.12.2024", "1.3.2024"]).notation.pattern
        '%-d.%-m.%Y'
    """
    seen = {
        cell: found for cell in cells if (found := take_apart(cell.strip(), forced)) is not None
    }
    if not seen:
        return None
    shapes = Counter(found.shape for found in seen.values())
    families = Counter(family_of_shape(found.shape) for found in seen.values())
    usual = max(families, key=lambda family: families[family])
    kept = {cell: found for cell, found in seen.items() if family_of_shape(found.shape) == usual}
    # of cells that say more and less (a date, a moment) the one that says most can write all
    shape = max(
        (s for s in shapes if family_of_shape(s) == usual), key=lambda s: (s.count("%"), shapes[s])
    )
    why, asks, chosen = "", False, forced
    threes = [found.three for found in kept.values() if found.three is not None]
    if threes:
        separator = re.split(r"%1", shape)[1][0].replace("%", "")
        if not forced:
            chosen, why = order_of(threes, separator, order, "%I" in shape)
            asks = not why
        shape = ordered_shape(shape, chosen, len(threes[0][2]))
    read = {
        cell: moment
        for cell, found in kept.items()
        if (moment := moment_of(named_parts(found, chosen))) is not None
    }
    if not read:
        # an order that none of them can have decides nothing
        return find_dates(cells, order) if forced and threes else None
    named = [named_parts(kept[cell], chosen) for cell in read]
    zones = tuple(sorted({parts["z"] for parts in named if parts.get("z")}))
    return Dates(_notation(shape, named, zones), read, why, asks, bool(forced and threes), zones)


def _notation(shape: str, named: list[dict[str, str]], zones: tuple[str, ...]) -> DateNotation:
    pattern = shape
    for mark in "mdHI":
        values = {parts[key] for parts in named if parts.get(key := "H" if mark == "I" else mark)}
        # one digit alone shows that zeros are left out
        if any(len(value) == 1 for value in values):
            pattern = pattern.replace(f"%{mark}", f"%-{mark}")
    if any(parts["d"].startswith(" ") for parts in named):
        pattern = pattern.replace("%d", "%e")
    fractions = {len(parts["f"]) for parts in named if parts.get("f")}
    months = style_of(
        ((found[0] - 1, word) for word in _words(named, "b") if (found := month_of(word))), MONTHS
    )
    weekdays = [
        (moment.weekday(), parts["a"])
        for parts in named
        if "a" in parts and (moment := moment_of(parts))
    ]
    week = style_of(weekdays, DAYS)
    if week.names or week.language != "en" or week.upper or week.letters not in (0, 3):
        week = NameStyle(
            names=week.names or " ".join(week.written(DAYS, place) for place in range(7))
        )
    return DateNotation(
        pattern if week.letters == 0 else pattern.replace("%A", "%a"),
        months.language,
        months.letters,
        fractions.pop() if len(fractions) == 1 else 0,
        zones[0] if len(zones) == 1 else "",
        months.upper,
        months.names,
        week.names,
    )


def _words(named: list[dict[str, str]], mark: str) -> list[str]:
    return [parts[mark] for parts in named if parts.get(mark)]


def _offset_words(value: Any) -> str:
    away = value.utcoffset() or timedelta(0)
    minutes = round(away.total_seconds() / 60)
    return (
        "Z"
        if not minutes
        else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    expression, last = "", 0
    for mark in _MARK.finditer(pattern):
        expression += re.escape(pattern[last : mark.start()])
        compact = (
            pattern[mark.end() : mark.end() + 1] == "%"
            or pattern[mark.start() - 1 : mark.start()].isalpha()
        )
        part = PARTS[mark[2]]
        # the first of digits alone may lack its zero
        lacks = bool(mark[1]) and mark.start() == 0
        expression += (
            part.replace("{1,2}", "{2}") if compact and mark[2] in "mdH" and not lacks else part
        )
        last = mark.end()
    return re.compile(expression + re.escape(pattern[last:]))
