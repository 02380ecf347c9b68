"""Files that are packed: one table of the ways, for reading and for writing.

One idea: packing is around a format and not a part of it, so it is taken off before a name's ending
is read, and put on after a file's bytes are made; packing notes no time, so that equal contents
give equal bytes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

from pushforward.core.errors import BadInput, refusing
from pushforward.core.reading import UNPACKERS, require_members, require_regular, unpacked
from pushforward.data.folders import is_hidden

PACKED = (*UNPACKERS, ".zip")


def unpacked_name(path: Path) -> Path:
    """Return a path without the ending of its packing.

    Example:
        >>> unpacked_name(Path("a.csv.gz")).name
        'a.csv'
    """
    return path.with_suffix("") if path.suffix.lower() in PACKED else path


def unpack(path: Path) -> tuple[bytes, str]:
    """Return the bytes of a file as they were before it was packed, and the ending of the name
    within.

    Raises:
        BadInput: damaged, of more than the limit unpacked, or an archive that does not hold one
            file.
    """
    if path.suffix.lower() != ".zip":
        return unpacked(path, "a complete file"), unpacked_name(path).suffix.lower()
    require_regular(path)
    with refusing(str(path), "a complete file"), zipfile.ZipFile(path) as archive:
        files = [one.filename for one in archive.infolist() if not one.is_dir()]
        members = [name for name in files if not name.startswith(("__MACOSX", "."))]
        if len(members) != 1:
            shown = ", ".join(members[:5]) or "nothing"
            raise BadInput(f"{path} holds {shown}", "one file", "unpack it and name the table")
        require_members(archive, path, members)
        return archive.read(members[0]), Path(members[0]).suffix.lower()


def members_of(path: Path) -> list[str]:
    """Return the names of the files in an archive, none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of what a file holds, a zero byte for an archive of several files.

    Raises:
        OSError, EOFError, ValueError: and what unpackers raise for damaged files.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [
                one
                for one in archive.infolist()
                if not one.is_dir() and not is_hidden(Path(one.filename).name)
            ]
            if len(members) != 1:
                return b"\0"
            with archive.open(members[0]) as file:
                return file.read(size)
    if suffix in UNPACKERS:
        with UNPACKERS[suffix](path) as packed:
            return packed.read(size)
    with path.open("rb") as file:
        return file.read(size)


def pack(content: bytes, path: Path) -> bytes:
    """Return bytes packed as the ending of a name says, as they are under any other name.

    Example:
        >>> gzip.decompress(pack(b"a,b", Path("x.csv.gz"))), pack(b"a,b", Path("x.csv"))
        (b'a,b', b'a,b')
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return gzip.compress(content, mtime=0)
    if suffix == ".bz2":
        return bz2.compress(content)
    if suffix == ".xz":
        return lzma.compress(content)
    if suffix != ".zip":
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        one = zipfile.ZipInfo(unpacked_name(path).name, date_time=(1980, 1, 1, 0, 0, 0))
        one.compress_type, one.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(one, content)
    return buffer.getvalue()
