"""A table as the bytes of a file, in every format that tables are read from as text, JSON or Arrow, packed or not.

One idea: rows made for a file can be had in its own format, and equal rows give equal bytes (packing notes no time).
"""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import io
import json
import lzma
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.data.tables.arrow import FEATHER, PARQUET, arrow_bytes
from pushforward.data.tables.unpacking import PACKED, unpacked_name

TEXTS, TABBED = (".csv", ".tsv", ".tab"), (".tsv", ".tab")
JSON, LINES = ".json", (".jsonl", ".ndjson")
KINDS = ".csv, .tsv, .json, .jsonl, .parquet or .feather (.csv, .tsv and .json also packed: .csv.gz, .bz2, .xz, .zip)"


def is_table_name(path: Path) -> bool:
    """Return whether a table can be written to a file of this name.

    Example:
        >>> [is_table_name(Path(name)) for name in ("s.csv.gz", "s.feather", "s.jsonl", "s.gz", "s.png")]
        [True, True, True, False, False]
    """
    inner = unpacked_name(path).suffix.lower()
    if path.suffix.lower() in PACKED:
        return inner in (*TEXTS, JSON)
    return inner in (*TEXTS, JSON, *LINES, *PARQUET, *FEATHER)


def table_bytes(frame: pd.DataFrame, path: Path, to_csv: Callable[[str | None], bytes], schema: str = "") -> bytes:
    """Return a frame as the bytes of a file of this name.

    Args:
        to_csv: returns the frame as a file of text, with this delimiter, None = that of its source.
        schema: the types of the Arrow file that the table came from; see `data.tables.arrow`.

    Raises:
        BadInput: another ending.
    """
    if not is_table_name(path):
        raise BadInput(f"-o {path}", f"a name that ends in {KINDS}")
    inner = unpacked_name(path)
    suffix = inner.suffix.lower()
    if suffix in TEXTS:
        content = to_csv("\t" if suffix in TABBED else None)
    elif suffix in (*PARQUET, *FEATHER):
        content = arrow_bytes(frame, suffix, schema)
    else:
        content = json_bytes(frame, suffix in LINES)
    return _packed(content, path.suffix.lower(), inner.name)


def json_bytes(frame: pd.DataFrame, lines: bool = False) -> bytes:
    """Return a frame as JSON records, or as one a line: missing values are null, dates and times ISO 8601.

    Example:
        >>> json_bytes(pd.DataFrame({"n": [1.0, None], "d": pd.to_datetime(["2024-01-31", "2024-02-01"])}), lines=True)
        b'{"n": 1, "d": "2024-01-31T00:00:00"}\\n{"n": null, "d": "2024-02-01T00:00:00"}\\n'
    """
    columns = [_cells(frame.iloc[:, place]) for place in range(frame.shape[1])]
    names = [str(name) for name in frame.columns]
    records = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    words = [json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records]
    text = "".join(word + "\n" for word in words) if lines else "[\n" + ",\n".join(words) + "\n]\n"
    return text.encode()


def _cells(series: pd.Series) -> list[Any]:
    gone = series.isna().to_numpy()
    values = [None if missing else _cell(value) for value, missing in zip(series.tolist(), gone, strict=True)]
    known = [value for value in values if value is not None]
    # among missing values pandas holds whole numbers as real ones
    if gone.any() and known and all(type(value) is float and value.is_integer() for value in known):
        return [None if value is None else int(value) for value in values]
    return values


def _cell(value: Any) -> Any:
    """Return a value that is there as one that JSON has."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timedelta | datetime.timedelta):
        return pd.Timedelta(value).isoformat()
    if isinstance(value, datetime.date | datetime.time):  # moments are dates
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _packed(content: bytes, suffix: str, name: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(content, mtime=0)
    if suffix == ".bz2":
        return bz2.compress(content)
    if suffix == ".xz":
        return lzma.compress(content)
    if suffix != ".zip":
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        one = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        one.compress_type, one.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(one, content)
    return buffer.getvalue()
