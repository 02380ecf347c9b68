"""The IDX format of MNIST: a magic number, dimensions and raw bytes, big-endian; plain or gzipped,
alone or in pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.reading import unpacked
from pushforward.data.folders import TEST, TRAIN, is_hidden
from pushforward.data.formats.format import ReadOptions
from pushforward.data.source import Raw

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(path: Path) -> bool:
    """Return whether the name looks like an IDX file: `...-ubyte`, `.idx`, with or without
    `.gz`."""
    name = path.name.removesuffix(".gz")
    return name.endswith(("ubyte", ".idx")) or "-idx" in name


def read_idx(path: Path) -> np.ndarray:
    """Return the array of an IDX file.

    Raises:
        BadInput: not an IDX file, a broken gzip stream, or fewer bytes than the header promises.
    """
    raw = unpacked(path, "a complete IDX file")
    if len(raw) < 4 or raw[0] or raw[1] or raw[2] not in _TYPES or not 1 <= raw[3] <= 4:
        raise BadInput(
            f"{path} begins with {raw[:4].hex() or 'nothing'}",
            "an IDX magic number such as 00000803",
        )
    dtype, dims = np.dtype(_TYPES[raw[2]]), raw[3]
    header = 4 + 4 * dims
    shape = (
        tuple(int(d) for d in np.frombuffer(raw[4:header], dtype=">u4"))
        if len(raw) >= header
        else ()
    )
    needed = header + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(shape) != dims or len(raw) != needed:
        why = (
            "it is truncated; download it again"
            if len(raw) < needed
            else "more lies behind it; split the file"
        )
        raise BadInput(f"{path} has {len(raw)} bytes", f"{needed} bytes for shape {shape}", why)
    return (
        np.frombuffer(raw, dtype=dtype, offset=header)
        .reshape(shape)
        .astype(dtype.newbyteorder("="))
    )


def is_idx_source(path: Path) -> bool:
    """Return whether a path looks like an IDX file, or is a folder that holds one."""
    if not path.is_dir():
        return is_idx(path)
    return any(is_idx(one) and not is_hidden(one.name) for one in path.iterdir())


def read_idx_source(path: Path, how: ReadOptions) -> Raw:
    """Return the examples of an IDX file, or of a folder of them."""
    return read_idx_folder(path) if path.is_dir() else read_idx_pair(path)


def read_idx_folder(folder: Path) -> Raw:
    """Return the images of a folder of IDX files: one of them, or a train and a test pair with
    their labels.

    Raises:
        BadInput: no images, or more files than that.
    """
    files = sorted(path for path in folder.iterdir() if is_idx(path) and not is_hidden(path.name))
    images = [path for path in files if "images" in path.name]
    train = [path for path in images if path.name.startswith("train")]
    test = [path for path in images if path.name.startswith(("t10k", "test"))]
    if not images:
        came = f"{folder} holds IDX files but none with 'images' in its name"
        raise BadInput(came, "train-images... and t10k-images...")
    if len(train) == 1 and len(test) == 1:
        a, b = read_idx_pair(train[0]), read_idx_pair(test[0])
        labels = None if a.labels is None or b.labels is None else a.labels + b.labels
        roles = np.repeat([TRAIN, TEST], [len(a.x), len(b.x)])
        if a.x.shape[1:] != b.x.shape[1:]:
            raise BadInput(
                f"images of shapes {a.x.shape[1:]} and {b.x.shape[1:]} in {folder}", "one size"
            )
        notes = [*a.notes, "train and t10k files define the split"]
        return Raw(np.concatenate([a.x, b.x]), labels, notes, roles=roles)
    if len(images) > 1:
        came = f"{folder} holds {len(images)} IDX image files"
        raise BadInput(came, "one, or a train and a t10k pair", "name one file")
    return read_idx_pair(images[0])


def read_idx_pair(path: Path) -> Raw:
    """Return the examples of an IDX file, with the labels of the file beside it that is named like
    it."""
    x = read_idx(path)
    sibling = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    labels = read_idx(sibling) if sibling != path and sibling.is_file() else None
    notes = [f"an IDX file of shape {x.shape}"]
    if labels is not None:
        notes.append(f"labels from {sibling.name}")
    return Raw(x, None if labels is None else [str(v) for v in labels.tolist()], notes)
