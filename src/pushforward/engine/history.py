"""The record of a run, one JSON object per line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pushforward.core.files import append_line, write_text


class History:
    """Records in memory and, if a path is given, appended to a file as they come.

    Example:
        >>> history = History(None); history.add({"step": 1, "loss": 2.0}); history.records
        [{'step': 1, 'loss': 2.0}]
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.records = path, []

    def add(self, record: dict[str, Any]) -> None:
        """Append a record; NaN and infinity become null, which is what JSON has."""
        clean = {
            k: (None if isinstance(v, float) and not math.isfinite(v) else v)
            for k, v in record.items()
        }
        self.records.append(clean)
        if self.path is not None:
            append_line(self.path, json.dumps(clean))

    def rewind(self, step: int) -> None:
        """Forget records after `step` (a killed run wrote more than its last checkpoint knows),
        then rewrite the file."""
        self.records = (
            [r for r in read_history(self.path) if r["step"] <= step] if self.path else []
        )
        if self.path is not None:
            write_text(self.path, "".join(json.dumps(r) + "\n" for r in self.records))


def read_history(path: Path | None) -> list[dict[str, Any]]:
    """Return the leading whole records of a file; what a crash or an edit left behind them is left
    out."""
    records: list[dict[str, Any]] = []
    if path is None or not path.is_file():
        return records
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not _is_whole(record):
            break
        records.append(record)
    return records


def _is_whole(record: Any) -> bool:
    """Return whether a record is an object with a step, of numbers and words."""
    if not isinstance(record, dict) or type(record.get("step")) is not int:
        return False
    numbers = all(
        value is None or isinstance(value, bool | int | float | str) for value in record.values()
    )
    return numbers and all(
        not isinstance(record.get(key), str) for key in ("loss", "held_out", "seconds")
    )
