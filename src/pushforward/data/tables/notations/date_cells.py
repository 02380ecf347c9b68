"""The parts of one cell that is a date: its pattern, its moment, and what was ambiguous."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from pushforward.data.tables.notations.calendar import full_year
from pushforward.data.tables.notations.names import (
    is_day,
    month_of,
)

PARTS = {
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
class DateCell:
    """One cell taken apart: its shape without regard to zeros, the values of its parts, and three
    numbers in doubt."""

    shape: str
    parts: dict[str, str]
    three: tuple[str, str, str] | None = None


def take_apart(cell: str, forced: str = "") -> DateCell | None:
    """Return the parts of a cell, None if it is no date; `forced` reads bare digits as dates."""
    if len(cell) < 6 or not any(c.isdigit() for c in cell[:24]):
        return None
    if cell[0] == "[" and cell[-1] == "]":
        # as web servers write moments
        inner = take_apart(cell[1:-1], forced)
        return None if inner is None else replace(inner, shape=f"[{inner.shape}]")
    if (
        forced
        and cell.isdecimal()
        and (len(cell) == 6 or (len(cell) in (7, 8) and forced != "ymd"))
    ):
        # six or eight digits, or seven where a program has dropped the zero before the first of
        # them
        year = -2 if len(cell) == 6 else -4
        return DateCell("%1%2%3", {}, (cell[: year - 2], cell[year - 2 : year], cell[year:]))
    for expression in (*_CELLS, _LATE, _LONG):
        match = expression.fullmatch(cell)
        if match is None:
            continue
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        found = _seen(parts)
        if found is not None:
            return found
    return None


def _seen(parts: dict[str, str]) -> DateCell | None:
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
    return DateCell(shape, parts, three)


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


def family_of_shape(shape: str) -> str:
    """Return what dates and moments of one kind have in common: the date, and whether there is a
    zone."""
    date = re.split(r"(?:T| +|, ?| at |:)%[HI]|T?%H%M", shape)[0]
    return date + ("%z" if "%z" in shape else "")


def ordered_shape(shape: str, order: str, digits: int) -> str:
    """Return a shape with its three numbers in doubt named in an order such as `dmy`."""
    for place, letter in enumerate(order, 1):
        shape = shape.replace(f"%{place}", "%" + ("Y" if letter == "y" and digits == 4 else letter))
    return shape


def named_parts(found: DateCell, order: str) -> dict[str, str]:
    """Return the parts of a cell by name, three numbers in doubt being read in an order."""
    if found.three is None:
        return found.parts
    named = dict(zip(order, found.three, strict=True))
    year = named.pop("y")
    return {**found.parts, **named, "Y" if len(year) == 4 else "y": year}


def moment_of(parts: dict[str, str]) -> datetime | None:
    """Return the moment that the parts of a cell name, None if there is none."""
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
        zone = offset_of(parts["z"]) if parts.get("z") else None
        found = datetime(
            full_year(int(year), len(year)), int(month), int(parts["d"]), *clock, tzinfo=zone
        )
        # the last evening of the year 9999 has no moment in UTC
        return found if zone is None or found.astimezone(UTC) else None
    except (ValueError, OverflowError):
        return None


def offset_of(word: str) -> timezone:
    """Return the zone that a word such as `Z` or `+02:00` names."""
    if word in ("Z", "UTC", "GMT"):
        return UTC
    digits = word[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-size if word[0] == "-" else size)
