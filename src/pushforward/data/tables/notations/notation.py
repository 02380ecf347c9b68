"""How the cells of one column are written: a notation reads a cell as a value and writes a value as
a cell.

One idea: a notation is found once, from what most cells of a column are, and travels with the run;
so samples are written as the file was, and other files are read the same way.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.notations.respelled import Respelled


class Notation(ABC):
    """The way a column is written. Concrete notations are frozen dataclasses with a `kind`, so that
    JSON holds them."""

    kind: str

    @property
    def grid(self) -> float | None:
        """The spacing of the numbers that it writes, where that is no power of ten; None if cells
        say it."""
        return None

    @abstractmethod
    def value(self, cell: str) -> Any:
        """Return what a cell stands for, None if it is not written this way."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """Return the cell of a value, which must not be missing; `value(write(v)) == v` up to the
        notation's own precision."""

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Notation:
        """Rebuild it from the fields of its dataclass."""
        return cls(**record)

    @property
    @abstractmethod
    def said(self) -> str:
        """The notation in words, empty if it is the plain one."""


@dataclass(frozen=True)
class Written:
    """How a column was written in its file: its notation (None for words), how a missing value is,
    all words for one, how the user said that it is to be read, the cells that come back in another
    spelling (None without any), how else it could be read, the share of its cells that fit, the
    words that counted as missing, and what was said of all that."""

    notation: Notation | None
    absent: str = ""
    marks: tuple[str, ...] = ()
    reading: str = ""
    otherwise: Respelled | None = None
    doubts: tuple[Doubt, ...] = ()
    share: float = 1.0
    gone: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


_KINDS = {
    "boolean": ("booleans", "BooleanNotation"),
    "number": ("numbers", "NumberNotation"),
    "magnitude": ("magnitudes", "MagnitudeNotation"),
    "date": ("dates", "DateNotation"),
    "month": ("months", "MonthNotation"),
    "clock": ("clock", "ClockNotation"),
    "span": ("spans", "SpanNotation"),
    "coordinate": ("coordinates", "CoordinateNotation"),
    "partial": ("aside", "PartialNotation"),
    "offset": ("aside", "OffsetNotation"),
    "script": ("script", "ScriptNotation"),
}


def notation_from_json(record: dict[str, Any]) -> Notation:
    """Rebuild a notation from the fields of its dataclass.

    Raises:
        BadInput: a kind that this version does not know.
    """
    kind = str(record.get("kind", ""))
    if kind not in _KINDS:
        raise BadInput(
            f"a notation of kind '{kind}'", "one of " + ", ".join(_KINDS), "update pushforward"
        )
    module, name = _KINDS[kind]
    made: type[Notation] = getattr(
        importlib.import_module(f"pushforward.data.tables.notations.{module}"), name
    )
    return made.from_json(record)
