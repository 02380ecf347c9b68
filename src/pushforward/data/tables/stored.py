"""How one column of a DataFrame becomes float64 and comes back as it was.

One idea: what a value *is* belongs to the space (`Column`); how pandas *keeps* it (dtype,
categories, what stands for a missing value) belongs to the encoding, so that a decoded table has
the user's own dtypes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from pushforward.core.table import Column, number_word
from pushforward.data.tables.carried import out_of_numbers
from pushforward.data.tables.notations.aside import AsideNotation
from pushforward.data.tables.notations.notation import Notation, notation_from_json
from pushforward.data.tables.protection import Protection
from pushforward.data.tables.surrogates.records import surrogate_from_json, surrogate_to_json
from pushforward.data.tables.surrogates.surrogate import Surrogate
from pushforward.data.tables.wrapped import wrapped

Role = Literal["modelled", "constant", "absent", "surrogate", "excluded"]
Scalar = str | int | float | bool
OBJECTS = ("object", "str", "string")  # dtypes that hold Python objects


@dataclass(frozen=True)
class Stored:
    """One column of the user's frame.

    Attributes:
        name: its label, a string or an integer.
        dtype: name of its pandas dtype, `category` for categoricals.
        role: `modelled`; `constant` and `absent` (no value at all) are restored without a model;
            `surrogate` comes back with new values; `excluded` does not come back.
        levels: the values that categories stand for, in order.
        level_dtype, ordered: of a pandas categorical.
        nothing: what stands for a missing value among Python objects: `nan`, `None` or `NA`.
        constant: the only value of a constant column; datetimes as ticks.
        rounded: True if values off the grid are rounded to it, as a note says.
        carrier, outer: what carries dates, times, decimals, durations and periods (see
            `carried.py`), and the dtype that they have; `dtype` is then that of the numbers that
            carry them.
        notation: how the cells of a file, or of a column of text, are written; None where nothing
            was read from text.
        text: dtype of the strings of a frame that hold numbers or dates in that notation; empty for
            real numbers and dates.
        absent: how a file writes a missing value.
        wrapping: the type of Arrow, or of intervals, that the column had; see `wrapped.py`.
        reading: how its cells are read, where the user said so: one of `asked.READINGS`.
        marks: words that count as missing in this column and not everywhere.
        surrogate: how values are made anew.
        protection: which of its values samples may show, None = all.
        beside: the column whose cells say it beside their moments (see `notations/aside.py`); it is
            no column of the frame itself. Empty for all others.

    Example:
        >>> Stored("age", "int64").label
        'age'
    """

    name: str | int
    dtype: str
    role: Role = "modelled"
    levels: tuple[Scalar, ...] = ()
    level_dtype: str = ""
    ordered: bool = False
    nothing: str = "nan"
    constant: Scalar | None = None
    rounded: bool = False
    carrier: str = ""
    outer: str = ""
    notation: Notation | None = None
    text: str = ""
    absent: str = ""
    wrapping: str = ""
    reading: str = ""
    marks: tuple[str, ...] = ()
    surrogate: Surrogate | None = None
    protection: Protection | None = None
    beside: str = ""

    @property
    def label(self) -> str:
        """The column's name as text."""
        return str(self.name)

    @property
    def notation_is_plain(self) -> bool:
        """Whether its cells are bare: no unit, no currency, no percent sign."""
        return self.notation is None or not self.notation.said

    def constantly(self, value: Any) -> Stored:
        """Return the same column with one value only."""
        plain = value.item() if isinstance(value, np.generic) else value
        return replace(self, role="constant", constant=plain)


def stored_to_json(stored: Stored) -> dict[str, Any]:
    """Return what `stored_from_json` turns back."""
    record = asdict(replace(stored, surrogate=None))
    return {**record, "surrogate": surrogate_to_json(stored.surrogate)}


