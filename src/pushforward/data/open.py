"""Open data: a built-in, a file, a folder or an array becomes a split dataset.

Two ideas: reading (what is in the file) and splitting (who may train on it) are separate; a split that the source defines is kept.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput, nearest, refuses_source
from pushforward.core.given import Examples, Given
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.data.arrays import as_space
from pushforward.data.builtin import builtins
from pushforward.data.contexts import read_context, space_of
from pushforward.data.dataset import Dataset, fingerprint_of
from pushforward.data.encoding import Encoding
from pushforward.data.idx import is_idx, read_idx
from pushforward.data.numbers import read_csv
from pushforward.data.pictures import read_folder
from pushforward.data.split import split_rows
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.files import is_table_file, read_file
from pushforward.data.tables.open import find_table, open_table
from pushforward.data.text.corpus import is_text
from pushforward.data.text.dataset import open_text
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.toys import TOYS, toy

TOY_SIZES = (10_000, 2_000, 5_000)


@dataclass
class Raw:
    """What a source holds, before it is split; `held_out` marks rows of a test split that the source defines."""

    x: np.ndarray
    labels: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    skipped: tuple[str, ...] = ()
    held_out: np.ndarray | None = None
    context: Context | None = None
    lost: list[str] = field(default_factory=list)


@refuses_source
def open_data(
    source: Any,
    *,
    seed: int = 0,
    labels: bool = True,
    skip_bad: bool = False,
    levels: int | None = None,
    text: Mapping[str, Any] | None = None,
    kind: str | None = None,
    columns: Mapping[str, Any] | None = None,
    keep: Collection[str] = (),
    bounds: str = "natural",
    encoding: Encoding | None = None,
    context: str | None = None,
) -> Dataset:
    """Return the dataset behind a built-in name, a path, an array, an `(array, labels)` pair, a DataFrame, or strings.

    Args:
        seed: of the split (and of a toy's draws).
        labels: False leaves labels out.
        skip_bad: continue past unreadable images and count them.
        levels: number of grey levels, None = inferred and said in `notes`.
        text: options for text (see `TextOptions`).
        kind: `table` or `points` where both are possible; None = points if there are numbers only, and none is missing.
        columns, keep, bounds: kinds of columns, identifiers to model and bounds of numbers; see `data.tables.schema.infer`.
        encoding: that of a run, used as it is in place of one made from the data.
        context: name of the array of an `.npz` that holds what each example is about (see `data.contexts`).

    Raises:
        BadInput: whatever cannot be used, named with its row or file.

    Example:
        >>> open_data("digits").space
        Image(channels=1, height=8, width=8, levels=17)
    """
    _require_place_of(context, source)
    if isinstance(source, str) and source in TOYS and text is None:
        return _open_toy(source, seed)
    if isinstance(encoding, TextEncoding) or text is not None or is_text(source):
        return open_text(source, encoding if isinstance(encoding, TextEncoding) else text, seed=seed)
    table = encoding if isinstance(encoding, TableEncoding) else None
    sheet = find_table(source, "table" if table or columns or keep else kind, columns)
    if sheet is not None:
        return open_table(sheet, seed=seed, columns=columns, keep=keep, bounds=bounds, encoding=table)
    return _open_arrays(source, seed, labels, skip_bad, levels, context)


def _open_arrays(
    source: Any, seed: int, labels: bool, skip_bad: bool, levels: int | None, context: str | None
) -> Dataset:
    name, raw, origin = _read(source, skip_bad, context)
    x, space, notes = as_space(raw.x, origin, levels)
    classes, index = _classes(raw.labels if labels else None, len(x), origin, notes)
    rows = _split(raw, x, index, seed)
    parts = [_examples(x, index, r, raw.context) for r in rows]
    notes.append(f"split {_how(raw, seed)}: {_sizes(rows)}")
    return Dataset(
        name,
        space,
        parts[0],
        parts[1],
        parts[2],
        classes,
        (*raw.notes, *notes),
        origin,
        fingerprint_of(parts, classes),
        None,
        raw.skipped,
        context=None if raw.context is None else space_of(raw.context),
        lost=tuple(raw.lost),
    )


@refuses_source
def open_like(
    source: Any,
    space: Space,
    classes: tuple[str, ...],
    *,
    labels: bool | None = True,
    skip_bad: bool = False,
    context: str | None = None,
) -> Examples:
    """Return everything in a source as one set in a given space; a built-in gives its test split.

    Args:
        source: a built-in name, a path, an array or an `(array, labels)` pair.
        space: the space it must have.
        classes: names that labels may have.
        labels: whether labels are read; None reads those that there are.
        skip_bad: continue past unreadable images.
        context: name of the array of an `.npz` that holds what each example is about.

    Raises:
        BadInput: another space, or labels that `classes` does not have.
    """
    _require_place_of(context, source)
    if isinstance(source, str) and source in {name for name, _ in builtins()}:
        data = open_data(source, labels=labels is not False and bool(classes))
        if data.space != space:
            raise BadInput(f"'{source}' is {data.space}", str(space))
        return data.test
    _, raw, origin = _read(source, skip_bad, context)
    x, found, _ = as_space(raw.x, origin, space.levels if isinstance(space, Image) else None, varied=False)
    if found != space:
        raise BadInput(f"{origin} is {found}", str(space), "bring data of the same space")
    if labels is None:
        labels = raw.labels is not None
    if not (labels and classes):
        return Examples(x, None if raw.context is None else Given(context=raw.context))
    if raw.labels is None:
        raise BadInput(
            f"{origin} has no labels", f"labels among {', '.join(classes)}", "this run was trained with labels"
        )
    unknown = sorted(set(raw.labels) - set(classes))
    if unknown:
        raise BadInput(f"unknown labels {', '.join(unknown[:5])} in {origin}", "among " + ", ".join(classes))
    return Examples(x, Given(torch.tensor([classes.index(n) for n in raw.labels]), context=raw.context))


def _classes(
    names: list[str] | None, n: int, origin: str, notes: list[str]
) -> tuple[tuple[str, ...], np.ndarray | None]:
    if names is None:
        return (), None
    if len(names) != n:
        raise BadInput(f"{len(names)} labels for {n} examples in {origin}", "one label per example")
    classes = tuple(sorted(set(names), key=_label_key))
    if len(classes) < 2:
        notes.append("one class only, so labels are left out")
        return (), None
    return classes, np.array([classes.index(name) for name in names])


def _open_toy(name: str, seed: int) -> Dataset:
    density = toy(name)
    parts = []
    for split, n in zip(("train", "validation", "test"), TOY_SIZES, strict=True):
        parts.append(Examples(density.sample(n, generator(seed, name, split)).float()))
    notes = (f"drawn from the exact density with seed {seed}",)
    train, validation, test = parts
    return Dataset(name, Points(2), train, validation, test, (), notes, name, fingerprint_of(parts, ()), density)


def _read(source: Any, skip_bad: bool, context: str | None = None) -> tuple[str, Raw, str]:
    if isinstance(source, tuple) and len(source) == 2:
        x, names = source
        return "array", Raw(_to_array(x), [str(v) for v in _to_array(names).tolist()]), "the given array"
    if not isinstance(source, str | Path):
        return "array", Raw(_to_array(source)), "the given array"
    if str(source) == "digits":
        return "digits", _digits(), "digits"
    path = Path(source)
    if not path.exists():
        known = [name for name, _ in builtins()]
        hint = nearest(str(source), known) if "/" not in str(source) and "." not in str(source) else "check the path"
        raise BadInput(f"no data called '{source}'", "a built-in name or an existing path", hint)
    return path.stem or str(path), _read_path(path, skip_bad, context), str(source)


def _require_place_of(context: str | None, source: Any) -> None:
    named = isinstance(source, str | Path)
    if context is not None and not (named and Path(source).suffix.lower() == ".npz"):
        came = f"a context '{context}' of {source if named else 'a ' + type(source).__name__}"
        raise BadInput(came, "an .npz with an array of that name", "leave it out")


def _to_array(x: Any) -> np.ndarray:
    if isinstance(x, Tensor):
        return x.detach().cpu().numpy()
    return np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x)


def _digits() -> Raw:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Raw(bunch.images.astype(np.uint8), [str(t) for t in bunch.target])


def _read_path(path: Path, skip_bad: bool, context: str | None = None) -> Raw:
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if is_idx(p))
        return _idx_folder(path, found) if found else _image_folder(path, skip_bad)
    suffix = path.suffix.lower()
    if is_idx(path):
        x = read_idx(path)
        sibling = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
        labels = read_idx(sibling) if sibling != path and sibling.is_file() else None
        notes = [f"an IDX file of shape {x.shape}"]
        if labels is not None:
            notes.append(f"labels from {sibling.name}")
        return Raw(x, None if labels is None else [str(v) for v in labels.tolist()], notes)
    if suffix in (".npy", ".npz"):
        return _numpy(path, context)
    if suffix == ".parquet":
        return Raw(read_file(path).frame.to_numpy())
    if is_table_file(path):
        values, labels, notes = read_csv(path)
        return Raw(values, labels, notes)
    raise BadInput(
        f"{path} ends in '{suffix}'",
        ".csv, .parquet, .txt, .jsonl, .npy, .npz, an IDX file or a folder of images or texts",
    )


def _image_folder(path: Path, skip_bad: bool) -> Raw:
    if (path / "train").is_dir() and (path / "test").is_dir():
        parts = [read_folder(path / part, skip_bad) for part in ("train", "test")]
        if parts[0][0].shape[1:] != parts[1][0].shape[1:]:
            raise BadInput(f"{path}/train and {path}/test hold images of different sizes", "one size")
        labels = None if None in (parts[0][1], parts[1][1]) else [*(parts[0][1] or []), *(parts[1][1] or [])]
        held_out = np.repeat([False, True], [len(parts[0][0]), len(parts[1][0])])
        notes = [*parts[0][2], "the sub-folders train and test define the split"]
        return Raw(np.concatenate([parts[0][0], parts[1][0]]), labels, notes, (*parts[0][3], *parts[1][3]), held_out)
    x, labels, notes, skipped = read_folder(path, skip_bad)
    return Raw(x, labels, notes, skipped, lost=[_unread(len(skipped))] if skipped else [])


def _unread(n: int) -> str:
    return f"{n} file{'s' if n > 1 else ''} that could not be read"


def _idx_folder(path: Path, files: list[Path]) -> Raw:
    images = [p for p in files if "images" in p.name]
    train = [p for p in images if p.name.startswith("train")]
    test = [p for p in images if p.name.startswith(("t10k", "test"))]
    if not images:
        raise BadInput(
            f"{path} holds IDX files but none with 'images' in its name", "train-images... and t10k-images..."
        )
    if len(train) == 1 and len(test) == 1:
        a, b = _read_path(train[0], False), _read_path(test[0], False)
        labels = None if a.labels is None or b.labels is None else a.labels + b.labels
        held_out = np.repeat([False, True], [len(a.x), len(b.x)])
        return Raw(
            np.concatenate([a.x, b.x]), labels, [*a.notes, "train and t10k files define the split"], (), held_out
        )
    if len(images) > 1:
        raise BadInput(
            f"{path} holds {len(images)} IDX image files", "one, or a train and a t10k pair", "name one file"
        )
    return _read_path(images[0], False)


def _numpy(path: Path, context: str | None) -> Raw:
    try:
        # our own handle, because numpy leaves its open when an archive is truncated
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return Raw(loaded, None, [f"one array of shape {loaded.shape} and dtype {loaded.dtype}"])
            with loaded:
                arrays = {key: loaded[key] for key in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        if "pickle" in str(error).lower() or "object array" in str(error).lower():
            came = f"{path} holds pickled Python objects"
            raise BadInput(
                came, "plain numeric arrays", "pickles can run code and are never loaded; save it as numbers"
            ) from None
        raise BadInput(
            f"{path} cannot be read ({error})", "a complete numpy file", "it is truncated or damaged"
        ) from None
    if "x_train" in arrays and "x_test" in arrays:
        x = np.concatenate([arrays["x_train"], arrays["x_test"]])
        held_out = np.repeat([False, True], [len(arrays["x_train"]), len(arrays["x_test"])])
        y = [arrays[k] for k in ("y_train", "y_test") if k in arrays]
        labels = [str(v) for v in np.concatenate(y).tolist()] if len(y) == 2 else None
        about = read_context(arrays, context, len(x), path, ("_train", "_test"))
        return Raw(x, labels, ["x_train and x_test define the split"], (), held_out, about)
    key = next((k for k in ("x", "data", "images", "arr_0") if k in arrays), None)
    if key is None:
        raise BadInput(
            f"{path} holds {', '.join(arrays) or 'nothing'}",
            "an array called x, data, images or arr_0, or x_train and x_test",
        )
    label_key = next((k for k in ("y", "labels", "label") if k in arrays), None)
    labels = None if label_key is None else [str(v) for v in arrays[label_key].tolist()]
    notes = [f"examples in '{key}'" + (f", labels in '{label_key}'" if label_key else "")]
    about = read_context(arrays, context, len(arrays[key]), path)
    if about is not None:
        notes.append(f"each example is about '{context}': {space_of(about).described}")
    return Raw(arrays[key], labels, notes, context=about)


def _split(raw: Raw, x: Tensor, index: np.ndarray | None, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    array = x.numpy()
    if raw.held_out is None:
        return split_rows(array, index, seed)
    rest, test = np.flatnonzero(~raw.held_out), np.flatnonzero(raw.held_out)
    train, validation, extra = split_rows(array[rest], None if index is None else index[rest], seed, (0.9, 0.1, 0.0))
    return np.concatenate([rest[train], rest[extra]]), rest[validation], test


def _sizes(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> str:
    return f"{len(rows[0])} training, {len(rows[1])} validation and {len(rows[2])} test examples"


def _how(raw: Raw, seed: int) -> str:
    if raw.held_out is not None:
        return "by the source's own test split"
    return f"70/10/20 by seed {seed}, duplicates kept together"


def _examples(x: Tensor, index: np.ndarray | None, rows: np.ndarray, context: Context | None) -> Examples:
    chosen = torch.from_numpy(rows)
    if index is None and context is None:
        return Examples(x[chosen])
    label = None if index is None else torch.from_numpy(index)[chosen]
    return Examples(x[chosen], Given(label, context=None if context is None else context[chosen]))


def _label_key(name: str) -> tuple[int, float, str]:
    # numbers in numeric order, then words
    return (0, float(name), name) if name.replace(".", "", 1).lstrip("-").isdigit() else (1, 0.0, name)
