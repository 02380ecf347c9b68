"""Columns of numbers and of dates: on which grid they lie, within which bounds.

One idea: a grid of powers of ten, or of whole days and hours, gives every value a probability;
numbers off every grid are real.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.limits import LARGEST_NUMBER
from pushforward.core.table import Column, ColumnKind
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.found import (
    FoundColumn,
    Rules,
    discrete,
    gaps,
    option,
    require_finite,
    shown_at,
    sorted_levels,
)
from pushforward.data.tables.grids import CLOCKS, TIME_NAMES, TIMES, clock_step, coarser, step_words
from pushforward.data.tables.identifiers import identifier
from pushforward.data.tables.notations.numbers import NumberNotation
from pushforward.data.tables.sentinels import sentinel, sentinel_days, sentinel_periods
from pushforward.data.tables.stored import (
    Stored,
    decimals_of,
    on_grid,
    seconds_of,
    ticks_of,
    words_of,
)

EXACT = 2**52  # integers up to here, and the halves between them, are doubles
FEW, FEWEST_ROWS = 32, 20
BY_CHANCE = 1e-3
KEYS = {"id", "key", "pk", "ref", "reference", "uuid", "guid", "account"}


def number(
    series: pd.Series,
    known: pd.Series,
    stored: Stored,
    label: str,
    rules: Rules,
    real: bool = False,
) -> FoundColumn:
    """Return a column of numbers: on a grid of powers of ten where all of them are, else real.

    Args:
        known: the values of `series` that are not missing.
        real: True for whole numbers that were declared continuous.

    Raises:
        BadInput: infinity, with its row.
    """
    values = known.to_numpy(dtype=np.float64)
    require_finite(values, known.index.tolist(), label, rules.lines)
    _require_small(values, label)
    distinct, gone = known.nunique(), int(series.isna().sum())
    whole = _is_whole(known, stored)
    if whole and not rules.keep and (why := _tells_rows_apart(known, gone, stored, real)):
        return identifier(known, gone, stored, why, rules)
    if whole and not real and np.abs(values).max() >= EXACT:
        said = "integers beyond 2^52, for which double precision is too coarse, so categorical"
        return discrete("categorical", sorted_levels(known, label), series, stored, said)
    step, rounded = (None, False) if real else _grid(values, stored.dtype)
    if (asked := _asked_step(known, stored, rules)) is not None:
        step, rounded = asked or None, False
    elif step is not None and not rounded:
        step = _coarsened(values, step, stored, rules)
    # digits that a narrow type does not hold are none to lose
    changed = rounded and step is not None and not _all_on(values, step, _narrow(stored.dtype))
    if step is not None:
        values = on_grid(values, step)
    low, high = float(values.min()) + 0.0, float(values.max()) + 0.0
    kind: ColumnKind = "integer" if step is not None and step.is_integer() else "continuous"
    # the year 1970 is where periods are counted from, and no end of them
    floor_at = math.inf if stored.carrier == "period" else 0.0
    below, above = _bounded(rules.bounds, kind, low - floor_at, distinct, len(known))
    seen = words_of(stored, Column(stored.label, kind, (), step, low, high), low, high)
    if stored.carrier == "time":
        # a day has no more
        step = step or 1e-6
        low, high, below, above = 0.0, 86400.0 - step, True, True
    what = _WORDS.get(stored.carrier, "integers" if kind == "integer" else "numbers")
    said = f"{distinct} distinct {what if distinct != 1 else what[:-1]}"
    said += f" from {seen[0]} to {seen[1]}, so {kind}{_grid_words(step, kind, stored, label)}"
    if changed:
        said += " (some values recur too often for a density, so all are rounded to it)"
    if below and rules.bounds == "natural" and not above:
        low = 0.0
    column = Column(stored.label, kind, (), step, low, high, below, above, gone > 0)
    column = _within_range(column, known, stored, rules)
    remark, doubts = _remark(values, stored)
    said += _ends_in_words(column, stored) + remark + gaps(gone, len(series))
    lost = f"numbers are rounded to multiples of {step:g}" if changed else ""
    return FoundColumn(column, replace(stored, rounded=rounded), said, lost, doubts=doubts)


def _remark(values: np.ndarray, stored: Stored) -> tuple[str, tuple[Doubt, ...]]:
    """Return what is said of numbers that may mean that there is none, and the question whether they
    do."""
    if stored.carrier == "period":
        return sentinel_periods(values, _freq(stored)), ()
    remark = sentinel(values)
    found = [float(word) for word in re.findall(r"(-?\d[\d.]*) stands", remark)]
    if stored.carrier or not found:
        return remark, ()
    marks = [int(one) if one.is_integer() else one for one in found]
    return remark, (Doubt(remark.strip("; ").partition(":")[0], {"missing": marks}),)


def _asked_step(known: pd.Series, stored: Stored, rules: Rules) -> float | None:
    """Return the step that was declared, or that the notation of the cells has; 0 is none, None is
    not said.

    Raises:
        BadInput: a number that is no multiple of it, with its row.
    """
    grid = None if stored.notation is None else stored.notation.grid
    step = rules.own.step if rules.own.step is not None else grid
    if not step:
        return step
    values = known.to_numpy(dtype=np.float64)
    off = np.abs(values - on_grid(values, step)) > 1e-6 * step + 2.0**-50 * np.abs(values)
    if off.any():
        place = int(off.argmax())
        row = int(known.index[place])
        raise BadInput(
            f"{shown_at(known, place)} in column '{stored.label}', of step {step:g}, at {rules.where(row)}",
            f"multiples of {step:g}",
            "repair it, or say another step; 0 is none",
        )
    return step


def _within_range(column: Column, known: pd.Series, stored: Stored, rules: Rules) -> Column:
    """Return a column with the ends that were declared, those of the data where none were."""
    if rules.own.range is None:
        return column
    _require_within(known, stored, rules)
    low, high = rules.own.range
    column = replace(column, bounded_below=low is not None, bounded_above=high is not None)
    column = column if low is None else replace(column, low=low)
    return column if high is None else replace(column, high=high)


def _require_within(known: pd.Series, stored: Stored, rules: Rules) -> None:
    """Refuse numbers beyond the range that was declared.

    Raises:
        BadInput: the first of them, with its row.
    """
    low, high = rules.own.range or (None, None)
    values = known.to_numpy(dtype=np.float64)
    beyond = (values < (-math.inf if low is None else low)) | (
        values > (math.inf if high is None else high)
    )
    if beyond.any():
        place = int(beyond.argmax())
        row = int(known.index[place])
        ends = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
        raise BadInput(
            f"{shown_at(known, place)} in column '{stored.label}', of range {ends}, at {rules.where(row)}",
            "numbers within it",
            f"repair it, widen the range, or say with {option(stored.label, 'continuous')} that there is none",
        )


def _is_whole(known: pd.Series, stored: Stored) -> bool:
    typed = stored.dtype.lower().startswith(("int", "uint"))
    return typed or pd.api.types.infer_dtype(known) == "integer"


def _require_small(values: np.ndarray, label: str) -> None:
    """Refuse numbers of which sums and squares overflow."""
    largest = float(np.abs(values).max())
    if largest > LARGEST_NUMBER:
        expected = f"at most {LARGEST_NUMBER:g}: sums and squares beyond overflow"
        came = f"column '{label}' reaches {largest:.3g}"
        raise BadInput(came, expected, "divide it by a power of ten")


def _ends_in_words(column: Column, stored: Stored) -> str:
    """Return what is said of the ends of a column that values do not pass."""
    if column.bounded_below and column.bounded_above:
        return ", within that range"
    if not column.bounded_below:
        return ""
    assert column.low is not None
    plain = replace(column, bounded_below=False, bounded_above=False, missing=False)
    return f", never below {words_of(stored, plain, column.low)[0]}"


_WORDS = {"duration": "durations", "timedelta": "durations", "time": "times", "period": "periods"}


def _coarsened(values: np.ndarray, step: float, stored: Stored, rules: Rules) -> float:
    """Return the step of whole hours, of tens or of quarters where all values are such; a declared
    kind allows any other value."""
    if stored.carrier in CLOCKS:
        unit = clock_step(values, step)
        return unit if rules.kind is not None else coarser(values, unit, clock=True)
    plain = stored.carrier != "period" and rules.kind is None
    return coarser(values, step) if plain else step


def _grid_words(step: float | None, kind: ColumnKind, stored: Stored, label: str) -> str:
    clock = stored.carrier in CLOCKS
    if step is None:
        return ", real"
    if clock:
        return f", in {step_words(step, clock)}"
    if step == 1.0:
        return ""
    if decimals_of(step) is not None:
        return f" on a grid of {step:g}"
    return f", all {step_words(step)} and so are samples ({option(label, kind)} allows others)"


def _freq(stored: Stored) -> str:
    return stored.outer.removeprefix("period[").removesuffix("]")


def _called_a_counter(label: str) -> bool:
    """Return whether a name is that of a row's number; others that count are measurements, such as
    a time."""
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower()))
    nameless = label == "" or re.fullmatch(r"(unnamed )?column \d+|Unnamed.*|x0", label) is not None
    return nameless or bool(
        words
        & {"id", "ids", "index", "idx", "row", "rows", "no", "nr", "num", "number", "key", "record"}
    )


def _tells_rows_apart(known: pd.Series, gone: int, stored: Stored, real: bool) -> str:
    """Return why whole numbers are identifiers, empty if they are none."""
    values = known.to_numpy(dtype=np.float64)
    distinct, n = known.nunique(), len(values)  # doubles do not tell large ones apart
    many = f"{distinct} distinct values in {n} rows"
    if not real and np.abs(values).max() >= EXACT and n >= FEWEST_ROWS and distinct >= 0.9 * n:
        return many
    if _called_a_counter(stored.label) and _counts_rows(values, gone, stored):
        return "it counts the rows"
    if distinct == n >= FEWEST_ROWS and _called_a_key(stored.label):
        return f"{distinct} distinct integers in {n} rows"
    return ""


def _called_a_key(label: str) -> bool:
    """Return whether a name is that of a key, such as `order_id`."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower())
    return bool(KEYS & {words[0], words[-1]})


