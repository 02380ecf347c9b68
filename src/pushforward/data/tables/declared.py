"""A column whose kind the user chose: it is taken at that word, or refused with the value that does
not fit.

Two ideas: a declaration says what a value is, not how it is written; every kind has one maker here,
and a cell that contradicts it is named with its row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import ColumnKind
from pushforward.data.folders import counted
from pushforward.data.tables.circular import ANGLE, HOUR, LATITUDE, LONGITUDE, globe, turning
from pushforward.data.tables.column_kinds import kind_of_column
from pushforward.data.tables.found import (
    FoundColumn,
    Rules,
    discrete,
    option,
    shown_at,
    sorted_levels,
)
from pushforward.data.tables.identifiers import (
    group,
    identifier,
    key,
    made_anew,
    personal_as,
    text_surrogate,
)
from pushforward.data.tables.numeric import datetime_column, number
from pushforward.data.tables.stored import Scalar, Stored
from pushforward.data.tables.surrogates.personal import PERSONAL

Maker = Callable[[pd.Series, pd.Series, Stored, Rules], FoundColumn]


def declared(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column of the kind that the user chose, or of the order of an ordinal column.

    Args:
        known: the values of `series` that are not missing.

    Raises:
        BadInput: an unknown kind, or values that do not fit it.
    """
    label, own = stored.label, rules.own
    if not isinstance(rules.kind, str):
        return replace(_ordinal(series, known, stored, rules), kind="ordinal")
    kind = kind_of_column(rules.kind, label).name
    for field in ("step", "range", "period"):
        of = _TAKES.get(field, ())
        if getattr(own, field) is not None and kind not in of:
            raise BadInput(
                f"a {field} of column '{label}', which is {kind}",
                f"a column of kind {', '.join(of)}",
                "leave it out, or declare another kind",
            )
    return replace(_MAKERS[kind](series, known, stored, rules), kind=kind)


