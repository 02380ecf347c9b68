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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, Literal

from pushforward.data.tables.notations.calendar import full_year, order_of
from pushforward.data.tables.notations.names import (
    DAYS,
    MONTHS,
    NameStyle,
    is_day,
    month_of,
    style_of,
)
from pushforward.data.tables.notations.notation import Notation

_PARTS = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "b": r"(?P<b>[^\W\d_]{3,12}\.?)",
    "a": r"(?P<a>[^\W\d_]{2,12})",
    "A": r"(?P<a>[^\W\d_]{2,12})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "P": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "e": r"(?P<d> ?\d{1,2})",
    "z": r"(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)",
}
_MARK = re.compile(r"%(-?)([YymdHIMSfbaApPze])")
_CUTS = (r"[.,]%f", r":%S", r"(T| {1,2}|, |,| at |:)?%-?[HI].*")
# years of dates in digits alone; the first and the last year of programs are marks for nothing
_YEAR = r"(?:1[7-9]|2[0-2])\d\d|9999|0001"
_DATES = (
    r"(?P<Y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
    rf"(?P<C>(?:{_YEAR})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))",
    r"(?P<first>\d\d)(?P<s>)(?P<second>\d\d)(?P<third>(?:19|20)\d\d)",
    r"(?P<first>\d{1,2})(?P<s>[-/.]|\. )(?P<second>\d{1,2})(?P=s)(?P<third>\d{4}|\d{2})",
    r"(?P<d>\d{1,2})(?P<s>[-/ .]|\. | de )(?P<b>[^\W\d_]{3,12}\.?)(?P<t>[-/ ,.]{1,2}| del? )(?P<year>\d{4}|\d{2})",
    r"(?P<b>[^\W\d_]{3,12}\.?)(?P<s>[-/]| {1,2})(?P<d>\d{1,2})(?P<t>,? |[-/])(?P<year>\d{4}|\d{2})",
)
_TIME = r"(?P<H>\d{1,2}):(?P<M>\d\d)(?::(?P<S>\d\d)(?:(?P<fs>[.,])(?P<f>\d{1,9}))?)?(?:(?P<ps> ?)(?P<p>[AaPp]\.?[Mm]\.?))?"
_ZONE = r"(?P<zs> ?)(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)"
_CELLS = tuple(
    re.compile(
        rf"(?:(?P<a>[^\W\d_]{{2,12}})(?P<as>\.?,? ))?{date}(?:(?P<j>T| {{1,2}}|, |,| at |:){_TIME}(?:{_ZONE})?)?"
    )
    for date in _DATES
)
# as C, Unix and Twitter print moments, the year at the end
_LATE = re.compile(
    r"(?:(?P<a>[^\W\d_]{2,12})(?P<as>\.?,? ))?(?P<b>[^\W\d_]{3,12}\.?)(?P<s> {1,2})(?P<d>\d{1,2})(?P<j> )"
    rf"{_TIME}(?:{_ZONE})?(?P<t> )(?P<year>\d{{4}})"
)
_LONG = re.compile(
    rf"(?P<Y>{_YEAR})(?P<m>\d\d)(?P<d>\d\d)(?P<compact>)(?P<j>T?)(?P<H>\d\d)(?P<M>\d\d)(?:(?P<S>\d\d))?(?:(?P<zs>)(?P<z>Z))?"
)


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
                return _moment(match.groupdict())
        return None

    def write(self, value: Any) -> str:
        """Return the cell of a moment (anything with the fields of `datetime`)."""
        if self.zone and value.tzinfo is not None:
            value = value.astimezone(_offset(self.zone))
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
            "z": "±hh:mm",
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


@dataclass(frozen=True)
class _Seen:
    """One cell taken apart: its shape without regard to zeros, the values of its parts, and three
    numbers in doubt."""

    shape: str
    parts: dict[str, str]
    three: tuple[str, str, str] | None = None


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
        cell: found for cell in cells if (found := _take_apart(cell.strip(), forced)) is not None
    }
    if not seen:
        return None
    shapes = Counter(found.shape for found in seen.values())
    families = Counter(_family(found.shape) for found in seen.values())
    usual = max(families, key=lambda family: families[family])
    kept = {cell: found for cell, found in seen.items() if _family(found.shape) == usual}
    # of cells that say more and less (a date, a moment) the one that says most can write all
    shape = max((s for s in shapes if _family(s) == usual), key=lambda s: (s.count("%"), shapes[s]))
    why, asks, chosen = "", False, forced
    threes = [found.three for found in kept.values() if found.three is not None]
    if threes:
        separator = re.split(r"%1", shape)[1][0].replace("%", "")
        if not forced:
            chosen, why = order_of(threes, separator, order, "%I" in shape)
            asks = not why
        shape = _ordered(shape, chosen, len(threes[0][2]))
    read = {
        cell: moment
        for cell, found in kept.items()
        if (moment := _moment(_named(found, chosen))) is not None
    }
    if not read:
        # an order that none of them can have decides nothing
        return find_dates(cells, order) if forced and threes else None
    named = [_named(kept[cell], chosen) for cell in read]
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
        if "a" in parts and (moment := _moment(parts))
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


