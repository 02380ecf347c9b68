"""Files of formats that are not read here, and how their data get out of them.

One idea: whoever brings an archive or a container has good data in it, and needs to hear the one
step that opens it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from pushforward.core.errors import BadInput
from pushforward.data.folders import few
from pushforward.data.formats.choosing import readable

_ARRAYS = "numpy.savez('data.npz', x=..., y=...)"


@dataclass(frozen=True)
class Unread:
    """A kind of files that is not read.

    Attributes:
        endings: of their names.
        what: they are.
        fix: the step that opens them; empty: their own library.
        seen: whether they are looked at: among pictures their loss must not look like that of a
            readme.
    """

    endings: tuple[str, ...]
    what: str
    fix: str = ""
    seen: bool = False


UNREAD = (
    Unread(
        (
            ".zip",
            ".tar",
            ".tgz",
            ".tbz2",
            ".txz",
            ".gz",
            ".bz2",
            ".xz",
            ".zst",
            ".7z",
            ".rar",
            ".cbz",
        ),
        "an archive",
        "unpack it, and name the folder or the file that was in it (a .zip or .gz of one table is read as it is)",
    ),
    Unread(
        (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill"),
        "a pickle, which may run code and is never loaded",
        f"open it where you trust it and save the arrays: {_ARRAYS}",
    ),
    Unread(
        (".safetensors",),
        "a file of tensors",
        f"load it with safetensors.numpy.load_file and save them: {_ARRAYS}",
    ),
    Unread(
        (".h5", ".hdf5", ".hdf", ".nc"),
        "an HDF5 file",
        f"read it with h5py and save its arrays: {_ARRAYS}",
    ),
    Unread(
        (".mat",),
        "a file of Matlab",
        f"read it with scipy.io.loadmat (or h5py) and save its arrays: {_ARRAYS}",
    ),
    Unread(
        (".zarr", ".tfrecord", ".tfrecords", ".lmdb", ".mdb", ".beton", ".rec", ".arrayrecord"),
        "a store of records",
    ),
    Unread(
        (".db", ".sqlite", ".sqlite3", ".duckdb"),
        "a database",
        "export the table as .csv or .parquet",
    ),
    Unread(
        (
            ".xls",
            ".ods",
            ".dta",
            ".sav",
            ".sas7bdat",
            ".rds",
            ".rdata",
            ".orc",
            ".avro",
            ".fst",
            ".numbers",
        ),
        "a table of a format that is not read",
        "export it as .csv or .parquet",
    ),
    Unread(
        (".wav", ".mp3", ".flac", ".ogg", ".m4a"),
        "sound",
        "save its features as arrays, such as " + _ARRAYS,
    ),
    Unread(
        (
            *(
                ".heic",
                ".heif",
                ".jxl",
                ".svg",
                ".psd",
                ".exr",
                ".hdr",
                ".dcm",
                ".nii",
                ".raw",
                ".cr2",
                ".cr3",
                ".nef",
            ),
            *(".arw", ".dng", ".orf", ".rw2"),
        ),
        "a picture of a format that is not read",
        "convert it to .png, and name the folder of such files",
        seen=True,
    ),
    Unread(
        (".mp4", ".mov", ".avi", ".mkv", ".webm"),
        "a film",
        "save its frames as a folder of .png files",
        seen=True,
    ),
    Unread((".pdf",), "a document", "save its text as .txt", seen=True),
    Unread((".doc", ".docx", ".odt", ".epub", ".rtf"), "a document", "save its text as .txt"),
)
_RECORDS = f"read it with the library that wrote it and save its arrays: {_ARRAYS}"


def refusal(path: Path) -> BadInput:
    """Return the refusal of a file whose ending no reader knows, with the way to its data.

    Example:
        >>> print(refusal(Path("data.mp4")).fix)
        it is a film: save its frames as a folder of .png files
    """
    suffix = path.suffix.lower()
    came = f"{path} ends in '{suffix}'" if suffix else f"{path} has no ending that says what it is"
    known = next((one for one in UNREAD if suffix in one.endings), None)
    fix = f"it is {known.what}{_inside(path)}: {known.fix or _RECORDS}" if known else ""
    return BadInput(came, readable(), fix)


def is_unread_picture(path: Path) -> bool:
    """Return whether the name of a file is that of a picture, a film or a page that no decoder here
    reads.

    Example:
        >>> is_unread_picture(Path("a.HEIC")), is_unread_picture(Path("a.png"))
        (True, False)
    """
    return any(one.seen and path.suffix.lower() in one.endings for one in UNREAD)


def _inside(path: Path) -> str:
    if path.suffix.lower() != ".zip":
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile):
        return " that is damaged"
    return f" of {len(names):,} files ({few(names, 3)})" if names else " of nothing"
