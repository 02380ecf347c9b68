"""From a DataFrame to the columns of a table: what each value is, on which grid, within which
bounds.

Two ideas: every decision is a sentence with its reason and can be overridden by name; nothing is
dropped without one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.table import Table
from pushforward.data.tables.carried import carrier_of, into_numbers, said_of
from pushforward.data.tables.cells import typed
from pushforward.data.tables.column_hints import READINGS, Asked
from pushforward.data.tables.declared import declared
from pushforward.data.tables.found import (
    FoundColumn,
    Rules,
    discrete,
    option,
    require_finite,
    scalar,
    sorted_levels,
)
from pushforward.data.tables.identifiers import country_of, free_text, identifier, personal
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers
from pushforward.data.tables.notations.notation import Written
from pushforward.data.tables.numeric import FEW, FEWEST_ROWS, datetime_column, number
from pushforward.data.tables.stored import OBJECTS, Stored, missing_word, ticks_of
from pushforward.data.tables.surrogates.personal import of_one_person
from pushforward.data.tables.typed_values import Typed
from pushforward.data.tables.unheeded import decides_nothing
from pushforward.data.tables.wrapped import unwrapped

BOUNDS = ("natural", "observed", "none")
Declared = str | Sequence[Any]
MANY = 10_000


@dataclass(frozen=True)
class Schema:
    """What inference found: the space, every column of the frame, a sentence per decision, and what
    is lost."""

    table: Table
    stored: tuple[Stored, ...]
    notes: tuple[str, ...]
    lost: tuple[str, ...] = ()


def infer(
    frame: pd.DataFrame,
    columns: Mapping[str, Declared] | None = None,
    keep: Collection[str] = (),
    bounds: str = "natural",
    written: Mapping[str, Written] | None = None,
    lines: Sequence[int] | None = None,
) -> Schema:
    """Return the columns of a table.

    Args:
        columns: kinds by name that override what would be inferred; a list declares an ordinal
            column in that order.
        keep: names of identifiers to model anyway.
        bounds: `natural`: numbers that are never negative stay so, and integers of at most 32
            values keep their range; `observed`: every number keeps its range; `none`: no number is
            bounded.
        written: how the columns of a file were written; text in other frames is looked through for
            numbers and dates.
        lines: the line of each row in its file, None if there is none.

    Raises:
        BadInput: no rows, duplicate names, dtypes without a meaning here, infinity, or a
            declaration that does not fit.

    Example:
        >>> infer(pd.DataFrame({"age": [17, 90], "sex": ["f", "m"]})).notes[0]
        "column 'age': 2 distinct integers from 17 to 90, so integer, never below 0"
    """
    if bounds not in BOUNDS:
        raise BadInput(f"bounds='{bounds}'", "one of " + ", ".join(BOUNDS))
    labels = _labels(frame)
    _require_columns([*(columns or {}), *keep], labels)
    found: list[FoundColumn] = []
    country = country_of(frame)
    for place, (name, label) in enumerate(zip(frame.columns, labels, strict=True)):
        rules = Rules((columns or {}).get(label), label in keep, bounds, lines, country)
        # rows are named by their place, whatever a frame's index calls them
        of_file = None if written is None else written.get(label, Written(None))
        found.append(
            _column(frame.iloc[:, place].reset_index(drop=True), name, label, rules, of_file)
        )
    surrogates = of_one_person([one.stored.surrogate for one in found])
    stored = [
        replace(one.stored, surrogate=surrogate)
        for one, surrogate in zip(found, surrogates, strict=True)
    ]
    modelled = [one.column for one in found if one.column is not None]
    notes = [f"column '{one.stored.label}': {one.said}" for one in found]
    if not modelled:
        raise BadInput(
            f"no column to model ({'; '.join(notes[:3])})", "at least one column that varies"
        )
    lost = tuple(f"column '{one.stored.label}': {one.lost}" for one in found if one.lost)
    return Schema(Table(tuple(modelled)), tuple(stored), tuple(notes), lost)


def _require_columns(names: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse a declaration of what is no column."""
    known = set(labels)
    for name in names:
        if name not in known:
            raise BadInput(
                f"a declaration of column '{name}'",
                "a column of the table",
                closest(str(name), labels),
            )


def _labels(frame: pd.DataFrame) -> list[str]:
    if len(frame) == 0 or len(frame.columns) == 0:
        raise BadInput(
            f"a table of {len(frame)} rows and {len(frame.columns)} columns", "at least one of each"
        )
    for name in frame.columns:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            fix = "frame.columns = ['_'.join(map(str, name)) for name in frame.columns] joins rows of names"
            fix = fix if isinstance(name, tuple) else "rename it"
            raise BadInput(f"a column named {name!r}", "names that are text or integers", fix)
    labels = [str(name) for name in frame.columns]
    if len(set(labels)) < len(labels):
        twice = Counter(labels).most_common(1)[0][0]
        raise BadInput(f"two columns named '{twice}'", "different names", "rename one of them")
    return labels


