"""From a DataFrame to the columns of a table: what each value is, on which grid, within which bounds.

Two ideas: every decision is a sentence with its reason and can be overridden by name; nothing is dropped without one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.table import Column, ColumnKind, Table
from pushforward.data.tables.stored import (
    OBJECTS,
    Scalar,
    Stored,
    level_names,
    missing_word,
    on_grid,
    seconds_of,
    ticks_of,
)

BOUNDS = ("natural", "observed", "none")
Declared = str | Sequence[Any]
EXACT = 2**52  # integers up to here, and the halves between them, are doubles
FEW, FEWEST_ROWS, MANY = 32, 20, 10_000
TIMES = (86400.0, 3600.0, 60.0, 1.0, 1e-3, 1e-6)
_TIME_NAMES = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds")


@dataclass(frozen=True)
class Schema:
    """What inference found: the space, every column of the frame, a sentence per decision."""

    table: Table
    stored: tuple[Stored, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Rules:
    kind: Declared | None
    keep: bool
    bounds: str


_Found = tuple[Column | None, Stored, str]


def infer(
    frame: pd.DataFrame,
    columns: Mapping[str, Declared] | None = None,
    keep: Collection[str] = (),
    bounds: str = "natural",
) -> Schema:
    """Return the columns of a table.

    Args:
        columns: kinds by name that override what would be inferred; a list declares an ordinal column in that order.
        keep: names of identifiers to model anyway.
        bounds: `natural`: numbers that are never negative stay so, and integers of at most 32 values keep their range;
            `observed`: every number keeps its range; `none`: no number is bounded.

    Raises:
        BadInput: no rows, duplicate names, dtypes without a meaning here, infinity, or a declaration that does not fit.

    Example:
        >>> infer(pd.DataFrame({"age": [17, 90], "sex": ["f", "m"]})).notes[0]
        "column 'age': 2 distinct integers from 17 to 90, so integer, never below 0"
    """
    if bounds not in BOUNDS:
        raise BadInput(f"bounds='{bounds}'", "one of " + ", ".join(BOUNDS))
    labels = _labels(frame)
    for name in [*(columns or {}), *keep]:
        if name not in labels:
            raise BadInput(f"a declaration of column '{name}'", "a column of the table", closest(str(name), labels))
    found: list[_Found] = []
    for place, (name, label) in enumerate(zip(frame.columns, labels, strict=True)):
        rules = _Rules((columns or {}).get(label), label in keep, bounds)
        # rows are named by their place, whatever a frame's index calls them
        found.append(_column(frame.iloc[:, place].reset_index(drop=True), name, label, rules))
    modelled = [column for column, _, _ in found if column is not None]
    notes = [f"column '{stored.label}': {said}" for _, stored, said in found]
    if not modelled:
        raise BadInput(f"no column to model ({'; '.join(notes[:3])})", "at least one column that varies")
    return Schema(Table(tuple(modelled)), tuple(stored for _, stored, _ in found), tuple(notes))


def _labels(frame: pd.DataFrame) -> list[str]:
    if len(frame) == 0 or len(frame.columns) == 0:
        raise BadInput(f"a table of {len(frame)} rows and {len(frame.columns)} columns", "at least one of each")
    for name in frame.columns:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            raise BadInput(f"a column named {name!r}", "names that are text or integers", "rename it")
    labels = [str(name) for name in frame.columns]
    twice = next((name for name in labels if labels.count(name) > 1), None) if len(set(labels)) < len(labels) else None
    if twice is not None:
        raise BadInput(f"two columns named '{twice}'", "different names", "rename one of them")
    return labels


def _column(series: pd.Series, name: Any, label: str, rules: _Rules) -> _Found:
    _check_dtype(series, label)
    key = int(name) if isinstance(name, np.integer) else name
    stored = Stored(key, str(series.dtype), nothing=missing_word(series))
    if stored.dtype == "category":
        categories = series.cat.categories
        if categories.dtype.kind not in "iufbOT" and str(categories.dtype) not in OBJECTS:
            raise BadInput(f"column '{label}' has categories of dtype {categories.dtype}", "text or numbers")
        levels = tuple(_scalar(v, label, 0) for v in categories)
        stored = replace(stored, levels=levels, level_dtype=str(categories.dtype), ordered=bool(series.cat.ordered))
    known = series.dropna()
    if len(known) == 0:
        return None, replace(stored, role="absent"), "no value at all, so it is left out and restored as missing"
    if series.dtype == object:
        _check_objects(known, series, label)
    distinct = known.nunique()
    if distinct == 1 and len(known) == len(series) > 1:
        value = int(ticks_of(series)[0][0]) if series.dtype.kind == "M" else _scalar(known.iloc[0], label, 0)
        if isinstance(value, float) and math.isinf(value):
            raise BadInput(f"infinity in column '{label}'", "finite numbers or missing values")
        said = "one value only, so it is left out and restored as a constant"
        return None, replace(stored, role="constant", constant=value), said
    if rules.kind is not None:
        return _declared(series, known, stored, label, rules)
    if series.dtype == bool or stored.dtype == "boolean":
        return _discrete("boolean", (False, True), series, stored, "true or false, so boolean")
    if stored.dtype == "category" and stored.ordered:
        said = f"an ordered categorical of {len(stored.levels)} levels, so ordinal"
        return _discrete("ordinal", stored.levels, series, stored, said)
    if series.dtype.kind == "M":
        return _datetime(series, stored)
    if series.dtype.kind in "iuf":
        return _number(series, known, stored, label, rules)
    return _objects(series, known, stored, label, rules)


def _check_dtype(series: pd.Series, label: str) -> None:
    dtype: Any = series.dtype
    plain = str(dtype) in (*OBJECTS, "boolean", "category") or isinstance(dtype, np.dtype | pd.DatetimeTZDtype)
    nullable = str(dtype).lower().rstrip("0123456789") in ("int", "uint", "float")
    if not (plain or nullable) or dtype.kind not in "biufOMT":
        raise BadInput(
            f"column '{label}' of dtype {dtype}",
            "numbers, text, categories, booleans or dates",
            "convert it with .astype",
        )


def _check_objects(known: pd.Series, series: pd.Series, label: str) -> None:
    types = {kind for kind in map(type, known) if not issubclass(kind, str | int | float | bool | np.generic)}
    if types:
        row = next(i for i, value in enumerate(series) if type(value) in types)
        _scalar(series.iloc[row], label, row)


def _scalar(value: Any, label: str, row: int) -> Scalar:
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, str | int | float | bool):
        came = f"a {type(value).__name__} in column '{label}', row {row} (counted from 0)"
        raise BadInput(
            came, "text, numbers, booleans or dates", "convert the column with .astype or pandas.to_datetime"
        )
    return value


def _sorted_levels(known: pd.Series, label: str) -> tuple[Scalar, ...]:
    first = known.astype(object).drop_duplicates()
    distinct = [_scalar(value, label, row) for row, value in zip(first.index, first.tolist(), strict=True)]
    return tuple(sorted(distinct, key=lambda v: (isinstance(v, str), v)))


def _discrete(
    kind: ColumnKind, levels: tuple[Scalar, ...], series: pd.Series, stored: Stored, said: str
) -> tuple[Column, Stored, str]:
    missing = int(series.isna().sum())
    names = level_names(levels)
    column = Column(stored.label, kind, names, missing=missing > 0)
    return column, replace(stored, levels=levels), said + _missing(missing, len(series))


def _missing(missing: int, n: int) -> str:
    return f"; {missing} of {n} values are missing, and missing is modelled" if missing else ""


def _objects(series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: _Rules) -> _Found:
    """Columns of text, of unordered categories, or of Python objects."""
    inner = "string" if stored.dtype == "category" else pd.api.types.infer_dtype(known, skipna=True)
    if inner == "boolean":
        return _discrete("boolean", (False, True), series, stored, "true or false, so boolean")
    if inner in ("integer", "floating", "mixed-integer-float"):
        return _number(series, known, stored, label, rules)
    levels = stored.levels if stored.dtype == "category" else _sorted_levels(known, label)
    words = known.map(lambda v: isinstance(v, str)) if inner.startswith("mixed") else None
    said = f"{len(levels)} distinct values, so categorical"
    if words is not None:
        many = int(words.sum())
        if many < 2 or many < 0.1 * len(known):
            row = int(np.flatnonzero(series.map(lambda v: isinstance(v, str)).to_numpy())[0]) if many else 0
            came = f"{series.iloc[row]!r} in column '{label}', row {row} (counted from 0)"
            raise BadInput(came, "a number, as in its other rows", "repair it, or declare the column categorical")
        said = f"numbers and words ({many} of {len(known)} values), so categorical"
    observed = known.nunique()
    if not rules.keep and ((len(known) >= FEWEST_ROWS and observed >= 0.9 * len(known)) or observed > MANY):
        return None, replace(stored, role="excluded", levels=()), _identifier(observed, len(known), label)
    return _discrete("categorical", levels, series, stored, said)


def _identifier(distinct: int, n: int, label: str) -> str:
    return f"{distinct} distinct values in {n} rows, so an identifier that is left out ({_keep(label)})"


def _keep(label: str) -> str:
    return f"`--keep {label}`, or keep=['{label}'] in Python, models it"


def _number(
    series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: _Rules, real: bool = False
) -> _Found:
    """Numbers: on a grid of powers of ten where all of them are, else real."""
    values = known.to_numpy(dtype=np.float64)
    infinite = series.astype(object).map(lambda v: isinstance(v, float | np.floating) and math.isinf(v))
    if bool(infinite.any()):
        row = int(np.argmax(infinite.to_numpy(dtype=bool)))
        raise BadInput(f"infinity in column '{label}', row {row} (counted from 0)", "finite numbers or missing values")
    distinct, missing = known.nunique(), int(series.isna().sum())
    whole = stored.dtype.lower().startswith(("int", "uint")) or pd.api.types.infer_dtype(known) == "integer"
    if whole and not real and np.abs(values).max() >= EXACT:
        if distinct >= 0.9 * len(known) and len(known) >= FEWEST_ROWS and not rules.keep:
            return None, replace(stored, role="excluded"), _identifier(distinct, len(known), label)
        said = "integers beyond 2^52, for which double precision is too coarse, so categorical"
        return _discrete("categorical", _sorted_levels(known, label), series, stored, said)
    if whole and _counts_rows(values, missing) and not rules.keep:
        said = f"it counts the rows, so an identifier that is left out ({_keep(label)})"
        return None, replace(stored, role="excluded"), said
    step, rounded = (None, False) if real else _grid(values, stored.dtype)
    if step is not None:
        values = on_grid(values, step)
    low, high = float(values.min()) + 0.0, float(values.max()) + 0.0
    kind: ColumnKind = "integer" if step == 1.0 else "continuous"
    below, above = _bounded(rules.bounds, kind, low, distinct, len(known))
    words = "integers" if kind == "integer" else "numbers"
    grid = "" if step is None or kind == "integer" else f" on a grid of {step:g}"
    said = f"{distinct} distinct {words} from {low:.10g} to {high:.10g}, so {kind}{grid or ('' if step else ', real')}"
    if rounded:
        said += " (some values recur too often for a density, so all are rounded to it)"
    if below and rules.bounds == "natural" and not above:
        low = 0.0
    said += ", within that range" if above and below else f", never below {low:.10g}" if below else ""
    column = Column(stored.label, kind, (), step, low, high, below, above, missing > 0)
    return column, replace(stored, rounded=rounded), said + _missing(missing, len(series))


def _counts_rows(values: np.ndarray, missing: int) -> bool:
    n = len(values)
    return not missing and n >= FEWEST_ROWS and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _bounded(bounds: str, kind: str, low: float, distinct: int, n: int) -> tuple[bool, bool]:
    if bounds != "natural":
        return bounds == "observed", bounds == "observed"
    few = kind == "integer" and distinct <= FEW and n >= 5 * distinct
    return few or low >= 0.0, few


def _grid(values: np.ndarray, dtype: str) -> tuple[float | None, bool]:
    """Return the step of the grid that all values lie on, and whether they must be rounded to it."""
    largest = float(np.abs(values).max())
    narrow = np.float32 if dtype.lower() == "float32" else np.float16 if dtype == "float16" else np.float64
    for k in range(7):
        if largest * 10.0**k >= EXACT:
            break
        if bool((on_grid(values, 10.0**-k).astype(narrow) == values.astype(narrow)).all()):
            return 10.0**-k, False
    _, counts = np.unique(values, return_counts=True)
    often = counts.max() >= max(5, 0.01 * len(values))
    spread = float(np.ptp(values))
    if not often or spread == 0.0:
        return None, False
    # a density has no point masses: a grid of a millionth of the range makes the spike a probability
    k = max(0, 6 - math.floor(math.log10(spread)))
    return (10.0**-k, True) if largest * 10.0**k < EXACT else (None, False)


def _datetime(series: pd.Series, stored: Stored) -> tuple[Column, Stored, str]:
    seconds = seconds_of(series)
    known, missing = seconds[~np.isnan(seconds)], int(series.isna().sum())
    ticks, per_second = ticks_of(series.dropna())
    step = next((s for s in TIMES if bool((ticks % max(1, round(s * per_second)) == 0).all())), None)
    finer, step = step is None, TIMES[-1] if step is None else step
    said = f"dates in whole {_TIME_NAMES[TIMES.index(step)]}, so datetime"
    if finer:
        said = "dates with nanoseconds, kept to the microsecond, so datetime"
    if step == 1e-6 and float(np.abs(known).max()) >= EXACT * 1e-6:
        finer, step = True, 1e-3
        said = "dates with microseconds beyond the year 2112, kept to the millisecond, so datetime"
    known = on_grid(known, step)
    column = Column(stored.label, "datetime", (), step, float(known.min()), float(known.max()), missing=missing > 0)
    return column, replace(stored, rounded=finer), said + _missing(missing, len(series))


def _declared(series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: _Rules) -> _Found:
    """A kind that the user chose, or the order of an ordinal column."""
    kind = rules.kind
    if isinstance(kind, str):
        if kind not in get_args(ColumnKind):
            raise BadInput(f"kind '{kind}' of column '{label}'", "one of " + ", ".join(get_args(ColumnKind)))
    elif kind is not None:
        levels = tuple(kind)
        unknown = [v for v in _sorted_levels(known, label) if v not in levels]
        if unknown:
            raise BadInput(f"{unknown[0]!r} in column '{label}'", f"a level among {list(levels)[:20]}", "list it too")
        return _discrete("ordinal", levels, series, stored, f"declared ordinal with {len(levels)} levels")
    if kind in ("categorical", "ordinal", "boolean"):
        levels = stored.levels or _sorted_levels(known, label)
        if kind == "boolean" and len(levels) != 2:
            raise BadInput(f"column '{label}' of {len(levels)} values", "two for a boolean", "declare it categorical")
        return _discrete(kind, levels, series, stored, f"declared {kind}; {len(levels)} levels")
    if kind == "datetime":
        try:
            moments = series if series.dtype.kind == "M" else pd.to_datetime(series.astype("string"), format="ISO8601")
        except (ValueError, TypeError) as error:
            came = f"column '{label}' declared datetime ({str(error).splitlines()[0]})"
            raise BadInput(came, "dates in ISO 8601, such as 2024-01-31") from None
        column, kept, said = _datetime(moments, replace(stored, dtype=str(moments.dtype)))
        return column, kept, "declared datetime; " + said
    if stored.dtype == "category" or series.dtype.kind not in "iufO":
        raise BadInput(f"column '{label}' of dtype {series.dtype} declared {kind}", "numbers", "convert it first")
    real = kind == "continuous" and pd.api.types.infer_dtype(known) == "integer"
    try:
        numbers = known.astype(float)
    except (ValueError, TypeError):
        raise BadInput(f"column '{label}' declared {kind}", "numbers", "it holds other values") from None
    if kind == "integer" and bool((numbers != numbers.round()).any()):
        raise BadInput(f"column '{label}' declared integer", "whole numbers", "declare it continuous")
    kept = replace(stored, dtype="float64") if real else stored
    column, kept, said = _number(series, known, kept, label, replace(rules, keep=True), real)
    return column, kept, f"declared {kind}; " + said
