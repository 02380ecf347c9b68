"""What is known about a row, as a user types it: `education=Bachelors,age=37`.

One idea: names and categories may hold commas and equals signs, so the text is cut where a *known*
column name is followed by `=`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import torch

from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Known
from pushforward.core.table import Column, Table, number_word
from pushforward.data.tables.carried import carrier_of, into_numbers
from pushforward.data.tables.notations.missing import MISSING
from pushforward.data.tables.stored import Stored, restore, seconds_of, snap, turned

_COMPARED = re.compile(r"\s*([^<>=≤≥]*[^<>=≤≥\s])\s*(?:<=|>=|<|>|≤|≥)")


def parse_known(text: str, table: Table, stored: Sequence[Stored]) -> Known:
    """Return what one row is known to hold: values, and ranges such as `age=30..50` or `age=30..`.

    Raises:
        BadInput: an unknown column or category (with the nearest), a number off the grid or out of
            range, a column named twice.

    Example:
        >>> known = parse_known("sex=m", Table((Column("sex", "categorical", ("f", "m")),)), [Stored("sex", "str")])
        >>> known.values.tolist(), known.mask.tolist()
        ([[1.0]], [[True]])
    """
    return known_rows([pieces_of(text, stored)], table, stored)


def pieces_of(text: str, stored: Sequence[Stored]) -> dict[str, str]:
    """Return the words for each column that a condition names.

    Raises:
        BadInput: no condition, an unknown column, or one that is named twice.

    Example:
        >>> pieces_of("a=x, y,b=2", [Stored("a", "str"), Stored("b", "int64")])
        {'a': 'x, y', 'b': '2'}
    """
    pieces = _pieces(text, [one.label for one in stored], _usable(stored))
    names = [name for name, _ in pieces]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"'{twice}' given twice in '{text}'", "each column once")
    return dict(pieces)


def known_rows(rows: Sequence[Mapping[str, Any]], table: Table, stored: Sequence[Stored]) -> Known:
    """Return what each row is known to hold, from mappings of columns to values.

    A value is the user's own (a category, a number, a date) or its words; a pair `(low, high)` or
    `"30..50"` is a range whose end may be None; None and NaN are a missing value.

    Raises:
        BadInput: an unknown column or category (with the nearest), a number off the grid or out of
            range.

    Example:
        >>> known = known_rows([{"sex": "m"}, {}], Table((Column("sex", "categorical", ("f", "m")),)), [Stored("sex", "str")])
        >>> known.mask.tolist()
        [[True], [False]]
    """
    names = [one.label for one in stored]
    places = {column.name: place for place, column in enumerate(table.columns)}
    values = torch.zeros(len(rows), len(places), dtype=torch.float64)
    mask = torch.zeros(len(rows), len(places), dtype=torch.bool)
    low, high = torch.full_like(values, -math.inf), torch.full_like(values, math.inf)
    for i, row in enumerate(rows):
        for label, value in row.items():
            name, word = str(label), _words(value)
            if name not in names:
                raise _unknown_column(name, _usable(stored))
            one = stored[names.index(name)]
            if one.role != "modelled":
                _check_constant(one, word)
                continue
            column, place = table.columns[places[name]], places[name]
            if ".." in word and not column.discrete:
                low[i, place], high[i, place] = _range(column, one, word)
                continue
            values[i, place] = _value(column, one, word, _usable(stored))
            _check_shown(column, one, word, float(values[i, place]))
            mask[i, place] = True
    ranged = bool(torch.isfinite(torch.cat([low, high])).any())
    return Known(values, mask, low if ranged else None, high if ranged else None)


def _check_shown(column: Column, stored: Stored, word: str, value: float) -> None:
    """Refuse a value that samples do not show.

    Raises:
        BadInput: too few rows held it when the model was trained.
    """
    protection = stored.protection
    if protection is not None and bool(protection.hidden(np.array([value]), column)[0]):
        raise BadInput(
            f"'{column.name}={word}'",
            "a value that more rows of the training data share: samples do not show it",
            "`-s data.protect=0` when training shows everything",
        )


def _words(value: Any) -> str:
    """Return a value as it would be typed."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return "..".join("" if end is None else _words(end) for end in value)
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and math.isnan(value))
    ):
        return ""
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _usable(stored: Sequence[Stored]) -> list[str]:
    """Return the columns on which a row can be conditioned: none that is left out or the same in
    every row."""
    return [one.label for one in stored if one.role == "modelled"]


def _pieces(text: str, names: list[str], usable: list[str]) -> list[tuple[str, str]]:
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    starts = list(re.finditer(rf"(?:\A|,)\s*({longest_first})\s*=", text))
    if not starts or starts[0].start() != 0:
        name, equals, _ = text.partition("=")
        compared = _COMPARED.match(text)
        if compared is not None and compared[1] in usable:
            ways = f"{compared[1]}=LOW.., {compared[1]}=..HIGH or {compared[1]}=LOW..HIGH"
            raise BadInput(
                f"the condition '{text}'",
                "column=value,column=value",
                f"a range of numbers is {ways}",
            )
        if not equals:
            raise BadInput(
                f"the condition '{text}'", "column=value,column=value", f"such as {usable[0]}=..."
            )
        raise _unknown_column(name.strip(), usable)
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [
        (match[1], text[match.end() : end].strip()) for match, end in zip(starts, ends, strict=True)
    ]


def _unknown_column(name: str, names: list[str]) -> BadInput:
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return BadInput(f"unknown column '{name}'", f"one of {shown}", closest(name, names))


