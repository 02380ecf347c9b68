"""Rows of a report have cells for every kind of missing value that pandas has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pushforward.app.measuring.examples import array, shown
from pushforward.data.open import open_data


@pytest.mark.parametrize(
    "dtype",
    ["Int64", "boolean", "float64", "object", "string", "category", "datetime64[s]", "Float64"],
)
def test_missing_cells_are_empty_whatever_their_dtype(dtype: str) -> None:
    values = np.arange(60) % 2
    known = pd.Series(values).astype("int64")
    if dtype == "boolean":
        column = known.astype(bool).astype("boolean")
    elif dtype in ("object", "string", "category"):
        column = known.map({0: "a", 1: "b"}).astype(dtype)
    elif dtype == "datetime64[s]":
        column = pd.Series(pd.to_datetime(known * 86_400, unit="s"))
    else:
        column = known.astype(dtype)
    column[::7] = None if dtype != "float64" else np.nan
    data = open_data(pd.DataFrame({"x": np.arange(60) * 0.5, "y": column}))
    rows = shown(array(data.test, data.space), data, most=len(data.test))
    expected = data.encoding.decode(data.test.x)["y"].isna().tolist()  # type: ignore[union-attr]
    assert [row[1] == "" for row in rows] == expected
    assert any(expected)
