"""A table as the bytes of a file: text, JSON or Arrow.

One idea: rows made for a file can be had in its own format, and equal rows give equal bytes.
"""

from __future__ import annotations

import datetime
import decimal
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pushforward.data.formats.format import Samples
from pushforward.data.tables.arrow import arrow_table


def rows_csv(samples: Samples, delimiter: str | None = None) -> bytes:
    """Return rows as a file of text, written as the file that they came from was; of a frame that
    came from none, as pandas does.

    Args:
        delimiter: in the place of the source's own.
    """
    return samples.encoding.csv_file(samples.shown, delimiter)


def tsv_bytes(samples: Samples, path: Path) -> bytes:
    """Return rows as text between tabs."""
    return rows_csv(samples, "\t")


def json_file(samples: Samples, path: Path) -> bytes:
    """Return rows as a list of records."""
    return json_bytes(samples.shown)


def json_rows(samples: Samples, path: Path) -> bytes:
    """Return rows as a record a line."""
    return json_bytes(samples.shown, lines=True)


def parquet_bytes(samples: Samples, path: Path) -> bytes:
    """Return rows as a Parquet file with the types of the file that they came from."""
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(arrow_table(samples.shown, _schema(samples)), buffer)
    return buffer.getvalue()


def feather_bytes(samples: Samples, path: Path) -> bytes:
    """Return rows as a Feather file with the types of the file that they came from."""
    from pyarrow import feather

    buffer = io.BytesIO()
    feather.write_feather(arrow_table(samples.shown, _schema(samples)), buffer)
    return buffer.getvalue()


def _schema(samples: Samples) -> str:
    return samples.encoding.schema


def json_bytes(frame: pd.DataFrame, lines: bool = False) -> bytes:
    """Return a frame as JSON records, or as one a line: missing values are null, dates and times
    ISO 8601.

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
    values = [
        None if missing else _cell(value)
        for value, missing in zip(series.tolist(), gone, strict=True)
    ]
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
