"""Names of folders for classes, whatever the classes are called.

Two ideas: a label is a person's word and may hold anything, so it becomes the name of a folder only
if every system agrees on what it means; the others get numbers, and a table beside the folders says
which class each one is.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pushforward.core.files import json_text
from pushforward.data.folders import is_hidden, role_of

TABLE = "labels.json"
_MARK = "classes of the folders beside this file, written by pushforward"
_LONGEST = 60  # bytes: with a number and an ending it stays far below the 255 of file systems
_LARGEST_TABLE = 1 << 24
# names that Windows keeps for devices, with or without an ending
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?")
_TAKEN = re.compile(r"class-\d+|labels\.json")


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """Return the name of a folder for every label: different ones on every file system, and never a
    way out of the folder.

    Example:
        >>> folder_names(["cat", "../cat", "Dog", "dog", "nul"])
        {'cat': 'cat', '../cat': 'class-0001', 'Dog': 'class-0002', 'dog': 'class-0003', 'nul': 'class-0004'}
    """
    different = list(dict.fromkeys(labels))
    like = Counter(_folded(label) for label in different)
    return {
        label: label if _plain(label) and like[_folded(label)] == 1 else f"class-{place:04d}"
        for place, label in enumerate(different)
    }


def table_of(names: dict[str, str]) -> str | None:
    """Return the table that says which class a folder is, None where every folder is called like
    its class."""
    if all(label == name for label, name in names.items()):
        return None
    return json_text({"what": _MARK, "folders": {name: label for label, name in names.items()}})


def classes_of(folder: Path) -> dict[str, str]:
    """Return the class of each sub-folder that the table in a folder names; nothing if there is no
    such table.

    Example:
        >>> classes_of(Path("absent"))
        {}
    """
    file = folder / TABLE
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_TABLE:
            return {}
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if (
        not isinstance(found, dict)
        or found.get("what") != _MARK
        or not isinstance(found.get("folders"), dict)
    ):
        return {}  # a file of that name by somebody else
    return {name: label for name, label in found["folders"].items() if isinstance(label, str)}


def is_table(file: Path) -> bool:
    """Return whether a file is a table of ours."""
    return file.name == TABLE and bool(classes_of(file.parent))


def labels_of(files: Sequence[Path], folders: Sequence[str]) -> list[str]:
    """Return the classes of files somewhere below folders of these names: what the table beside a
    folder says, or its name."""
    tables: dict[Path, dict[str, str]] = {}
    labels = []
    for file, name in zip(files, folders, strict=True):
        above = next((one.parent for one in file.parents if one.name == name), file.parent)
        if above not in tables:
            tables[above] = classes_of(above)
        labels.append(tables[above].get(name, name))
    return labels


def _folded(label: str) -> str:
    """Return what file systems that ignore case, or write accents in another way, take for the same
    name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())


def _plain(label: str) -> bool:
    if (
        not label
        or unicodedata.normalize("NFC", label) != label
        or not all(c.isalnum() or c in " _-." for c in label)
    ):
        return False
    if not label[0].isalnum() or label[-1] in " ." or len(label.encode()) > _LONGEST:
        return False
    folded = _folded(label)
    if _DEVICES.fullmatch(folded) or _TAKEN.fullmatch(folded):
        return False
    return role_of(label) is None and not is_hidden(
        label
    )  # where folders are read these mean a split, or nothing
