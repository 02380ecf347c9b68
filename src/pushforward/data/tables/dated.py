"""Columns of dates, months and times: how they are read, what that decides, what its owner is asked
and what is lost.

One idea: every part of a column whose days and months could be swapped is decided by what was
declared, by its own numbers or by the other dates, in this order, and asked about where none of
them says anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from pushforward.core.errors import BadInput
from pushforward.data.tables.column_hints import ORDERS, Asked, asking
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.notations.aside import find_partial, offsets_of
from pushforward.data.tables.notations.calendar import ELSEWHERE, SAME
from pushforward.data.tables.notations.clock import find_times
from pushforward.data.tables.notations.dates import Dates, find_dates
from pushforward.data.tables.notations.months import find_months
from pushforward.data.tables.notations.spans import find_spans
from pushforward.data.tables.surrogates.kinds import hints, words_of_label
from pushforward.data.tables.typed_values import Way

# one number of eight digits in 1,400 is a day of these centuries with its year at the end
_FEWEST = 5


def dates_of(known: list[str], asked: Asked) -> Way | None:
    """Return how a column of dates is read, None if its cells are none."""
    if not any(len(cell.strip()) >= 6 for cell in known[:20]):
        return None
    dates = find_dates(known, asked.order, ORDERS.get(asked.reading, ""))
    if dates is None or (not dates.forced and _by_accident(dates, known)):
        return None
    several = len(dates.zones) > 1
    inner = offsets_of(dates.notation, list(dates.read), dates.zones) if several else None
    notation = inner or dates.notation
    said = [f"{notation.said}, and written so again", *_decided(dates, asked)]
    way = Way(dict(dates.read), notation, "dates", said, [], "", _order(dates), dates.asks)
    way.zoned, way.heeded = several and inner is None, dates.forced
    way.undecided, way.doubts = _two_ways(dates), _other_order(dates)
    left = {cell: 1 for cell in known if cell not in dates.read}
    # dates in so many ways that none is that of most
    if left and not mixed_zones(way, left):
        read_otherwise(way, left, asked)
    return way


def _by_accident(dates: Dates, known: list[str]) -> bool:
    """Return whether dates of digits alone are numbers, as the others beside them show that are no
    dates."""
    digits = "".join(re.findall(r"%-?[A-Za-z]", dates.notation.pattern)) == dates.notation.pattern
    if digits and not dates.notation.pattern.startswith("%Y") and len(dates.read) < _FEWEST:
        return True
    return digits and any(cell not in dates.read and cell.strip().isdecimal() for cell in known)


def _decided(dates: Dates, asked: Asked) -> list[str]:
    """Return what is said of the order of days, months and years."""
    pattern, said, label = dates.notation.pattern, [], asked.label
    if dates.why:
        why = asked.why if dates.why == ELSEWHERE and asked.why else dates.why
        said.append(f"{why} {_first_of(pattern)} comes first")
    if dates.asks:
        first, other = ("days", "month-first") if _day_first(pattern) else ("months", "day-first")
        said.append(
            f"{first} are taken to come first, but nothing decides it: {asking(label, other)} reads them otherwise"
        )
    if "%y" in pattern:
        said.append("years of two digits are those from 1969 to 2068")
    return said


def _two_ways(dates: Dates) -> tuple[tuple[str, str], ...]:
    """Return two cells and the two days that each could be; nothing where the cells decide it."""
    shown: list[tuple[str, str]] = []
    if not dates.asks:
        return ()
    for cell, day in dates.read.items():
        if day.day != day.month and day.day <= 12:
            other = day.replace(day=day.month, month=day.day)
            first, second = sorted((day, other), key=lambda one: one.month)
            shown.append((cell, f"{_in_words(first)} or {_in_words(second)}"))
    return tuple(shown[:2])


def _in_words(day: datetime) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _other_order(dates: Dates) -> list[Doubt]:
    """Return the other order of day and month, where the cells themselves do not rule it out."""
    if not dates.asks and dates.why != ELSEWHERE:
        return []
    other = "month-first" if _day_first(dates.notation.pattern) else "day-first"
    why = "all dates are dates with day and month swapped, too"
    return [Doubt(why, other, open=dates.asks)]


def _order(dates: Dates) -> str:
    """Return what dates tell of the others in their file."""
    if dates.asks or dates.why in ("", SAME):
        return ""
    return "dmy" if _day_first(dates.notation.pattern) else "mdy"


def _reading(dates: Dates) -> str:
    first = _first_of(dates.notation.pattern)
    return f"{first}-first" if dates.why or dates.asks else ""


def _first_of(pattern: str) -> str:
    bare = pattern.replace("%-", "%")
    places = {
        "day": bare.find("%d"),
        "month": bare.find("%m"),
        "year": max(bare.find("%y"), bare.find("%Y")),
    }
    return min(
        (word for word, place in places.items() if place >= 0), key=lambda word: places[word]
    )


def _day_first(pattern: str) -> bool:
    bare = pattern.replace("%-", "%")
    return 0 <= bare.find("%d") < bare.find("%m")


def partial_of(known: list[str], asked: Asked) -> Way | None:
    """Return how dates are read of which some say a month or a year only, None for any others."""
    if not any(len(cell.strip()) > 4 for cell in known):
        return None
    found = find_partial(known, ORDERS.get(asked.reading, "") or asked.order)
    if found is None:
        return None
    said = f"{found[0].said}, and written so again"
    return Way(dict(found[1]), found[0], "dates", [said])


def months_of(known: list[str], asked: Asked) -> Way | None:
    """Return how a column of months or quarters is read, None if its cells are none."""
    months = find_months(known)
    if months is None:
        return None
    said, doubts = [f"{months[0].said}, and written so again"], list[Doubt]()
    if "%y" in months[0].pattern:
        one = next(iter(months[1]))
        keeps = f"{asking(asked.label, 'categorical')} keeps words"
        said.append(
            f"the number in '{one}' is taken to be a year from 1969 to 2068, no day of a month ({keeps})"
        )
        doubts.append(Doubt(f"the number in '{one}' could be a day", "categorical", open=False))
    return Way(dict(months[1]), months[0], "dates", said, doubts=doubts)


def times_of(known: list[str], asked: Asked) -> Way | None:
    """Return how a column of times or durations is read, None if its cells are none."""
    if not any(":" in cell for cell in known[:20]):
        return None
    words = words_of_label(asked.label)
    times = find_times(known, asked.kind == "duration" or bool(_LENGTHS & words))
    if times is None:
        return None
    said = [f"{times[0].said}, and written so again"]
    way = Way(dict(times[1]), times[0], "times", said)
    below = all(timedelta(0) <= size < timedelta(1) for size in _lengths(times[1].values()))
    if below and times[0].half is None and not asked.kind and not times[0].minutes:
        other = "time" if times[0].duration else "duration"
        why = f"all are below 24 hours, so each could be a {other.replace('time', 'time of day')}"
        # clocks are read in the afternoon, too
        late = any(size >= timedelta(hours=12) for size in _lengths(times[1].values()))
        decided = late or times[0].duration or bool(_CLOCKS & words)
        way.doubts = [Doubt(why, other, open=not decided)]
    return way


_LENGTHS = hints("duration elapsed length lap laptime runtime dauer laufzeit duree took uptime")
_CLOCKS = hints("time clock at start end begin opening closing hour zeit uhrzeit heure hora when")


def _lengths(values: Iterable[time | timedelta]) -> Iterator[timedelta]:
    """Yield times since midnight, and lengths."""
    for value in values:
        if isinstance(value, timedelta):
            yield value
        else:
            yield timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)


def spans_of(known: list[str], asked: Asked) -> Way | None:
    """Return how a column of durations in words is read, None if its cells are none."""
    spans = find_spans(known)
    if spans is None:
        return None
    return Way(dict(spans[1]), spans[0], "times", [f"{spans[0].said}, and written so again"])


def read_otherwise(found: Way, odd: dict[str, int], asked: Asked) -> bool:
    """Read dates that are written unlike most, and say how; True if that leaves none.

    Args:
        odd: cells that the notation of most does not read, and how often each stands.
    """
    inner = getattr(found.notation, "inner", found.notation)
    left, usual = list(odd), _bare(getattr(inner, "pattern", ""))
    groups: list[Dates] = []
    while left:
        dates = find_dates(left, found.order or asked.order, ORDERS.get(asked.reading, ""))
        # the same three numbers in another order would be a second meaning of one spelling
        if dates is None or _bare(dates.notation.pattern) == usual:
            return False
        groups.append(dates)
        left = [cell for cell in left if cell not in dates.read]
    for dates in groups:
        found.values |= dates.read
        others = _decided(dates, asked)
        found.undecided = found.undecided or _two_ways(dates)
        found.doubts += _other_order(dates)
        if found.order:
            others = [
                one.replace(ELSEWHERE, "the other dates of the column are so") for one in others
            ]
        found.said += [f"among them {dates.notation.said}: {sentence}" for sentence in others]
        found.asks, found.heeded = found.asks or dates.asks, found.heeded or dates.forced
        found.order = found.order or _order(dates)
        # the notation of most says nothing of these, so a run must know the order to read its file
        # again
        found.reading = found.reading or (_reading(dates) if others else "")
    return True


def _bare(pattern: str) -> str:
    return re.sub(r"%-?[dmyY]", "%", pattern)


def mixed_zones(found: Way, odd: Collection[str]) -> bool:
    """Return whether some moments have a zone and others none."""
    others = find_dates(list(odd))
    inner = getattr(found.notation, "inner", found.notation)
    zoned = "%z" in getattr(inner, "pattern", "")
    return others is not None and ("%z" in others.notation.pattern) != zoned


def refuse_undecided(
    two_ways: Sequence[tuple[str, str]], label: str, distinct: int, where: Callable[[str], str]
) -> None:
    """Refuse dates of which nothing says whether days or months come first.

    Args:
        two_ways: two of them, and the days that each could be; none where something decides.
        distinct: how many different dates there are: of a single one nothing is learned.
        where: what the row of a cell is called.

    Raises:
        BadInput: with two cells, the days that each could be, and the options that decide.
    """
    if not two_ways or distinct < 2:
        return
    shown = ", ".join(f"'{cell}' in {where(cell)} is {days}" for cell, days in two_ways)
    raise BadInput(
        f"dates of column '{label}' that can be read in two ways, and nothing in the data says which: {shown}",
        "to be told whether days or months come first",
        f"{asking(label, 'day-first')} or {asking(label, 'month-first')}",
    )
