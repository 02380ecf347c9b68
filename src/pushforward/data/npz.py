"""Arrays from `.npy` and `.npz` files: which are examples, which are labels, which splits they are.

One idea: a name is a noun (`x`, `images`, `labels`, ...) and perhaps a split, in any order and
spelling; what is not understood is named, and only what is used is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.array_files import Archive, behind, load_array, opened_arrays
from pushforward.data.array_layout import ArrayLayout, labels_of_array
from pushforward.data.contexts import read_context, space_of
from pushforward.data.folders import SPLITS, TRAIN, few, role_of
from pushforward.data.formats.format import ReadOptions
from pushforward.data.identity import IdentityEncoding
from pushforward.data.labels import as_labels
from pushforward.data.source import Raw
from pushforward.data.sparse import is_sparse, read_sparse
from pushforward.data.tables.sheet import Sheet, frame_of_array, no_table

# in order of preference
EXAMPLES = (
    "x",
    "data",
    "images",
    "image",
    "arr0",
    "xs",
    "imgs",
    "samples",
    "examples",
    "features",
    "inputs",
    "pixels",
)
LABELS = ("y", "labels", "label", "ys", "targets", "target", "classes", "class", "arr1")


def read_arrays(path: Path, how: ReadOptions) -> Raw:
    """Return the examples of an `.npy` or an `.npz`; see `read_npz`."""
    return read_npz(path, how.context)


def read_columns(path: Path, how: ReadOptions) -> Sheet:
    """Return the columns of an `.npy`.

    Raises:
        BadInput: see `load_array`, or an array that has no columns.
    """
    frame = frame_of_array(load_array(path))
    if frame is None:
        raise no_table(path)
    more = behind(path)
    lost = (f"what lies behind the first array in {path}: {more}",) if more else ()
    return Sheet(frame, path.stem, str(path), lost=lost)


def read_npz(path: Path, context: str | None) -> Raw:
    """Return the examples of an `.npy` or an `.npz`, with the labels, splits and contexts that it
    names.

    Args:
        context: name of the array that holds what each example is about.

    Raises:
        BadInput: a damaged file, pickled objects, or no array that is called like examples.
    """
    with opened_arrays(path) as loaded:
        if isinstance(loaded, Archive):
            return _archive(path, loaded, context)
        raw = Raw(loaded, None, [f"one array of shape {loaded.shape} and dtype {loaded.dtype}"])
        raw.encoding = IdentityEncoding(layout=ArrayLayout(dtype=_whole(loaded)))
        if more := behind(path):
            raw.lost.append(lost_behind(more, path))
        return raw


def lost_behind(more: str, path: Path) -> str:
    """Return the sentence for what lies in a file behind the array that is read."""
    return f"what lies behind the first array in {path}: {more} (numpy.savez keeps several arrays by name)"


def parsed(name: str) -> tuple[str, int | None]:
    """Return the noun of an array's name, and the split that it names.

    Example:
        >>> [parsed(name) for name in ("X_train", "val_images", "testLabels", "arr_0", "train")]
        [('x', 0), ('images', 1), ('labels', 2), ('arr0', None), ('', 0)]
    """
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    nouns = sorted(("", *EXAMPLES, *LABELS), key=len, reverse=True)
    if word in nouns:
        return word, None
    for noun in nouns:
        for rest in (word.removesuffix(noun), word.removeprefix(noun)):
            if len(rest) == len(word) - len(noun) and (role := role_of(rest)) is not None:
                return noun, role
    return word, None


def _archive(path: Path, loaded: Archive, context: str | None) -> Raw:
    if is_sparse(loaded):
        return read_sparse(loaded, path)
    names = {name: parsed(name) for name in loaded.files}
    wanted = {
        name: found
        for name, found in names.items()
        if context is None or not name.startswith(context)
    }
    split = [_pick(wanted, ("", *EXAMPLES), role) for role in range(3)]
    if split[TRAIN] is not None and (split[1] is not None or split[2] is not None):
        return _splits(path, loaded, wanted, split, context)
    key = (
        _pick(wanted, EXAMPLES, None)
        or split[TRAIN]
        or (next(iter(wanted)) if len(wanted) == 1 else None)
    )
    if key is None:
        came = f"{path} holds {', '.join(loaded.files) or 'nothing'}"
        raise BadInput(
            came,
            "an array called x, data, images or arr_0, or x_train and x_test",
            "rename one of them",
        )
    x = loaded[key]
    label = _pick(wanted, LABELS, None if names[key][1] is None else TRAIN)
    if label is not None and names[label][0] == "arr1" and loaded[label].shape[:1] != x.shape[:1]:
        label = None
    raw = Raw(x, None, [f"examples in '{key}'" + (f", labels in '{label}'" if label else "")])
    if label is not None:
        set_labels(raw, loaded[label], f"'{label}' of {path}")
    _lay_out(raw, key, None if label is None else (label, loaded[label]))
    raw.context = read_context(loaded, context, len(x), path) if x.ndim else None
    if raw.context is not None:
        raw.notes.append(f"each example is about '{context}': {space_of(raw.context).described}")
    _rest(raw, loaded, (key, label), context)
    return raw


def _splits(
    path: Path,
    loaded: Archive,
    names: Mapping[str, tuple[str, int | None]],
    keys: Sequence[str | None],
    context: str | None,
) -> Raw:
    used = [(role, key) for role, key in enumerate(keys) if key is not None]
    parts = [loaded[key] for _, key in used]
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1 or any(part.ndim == 0 for part in parts):
        shown = ", ".join(f"{key} {part.shape}" for (_, key), part in zip(used, parts, strict=True))
        raise BadInput(f"{path} holds {shown}", "splits of examples of one shape")
    raw = Raw(
        np.concatenate(parts), None, [f"{', '.join(key for _, key in used)} define the split"]
    )
    raw.roles = np.repeat([role for role, _ in used], [len(part) for part in parts])
    label = [_pick(names, LABELS, role) for role, _ in used]
    _lay_out(raw, used[0][1], None)
    if None not in label:
        found = [loaded[one] for one in label if one is not None]
        for one, part, (_, key) in zip(found, parts, used, strict=True):
            if one.ndim == 0 or len(one) != len(part):
                raise BadInput(
                    f"{one.size} labels for the {len(part)} examples of '{key}' in {path}",
                    "one per example",
                )
        if len({one.shape[1:] for one in found}) > 1:
            raise BadInput(f"labels of different shapes in {path}", "one shape for all splits")
        y = np.concatenate(found)
        set_labels(raw, y, f"{', '.join(map(str, label))} of {path}")
        _lay_out(raw, used[0][1], (str(label[0]), y))
    elif any(label):
        missing = [SPLITS[role] for (role, _), one in zip(used, label, strict=True) if one is None]
        raw.lost.append(f"the labels: there are none for {' and '.join(missing)}")
    if context is not None:
        # a context is spelled like the examples that it belongs to
        ends = tuple(re.sub(r"^(x|data|images?)(?=[_-])", "", key) for _, key in used)
        raw.context = read_context(loaded, context, len(raw.x), path, ends)
    _rest(raw, loaded, [*(key for _, key in used), *label], context)
    return raw


def set_labels(raw: Raw, y: np.ndarray, where: str) -> None:
    """Give examples the labels in an array, or the reason why they are none."""
    found = as_labels(y, len(raw.x) if raw.x.ndim else 0, where)
    raw.labels = found.names
    raw.notes += [found.note] if found.note else []
    raw.lost += [found.lost] if found.lost else []


def _lay_out(raw: Raw, name: str, labels: tuple[str, np.ndarray] | None) -> None:
    """Remember what the arrays of examples and of labels are called, and their types."""
    kept = ArrayLayout(name, dtype=_whole(raw.x))
    if labels is not None:
        kept = replace(kept, labels=labels[0], **labels_of_array(labels[1], raw.labels))
    raw.encoding = IdentityEncoding(layout=kept)


def _whole(x: np.ndarray) -> str:
    return str(x.dtype) if x.dtype.kind in "iub" else ""


def _pick(
    names: Mapping[str, tuple[str, int | None]], nouns: Sequence[str], role: int | None
) -> str | None:
    found = [name for name, (noun, split) in names.items() if split == role and noun in nouns]
    return min(found, key=lambda name: nouns.index(names[name][0])) if found else None


def _rest(raw: Raw, loaded: Archive, used: Sequence[str | None], context: str | None) -> None:
    rest = [
        name
        for name in loaded.files
        if name not in used and not (context and name.startswith(context))
    ]
    if rest:
        raw.notes.append(f"not read: {few(rest)}")
        raw.lost.append(f"the arrays {few(rest)}")
    raw.lost += [f"what is no array in the archive: {few(loaded.others)}"] if loaded.others else []
    for name in used:
        if name is not None and (more := loaded.behind(name)):
            raw.lost.append(f"what lies behind the array '{name}': {more}")
