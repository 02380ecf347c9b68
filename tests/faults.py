"""Every moment at which a command can be killed, and a disk that fails.

The interpreter tells of each file that is opened for writing, renamed or removed before it happens (`sys.addaudithook`), whoever
does it, so no writer of the project can be forgotten. What lies on the disk at such a moment is what a kill leaves.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {
    "os.rename": 0,
    "os.remove": 0,
    "os.mkdir": 0,
    "os.rmdir": 0,
    "os.truncate": 0,
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
        if isinstance(name, int) or not (any(c in (mode or "") for c in "wax+") or (mode is None and flags & _WRITES)):
            return None
    elif event in _CHANGES:
        name = arguments[_CHANGES[event]]
    else:
        return None
    return os.path.abspath(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and (event == "open" or event in _CHANGES):
        path = _path_of(event, arguments)
        for watcher in list(_watchers):
            if path is not None and path.startswith(watcher.root) and not watcher.busy:
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
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


class _Snapshots(_Watcher):
    def __init__(self, root: Path, into: Path, dust: bool) -> None:
        super().__init__(root)
        self.into, self.dust, self.seen, self.kept = into, dust, set[Any](), list[tuple[str, Path]]()

    def tell(self, event: str, path: str) -> None:
        root = Path(self.root)
        state = content(root) if root.is_dir() else None
        if state is not None and not self.dust:  # halves of files, which nobody reads
            state = {name: value for name, value in state.items() if not name.endswith((".part", "-lock"))}
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
        dust: also tell apart states that differ in half-written files only.
    """
    into.mkdir(parents=True, exist_ok=True)
    with _watched(_Snapshots(root, into, dust)) as watcher:
        yield watcher.kept


class _Failing(_Watcher):
    def __init__(self, root: Path, first: int, number: int) -> None:
        super().__init__(root)
        self.first, self.number, self.count = first, number, 0

    def tell(self, event: str, path: str) -> None:
        # a full disk lets go of files; one that may not be written does not
        if self.number == 28 and event not in ("open", "os.mkdir"):
            return
        self.count += 1
        if self.count > self.first:
            raise OSError(self.number, os.strerror(self.number), path)


@contextmanager
def failing_disk(root: Path, first: int, number: int) -> Iterator[_Failing]:
    """Let every change below `root` fail after the first few; `count` says how many were tried."""
    with _watched(_Failing(root, first, number)) as watcher:
        yield watcher