def _column(
    series: pd.Series, name: Any, label: str, rules: Rules, of_file: Written | None
) -> FoundColumn:
    key = int(name) if isinstance(name, np.integer) else name
    inside = unwrapped(series)
    series = inside.series
    nothing = missing_word(series)
    if rules.kind == "drop":
        said = "left out, as asked"
        return FoundColumn(None, Stored(key, str(series.dtype), "excluded"), said, said)
    text, notes, losses = "", inside.said, inside.lost
    notation, absent, marks = (
        (None, "", ()) if of_file is None else (of_file.notation, of_file.absent, of_file.marks)
    )
    decided = "" if of_file is None else of_file.reading
    # a file's cells were looked through when it was read
    if of_file is None and (read := _written(series, label, rules)) is not None:
        text, notation, absent, marks = str(series.dtype), read.notation, read.absent, read.marks
        decided = read.reading
        notes = "; ".join([*([notes] if notes else []), "text that holds them", *read.said])
        losses = "; ".join(read.lost)
        series = read.series
        # who declares dates wants dates
        text = "" if rules.kind == "datetime" else text
    reading = rules.kind if isinstance(rules.kind, str) and rules.kind in READINGS else ""
    if (
        reading
        and of_file is None
        and not text
        and not (reading == "number" and series.dtype.kind in "iufO")
    ):
        notes = "; ".join(
            [
                *([notes] if notes else []),
                decides_nothing(reading, "the column holds no text that is read so"),
            ]
        )
    rules = replace(rules, kind=None) if reading else rules
    carrier, outer = carrier_of(series), str(series.dtype)
    plain = into_numbers(series, carrier)
    stored = Stored(
        key, str(plain.dtype), nothing=nothing, notation=notation, absent=absent, text=text
    )
    stored = replace(stored, wrapping=inside.wrapping, reading=reading or decided, marks=marks)
    if carrier:
        stored = replace(stored, carrier=carrier, outer=outer)
    found = _plain_column(plain, stored, label, rules)
    if carrier and found.column is not None:
        found = replace(found, said=f"{said_of(carrier)}; {found.said}")
    if (
        carrier.startswith("decimal:")
        and found.column is not None
        and (gone := _digits_lost(series, carrier))
    ):
        found = replace(found, lost=gone)
    said = f"{found.said}; {notes}" if notes else found.said
    return replace(found, said=said, lost="; ".join(one for one in (found.lost, losses) if one))


def _written(series: pd.Series, label: str, rules: Rules) -> Typed | None:
    """Return what a column of text holds if that is numbers or dates too many to be categories, or
    if the user says so."""
    if str(series.dtype) not in OBJECTS or rules.keep:
        return None
    asked = isinstance(rules.kind, str) and (rules.kind in READINGS or rules.kind == "datetime")
    known = series.dropna()
    if (
        (rules.kind is not None and not asked)
        or not len(known)
        or not all(isinstance(value, str) for value in known)
    ):
        return None
    cells = [
        "" if gone else value
        for value, gone in zip(series.tolist(), series.isna().tolist(), strict=True)
    ]
    reading = rules.kind if isinstance(rules.kind, str) and rules.kind in READINGS else ""
    few = not asked and known.nunique() <= FEW
    try:
        found = typed(
            cells, range(len(cells)), Asked(f"column '{label}'", label, reading=reading, unit="row")
        )
    except BadInput:
        # few words are categories, whatever some of them look like
        if few:
            return None
        raise
    if found.notation is None or found.notation.kind == "boolean":
        return None
    # few numbers in text are codes, but dates are dates in any file
    return None if few and not found.timed else found


def _digits_lost(series: pd.Series, carrier: str) -> str:
    places = int(carrier.partition(":")[2])
    lost = sum(f"{float(value):.{places}f}" != f"{value:.{places}f}" for value in series.dropna())
    return f"{lost} decimals have more digits than double precision holds" if lost else ""