def _take_apart(cell: str, forced: str = "") -> _Seen | None:
    if len(cell) < 6 or not any(c.isdigit() for c in cell[:24]):
        return None
    if cell[0] == "[" and cell[-1] == "]":
        # as web servers write moments
        inner = _take_apart(cell[1:-1], forced)
        return None if inner is None else replace(inner, shape=f"[{inner.shape}]")
    if (
        forced
        and cell.isdecimal()
        and (len(cell) == 6 or (len(cell) in (7, 8) and forced != "ymd"))
    ):
        # six or eight digits, or seven where a program has dropped the zero before the first of
        # them
        year = -2 if len(cell) == 6 else -4
        return _Seen("%1%2%3", {}, (cell[: year - 2], cell[year - 2 : year], cell[year:]))
    for expression in (*_CELLS, _LATE, _LONG):
        match = expression.fullmatch(cell)
        if match is None:
            continue
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        found = _seen(parts)
        if found is not None:
            return found
    return None


def _seen(parts: dict[str, str]) -> _Seen | None:
    weekday = parts.get("a", "")
    if weekday and not is_day(weekday):
        return None
    if "b" in parts and month_of(parts["b"]) is None:
        return None
    three = None
    if "C" in parts:
        date, whole = "%Y%m%d", parts.pop("C")
        parts |= {"Y": whole[:4], "m": whole[4:6], "d": whole[6:]}
    elif "first" in parts:
        three = (parts["first"], parts["second"], parts["third"])
        date = f"%1{parts['s']}%2{parts['s']}%3"
    elif "b" in parts:
        if parts["s"] == "  " and len(parts["d"]) == 1:
            # a blank stands where a second digit would
            parts |= {"s": " ", "d": f" {parts['d']}"}
        mark = "Y" if len(parts["year"]) == 4 else "y"
        parts[mark] = parts["year"]
        first_day = "%d{s}%b{t}" if _day_first(parts) else "%b{s}%d{t}"
        date = first_day.format(**parts) + f"%{mark}"
    elif "s" in parts:
        date = f"%Y{parts['s']}%m{parts['s']}%d"
    else:
        date = "%Y%m%d"
    shape = (f"%A{parts['as']}" if weekday else "") + date
    keys = list(parts)
    if "year" in parts and "H" in parts and keys.index("H") < keys.index("year"):
        shape = shape.removesuffix(f"{parts['t']}%Y") + _clock_shape(parts) + f"{parts['t']}%Y"
    elif "H" in parts:
        shape += _clock_shape(parts)
    return _Seen(shape, parts, three)


def _day_first(parts: dict[str, str]) -> bool:
    # group names are the same in both expressions; their order in the dictionary is that of the
    # text
    keys = list(parts)
    return keys.index("d") < keys.index("b")


def _clock_shape(parts: dict[str, str]) -> str:
    hour = "%I" if "p" in parts else "%H"
    if "compact" in parts:
        shape = f"{parts['j']}{hour}%M" + ("%S" if "S" in parts else "")
    else:
        shape = f"{parts['j']}{hour}:%M" + (":%S" if "S" in parts else "")
        shape += f"{parts['fs']}%f" if "f" in parts else ""
    if "p" in parts:
        shape += f"{parts['ps']}%{'p' if parts['p'][0].isupper() else 'P'}"
    return shape + (f"{parts['zs']}%z" if "z" in parts else "")


def _family(shape: str) -> str:
    """Return what dates and moments of one kind have in common: the date, and whether there is a
    zone."""
    date = re.split(r"(?:T| +|, ?| at |:)%[HI]|T?%H%M", shape)[0]
    return date + ("%z" if "%z" in shape else "")


def _ordered(shape: str, order: str, digits: int) -> str:
    for place, letter in enumerate(order, 1):
        shape = shape.replace(f"%{place}", "%" + ("Y" if letter == "y" and digits == 4 else letter))
    return shape


def _named(found: _Seen, order: str) -> dict[str, str]:
    if found.three is None:
        return found.parts
    named = dict(zip(order, found.three, strict=True))
    year = named.pop("y")
    return {**found.parts, **named, "Y" if len(year) == 4 else "y": year}


def _moment(parts: dict[str, str]) -> datetime | None:
    hour = int(parts.get("H") or parts.get("I") or 0)
    if parts.get("p"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["p"][0] in "Pp" else 0)
    month = parts.get("m")
    if month is None:
        found = month_of(parts["b"])
        if found is None:
            return None
        month = str(found[0])
    year = parts.get("Y") or parts.get("y") or ""
    fraction = (parts.get("f") or "").ljust(6, "0")[:6] or "0"
    clock = (hour, int(parts.get("M") or 0), int(parts.get("S") or 0), int(fraction))
    try:
        zone = _offset(parts["z"]) if parts.get("z") else None
        found = datetime(
            full_year(int(year), len(year)), int(month), int(parts["d"]), *clock, tzinfo=zone
        )
        # the last evening of the year 9999 has no moment in UTC
        return found if zone is None or found.astimezone(UTC) else None
    except (ValueError, OverflowError):
        return None


def _offset(word: str) -> timezone:
    if word in ("Z", "UTC", "GMT"):
        return UTC
    digits = word[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-size if word[0] == "-" else size)


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
        part = _PARTS[mark[2]]
        # the first of digits alone may lack its zero
        lacks = bool(mark[1]) and mark.start() == 0
        expression += (
            part.replace("{1,2}", "{2}") if compact and mark[2] in "mdH" and not lacks else part
        )
        last = mark.end()
    return re.compile(expression + re.escape(pattern[last:]))