def _discrete(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    kind = _plain_kind(rules)
    levels = stored.levels or sorted_levels(known, stored.label)
    if kind == "boolean" and all(isinstance(level, bool) for level in levels):
        levels = (False, True)
    if kind == "boolean" and len(levels) != 2:
        raise BadInput(
            f"column '{stored.label}' of {len(levels)} values",
            "two for a boolean",
            "declare it categorical",
        )
    said = f"declared {kind}; {counted(len(levels), 'level')}"
    return discrete(kind, levels, series, stored, said)


def _plain_kind(rules: Rules) -> ColumnKind:
    kinds: dict[str, ColumnKind] = {"ordinal": "ordinal", "boolean": "boolean"}
    return kinds.get(str(rules.kind), "categorical")


def _numbers(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column of numbers.

    Raises:
        BadInput: the first value that is none, or a fraction among integers, with its row.
    """
    label, kind = stored.label, str(rules.kind)
    _require_numbers(series, stored, rules)
    real = kind == "continuous" and pd.api.types.infer_dtype(known) == "integer"
    if kind == "integer":
        whole = known.astype(float) == known.astype(float).round()
        if not bool(whole.all()):
            row = int(known.index[int((~whole).to_numpy().argmax())])
            raise BadInput(
                f"{shown_at(series, row)} in column '{label}' declared integer, at {rules.where(row)}",
                "whole numbers",
                f"declare it continuous: {option(label, 'continuous')}",
            )
    real = real and rules.own.step is None
    kept = replace(stored, dtype="float64") if real else stored
    found = number(series, known, kept, label, replace(rules, keep=True), real)
    return replace(found, said=f"declared {kind}; {found.said}")


def _require_numbers(series: pd.Series, stored: Stored, rules: Rules) -> None:
    if stored.dtype != "category" and series.dtype.kind in "iuf":
        return
    words = series.map(lambda value: isinstance(value, str)).to_numpy()
    if stored.dtype != "category" and series.dtype == object and not words.any():
        return
    row = int((words if words.any() else series.notna().to_numpy()).argmax())
    label, kind = stored.label, str(rules.kind)
    raise BadInput(
        f"{shown_at(series, row)} in column '{label}' declared {kind}, at {rules.where(row)}",
        "numbers",
        f"repair it, or declare another kind, such as {option(label, 'categorical')}",
    )


def _moment(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column of days or of moments."""
    moments = _moments(series, stored.label, rules)
    found = datetime_column(moments, replace(stored, dtype=str(moments.dtype)))
    if rules.kind == "date" and found.column is not None and (found.column.step or 0.0) < 86400.0:
        clock = (moments.dt.normalize() != moments) & moments.notna()
        row = int(clock.to_numpy().argmax())
        raise BadInput(
            f"{shown_at(moments, row)} in column '{stored.label}' declared date, at {rules.where(row)}",
            "days without a time of day",
            f"declare it {option(stored.label, 'datetime')}",
        )
    return replace(found, said=f"declared {rules.kind}; {found.said}")


_CARRIERS = {"time": ("time",), "duration": ("duration", "timedelta"), "period": ("period",)}
_SUCH = {"time": "14:35", "duration": "36:05:10 or 2h 5m", "period": "2024-03 or 2024-Q1"}


def _clock(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column of times of day, of durations, or of months."""
    kind, label = str(rules.kind), stored.label
    if stored.carrier not in _CARRIERS[kind]:
        row = int(series.notna().to_numpy().argmax())
        raise BadInput(
            f"{shown_at(series, row)} in column '{label}' declared {kind}, at {rules.where(row)}",
            f"{kind_of_column(kind, label).says}, such as {_SUCH[kind]}",
            f"repair it, or declare another kind, such as {option(label, 'categorical')}",
        )
    found = number(series, known, stored, label, replace(rules, keep=True))
    return replace(found, said=f"declared {kind}; {found.said}")


def _around(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    return turning(series, known, stored, replace(rules, keep=True), _CIRCLES[str(rules.kind)])


_CIRCLES = {"angle": ANGLE, "hour": HOUR, "longitude": LONGITUDE}


def _circle(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    _require_numbers(series, stored, rules)
    return _around(series, known, stored, rules)


def _latitude(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    _require_numbers(series, stored, rules)
    return globe(series, known, stored, replace(rules, keep=True), LATITUDE)


def _identifier(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    gone = len(series) - len(known)
    return identifier(known, gone, stored, "declared an identifier", replace(rules, kind=None))


def _text(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    return made_anew(stored, text_surrogate(known, len(series) - len(known), rules), "declared")


def _personal(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    return personal_as(str(rules.kind), known, series, stored, rules)


def _of_one_value(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    other = (series != known.iloc[0]).to_numpy(dtype=bool, na_value=True)
    row = int(other.argmax())
    raise BadInput(
        f"{shown_at(series, row)} in column '{stored.label}' declared {rules.kind}, at {rules.where(row)}",
        f"{known.iloc[0]!r} in every row" if rules.kind == "constant" else "no value at all",
        f"declare another kind, such as {option(stored.label, 'categorical')}",
    )


def _key(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    return key(known, series, stored, rules)


def _group(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    return group(known, series, stored, rules)


_MAKERS: dict[str, Maker] = {
    **dict.fromkeys(("integer", "continuous", "currency", "percent"), _numbers),
    **dict.fromkeys(("angle", "hour", "longitude"), _circle),
    "latitude": _latitude,
    **dict.fromkeys(("date", "datetime"), _moment),
    **dict.fromkeys(("time", "duration", "period"), _clock),
    **dict.fromkeys(("categorical", "ordinal", "boolean"), _discrete),
    "key": _key,
    "identifier": _identifier,
    "group": _group,
    "text": _text,
    **dict.fromkeys(PERSONAL, _personal),
    **dict.fromkeys(("constant", "empty"), _of_one_value),
}
_ON_A_LINE = ("integer", "continuous", "currency", "percent", "duration")
_TAKES = {
    "step": (*_ON_A_LINE, "time", "angle", "hour", "longitude", "latitude"),
    "range": _ON_A_LINE,
    "period": ("angle",),
}


def _ordinal(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn:
    """Return a column whose levels are declared, in their order."""
    label, order = stored.label, rules.own.levels
    found = sorted_levels(known, label)
    by_name: dict[str, Any] = {str(value): value for value in found}
    # a level may be typed as a word where the table holds a number, and the other way round
    levels: tuple[Scalar, ...] = tuple(
        level if level in found else by_name.get(str(level), level) for level in order
    )
    unknown = [value for value in found if value not in levels]
    if unknown:
        row = int(known.index[int((known == unknown[0]).to_numpy().argmax())])
        raise BadInput(
            f"{unknown[0]!r} in column '{label}', {rules.where(row)}",
            f"a level among {list(levels)[:20]}",
            "list it too",
        )
    return discrete(
        "ordinal", levels, series, stored, f"declared ordinal with {len(levels)} levels"
    )


def _moments(series: pd.Series, label: str, rules: Rules) -> pd.Series:
    """Return a column as dates.

    Raises:
        BadInput: the first value that is none, with its place and what leaves the column as it is.
    """
    if series.dtype.kind == "M":
        return series
    words = series.astype("string")
    try:
        return pd.to_datetime(words, format="ISO8601")
    except (ValueError, TypeError):
        read = pd.to_datetime(words, format="ISO8601", errors="coerce", utc=True)
    wrong = (read.isna() & series.notna()).to_numpy()
    if not wrong.any():
        raise BadInput(
            f"local times and times with a zone in column '{label}'", "all with a zone, or none"
        ) from None
    row = int(wrong.argmax())
    came = f"'{words.iloc[row]}' in column '{label}' declared datetime at {rules.where(row)}"
    fix = f"repair it, or declare another kind, such as {option(label, 'categorical')}"
    raise BadInput(came, "a date in ISO 8601, such as 2024-01-31", fix)
