"""Open `.npy` and `.npz` files whose headers tell the truth.

One idea: numpy allocates what a header claims before it reads; here the claim is compared with the
bytes that are there, and of an archive only the members that are asked for are unpacked.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput, refusing
from pushforward.core.limits import require_bytes
from pushforward.core.reading import require_members, require_regular
from pushforward.data.folders import counted, few
from pushforward.data.formats.file_formats import NPZ

COMPLETE = "a complete numpy file"
_MAGIC = b"\x93NUMPY"
DAMAGED = "it is truncated or damaged"


class Archive(Mapping[str, np.ndarray]):
    """The arrays of an open `.npz` by name, each loaded when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._members = {
            name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")
        }
        self.files = list(self._members)
        self.others = [name for name in archive.namelist() if not name.endswith((".npy", "/"))]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._members[name]
        require_members(self._archive, self._path, [member])
        with self._archive.open(member) as file:
            return _read(file, self._archive.getinfo(member).file_size, f"'{name}' of {self._path}")

    def behind(self, name: str) -> str:
        """Return what lies behind the array of a member, empty if nothing does."""
        member = self._members[name]
        with self._archive.open(member) as file:
            return _behind(file, self._archive.getinfo(member).file_size)


@contextmanager
def opened_arrays(path: Path) -> Iterator[np.ndarray | Archive]:
    """Open an `.npy` as its array, an `.npz` as its archive; what goes wrong inside the block is a
    refusal.

    Raises:
        BadInput: no regular file, damaged, pickled, a header that claims more than the file holds,
            or more than the limit.
    """
    size = require_regular(path, "an .npy or .npz file")
    with refusing(str(path), COMPLETE, DAMAGED), path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04" or NPZ.is_named(path):
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, path)
        else:
            file.seek(0)
            yield _read(file, size, str(path))


def behind(path: Path) -> str:
    """Return what lies in an `.npy` behind its array, empty if nothing does: saving twice leaves
    two arrays."""
    with refusing(str(path), COMPLETE, DAMAGED), path.open("rb") as file:
        return _behind(file, path.stat().st_size)


def load_array(path: Path) -> np.ndarray:
    """Return the array of an `.npy`.

    Raises:
        BadInput: an archive, or what `opened_arrays` refuses.
    """
    with opened_arrays(path) as found:
        if isinstance(found, Archive):
            raise BadInput(f"the archive {path}", "one array in an .npy file")
        return found


def _read(file: Any, size: int, where: str) -> np.ndarray:
    header, dtype, shape = _header(file, where)
    if dtype.hasobject:
        fix = "pickles can run code and are never loaded; save it as numbers"
        raise BadInput(f"{where} holds pickled Python objects", "plain numeric arrays", fix)
    claimed = float(dtype.itemsize)
    for length in shape:
        claimed *= length
    if claimed > size - header:
        came = f"{where}, whose header claims {claimed:,.0f} bytes of which {max(0, size - header):,} are there"
        raise BadInput(came, COMPLETE, DAMAGED)
    require_bytes(claimed, where)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _behind(file: Any, size: int) -> str:
    place, arrays = 0, []
    while place < size:
        file.seek(place)
        if arrays and file.read(len(_MAGIC)) != _MAGIC:
            break
        file.seek(place)
        try:
            _, dtype, shape = _header(file, "")
        except BadInput:
            break
        arrays.append(f"{shape} of {dtype}")
        place = file.tell() + int(dtype.itemsize * math.prod(shape))
    more = [f"{counted(len(arrays) - 1, 'more array')} ({few(arrays[1:], 3)})"] * (len(arrays) > 1)
    more += [counted(size - place, "byte")] * (size > place)
    return " and ".join(more)


def _header(file: Any, where: str) -> tuple[int, np.dtype[Any], tuple[int, ...]]:
    """Return the length of a header, the dtype and the shape that it claims."""
    with refusing(where, COMPLETE, DAMAGED):
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        if any(length < 0 for length in shape):
            raise ValueError(f"a shape of {shape}")
        return file.tell(), dtype, shape
