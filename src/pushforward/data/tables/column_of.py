"""What one column of a frame is: what its values are carried by, how its text is written, and what
inference or a declaration makes of it.

One idea: whatever a column came as, it is numbers, moments or words first, and then one question is
asked of it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.tables.carried import carrier_of, into_numbers, said_of
from pushforward.data.tables.cells import typed
from pushforward.data.tables.circular import around
from pushforward.data.tables.column_hints import Asked
from pushforward.data.tables.declared import declared
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.found import (
    FoundColumn,
    Rules,
    discrete,
    option,
    require_finite,
    scalar,
    sorted_levels,
    without_marks,
)
from pushforward.data.tables.identifiers import free_text, identifier, personal
from pushforward.data.tables.notations.aside import AsideNotation
from pushforward.data.tables.notations.missing import MISSING, is_missing_among_numbers
from pushforward.data.tables.notations.notation import Written
from pushforward.data.tables.numeric import FEW, FEWEST_ROWS, datetime_column, number
from pushforward.data.tables.scales import in_order
from pushforward.data.tables.stored import OBJECTS, Stored, missing_word, ticks_of
from pushforward.data.tables.typed_values import Typed
from pushforward.data.tables.unheeded import decides_nothing
from pushforward.data.tables.wrapped import unwrapped

MANY = 10_000


def column_of(
    series: pd.Series, name: Any, label: str, rules: Rules, of_file: Written | None
) -> FoundColumn:
    """Return what a column is, why, what else it could be, and what of it is lost.

    Args:
        name: of the column in its frame, of which `label` is the text.
        of_file: how its cells were written, None for a frame's own values.
    """
    key = int(name) if isinstance(name, np.integer) else name
    inside = unwrapped(series)
    series, own = without_marks(inside.series, rules.own.missing), rules.own
    nothing = missing_word(series)
    if rules.kind == "drop":
        said = "left out, as asked"
        left_out = Stored(key, str(series.dtype), "excluded")
        return FoundColumn(None, left_out, said, said, "drop")
    text, notes, losses, read = "", inside.said, inside.lost, None
    # a file's cells were looked through when it was read
    if of_file is None and (read := _written(series, label, rules)) is not None:
        text = str(series.dtype)
        notes = "; ".join([*([notes] if notes else []), "text that holds them", *read.said])
        losses = "; ".join(read.lost)
        series = read.series
        # who declares dates wants dates
        text = "" if rules.kind == "datetime" else text
    known = read.written(read.reading) if read is not None else of_file or Written(None)
    if _decides_nothing(series, text, own.reading, of_file):
        unread = decides_nothing(own.reading, "the column holds no text that is read so")
        notes = "; ".join([*([notes] if notes else []), unread])
    aside = None
    if isinstance(known.notation, AsideNotation):
        text, aside = str(series.dtype), known.notation.words(series)
        series = known.notation.moments(series)
    carrier, outer = carrier_of(series), str(series.dtype)
    plain = into_numbers(series, carrier)
    stored = Stored(key, str(plain.dtype), nothing=nothing, text=text, wrapping=inside.wrapping)
    marks = tuple(sorted({*known.marks, *map(str, own.missing)} - set(MISSING)))
    stored = replace(stored, notation=known.notation, absent=known.absent, marks=marks)
    stored = replace(stored, reading=own.reading or known.reading)
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
    lost = "; ".join(one for one in (found.lost, losses) if one)
    return replace(_as_read(found, known, read), said=said, lost=lost, aside=aside)


def aside_of(found: FoundColumn, label: str) -> FoundColumn | None:
    """Return what the cells of a column say beside their moments as a column of its own, which is
    modelled before it; None where they say nothing.

    Args:
        label: that no other column has.
    """
    notation = found.stored.notation
    if found.aside is None or found.column is None or not isinstance(notation, AsideNotation):
        return None
    levels = sorted_levels(found.aside, label)
    beside = Stored(label, "str", notation=notation, beside=found.stored.label)
    said = f"the {notation.what} of '{found.stored.label}', {len(levels)} of them, so categorical"
    return discrete("categorical", levels, found.aside, beside, said)


def _as_read(found: FoundColumn, known: Written, read: Typed | None) -> FoundColumn:
    """Return a column with what reading its cells told of it."""
    doubts = (*known.doubts, *found.doubts)
    found = replace(found, doubts=doubts, share=known.share, read=() if read else known.said)
    words = found.column is None or found.column.discrete
    found = replace(found, gone=known.gone if words else found.stored.marks)
    if read is None:
        return found
    return replace(found, order=read.order, undecided=read.undecided)


def _decides_nothing(series: pd.Series, text: str, reading: str, of_file: Written | None) -> bool:
    """Return whether a frame holds nothing that the reading that was asked for would read."""
    numbers = reading == "number" and series.dtype.kind in "iufO"
    return bool(reading) and of_file is None and not text and not numbers


def _written(series: pd.Series, label: str, rules: Rules) -> Typed | None:
    """Return what a column of text holds if that is numbers or dates too many to be categories, or
    if the user says so."""
    own = rules.own
    if str(series.dtype) not in OBJECTS or rules.keep or own.cells == "words":
        return None
    asked, known = bool(own.reading) or own.cells != "any", series.dropna()
    anew = rules.kind is not None and not asked
    if anew or not len(known) or not all(isinstance(value, str) for value in known):
        return None
    cells = [
        "" if gone else value
        for value, gone in zip(series.tolist(), series.isna().tolist(), strict=True)
    ]
    few = not asked and known.nunique() <= FEW
    how = Asked(f"column '{label}'", label, reading=own.reading, unit="row", order=rules.order)
    how = replace(how, kind=own.kind, cells=own.cells)
    try:
        found = typed(cells, range(len(cells)), how)
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
        said = "no value at all, so it is left out and restored as missing"
        return FoundColumn(None, replace(stored, role="absent"), said, kind="empty")
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
        constant = replace(stored, role="constant", constant=value)
        return FoundColumn(None, constant, said, kind="constant")
    if rules.kind is not None:
        return declared(series, known, stored, rules)
    if series.dtype == bool or stored.dtype == "boolean":
        return discrete("boolean", (False, True), series, stored, "true or false, so boolean")
    if stored.dtype == "category" and stored.ordered:
        said = f"an ordered categorical of {len(stored.levels)} levels, so ordinal"
        return discrete("ordinal", stored.levels, series, stored, said)
    if series.dtype.kind == "M":
        return datetime_column(series, stored)
    if series.dtype.kind in "iuf":
        found = around(series, known, stored, rules)
        return found or number(series, known, stored, label, rules)
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
    texts = [one for one in levels if isinstance(one, str)]
    if order := in_order(texts) if len(texts) == len(levels) else ():
        said = f"{len(order)} words of a scale, so ordinal: {' < '.join(order)}"
        doubt = Doubt("only the words say that they have an order", "categorical", open=False)
        found = discrete("ordinal", order, series, stored, said)
        return replace(found, doubts=(doubt,))
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
