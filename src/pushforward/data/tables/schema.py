"""From a DataFrame to the columns of a table: what each value is, on which grid, within which
bounds.

Two ideas: every decision is a sentence with its reason and can be overridden by name; nothing is
dropped without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import Table
from pushforward.data.tables.circular import pairs
from pushforward.data.tables.column_of import aside_of, column_of
from pushforward.data.tables.dated import refuse_undecided
from pushforward.data.tables.declaration import UNSAID, ColumnDeclaration, declaration_of
from pushforward.data.tables.findings import ColumnFinding, finding_of
from pushforward.data.tables.foreign_keys import asked_about
from pushforward.data.tables.found import FoundColumn, Rules, place_of
from pushforward.data.tables.identifiers import country_of
from pushforward.data.tables.notations.notation import Written
from pushforward.data.tables.sheet import require_labels
from pushforward.data.tables.stored import Stored
from pushforward.data.tables.surrogates.personal import of_one_person

BOUNDS = ("natural", "observed", "none")
Declared = str | Sequence[Any] | Mapping[str, Any] | ColumnDeclaration


@dataclass(frozen=True)
class Schema:
    """What inference found: the space, every column of the frame, a sentence per decision, what is
    lost, and of every column its kind and how sure that is."""

    table: Table
    stored: tuple[Stored, ...]
    notes: tuple[str, ...]
    lost: tuple[str, ...] = ()
    findings: tuple[ColumnFinding, ...] = ()


def infer(
    frame: pd.DataFrame,
    columns: Mapping[str, Declared] | None = None,
    keep: Collection[str] = (),
    bounds: str = "natural",
    written: Mapping[str, Written] | None = None,
    lines: Sequence[int] | None = None,
) -> Schema:
    """Return the columns of a table.

    Args:
        columns: kinds by name that override what would be inferred, or what `declaration_of` takes;
            a list declares an ordinal column in that order.
        keep: names of identifiers to model anyway.
        bounds: `natural`: numbers that are never negative stay so, and integers of at most 32
            values keep their range; `observed`: every number keeps its range; `none`: no number is
            bounded.
        written: how the columns of a file were written; text in other frames is looked through for
            numbers and dates.
        lines: the line of each row in its file, None if there is none.

    Raises:
        BadInput: no rows, duplicate names, dtypes without a meaning here, infinity, or a
            declaration that does not fit.

    Example:
        >>> infer(pd.DataFrame({"age": [17, 90], "sex": ["f", "m"]})).notes[0]
        "column 'age': 2 distinct integers from 17 to 90, so integer, never below 0"
    """
    if bounds not in BOUNDS:
        raise BadInput(f"bounds='{bounds}'", "one of " + ", ".join(BOUNDS))
    labels = _labels(frame)
    require_labels([*(columns or {}), *keep], labels)
    asked = {label: declaration_of(label, said) for label, said in (columns or {}).items()}
    country = country_of(frame)
    every = [
        Rules(own.what, label in keep, bounds, lines, country, own, labels=labels)
        for label, own in ((label, asked.get(label, UNSAID)) for label in labels)
    ]
    found = asked_about(_columns(frame, labels, every, written))
    partner = pairs(found)
    findings = tuple(
        finding_of(one, asked.get(label, UNSAID), partner.get(label, ""))
        for one, label in zip(found, labels, strict=True)
    )
    found = _with_asides(found, labels)
    surrogates = of_one_person([one.stored.surrogate for one in found])
    stored = [
        replace(one.stored, surrogate=surrogate)
        for one, surrogate in zip(found, surrogates, strict=True)
    ]
    modelled = [one.column for one in found if one.column is not None]
    notes = [f"column '{one.stored.label}': {one.said}" for one in found]
    if not modelled:
        raise BadInput(
            f"no column to model ({'; '.join(notes[:3])})", "at least one column that varies"
        )
    lost = tuple(f"column '{one.stored.label}': {one.lost}" for one in found if one.lost)
    return Schema(Table(tuple(modelled)), tuple(stored), tuple(notes), lost, findings)


def _with_asides(found: Sequence[FoundColumn], labels: Sequence[str]) -> list[FoundColumn]:
    """Return all columns, what the cells of one say beside their moments before it."""
    every: list[FoundColumn] = []
    for one in found:
        what = getattr(one.stored.notation, "what", "")
        label = f"{one.stored.label} {what}"
        while label in labels:
            label += " as written"
        aside = aside_of(one, label) if what else None
        every += [one] if aside is None else [aside, one]
    return every


def _columns(
    frame: pd.DataFrame,
    labels: Sequence[str],
    every: Sequence[Rules],
    written: Mapping[str, Written] | None,
) -> list[FoundColumn]:
    """Return what every column is; what dates in one say of the order of days and months decides in
    the others of a frame, where these do not.

    Raises:
        BadInput: dates of which nothing decides it.
    """
    # rows are named by their place, whatever a frame's index calls them
    series = [frame.iloc[:, place].reset_index(drop=True) for place in range(len(labels))]

    def look(place: int, rules: Rules) -> FoundColumn:
        label = labels[place]
        of_file = None if written is None else written.get(label, Written(None))
        return column_of(series[place], frame.columns[place], label, rules, of_file)

    found = [look(place, rules) for place, rules in enumerate(every)]
    unsure = [place for place, one in enumerate(found) if one.undecided]
    orders = {one.order for one in found if one.order}
    order = orders.pop() if len(orders) == 1 else ""
    for place in unsure:
        found[place] = look(place, replace(every[place], order=order)) if order else found[place]
        cells = series[place].tolist()
        refuse_undecided(
            found[place].undecided,
            labels[place],
            series[place].nunique(),
            lambda cell, cells=cells: place_of(cells.index(cell)),
        )
    return found


def _labels(frame: pd.DataFrame) -> list[str]:
    if len(frame) == 0 or len(frame.columns) == 0:
        raise BadInput(
            f"a table of {len(frame)} rows and {len(frame.columns)} columns", "at least one of each"
        )
    for name in frame.columns:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            fix = "frame.columns = ['_'.join(map(str, name)) for name in frame.columns] joins rows of names"
            fix = fix if isinstance(name, tuple) else "rename it"
            raise BadInput(f"a column named {name!r}", "names that are text or integers", fix)
    labels = [str(name) for name in frame.columns]
    if len(set(labels)) < len(labels):
        twice = Counter(labels).most_common(1)[0][0]
        raise BadInput(f"two columns named '{twice}'", "different names", "rename one of them")
    return labels
