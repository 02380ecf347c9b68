"""A folder of pictures, or one picture: sub-folders are splits and labels.

One idea: a file that cannot be read stops the run and is named, unless the user asked to skip and count such files; whatever
else is left out is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.class_folders import is_table, labels_of
from pushforward.data.folders import Listing, Places, counted, few, list_files, places_of
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.picture import LONG, SHORT, Picture, in_colour, opaque, read_picture, said
from pushforward.data.images.resizing import resized, said_of_sizes
from pushforward.data.source import Raw
from pushforward.data.tables.files import is_table_file

SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".avif", ".jp2"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga"),
}
# pictures and films that no decoder here reads: their loss must not look like that of a readme
UNREADABLE = {
    *(".heic", ".heif", ".jxl", ".svg", ".pdf", ".psd", ".exr", ".hdr", ".dcm", ".nii", ".raw", ".cr2", ".cr3", ".nef"),
    *(".arw", ".dng", ".orf", ".rw2", ".mp4", ".mov", ".avi", ".mkv", ".webm"),
}
_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_ALONE = (".npy", ".npz", ".txt", ".jsonl", ".ndjson")  # beside tables: data that are named by file
_WORDS = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour with alpha"}


@dataclass
class _Read:
    """Frames, where each came from, and what was done to them."""

    pictures: list[Picture] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)


def image_files(listing: Listing) -> list[Path]:
    """Return the files that are pictures by the end of their name, or by their first bytes where there is none."""
    return [path for path in listing.files if path.suffix.lower() in SUFFIXES or _unnamed(path)]


def read_folder(folder: Path, options: ImageOptions, skip_bad: bool) -> Raw:
    """Return the pictures of a folder with the labels and splits of its sub-folders.

    Raises:
        BadInput: no pictures, unreadable pictures, mixed sizes or channels.
    """
    listing = list_files(folder)
    files = image_files(listing)
    if not files:
        raise BadInput(f"the folder {folder}", "image files (" + " ".join(sorted(SUFFIXES)) + ")", _none(listing))
    places = places_of([path.relative_to(folder).parts[:-1] for path in files], "picture")
    read = _read([files[i] for i in places.kept], options)
    broken = [f"{path.relative_to(folder)} (a link that leads nowhere)" for path in listing.broken]
    read.bad = [*broken, *(said.removeprefix(f"{folder}/") for said in read.bad)]
    if read.bad and not skip_bad:
        raise BadInput(
            f"{counted(len(read.bad), 'unusable picture')} in {folder}: {few(read.bad)}",
            "complete pictures of whole levels",
            "repair or convert them, or leave them out with --skip-bad",
        )
    if not read.pictures:
        raise BadInput(
            f"{counted(len(read.bad), 'picture')} in {folder}, all unusable: {few(read.bad)}", "complete ones"
        )
    if len(read.pictures) == 1:
        others = "".join(f"; {words}" for words in _others(listing, files))
        later = read.tally["frames"]
        frames = f", or read its other {counted(later, 'frame')} too with -s data.frames=all" if later else ""
        raise BadInput(
            f"{folder} was taken for a folder of pictures and holds one", "at least five", f"bring more{frames}{others}"
        )
    x, notes = _stacked(read, folder, options)
    raw = Raw(x, skipped=tuple(read.bad), white=SHORT if x.dtype == np.uint8 else LONG)
    raw.notes = [f"a folder of {len(x)} images of {_shape(x.shape[1:])}", *places.notes, *notes, *listing.notes]
    raw.lost = [*places.lost, *_others(listing, files)]
    if places.roles is not None:
        raw.roles = np.array([places.roles[i] for i in read.owner])
    _label(raw, places, read, _bare(listing, files))
    _say(raw, read, options)
    return raw


def read_one(path: Path, options: ImageOptions) -> Raw:
    """Return the frames of one file as examples; a still picture is one example.

    Raises:
        BadInput: an unreadable file.
    """
    read = _read([path], options)
    if read.bad:
        reason = read.bad[0].removeprefix(f"{path} ")
        raise BadInput(f"{path} cannot be read {reason}", "a complete picture")
    x, notes = _stacked(read, path.parent, options)
    raw = Raw(x, white=SHORT if x.dtype == np.uint8 else LONG)
    raw.notes = [f"one picture file of {_shape(x.shape[1:])}: {counted(len(x), 'frame')}", *notes]
    _say(raw, read, options)
    return raw


def _read(files: Sequence[Path], options: ImageOptions) -> _Read:
    read = _Read(files=list(files))
    for i, path in enumerate(files):
        mine: Counter[str] = Counter()
        try:
            frames = read_picture(path, options, mine)
        except BadInput as error:
            read.bad.append(f"{path} ({error.came})")
            continue
        read.tally.update(mine)
        for frame in frames:
            pixels = frame.pixels
            if options.size is not None:
                pixels = resized(pixels, options.size, options.fit, read.tally)
            read.pictures.append(Picture(pixels, frame.grey))
            read.owner.append(i)
    return read


def _stacked(read: _Read, folder: Path, options: ImageOptions) -> tuple[np.ndarray, list[str]]:
    """Return pictures as one array (n, h, w, c), if they are of one size and kind."""
    notes, pictures = [], [picture.pixels for picture in read.pictures]
    if any(picture.grey is False for picture in read.pictures):
        either = [picture.grey is None for picture in read.pictures]
        pictures = [in_colour(p) if e else p for p, e in zip(pictures, either, strict=True)]
        if any(either):
            notes.append(f"{counted(sum(either), 'picture')} of greys in a format for colours, among others in colour")
    if any(p.shape[-1] in (2, 4) for p in pictures):
        pictures = [p if p.shape[-1] in (2, 4) else opaque(p) for p in pictures]
    deep = [p.dtype == np.uint16 for p in pictures]
    if any(deep) and not all(deep):
        pictures = [p if p.dtype == np.uint16 else p.astype(np.uint16) * 257 for p in pictures]
        notes.append(
            f"{counted(len(deep) - sum(deep), 'picture')} of 8 bits among others of 16 bits: times 257, which is exact"
        )
    shapes: dict[tuple[int, ...], int] = {}
    for i, pixels in enumerate(pictures):
        shapes.setdefault(pixels.shape, i)
    if len(shapes) > 1:
        where = {shape: read.files[read.owner[i]].relative_to(folder) for shape, i in shapes.items()}
        shown = "; ".join(f"{path} is {_shape(shape)}" for shape, path in list(where.items())[:4])
        sizes, channels = {shape[:2] for shape in shapes}, {shape[2] for shape in shapes}
        fix = ["-s data.resize=32 (with data.fit=crop, pad or stretch)"] * (len(sizes) > 1)
        fix += ["-s data.channels=colour (or grey)"] * (len(channels) > 1)
        came = f"mixed sizes or channels in {folder}: {shown}"
        raise BadInput(came, "one size and one number of channels", "say " + " and ".join(fix))
    return np.stack(pictures), notes


def _label(raw: Raw, places: Places, read: _Read, bare: Sequence[str]) -> None:
    depths = {len(rest) > 0 for rest in places.rest}
    names = dict.fromkeys(rest[0] for rest in places.rest if rest)
    also = f"; no pictures in {few(bare)}" if bare else ""
    if depths == {True}:
        labels = labels_of(read.files, [rest[0] for rest in places.rest])
        raw.labels = [labels[i] for i in read.owner]
        raw.notes.append(f"{len(names)} sub-folders, so their names are the labels{also}")
        inner = dict.fromkeys("/".join(rest) for rest in places.rest if len(rest) > 1)
        if inner:
            raw.lost.append(f"the names of the folders within those: {few(list(inner))}")
    elif depths == {False}:
        raw.only = tuple(labels_of(read.files[:1], [name])[0] for name in places.around)
        one = f"all pictures lie in one folder ({'/'.join(places.around)})" if places.around else "no sub-folders"
        raw.notes.append(f"{one}, so no labels{also}")
    else:
        raw.notes.append("pictures both beside and in sub-folders, so no labels")
        raw.lost.append(f"the names of the sub-folders {few(list(names))}: some pictures lie in none")


def _say(raw: Raw, read: _Read, options: ImageOptions) -> None:
    notes, lost = said(read.tally)
    if options.size is not None:
        more, gone = said_of_sizes(read.tally, options.size)
        notes, lost = notes + more, lost + gone
    if read.bad:
        notes.append(f"{counted(len(read.bad), 'unusable picture')} left out as asked: " + "; ".join(read.bad[:5]))
        lost.append(f"{counted(len(read.bad), 'file')} that could not be read")
    raw.notes += notes
    raw.lost = lost + raw.lost


def _bare(listing: Listing, files: Sequence[Path]) -> list[str]:
    """Return the outermost folders that hold no pictures at any depth."""
    full = {above for file in files for above in file.relative_to(listing.folder).parents}
    return [str(one) for one in listing.folders if one not in full and one.parent in full]


def _others(listing: Listing, files: list[Path]) -> list[str]:
    read = set(files)
    rest = [p.relative_to(listing.folder) for p in listing.files if p not in read and not is_table(p)]
    films = [str(path) for path in rest if path.suffix.lower() in UNREADABLE]
    plain = [str(path) for path in rest if path.suffix.lower() not in UNREADABLE]
    lost = [f"{counted(len(films), 'file')} of a format that is not read: {few(films)}"] if films else []
    return lost + ([f"{counted(len(plain), 'file')} beside the pictures: {few(plain)}"] if plain else [])


def _none(listing: Listing) -> str:
    """Return what is in a folder without pictures, and what to name in its place where that is data of another kind."""
    there = [path.relative_to(listing.folder) for path in listing.files if not is_table(path)]
    films = [str(path) for path in there if path.suffix.lower() in UNREADABLE]
    plain = [str(path) for path in there if path.suffix.lower() not in UNREADABLE]
    said = [f"it holds {counted(len(films), 'file')} of a format that is not read: {few(films)}"] if films else []
    said += [f"it holds {counted(len(plain), 'file')} of other kinds: {few(plain)}"] if plain else []
    data = [path for path in there if path.suffix.lower() in _ALONE or is_table_file(listing.folder / path)]
    said += [f"a table or an array is one file: name it, such as {listing.folder / data[0]}"] if data else []
    if not there:
        said.append("it holds empty folders only" if listing.folders else "it is empty")
    hidden = [f"what is hidden is not looked at ({few([str(path) for path in listing.hidden])})"] * bool(listing.hidden)
    return "; ".join([*said, *hidden])


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} {_WORDS[shape[2]]}"


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
