"""Columns whose values are no plain numbers but are carried by them: Python dates and times,
decimals, durations, periods.

One idea: a carrier turns such a column into numbers or moments that inference knows, and back into
what it was, so that a frame comes back with its own types.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_DAY = 86_400_000_000


@dataclass(frozen=True)
class Carrier:
    """How one type travels: `into` numbers or moments and `back`; `said` in the notes."""

    said: str
    into: Callable[[pd.Series], pd.Series]
    back: Callable[[pd.Series, str], pd.Series]


def carrier_of(series: pd.Series) -> str:
    """Return the name of what carries a column, empty for plain ones.

    Example:
        >>> carrier_of(pd.Series([datetime.date(2024, 1, 31)], dtype=object)), carrier_of(pd.Series([1.5]))
        ('date', '')
    """
    dtype: Any = series.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if isinstance(dtype, np.dtype) and dtype.kind == "m":
        return "duration"
    if str(dtype) != "object":
        return ""
    known = series.dropna()
    kinds = {type(value) for value in known}
    if len(kinds) != 1:
        # whole and fractional numbers may be Decimals among integers; dates and moments do not mix
        return ""
    kind = next(iter(kinds))
    if kind is decimal.Decimal:
        places = [-value.as_tuple().exponent for value in known if value.is_finite()]
        return f"decimal:{max([0, *places])}" if len(places) == len(known) else ""
    return {datetime.date: "date", datetime.time: "time", datetime.timedelta: "timedelta"}.get(
        kind, ""
    )


def into_numbers(series: pd.Series, carrier: str) -> pd.Series:
    """Return a column of numbers or moments for a column of a carrier; plain columns as they
    are."""
    name, _, _ = carrier.partition(":")
    return CARRIERS[name].into(series) if name else series


def out_of_numbers(series: pd.Series, carrier: str, dtype: str) -> pd.Series:
    """Invert `into_numbers`.

    Args:
        dtype: that the column had; for decimals the number of their places stands in the carrier's
            name.
    """
    name, _, places = carrier.partition(":")
    if name == "decimal":
        return _objects(series, lambda value: decimal.Decimal(f"{value:.{places}f}"))
    return CARRIERS[name].back(series, dtype) if name else series


def said_of(carrier: str) -> str:
    """Return what a carrier carries, in words.

    Example:
        >>> said_of("decimal:2")
        'decimals of 2 places'
    """
    name, _, places = carrier.partition(":")
    return f"decimals of {places} places" if name == "decimal" else CARRIERS[name].said


def _objects(series: pd.Series, make: Callable[[Any], Any]) -> pd.Series:
    return pd.Series(
        [None if pd.isna(value) else make(value) for value in series.tolist()], dtype=object
    )


def _time_seconds(series: pd.Series) -> pd.Series:
    def seconds(value: Any) -> float:
        # one division, so that the double is the one that the decimals mean
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return (whole * 10**6 + value.microsecond) / 1e6

    return _whole_or_real([None if pd.isna(value) else seconds(value) for value in series])


def _times(series: pd.Series, dtype: str) -> pd.Series:
    def clock(value: float) -> datetime.time:
        # a time of day ends before the day does, whatever a model's tail says
        micro = min(max(round(value * 1e6), 0), _DAY - 1)
        whole, rest = divmod(micro, 10**6)
        return datetime.time(whole // 3600, whole // 60 % 60, whole % 60, rest)

    return _objects(series, clock)


def _durations(series: pd.Series) -> pd.Series:
    micro = series.astype("timedelta64[us]")
    gone = micro.isna().to_numpy()
    ticks = micro.to_numpy().astype(np.int64)
    # one division, so that the double is the one that the decimals mean
    seconds = np.where(gone, np.nan, ticks / 1e6)
    return _whole_or_real(
        [
            None if missing else value
            for value, missing in zip(seconds.tolist(), gone.tolist(), strict=True)
        ]
    )


def _whole_or_real(values: list[float | None]) -> pd.Series:
    known = [value for value in values if value is not None]
    if known and all(float(value).is_integer() for value in known):
        return pd.Series(
            [None if value is None else int(value) for value in values],
            dtype="Int64" if len(known) < len(values) else "int64",
        )
    return pd.Series(values, dtype="float64")


def _spans(series: pd.Series, dtype: str) -> pd.Series:
    micro = series.astype("Float64").mul(1e6).round()
    gone = micro.isna().to_numpy()
    ticks = np.where(
        gone, np.iinfo(np.int64).min, micro.fillna(0.0).to_numpy(dtype=np.float64).astype(np.int64)
    )
    return pd.Series(ticks.view("timedelta64[us]")).astype(dtype)


def _decimals(series: pd.Series) -> pd.Series:
    values = [None if pd.isna(value) else value for value in series]
    whole = all(value is None or value == value.to_integral_value() for value in values)
    if whole and all(value is None or abs(value) < 2**62 for value in values):
        return pd.Series(
            [None if value is None else int(value) for value in values],
            dtype="Int64" if None in values else "int64",
        )
    return pd.Series([None if value is None else float(value) for value in values], dtype="float64")


def _ordinals(series: pd.Series) -> pd.Series:
    codes = [None if pd.isna(value) else value.ordinal for value in series]
    return pd.Series(codes, dtype="Int64" if None in codes else "int64")


def _periods(series: pd.Series, dtype: str) -> pd.Series:
    freq: Any = pd.api.types.pandas_dtype(dtype)
    ordinals = [
        pd.NaT if pd.isna(value) else pd.Period(ordinal=round(value), freq=freq.freq)
        for value in series
    ]
    return pd.Series(pd.PeriodIndex(ordinals, freq=freq.freq))


CARRIERS = {
    "date": Carrier(
        "dates without a time",
        lambda series: pd.Series(
            [None if pd.isna(value) else pd.Timestamp(value) for value in series],
            dtype="datetime64[s]",
        ),
        lambda series, dtype: _objects(series, lambda value: value.date()),
    ),
    "time": Carrier("times of day in seconds", _time_seconds, _times),
    "timedelta": Carrier(
        "durations in seconds",
        lambda series: _durations(pd.Series(pd.to_timedelta(series))),
        lambda series, dtype: _objects(
            series, lambda value: datetime.timedelta(microseconds=round(value * 1e6))
        ),
    ),
    "duration": Carrier("durations in seconds", _durations, _spans),
    "decimal": Carrier("decimals", _decimals, lambda series, dtype: series),
    "period": Carrier("periods, counted", _ordinals, _periods),
}
