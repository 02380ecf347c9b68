"""A run on a table, and rows of which it is told only some cells.

One idea: whoever fills gaps, predicts a column or draws rows given others reads such rows in one
way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushforward.app.runs.opening import encoding_of
from pushforward.app.runs.training import open_model
from pushforward.core.conditionals import Conditional, conditional_of
from pushforward.core.errors import BadInput
from pushforward.core.in_memory import InMemory
from pushforward.core.model import GenerativeModel
from pushforward.data.in_memory import opening
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.gapped import GappedRows, GapRules
from pushforward.provenance.run_directory import RunRecord


@dataclass(frozen=True)
class TableRun:
    """A model of rows whose columns can be had one by one.

    Attributes:
        law: how the family gets the law of a column given others.
    """

    model: GenerativeModel
    record: RunRecord
    encoding: TableEncoding
    law: Conditional


def table_run(run: Path, verb: str) -> TableRun:
    """Open a run for a verb that fills or predicts cells.

    Raises:
        BadInput: a run on what is no table.
        Unsupported: a family that has no law of single columns.
    """
    model, record = open_model(run)
    encoding = encoding_of(record).as_table(f"`{verb}` with {run}", "cells are a table's")
    return TableRun(model, record, encoding, conditional_of(model))


def gapped_source(
    encoding: TableEncoding, source: Any, wanted: GapRules | None = None
) -> tuple[GappedRows, Path | None]:
    """Return rows with gaps, and the file that they came from, None for what a program holds.

    Raises:
        BadInput: a source that is no table, rows that cannot be rows of the run's table.
    """
    if not isinstance(source, InMemory):
        path = Path(source)
        if not path.exists():
            raise BadInput(f"'{source}'", "a file of rows, or a DataFrame", "check the path")
        return encoding.gapped(path, wanted), path
    return encoding.gapped(opening(source, encoding.reads_rows), wanted), None
