"""A column whose kind the user chose: it is taken at that word, or refused with the value that does not fit.

One idea: a declaration says what a value is, not how it is written; readings such as `day-first` are none of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import ColumnKind
from pushforward.data.tables.asked import READINGS
from pushforward.data.tables.found import Found, Rules, discrete, sorted_levels
from pushforward.data.tables.numeric import datetime_column, number
from pushforward.data.tables.stored import Stored


def declared(series: pd.Series, known: pd.Series, stored: Stored, label: str, rules: Rules) -> Found:
    """Return a column of the kind that the user chose, or of the order of an ordinal column.

    Raises:
        BadInput: an unknown kind, or values that do not fit it.
    """
    kind = rules.kind
    if isinstance(kind, str):
        if kind not in get_args(ColumnKind):
            known_kinds = [*get_args(ColumnKind), *READINGS, "drop"]
            raise BadInput(f"kind '{kind}' of column '{label}'", "one of " + ", ".join(known_kinds))
    elif kind is not None:
        levels = tuple(kind)
        unknown = [v for v in sorted_levels(known, label) if v not in levels]
        if unknown:
            raise BadInput(f"{unknown[0]!r} in column '{label}'", f"a level among {list(levels)[:20]}", "list it too")
        return discrete("ordinal", levels, series, stored, f"declared ordinal with {len(levels)} levels")
    if kind in ("categorical", "ordinal", "boolean"):
        levels = stored.levels or sorted_levels(known, label)
        if kind == "boolean" and len(levels) != 2:
            raise BadInput(f"column '{label}' of {len(levels)} values", "two for a boolean", "declare it categorical")
        return discrete(kind, levels, series, stored, f"declared {kind}; {len(levels)} levels")
    if kind == "datetime":
        try:
            moments = series if series.dtype.kind == "M" else pd.to_datetime(series.astype("string"), format="ISO8601")
        except (ValueError, TypeError) as error:
            came = f"column '{label}' declared datetime ({str(error).splitlines()[0]})"
            raise BadInput(came, "dates in ISO 8601, such as 2024-01-31") from None
        found = datetime_column(moments, replace(stored, dtype=str(moments.dtype)))
        return replace(found, said="declared datetime; " + found.said)
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
    found = number(series, known, kept, label, replace(rules, keep=True), real)
    return replace(found, said=f"declared {kind}; " + found.said)
