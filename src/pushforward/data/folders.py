"""What lies in a folder, for pictures and texts alike.

Three ideas: one opinion about names that systems and programs leave behind, at every depth; folders
named like splits are the splits of the source; what remains of a file's place is its label.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pushforward.core.errors import BadInput

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("training", "validation", "test")

# what file managers, archivers, notebooks and servers write beside what people keep
_LEFT_BEHIND = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "__macosx",
    "__pycache__",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "icon\r",
}
_ROLES = {
    TRAIN: {"train", "training", "trn"},
    VALIDATION: {"val", "valid", "validation", "validate", "dev", "devel", "development"},
    TEST: {"test", "testing", "tests", "tst", "eval", "evaluation", "holdout", "heldout"},
}
_NOUNS = re.compile(
    r"(sets?|splits?|data|images?|imgs?|pictures?|photos?|texts?|files?|folder|docs?|documents?)$"
)


@dataclass(frozen=True)
class Listing:
    """Files below a folder in a stable order, and what was not looked at.

    Attributes:
        files: visible files, links followed.
        hidden: hidden or left-behind files and folders, relative to the folder.
        broken: links that lead nowhere.
        folders: visible folders, relative to the folder, in the order in which they were entered.
    """

    folder: Path
    files: tuple[Path, ...]
    hidden: tuple[Path, ...]
    broken: tuple[Path, ...]
    folders: tuple[Path, ...] = ()

    @property
    def notes(self) -> list[str]:
        """A sentence for what was not looked at."""
        if not self.hidden:
            return []
        return [
            f"hidden or left behind by programs, so left out: {few([str(path) for path in self.hidden])}"
        ]


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden, or was left behind by a system or a program.

    Example:
        >>> [is_hidden(name) for name in (".git", "._x.png", "__MACOSX", "Thumbs.db", "~$a.txt", "cat.png")]
        [True, True, True, True, True, False]
    """
    return name.startswith((".", "~$")) or name.endswith("~") or name.lower() in _LEFT_BEHIND


def list_files(folder: Path) -> Listing:
    """Return what lies below a folder; hidden folders are not entered, a link to a folder around
    itself is not followed.

    Raises:
        BadInput: a folder that may not be read.
    """
    files: list[Path] = []
    hidden: list[Path] = []
    broken: list[Path] = []
    folders: list[Path] = []

    def enter(here: Path, around: tuple[tuple[int, int], ...]) -> None:
        try:
            about, entries = here.stat(), sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise BadInput(
                f"{here} cannot be read ({error.strerror})", "a folder that you may read"
            ) from None
        me = (about.st_dev, about.st_ino)
        if me in around:
            return
        for entry in entries:
            path = here / entry.name
            if is_hidden(entry.name):
                hidden.append(path.relative_to(folder))
            elif entry.is_dir():
                folders.append(path.relative_to(folder))
                enter(path, (*around, me))
            elif entry.is_file():
                files.append(path)
            elif entry.is_symlink():
                broken.append(path)

    enter(folder, ())
    return Listing(folder, tuple(sorted(files)), tuple(hidden), tuple(broken), tuple(folders))


def role_of(name: str) -> int | None:
    """Return the split that a folder's or a file's name means, None for another name.

    Example:
        >>> [role_of(name) for name in ("Train", "VALID", "test_images", "train2017", "held-out", "trains")]
        [0, 1, 2, 0, 2, None]
    """
    word = re.sub(r"[^a-z]", "", name.lower())
    while True:
        for role, words in _ROLES.items():
            if word in words:
                return role
        shorter = _NOUNS.sub("", word)
        if shorter == word:
            return None
        word = shorter


@dataclass(frozen=True)
class Places:
    """Where files lie, once what they share is taken away.

    Attributes:
        kept: which of the files belong to a split; all of them where there are no splits.
        roles: the split of each kept file, None if the source has no splits.
        rest: folders of each kept file below the split.
        notes: what was decided.
        lost: what is left out.
        around: folders below the source that all of the kept files lie in, the outermost first.
    """

    kept: tuple[int, ...]
    roles: tuple[int, ...] | None
    rest: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    around: tuple[str, ...] = ()


def places_of(parts: Sequence[tuple[str, ...]], noun: str = "file") -> Places:
    """Return splits and remaining folders of files, given the folders that each lies in.

    Splits are folders named like them (`train`, `val`, `test` in any spelling that `role_of`
    knows), above or below one more level; there are splits if one of them is for training and
    another is not.

    Example:
        >>> places_of([("train", "cat"), ("Val", "cat"), ("Val", "dog")]).rest
        (('cat',), ('cat',), ('dog',))
    """
    everything = tuple(range(len(parts)))
    shared = _shared(parts)
    below = [part[shared:] for part in parts]
    around = parts[0][:shared] if parts else ()
    for depth in (0, 1):
        roles = [role_of(part[depth]) if len(part) > depth else None for part in below]
        if TRAIN not in roles or {VALIDATION, TEST}.isdisjoint(roles):
            continue
        kept = tuple(i for i, role in enumerate(roles) if role is not None)
        if depth and len(kept) < len(roles):
            continue
        rest = [below[i][:depth] + below[i][depth + 1 :] for i in kept]
        common = 0 if depth else _shared(rest)
        names = dict.fromkeys(below[i][depth] for i in kept)
        lost = (
            []
            if len(kept) == len(roles)
            else [f"{counted(len(roles) - len(kept), noun)} in no split's folder"]
        )
        return Places(
            kept,
            tuple(role for role in roles if role is not None),
            tuple(part[common:] for part in rest),
            (f"the folders {', '.join(names)} define the split",),
            tuple(lost),
            (*around, *rest[0][:common]),
        )
    return Places(everything, None, tuple(below), around=around)


def _shared(parts: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders all files lie in: a wrapping folder says nothing about its files."""
    first, last = min(parts, default=()), max(parts, default=())
    differ = (i for i, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return next(differ, min(len(first), len(last)))


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "file"), counted(2000, "file")
        ('1 file', '2,000 files')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def few(names: Sequence[str], most: int = 5) -> str:
    """Return the first few names, and how many there are if there are more.

    Example:
        >>> few(["a", "b", "c"], 2)
        'a, b, ... (3 in all)'
    """
    return ", ".join(names[:most]) + (f", ... ({len(names):,} in all)" if len(names) > most else "")
