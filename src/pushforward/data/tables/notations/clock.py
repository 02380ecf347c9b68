"""Times of day and durations: `14:35`, `2:35:10 PM`, `36:05:10`, `3 days 04:05:06`, `13:34.61`.

One idea: hours that reach 24, days before them, or decimals behind minutes and seconds make it a
duration; both are seconds, a time of day never a day's worth of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Literal

from pushforward.data.tables.notations.notation import Notation

_CELL = re.compile(
    r"(?P<minus>-?)(?:(?P<days>\d+) (?P<word>days?)(?P<and>,?) \+?)?"
    r"(?P<H>\d{1,4}):(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d)(?:\.(?P<f>\d{1,9}))?)?(?:(?P<space> ?)(?P<p>[AaPp][Mm]))?"
)
# minutes and seconds, as races are timed
_SHORT = re.compile(r"(?P<minus>-?)(?P<M>\d{1,4}):(?P<S>[0-5]\d)\.(?P<f>\d{1,9})")


@dataclass(frozen=True)
class ClockNotation(Notation):
    """How times of day, or durations, are written.

    Attributes:
        duration: True if hours go beyond a day.
        seconds: True if seconds are written.
        places: digits of their fraction, always written.
        short: True if the hour has no zero before it.
        half: what is written before AM and PM (a space or nothing) where the clock has twelve
            hours, else None.
        days: what stands between days and hours, such as ` days `, empty if there are none.
        minutes: True if lengths below an hour are written without it: minutes, seconds, decimals.

    Example:
        >>> ClockNotation(half=" ", short=True).value("2:35 PM"), ClockNotation(duration=True).write(timedelta(hours=36))
        (datetime.time(14, 35), '36:00')
    """

    duration: bool = False
    seconds: bool = False
    places: int = 0
    short: bool = False
    half: str | None = None
    days: str = ""
    minutes: bool = False
    kind: Literal["clock"] = "clock"

    def value(self, cell: str) -> time | timedelta | None:
        """Return the time of day, or the duration, in a cell."""
        found = _seconds(cell, self.minutes)
        if found is None:
            return None
        if self.duration:
            return found
        whole = found.seconds
        known = timedelta(0) <= found < timedelta(days=1)
        return (
            time(whole // 3600, whole // 60 % 60, whole % 60, found.microseconds) if known else None
        )

    def write(self, value: Any) -> str:
        """Return the cell of a `time`, or of a `timedelta`."""
        if isinstance(value, timedelta):
            minus, size = ("-", -value) if value < timedelta(0) else ("", value)
            hour, days = size.seconds // 3600, size.days
            minute, second, fraction = size.seconds // 60 % 60, size.seconds % 60, size.microseconds
            before = minus + (f"{days}{self.days}" if self.days else "")
            hour += 0 if self.days else 24 * days
        else:
            before, hour, minute, second, fraction = (
                "",
                value.hour,
                value.minute,
                value.second,
                value.microsecond,
            )
        if self.minutes and not hour and not before.strip("-"):
            rest = f"{fraction:06d}"[: self.places]
            return f"{before}{minute:{'' if self.short else '02'}d}:{second:02d}.{rest}"
        shown = (hour % 12 or 12) if self.half is not None else hour
        text = f"{shown}:{minute:02d}" if self.short else f"{shown:02d}:{minute:02d}"
        if self.seconds:
            text += f":{second:02d}" + (
                f".{fraction:06d}"[: self.places + 1] if self.places else ""
            )
        after = "" if self.half is None else self.half + ("AM" if hour < 12 else "PM")
        return before + text + after

    @property
    def said(self) -> str:
        """What they are."""
        return "durations" if self.duration else "times of day"


def find_times(
    cells: Iterable[str], long: bool = False
) -> tuple[ClockNotation, dict[str, time | timedelta]] | None:
    """Return the notation of times or durations and what it reads, None if the cells are neither.

    Args:
        long: True takes them for durations, however short they are.

    Example:
        >>> find_times(["9:05", "23:10"])[0].short, find_times(["26:00:01"])[0].duration
        (True, True)
    """
    every = list(cells)
    seen = {cell: match for cell in every if (match := _CELL.fullmatch(cell.strip())) is not None}
    brief = {cell: match for cell in every if (match := _SHORT.fullmatch(cell.strip())) is not None}
    lengths = {
        cell: size for cell in (*seen, *brief) if (size := _seconds(cell, bool(brief))) is not None
    }
    if not lengths:
        return None
    matches = [seen[cell] for cell in lengths if cell in seen]
    short = [match for cell, match in brief.items() if cell in lengths]
    halves = [match["space"] for match in matches if match["p"]]
    days = next((f" {match['word']}{match['and']} " for match in matches if match["days"]), "")
    long = (
        long
        or bool(days or short)
        or any(not timedelta(0) <= size < timedelta(days=1) for size in lengths.values())
    )
    if "day" in days:
        days = days.replace("day ", "days ").replace("day,", "days,")
    notation = ClockNotation(
        long,
        any(match["S"] for match in (*matches, *short)),
        max(len(match["f"] or "") for match in (*matches, *short)),
        any(len(match["H"]) == 1 for match in matches) or any(len(m["M"]) == 1 for m in short),
        halves[0] if halves else None,
        days,
        bool(short),
    )
    read = {cell: value for cell in lengths if (value := notation.value(cell)) is not None}
    return notation, read


def _seconds(cell: str, brief: bool = False) -> timedelta | None:
    match = _CELL.fullmatch(cell.strip())
    short = _SHORT.fullmatch(cell.strip()) if brief and match is None else None
    if short is not None:
        part = int(short["f"].ljust(6, "0")[:6])
        size = timedelta(minutes=int(short["M"]), seconds=int(short["S"]), microseconds=part)
        return -size if short["minus"] else size
    if match is None:
        return None
    hour = int(match["H"])
    if match["p"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["p"][0] in "Pp" else 0)
    if match["days"] and hour > 23:
        return None
    fraction = int((match["f"] or "0").ljust(6, "0")[:6])
    size = timedelta(
        int(match["days"] or 0), int(match["S"] or 0), fraction, 0, int(match["M"]), hour
    )
    return -size if match["minus"] else size