def stored_from_json(record: dict[str, Any]) -> Stored:
    """Return a column from the fields of its dataclass; those that an older version did not know
    have their defaults."""
    notation = record.get("notation")
    made = None if notation is None else notation_from_json(notation)
    lists: dict[str, Any] = {
        "levels": tuple(record["levels"]),
        "marks": tuple(record.get("marks", ())),
    }
    surrogate = surrogate_from_json(record.get("surrogate"))
    lists |= {"protection": _protection(record.get("protection")), "surrogate": surrogate}
    return Stored(**{**record, **lists, "notation": made})


def _protection(record: dict[str, Any] | None) -> Protection | None:
    if record is None:
        return None
    lists = {key: tuple(record[key]) for key in ("levels", "weights")}
    return Protection(**{**record, **lists})


def level_names(levels: tuple[Scalar, ...]) -> tuple[str, ...]:
    """Return one name per level, all different.

    Example:
        >>> level_names((1, "b", True)), level_names((1, "1"))
        (('1', 'b', 'True'), ('1', "'1'"))
    """
    names = [str(level) for level in levels]
    taken = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    )
    return tuple(
        repr(level) if name in taken else name for name, level in zip(names, levels, strict=True)
    )


def decimals_of(step: float) -> int | None:
    """Return k if the step is 10^-k, None for steps of other sizes.

    Example:
        >>> decimals_of(0.01), decimals_of(1.0), decimals_of(86400.0)
        (2, 0, None)
    """
    k = round(-math.log10(step))
    return k if k >= 0 and math.isclose(step, 10.0**-k) else None


def on_grid(values: np.ndarray, step: float) -> np.ndarray:
    """Return the nearest grid values, as the doubles that decimal notation means.

    Example:
        >>> on_grid(np.array([0.1 + 0.2]), 0.1).tolist(), on_grid(np.array([90000.0]), 86400.0).tolist()
        ([0.3], [86400.0])
        >>> on_grid(np.array([0.34]), 0.05).tolist()
        [0.35]
    """
    k = decimals_of(step)
    if k is not None:
        return np.rint(values * 10.0**k) / 10.0**k
    # 0.05 is no double, but 5 / 100 rounds to the double that is written so, and so do its
    # multiples
    _, digits, exponent = Decimal(repr(step)).normalize().as_tuple()
    places = -int(exponent)
    if not 0 < places <= 15:
        return np.rint(values / step) * step
    multiple = float("".join(map(str, digits)))
    return np.rint(values / step) * multiple / 10.0**places


# relative precision of narrow types, and the distance of their smallest numbers
_PRECISION = {"float32": (2.0**-23, 2.0**-149), "float16": (2.0**-10, 2.0**-24)}