def _counts_rows(values: np.ndarray, gone: int, stored: Stored) -> bool:
    n = len(values)
    # amounts, dates and percentages that happen to count are none of that
    written = stored.notation
    # zeros before a number make no amount of it
    plain = (
        isinstance(written, NumberNotation)
        and written.width > 0
        and not (written.head or written.tail or written.group)
    )
    if stored.carrier or (stored.notation is not None and stored.notation.said and not plain):
        return False
    return (
        not gone and n >= FEWEST_ROWS and values[0] in (0, 1) and bool((np.diff(values) == 1).all())
    )


def _bounded(bounds: str, kind: str, over: float, distinct: int, n: int) -> tuple[bool, bool]:
    if bounds != "natural":
        return bounds == "observed", bounds == "observed"
    few = kind == "integer" and distinct <= FEW and n >= 5 * distinct
    return few or over >= 0.0, few


def grid_of(values: np.ndarray, dtype: str) -> float | None:
    """Return the step of the grid of powers of ten that all values lie on, None if there is none.

    Example:
        >>> grid_of(np.array([0.25, 3.0]), "float64"), grid_of(np.array([0.1 + 0.2]), "float64")
        (0.01, None)
    """
    step, rounded = _grid(values, dtype)
    return None if rounded or step is None else coarser(values, step)