def _plain_column(series: pd.Series, stored: Stored, label: str, rules: Rules) -> FoundColumn:
    _check_dtype(series, label)
    if stored.dtype == "category":
        categories = series.cat.categories
        if categories.dtype.kind not in "iufbOT" and str(categories.dtype) not in OBJECTS:
            raise BadInput(
                f"column '{label}' has categories of dtype {categories.dtype}", "text or numbers"
            )
        levels = tuple(scalar(v, label, 0) for v in categories)
        stored = replace(
            stored,
            levels=levels,
            level_dtype=str(categories.dtype),
            ordered=bool(series.cat.ordered),
        )
    known = series.dropna()
    if len(known) == 0:
        return FoundColumn(
            None,
            replace(stored, role="absent"),
            "no value at all, so it is left out and restored as missing",
        )
    if series.dtype == object:
        _check_objects(known, series, label)
    distinct = known.nunique()
    if distinct == 1 and len(known) == len(series) > 1:
        value = (
            int(ticks_of(series)[0][0])
            if series.dtype.kind == "M"
            else scalar(known.iloc[0], label, 0)
        )
        if isinstance(value, float) and math.isinf(value):
            require_finite(np.array([value]), [0], label, rules.lines)
        said = "one value only, so it is left out and restored as a constant"
        return FoundColumn(None, replace(stored, role="constant", constant=value), said)
    if rules.kind is not None:
        return declared(series, known, stored, label, rules)
    if series.dtype == bool or stored.dtype == "boolean":
        return discrete("boolean", (False, True), series, stored, "true or false, so boolean")
    if stored.dtype == "category" and stored.ordered:
        said = f"an ordered categorical of {len(stored.levels)} levels, so ordinal"
        return discrete("ordinal", stored.levels, series, stored, said)
    if series.dtype.kind == "M":
        return datetime_column(series, stored)
    if series.dtype.kind in "iuf":
        return number(series, known, stored, label, rules)
    return _objects(series, known, stored, label, rules)


def _check_dtype(series: pd.Series, label: str) -> None:
    dtype: Any = series.dtype
    plain = str(dtype) in (*OBJECTS, "boolean", "category") or isinstance(
        dtype, np.dtype | pd.DatetimeTZDtype
    )
    nullable = str(dtype).lower().rstrip("0123456789") in ("int", "uint", "float")
    if not (plain or nullable) or dtype.kind not in "biufOMT":
        hint = f"convert it with .astype, or leave it out with {option(label, 'drop')}"
        raise BadInput(
            f"column '{label}' of dtype {dtype}",
            "numbers, text, categories, booleans, dates or durations",
            hint,
        )


def _check_objects(known: pd.Series, series: pd.Series, label: str) -> None:
    types = {
        kind
        for kind in map(type, known)
        if not issubclass(kind, str | int | float | bool | np.generic)
    }
    if types:
        row = next(i for i, value in enumerate(series) if type(value) in types)
        scalar(series.iloc[row], label, row)


def _objects(
    series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: Rules
) -> FoundColumn:
    """Columns of text, of unordered categories, or of Python objects."""
    inner = "string" if stored.dtype == "category" else pd.api.types.infer_dtype(known, skipna=True)
    if inner == "boolean":
        return discrete("boolean", (False, True), series, stored, "true or false, so boolean")
    if inner in ("integer", "floating", "mixed-integer-float"):
        return number(series, known, stored, label, rules)
    if (
        inner.startswith("mixed")
        and (found := _numbers_with_gaps(series, stored, label, rules)) is not None
    ):
        return found
    gone = len(series) - len(known)
    if not rules.keep and (found := personal(known, gone, stored, rules)) is not None:
        return found
    levels = stored.levels if stored.dtype == "category" else sorted_levels(known, label)
    words = known.map(lambda v: isinstance(v, str)) if inner.startswith("mixed") else None
    noun = "level" if stored.dtype == "category" else "distinct value"
    said = f"{len(levels)} {noun}{'' if len(levels) == 1 else 's'}, so categorical"
    if words is not None:
        many = int(words.sum())
        if many < 2 or many < 0.1 * len(known):
            row = (
                int(np.flatnonzero(series.map(lambda v: isinstance(v, str)).to_numpy())[0])
                if many
                else 0
            )
            came = f"{series.iloc[row]!r} in column '{label}', {rules.where(row)}"
            hint = f"repair it, or declare the column: {option(label, 'categorical')} or {option(label, 'drop')}"
            raise BadInput(came, "a number, as in its other rows", hint)
        said = f"numbers and words ({many} of {len(known)} values), so categorical"
    observed = known.nunique()
    if not rules.keep and (
        (len(known) >= FEWEST_ROWS and observed >= 0.9 * len(known)) or observed > MANY
    ):
        why = f"{observed} distinct values in {len(known)} rows"
        return free_text(known, gone, stored, rules) or identifier(known, gone, stored, why, rules)
    return discrete("categorical", levels, series, stored, said)


def _numbers_with_gaps(
    series: pd.Series, stored: Stored, label: str, rules: Rules
) -> FoundColumn | None:
    """Return a column of Python numbers among which words say that there is none."""
    words = series.map(lambda value: isinstance(value, str))
    gone = {
        value
        for value in series[words]
        if not (value.strip() in MISSING or is_missing_among_numbers(value))
    }
    numbers = series.where(~words, None)
    # who declares numbers wants all other words to be missing
    if (gone and stored.reading != "number") or not bool(words.any()) or not numbers.notna().any():
        return None
    shown = ", ".join(sorted({repr(value) for value in series[words]})[:5])
    stored = replace(stored, marks=tuple(sorted(value.strip() for value in gone)))
    found = number(numbers, numbers.dropna(), stored, label, rules)
    return replace(
        found,
        said=f"{found.said}; {shown} count as missing",
        lost=f"{shown} come back as missing values",
    )