def snap(
    values: np.ndarray, column: Column, stored: Stored, dtype: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values on the column's grid, and a mask of those that were off it without leave.

    Args:
        dtype: that the values have, if it is not the column's own: they are on the grid if they are
            to the precision of either.
    """
    # microseconds since 1970 take all 53 bits: rounding them once more could miss by one
    if column.step is None or (column.kind == "datetime" and column.step == 1e-6):
        return values, np.zeros(values.shape, dtype=bool)
    snapped = on_grid(values, column.step)
    precision, least = max(
        _PRECISION.get(name.lower(), (2.0**-50, 0.0)) for name in (stored.dtype, dtype)
    )
    slack = np.maximum(max(1e-6 * column.step, least), np.abs(values) * precision)
    return snapped, (np.abs(values - snapped) > slack) & (not stored.rounded)


def turned(values: np.ndarray, column: Column) -> np.ndarray:
    """Return numbers of a circle in the turn of the training data; those of a line as they are.

    Example:
        >>> turned(np.array([-10.0, 360.0, 5.0]), Column("d", "integer", step=1.0, high=359.0, period=360.0)).tolist()
        [350.0, 0.0, 5.0]
    """
    if column.period is None:
        return values
    beyond = (values < column.low) | (values > column.high)
    return np.where(beyond, column.low + np.mod(values - column.low, column.period), values)


def missing_word(series: pd.Series) -> str:
    """Return what stands for a missing value: the first one of a column of objects, else what its
    dtype uses."""
    if str(series.dtype) in OBJECTS or series.dtype == object:
        absent = series.isna().to_numpy()
        if absent.any():
            first = series.iloc[int(np.argmax(absent))]
            return "None" if first is None else "NA" if first is pd.NA else "nan"
    return "nan"


def ticks_of(series: pd.Series) -> tuple[np.ndarray, int]:
    """Return integer ticks since 1970 in UTC and ticks per second; NaT is the smallest integer."""
    dtype: Any = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    ticks = series.to_numpy()
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[np.datetime_data(ticks.dtype)[0]]
    return ticks.astype(np.int64), per_second


def from_ticks(ticks: np.ndarray, dtype: str) -> pd.Series:
    """Invert `ticks_of` for a dtype such as `datetime64[us, UTC]`."""
    kind: Any = pd.api.types.pandas_dtype(dtype)
    if isinstance(kind, pd.DatetimeTZDtype):
        naive = pd.Series(ticks.view(f"datetime64[{kind.unit}]"))
        return naive.dt.tz_localize("UTC").dt.tz_convert(kind.tz)
    return pd.Series(ticks.view(kind))


def seconds_of(series: pd.Series) -> np.ndarray:
    """Return seconds since 1970 as float64, NaN where missing."""
    ticks, per_second = ticks_of(series)
    whole, rest = np.divmod(ticks, per_second)
    return np.where(series.isna().to_numpy(), np.nan, whole + rest / per_second)


def restore(
    stored: Stored,
    column: Column | None,
    values: np.ndarray,
    seed: int = 0,
    beside: pd.Series | None = None,
) -> pd.Series:
    """Return float64 values of the space as a Series of the stored dtype.

    Args:
        column: None for columns that are not modelled, whose `values` are only counted.
        seed: of the values that are made anew.
        beside: what the cells say beside their moments.
    """
    found = (
        _of_new(stored.surrogate.made(len(values), seed, stored.label), stored)
        if stored.surrogate is not None
        else _restored(stored, column, values)
    )
    plain = _as_text(out_of_numbers(found, stored.carrier, stored.outer), stored, beside)
    return wrapped(plain, stored.wrapping)


def words_of(stored: Stored, column: Column, *values: float) -> list[str]:
    """Return numbers of the space as the user knows them: quarters, durations and times of day, not
    what counts them.

    Example:
        >>> words_of(Stored("q", "int64", carrier="period", outer="period[Q-DEC]"), Column("q", "integer", step=1.0), 215.0)
        ['2023Q4']
    """
    if not stored.carrier or stored.carrier.startswith("decimal"):
        return [number_word(value, column.step) for value in values]
    restored = restore(replace(stored, text=""), column, np.array(values)).tolist()
    write = str if stored.notation is None else stored.notation.write
    return [write(value) for value in restored]


def _as_text(series: pd.Series, stored: Stored, beside: pd.Series | None) -> pd.Series:
    notation = stored.notation
    if not stored.text or notation is None:
        return _with_gaps(series, stored) if stored.carrier and stored.outer == "object" else series
    gone = stored.absent or None
    if isinstance(notation, AsideNotation):
        words = [notation.usual] * len(series) if beside is None else beside.tolist()
        pairs = zip(series.tolist(), words, strict=True)
        cells = [gone if pd.isna(value) else notation.write_as(value, w) for value, w in pairs]
        return _of_objects(cells, replace(stored, dtype=stored.text))
    # a text that said that there is none says it again
    cells = [gone if pd.isna(value) else notation.write(value) for value in series]
    return _of_objects(cells, replace(stored, dtype=stored.text))


def _with_gaps(series: pd.Series, stored: Stored) -> pd.Series:
    word = {"nan": np.nan, "None": None, "NA": pd.NA}[stored.nothing]
    return pd.Series([word if value is None else value for value in series], dtype=object)


def _restored(stored: Stored, column: Column | None, values: np.ndarray) -> pd.Series:
    n = len(values)
    if stored.role == "constant" and stored.constant is not None:
        if stored.dtype.startswith("datetime64"):
            return from_ticks(np.full(n, int(stored.constant), dtype=np.int64), stored.dtype)
        return _of_objects([stored.constant] * n, stored)
    if column is None:
        if stored.dtype.startswith("datetime64"):
            return from_ticks(np.full(n, np.iinfo(np.int64).min), stored.dtype)
        return _of_objects([None] * n, stored)
    if column.discrete:
        missing = np.isnan(values)
        codes = np.where(missing, -1, np.nan_to_num(values)).astype(np.int64)
        if stored.dtype == "category":
            return pd.Series(pd.Categorical.from_codes(codes, dtype=_category(stored)))
        return _of_objects(
            [None if code < 0 else stored.levels[code] for code in codes.tolist()], stored
        )
    return _numbers(stored, column, values)


def _category(stored: Stored) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(
        pd.Index(list(stored.levels), dtype=stored.level_dtype), ordered=stored.ordered
    )


def _of_new(values: list[Any], stored: Stored) -> pd.Series:
    """Build a Series of values that were not in the data, which no pandas categorical has yet."""
    new = stored.dtype == "category"
    return pd.Series(pd.Categorical(values)) if new else _of_objects(values, stored)


def _of_objects(values: list[Any], stored: Stored) -> pd.Series:
    """Build a Series of the stored dtype; None stands for a missing value."""
    if stored.dtype == "category":
        return pd.Series(pd.Categorical(values, dtype=_category(stored)))
    if stored.dtype in OBJECTS:
        word = {"nan": np.nan, "None": None, "NA": pd.NA}[stored.nothing]
        values = [word if value is None else value for value in values]
    elif stored.dtype.startswith("float"):
        values = [np.nan if value is None else value for value in values]
    return pd.Series(values, dtype=stored.dtype)


def _numbers(stored: Stored, column: Column, values: np.ndarray) -> pd.Series:
    missing = np.isnan(values)
    values, _ = snap(values, column, stored)
    if column.kind == "datetime":
        _, per_second = ticks_of(pd.Series([], dtype=stored.dtype))
        # whole seconds and the rest apart: their product with 10^9 needs more than 53 bits
        filled = np.where(missing, 0.0, values)
        whole = np.floor(filled)
        rest = np.rint((filled - whole) * min(per_second, 10**6)) * max(1, per_second // 10**6)
        ticks = whole.astype(np.int64) * per_second + rest.astype(np.int64)
        return from_ticks(np.where(missing, np.iinfo(np.int64).min, ticks), stored.dtype)
    if stored.dtype == "object":
        whole_numbers = column.kind == "integer"
        cells = [
            None if gone else int(v) if whole_numbers else v
            for v, gone in zip(values.tolist(), missing.tolist())
        ]
        return _of_objects(cells, stored)
    if stored.dtype.lower().startswith(("int", "uint")):
        known = values[~missing]
        dtype = _roomy(stored.dtype, known)
        if dtype[0].isupper() and not dtype.startswith("F"):
            array = np.where(missing, 0.0, values).astype(np.int64)
            return pd.Series(pd.arrays.IntegerArray(array, missing.copy())).astype(dtype)
        return pd.Series(values).astype(dtype)
    if stored.dtype.startswith("Float"):
        return pd.Series(
            pd.arrays.FloatingArray(np.where(missing, 0.0, values), missing.copy())
        ).astype(stored.dtype)
    return pd.Series(values).astype(stored.dtype)


def _roomy(dtype: str, known: np.ndarray) -> str:
    """Return the dtype, or a wider one: a tail may reach beyond what eight bits hold, and nothing
    is clamped."""
    nullable = dtype[0].isupper()
    for candidate in (dtype, "Int64" if nullable else "int64"):
        limits = np.iinfo(candidate.lower())
        if not len(known) or (known.min() >= limits.min and known.max() <= limits.max):
            return candidate
    return "Float64" if nullable else "float64"
