"""Rows of which only some cells are known: what is there is read as any other file of the run, what
is not is a gap.

Two ideas: a cell that cannot be (an unknown category, a number out of bounds) is refused with its
row, all such rows at once; which gaps a model is asked to fill is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Known
from pushforward.core.table import Column
from pushforward.data.tables.encode_column import TableRows, check_restored, encode_column
from pushforward.data.tables.sheet import Sheet
from pushforward.data.tables.stored import Stored

SHOWN = 3  # rows that a refusal names


@dataclass(frozen=True)
class GappedRows:
    """A table with gaps.

    Attributes:
        sheet: as it was found.
        known: what is known of each row, (n, columns) as they are modelled.
        there: names of the columns that the table has.
    """

    sheet: Sheet
    known: Known
    there: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.known.mask)

    def named(self, row: int) -> str:
        """Return where a row stands: its line in a file, or its number."""
        return TableRows(self.sheet.lines).where(row)

    @property
    def gaps(self) -> Tensor:
        """Which cells are not known, (n, columns)."""
        return ~self.known.mask

    def usual(self, columns: tuple[Column, ...]) -> Known:
        """Return what is known where a gap of a column that has some in training says something: it
        is a value like any other, which is missing."""
        may = torch.tensor([column.missing for column in columns])
        gap = ~self.known.mask & may
        values = torch.where(gap, torch.nan, self.known.values)
        return replace(self.known, values=values, mask=self.known.mask | gap)


class ImpossibleRows(BadInput):
    """Rows that can be no rows of the run's table.

    Attributes:
        reasons: of every such row, by its number from 0.
        rows: all of them, those that can be as they are.
    """

    def __init__(self, reasons: Mapping[int, str], rows: GappedRows, fix: str) -> None:
        self.reasons, self.rows, total = dict(sorted(reasons.items())), rows, len(rows)
        first = "; ".join(list(self.reasons.values())[:SHOWN])
        more = "; ..." if len(reasons) > SHOWN else ""
        came = f"{len(reasons):,} of {total:,} rows cannot be: {first}{more}"
        super().__init__(came, "what the training data allow", fix)


@dataclass(frozen=True)
class GapRules:
    """What a table with gaps must be.

    Attributes:
        optional: modelled columns that it need not have; None = any.
        shown: whether it may only hold values that samples show.
        fix: what to do about rows that cannot be.
    """

    optional: tuple[str, ...] | None = ()
    shown: bool = False
    fix: str = "repair them"


def gapped_rows(
    sheet: Sheet,
    modelled: tuple[tuple[Stored, Column], ...],
    stored: tuple[Stored, ...],
    wanted: GapRules,
) -> GappedRows:
    """Return the rows of a sheet, gaps wherever nothing is in a cell.

    Args:
        modelled: the columns that a model knows, as they are kept and as they are modelled.
        stored: all columns of the training table.

    Raises:
        ImpossibleRows: rows with a cell that its column cannot have.
        BadInput: a column too many or too few.
    """
    labels = {str(name): place for place, name in enumerate(sheet.frame.columns)}
    _require_columns(labels, modelled, stored, wanted.optional)
    odd: dict[int, str] = {}
    rows = TableRows(sheet.lines, odd, strict=True)
    n = len(sheet.frame)
    values, mask = np.zeros((n, len(modelled))), np.zeros((n, len(modelled)), dtype=bool)
    for one in stored:
        if one.role == "constant" and one.label in labels:
            series = sheet.frame.iloc[:, labels[one.label]]
            check_restored(one, series, rows, gaps=True)
    for place, (one, column) in enumerate(modelled):
        label = one.beside or one.label
        if label not in labels:
            continue
        series = sheet.frame.iloc[:, labels[label]]
        found = encode_column(series, one, replace(column, missing=True), rows)
        if wanted.shown:
            _require_shown(found, one, column, rows)
        mask[:, place] = ~np.isnan(found)
        values[:, place] = np.nan_to_num(found)
    known = Known(torch.from_numpy(values), torch.from_numpy(mask))
    found = GappedRows(sheet, known, tuple(labels))
    if odd:
        raise ImpossibleRows(odd, found, wanted.fix)
    return found


def _require_shown(found: np.ndarray, stored: Stored, column: Column, rows: TableRows) -> None:
    """Refuse values that samples do not show, as too few rows of the training data hold them."""
    if stored.protection is None:
        return
    came = f"a value of '{column.name}' that samples do not show, "
    hidden = stored.protection.hidden(found, column)
    rows.refuse(hidden, lambda row: came + rows.where(row), "one that more rows share")


def _require_columns(
    labels: Mapping[str, Any],
    modelled: tuple[tuple[Stored, Column], ...],
    stored: tuple[Stored, ...],
    optional: tuple[str, ...] | None,
) -> None:
    names = [one.label for one in stored if not one.beside]
    given = {one.label for one in stored if one.role in ("surrogate", "excluded")}
    for label in labels:
        if optional is None and label in given:
            came = f"a condition on '{label}', which is not modelled"
            raise BadInput(came, "columns that are", "leave it out: rows keep their order")
        if label not in names:
            came = f"a column '{label}' that the training table does not have"
            raise BadInput(came, "its columns only", closest(label, names) or "drop it")
    for one, _ in modelled:
        if (
            not one.beside
            and one.label not in labels
            and optional is not None
            and one.label not in optional
        ):
            fix = "`pushforward sample RUN --given FILE` draws whole columns"
            came = f"a table without the column '{one.label}'"
            raise BadInput(
                came, "the columns of the training table", closest(one.label, labels) or fix
            )
