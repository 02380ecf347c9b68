"""A folder of pictures, or one picture: sub-folders are splits and labels.

One idea: a file that cannot be read stops the run and is named, unless the user asked to skip and
count such files; whatever else is left out is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.class_folders import is_table, labels_of
from pushforward.data.folders import Listing, Places, counted, few, list_files, places_of
from pushforward.data.formats.choosing import named_format
from pushforward.data.formats.file_formats import IDX, JSON_LINES, PICTURE
from pushforward.data.formats.format import ReadOptions
from pushforward.data.images.gathering import Gathered, gathered, in_words, say, stacked
from pushforward.data.images.options import ImageOptions, image_options
from pushforward.data.source import Raw
from pushforward.data.unread import is_unread_picture

_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
# folders beside those of pictures that hold what belongs to each of them
_PARTS = {
    *(
        "mask",
        "masks",
        "segmentation",
        "segmentations",
        "annotation",
        "annotations",
        "labels",
        "groundtruth",
        "gt",
        "depth",
    ),
    *("targets", "edges", "normals", "thumbnails", "previews"),
}


def image_files(listing: Listing) -> list[Path]:
    """Return the files that are pictures by the end of their name, or by their first bytes where
    there is none."""
    return [path for path in listing.files if PICTURE.is_named(path) or _unnamed(path)]


def is_other_folder(path: Path) -> bool:
    """Return whether a path is a folder: what holds nothing else is looked at for pictures."""
    return path.is_dir()


def read_pictures(path: Path, how: ReadOptions) -> Raw:
    """Return the pictures of a folder, read as options say."""
    return read_folder(path, how.images or image_options(None), how.skip_bad)


def read_frames(path: Path, how: ReadOptions) -> Raw:
    """Return the frames of one file as examples, of which there must be several.

    Raises:
        BadInput: one picture.
    """
    raw = read_one(path, how.images or image_options(None))
    if len(raw.x) > 1:
        return raw
    paged = any("only the first frame" in note for note in raw.notes)
    hint = f"a folder of such files is data: name the folder, such as {path.parent}"
    hint = "-s data.frames=all makes each of its frames an example" if paged else hint
    raise BadInput(f"{path} was taken for one picture", "at least five examples", hint)


def read_folder(folder: Path, options: ImageOptions, skip_bad: bool) -> Raw:
    """Return the pictures of a folder with the labels and splits of its sub-folders.

    Raises:
        BadInput: no pictures, unreadable pictures, mixed sizes or channels.
    """
    listing = list_files(folder)
    files = image_files(listing)
    if not files:
        raise BadInput(
            f"the folder {folder}",
            "image files (" + " ".join(sorted(PICTURE.suffixes)) + ")",
            _none(listing),
        )
    places = places_of([path.relative_to(folder).parts[:-1] for path in files], "picture")
    kept = [files[i] for i in places.kept]
    read = gathered(kept, [str(path.relative_to(folder)) for path in kept], options)
    broken = [f"{path.relative_to(folder)} (a link that leads nowhere)" for path in listing.broken]
    read.bad = [*broken, *read.bad]
    _require_usable(read, folder, skip_bad)
    if len(read.pictures) == 1:
        raise _alone(read, folder, _others(listing, files))
    twins = _twins(kept, places)
    try:
        raw = stacked(read, f"{folder}", options)
    except BadInput as error:
        raise BadInput(error.came, error.expected, twins) if twins else error from None
    x = raw.x
    raw.notes = [
        f"a folder of {len(x)} images of {in_words(x.shape[1:])}",
        *places.notes,
        *raw.notes,
        *listing.notes,
    ]
    raw.lost = [*places.lost, *_others(listing, files)]
    if places.roles is not None:
        raw.roles = np.array([places.roles[i] for i in read.owner])
    _label(raw, places, kept, read.owner, _bare(listing, files))
    raw.notes += [twins] if twins else []
    say(raw, read, options)
    return raw


def _require_usable(read: Gathered, folder: Path, skip_bad: bool) -> None:
    """Refuse a folder with unusable pictures, or with none that are usable."""
    if read.bad and not skip_bad:
        raise BadInput(
            f"{counted(len(read.bad), 'unusable picture')} in {folder}: {few(read.bad)}",
            "complete pictures of whole levels",
            "repair or convert them, or leave them out with --skip-bad",
        )
    if not read.pictures:
        raise BadInput(
            f"{counted(len(read.bad), 'picture')} in {folder}, all unusable: {few(read.bad)}",
            "complete ones",
        )


def _alone(read: Gathered, folder: Path, others: Sequence[str]) -> BadInput:
    """Return the refusal of a folder with one picture, with what else is there."""
    later = read.tally["frames"]
    frames = (
        f", or read its other {counted(later, 'frame')} too with -s data.frames=all"
        if later
        else ""
    )
    beside = "".join(f"; {words}" for words in others)
    came = f"{folder} was taken for a folder of pictures and holds one"
    return BadInput(came, "at least five", f"bring more{frames}{beside}")


def read_one(path: Path, options: ImageOptions) -> Raw:
    """Return the frames of one file as examples; a still picture is one example.

    Raises:
        BadInput: an unreadable file.
    """
    read = gathered([path], [str(path)], options)
    if read.bad:
        reason = read.bad[0].removeprefix(f"{path} ")
        raise BadInput(f"{path} cannot be read {reason}", "a complete picture")
    raw = stacked(read, str(path), options)
    raw.notes = [
        f"one picture file of {in_words(raw.x.shape[1:])}: {counted(len(raw.x), 'frame')}",
        *raw.notes,
    ]
    say(raw, read, options)
    return raw


def _label(
    raw: Raw, places: Places, files: Sequence[Path], owner: Sequence[int], bare: Sequence[str]
) -> None:
    depths = {len(rest) > 0 for rest in places.rest}
    names = dict.fromkeys(rest[0] for rest in places.rest if rest)
    also = f"; no pictures in {few(bare)}" if bare else ""
    if depths == {True}:
        labels = labels_of(files, [rest[0] for rest in places.rest])
        raw.labels = [labels[i] for i in owner]
        raw.notes.append(f"{len(names)} sub-folders, so their names are the labels{also}")
        inner = dict.fromkeys("/".join(rest) for rest in places.rest if len(rest) > 1)
        if inner:
            raw.lost.append(f"the names of the folders within those: {few(list(inner))}")
    elif depths == {False}:
        raw.only = tuple(labels_of(files[:1], [name])[0] for name in places.around)
        one = (
            f"all pictures lie in one folder ({'/'.join(places.around)})"
            if places.around
            else "no sub-folders"
        )
        raw.notes.append(f"{one}, so no labels{also}")
    else:
        raw.notes.append("pictures both beside and in sub-folders, so no labels")
        raw.lost.append(
            f"the names of the sub-folders {few(list(names))}: some pictures lie in none"
        )


def _bare(listing: Listing, files: Sequence[Path]) -> list[str]:
    """Return the outermost folders that hold no pictures at any depth."""
    full = {above for file in files for above in file.relative_to(listing.folder).parents}
    return [str(one) for one in listing.folders if one not in full and one.parent in full]


def _others(listing: Listing, files: list[Path]) -> list[str]:
    read = set(files)
    rest = [
        p.relative_to(listing.folder) for p in listing.files if p not in read and not is_table(p)
    ]
    films = [str(path) for path in rest if is_unread_picture(path)]
    plain = [str(path) for path in rest if not is_unread_picture(path)]
    lost = (
        [f"{counted(len(films), 'file')} of a format that is not read: {few(films)}"]
        if films
        else []
    )
    tables = [
        path
        for path in rest
        if (found := named_format(path)) is JSON_LINES or (found and found.holds[0] == "table")
    ]
    if tables:
        plain[-1] += (
            " (a table beside pictures is not read: classes are the names of sub-folders, or in Python those of pairs "
        )
        plain[-1] += "(path, class))"
    return lost + (
        [f"{counted(len(plain), 'file')} beside the pictures: {few(plain)}"] if plain else []
    )


def _twins(files: Sequence[Path], places: Places) -> str:
    """Return the question to ask where sub-folders hold parts of one example, such as pictures and
    their masks."""
    stems: dict[str, set[str]] = {}
    for file, rest in zip(files, places.rest, strict=True):
        stems.setdefault(rest[0] if rest else "", set()).add(file.stem)
    named = [name for name in stems if re.sub(r"[^a-z]", "", name.lower()) in _PARTS]
    if (
        len(stems) < 2
        or not named
        or any(found != next(iter(stems.values())) for found in stems.values())
    ):
        return ""
    return (
        f"the folders {few(list(stems))} hold files of the same names, so they look like parts of one example and no classes: "
        f"name the one to learn from, such as {next(name for name in stems if name != named[0])}"
    )


def _none(listing: Listing) -> str:
    """Return what is in a folder without pictures, and what to name in its place where that is data
    of another kind."""
    there = [path.relative_to(listing.folder) for path in listing.files if not is_table(path)]
    films = [str(path) for path in there if is_unread_picture(path)]
    plain = [str(path) for path in there if not is_unread_picture(path)]
    said = (
        [f"it holds {counted(len(films), 'file')} of a format that is not read: {few(films)}"]
        if films
        else []
    )
    said += (
        [f"it holds {counted(len(plain), 'file')} of other kinds: {few(plain)}"] if plain else []
    )
    data = [path for path in there if named_format(path) not in (None, IDX, PICTURE)]
    said += (
        [f"a table or an array is one file: name it, such as {listing.folder / data[0]}"]
        if data
        else []
    )
    if not there:
        said.append("it holds empty folders only" if listing.folders else "it is empty")
    hidden = [
        f"what is hidden is not looked at ({few([str(path) for path in listing.hidden])})"
    ] * bool(listing.hidden)
    return "; ".join([*said, *hidden])


def _unnamed(path: Path) -> bool:
    """Return whether a file without an ending begins like a picture."""
    if path.suffix:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
