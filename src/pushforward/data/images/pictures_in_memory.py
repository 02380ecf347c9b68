"""Pictures that a program holds: of Pillow, encoded bytes, files, or arrays of different sizes.

One idea: they wait unread until it is known how pictures are to be read, and then the one reader of
pictures reads them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.data.finite import not_finite
from pushforward.data.folders import counted, few
from pushforward.data.formats.file_formats import PICTURE
from pushforward.data.images.gathering import gathered, in_words, say, stacked
from pushforward.data.images.intensities import BYTE, Intensities
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.picture import Encoded, Picture
from pushforward.data.source import Raw
from pushforward.data.tensors import plain_tensor

CHANNELS = (1, 3, 2, 4)
_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"BM", b"RIFF")
GIVEN = "the given pictures"


@dataclass(frozen=True, repr=False)
class Pictures:
    """Pictures as a program holds them, not read yet."""

    items: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'picture')}>"


def is_picture(item: Any) -> bool:
    """Return whether something is a picture of Pillow, the file of one, or its bytes, alone or as
    data sets of the Hub keep them.

    Example:
        >>> is_picture(Pillow.new("L", (2, 2))), is_picture(Path("a.png")), is_picture({"bytes": b"\\x89PNG\\r\\n", "path": None})
        (True, True, True)
        >>> is_picture("a.png"), is_picture(np.zeros((2, 2)))
        (False, False)
    """
    if isinstance(item, Mapping):
        return set(item) in ({"bytes", "path"}, {"bytes"}) and (
            isinstance(item["bytes"], bytes)
            or (item["bytes"] is None and isinstance(item.get("path"), str))
        )
    if isinstance(item, bytes | bytearray):
        return bytes(item[:8]).startswith(_MAGIC)
    if isinstance(item, os.PathLike):
        return PICTURE.is_named(Path(item))
    return isinstance(item, Pillow.Image)


def read_held(pictures: Pictures, options: ImageOptions, skip_bad: bool) -> tuple[Raw, list[int]]:
    """Return pictures that a program holds, and which of them each example is.

    Raises:
        BadInput: pictures that cannot be read, mixed sizes or channels.
    """
    if not any(is_picture(item) for item in pictures.items):
        _require_one_shape(pictures, options)
    names = [f"picture {i}" for i in range(len(pictures))]
    sources: list[Encoded | Picture] = []
    wrong: list[str] = []
    for item, name in zip(pictures.items, names, strict=True):
        try:
            sources.append(_encoded(item))
        except BadInput as error:
            sources.append(b"")
            wrong.append(f"{name} ({error.came})")
    refused = {said.split(" (")[0] for said in wrong}
    kept = [i for i, name in enumerate(names) if name not in refused]
    read = gathered([sources[i] for i in kept], [names[i] for i in kept], options)
    read.bad = [*wrong, *read.bad]
    if read.bad and not skip_bad:
        came = f"{counted(len(read.bad), 'unusable picture')} among {len(pictures):,} given ones: {few(read.bad)}"
        raise BadInput(
            came,
            "complete pictures of whole levels",
            "repair or convert them, or leave them out: skip_bad=True",
        )
    if not read.pictures:
        raise BadInput(
            f"{counted(len(read.bad), 'picture')}, all unusable: {few(read.bad)}", "complete ones"
        )
    raw = stacked(read, GIVEN, options)
    raw.held = True
    raw.notes = [
        f"{counted(len(raw.x), 'picture')} of {in_words(raw.x.shape[1:])}, held by the program",
        *raw.notes,
    ]
    say(raw, read, options)
    return raw, [kept[i] for i in read.owner]


def _require_one_shape(pictures: Pictures, options: ImageOptions) -> None:
    shapes = {np.shape(item) for item in pictures.items}
    if len(shapes) > 1 and options.size is None:
        shown = " and ".join(map(str, sorted(shapes)[:3]))
        fix = "resize or pad them first, or, if they are pictures, say how: resize=32"
        raise BadInput(f"examples of different shapes ({shown})", "examples of one shape", fix)


def _encoded(item: Any) -> Encoded | Picture:
    if isinstance(item, Pillow.Image):
        return item
    if isinstance(item, Mapping):
        return Path(item["path"]) if item["bytes"] is None else item["bytes"]
    if isinstance(item, bytes | bytearray):
        return bytes(item)
    if isinstance(item, os.PathLike):
        return Path(item)
    return _of_array(item)


def _of_array(item: Any) -> Picture:
    """Return the pixels of an array or a tensor: whole numbers, or intensities in [0, 1] that are
    whole 255ths.

    Raises:
        BadInput: another shape, or other numbers.
    """
    first = isinstance(item, Tensor)  # tensors of pictures have their channels first
    x = plain_tensor(item).numpy() if isinstance(item, Tensor) else np.asarray(item)
    if x.ndim not in (2, 3) or x.dtype.kind not in "buif" or x.size == 0:
        came = f"{a_type(item)} of shape {x.shape}" if x.ndim else a_type(item)
        raise BadInput(came, "a picture")
    if x.ndim == 2:
        x = x[..., None]
    elif x.shape[0] in CHANNELS and (first or x.shape[-1] not in CHANNELS):
        x = np.moveaxis(x, 0, -1)
    elif x.shape[-1] not in CHANNELS:
        raise BadInput(
            f"an array of shape {x.shape}", "one or three channels (two or four with alpha)"
        )
    if said := not_finite(x, "pixels").removesuffix(" of"):
        raise BadInput(said, "whole numbers")
    low, high = float(x.min()), float(x.max())
    if x.dtype == bool or (x.dtype.kind == "f" and low >= 0 and high <= 1):
        levels = Intensities(0.0, 1.0, BYTE - 1).levels(x)
        if levels is None:
            raise BadInput(f"real numbers from {low:.4g} to {high:.4g} as pixels", "whole numbers")
        x = levels.astype(np.uint8)
    elif not (low >= 0 and high <= 65535) or not bool((x == np.round(x)).all()):
        kind = "real numbers" if x.dtype.kind == "f" else "numbers"
        raise BadInput(f"{kind} from {low:.4g} to {high:.4g} as pixels", "whole numbers from 0")
    return Picture(
        x.astype(np.uint8 if high <= 255 and x.dtype != np.uint16 else np.uint16), x.shape[-1] <= 2
    )
