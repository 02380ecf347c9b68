"""Months, quarters and weeks, dates that say no day: `2024-03`, `03/2024`, `Mar 2024`, `Jan-21`,
`2024-Q1`, `2024-W05`.

One idea: what says no day must not come back with one, so they are counted in months, quarters or
weeks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from pushforward.data.tables.notations.calendar import full_year
from pushforward.data.tables.notations.names import MONTHS, NameStyle, month_of, style_of
from pushforward.data.tables.notations.notation import Notation

# the last and the first year of programs are marks for nothing
_YEAR = r"(?:1[5-9]|2\d)\d\d|9999|0001"
_CELLS = (
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>[-/])(?P<m>0[1-9]|1[0-2])"),
    re.compile(rf"(?P<m>0?[1-9]|1[0-2])(?P<s>[-/])(?P<Y>{_YEAR})"),
    re.compile(rf"(?P<b>[^\W\d_]{{3,12}}\.?)(?P<s>[-/ ]| de )(?P<Y>{_YEAR})"),
    re.compile(r"(?P<b>[^\W\d_]{3,12}\.?)(?P<s>[-/]|[ -]?['’])(?P<y>\d\d)"),
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>[- /]?)(?P<letter>[Qq])(?P<q>[1-4])"),
    re.compile(rf"(?P<letter>[Qq])(?P<q>[1-4])(?P<s>[- /]?)(?P<Y>{_YEAR})"),
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>-?)(?P<letter>[Mm])(?P<m>0?[1-9]|1[0-2])"),
    re.compile(rf"(?P<Y>{_YEAR})(?P<s>-?)(?P<letter>[Ww])(?P<w>0[1-9]|[1-4]\d|5[0-3])"),
)
_MARK = re.compile(r"%(-?[mbYyqGV])")
_WEEKS = "W-SUN"  # from Monday to Sunday, as ISO 8601 counts them
_MONDAY = date(1970, 1, 5)
_FIRST = int(pd.PeriodIndex([_MONDAY], freq=_WEEKS).astype("int64")[0])


@dataclass(frozen=True)
class MonthNotation(Notation):
    """How months or quarters are written.

    Attributes:
        pattern: `%Y`, `%y`, `%m` (`%-m` without zeros), `%b` and `%q`, or `%G` and `%V` of ISO
            weeks, among other characters.
        language, letters: of the names of months, and how many letters of them are written (0 =
            all).
        upper: True if they are in capitals.
        names: all twelve as they are written, where that is not the language's own way.

    Example:
        >>> MonthNotation("%m/%Y").value("03/2024"), MonthNotation("%YQ%q").write(pd.Period("2024Q1"))
        (Period('2024-03', 'M'), '2024Q1')
    """

    pattern: str
    language: str = "en"
    letters: int = 3
    upper: bool = False
    names: str = ""
    kind: Literal["month"] = "month"

    def value(self, cell: str) -> pd.Period | None:
        """Return the month or quarter in a cell."""
        found = _read(cell)
        return (
            None
            if found is None or found[0].replace("-m", "m") != self.pattern.replace("-m", "m")
            else found[1]
        )

    def write(self, value: Any) -> str:
        """Return the cell of a `Period`."""
        return _MARK.sub(lambda mark: self._part(value, mark[1]), self.pattern)

    @property
    def said(self) -> str:
        """The pattern with the usual letters, such as MM/YYYY."""
        words = {
            "Y": "YYYY",
            "y": "YY",
            "m": "MM",
            "-m": "M",
            "b": "month",
            "q": "1",
            "G": "YYYY",
            "V": "WW",
        }
        what = (
            "quarters"
            if "%q" in self.pattern
            else "weeks of ISO 8601"
            if "%V" in self.pattern
            else "months"
        )
        return f"{what} written " + _MARK.sub(lambda mark: words[mark[1]], self.pattern)

    def _part(self, value: Any, mark: str) -> str:
        if mark == "b":
            return NameStyle(self.language, self.letters, self.upper, self.names).written(
                MONTHS, value.month - 1
            )
        if mark in "GV":
            year, week, _ = (_MONDAY + timedelta(weeks=value.ordinal - _FIRST)).isocalendar()
            return f"{year:04d}" if mark == "G" else f"{week:02d}"
        parts = {
            "Y": f"{value.year:04d}",
            "y": f"{value.year % 100:02d}",
            "m": f"{value.month:02d}",
        }
        return {**parts, "-m": str(value.month), "q": str(value.quarter)}[mark]


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
    style = style_of(
        ((period.month - 1, word) for _, period, word in kept.values() if word), MONTHS
    )
    pattern = usual.replace("%m", "%-m") if short else usual
    notation = MonthNotation(pattern, style.language, style.letters, style.upper, style.names)
    return notation, {cell: period for cell, (_, period, _) in kept.items()}


def _read(cell: str) -> tuple[str, Any, str] | None:
    """Return the pattern, the period and the name of the month in a cell."""
    for expression in _CELLS:
        match = expression.fullmatch(cell.strip())
        if match is not None:
            return _taken(match)
    return None


def _taken(match: re.Match[str]) -> tuple[str, Any, str] | None:
    parts, between = match.groupdict(), match["s"]
    mark = "y" if "y" in parts else "Y"
    year = full_year(int(parts[mark]), len(parts[mark]))
    if "q" in parts:
        last = match.start("q") > match.start("Y")
        pattern = f"%Y{between}{parts['letter']}%q" if last else f"{parts['letter']}%q{between}%Y"
        return pattern, pd.Period(year=year, quarter=int(parts["q"]), freq="Q"), ""
    if "w" in parts:
        try:
            monday = date.fromisocalendar(year, int(parts["w"]), 1)
        except ValueError:
            return None
        return f"%G{between}{parts['letter']}%V", pd.Period(monday, freq=_WEEKS), ""
    if "b" in parts:
        found = month_of(parts["b"])
        period = None if found is None else pd.Period(year=year, month=found[0], freq="M")
        return None if period is None else (f"%b{between}%{mark}", period, parts["b"])
    month = "%-m" if len(parts["m"]) == 1 else "%m"
    first = match.start("m") < match.start("Y")
    pattern = f"{month}{between}%Y" if first else f"%Y{between}{parts.get('letter', '')}{month}"
    return pattern, pd.Period(year=year, month=int(parts["m"]), freq="M"), ""
