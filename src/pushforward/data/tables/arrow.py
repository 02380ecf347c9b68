"""The types of a Parquet or Feather file, kept so that rows made for it have them again.

One idea: pandas knows fewer types than Arrow (no decimals of a fixed precision, one kind of
strings), so the schema of the file travels with the run beside the dtypes, and written columns are
cast to it where their values fit.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pushforward.core.errors import refusing


def parquet_schema(source: Any) -> str:
    """Return the Arrow schema of a Parquet file (a path, a folder of parts, or an open file) as
    text, empty if it has none."""
    from pyarrow import parquet

    if isinstance(source, Path) and source.is_dir():
        return _as_text(lambda: parquet.ParquetDataset(source).schema)
    return _as_text(lambda: parquet.read_schema(source))


def feather_schema(source: Any) -> str:
    """Return the Arrow schema of a Feather file (a path or an open file) as text, empty if it has
    none."""
    import pyarrow as pa

    def read() -> Any:
        with pa.ipc.open_file(str(source) if isinstance(source, Path) else source) as opened:
            return opened.schema

    return _as_text(read)


def _as_text(read: Callable[[], Any]) -> str:
    import pyarrow as pa

    try:
        found = read()
    except (pa.ArrowException, OSError, ValueError, NotImplementedError):
        return ""  # an older format of Feather has none
    plain = pa.schema([field.remove_metadata() for field in found])
    return base64.b64encode(plain.serialize().to_pybytes()).decode("ascii")


def arrow_table(frame: pd.DataFrame, schema: str = "") -> Any:
    """Return a frame as an Arrow table whose columns have the types of a schema, where their values
    fit.

    A value beyond a type (a model's tail past eight bits, a seventh digit before the point) widens
    the column: nothing is clamped.

    Args:
        schema: what `parquet_schema` or `feather_schema` returned.

    Example:
        >>> arrow_table(pd.DataFrame({"x": [1, 2]})).schema.field("x").type
        DataType(int64)
    """
    import pyarrow as pa

    usual = pa.Table.from_pandas(frame, preserve_index=False)
    kept = {} if not schema else {field.name: field for field in _schema(schema)}
    columns, fields = [], []
    for place, field in enumerate(usual.schema):
        column, own = usual.column(place), kept.get(field.name)
        if own is not None:
            column = _as_type(frame.iloc[:, place], column, own.type)
            field = pa.field(
                field.name, column.type, nullable=own.nullable or column.null_count > 0
            )
        columns.append(column)
        fields.append(field)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=usual.schema.metadata))


def _schema(text: str) -> Any:
    import pyarrow as pa

    with refusing(
        "the types of the file that the run was trained on", "what training wrote", "train again"
    ):
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def _as_type(series: pd.Series, usual: Any, wanted: Any) -> Any:
    """Return a column in a type, in its widest relative if values do not fit it, or as it would be
    without one."""
    import pyarrow as pa

    if usual.type == wanted:
        return usual
    wider = [wanted]
    if pa.types.is_decimal(wanted):
        wider += [pa.decimal128(38, wanted.scale)] if wanted.scale <= 38 else []
        wider.append(pa.decimal256(76, wanted.scale))
    for one in wider:
        try:
            if pa.types.is_dictionary(one):
                return _dictionary(series, one)
            return pa.array(series, type=one, from_pandas=True)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            pass
        try:
            return usual.cast(one)
        except (pa.ArrowException, ValueError):
            pass
    return usual


def _dictionary(series: pd.Series, wanted: Any) -> Any:
    import pyarrow as pa

    known = series if isinstance(series.dtype, pd.CategoricalDtype) else series.astype("category")
    codes = pa.array(known.cat.codes, mask=known.isna().to_numpy()).cast(wanted.index_type)
    words = pa.array(known.cat.categories, type=wanted.value_type)
    return pa.DictionaryArray.from_arrays(codes, words, ordered=wanted.ordered)
