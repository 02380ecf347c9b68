"""What a user says of one column: its kind, how its cells are read, its levels, its grid and range,
and which words in it mean that there is no value.

One idea: a word, a list of levels and an entry of a schema file are one declaration, so that the
command line, Python and a file say the same things.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pushforward.core.errors import BadInput, a_json_type, nearest
from pushforward.data.tables.column_hints import READINGS
from pushforward.data.tables.column_kinds import Cells, KindOfColumn, kind_of_column

Scalar = str | int | float | bool
Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class ColumnDeclaration:
    """What is said of one column; what is not said is inferred.

    Attributes:
        kind: one of `KINDS_OF_COLUMNS`.
        reading: how its cells are read, one of `READINGS`.
        levels: of an ordinal column, in order.
        missing: words, or numbers, that mean that there is no value.
        step: spacing of the grid of numbers, 0 for none.
        range: the ends that numbers never pass, None = no end on that side.
        period: after which numbers begin again, as of directions.

    Example:
        >>> declaration_of("size", ["S", "M"]).levels, declaration_of("day", "day-first").reading
        (('S', 'M'), 'day-first')
        >>> declaration_of("age", {"kind": "integer", "range": [0, None]}).range
        (0.0, None)
    """

    kind: str = ""
    reading: str = ""
    levels: tuple[Scalar, ...] = ()
    missing: tuple[Scalar, ...] = ()
    step: float | None = None
    range: Range | None = None
    period: float | None = None

    @property
    def what(self) -> str | tuple[Scalar, ...] | None:
        """The kind, or the levels of an ordinal column; None where it is inferred."""
        return self.levels or self.kind or None

    @property
    def says_what(self) -> bool:
        """Whether it says what a column is, not only how it is read, or that it goes."""
        numbers = self.step is not None or self.range is not None or self.period is not None
        return numbers or (self.what is not None and self.kind != "drop")

    @property
    def cells(self) -> Cells:
        """How its cells are read; numbers that name something may be read as numbers."""
        found = kind_of_column(self.kind, "").cells if self.kind else "any"
        return "any" if found == "words" and self.reading == "number" else found


UNSAID = ColumnDeclaration()


def declaration_of(label: str, said: Any) -> ColumnDeclaration:
    """Return what is said of a column, as a word, a list of levels, or a mapping with the fields of
    `ColumnDeclaration`.

    Raises:
        BadInput: an unknown kind, reading or field (with the nearest), or a value of another shape.
    """
    if isinstance(said, ColumnDeclaration):
        return said
    if said is None:
        return UNSAID
    if isinstance(said, str):
        if said in READINGS:
            return ColumnDeclaration(reading=said)
        return ColumnDeclaration(kind=kind_of_column(said, label).name)
    if isinstance(said, Mapping):
        return _of_fields(label, {str(key): value for key, value in said.items()})
    if isinstance(said, Sequence) and said:
        return ColumnDeclaration("ordinal", levels=_scalars(label, "levels", said))
    raise BadInput(
        f"{said!r} as what column '{label}' is",
        "a kind such as `integer`, a list of levels, or an entry with `kind`",
        f"such as -s data.columns.{label}=categorical",
    )


def _of_fields(label: str, said: Mapping[str, Any]) -> ColumnDeclaration:
    known = [field.name for field in fields(ColumnDeclaration)]
    unknown = next((key for key in said if key not in known), None)
    if unknown is not None:
        raise BadInput(
            f"'{unknown}' of column '{label}'",
            "one of " + ", ".join(known),
            nearest(unknown, known).partition("known:")[0],
        )
    kind, reading = said.get("kind") or "", said.get("reading") or ""
    if kind in READINGS:
        kind, reading = "", reading or kind
    if reading and reading not in READINGS:
        raise BadInput(
            f"reading '{reading}' of column '{label}'",
            "one of " + ", ".join(READINGS),
            nearest(str(reading), READINGS).partition("known:")[0],
        )
    found: KindOfColumn | None = kind_of_column(str(kind), label) if kind else None
    levels = _scalars(label, "levels", said.get("levels"))
    if levels and found is not None and found.name != "ordinal":
        raise BadInput(
            f"levels of column '{label}', which is {found.name}",
            "levels of an ordinal column",
            "leave one of them out",
        )
    return ColumnDeclaration(
        "ordinal" if levels else "" if found is None else found.name,
        reading,
        levels,
        _scalars(label, "missing", said.get("missing")),
        _number(label, "step", said.get("step")),
        _range(label, said.get("range")),
        _number(label, "period", said.get("period"), above=0.0),
    )


def _scalars(label: str, field: str, said: Any) -> tuple[Scalar, ...]:
    if said is None:
        return ()
    several = [said] if isinstance(said, Scalar) else said
    fine = isinstance(several, Sequence) and all(isinstance(one, Scalar) for one in several)
    if not fine:
        raise BadInput(
            f"{field} of column '{label}': {a_json_type(said)}",
            "a list of words or numbers",
            "in quotes where a word looks like something else, such as 'NO'",
        )
    if field == "levels" and len(set(several)) < len(several):
        twice = next(one for place, one in enumerate(several) if one in several[:place])
        raise BadInput(f"level {twice!r} of column '{label}' twice", "each level once")
    return tuple(several)


def _number(label: str, field: str, said: Any, above: float | None = None) -> float | None:
    if said is None:
        return None
    fine = isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said)
    if not fine or said < 0 or (above is not None and said <= above):
        raise BadInput(
            f"{field} of column '{label}': {said!r}",
            "a positive number" if above is not None else "a number of 0 or more",
        )
    return float(said)


def _range(label: str, said: Any) -> Range | None:
    if said is None:
        return None
    ends = list(said) if isinstance(said, Sequence) and not isinstance(said, str) else []
    fine = len(ends) == 2 and all(
        end is None
        or (isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end))
        for end in ends
    )
    if not fine or (None not in ends and not ends[0] <= ends[1]):
        raise BadInput(
            f"range of column '{label}': {said!r}",
            "two numbers, the lower first, such as [0, 100]",
            "null is no end, as in [0, null]",
        )
    low, high = (None if end is None else float(end) for end in ends)
    return low, high
