"""Months and quarters, dates that say no day: `2024-03`, `03/2024`, `Mar 2024`, `2024-Q1`, `Q1 2024`.

One idea: what says no day must not come back with one, so they are counted in months or quarters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from pushforward.data.tables.notations.calendar import month_name, month_of
from pushforward.data.tables.notations.notation import Notation

# the last and the first year of programs are marks for nothing
_YEAR = r"(?:1[5-9]|2\d)\d\d|9999|0001"
_CELLS = (
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>[-/])(?P<m>0[1-9]|1[0-2])"),
    re.compile(rf"(?P<m>0?[1-9]|1[0-2])(?P<s>[-/])(?P<Y>{_YEAR})"),
    re.compile(rf"(?P<b>[^\W\d_]{{3,10}})(?P<s>\.? |[-/])(?P<Y>{_YEAR})"),
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>[- /]?)[Qq](?P<q>[1-4])"),
    re.compile(rf"[Qq](?P<q>[1-4])(?P<s>[- /]?)(?P<Y>{_YEAR})"),
)
_MARK = re.compile(r"%(-?[mbYq])")


@dataclass(frozen=True)
class MonthNotation(Notation):
    """How months or quarters are written.

    Attributes:
        pattern: `%Y`, `%m` (`%-m` without zeros), `%b` and `%q` among other characters.
        language, letters: of the names of months, and how many letters of them are written (0 = all).
        upper: True if they are in capitals.

    Example:
        >>> MonthNotation("%m/%Y").value("03/2024"), MonthNotation("%YQ%q").write(pd.Period("2024Q1"))
        (Period('2024-03', 'M'), '2024Q1')
    """

    pattern: str
    language: str = "en"
    letters: int = 3
    upper: bool = False
    kind: Literal["month"] = "month"

    def value(self, cell: str) -> pd.Period | None:
        """Return the month or quarter in a cell."""
        found = _read(cell)
        return None if found is None or found[0].replace("-m", "m") != self.pattern.replace("-m", "m") else found[1]

    def write(self, value: Any) -> str:
        """Return the cell of a `Period`."""
        return _MARK.sub(lambda mark: self._part(value, mark[1]), self.pattern)

    @property
    def said(self) -> str:
        """The pattern with the usual letters, such as MM/YYYY."""
        words = {"Y": "YYYY", "m": "MM", "-m": "M", "b": "month", "q": "1"}
        what = "quarters" if "%q" in self.pattern else "months"
        return f"{what} written " + _MARK.sub(lambda mark: words[mark[1]], self.pattern)

    def _part(self, value: Any, mark: str) -> str:
        if mark == "b":
            name = month_name(value.month, self.language, self.letters)
            return name.upper() if self.upper else name
        return {"Y": f"{value.year:04d}", "m": f"{value.month:02d}", "-m": str(value.month), "q": str(value.quarter)}[
            mark
        ]


def find_months(cells: Iterable[str]) -> tuple[MonthNotation, dict[str, pd.Period]] | None:
    """Return the notation of most of the cells and what it reads, None if they are no months.

    Example:
        >>> find_months(["Mar 2024", "Apr 2024"])[0].pattern
        '%b %Y'
    """
    seen = {cell: found for cell in cells if (found := _read(cell)) is not None}
    if not seen:
        return None
    counts = Counter(found[0].replace("-m", "m") for found in seen.values())
    usual = max(counts, key=lambda pattern: counts[pattern])
    kept = {cell: found for cell, found in seen.items() if found[0].replace("-m", "m") == usual}
    short = any("-m" in found[0] for found in kept.values())
    names = [word for _, _, word in kept.values() if word]
    known = [one for one in map(month_of, names) if one is not None]
    notation = MonthNotation(
        usual.replace("%m", "%-m") if short else usual,
        known[0][1] if known else "en",
        next((one[2] for one in known if (one[0], one[2]) != (5, 3)), 3),
        bool(names) and all(name.isupper() for name in names),
    )
    return notation, {cell: period for cell, (_, period, _) in kept.items()}


def _read(cell: str) -> tuple[str, Any, str] | None:
    """Return the pattern, the period and the name of the month in a cell."""
    for expression in _CELLS:
        match = expression.fullmatch(cell.strip())
        if match is None:
            continue
        parts = match.groupdict()
        year, between = int(parts["Y"]), parts["s"]
        if "q" in parts:
            pattern = f"Q%q{between}%Y" if match.start("q") < match.start("Y") else f"%Y{between}Q%q"
            return pattern, pd.Period(year=year, quarter=int(parts["q"]), freq="Q"), ""
        if "b" in parts:
            found = month_of(parts["b"])
            return (
                None
                if found is None
                else (f"%b{between}%Y", pd.Period(year=year, month=found[0], freq="M"), parts["b"])
            )
        month = "%-m" if len(parts["m"]) == 1 else "%m"
        pattern = f"{month}{between}%Y" if match.start("m") < match.start("Y") else f"%Y{between}{month}"
        return pattern, pd.Period(year=year, month=int(parts["m"]), freq="M"), ""
    return None
