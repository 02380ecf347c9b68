"""Tables in formats that keep types: Parquet (a file, a folder of parts, partitions), Feather, JSON records, Excel.

One idea: the file's own types are kept, and what no model here can take (lists, records) is a column that can be left out by name.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.tables.json_tables import frame_of_json, json_lines

FRAMES = (".parquet", ".pq", ".feather", ".arrow", ".json", ".xlsx")
JSON_LINES = (".jsonl", ".ndjson")
_NAMES = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".feather": "Feather",
    ".arrow": "Arrow",
    ".json": "JSON",
    ".xlsx": "Excel",
}
_PARTS = (".parquet", ".pq")


def is_folder_of_parts(path: Path) -> bool:
    """Return whether a folder holds the parts of one Parquet table, at its top or in folders named `column=value`."""
    if not path.is_dir():
        return False
    seen = [one for one in path.iterdir() if not one.name.startswith((".", "_"))]
    files, folders = [one for one in seen if one.is_file()], [one for one in seen if one.is_dir()]
    if any(one.suffix.lower() not in _PARTS for one in files) or any("=" not in one.name for one in folders):
        return False
    return bool(files) or any(is_folder_of_parts(one) for one in folders)


def read_frame(path: Path, raw: bytes | None = None, suffix: str = "") -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the frame in a file (or in bytes that a packed one held), and what was decided.

    Raises:
        BadInput: a damaged file, or a reader that is not installed.
    """
    suffix = suffix or path.suffix.lower()
    if suffix in JSON_LINES:
        return json_lines(path)
    try:
        if path.is_dir():
            return _parts(path)
        source: Any = path if raw is None else io.BytesIO(raw)
        if suffix == ".json":
            return frame_of_json(path.read_bytes() if raw is None else raw, path)
        if suffix == ".xlsx":
            return _excel(source, path)
        frame = pd.read_parquet(source) if suffix in _PARTS else pd.read_feather(source)
    except (OSError, ValueError, NotImplementedError, KeyError, TypeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{path} cannot be read ({said})", f"a complete {_NAMES.get(suffix, 'Parquet')} file") from None
    notes = []
    if any(name is not None for name in frame.index.names):
        # pandas files an index as a column and takes it out again
        notes = [f"the index {', '.join(map(str, frame.index.names))} is a column of the file, and is read as one"]
        frame = frame.reset_index()
    return frame, (f"a {_NAMES[suffix]} file of {len(frame.columns)} columns", *notes)


def _parts(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    parts = sorted(
        one for one in path.rglob("*") if one.suffix.lower() in _PARTS and not one.name.startswith((".", "_"))
    )
    frame = pd.read_parquet(path)
    keys = sorted(
        {folder.name.split("=")[0] for one in parts for folder in one.relative_to(path).parents if "=" in folder.name}
    )
    notes = [f"a folder of {len(parts)} Parquet files of {len(frame.columns)} columns"]
    if keys:
        notes.append(f"the folders' names give the column{'s' if len(keys) > 1 else ''} {', '.join(map(repr, keys))}")
    return frame, tuple(notes)


def _excel(source: Any, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    try:
        sheets = pd.read_excel(source, sheet_name=None)
    except ImportError:
        hint = "save the sheet as .csv, or install openpyxl: pip install openpyxl"
        raise BadInput(f"{path} is an Excel file", "a .csv or .parquet file", hint) from None
    name, frame = next(((name, one) for name, one in sheets.items() if len(one)), (None, None))
    if frame is None:
        raise BadInput(f"{path} holds no sheet with rows", "a sheet whose first row names the columns")
    others = f", the first of {len(sheets)} with rows" if len(sheets) > 1 else ""
    return frame, (f"the sheet '{name}' of an Excel file{others}",)
