"""A file of conditions: a row for each sample, an empty cell wherever the model is to draw.

One idea: a condition that no row can meet is refused by its cell, before anything is drawn, and all
such rows are known at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from pushforward.core.errors import BadInput
from pushforward.core.given import Given, Known
from pushforward.data.formats.choosing import format_of
from pushforward.data.tables.gapped import GappedRows, GapRules, ImpossibleRows

SKIP = "repair them, or leave them out with --skip-bad"


@dataclass(frozen=True)
class GivenRows:
    """Conditions, a row for each sample.

    Attributes:
        refused: why the rows that are left out cannot be, by their number from 0.
    """

    given: Given
    refused: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.given)


def conditions_file(words: str) -> Path | None:
    """Return the file that words name, None where they are a condition themselves.

    Raises:
        BadInput: the name of a table that is not there.

    Example:
        >>> conditions_file("age=30") is None
        True
    """
    try:
        path = Path(words)
        there = path.is_file()
    except (OSError, ValueError):  # no file can be called so
        return None
    if there:
        return path
    if "=" not in words and path.suffix and format_of(path, "table") is not None:
        raise BadInput(f"'{words}'", "column=value,... or a file of rows", "there is no such file")
    return None


@runtime_checkable
class ReadsConditions(Protocol):
    """What knows the cells of a table, and what its rows have to keep."""

    def gapped(self, source: Any, wanted: GapRules | None = None) -> GappedRows:
        """Return the table at a path with its gaps."""
        ...

    def impossible(self, known: Known | None) -> dict[int, str]:
        """Return which conditions break a rule by themselves, and which rule."""
        ...


def given_rows(path: Path, encoding: ReadsConditions, skip_bad: bool) -> GivenRows:
    """Return the conditions in a file.

    Args:
        encoding: of the table that rows are to be of.

    Raises:
        ImpossibleRows: rows that cannot be, where they are not left out; all, where they are.
        BadInput: columns that the run's table does not have, or that are not modelled.
    """
    refused: dict[int, str] = {}
    wanted = GapRules(optional=None, shown=True, fix=SKIP)
    try:
        rows = encoding.gapped(path, wanted)
    except ImpossibleRows as impossible:
        refused, rows = dict(impossible.reasons), impossible.rows
    for row, rule in encoding.impossible(rows.known).items():
        refused.setdefault(row, f"{rows.named(row)} breaks '{rule}'")
    if refused and not skip_bad:
        raise ImpossibleRows(refused, rows, SKIP)
    keep = torch.tensor([row not in refused for row in range(len(rows))], dtype=torch.bool)
    if not bool(keep.any()):
        raise ImpossibleRows(refused, rows, "no row is left to draw")
    return GivenRows(Given(known=rows.known.each(lambda t: t[keep])), refused)
