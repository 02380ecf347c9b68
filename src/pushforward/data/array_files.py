"""Open `.npy` and `.npz` files whose headers tell the truth.

One idea: numpy allocates what a header claims before it reads; here the claim is compared with the bytes that are there, and of an
archive only the members that are asked for are unpacked.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput, refusing
from pushforward.core.limits import require_bytes
from pushforward.core.reading import require_members, require_regular

COMPLETE = "a complete numpy file"
DAMAGED = "it is truncated or damaged"


class Archive(Mapping[str, np.ndarray]):
    """The arrays of an open `.npz` by name, each loaded when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
        self.files = list(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._members[name]
        require_members(self._archive, self._path, [member])
        with self._archive.open(member) as file:
            return _read(file, self._archive.getinfo(member).file_size, f"'{name}' of {self._path}")


@contextmanager
def opened_arrays(path: Path) -> Iterator[np.ndarray | Archive]:
    """Open an `.npy` as its array, an `.npz` as its archive; what goes wrong inside the block is a refusal.

    Raises:
        BadInput: no regular file, damaged, pickled, a header that claims more than the file holds, or more than the limit.
    """
    size = require_regular(path, "an .npy or .npz file")
    with refusing(str(path), COMPLETE, DAMAGED), path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04" or path.suffix.lower() == ".npz":
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, path)
        else:
            file.seek(0)
            yield _read(file, size, str(path))


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


def _header(file: Any, where: str) -> tuple[int, np.dtype[Any], tuple[int, ...]]:
    """Return the length of a header, the dtype and the shape that it claims."""
    with refusing(where, COMPLETE, DAMAGED):
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if any(length < 0 for length in shape):
            raise ValueError(f"a shape of {shape}")
        return file.tell(), dtype, shape
