"""A column whose kind the user chose: it is taken at that word, or refused with the value that does
not fit.

One idea: a declaration says what a value is, not how it is written; readings such as `day-first`
are none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import ColumnKind
from pushforward.data.folders import counted
from pushforward.data.tables.column_hints import READINGS
from pushforward.data.tables.found import FoundColumn, Rules, discrete, option, sorted_levels
from pushforward.data.tables.identifiers import group, key, personal_as
from pushforward.data.tables.numeric import datetime_column, number
from pushforward.data.tables.stored import Scalar, Stored
from pushforward.data.tables.surrogates.personal import PERSONAL


def declared(
    series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: Rules
) -> FoundColumn:
    """Return a column of the kind that the user chose, or of the order of an ordinal column.

    Raises:
        BadInput: an unknown kind, or values that do not fit it.
    """
    kind = rules.kind
    if kind == "key":
        return key(known, series, stored, rules)
    if kind == "group":
        return group(known, series, stored, rules)
    if kind in PERSONAL:
        return personal_as(kind, known, series, stored, rules)
    if isinstance(kind, str):
        if kind not in get_args(ColumnKind):
            known_kinds = [*get_args(ColumnKind), "key", *PERSONAL, *READINGS, "drop"]
            raise BadInput(f"kind '{kind}' of column '{label}'", "one of " + ", ".join(known_kinds))
    elif kind is not None:
        return _ordinal(series, known, stored, label, kind)
    if kind in ("categorical", "ordinal", "boolean"):
        levels = stored.levels or sorted_levels(known, label)
        if kind == "boolean" and len(levels) != 2:
            raise BadInput(
                f"column '{label}' of {len(levels)} values",
                "two for a boolean",
                "declare it categorical",
            )
        return discrete(
            kind, levels, series, stored, f"declared {kind}; {counted(len(levels), 'level')}"
        )
    if kind == "datetime":
        moments = _moments(series, label, rules)
        found = datetime_column(moments, replace(stored, dtype=str(moments.dtype)))
        return replace(found, said="declared datetime; " + found.said)
    if stored.dtype == "category" or series.dtype.kind not in "iufO":
        raise BadInput(
            f"column '{label}' of dtype {series.dtype} declared {kind}",
            "numbers",
            "convert it first",
        )
    real = kind == "continuous" and pd.api.types.infer_dtype(known) == "integer"
    try:
        numbers = known.astype(float)
    except (ValueError, TypeError):
        raise BadInput(
            f"column '{label}' declared {kind}", "numbers", "it holds other values"
        ) from None
    if kind == "integer" and bool((numbers != numbers.round()).any()):
        raise BadInput(
            f"column '{label}' declared integer", "whole numbers", "declare it continuous"
        )
    kept = replace(stored, dtype="float64") if real else stored
    found = number(series, known, kept, label, replace(rules, keep=True), real)
    return replace(found, said=f"declared {kind}; " + found.said)


def _ordinal(
    series: pd.Series, known: pd.Series, stored: Stored, label: str, order: Sequence[Scalar]
) -> FoundColumn:
    """Return a column whose levels are declared, in their order."""
    found = sorted_levels(known, label)
    by_name: dict[str, Any] = {str(value): value for value in found}
    # a level may be typed as a word where the table holds a number, and the other way round
    levels: tuple[Scalar, ...] = tuple(
        level if level in found else by_name.get(str(level), level) for level in order
    )
    unknown = [value for value in found if value not in levels]
    if unknown:
        raise BadInput(
            f"{unknown[0]!r} in column '{label}'",
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
