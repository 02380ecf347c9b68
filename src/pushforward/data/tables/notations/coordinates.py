"""Places on the globe in degrees, minutes and seconds: `48°08'14"N`, `7° 15.224' S`, `N 48.137°`.

One idea: a coordinate is a whole number of its smallest part, of which there are 60 to the next, so
that it is read and written without rounding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pushforward.data.tables.notations.notation import Notation

_MINUTE, _SECOND = "'′’", '"″”“'
_CELL = re.compile(
    rf"(?:(?P<before>[NSEWO])(?P<bs> ?))?(?P<minus>-?)(?P<d>\d{{1,3}})(?:\.(?P<df>\d{{1,10}}))?(?P<ds> ?[°º] ?)"
    rf"(?:(?P<m>\d{{1,2}})(?:\.(?P<mf>\d{{1,8}}))?(?P<ms> ?[{_MINUTE}] ?))?"
    rf"(?:(?P<s>\d{{1,2}})(?:\.(?P<sf>\d{{1,6}}))?(?P<ss> ?(?:[{_SECOND}]|'') ?))?"
    r"(?P<after>[NSEWO])?"
)
_AXES = {"N": "latitude", "S": "latitude", "E": "longitude", "W": "longitude", "O": "longitude"}


@dataclass(frozen=True)
class CoordinateNotation(Notation):
    """How coordinates are written.

    Attributes:
        marks: what stands behind degrees, minutes and seconds, as many as are written.
        places: decimals of the last of them.
        widths: digits of degrees and of the others, filled up with zeros.
        letters: for numbers above and below 0, such as `NS`; empty for signs.
        first: True if the letter stands before the numbers; `gap` is what stands beside it then.

    Example:
        >>> north = CoordinateNotation(("°", "'", '"'), letters="NS")
        >>> north.value("7°15'36\\"S"), north.write(7.5)
        (-7.26, '7°30\\'00"N')
    """

    marks: tuple[str, ...] = ("°",)
    places: int = 0
    widths: tuple[int, int] = (1, 2)
    letters: str = ""
    first: bool = False
    gap: str = ""
    kind: Literal["coordinate"] = "coordinate"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> CoordinateNotation:
        """Rebuild it from JSON, which has lists for tuples."""
        lists: dict[str, Any] = {key: tuple(record[key]) for key in ("marks", "widths")}
        return cls(**{**record, **lists})

    @property
    def axis(self) -> str:
        """`latitude` or `longitude`, empty where signs stand for letters."""
        return _AXES[self.letters[0]] if self.letters else ""

    @property
    def parts(self) -> int:
        """How many of its smallest parts a degree has."""
        return 60 ** (len(self.marks) - 1) * 10**self.places

    @property
    def grid(self) -> float | None:
        """The smallest part, in degrees."""
        return 1.0 / self.parts if len(self.marks) > 1 else None

    def value(self, cell: str) -> float | None:
        """Return the degrees in a cell, negative in the south and in the west."""
        match = _CELL.fullmatch(cell.strip())
        if match is None or not _in_range(match):
            return None
        count = 0.0
        for part, fraction in (("d", "df"), ("m", "mf"), ("s", "sf")):
            count = 60.0 * count + float(f"{match[part] or 0}.{match[fraction] or 0}")
        letter = match["before"] or match["after"] or ""
        if letter and self.letters and letter not in self.letters:
            return None
        below = bool(match["minus"]) != (letter in ("S", "W"))
        # as multiples of the grid are computed, so that equal places are equal doubles
        ticks = round(count * self.parts / 3600.0)
        size = ticks / self.parts if self.grid is None else ticks * self.grid
        return -size if below else size

    def write(self, value: float) -> str:
        """Return the cell of a number of degrees."""
        ticks = round(abs(float(value)) * self.parts)
        numbers: list[str] = []
        whole, fraction = divmod(ticks, 10**self.places)
        last = f".{fraction:0{self.places}d}" if self.places else ""
        for place in range(len(self.marks) - 1, -1, -1):
            whole, part = divmod(whole, 60) if place else (0, whole)
            numbers.append(f"{part:0{self.widths[1 if place else 0]}d}{last}{self.marks[place]}")
            last = ""
        text = "".join(reversed(numbers))
        below = value < 0 and ticks > 0
        if not self.letters:
            return f"-{text}" if below else text
        letter = self.letters[1 if below else 0]
        return f"{letter}{self.gap}{text.rstrip()}" if self.first else text + letter

    @property
    def said(self) -> str:
        """An example."""
        return f"coordinates written like {self.write(7.26)}"


def find_coordinates(
    cells: Iterable[str],
) -> tuple[CoordinateNotation, dict[str, float]] | None:
    """Return the notation of coordinates and what it reads, None if the cells are none.

    Example:
        >>> find_coordinates(["48°08'14\\"N", "7°50'03\\"S"])[0].axis
        'latitude'
    """
    seen = {cell: match for cell in cells if (match := _CELL.fullmatch(cell.strip())) is not None}
    seen = {cell: match for cell, match in seen.items() if _in_range(match)}
    if not seen:
        return None
    every = list(seen.values())
    marks = _most(tuple(match[m] for m in ("ds", "ms", "ss") if match[m]) for match in every)
    last = ("df", "mf", "sf")[len(marks) - 1]
    letters = {match["before"] or match["after"] or "" for match in every} - {""}
    pairs = [pair for pair in ("NS", "EW", "OW") if letters and letters <= set(pair)]
    if letters and not pairs:
        return None
    degrees = {len(match["d"]) for match in every}
    small = {len(match["m"]) for match in every if match["m"]}
    notation = CoordinateNotation(
        marks,
        max(len(match[last] or "") for match in every),
        (degrees.pop() if len(degrees) == 1 else 1, 1 if small == {1, 2} and _bare(every) else 2),
        pairs[0] if pairs else "",
        any(match["before"] for match in every),
        _most(match["bs"] or "" for match in every),
    )
    read = {cell: value for cell in seen if (value := notation.value(cell)) is not None}
    return notation, read


def _bare(every: list[re.Match[str]]) -> bool:
    """Return whether minutes below ten are written without a zero."""
    return not any((match["m"] or "")[:1] == "0" and len(match["m"]) == 2 for match in every)


def _most(values: Iterable[Any]) -> Any:
    counts = Counter(values)
    return max(counts, key=lambda one: counts[one])


def _in_range(match: re.Match[str]) -> bool:
    letter = match["before"] or match["after"] or ""
    if match["before"] and match["after"]:
        return False
    most = 90 if letter in ("N", "S") else 360
    size = int(match["d"]) + int(match["m"] or 0) / 60 + int(match["s"] or 0) / 3600
    return size <= most and int(match["m"] or 0) < 60 and int(match["s"] or 0) < 60
