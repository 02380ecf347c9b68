"""Whether something is a text: a string, a file by its ending, a folder by what most of its files are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushforward.data.builtin import builtins
from pushforward.data.class_folders import is_table
from pushforward.data.folders import Listing, list_files
from pushforward.data.formats.choosing import format_of, named_format, suffixes_of
from pushforward.data.formats.file_formats import TEXT
from pushforward.data.idx import is_idx
from pushforward.data.images.folder import image_files
from pushforward.data.plain import ending_of, is_plain
from pushforward.data.unread import is_unread_picture

TEXTS = ("shakespeare",)
LONGEST_NAME, LONGEST_PATH = 255, 4000


@dataclass(frozen=True)
class Chosen:
    """The files of a folder that are its texts, and the others: texts of other endings, and what is
    no text."""

    files: tuple[Path, ...]
    ending: str
    texts: tuple[Path, ...]
    others: tuple[Path, ...]


def choose(listing: Listing, endings: Sequence[str] = ()) -> Chosen:
    """Return the texts of a folder: files of the given endings, else of `.txt`, or of the ending
    that most plain texts have.

    An ending is one of plain text if the first files that have it are.
    """
    groups: dict[str, list[Path]] = {}
    for path in listing.files:
        if not is_table(path):
            groups.setdefault(ending_of(path), []).append(path)
    every = [path for group in groups.values() for path in group]
    if endings:
        files = {path for ending in endings for path in groups.get(ending, [])}
        rest = tuple(path for path in every if path not in files)
        return Chosen(
            tuple(path for path in listing.files if path in files), ",".join(endings), (), rest
        )
    pictured, known = set(image_files(listing)), suffixes_of("text")
    plain: dict[str, list[Path]] = {}
    for ending, group in groups.items():
        mine = [path for path in group if path not in pictured and not _is_other(path)]
        if mine and (ending in known or all(map(is_plain, mine[:3]))):
            plain[ending] = mine
    texts = {path for group in plain.values() for path in group}
    others = tuple(path for path in listing.files if path in set(every) - texts)
    best = max(plain, key=lambda ending: (len(plain[ending]), ending in TEXT.suffixes), default="")
    files = tuple(plain.get(best, []))
    return Chosen(
        files, best, tuple(path for path in listing.files if path in texts - set(files)), others
    )


def is_literal(source: str) -> bool:
    """Return whether a string cannot be the name of a file, or hardly: it is empty, has a line
    break or is too long."""
    if not source or "\n" in source or "\0" in source or len(source) > LONGEST_PATH:
        return True
    return max(len(part.encode("utf-8", "replace")) for part in source.split("/")) > LONGEST_NAME


def is_text(source: Any) -> bool:
    """Return whether `source` is text: a built-in text, a file or a folder of plain text, or
    strings.

    A string is the text itself if it has a line break or is too long for a file's name, else it
    names a file. A file is text if its name ends in `.txt` or `.jsonl`, packed or not, or if it
    ends in nothing that is read here as other data and its bytes are text.

    Example:
        >>> is_text("a.txt"), is_text("To be,\\nor not"), is_text(["one", "two"]), is_text("digits")
        (True, True, True, False)
    """
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], list):
        source = source[0]  # with their labels
    if isinstance(source, list):
        return bool(source) and all(isinstance(item, str) for item in source)
    if not isinstance(source, str | Path):
        return False
    if isinstance(source, str) and (source in TEXTS or is_literal(source)):
        return True
    path = Path(source)
    if str(source) in {name for name, _ in builtins()}:
        return False
    found = format_of(path)
    return found is not None and found.holds[0] == "text"


def has_own_ending(source: Any) -> bool:
    """Return whether a source is text by its name or as it is, not because of what is in the
    file."""
    if not isinstance(source, str | Path) or (
        isinstance(source, str) and (source in TEXTS or is_literal(source))
    ):
        return True
    found = named_format(Path(source))
    return Path(source).is_dir() or (found is not None and found.holds[0] == "text")


def is_plain_text(path: Path) -> bool:
    """Return whether a file holds plain text, though its name does not say so, nor that it is
    anything else."""
    return not path.is_dir() and not _is_other(path) and is_plain(path)


def is_folder_of_texts(folder: Path) -> bool:
    """Return whether a folder is one of texts, and not one of pictures; those of other data were
    asked before.

    It may well hold a picture or two, as one of pictures may a readme.
    """
    if not folder.is_dir():
        return False
    listing = list_files(folder)
    chosen = choose(listing)
    if chosen.ending in TEXT.suffixes:
        return len(chosen.files) > len(image_files(listing))
    return len(chosen.files) > len(chosen.others)


def _is_other(path: Path) -> bool:
    """Return whether the name of a file says that it is data of another kind."""
    found = named_format(path)
    return (
        is_unread_picture(path) or is_idx(path) or (found is not None and found.holds[0] != "text")
    )