def _grid(values: np.ndarray, dtype: str) -> tuple[float | None, bool]:
    """Return the step of the grid that all values lie on, and whether they must be rounded to
    it."""
    largest = float(np.abs(values).max())
    narrow = _narrow(dtype)
    for k in range(7):
        if largest * 10.0**k >= EXACT:
            break
        if _all_on(values, 10.0**-k, narrow) and (k == 0 or _tells(values, 10.0**-k, narrow)):
            return 10.0**-k, False
    _, counts = np.unique(values, return_counts=True)
    often = counts.max() >= max(5, 0.01 * len(values))
    with np.errstate(over="ignore"):
        spread = float(np.ptp(values))
    if not math.isfinite(spread) or not often or spread == 0.0:
        return None, False
    # a density has no point masses: the grid of the last decimal, or of a millionth of the range,
    # makes the spike a probability
    for k in range(7, 16):
        if narrow is np.float64 and largest * 10.0**k < EXACT and _all_on(values, 10.0**-k, narrow):
            return 10.0**-k, False
    k = max(0, 6 - math.floor(math.log10(spread)))
    return (10.0**-k, True) if largest * 10.0**k < EXACT else (None, False)


def _narrow(dtype: str) -> type[np.floating]:
    return {"float32": np.float32, "float16": np.float16}.get(dtype.lower(), np.float64)


def _all_on(values: np.ndarray, step: float, narrow: type[np.floating]) -> bool:
    return bool((on_grid(values, step).astype(narrow) == values.astype(narrow)).all())


def _tells(values: np.ndarray, step: float, narrow: type[np.floating]) -> bool:
    """Return whether a grid says something: numbers of few digits lie on any that is finer than
    they are.

    By chance a number between neighbours of distance d rounds to itself with probability d / step,
    and all of them with their product.
    """
    if narrow is np.float64:
        return True
    apart = np.spacing(np.abs(np.unique(values)).astype(narrow)).astype(np.float64)
    return float(np.log(np.maximum(step / apart, 1.0)).sum()) > -math.log(BY_CHANCE)


def datetime_column(series: pd.Series, stored: Stored) -> FoundColumn:
    """Return a column of dates, on the coarsest grid that holds them all."""
    seconds = seconds_of(series)
    known, gone = seconds[~np.isnan(seconds)], int(series.isna().sum())
    ticks, per_second = ticks_of(series.dropna())
    step = next(
        (s for s in TIMES if bool((ticks % max(1, round(s * per_second)) == 0).all())), None
    )
    finer, step = step is None, TIMES[-1] if step is None else step
    step = (
        coarser(known, step, moments=True)
        if step >= 1.0 and float(np.abs(known).max()) < EXACT
        else step
    )
    said = f"dates in {step_words(step, clock=True)}, so datetime"
    if finer:
        said = "dates with nanoseconds, kept to the microsecond, so datetime"
    if step == 1e-6 and float(np.abs(known).max()) >= EXACT * 1e-6:
        finer, step = True, 1e-3
        said = "dates with microseconds beyond the year 2112, kept to the millisecond, so datetime"
    known = on_grid(known, step)
    column = Column(
        stored.label, "datetime", (), step, float(known.min()), float(known.max()), missing=gone > 0
    )
    lost = f"moments are rounded to the {TIME_NAMES[TIMES.index(step)][:-1]}" if finer else ""
    said += sentinel_days(known)
    return FoundColumn(column, replace(stored, rounded=finer), said + gaps(gone, len(series)), lost)
