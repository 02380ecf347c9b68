"""Tables in formats that keep types: Parquet (a file, a folder of parts, partitions), Feather, JSON
records, Excel.

One idea: the file's own types are kept, and what no model here can take (lists, records) is a
column that can be left out by name.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.formats.file_formats import PARQUET
from pushforward.data.formats.format import ReadOptions
from pushforward.data.formats.packing import PACKED, unpack, unpacked_name
from pushforward.data.tables.arrow import feather_schema, parquet_schema
from pushforward.data.tables.json_tables import frame_of_json, frame_of_json_lines
from pushforward.data.tables.sheet import Sheet, require_columns
from pushforward.data.tables.written import Dialect

Made = tuple[pd.DataFrame, tuple[str, ...]]  # a frame and what was decided


def is_folder_of_parts(path: Path) -> bool:
    """Return whether a folder holds the parts of one Parquet table, at its top or in folders named
    `column=value`."""
    if not path.is_dir():
        return False
    seen = [one for one in path.iterdir() if not one.name.startswith((".", "_"))]
    # most folders are told by a name: to ask what every entry is takes long where there are many
    if any("=" not in one.name and one.suffix.lower() not in PARQUET.suffixes for one in seen):
        return False
    files, folders = [one for one in seen if one.is_file()], [one for one in seen if one.is_dir()]
    if any(one.suffix.lower() not in PARQUET.suffixes for one in files) or any(
        "=" not in one.name for one in folders
    ):
        return False
    return bool(files) or any(is_folder_of_parts(one) for one in folders)


def read_parquet(path: Path, how: ReadOptions) -> Sheet:
    """Return the table in a Parquet file, or in a folder of parts.

    Raises:
        BadInput: a damaged file.
    """
    source = _source(path)
    with _complete(path, "Parquet"):
        made = _parts(path) if path.is_dir() else _indexed(pd.read_parquet(source), "Parquet")
    return _sheet(path, made, parquet_schema(_again(source)))


def read_feather(path: Path, how: ReadOptions) -> Sheet:
    """Return the table in a file of Arrow; see `read_parquet`."""
    source = _source(path)
    name = "Arrow" if unpacked_name(path).suffix.lower() == ".arrow" else "Feather"
    with _complete(path, name):
        made = _indexed(pd.read_feather(source), name)
    return _sheet(path, made, feather_schema(_again(source)))


def read_json(path: Path, how: ReadOptions) -> Sheet:
    """Return the table in a JSON file; see `frame_of_json`."""
    raw = unpack(path)[0] if path.suffix.lower() in PACKED else None
    with _complete(path, "JSON"):
        made = frame_of_json(path.read_bytes() if raw is None else raw, path)
    return _sheet(path, made)


def read_json_rows(path: Path, how: ReadOptions) -> Sheet:
    """Return the table in JSON lines; see `frame_of_json_lines`."""
    return _sheet(path, frame_of_json_lines(path))


def read_excel(path: Path, how: ReadOptions) -> Sheet:
    """Return the first sheet with rows of an Excel file.

    Raises:
        BadInput: a damaged file, or a reader that is not installed.
    """
    with _complete(path, "Excel"):
        made = _excel(_source(path), path)
    return _sheet(path, made)


def _source(path: Path) -> Any:
    return io.BytesIO(unpack(path)[0]) if path.suffix.lower() in PACKED else path


def _again(source: Any) -> Any:
    if isinstance(source, io.BytesIO):
        source.seek(0)
    return source


def _sheet(path: Path, made: Made, schema: str = "") -> Sheet:
    frame, notes = made
    require_columns(len(frame.columns), str(path))
    return Sheet(frame, unpacked_name(path).stem, str(path), notes, dialect=Dialect(arrow=schema))


@contextmanager
def _complete(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, NotImplementedError, KeyError, TypeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{path} cannot be read ({said})", f"a complete {name} file") from None


def _indexed(frame: pd.DataFrame, name: str) -> Made:
    notes = []
    if any(name is not None for name in frame.index.names):
        # pandas files an index as a column and takes it out again
        notes = [
            f"the index {', '.join(map(str, frame.index.names))} is a column of the file, and is read as one"
        ]
        frame = frame.reset_index()
    return frame, (f"a {name} file of {len(frame.columns)} columns", *notes)


def _parts(path: Path) -> Made:
    parts = sorted(
        one
        for one in path.rglob("*")
        if one.suffix.lower() in PARQUET.suffixes and not one.name.startswith((".", "_"))
    )
    frame = pd.read_parquet(path)
    keys = sorted(
        {
            folder.name.split("=")[0]
            for one in parts
            for folder in one.relative_to(path).parents
            if "=" in folder.name
        }
    )
    notes = [f"a folder of {len(parts)} Parquet files of {len(frame.columns)} columns"]
    if keys:
        notes.append(
            f"the folders' names give the column{'s' if len(keys) > 1 else ''} {', '.join(map(repr, keys))}"
        )
    return frame, tuple(notes)


def _excel(source: Any, path: Path) -> Made:
    try:
        sheets = pd.read_excel(source, sheet_name=None)
    except ImportError:
        hint = "save the sheet as .csv, or install openpyxl: pip install openpyxl"
        raise BadInput(f"{path} is an Excel file", "a .csv or .parquet file", hint) from None
    name, frame = next(((name, one) for name, one in sheets.items() if len(one)), (None, None))
    if frame is None:
        raise BadInput(
            f"{path} holds no sheet with rows", "a sheet whose first row names the columns"
        )
    others = f", the first of {len(sheets)} with rows" if len(sheets) > 1 else ""
    return frame, (f"the sheet '{name}' of an Excel file{others}",)
