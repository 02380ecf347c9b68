"""Open data as the command line and the Python face name it: a source, and settings of its own
kind.

Two ideas: settings are flat names (`length`, `tokeniser`, `columns.age`), each of which belongs to
one kind of data; a run brings its own dictionary, and whatever is opened for it is read with that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pushforward.core.errors import BadInput, nearest, refusing
from pushforward.core.in_memory import InMemory
from pushforward.data.builtin import builtins
from pushforward.data.dataset import Dataset, in_single_precision
from pushforward.data.encoding import Encoding, encoding_from_json
from pushforward.data.images.options import ImageOptions, pictures_of
from pushforward.data.in_memory import opening
from pushforward.data.in_terms import in_terms_of
from pushforward.data.open import LEFT_OUT, LOST_LABELS, open_data
from pushforward.data.repeats import RULES, rule_of
from pushforward.data.tables.column_hints import READINGS
from pushforward.data.text.corpus import is_text
from pushforward.data.text.text_dataset import TextOptions
from pushforward.provenance.run_directory import RunRecord, read_encoding

TABLE = ("kind", "keep", "bounds", "protect", "group", "rules", "discover", "split", "header")
# every `data.KEY`; `labels` is the training's
KEYS = (*TextOptions.model_fields, *ImageOptions.model_fields, *TABLE, "columns.NAME", "labels")
_ASKS = {
    "header": "whether the first line names the columns",
    "discover": "whether samples keep the rules that all rows of the data keep",
}
FROM_PYTHON = "the given "  # begins what data are called that no name and no path led to
SPLITS = ("train", "validation", "test")


def open_source(
    source: Any,
    settings: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    labels: bool = True,
    skip_bad: bool = False,
) -> Dataset:
    """Return the dataset behind a source.

    Args:
        settings: `length`, `tokeniser`, ... (see `TextOptions`) for text; `kind`, `keep`, `bounds`,
            `header` and `columns.NAME` for tables; `context` for an `.npz`; `resize`, `alpha`, ...
            (see `ImageOptions`) for pictures; `labels` is the training's and left alone.
        labels: False leaves labels out.

    Raises:
        BadInput: an unknown setting (the nearest known one is suggested), or data that cannot be
            used.

    Example:
        >>> open_source("shakespeare", {"length": 32}).space.length
        32
    """
    known = settings or {}
    text, table, columns, images, array = _by_kind(known, is_text(source))
    found = open_data(
        source,
        seed=seed,
        labels=labels,
        skip_bad=skip_bad,
        text=text or None,
        images=images or None,
        columns=columns or None,
        context=array,
        **table,
    )
    left_out = bool(found.classes) and known.get("labels") is False
    if not left_out:
        return found
    return replace(found, notes=(*found.notes, LEFT_OUT), lost=(*found.lost, LOST_LABELS))


def _by_kind(
    settings: Mapping[str, Any], of_text: bool
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], str | None]:
    """Return the settings of text, tables, columns and pictures, and the context of an array."""
    text: dict[str, Any] = {}
    table: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    images: dict[str, Any] = {}
    array: str | None = None
    for key, value in settings.items():
        if key == "labels":
            continue
        if key == "context" and not of_text:
            array = value
        elif key in TextOptions.model_fields:
            text[key] = value
        elif key in ImageOptions.model_fields:
            images[key] = value
        elif key.startswith("columns."):
            columns[key.removeprefix("columns.")] = value
        elif key in ("kind", "bounds", "group", "split") and not isinstance(value, str):
            raise BadInput(f"'data.{key}={value}'", "a word")
        elif key in ("header", "discover"):
            table[key] = _yes(key, value)
        elif key == "rules":
            table[key] = (value,) if isinstance(value, str) else tuple(map(str, value))
        elif key in TABLE:
            table[key] = value.split(",") if key == "keep" and isinstance(value, str) else value
        else:
            raise BadInput(f"unknown key 'data.{key}'", "a key of data", nearest(key, KEYS))
    return text, table, columns, images, array


def _yes(key: str, value: Any) -> bool:
    answers = {"yes": True, "true": True, "no": False, "false": False}
    found = answers.get(str(value).lower())
    if found is None:
        raise BadInput(f"data.{key}='{value}'", "yes or no", _ASKS[key])
    return found


def encoding_of(record: RunRecord) -> Encoding:
    """Return the dictionary of a run's data."""
    found, settings = read_encoding(record), record.config["data"]
    with refusing(
        "the record of the run's data",
        "what training wrote",
        "it was edited; restore it or train again",
    ):
        _add_readings(found, settings)
    known, classes = encoding_from_json(found), tuple(record.manifest["classes"])
    return known.beside(record.space, classes, settings)


