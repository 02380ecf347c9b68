"""Tables in JSON: records, columns, what `DataFrame.to_json` writes in each of its layouts, and
JSON lines.

One idea: a table in JSON is told by its shape, so each layout is a test of shape and a frame; what
has none of them is refused with the layouts that are read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput, a_json_type, refusing
from pushforward.core.reading import read_bytes
from pushforward.data.formats.packing import PACKED, unpack
from pushforward.data.tables.not_tables import require_table_text

_LAYOUTS = 'records, [{"a": 1, "b": "x"}, ...], or columns, {"a": [1, ...], "b": ["x", ...]}'


def frame_of_json(raw: bytes, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table in the text of a JSON file, and what was decided.

    Raises:
        BadInput: no JSON, or nothing in it that has rows and columns.

    Example:
        >>> frame_of_json(b'{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}', Path("t.json"))[0].shape
        (2, 2)
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is no JSON ({error})", "a list of records") from None
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        require_table_text(text, str(path), json=True)
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and _is_object(lines[0]) and _is_object(lines[1]):
            frame, (note,) = frame_of_lines(text, path)
            return frame, (f"{note}, though the file's name says that it is one JSON value",)
        raise BadInput(
            f"{path} is no JSON ({str(error).splitlines()[0]})", "a list of records"
        ) from None
    frame = _frame(found)
    if frame is None:
        raise BadInput(f"{path} holds {a_json_type(found)} that is no table", _LAYOUTS)
    return frame[0], (f"{len(frame[0])} JSON {frame[1]} of {len(frame[0].columns)} columns",)


def frame_of_json_lines(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table in a file of JSON lines, and what was decided.

    Raises:
        BadInput: a line that is no JSON object.
    """
    with refusing(str(path), "a JSON object a line"):
        packed = path.suffix.lower() in PACKED
        raw = unpack(path)[0] if packed else read_bytes(path, "a readable file")
        text = raw.decode("utf-8-sig")
    return frame_of_lines(text, path)


def frame_of_lines(text: str, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table in JSON lines; see `frame_of_json_lines`."""
    records: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        with refusing(f"line {number} of {path}", "a JSON object a line", "repair that line"):
            record = json.loads(line)
        if not isinstance(record, dict):
            came = f"line {number} of {path} is {a_json_type(record)}"
            raise BadInput(came, "a JSON object a line", "repair that line")
        records.append(record)
    frame = pd.DataFrame(records)
    return frame, (f"{len(frame)} JSON lines of {len(frame.columns)} fields",)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _frame(found: Any) -> tuple[pd.DataFrame, str] | None:
    """Return the frame of a JSON value and the name of its rows, None if it is no table."""
    if isinstance(found, list):
        return _of_list(found)
    if not isinstance(found, dict) or not found:
        return None
    if isinstance(found.get("data"), list) and isinstance(found.get("columns"), list):
        # orient="split"
        widths = {len(row) if isinstance(row, list) else -1 for row in found["data"]}
        if widths != {len(found["columns"])}:
            return None
        return _indexed(_named(found["data"], found["columns"]), found.get("index") or []), "rows"
    inner = list(found.values())
    if all(isinstance(one, list) for one in inner) and len(set(map(len, inner))) == 1:
        tabled = len(inner) == 1 and all(isinstance(row, dict) for row in inner[0])
        return _of_list(inner[0]) if tabled else (pd.DataFrame(found), "records")
    if all(isinstance(one, dict) and one for one in inner):
        return _of_objects(found)
    # orient="table", or records beside what is said of them
    lists = [
        one
        for one in inner
        if isinstance(one, list) and one and all(isinstance(row, dict) for row in one)
    ]
    return _of_list(lists[0]) if len(lists) == 1 else None


def _of_list(rows: list[Any]) -> tuple[pd.DataFrame, str] | None:
    if rows and all(isinstance(row, dict) for row in rows):
        return pd.DataFrame(rows), "records"
    if (
        rows
        and all(isinstance(row, list) for row in rows)
        and len(set(map(len, rows))) == 1
        and rows[0]
    ):
        nested = any(isinstance(cell, list | dict) for row in rows for cell in row)
        return None if nested else (_named(rows, [f"x{i}" for i in range(len(rows[0]))]), "rows")
    return None


def _of_objects(found: dict[str, dict[str, Any]]) -> tuple[pd.DataFrame, str]:
    """Return the frame of an object of objects: by columns, as `to_json` writes, unless only its
    own keys count."""
    inner = list(dict.fromkeys(key for one in found.values() for key in one))
    by_rows = all(key.lstrip("-").isdigit() for key in found) and not all(
        key.lstrip("-").isdigit() for key in inner
    )
    if by_rows:
        return _indexed(pd.DataFrame(list(found.values())), list(found)), "records"
    rows = [{name: column.get(key) for name, column in found.items()} for key in inner]
    return _indexed(pd.DataFrame(rows, columns=list(found)), inner), "records"


def _indexed(frame: pd.DataFrame, index: list[Any]) -> pd.DataFrame:
    """Return a frame with its row labels as a column, as other formats have them, unless they only
    count."""
    if len(index) != len(frame) or [str(one) for one in index] == [
        str(row) for row in range(len(frame))
    ]:
        return frame
    numbers = [
        int(one) if str(one).lstrip("-").isdigit() and len(str(one)) < 16 else one for one in index
    ]
    name = next(name for name in ("index", "level_0", "row label") if name not in frame.columns)
    frame.insert(0, name, numbers)
    return frame


def _named(rows: list[Any], names: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        [dict(zip(map(str, names), row, strict=True)) for row in rows],
        columns=list(map(str, names)),
    )
