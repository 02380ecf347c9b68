"""The values of a column whose cells were understood: words, booleans, numbers or moments, and what
stood for a missing one.

One idea: every word that counted as missing is remembered, so that the next file with these columns
is read the same way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pushforward.data.folders import few
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.gap_words import gap_words, gaps_lost, usual
from pushforward.data.tables.notations.aside import ASIDE, AsideNotation
from pushforward.data.tables.notations.booleans import FALSE, TRUE, BooleanNotation
from pushforward.data.tables.notations.missing import MISSING
from pushforward.data.tables.notations.notation import Notation, Written
from pushforward.data.tables.notations.respelled import Respelled
from pushforward.data.tables.spelling import as_most_are, respelled


@dataclass(frozen=True)
class Typed:
    """A column as values: None where missing; how it was written; what was decided, and what of it
    is lost.

    `decimal` and `order` are what it tells of the rest of the file, `asks` is True where the rest
    of the file could decide; `marks` are the words that count as missing here and not everywhere;
    `reading` is the declaration that would read the column so, where its notation does not say it;
    `otherwise` are the cells that come back in another spelling, of which `lost` says so; `doubts`
    are other ways to read it, `share` is that of the cells with a value that fit, `gone` are the
    words that counted as missing, and `undecided` says which dates mean two days, where nothing in
    the column decides it.
    """

    series: pd.Series
    notation: Notation | None = None
    absent: str = ""
    said: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    decimal: str = ""
    order: str = ""
    asks: bool = False
    marks: tuple[str, ...] = ()
    reading: str = ""
    otherwise: Respelled | None = None
    doubts: tuple[Doubt, ...] = ()
    share: float = 1.0
    gone: tuple[str, ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()

    def written(self, reading: str) -> Written:
        """Return how its cells are written; `reading` is how they were said to be read."""
        return Written(
            self.notation,
            self.absent,
            self.marks,
            reading,
            self.otherwise,
            self.doubts,
            self.share,
            self.gone,
            self.said,
        )

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.series.nunique())

    @property
    def around(self) -> str:
        """What stands around its numbers: a currency, a unit."""
        number = getattr(self.notation, "number", self.notation)
        return f"{getattr(number, 'head', '')}{getattr(number, 'tail', '')}"

    @property
    def timed(self) -> bool:
        """Whether these are dates, months or times."""
        kind = "" if self.notation is None else self.notation.kind
        inner = getattr(self.notation, "inner", None)
        return (kind if inner is None else inner.kind) in ("date", "month", "clock", "span", *ASIDE)


@dataclass
class Way:
    """A way to read a column: what every cell stands for, and in which words this is said."""

    values: dict[str, Any]
    notation: Notation
    kind: str
    said: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    decimal: str = ""
    order: str = ""
    asks: bool = False
    reading: str = ""
    zoned: bool = False
    heeded: bool = False
    doubts: list[Doubt] = field(default_factory=list)
    undecided: tuple[tuple[str, str], ...] = ()


def text_of(
    cells: Sequence[str], counts: Counter[str], empty: set[str], said: tuple[str, ...] = ()
) -> Typed:
    """Return a column of words, or of nothing."""
    kept = {cell: cell for cell in counts if cell not in empty}
    notes, lost = (*gap_words(empty), *said), gaps_lost(empty, counts)
    series = (
        pd.Series([kept.get(cell) for cell in cells])
        if kept
        else pd.Series([None] * len(cells), dtype="float64")
    )
    marks, gone = _marks(empty), _words(empty)
    absent = usual(empty, counts)
    return Typed(series, absent=absent, said=notes, lost=lost, marks=marks, gone=gone)


def _words(gaps: Collection[str]) -> tuple[str, ...]:
    """Return the words for a missing value that are no empty cells."""
    return tuple(sorted({cell.strip() for cell in gaps} - {""}))


def _marks(gaps: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({cell.strip() for cell in gaps} - set(MISSING)))


def booleans_of(cells: Sequence[str], counts: Counter[str], gaps: set[str]) -> Typed:
    """Return a column of booleans."""
    values = [None if cell in gaps else cell.strip() in TRUE for cell in cells]
    series = pd.Series(values, dtype="boolean" if gaps else "bool")
    spelled: Counter[str] = Counter()
    for cell, times in counts.items():
        spelled[cell.strip()] += 0 if cell in gaps else times
    pair = max(
        zip(TRUE, FALSE, strict=True), key=lambda words: sum(spelled[word] for word in words)
    )
    others = sorted(word for word, times in spelled.items() if times and word not in pair)
    said = f"{few(others)} are read as {' and '.join(pair)}" if others else ""
    lost = (f"their spelling ({few(others)}): written as {' and '.join(pair)}",) if others else ()
    notes = (*gap_words(gaps), *([said] if said else ()))
    lost = (*lost, *gaps_lost(gaps, counts))
    return Typed(
        series,
        BooleanNotation(pair[0], pair[1]),
        usual(gaps, counts),
        notes,
        lost,
        marks=_marks(gaps),
        gone=_words(gaps),
    )


def values_of(
    cells: Sequence[str],
    counts: Counter[str],
    gaps: set[str],
    found: Way,
    odd: set[str],
    declared: bool = False,
) -> Typed:
    """Return a column of numbers, dates or times.

    Args:
        gaps: cells that count as missing, `odd` ones among them that are words.
        declared: True if words are gaps because the user says so: none of them is written where
            another was.
    """
    values = found.values
    listed = [values.get(cell) for cell in cells]
    said = (*gap_words(gaps - odd), *found.said)
    written = gaps - odd if declared else gaps
    absent = usual(written, counts)
    if isinstance(found.notation, AsideNotation):
        # a frame has no type for them, so that they stay the cells that they are
        texts = [None if value is None else cell for value, cell in zip(listed, cells, strict=True)]
        series = pd.Series(texts)
    elif found.kind == "numbers":
        whole = all(isinstance(value, int) for value in values.values())
        dtype = ("Int64" if gaps else "int64") if whole else "float64"
        series = pd.Series(listed, dtype=dtype)
    else:
        series = _of_time(listed, cells, found)
    marks, lost = _marks(gaps), tuple(found.lost)
    # moments of several zones are all written in one, which is said
    changed = {} if found.zoned else respelled(cells, series, found.notation)
    otherwise = Respelled(changed, counts, found.kind) if changed else None
    if otherwise is not None:
        lost = (*lost, otherwise.said)
    if changed or found.zoned:
        said = tuple(map(as_most_are, said))
    lost = (*lost, *gaps_lost(written, counts))
    return Typed(
        series,
        found.notation,
        absent,
        said,
        lost,
        found.decimal,
        found.order,
        found.asks,
        marks,
        found.reading,
        otherwise,
        tuple(found.doubts),
        _share(values, odd, counts),
        _words(gaps),
        found.undecided,
    )


def _share(values: Collection[str], odd: set[str], counts: Counter[str]) -> float:
    """Return the share of cells with a value that were read."""
    fit, not_fit = sum(counts[cell] for cell in values), sum(counts[cell] for cell in odd)
    return fit / (fit + not_fit) if fit else 1.0


def _of_time(listed: list[Any], cells: Sequence[str], found: Way) -> pd.Series:
    first = next(value for value in listed if value is not None)
    if isinstance(first, pd.Period):
        return pd.Series(
            pd.PeriodIndex([pd.NaT if v is None else v for v in listed], freq=first.freq)
        )
    pattern = getattr(found.notation, "pattern", None)
    if pattern is None:
        return (
            pd.Series(listed, dtype=object)
            if not hasattr(first, "days")
            else pd.Series(pd.to_timedelta(listed)).astype("timedelta64[us]")
        )
    if "%f" in pattern and any(re.search(r"[.,]\d{7,9}", cell) for cell in cells):
        # a microsecond is the end of Python's own moments
        written = [
            None if value is None else cell.strip().replace(",", ".")
            for value, cell in zip(listed, cells, strict=True)
        ]
        return pd.Series(pd.to_datetime(written, format="ISO8601", utc="%z" in pattern))
    if "%z" in pattern:
        return pd.Series(pd.to_datetime(listed, utc=True)).astype("datetime64[us, UTC]")
    return pd.Series(listed, dtype="datetime64[us]")
