"""Data as a program holds them, or names them: whatever `load` takes becomes a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pushforward.app.runs.opening import open_source
from pushforward.core.in_memory import InMemory
from pushforward.core.whole import whole
from pushforward.data.dataset import Dataset
from pushforward.data.in_memory import held
from pushforward.data.tables.schema_file import settings_of_schema


def load(
    source: Any, *, seed: Any = 0, labels: Any = True, skip_bad: bool = False, **settings: Any
) -> Dataset:
    """Open a built-in name, a path, or what a program holds; see `pushforward data list`.

    Args:
        source: a name, a path, an array or tensor, `(examples, labels)`, a DataFrame, records,
            columns, strings, a list of `(example, label)` pairs, or a torch data set.
        labels: False leaves labels out; an array or a list holds one label per example.
        skip_bad: leave unreadable files out and count them.
        settings: those of `-s data.KEY`: `length`, `tokeniser`, ... for text; `columns`, `keep`,
            `bounds` for tables, and `schema`, a schema file or what it holds.

    Example:
        >>> load("digits").space
        Image(channels=1, height=8, width=8, levels=17)
    """
    seed = whole(seed, "seed")
    if settings.get("schema") is not None:
        settings = {**settings_of_schema(settings["schema"]), **settings}
    wanted = labels if isinstance(labels, bool) else True
    as_rows = any(settings.get(key) for key in ("kind", "keep", "columns", "schema"))
    found = held(
        source,
        None if isinstance(labels, bool) else labels,
        as_rows and settings.get("kind") != "text",
    )
    settings = {key: value for key, value in settings.items() if value is not None}
    settings.pop("schema", None)
    columns = settings.pop("columns", {})
    flat = {**settings, **{f"columns.{name}": kind for name, kind in columns.items()}}
    data = open_source(found.source, flat, seed=seed, labels=wanted, skip_bad=skip_bad)
    return replace(data, notes=(*found.notes, *data.notes), lost=(*found.lost, *data.lost))


def opened(
    source: Any, settings: Mapping[str, Any] | None = None, *, skip_bad: bool = False
) -> Dataset:
    """Return the dataset behind a name, a path, or what a program holds; a dataset stands for
    itself.

    Example:
        >>> opened("two-moons").space
        Points(dim=2)
    """
    if isinstance(source, InMemory):
        source = source.source
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | Path):
        return open_source(str(source), settings, skip_bad=skip_bad)
    return load(source, skip_bad=skip_bad, **dict(settings or {}))
