"""One writer at a time: who writes into a directory holds its lock, and whoever comes second is
told who that is.

One idea: the operating system holds the lock for the process, so that a crash, of whatever kind,
releases it; the file says who has it. Where a file system or a system has no such locks, the file's
own words are believed: a process of this computer that lives, or any process of another one.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.files import not_written

LOCK = ".pushforward-lock"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold a directory, made if it is not there, for writing; one that was made and stayed empty is
    taken away again.

    Raises:
        BadInput: another process, or another thread, is writing there, or no directory can have
            that name.
        RunFailed: the directory cannot be made or written.
    """
    try:
        made = _make(path)
        handle = _acquire(path)
    except OSError as error:
        raise not_written(path, error, "a writable folder") from None
    try:
        yield
    finally:
        with suppress(OSError):
            (path / LOCK).unlink(missing_ok=True)
        os.close(handle)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()  # refused by the system if there is anything in it


def refuse_if_written(path: Path) -> None:
    """Raise what `writing` would if somebody else writes into a directory; one that may only be
    read is as good."""
    if not (path / LOCK).exists():
        return
    try:
        handle = os.open(path / LOCK, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:  # gone, or somebody's whom only they can ask
        return
    try:
        if not _held(handle):
            raise _refused(path, handle)
    finally:
        os.close(handle)


def _make(path: Path) -> list[Path]:
    """Make a directory and return the ones that had to be made, the innermost first."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return missing


def _acquire(path: Path) -> int:
    file = path / LOCK
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        if not _held(handle):
            refused = _refused(path, handle)
            os.close(handle)
            raise refused
        # the one before may have removed the file between opening and locking it
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), os.stat(file)):
                break
        os.close(handle)
    words = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    words["command"] = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    with suppress(OSError):  # a full disk hides the words, not the lock
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(words).encode())
    return handle


def _refused(path: Path, handle: int) -> BadInput:
    came = f"{path}, into which {_holder(handle)} is writing"
    return BadInput(
        came, "a directory that nobody writes into", "wait until it is done, or choose another -o"
    )


def _held(handle: int) -> bool:
    """Try to take the lock on an open file."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(
            handle, 1 << 30, os.SEEK_SET
        )  # a byte that is not there, so that the words can still be read
        with suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return _abandoned(_words(handle))
    return True


def _abandoned(words: dict[str, Any]) -> bool:
    """Return whether the process that a lock names is gone, as far as it can be told from here."""
    pid = words.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return True
    if words.get("host") != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _words(handle: int) -> dict[str, Any]:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        found = json.loads(os.read(handle, 4096))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _holder(handle: int) -> str:
    words = {
        key: "".join(c for c in str(value)[:200] if c.isprintable())
        for key, value in _words(handle).items()
    }
    if not {"pid", "host", "since", "command"} <= set(words):
        return "another process"
    return "process {pid} on {host}, since {since} (`{command}`),".format(**words)