def _add_readings(found: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Tell a dictionary from before readings were kept with it how columns are read, as the run's
    settings say."""
    for stored in found.get("stored", [pair[0] for pair in found.get("columns", [])]):
        declared = settings.get(f"columns.{stored['name']}")
        if isinstance(declared, str) and declared in READINGS:
            stored.setdefault("reading", declared)


def open_as(record: RunRecord, source: Any, skip_bad: bool = False) -> Dataset:
    """Return the dataset behind a source, read and split as a run's own data were.

    Data that are the run's own are split as the version split them that trained the run.

    Args:
        skip_bad: leave unreadable files out even if the run's own data had none.
    """
    found = _opened(record, source, skip_bad)
    fingerprint = record.manifest["data"]["fingerprint"]
    if is_same(found, fingerprint) or found.space.levels is not None:
        return found
    for version in RULES[1:]:
        with rule_of(version):
            before = _opened(record, source, skip_bad)
        if is_same(before, fingerprint):
            return before
    return found


def _opened(record: RunRecord, source: Any, skip_bad: bool) -> Dataset:
    encoding, own = encoding_of(record), source == record.manifest["data"]["source"]
    found = opening(source, encoding.reads_rows)
    if isinstance(found, Dataset):
        return in_terms_of(found, encoding, tuple(record.manifest["classes"]))
    return open_data(
        found,
        skip_bad=skip_bad or bool(record.manifest["data"].get("skipped")),
        encoding=encoding,
        context=encoding.array,
        images=pictures_of(record.config["data"]),
        kind=encoding.asked,
        split=record.config["data"].get("split", "") if own else "",
    )


def reopen(record: RunRecord, data: str | InMemory | None = None) -> Dataset:
    """Return the dataset a run was trained on, or `data` if named.

    Raises:
        BadInput: the source is gone or has changed, or the named data live in another space.
    """
    facts = record.manifest["data"]
    _require_found(record, data)
    dataset = open_as(record, data or facts["source"])
    if data is None and not is_same(dataset, facts["fingerprint"]):
        raise BadInput(
            f"{facts['source']} has changed since training",
            "the data the run was trained on",
            "name other data as DATA",
        )
    if dataset.space != record.space:
        raise BadInput(
            f"{dataset.name} is {dataset.space}",
            f"the run's {record.space}",
            "bring data of that space",
        )
    return dataset


def _require_found(record: RunRecord, data: str | InMemory | None) -> None:
    source = record.manifest["data"]["source"]
    if data is None and source.startswith(FROM_PYTHON):
        raise BadInput(
            f"the data of the run, which came from Python as {source}",
            "the data that it was trained on",
            "save them as a file and name it as DATA, or with --data where the command has it (`own=` or `data=` in Python)",
        )
    # a name without a folder or an ending may be that of built-in data, or words for what Python
    # held
    if (
        data is not None
        or is_builtin(source)
        or Path(source).exists()
        or not any(sign in source for sign in "/.\\")
    ):
        return
    lay = "" if Path(source).is_absolute() else f", seen from {Path.cwd()}"
    raise BadInput(
        f"the data of the run are no longer at {source}{lay}",
        "the data that it was trained on",
        "say where they are now: name them as DATA, or with --data where the command has it",
    )


def is_same(dataset: Dataset, fingerprint: str) -> bool:
    """Return whether data have a fingerprint, or had it when points were kept in single
    precision."""
    if dataset.fingerprint == fingerprint:
        return True
    kept, usual = dataset.train.x.dtype, dataset.space.dtype
    double = (kept, usual) == (torch.float64, torch.float32)
    return double and in_single_precision(dataset) == fingerprint


def comes_split(source: Any) -> bool:
    """True for what has a test split by itself: built-in data, and a data set of a program."""
    in_program = isinstance(source, InMemory) and isinstance(source.source, Dataset)
    return in_program or is_builtin(source)


def is_builtin(source: Any) -> bool:
    """True for the name of built-in data."""
    return isinstance(source, str) and source in {name for name, _ in builtins()}
