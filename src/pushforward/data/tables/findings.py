"""What was found of every column of a table, for its owner: kind, reason, how sure, what to check.

One idea: the same record is a line of `data describe`, its JSON, and an entry of a schema file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pushforward.core.table import Column
from pushforward.data.tables.declaration import ColumnDeclaration, Range, Scalar
from pushforward.data.tables.doubts import Confidence, Doubt, confidence_of
from pushforward.data.tables.found import FoundColumn
from pushforward.data.tables.notations.numbers import is_money
from pushforward.data.tables.stored import Stored


@dataclass(frozen=True)
class ColumnFinding:
    """One column of a table, as its owner should know it.

    Attributes:
        label: its name.
        kind: the word that declares such a column.
        reason: why it is that.
        share: of the cells with a value, those that fit.
        said: whether its owner said what it is.
        doubts: what else it could be.
        declaration: what declares it so in full, as an entry of a schema file.
        partner: the column that it makes a place on the globe with, empty for others.
    """

    label: str
    kind: str
    reason: str
    share: float
    said: bool
    doubts: tuple[Doubt, ...]
    declaration: ColumnDeclaration
    partner: str = ""

    @property
    def confidence(self) -> Confidence:
        """How sure the kind is."""
        return confidence_of(self.said, self.share, self.doubts)

    @property
    def line(self) -> str:
        """The column in a sentence."""
        fit = "" if self.share >= 1.0 else f", {100.0 * self.share:.3g} % of its cells fit"
        pair = f"; with '{self.partner}' a place on the globe" if self.partner else ""
        return f"{self.label}: {self.kind} ({self.confidence}{fit}): {self.reason}{pair}"

    @property
    def checks(self) -> list[str]:
        """What its owner should look at, with the option that takes it otherwise."""
        if self.confidence != "doubtful":
            return []
        return [
            f"{self.label}, taken for {self.kind}: {doubt.why}; {doubt.option(self.label)} takes it so"
            for doubt in self.doubts
            if doubt.open
        ] or [f"{self.label}, taken for {self.kind}: {100.0 * self.share:.3g} % of its cells fit"]

    def to_json(self) -> dict[str, Any]:
        """Return it as values that JSON has."""
        return {
            "name": self.label,
            "kind": self.kind,
            "reason": self.reason,
            "confidence": self.confidence,
            "cells that fit": self.share,
            "otherwise": [
                {
                    "declaration": doubt.word,
                    "why": doubt.why,
                    "decided": not doubt.open,
                    "option": doubt.option(self.label).strip("`"),
                }
                for doubt in self.doubts
            ],
            **({"pair": self.partner} if self.partner else {}),
        }


def finding_of(found: FoundColumn, own: ColumnDeclaration, partner: str = "") -> ColumnFinding:
    """Return what its owner should know of a column.

    Args:
        own: what was declared of it.
        partner: the column that it makes a place on the globe with.
    """
    kind = _kind_of(found)
    said = bool(own.what or own.reading)
    return ColumnFinding(
        found.stored.label,
        kind,
        "; ".join((found.said, *found.read)),
        found.share,
        said,
        found.doubts,
        _declaration(found, kind),
        partner,
    )


_CARRIED = {
    "date": "date",
    "time": "time",
    "duration": "duration",
    "timedelta": "duration",
    "period": "period",
}


def _kind_of(found: FoundColumn) -> str:
    """Return the word that declares a column."""
    column, stored = found.column, found.stored
    if column is None:
        return found.kind
    if found.kind and found.kind not in ("continuous", "integer", "datetime"):
        return found.kind
    if stored.carrier in _CARRIED:
        return _CARRIED[stored.carrier]
    if column.kind == "datetime":
        return "date" if _is_days(column, stored) else "datetime"
    if column.discrete:
        return column.kind
    number = getattr(stored.notation, "number", stored.notation)
    affix = f"{getattr(number, 'head', '')}{getattr(number, 'tail', '')}".strip()
    if affix == "%":
        return "percent"
    return "currency" if affix and is_money(affix) else column.kind


def _is_days(column: Column, stored: Stored) -> bool:
    """Return whether moments are days, as they are written and as they are."""
    clock = any(
        mark in getattr(stored.notation, "pattern", "") for mark in ("%H", "%I", "%-H", "%-I")
    )
    return column.step is not None and column.step >= 86400.0 and not clock


def _declaration(found: FoundColumn, kind: str) -> ColumnDeclaration:
    """Return what declares a column as it was found."""
    column, stored = found.column, found.stored
    levels: tuple[Scalar, ...] = stored.levels if kind == "ordinal" else ()
    missing = tuple(word for word in found.gone if word)
    reading = _reading(found, kind)
    if column is None or column.discrete:
        return ColumnDeclaration(kind, reading, levels, missing)
    if kind in ("date", "datetime", "period", "latitude"):
        return ColumnDeclaration(kind, reading, (), missing)
    step = (
        None
        if stored.rounded or (column.step == 1.0 and kind in ("integer", "hour"))
        else column.step
    )
    of_day = kind == "time" or column.period is not None
    ends: Range | None = (
        column.low if column.bounded_below else None,
        column.high if column.bounded_above else None,
    )
    if of_day or ends == (None, None):
        ends = None
    period = column.period if kind == "angle" else None
    return ColumnDeclaration(kind, reading, (), missing, step, ends, period)


def _reading(found: FoundColumn, kind: str) -> str:
    """Return how the cells of a column are read, where its kind does not say it."""
    column, stored = found.column, found.stored
    if stored.reading:
        return stored.reading
    if column is not None and column.kind == "datetime":
        pattern = getattr(stored.notation, "pattern", "").replace("%-", "%").replace("%e", "%d")
        if not pattern or "%b" in pattern or pattern.startswith("%Y") or "%m" not in pattern:
            return ""
        places = {word: pattern.find(mark) for word, mark in _MARKS if pattern.find(mark) >= 0}
        return f"{min(places, key=lambda word: places[word])}-first"
    if kind == "categorical" and stored.levels and not isinstance(stored.levels[0], str):
        return "number" if stored.notation is not None else ""
    number = getattr(stored.notation, "number", stored.notation)
    decimal, group = getattr(number, "decimal", ""), getattr(number, "group", "")
    if "," in (decimal, group) or group == ".":
        return "decimal-comma" if decimal == "," else "decimal-point"
    return ""


_MARKS = (("day", "%d"), ("month", "%m"), ("year", "%y"), ("year", "%Y"))
