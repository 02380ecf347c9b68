"""Values that often say that there is none: nines far from all other numbers, the first and last
days that programs know.

One idea: such a value is only named where it also behaves like one: it recurs, and stands far from
the others or far more often.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_A_YEAR = 365.25
# the zeros and ends of calendars in use: of Excel and Lotus, Mac OS, Unix, SQL Server, FILETIME,
# pandas
_ENDS = frozenset(
    [
        (1601, 1, 1),
        (1753, 1, 1),
        (1899, 12, 30),
        (1904, 1, 1),
        (1969, 12, 31),
        (1970, 1, 1),
        (1980, 1, 1),
        (2079, 6, 6),
        (2262, 4, 11),
    ]
)
_FIRST, _LAST = 1901, 2078
_SHARE, _OFTEN = 0.05, 5


def sentinel(values: np.ndarray) -> str:
    """Return a remark on a repeated number of nines far beyond all others, which often says that a
    value is missing; else nothing.

    Example:
        >>> sentinel(np.array([3.0, -999.0, 5.0, 7.5, -999.0]))
        '; -999 stands 2 times far from all others: if it means missing, leave those cells empty'
    """
    for value, others in (
        (values.min(), values[values > values.min()]),
        (values.max(), values[values < values.max()]),
    ):
        times = len(values) - len(others)
        nines = re.fullmatch(r"-?9{2,}", f"{value:.10g}") is not None
        if (
            nines
            and times > 1
            and len(others)
            and abs(value - others[np.abs(others - value).argmin()]) > np.ptp(others)
        ):
            return f"; {value:.10g} stands {times:,} times far from all others: if it means missing, leave those cells empty"
    return ""


def sentinel_days(seconds: np.ndarray) -> str:
    """Return a remark on days that often say that a date is missing, such as 9999-12-31 or
    1900-01-01; else nothing.

    Args:
        seconds: since 1970, shape (n,), none of them missing.

    Example:
        >>> days = 86400.0 * np.array([19000, 19010, 19023, 2932896, 2932896])
        >>> sentinel_days(days)
        '; 9999-12-31 stands 2 times far from all others: if it means missing, leave those cells empty'
    """
    distinct, counts = np.unique(
        np.floor_divide(seconds, 86400.0).astype(np.int64), return_counts=True
    )
    words = np.datetime_as_string(distinct.view("datetime64[D]")).tolist()
    ends = np.array([_is_end(word) for word in words], dtype=bool)
    return _remark(distinct, counts, ends, words, _A_YEAR)


def sentinel_periods(ordinals: np.ndarray, freq: str) -> str:
    """Return the remark of `sentinel_days` for months, quarters and other periods.

    Example:
        >>> sentinel_periods(np.array([600, 601, 607, 96359, 96359]), "M")
        '; 9999-12 stands 2 times far from all others: if it means missing, leave those cells empty'
    """
    distinct, counts = np.unique(np.rint(ordinals).astype(np.int64), return_counts=True)
    periods = [pd.Period(ordinal=int(one), freq=freq) for one in distinct]
    years = pd.PeriodIndex(["2000-01-01", "2001-01-01"], freq=freq).astype("int64")
    firsts = [
        f"{one.year:04d}-{one.month:02d}-{31 if one.month == 12 else 1:02d}" for one in periods
    ]
    ends = np.array([_is_end(first) for first in firsts], dtype=bool)
    return _remark(distinct, counts, ends, list(map(str, periods)), float(years[1] - years[0]))


def _is_end(day: str) -> bool:
    parts = day.split("-")
    if len(parts) != 3:
        # before the year 0
        return True
    year, month, of_month = map(int, parts)
    edge = (month, of_month) in ((1, 1), (12, 31)) and not _FIRST < year < _LAST
    return edge or year == 9999 or (year, month, of_month) in _ENDS


def _remark(
    distinct: np.ndarray, counts: np.ndarray, ends: np.ndarray, words: list[str], a_year: float
) -> str:
    """Return the remark on the ends of calendars among distinct days, in increasing order."""
    others = distinct[~ends]
    if not len(others) or not ends.any():
        return ""
    far = max(a_year, _SHARE * float(np.ptp(others)))
    most = int(counts[~ends].max())
    found: list[str] = []
    for place in np.flatnonzero(ends).tolist():
        times, apart = int(counts[place]), float(np.abs(others - distinct[place]).min())
        if times > 1 and apart > far:
            found.append(f"{words[place]} stands {times:,} times far from all others")
        elif times >= _OFTEN * most and times >= _OFTEN:
            found.append(f"{words[place]} stands {times:,} times, far more often than any other")
    if not found:
        return ""
    return f"; {', '.join(found)}: if it means missing, leave those cells empty"
