"""Pictures of many sources as one array: files of a folder, frames of a file, what a program holds.

One idea: whatever pictures come from, one place reads them, makes them alike where that loses
nothing, and says what it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.folders import counted
from pushforward.data.images.channels import in_colour, opaque
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.picture import LONG, SHORT, Encoded, Picture, read_picture, said
from pushforward.data.images.resizing import resized, said_of_sizes
from pushforward.data.source import Raw

_WORDS = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour with alpha"}


@dataclass
class Gathered:
    """Frames, which of the named pictures each came from, those that cannot be read, and what was
    done."""

    names: list[str]
    pictures: list[Picture] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)


def gathered(
    sources: Sequence[Encoded | Picture], names: Sequence[str], options: ImageOptions
) -> Gathered:
    """Return the frames of pictures, read and resized as options say.

    Args:
        sources: files, pictures of Pillow, encoded bytes, or pixels.
        names: what each is called in messages.
    """
    read = Gathered(names=list(names))
    for i, (source, name) in enumerate(zip(sources, names, strict=True)):
        mine: Counter[str] = Counter()
        try:
            frames = read_picture(source, options, mine)
        except BadInput as error:
            read.bad.append(f"{name} ({error.came})")
            continue
        read.tally.update(mine)
        for frame in frames:
            pixels = frame.pixels
            if options.size is not None:
                pixels = resized(pixels, options.size, options.fit, read.tally)
            read.pictures.append(Picture(pixels, frame.grey))
            read.owner.append(i)
    return read


def stacked(read: Gathered, where: str, options: ImageOptions) -> Raw:
    """Return pictures as one array (n, height, width, channels), if they are of one size and kind.

    Raises:
        BadInput: mixed sizes or channels, one picture named for each.
    """
    notes, pictures = [], [picture.pixels for picture in read.pictures]
    if any(picture.grey is False for picture in read.pictures):
        either = [picture.grey is None for picture in read.pictures]
        pictures = [in_colour(p) if e else p for p, e in zip(pictures, either, strict=True)]
        if any(either):
            notes.append(
                f"{counted(sum(either), 'picture')} of greys in a format for colours, among others in colour"
            )
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
        found = list(shapes.items())[:4]
        shown = "; ".join(f"{read.names[read.owner[i]]} is {in_words(shape)}" for shape, i in found)
        sizes, channels = {shape[:2] for shape in shapes}, {shape[2] for shape in shapes}
        fix = ["-s data.resize=32 (with data.fit=crop, pad or stretch)"] * (len(sizes) > 1)
        fix += ["-s data.channels=colour (or grey)"] * (len(channels) > 1)
        came = f"mixed sizes or channels in {where}: {shown}"
        raise BadInput(came, "one size and one number of channels", "say " + " and ".join(fix))
    x = np.stack(pictures)
    return Raw(
        x, notes=notes, skipped=tuple(read.bad), white=SHORT if x.dtype == np.uint8 else LONG
    )


def say(raw: Raw, read: Gathered, options: ImageOptions) -> None:
    """Add to what is noted and lost whatever was done to pictures."""
    notes, lost = said(read.tally)
    if options.size is not None:
        more, gone = said_of_sizes(read.tally, options.size)
        notes, lost = notes + more, lost + gone
    if read.bad:
        notes.append(
            f"{counted(len(read.bad), 'unusable picture')} left out as asked: "
            + "; ".join(read.bad[:5])
        )
        lost.append(f"{counted(len(read.bad), 'file')} that could not be read")
    if later := read.tally["frames"]:
        raw.more = f"or read the other {counted(later, 'frame')} too with -s data.frames=all"
    raw.notes += notes
    raw.lost = lost + raw.lost


def in_words(shape: tuple[int, ...]) -> str:
    """Return a shape (height, width, channels) as a person says it.

    Example:
        >>> in_words((32, 48, 3))
        '48 x 32 colour'
    """
    return f"{shape[1]} x {shape[0]} {_WORDS[shape[2]]}"
