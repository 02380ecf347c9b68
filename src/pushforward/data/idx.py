"""The IDX format of MNIST: a magic number, dimensions and raw bytes, big-endian; plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(path: Path) -> bool:
    """Return whether the name looks like an IDX file: `...-ubyte`, `.idx`, with or without `.gz`."""
    name = path.name.removesuffix(".gz")
    return name.endswith(("ubyte", ".idx")) or "-idx" in name


def read_idx(path: Path) -> np.ndarray:
    """Return the array of an IDX file.

    Raises:
        BadInput: not an IDX file, a broken gzip stream, or fewer bytes than the header promises.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be unpacked ({error})", "a complete gzip file", "download it again") from None
    if len(raw) < 4 or raw[0] or raw[1] or raw[2] not in _TYPES or not 1 <= raw[3] <= 4:
        raise BadInput(f"{path} begins with {raw[:4].hex() or 'nothing'}", "an IDX magic number such as 00000803")
    dtype, dims = np.dtype(_TYPES[raw[2]]), raw[3]
    header = 4 + 4 * dims
    shape = tuple(int(d) for d in np.frombuffer(raw[4:header], dtype=">u4")) if len(raw) >= header else ()
    needed = header + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(shape) != dims or len(raw) != needed:
        raise BadInput(
            f"{path} has {len(raw)} bytes", f"{needed} bytes for shape {shape}", "it is truncated; download it again"
        )
    return np.frombuffer(raw, dtype=dtype, offset=header).reshape(shape).astype(dtype.newbyteorder("="))
