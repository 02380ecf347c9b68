"""Dates whose cells say more than a moment: how exact they are (`1998`, `1998-05`, `1998-05-17` in one
column), or in which offset from UTC they were noted.

One idea: what a cell says beside its moment is a word, which is modelled as a category of its own
before the moment; so both come back, and together they are the cell.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import pandas as pd

from pushforward.data.tables.notations.date_cells import offset_of
from pushforward.data.tables.notations.dates import DateNotation, find_dates
from pushforward.data.tables.notations.months import MonthNotation, find_months
from pushforward.data.tables.notations.notation import Notation, notation_from_json

YEARS = range(1500, 2201)
LOOKED_AT = 500
ASIDE = ("partial", "offset")  # their kinds


class AsideNotation(Notation):
    """A notation of cells that say a moment, and a word beside it.

    Attributes:
        what: the word is, for the name of its column.
        usual: the commonest word.
    """

    what: ClassVar[str]
    usual: str

    @abstractmethod
    def aside(self, cell: Any) -> str | None:
        """Return what a cell, or a moment, says beside its moment; None if it is not written this
        way."""

    @abstractmethod
    def write_as(self, value: Any, word: str) -> str:
        """Return the cell of a moment and a word."""

    def write(self, value: Any) -> str:
        """Return the cell of a moment with the usual word."""
        return self.write_as(value, self.usual)

    def moments(self, series: pd.Series) -> pd.Series:
        """Return the moments of a column of cells, missing where one is not written this way."""
        known = {cell: self._moment(cell) for cell in series.dropna().unique().tolist()}
        found = [None if pd.isna(cell) else known[cell] for cell in series.tolist()]
        plain = pd.Series(pd.to_datetime(found, utc=True)).astype("datetime64[us, UTC]")
        return plain if self.zoned else plain.dt.tz_localize(None)

    def words(self, series: pd.Series) -> pd.Series:
        """Return the words of a column of cells; the usual one where there is none."""
        known = {cell: self.aside(cell) for cell in series.dropna().unique().tolist()}
        return pd.Series(
            [self.usual if pd.isna(cell) else known[cell] for cell in series.tolist()], dtype="str"
        )

    @property
    @abstractmethod
    def zoned(self) -> bool:
        """Whether moments are those of UTC."""

    def _moment(self, cell: Any) -> Any:
        return self.value(cell) if isinstance(cell, str) else cell


@dataclass(frozen=True)
class PartialNotation(AsideNotation):
    """How dates are written of which some say a month or a year only.

    Attributes:
        day: how whole dates are written, None if there are none.
        month: how months are, None if there are none.
        usual: the commonest of `day`, `month` and `year`.

    Example:
        >>> born = PartialNotation(DateNotation("%Y-%m-%d"), MonthNotation("%Y-%m"), "month")
        >>> born.value("1998-05"), born.aside("1998"), born.write_as(datetime(1998, 5, 17), "year")
        (datetime.datetime(1998, 5, 1, 0, 0), 'year', '1998')
    """

    day: DateNotation | None = None
    month: MonthNotation | None = None
    usual: str = "day"
    kind: Literal["partial"] = "partial"
    what = "precision"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> PartialNotation:
        """Rebuild it from JSON, which has records for notations."""
        inner = {key: record[key] and notation_from_json(record[key]) for key in ("day", "month")}
        return cls(**{**record, **inner})

    @property
    def zoned(self) -> bool:
        """Days have no zone."""
        return False

    def aside(self, cell: Any) -> str | None:
        """Return `day`, `month` or `year`."""
        if not isinstance(cell, str):
            return "day"
        if _year_of(cell) is not None:
            return "year"
        if self.month is not None and self.month.value(cell) is not None:
            return "month"
        return "day" if self.day is not None and self.day.value(cell) is not None else None

    def value(self, cell: str) -> datetime | None:
        """Return the first moment of the day, the month or the year in a cell."""
        year = _year_of(cell)
        if year is not None:
            return datetime(year, 1, 1)
        month = None if self.month is None else self.month.value(cell)
        if month is not None:
            return datetime(month.year, month.month, 1)
        return None if self.day is None else self.day.value(cell)

    def write_as(self, value: Any, word: str) -> str:
        """Return the day, the month or the year of a moment."""
        if word == "year" or (word == "day" and self.day is None):
            return f"{value.year:04d}"
        if word == "month" and self.month is not None:
            return self.month.write(pd.Period(year=value.year, month=value.month, freq="M"))
        return f"{value.year:04d}" if self.day is None else self.day.write(value)

    @property
    def said(self) -> str:
        """How each is written."""
        inner = [one.said.partition(" written ")[2] for one in (self.day, self.month) if one]
        return f"dates that are exact to the day, the month or the year, written {', '.join(inner)} or YYYY"


@dataclass(frozen=True)
class OffsetNotation(AsideNotation):
    """How moments are written that were noted in several offsets from UTC.

    Attributes:
        inner: how each is written in its own.
        usual: the commonest offset.

    Example:
        >>> at = OffsetNotation(DateNotation("%Y-%m-%dT%H:%M%z"), "+02:00")
        >>> at.aside("2024-03-01T12:00-05:00"), at.write(at.value("2024-03-01T12:00-05:00"))
        ('-05:00', '2024-03-01T19:00+02:00')
    """

    inner: DateNotation
    usual: str = "Z"
    kind: Literal["offset"] = "offset"
    what = "offset"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> OffsetNotation:
        """Rebuild it from JSON, which has a record for the notation within."""
        inner = notation_from_json(record["inner"])
        assert isinstance(inner, DateNotation)
        return cls(inner, record["usual"])

    @property
    def zoned(self) -> bool:
        """Moments are kept in UTC."""
        return True

    def aside(self, cell: Any) -> str | None:
        """Return the offset, as it is written."""
        if not isinstance(cell, str):
            return self.usual
        found = find_dates([cell])
        return found.zones[0] if found is not None and found.zones else None

    def value(self, cell: str) -> datetime | None:
        """Return the moment in a cell."""
        found = self.inner.value(cell)
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)

    def write_as(self, value: Any, word: str) -> str:
        """Return a moment in an offset."""
        return replace(self.inner, zone=word).write(value)

    @property
    def said(self) -> str:
        """The notation, and that offsets differ."""
        return f"{self.inner.said}, in several offsets from UTC"


def _year_of(cell: str) -> int | None:
    bare = cell.strip()
    return int(bare) if len(bare) == 4 and bare.isdecimal() and int(bare) in YEARS else None


def offsets_of(
    inner: DateNotation, read: Sequence[str], zones: Sequence[str]
) -> OffsetNotation | None:
    """Return the notation of moments in several offsets, None where they are written so that an
    offset cannot be told from the cell."""
    notation = OffsetNotation(inner)
    counts = Counter(notation.aside(cell) for cell in read)
    usual = max(zones, key=lambda zone: counts[zone])
    aways = {offset_of(zone).utcoffset(None) for zone in zones}
    return replace(notation, usual=usual) if len(aways) > 1 or timedelta(0) in aways else None


def find_partial(
    cells: Sequence[str], order: str = ""
) -> tuple[PartialNotation, dict[str, Any]] | None:
    """Return the notation of dates of which some say a month or a year only, and what it reads;
    None where all are equally exact, or other cells are among them.

    Args:
        order: of day and month elsewhere.

    Example:
        >>> find_partial(["1998", "1998-05", "2001-12-24"])[0].month.pattern
        '%Y-%m'
    """
    head = cells[:LOOKED_AT]  # of most columns the first tell that they are no such dates
    if find_months(head) is None and not any(_year_of(cell) is not None for cell in head):
        return None
    years = [cell for cell in cells if _year_of(cell) is not None]
    rest = [cell for cell in cells if _year_of(cell) is None]
    months = find_months(rest)
    of_months = months[1] if months is not None and "%q" not in months[0].pattern else {}
    left = [cell for cell in rest if cell not in of_months]
    dates = find_dates(left, order) if left else None
    if (left and dates is None) or sum(map(bool, (years, of_months, left))) < 2:
        return None
    if dates is not None and ("%H" in dates.notation.pattern or dates.zones or dates.asks):
        return None
    sizes = {"day": len(left), "month": len(of_months), "year": len(years)}
    notation = PartialNotation(
        None if dates is None else dates.notation,
        months[0] if months is not None and of_months else None,
        max(sizes, key=lambda word: sizes[word]),
    )
    read = {cell: value for cell in cells if (value := notation.value(cell)) is not None}
    return (notation, read) if len(read) == len(cells) else None
