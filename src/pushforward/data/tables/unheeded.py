"""Declarations of how a column is read that decide nothing there: what is said of them.

One idea: whoever asks for something hears what became of it, also where that is nothing.
"""

from __future__ import annotations

from pushforward.data.tables.column_hints import DECIMALS, ORDERS, Asked
from pushforward.data.tables.typed_values import Way


def unheeded(asked: Asked, found: Way | None, what: str = "this is read as text") -> list[str]:
    """Return what is said of a declared reading that did not act; nothing if it did, or if a run's
    own notation reads the column.

    Args:
        found: how the column is read, None for words.
        what: what it is where `found` is None.

    Example:
        >>> unheeded(Asked("field 1 of t.csv", "v", reading="day-first"), None)
        ['`day-first` was asked for, but decides nothing: this is read as text']
    """
    reading = asked.reading
    if not reading or asked.notation is not None:
        return []
    if found is None:
        return [decides_nothing(reading, what)]
    if reading == "number":
        return (
            []
            if found.kind == "numbers"
            else [decides_nothing(reading, f"these are read as {found.kind}")]
        )
    if reading in ORDERS:
        if found.heeded:
            return []
        if found.kind != "dates":
            return [decides_nothing(reading, f"these are read as {found.kind}")]
        swapped = found.asks or found.order
        return [
            decides_nothing(
                reading,
                "these are no dates in that order"
                if swapped
                else "these dates say themselves what is what",
            )
        ]
    if found.kind != "numbers":
        return [decides_nothing(reading, f"these are read as {found.kind}")]
    number = getattr(found.notation, "number", found.notation)
    decimal = getattr(number, "decimal", "")
    marks = "".join(found.values)
    if "," not in marks and "." not in marks:
        return [decides_nothing(reading, "no number here has a comma or a point")]
    if decimal == DECIMALS[reading]:
        return []
    name = "point" if decimal == "." else "comma"
    return [
        decides_nothing(
            reading, f"only with a {name} before their decimals can these numbers be read"
        )
    ]


def decides_nothing(reading: str, why: str) -> str:
    """Return the sentence on a reading that decides nothing.

    Example:
        >>> decides_nothing("number", "this is read as text")
        '`number` was asked for, but decides nothing: this is read as text'
    """
    return f"`{reading}` was asked for, but decides nothing: {why}"
