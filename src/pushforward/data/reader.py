"""From a path, an array or a built-in name to raw examples: what a source is taken for, decided in one place.

One idea: a suffix or the files of a folder say what to call; when that was not what was meant, the message says what it was
taken for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pushforward.core.errors import BadInput, nearest
from pushforward.data.builtin import builtins
from pushforward.data.class_names import order_of
from pushforward.data.idx import is_idx, is_idx_folder, read_idx_folder, read_idx_pair
from pushforward.data.images.folder import SUFFIXES, read_folder, read_one
from pushforward.data.images.held import GIVEN, Pictures, read_held
from pushforward.data.images.options import ImageOptions
from pushforward.data.in_memory import of_frame
from pushforward.data.labels import as_labels
from pushforward.data.npz import read_npz, set_labels
from pushforward.data.numbers import raw_of
from pushforward.data.source import Raw
from pushforward.data.tables.files import Sheet, is_table_file, read_file
from pushforward.data.tensors import plain_tensor
from pushforward.data.unread import refusal


def read(
    source: Any, options: ImageOptions, skip_bad: bool = False, context: str | None = None
) -> tuple[str, Raw, str]:
    """Return the name of a source, what it holds, and the words for it in messages.

    Args:
        options: how pictures are read.
        skip_bad: continue past unreadable pictures.
        context: name of the array of an `.npz` that holds what each example is about.

    Raises:
        BadInput: no such data, or what cannot be read.
    """
    if isinstance(source, tuple) and len(source) == 2:
        of_pictures = isinstance(source[0], Pictures)
        raw = _labelled(source[0], source[1], options, skip_bad)
        return ("pictures", raw, GIVEN) if of_pictures else ("array", raw, "the given array")
    if isinstance(source, Pictures):
        return "pictures", read_held(source, options, skip_bad)[0], GIVEN
    if not isinstance(source, str | Path):
        return "array", Raw(_to_array(source)), "the given array"
    if str(source) == "digits":
        return "digits", _digits(), "digits"
    path = Path(source)
    if not path.exists():
        known = [name for name, _ in builtins()]
        hint = nearest(str(source), known) if "/" not in str(source) and "." not in str(source) else "check the path"
        raise BadInput(f"no data called '{source}'", "a built-in name or an existing path", hint)
    return path.stem or str(path), _read_path(path, options, skip_bad, context), str(source)


def _labelled(x: Any, labels: Any, options: ImageOptions, skip_bad: bool) -> Raw:
    y, order = _to_array(labels), order_of(labels)
    if not isinstance(x, Pictures):
        raw = Raw(_to_array(x), order=order)
        set_labels(raw, y, "the given pair")
        return raw
    raw, owner = read_held(x, options, skip_bad)
    if y.ndim == 0 or len(y) != len(x):
        raise BadInput(f"{y.size} labels for {len(x)} pictures", "one label per picture")
    found = as_labels(y, len(x), "the given pair")
    raw.order = order
    raw.labels = None if found.names is None else [found.names[i] for i in owner]
    raw.notes += [found.note] if found.note else []
    raw.lost += [found.lost] if found.lost else []
    return raw


def _to_array(x: Any) -> np.ndarray:
    if isinstance(x, Tensor):
        return plain_tensor(x).numpy()
    return np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x)


def pictures_in(sheet: Sheet, options: ImageOptions, skip_bad: bool) -> Raw | None:
    """Return the pictures in the cells of a table, as data sets of the Hub file them, None if it holds none."""
    found = of_frame(sheet.frame.drop(columns=list(sheet.dropped)), Path(sheet.origin))
    x, labels = found.source if isinstance(found.source, tuple) else (found.source, None)
    if not isinstance(x, Pictures):
        return None
    raw = read_held(x, options, skip_bad)[0] if labels is None else _labelled(x, labels, options, skip_bad)
    raw.held = False
    raw.notes = [*sheet.notes, *found.notes, *raw.notes]
    raw.lost += [*found.lost, *sheet.lost]
    return raw


def _digits() -> Raw:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Raw(bunch.images.astype(np.uint8), [str(t) for t in bunch.target])


def _read_path(path: Path, options: ImageOptions, skip_bad: bool, context: str | None) -> Raw:
    if path.is_dir() and not is_table_file(path):
        return read_idx_folder(path) if is_idx_folder(path) else read_folder(path, options, skip_bad)
    suffix = path.suffix.lower()
    if is_idx(path):
        return read_idx_pair(path)
    if suffix in (".npy", ".npz"):
        return read_npz(path, context)
    if is_table_file(path):
        sheet = read_file(path)
        return pictures_in(sheet, options, skip_bad) or raw_of(sheet, pictured=True, varied=False)
    if suffix in SUFFIXES:
        raw = read_one(path, options)
        if len(raw.x) == 1:
            paged = any("only the first frame" in note for note in raw.notes)
            hint = f"a folder of such files is data: name the folder, such as {path.parent}"
            hint = "-s data.frames=all makes each of its frames an example" if paged else hint
            raise BadInput(f"{path} was taken for one picture", "at least five examples", hint)
        return raw
    raise refusal(path)
