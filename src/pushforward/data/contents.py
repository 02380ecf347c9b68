"""What data hold, in numbers and words: the range of points and pixels, the columns of a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pushforward.core.table import Column, number_word
from pushforward.data.dataset import Dataset


def of_numbers(dataset: Dataset) -> dict[str, Any]:
    """Return the lowest and the highest value."""
    parts = [part.x for part in (dataset.train, dataset.validation, dataset.test) if len(part)]
    return {
        "lowest value": min(x.min().item() for x in parts),
        "highest value": max(x.max().item() for x in parts),
    }


def of_table(dataset: Dataset) -> dict[str, Any]:
    """Return the kinds of the columns, and a sentence for each."""
    table: Any = dataset.space
    x = torch.cat([part.x for part in (dataset.train, dataset.validation, dataset.test)])
    columns = [
        _column(column, x[:, place], partial(dataset.encoding.words, place))
        for place, column in enumerate(table.columns)
    ]
    return {"kinds": table.kinds, "columns": columns}


def _column(column: Column, values: Tensor, words: Callable[..., list[str] | None]) -> str:
    known = values[~torch.isnan(values)]
    absent = 1.0 - len(known) / max(1, len(values))
    missing = f", {100 * absent:.3g} % missing" if column.missing else ""
    if column.discrete:
        many = len(column.categories)
        counted = "1 category" if many == 1 else f"{many} categories"
        return f"{column.name}: {column.kind}, {counted}{missing}"
    low, high = (
        (known.min().item(), known.max().item()) if len(known) else (column.low, column.high)
    )
    shown = [number_word(v, column.step) for v in (low, high)]
    if column.kind == "datetime":
        epoch = datetime(1970, 1, 1)
        shown = [(epoch + timedelta(seconds=v)).isoformat(sep=" ") for v in (low, high)]
    own = words(low, high)
    plain = own is not None or column.step is None or column.kind == "datetime"
    grid = (
        ""
        if plain or (column.kind == "integer" and column.step == 1.0)
        else f" on a grid of {column.step:g}"
    )
    shown = own or shown
    return f"{column.name}: {column.kind}{grid}, {shown[0]} to {shown[1]}{missing}"
