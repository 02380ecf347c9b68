"""Writing files so that a crash never leaves half of one; every file of the project is written, or
removed, here.

Two ideas: write beside the target, flush to disk, then replace, so that a reader sees the old file
or the new one; a folder of many files is built beside its place in the same way, and one rename
puts it there.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput, PushforwardError, RunFailed

# ways on after a failed write
AGAIN, RESUME = "give the same command again", "give the same command with --resume"
RESUME_INSTEAD = f"{RESUME} in the place of --overwrite"
# of these the name is to blame, not the disk
_OF_THE_NAME = (
    errno.ENAMETOOLONG,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.EINVAL,
    errno.EEXIST,
)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NotWritten(RunFailed):
    """A file or folder that the system refused to write, for no fault of its name.

    Args:
        cure: what would let it be written.
        then: what to do after that.

    Example:
        >>> str(NotWritten("could not write x (No space left on device)", "free space", "free some space", AGAIN))
        'could not write x (No space left on device): expected free space; free some space, then give the same command again'
    """

    def __init__(self, came: str, expected: str, cure: str, then: str = "") -> None:
        super().__init__(
            came,
            expected,
            f"{cure}, then {then}" if then else f"{cure}; what was there is unchanged",
        )
        self.cure = cure


@contextmanager
def going_on(way: Callable[[], str]) -> Iterator[None]:
    """Let what could not be written inside of the block say how to go on afterwards; the outermost
    block decides.

    Raises:
        NotWritten: the same, with that hint.

    Example:
        >>> try:
        ...     with going_on(lambda: RESUME):
        ...         raise NotWritten("could not write x", "space", "free some space")
        ... except NotWritten as failed:
        ...     print(failed.fix)
        free some space, then give the same command with --resume
    """
    try:
        yield
    except NotWritten as failed:
        raise NotWritten(failed.came, failed.expected, failed.cure, way()) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` atomically.

    Raises:
        BadInput: a folder is there, or no file can have that name.
        RunFailed: the disk is full or the folder cannot be written; the old file, if any, is
            untouched.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is there")
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:  # Ctrl-C too leaves no half of a file
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise not_written(
            path, error, f"{len(content):,} bytes of free space in a writable folder"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Replace a UTF-8 text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, record: Any) -> None:
    """Replace a JSON file atomically; keys keep their order, NaN is refused because it is not
    JSON."""
    write_text(path, json_text(record))


def json_text(record: Any) -> str:
    """Return what `write_json` writes.

    Example:
        >>> json_text({"a": 1})
        '{\\n  "a": 1\\n}\\n'
    """
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def append_line(path: Path, line: str) -> None:
    """Add a line to a record; a crash may tear the last line, which readers of records leave out.

    Raises:
        RunFailed: the disk is full or the folder cannot be written.
    """
    try:
        with path.open("a") as file:
            file.write(line + "\n")
    except OSError as error:
        raise not_written(path, error, "free space on the disk") from None


def remove_file(path: Path) -> None:
    """Remove a file, or a link and not what it points to; one that is gone is none of our business.

    Raises:
        RunFailed: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise not_removed(path, error) from None


def not_removed(path: Path, error: OSError) -> NotWritten:
    """Return what to say of a file or folder that the system did not let go of.

    Example:
        >>> str(not_removed(Path("x"), OSError(30, "Read-only file system")))[:59]
        'could not remove x (Read-only file system): expected a fold'
    """
    came = f"could not remove {path} ({error.strerror})"
    return NotWritten(
        came, "a folder that can be changed", _cure(error, "a folder that can be changed")
    )


def require_writable(path: Path) -> None:
    """Raise, before any work is done for it, what writing a file or folder would be refused for;
    nothing is touched.

    Raises:
        BadInput: what holds it is a file, or no file can have that name.
        RunFailed: the folder that it is, would be in, or be made in may not be written.
    """
    try:
        # a folder that is there is written into, whatever holds it
        above = (
            path
            if path.is_dir()
            else next((folder for folder in path.parents if folder.exists()), None)
        )
        number = None if above is None or os.access(above, os.W_OK | os.X_OK) else _why_not(above)
        if above is not None and not above.is_dir():
            number = errno.ENOTDIR
    except OSError as error:
        number = error.errno or errno.EINVAL
    if number is not None:
        raise not_written(path, OSError(number, os.strerror(number)), "a writable folder")


def partial_of(name: str) -> str | None:
    """Return the file that a half-written one, left by a crash, was to become; None for other
    names.

    Example:
        >>> partial_of(".config.yaml.4711.part"), partial_of("config.yaml")
        ('config.yaml', None)
    """
    match = re.fullmatch(r"\.(.+)\.\d+\.part", name)
    return match[1] if match else None


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to be filled with `fill`; at the end it becomes `path`, which must be
    new or empty.

    Raises:
        BadInput: `path` is a file, or holds something.
        RunFailed: the disk is full or the folder cannot be written; nothing is left.
    """
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise BadInput(
                f"-o {path}", "a new or empty folder", "it holds other files; choose another name"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(
            tempfile.mkdtemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        )
    except OSError as error:
        raise not_written(path, error, "a writable folder") from None
    try:
        yield beside
        beside.chmod(0o755)  # the mode of a folder made by hand, not that of a private one
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        os.replace(beside, path)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, PushforwardError):
            raise not_written(path, error, "a writable folder with enough space") from None
        raise


def fill(path: Path, content: bytes) -> None:
    """Write a file into a folder that `new_folder` yielded: as the rename decides for all, none is
    flushed by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def not_written(path: Path, error: OSError, expected: str) -> PushforwardError:
    """Return what to say of a file or folder that the system refused: bad input if its name is to
    blame, else a failed run.

    Example:
        >>> str(not_written(Path("x"), OSError(28, "No space left on device"), "free space"))[:61]
        'could not write x (No space left on device): expected free sp'
    """
    if error.errno in _OF_THE_NAME:
        came = f"could not write {path} ({error.strerror})"
        return BadInput(came, "the name of a file or folder that can be there", "choose another -o")
    return NotWritten(
        f"could not write {path} ({error.strerror})", expected, _cure(error, "choose another -o")
    )


def _why_not(folder: Path) -> int:
    """Return the number of the error that a folder that may not be written stands for."""
    look = getattr(os, "statvfs", None)  # Windows has none
    read_only = look is not None and look(folder).f_flag & getattr(os, "ST_RDONLY", 0)
    return errno.EROFS if read_only else errno.EACCES


def _cure(error: OSError, otherwise: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"free some space or {otherwise}"
    if error.errno in _NOT_ALLOWED:
        return f"allow it or {otherwise}"
    return f"look after the disk or {otherwise}"
