"""Every moment at which a command can be killed, and a disk that fails.

The interpreter tells of each file that is opened for writing, renamed or removed before it happens (`sys.addaudithook`), whoever
does it, so no writer of the project can be forgotten. What lies on the disk at such a moment is what a kill leaves. Of the middle
of a write, and of a flush to the disk, it does not tell: `_inside` does.
"""

from __future__ import annotations

import builtins
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

EVERY = bool(
    os.environ.get("EVERY_WRITE")
)  # tests then take every moment, and not a seeded part of them
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {
    "os.rename": 0,
    "os.remove": 0,
    "os.mkdir": 0,
    "os.rmdir": 0,
    "os.truncate": 0,
    "os.chmod": 0,
    "os.link": 1,
    "os.symlink": 1,
}
_watchers: list[_Watcher] = []


class _Watcher:
    def __init__(self, root: Path) -> None:
        self.root, self.busy = str(root), False

    def tell(self, event: str, path: str) -> None:
        raise NotImplementedError


def _path_of(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event == "open":
        name, mode, flags = arguments
        if isinstance(name, int) or not (
            any(c in (mode or "") for c in "wax+") or (mode is None and flags & _WRITES)
        ):
            return None
    elif event in _CHANGES:
        name = arguments[_CHANGES[event]]
    else:
        return None
    return (
        os.path.abspath(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else None
    )


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and (event == "open" or event in _CHANGES):
        path = _path_of(event, arguments)
        if path is not None:
            _tell(event, path)


def _tell(event: str, path: str) -> None:
    for watcher in list(_watchers):
        if path.startswith(watcher.root) and not watcher.busy:
            watcher.busy = True
            try:
                watcher.tell(event, path)
            finally:
                watcher.busy = False


sys.addaudithook(_hook)


@contextmanager
def _watched(watcher: Any) -> Iterator[Any]:
    _watchers.append(watcher)
    try:
        yield watcher
    finally:
        _watchers.remove(watcher)


def content(folder: Path) -> dict[str, bytes | None]:
    """Return all files and folders below a folder; the clock is taken out of what says when it was written."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


class _Snapshots(_Watcher):
    def __init__(self, root: Path, into: Path, dust: bool) -> None:
        super().__init__(root)
        self.into, self.dust, self.seen, self.kept = (
            into,
            dust,
            set[Any](),
            list[tuple[str, Path]](),
        )

    def tell(self, event: str, path: str) -> None:
        root = Path(self.root)
        state = content(root) if root.is_dir() else None
        if state is not None and not self.dust:  # halves of files, which nobody reads
            state = {
                name: value
                for name, value in state.items()
                if not name.endswith((".part", "-lock"))
            }
        key = None if state is None else tuple(state.items())
        if key not in self.seen:
            self.seen.add(key)
            target = self.into / f"{len(self.kept):03d}"
            if state is not None:
                shutil.copytree(root, target)
            self.kept.append((f"{event} {os.path.relpath(path, root)}", target))


@contextmanager
def every_kill(root: Path, into: Path, dust: bool = False) -> Iterator[list[tuple[str, Path]]]:
    """Yield a list that fills with (what was about to happen, a copy of `root` as a kill would have left it then).

    Args:
        dust: also tell apart states that differ in half-written files only, and stop in the middle of every write.
    """
    into.mkdir(parents=True, exist_ok=True)
    with _watched(_Snapshots(root, into, dust)) as watcher, _inside() if dust else nullcontext():
        yield watcher.kept


class Failing(_Watcher):
    """A disk that fails; `count`, `seen` and `failed` say how many changes were tried, which, and which of them failed."""

    def __init__(
        self, root: Path, first: int, number: int, moments: tuple[str, ...], times: int | None
    ) -> None:
        super().__init__(root)
        self.first, self.number, self.moments, self.times = first, number, moments, times
        self.count, self.seen, self.failed = 0, list[str](), list[str]()

    def tell(self, event: str, path: str) -> None:
        if event not in self.moments:
            return
        self.count += 1
        self.seen.append(f"{event} {path}")
        if self.count > self.first and (self.times is None or len(self.failed) < self.times):
            self.failed.append(f"{event} {path}")
            raise OSError(self.number, os.strerror(self.number), path)


# a full disk lets go of files and renames them; one that may not be written does nothing
FULL = ("open", "os.mkdir")
LOCKED = ("open", *_CHANGES)
MIDDLE = ("write", "fsync", "os.rename")  # half of what is written is there already


@contextmanager
def failing_disk(
    root: Path, first: int, number: int, moments: tuple[str, ...] = (), times: int | None = None
) -> Iterator[Failing]:
    """Let every change below `root` fail after the first few; `seen` says which were tried, `failed` which failed.

    Args:
        number: of the error.
        moments: what fails; empty for what the number stands for, `MIDDLE` for halves of writes, flushes and renames.
        times: how often it fails before the disk is well again, None for ever.
    """
    moments = moments or (FULL if number == 28 else LOCKED)
    watcher = Failing(root, first, number, moments, times)
    with _watched(watcher), _inside() if {"write", "fsync"} & set(moments) else nullcontext():
        yield watcher


class _Halfway(io.FileIO):
    """A file that takes half of what is written, as the system may, and tells before it takes the rest."""

    halved = False

    def write(self, data: Any) -> int:
        content = bytes(data)
        if not self.halved and len(content) > 1:
            self.halved = True
            return super().write(content[: len(content) // 2])
        _tell("write", str(self.name))
        self.halved = False
        return super().write(content)

    def fileno(self) -> int:
        number = super().fileno()
        _names[number] = str(self.name)
        return number


_names: dict[int, str] = {}


@contextmanager
def _inside() -> Iterator[None]:
    """Tell of the middle of every write and of every flush too."""
    plain, flush = io.open, os.fsync

    def opened(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: Any = None,
        *rest: Any,
        **more: Any,
    ) -> Any:
        inner = not isinstance(file, int) and any(
            str(file).startswith(w.root) and not w.busy for w in _watchers
        )
        if not inner or not set(mode) & set("wax+"):
            return plain(file, mode, buffering, encoding, *rest, **more)
        raw = _Halfway(os.fspath(file), mode.replace("b", "").replace("t", ""))
        buffered = io.BufferedWriter(raw) if "+" not in mode else io.BufferedRandom(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding or "utf-8", *rest)

    def flushed(number: int) -> None:
        if number in _names:
            _tell("fsync", _names[number])
        flush(number)

    io.open, builtins.open, os.fsync = opened, opened, flushed
    try:
        yield
    finally:
        io.open, builtins.open, os.fsync = plain, plain, flush
        _names.clear()
