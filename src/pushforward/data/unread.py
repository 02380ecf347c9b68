"""Files of formats that are not read here, and how their data get out of them.

One idea: whoever brings an archive or a container has good data in it, and needs to hear the one step that opens it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from pushforward.core.errors import BadInput
from pushforward.data.folders import few
from pushforward.data.tables.files import SUFFIXES as TABLES
from pushforward.data.tables.unpacking import PACKED
from pushforward.data.text.sources import KNOWN as TEXTS

_READ = ", ".join(dict.fromkeys((*TABLES, *TEXTS, ".npy", ".npz")))
EXPECTED = f"{_READ} (tables and texts also in {', '.join(PACKED)}), an IDX file, any plain text, or a folder of images or texts"
_ARRAYS = "numpy.savez('data.npz', x=..., y=...)"
# endings, what they are, what to do
_KINDS = (
    (
        (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".cbz"),
        "an archive",
        "unpack it, and name the folder or the file that was in it (a .zip or .gz of one table is read as it is)",
    ),
    (
        (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill"),
        "a pickle, which may run code and is never loaded",
        f"open it where you trust it and save the arrays: {_ARRAYS}",
    ),
    ((".safetensors",), "a file of tensors", f"load it with safetensors.numpy.load_file and save them: {_ARRAYS}"),
    ((".h5", ".hdf5", ".hdf", ".nc"), "an HDF5 file", f"read it with h5py and save its arrays: {_ARRAYS}"),
    ((".mat",), "a file of Matlab", f"read it with scipy.io.loadmat (or h5py) and save its arrays: {_ARRAYS}"),
    ((".zarr", ".tfrecord", ".tfrecords", ".lmdb", ".mdb", ".beton", ".rec", ".arrayrecord"), "a store of records", ""),
    ((".db", ".sqlite", ".sqlite3", ".duckdb"), "a database", "export the table as .csv or .parquet"),
    (
        (".xls", ".ods", ".dta", ".sav", ".sas7bdat", ".rds", ".rdata", ".orc", ".avro", ".fst", ".numbers"),
        "a table of a format that is not read",
        "export it as .csv or .parquet",
    ),
    ((".wav", ".mp3", ".flac", ".ogg", ".m4a"), "sound", "save its features as arrays, such as " + _ARRAYS),
    (
        (
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
            ".arw",
            ".dng",
        ),
        "a picture of a format that is not read",
        "convert it to .png, and name the folder of such files",
    ),
    ((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a film", "save its frames as a folder of .png files"),
    ((".pdf", ".doc", ".docx", ".odt", ".epub", ".rtf"), "a document", "save its text as .txt"),
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
    known = next(((what, fix) for endings, what, fix in _KINDS if suffix in endings), None)
    return BadInput(came, EXPECTED, f"it is {known[0]}{_inside(path)}: {known[1] or _RECORDS}" if known else "")


def _inside(path: Path) -> str:
    if path.suffix.lower() != ".zip":
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile):
        return " that is damaged"
    return f" of {len(names):,} files ({few(names, 3)})" if names else " of nothing"
