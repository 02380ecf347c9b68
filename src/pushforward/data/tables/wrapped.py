"""Columns that are plain ones in a wrapping of their own: types of Arrow, intervals of `pd.cut`,
Python moments among objects.

One idea: what is inside is unwrapped before anything else looks at it, and what is generated is
wrapped again, so that a frame comes back with the types that it had.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_INTERVAL = re.compile(r"[(\[](?P<left>[^,]+), (?P<right>[^,]+)[)\]]")
OBJECTS_OF_TIME = "object of moments"


@dataclass(frozen=True)
class Unwrapped:
    """A plain column; the wrapping to put it in again, empty if none; what was done, and what does
    not come back."""

    series: pd.Series
    wrapping: str = ""
    said: str = ""
    lost: str = ""


def unwrapped(series: pd.Series) -> Unwrapped:
    """Return a column as plain pandas types, itself if it is one.

    Example:
        >>> found = unwrapped(pd.Series(pd.cut([1, 2, 3, 9], [0, 5, 10])))
        >>> found.series.cat.categories.tolist(), found.wrapping
        (['(0, 5]', '(5, 10]'], 'category of interval[int64, right]')
    """
    dtype: Any = series.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _of_arrow(series)
    if isinstance(dtype, pd.IntervalDtype):
        return _of_intervals(pd.Series(pd.Categorical(series, ordered=True)), str(dtype))
    if isinstance(dtype, pd.CategoricalDtype) and isinstance(
        dtype.categories.dtype, pd.IntervalDtype
    ):
        return _of_intervals(series, f"category of {dtype.categories.dtype}")
    return _of_moments(series) if str(dtype) == "object" else Unwrapped(series)


def wrapped(series: pd.Series, wrapping: str) -> pd.Series:
    """Invert `unwrapped`; what the wrapping cannot hold, such as a number beyond its digits, leaves
    the column plain.

    Example:
        >>> str(wrapped(pd.Series([1.5, 2.5]), "double[pyarrow]").dtype)
        'double[pyarrow]'
    """
    if not wrapping:
        return series
    if wrapping == OBJECTS_OF_TIME:
        moments = [None if pd.isna(value) else value.to_pydatetime() for value in series]
        return pd.Series(moments, dtype=object)
    if "interval[" in wrapping:
        return _intervals(series, wrapping)
    try:
        return series.astype(_arrow_dtype(wrapping))
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        return series


def _of_arrow(series: pd.Series) -> Unwrapped:
    dtype, gone = str(series.dtype), bool(series.isna().any())
    kind = series.dtype.kind
    if gone and kind in "iub":
        # pandas' own missing values keep whole numbers whole
        bits = re.search(r"\d+", dtype)
        name = (
            "boolean"
            if kind == "b"
            else f"{'Int' if kind == 'i' else 'UInt'}{bits[0] if bits else 64}"
        )
        plain = series.astype(name)
    else:
        array: Any = series.array
        plain = array.__arrow_array__().to_pandas()
    plain = pd.Series(plain.array, name=series.name)
    said = f"of the Arrow type {dtype.removesuffix('[pyarrow]')}"
    if _arrow_dtype(dtype) is None:
        return Unwrapped(plain, "", said, f"the type {dtype}: comes back as {plain.dtype}")
    return Unwrapped(plain, dtype, said)


def _arrow_dtype(name: str) -> Any:
    """Return the type that a name says, None for nested and unknown ones."""
    import pyarrow as pa

    inner = name.removesuffix("[pyarrow]")
    numbers = re.fullmatch(r"decimal(\d+)\((\d+), (-?\d+)\)", inner)
    if numbers is not None:
        return pd.ArrowDtype(getattr(pa, f"decimal{numbers[1]}")(int(numbers[2]), int(numbers[3])))
    levels = re.fullmatch(r"dictionary<values=(\w+), indices=(\w+), ordered=([01])>", inner)
    zoned = re.fullmatch(r"timestamp\[(\w+), tz=(.+)\]", inner)
    try:
        if levels is not None:
            index, value = pa.type_for_alias(levels[2]), pa.type_for_alias(levels[1])
            return pd.ArrowDtype(pa.dictionary(index, value, ordered=levels[3] == "1"))
        if zoned is not None:
            return pd.ArrowDtype(pa.timestamp(zoned[1], zoned[2]))
        return pd.ArrowDtype(pa.type_for_alias(inner))
    except ValueError:
        return None


def _of_intervals(series: pd.Series, wrapping: str) -> Unwrapped:
    categories: Any = series.cat.categories
    words = [str(one) for one in categories]
    said = f"intervals, whose order is that of {len(words)} categories"
    plain = series.cat.rename_categories(words)
    back = wrapped(
        pd.Series(pd.Categorical(words, categories=words, ordered=True)),
        "category of " + _inner(wrapping),
    )
    if "interval[" in str(back.cat.categories.dtype) and back.cat.categories.equals(categories):
        return Unwrapped(plain, wrapping, said)
    return Unwrapped(plain, "", said, "intervals come back as their words")


def _inner(wrapping: str) -> str:
    return wrapping.removeprefix("category of ")


def _intervals(series: pd.Series, wrapping: str) -> pd.Series:
    subtype, closed = _inner(wrapping).removeprefix("interval[").removesuffix("]").split(", ")
    matches = [_INTERVAL.fullmatch(str(word)) for word in series.cat.categories]
    try:
        ends = [(match["left"], match["right"]) for match in matches if match is not None]
        left, right = (np.array(end).astype(np.dtype(subtype)) for end in zip(*ends, strict=True))
        made = pd.IntervalIndex.from_arrays(left, right, closed=closed)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return series
    if len(made) != len(matches):
        return series
    found = series.cat.rename_categories(made)
    return found if wrapping.startswith("category of ") else pd.Series(found.astype(made.dtype))


def _of_days_and_moments(series: pd.Series, known: pd.Series) -> Unwrapped:
    if any(getattr(value, "tzinfo", None) is not None for value in known):
        return Unwrapped(series)
    made = pd.Series(
        pd.to_datetime([None if pd.isna(value) else pd.Timestamp(value) for value in series])
    )
    return Unwrapped(
        made, "", "dates and moments", "dates among moments come back as moments at midnight"
    )


def _of_moments(series: pd.Series) -> Unwrapped:
    known = series.dropna()
    if not len(known) or not all(isinstance(value, datetime.date) for value in known):
        return Unwrapped(series)
    moments = [isinstance(value, datetime.datetime) for value in known]
    if not any(moments):
        # dates alone are carried as dates
        return Unwrapped(series)
    if not all(moments):
        return _of_days_and_moments(series, known)
    offsets = {value.utcoffset() for value in known}
    zones = {str(value.tzinfo) for value in known}
    if None in offsets and len(offsets) > 1:
        # local times and times with a zone are different moments: the column is refused with its
        # first value
        return Unwrapped(series)
    if len(zones) > 1:
        shown = ", ".join(sorted(zones)[:5])
        said = f"moments in {len(zones)} time zones"
        lost = f"moments are kept in UTC, their own zones ({shown}) do not come back"
        return Unwrapped(pd.Series(pd.to_datetime(series, utc=True)), "", said, lost)
    return Unwrapped(pd.Series(pd.to_datetime(series)), OBJECTS_OF_TIME, "Python moments")
