"""Durations in words: `2h 5m`, `1 hour 20 minutes`, `3d`, `PT1H5M`.

One idea: a length is a sum of numbers, each with its unit, from the largest unit to the smallest;
which units a column writes, and whether it writes those of which there are none, is seen in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

from pushforward.data.tables.notations.notation import Notation

_WORDS = {
    7 * 86400: "w wk wks week weeks",
    86400: "d day days tag tage jour jours",
    3600: "h hr hrs hour hours std stunde stunden heure heures hora horas",
    60: "m min mins minute minutes minuten minuto minutos",
    1: "s sec secs second seconds sek sekunde sekunden seconde secondes",
}
_SECONDS = {word: size for size, words in _WORDS.items() for word in words.split()}
_PART = re.compile(r"(?P<n>\d+)(?P<gap>[  ]?)(?P<word>[^\W\d_]+)\.?")
_CELL = re.compile(
    r"(?P<minus>-?)(?P<parts>\d+[  ]?[^\W\d_]+\.?(?:(?:,? (?:and |und |et )?|)\d+[  ]?[^\W\d_]+\.?)*)"
)
_ISO = re.compile(
    r"(?P<minus>-?)P(?:(?P<W>\d+)W|(?:(?P<D>\d+)D)?(?:T(?=\d)(?:(?P<H>\d+)H)?(?:(?P<M>\d+)M)?(?:(?P<S>\d+)(?:\.(?P<f>\d{1,6}))?S)?)?)"
)
_OF_ISO = {"W": 7 * 86400, "D": 86400, "H": 3600, "M": 60, "S": 1}


@dataclass(frozen=True)
class SpanNotation(Notation):
    """How durations are written in words.

    Attributes:
        units: seconds of each unit that occurs, from the largest, what is written behind one of it
            and behind several.
        between: what stands between the parts.
        zeros: True if a unit of which there is none is written behind another.
        leading: True if it is written before all others, too.
        width: digits of every part but the first.
        iso: True for the form of ISO 8601.
        places: decimals of the seconds, in that form.

    Example:
        >>> spans = SpanNotation(((3600, "h", "h"), (60, "m", "m")))
        >>> spans.value("2h 5m"), spans.write(timedelta(minutes=61))
        (datetime.timedelta(seconds=7500), '1h 1m')
    """

    units: tuple[tuple[int, str, str], ...] = ()
    between: str = " "
    zeros: bool = False
    leading: bool = False
    width: int = 1
    iso: bool = False
    places: int = 0
    kind: Literal["span"] = "span"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SpanNotation:
        """Rebuild it from JSON, which has lists for tuples."""
        units = tuple((int(size), str(one), str(many)) for size, one, many in record["units"])
        return cls(**{**record, "units": units})

    def value(self, cell: str) -> timedelta | None:
        """Return the length in a cell."""
        found = _iso_of(cell) if self.iso else _parts_of(cell)
        return None if found is None else _length(*found)

    def write(self, value: timedelta) -> str:
        """Return the cell of a length."""
        minus = "-" if value < timedelta(0) else ""
        rest = round(abs(value).total_seconds() * 10**self.places)
        return minus + (self._of_iso(rest) if self.iso else self._in_words(rest))

    @property
    def said(self) -> str:
        """An example."""
        return (
            f"durations written like {self.write(timedelta(days=1, hours=2, minutes=5, seconds=9))}"
        )

    def _in_words(self, seconds: int) -> str:
        parts: list[str] = []
        last = len(self.units) - 1
        for place, (size, one, many) in enumerate(self.units):
            # what no unit can say is rounded to the smallest
            n = round(seconds / size) if place == last else seconds // size
            seconds -= n * size
            zero = self.zeros if parts else self.leading
            if n or zero or (place == last and not parts):
                parts.append(f"{n:0{self.width if parts else 1}d}{one if n == 1 else many}")
        return self.between.join(parts)

    def _of_iso(self, ticks: int) -> str:
        whole, fraction = divmod(ticks, 10**self.places)
        found = {"D": "", "H": "", "M": "", "S": ""}
        written = {size for size, _, _ in self.units}
        sizes = [size for size in (86400, 3600, 60, 1) if size in written]
        for size in sizes:
            n, whole = divmod(whole, size)
            letter = next(key for key, seconds in _OF_ISO.items() if seconds == size)
            rest = f".{fraction:0{self.places}d}" if letter == "S" and self.places else ""
            before = any(found.values())
            zero = self.zeros if before else self.leading
            found[letter] = f"{n}{rest}{letter}" if n or rest or zero else ""
        time = found["H"] + found["M"] + found["S"]
        if not found["D"] and not time:
            smallest = {86400: "0D", 3600: "T0H", 60: "T0M", 1: "T0S"}
            return "P" + smallest[sizes[-1]]
        return "P" + found["D"] + (f"T{time}" if time else "")


def find_spans(cells: Iterable[str]) -> tuple[SpanNotation, dict[str, timedelta]] | None:
    """Return the notation of durations in words and what it reads; None if the cells are none, or
    if all are numbers with one unit, which are numbers.

    Example:
        >>> find_spans(["2h 5m", "45m", "1h"])[0].write(timedelta(hours=3))
        '3h'
    """
    every = list(cells)
    iso = {cell: found for cell in every if (found := _iso_of(cell)) is not None}
    if iso:
        return _shaped(iso, True)
    words = {cell: found for cell in every if (found := _parts_of(cell)) is not None}
    several = {cell for cell, (_, parts) in words.items() if len(parts) > 1}
    return _shaped(words, False) if several else None


Part = tuple[int, str, str, int]  # seconds of the unit, digits, what stands behind them, decimals


def _shaped(
    found: dict[str, tuple[str, list[Part]]], iso: bool
) -> tuple[SpanNotation, dict[str, timedelta]]:
    ones: dict[int, Counter[str]] = {}
    many: dict[int, Counter[str]] = {}
    zeros, leading, widths, padded = False, False, set[int](), False
    for _, parts in found.values():
        for place, (size, digits, word, _) in enumerate(parts):
            (ones if int(digits) == 1 else many).setdefault(size, Counter())[word] += 1
            zero = int(digits) == 0 and len(parts) > 1
            zeros, leading = zeros or (zero and place > 0), leading or (zero and place == 0)
            widths |= {len(digits)} if place else set()
            padded = padded or bool(place and len(digits) > 1 and digits[0] == "0")
    units = []
    for size in sorted({*ones, *many}, reverse=True):
        plural = _usual(many.get(size) or ones[size])
        units.append((size, _usual(ones[size]) if size in ones else plural, plural))
    between = _usual(Counter(gap for cell in found for gap in _gaps(cell))) if not iso else ""
    width = 2 if padded and widths == {2} and not iso else 1
    places = max(part[3] for _, parts in found.values() for part in parts)
    notation = SpanNotation(tuple(units), between, zeros, leading, width, iso, places)
    read = {
        cell: length for cell, parts in found.items() if (length := _length(*parts)) is not None
    }
    return notation, read


def _usual(counts: Counter[str]) -> str:
    return max(counts, key=lambda word: counts[word]) if counts else " "


def _gaps(cell: str) -> list[str]:
    """Return what stands between the parts of a cell."""
    ends = [(match.start(), match.end()) for match in _PART.finditer(cell)]
    return [cell[a:b] for (_, a), (b, _) in pairwise(ends)]


def _parts_of(cell: str) -> tuple[str, list[Part]] | None:
    match = _CELL.fullmatch(cell.strip())
    if match is None:
        return None
    parts: list[Part] = []
    for part in _PART.finditer(match["parts"]):
        size = _SECONDS.get(part["word"].casefold())
        if size is None or (parts and size >= parts[-1][0]):
            return None
        behind = part[0][len(part["n"]) :]
        parts.append((size, part["n"], behind, 0))
    return match["minus"], parts


def _iso_of(cell: str) -> tuple[str, list[Part]] | None:
    match = _ISO.fullmatch(cell.strip())
    if match is None:
        return None
    parts: list[Part] = [
        (size, match[letter] + (match["f"] or "" if letter == "S" else ""), letter, 0)
        for letter, size in _OF_ISO.items()
        if match[letter] is not None and letter != "S"
    ]
    if match["S"] is not None:
        parts.append((1, f"{match['S']}{match['f'] or ''}", "S", len(match["f"] or "")))
    return (match["minus"], parts) if parts else None


def _length(minus: str, parts: list[Part]) -> timedelta | None:
    micro = sum(int(digits) * size * 10 ** (6 - places) for size, digits, _, places in parts)
    try:
        return timedelta(microseconds=-micro if minus else micro)
    except OverflowError:
        return None
