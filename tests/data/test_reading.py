"""Files that claim more than they hold, unpack to more than a machine has, or have no end: refused before anything is allocated."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pushforward.core import limits, reading
from pushforward.core.errors import BadInput
from pushforward.core.limits import unlimited
from pushforward.core.reading import read_bytes, unpacked
from pushforward.data.array_files import load_array, opened_arrays
from pushforward.data.open import open_data


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limits of a megabyte, so that bombs are small."""
    monkeypatch.setattr(limits, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "BLOCK", 1 << 16)
    return 1 << 20


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_a_bomb_is_refused_while_it_unpacks(
    suffix: str, pack: Callable[[bytes], bytes], small: int, tmp_path: Path
) -> None:
    path = tmp_path / f"x-images-idx3-ubyte{suffix}"
    path.write_bytes(pack(bytes(40 * small)))
    assert path.stat().st_size < small / 10
    tracemalloc.start()
    with pytest.raises(
        BadInput, match=r"unpacked, which needs about .* GiB: expected at most .*--no-limits"
    ):
        unpacked(path)
    assert tracemalloc.get_traced_memory()[1] < 20 * small  # the dictionary of xz alone takes eight
    tracemalloc.stop()
    with unlimited():
        assert len(unpacked(path)) == 40 * small
    path.write_bytes(pack(b"hello"))
    assert unpacked(path) == b"hello"
    path.write_bytes(pack(b"hello" * 50)[:-6])
    with pytest.raises(BadInput, match="cannot be read"):
        unpacked(path)


def test_an_unused_member_of_an_archive_is_not_unpacked(small: int, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(
        path,
        x=np.arange(24, dtype=np.uint8).reshape(6, 2, 2) % 7,
        unused=np.zeros(5 * small, np.uint8),
    )
    assert len(open_data(str(path)).train) > 0
    with pytest.raises(BadInput, match=r"'unused' of|unused\.npy of"), opened_arrays(path) as found:
        found["unused"]


HEADERS: dict[str, str] = {
    "more rows than there are": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 100), }",
    "a negative length": "{'descr': '<f8', 'fortran_order': False, 'shape': (-5, 2), }",
    "a huge integer": "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 400 + ",), }",
    "no closing brace": "{'descr': '<f8', 'fortran_order': False, 'shape': (3,",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "an unknown type": "{'descr': '<q99', 'fortran_order': False, 'shape': (3,), }",
    "an unhashable type": "{'descr': [[]], 'fortran_order': False, 'shape': (3,), }",
    "no shape": "{'descr': '<f8', 'fortran_order': False, }",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_headers_that_lie_are_refused(header: str, tmp_path: Path) -> None:
    content = header.encode()
    content += b" " * (-(len(content) + 11) % 64) + b"\n"
    whole = b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content + bytes(80)
    (tmp_path / "x.npy").write_bytes(whole)
    with pytest.raises(BadInput):
        load_array(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", whole)
    with pytest.raises(BadInput):
        open_data(str(tmp_path / "x.npz"))


def test_numpy_and_we_read_the_same_arrays(tmp_path: Path) -> None:
    arrays = (
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.zeros((0, 3)),
        np.array(5),
        np.array(["a", "bc"]),
        np.arange(6, dtype=">i2"),
        np.ones(3, bool),
    )
    for array in arrays:
        np.save(tmp_path / "x.npy", array)
        np.savez_compressed(tmp_path / "x.npz", a=array)
        with opened_arrays(tmp_path / "x.npz") as archive:
            for found in (load_array(tmp_path / "x.npy"), archive["a"]):
                assert found.dtype == array.dtype
                np.testing.assert_array_equal(found, array)


def test_devices_pipes_and_folders_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, says in (
        (Path("/dev/zero"), "a device or a pipe"),
        (tmp_path / "pipe", "a device or a pipe"),
        (tmp_path, "the folder"),
    ):
        with pytest.raises(BadInput, match=says):
            read_bytes(path)
    with pytest.raises(BadInput, match="No such file"):
        read_bytes(tmp_path / "absent")
    link = tmp_path / "link"
    (tmp_path / "there").write_bytes(b"1")
    link.symlink_to("there")
    assert read_bytes(link) == b"1"


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.arange(100).reshape(50, 2))
    for cut in (0, 3, 30, len(buffer.getvalue()) // 2, len(buffer.getvalue()) - 5):
        (tmp_path / "x.npz").write_bytes(buffer.getvalue()[:cut])
        with pytest.raises(BadInput, match=r"x\.npz"):
            open_data(str(tmp_path / "x.npz"))
