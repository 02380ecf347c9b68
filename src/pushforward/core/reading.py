"""Reading files that somebody else made: regular ones only, and never more of them than the limits
say.

Two ideas: what a file claims (a header's shape, an archive's table, a gzip trailer) is compared
with what it holds before anything is allocated; what it unpacks to is counted while it unpacks.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.limits import MOST_BYTES, limited, require_bytes

BLOCK = 1 << 22
UNPACKERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


def require_regular(path: Path, what: str = "a file") -> int:
    """Return the size of a regular file; links are followed.

    Raises:
        BadInput: nothing there, a folder, or a device, pipe or socket, which has no end.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"'{path}', which cannot be read ({said})", what, "check the path") from None
    if stat.S_ISDIR(found.st_mode):
        raise BadInput(f"the folder {path}", what, "name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"'{path}', a device or a pipe", what, "a regular file has an end")
    return found.st_size


def read_bytes(path: Path, what: str = "a file") -> bytes:
    """Return all bytes of a regular file within the limit.

    Raises:
        BadInput: no regular file, one that is too large, or one that cannot be read.
    """
    require_bytes(require_regular(path, what), f"{path}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror})", what) from None


def unpacked(path: Path, what: str = "a complete compressed file") -> bytes:
    """Return what a `.gz`, `.bz2` or `.xz` unpacks to, counted while it does; any other file as it
    is.

    Raises:
        BadInput: damaged, or more than the limit: a few kilobytes can stand for many gigabytes.
    """
    if path.suffix.lower() not in UNPACKERS:
        return read_bytes(path, what)
    require_bytes(require_regular(path, what), f"{path}")
    parts, total = [], 0
    try:
        with UNPACKERS[path.suffix.lower()](path) as file:
            while block := file.read(BLOCK):
                total += len(block)
                if total > MOST_BYTES and limited():
                    require_bytes(float(total), f"{path} unpacked")
                parts.append(block)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error})", what, "download it again") from None
    return b"".join(parts)


def require_members(archive: Any, path: Path, names: list[str]) -> None:
    """Refuse members of a zip archive that unpack to more than the limit; others may be as large as
    they like.

    Args:
        archive: an open `zipfile.ZipFile`.

    Raises:
        BadInput: says how much they would need.
    """
    size = sum(archive.getinfo(name).file_size for name in names)
    require_bytes(float(size), f"{', '.join(names[:5])} of {path} unpacked")