def _value(column: Column, stored: Stored, word: str, names: list[str]) -> float:
    if column.discrete and word in column.categories:
        return float(column.categories.index(word))
    if column.missing and (word in MISSING or word in stored.marks):
        return math.nan
    # a comma inside a value is legal, but "value,colunm=other" is more likely a misspelt column
    rest = re.search(r",\s*([^,=]+?)\s*=", word)
    if rest is not None:
        raise _unknown_column(rest[1], names)
    if column.discrete:
        shown = ", ".join(column.categories[:20]) + (", ..." if len(column.categories) > 20 else "")
        came = f"unknown category '{word}' of column '{column.name}'"
        raise BadInput(came, f"one of {shown}", closest(word, column.categories))
    return number_of_word(column, stored, word)


def _range(column: Column, stored: Stored, word: str) -> tuple[float, float]:
    ends = [end.strip() for end in word.split("..")]
    if len(ends) != 2 or not any(ends):
        raise BadInput(f"'{column.name}={word}'", "low..high, low.. or ..high")
    low = number_of_word(column, stored, ends[0]) if ends[0] else -math.inf
    high = number_of_word(column, stored, ends[1]) if ends[1] else math.inf
    if low > high and column.period is not None:
        raise BadInput(
            f"'{column.name}={word}', which goes over the end of the turn",
            f"a range between {number_word(column.low, column.step)} and {number_word(column.high, column.step)}",
            "ask for either side by itself",
        )
    if low > high:
        raise BadInput(f"'{column.name}={word}'", "a low end that is not above the high end")
    return low, high


def number_of_word(column: Column, stored: Stored, word: str) -> float:
    """Return the number of a column that a word stands for, in the column's own notation.

    Raises:
        BadInput: no number, or one that is off the grid or out of range.
    """
    dates = column.kind == "datetime"
    value = _as_written(word, stored)
    try:
        if value is None:
            value = _moment(word, stored) if dates else float(word)
    except (ValueError, TypeError):
        value = math.nan
    if not math.isfinite(value):
        such = f", such as {_example(column, stored)}" if dates or stored.carrier else ""
        raise BadInput(
            f"'{column.name}={word}'",
            ("a date" if dates else "a number" if not such else "a value") + such,
        )
    snapped, wrong = snap(turned(np.array([value]), column), column, stored)
    if wrong[0]:
        raise BadInput(f"'{column.name}={word}'", f"a multiple of {column.step:g}")
    value = float(snapped[0])
    below, above = (
        column.bounded_below and value < column.low,
        column.bounded_above and value > column.high,
    )
    if below or above:
        least, most = (number_word(end, column.step) for end in (column.low, column.high))
        upper = f" to {most}" if column.bounded_above else " or more"
        raise BadInput(
            f"'{column.name}={word}'", f"{least}{upper}", "the model gives it no probability"
        )
    return value


def _as_written(word: str, stored: Stored) -> float | None:
    """Return the number behind a word in the column's own notation, or as its type is written; None
    for other words."""
    found = None if stored.notation is None else stored.notation.value(word)
    try:
        if found is None and stored.carrier == "period":
            found = pd.Period(word, freq=stored.outer.removeprefix("period[").removesuffix("]"))
        elif found is None and stored.carrier in ("duration", "timedelta"):
            found = None if word.replace(".", "", 1).isdigit() else pd.Timedelta(word)
        elif found is None and stored.carrier == "time":
            found = None if word.isdigit() else datetime.fromisoformat(f"1970-01-01 {word}").time()
    except ValueError:
        return math.nan
    if found is None or isinstance(found, int | float):
        return found
    series = pd.Series([found], dtype=stored.outer if stored.carrier == "duration" else None)
    series = into_numbers(series, carrier_of(series))
    if series.dtype.kind != "M":
        return float(series.iloc[0])
    zone = getattr(pd.api.types.pandas_dtype(stored.dtype), "tz", None)
    return float(
        seconds_of(
            series.dt.tz_localize(zone) if zone is not None and series.dt.tz is None else series
        )[0]
    )


def _example(column: Column, stored: Stored) -> str:
    shown = restore(stored, column, np.array([column.low])).iloc[0]
    written = stored.notation is not None and not stored.text
    return (
        stored.notation.write(shown)
        if written and stored.notation
        else str(shown).removesuffix(" 00:00:00")
    )


def _moment(word: str, stored: Stored) -> float:
    moment = pd.Series(pd.to_datetime([word], format="ISO8601"))
    zone = getattr(pd.api.types.pandas_dtype(stored.dtype), "tz", None)
    if zone is not None and moment.dt.tz is None:
        moment = moment.dt.tz_localize(zone)
    if zone is None and moment.dt.tz is not None:
        raise ValueError(word)
    return float(seconds_of(moment)[0])


def _check_constant(stored: Stored, word: str) -> None:
    if stored.role == "constant":
        value = restore(stored, None, np.zeros(1)).iloc[0]
        if word != str(value) and (stored.notation is None or stored.notation.value(word) != value):
            raise BadInput(
                f"'{stored.label}={word}'",
                f"{value}, the only value of that column in the training table",
            )
    elif stored.role == "absent" and word not in MISSING:
        raise BadInput(
            f"'{stored.label}={word}'", "nothing: that column had no value in the training table"
        )
    elif stored.role == "surrogate":
        raise BadInput(
            f"'{stored.label}={word}'", "a column that is modelled", "identifiers are made anew"
        )
    elif stored.role == "excluded":
        raise BadInput(
            f"'{stored.label}={word}'",
            "a column that is modelled",
            "it was left out as an identifier",
        )
