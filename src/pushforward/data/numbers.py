"""Numeric CSV files: points, one per line, with or without a header and a label column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.tables.files import decode, delimiter_of


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv(path: Path) -> tuple[np.ndarray, list[str] | None, list[str]]:
    """Return the numbers (n, columns), the labels of a column called `label` or `class` if there is one, and notes.

    Raises:
        BadInput: not UTF-8, empty, ragged lines or text where numbers belong (line numbers given).
    """
    try:
        text, _ = decode(path.read_bytes(), str(path))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput(f"{path} is no CSV ({error})", "comma-separated numbers") from None
    if not lines:
        raise BadInput(f"{path} is empty", "lines of comma-separated numbers")
    names = None if all(_is_number(cell) for cell in lines[0][1]) else [c.strip() for c in lines[0][1]]
    notes = [
        "the first line is numeric, so there is no header"
        if names is None
        else "the first line holds text, so it is the header"
    ]
    body = lines[0 if names is None else 1 :]
    width = len(lines[0][1])
    for number, row in body:
        if len(row) != width:
            raise BadInput(
                f"line {number} of {path} has {len(row)} fields",
                f"{width} as in line {lines[0][0]}",
                "repair that line",
            )
    labels = None
    if names is not None:
        column = next((i for i, name in enumerate(names) if name.lower() in ("label", "class")), None)
        if column is not None and width > 1:
            labels = [row[column].strip() for _, row in body]
            body = [(number, row[:column] + row[column + 1 :]) for number, row in body]
            notes.append(f"the column '{names[column]}' holds the labels")
    values = np.empty((len(body), len(body[0][1]) if body else 0))
    for i, (number, row) in enumerate(body):
        for j, cell in enumerate(row):
            if not _is_number(cell):
                came = f"'{cell}' in line {number}, field {j + 1} of {path}"
                raise BadInput(came, "a number", "only numeric columns and one called 'label' can be read")
            values[i, j] = float(cell)
    bad = [body[i][0] for i in np.flatnonzero(~np.isfinite(values).all(axis=1))]
    if bad:
        shown = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
        raise BadInput(
            f"NaN or infinity in {len(bad)} rows of {path} (lines {shown})",
            "finite numbers",
            "repair or drop those lines",
        )
    return values, labels, notes
