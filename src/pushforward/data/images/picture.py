"""One picture file: whatever its mode, depth, orientation, alpha and frames, arrays of whole
numbers.

Two ideas: nothing is clipped, hidden or turned silently, so whatever is done is tallied under a
name that `said` puts into words; a decoder may fail in any way, and every way is a refusal of that
file.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, ImageSequence

from pushforward.core.errors import BadInput
from pushforward.data.finite import not_finite
from pushforward.data.folders import counted
from pushforward.data.images.channels import greyed, in_colour, opaque, shown_on
from pushforward.data.images.handles import unread
from pushforward.data.images.options import ImageOptions

# PostScript is a program, and its reader runs it: only formats that are data are opened, whatever a
# file is called
FORMATS = (
    *("PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM", "TGA", "JPEG2000", "AVIF"),
    *("ICO", "PCX", "SGI", "DDS", "QOI"),
)
SHORT, LONG = 255, 65535
_GREY = ("1", "L", "LA", "La")
# a grey picture can be said to be so in other formats; these have colours only
_COLOURS_ONLY = ("GIF", "WEBP", "AVIF")

# name: what is noted, what is lost; {n} pictures
_SAID = {
    "turned": ("{n} turned as the orientation in EXIF says", None),
    "white": (
        "{n} with alpha, shown on white (-s data.alpha=keep makes it a channel)",
        "alpha of {n}, shown on white",
    ),
    "black": ("{n} with alpha, shown on black, as asked", "alpha of {n}, shown on black"),
    "kept": ("{n} with alpha, which is a channel, as asked; colours that it hides are white", None),
    "opaque": ("{n} with an alpha channel that hides nothing, so it is left out", None),
    "paged": (
        "{n} animated or paged: only the first frame is read (-s data.frames=all reads all)",
        None,
    ),
    "frames": ("", "{frames} after the first of animated or paged files"),
    "unrolled": ("{n} animated or paged: every frame is an example, as asked", None),
    "deep": (
        "{n} in 16-bit colour, read with 8 bits a channel",
        "the lower 8 bits of {n} in 16-bit colour",
    ),
    "CMYK": (
        "{n} in CMYK, turned into RGB without a colour profile",
        "the inks of {n} in CMYK, turned into RGB",
    ),
    "LAB": ("{n} in CIELAB, turned into RGB", "the colours of {n} in CIELAB that RGB cannot show"),
    "YCbCr": ("{n} in YCbCr, turned into RGB", None),
    "HSV": ("{n} in HSV, turned into RGB", None),
    "misnamed": ("{n} of another format than the name says", None),
    "bleached": ("{n} in colour, made grey as asked", "the colours of {n}"),
    "coloured": ("{n} in grey, given three equal channels as asked", None),
    "exif": ("{n} with damaged EXIF data, so taken as they lie", None),
}


@dataclass(frozen=True)
class Picture:
    """One frame.

    Attributes:
        pixels: shape (height, width, channels), uint8 or uint16; the last of two or four channels
            is alpha.
        grey: None if it may be taken for either: a palette of greys, or colours that are all grey.
    """

    pixels: np.ndarray
    grey: bool | None

    @property
    def top(self) -> int:
        """White: 255 or 65,535."""
        return SHORT if self.pixels.dtype == np.uint8 else LONG


# a picture file, its bytes, or a picture that a program holds
Encoded = Path | bytes | Pillow.Image


def read_picture(
    source: Encoded | Picture, options: ImageOptions, tally: Counter[str]
) -> list[Picture]:
    """Return the frames of a picture that options want, and count in `tally` what was done to them.

    Args:
        source: a file, its bytes, a picture of Pillow, or pixels as they lie in an array, to which
            only alpha and colours are done.

    Raises:
        BadInput: no picture, a damaged one, too many pixels, or real or very large numbers.
    """
    path = source if isinstance(source, Path) else Path()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(source, Picture):
                return [_as_asked(source, options, tally)]
            if isinstance(source, Pillow.Image):
                found = unread(source, options.frames == "all", FORMATS)
                if found is None:
                    return _of_program(source, options, tally)
                source = found
                path = Path(getattr(source, "filename", "") or "")
            Pillow.init()
            known = [name for name in FORMATS if name in Pillow.OPEN]
            # by handle: of a path, Pillow maps plain TIFFs into memory before it turns them, which
            # scrambles them
            handle = source.open("rb") if isinstance(source, Path) else BytesIO(source)
            with handle as file, Pillow.open(file, formats=known) as opened:
                return list(_frames(opened, path, options, tally))
    except BadInput:
        raise
    except Pillow.DecompressionBombError:
        raise _too_large("more pixels than Pillow opens", options) from None
    except (Exception, MemoryError) as error:
        raise BadInput(_reason(source, error), "a complete picture") from None


def said(tally: Counter[str]) -> tuple[list[str], list[str]]:
    """Return what is noted and what is lost.

    Example:
        >>> said(Counter(turned=2))
        (['2 pictures turned as the orientation in EXIF says'], [])
    """
    notes, lost = [], []
    for name, (note, loss) in _SAID.items():
        if tally[name]:
            words = {"n": counted(tally[name], "picture"), "frames": counted(tally[name], "frame")}
            notes += [note.format(**words)] if note else []
            lost += [loss.format(**words)] if loss else []
    return notes, lost


def _reason(source: object, error: BaseException) -> str:
    if source == b"" or (
        isinstance(source, Path) and source.is_file() and source.stat().st_size == 0
    ):
        return "the file is empty"
    if isinstance(error, Pillow.UnidentifiedImageError):
        return "no picture of a known format"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _too_large(came: str, options: ImageOptions) -> BadInput:
    return BadInput(
        came,
        f"at most {options.max_pixels:,} pixels a file",
        "raise it with -s data.max_pixels=...",
    )


def _frames(
    opened: Pillow.Image, path: Path, options: ImageOptions, tally: Counter[str]
) -> Iterator[Picture]:
    width, height = opened.size
    n = getattr(opened, "n_frames", 1)
    wanted = n if options.frames == "all" else 1
    if width * height * wanted > options.max_pixels:
        raise _too_large(
            f"{width} x {height} pixels" + (f" in {n} frames" if wanted > 1 else ""), options
        )
    # counted here, where the whole file is known to be read: a damaged one is counted as such
    # elsewhere
    mine: Counter[str] = Counter()
    if n > 1:
        mine.update({"paged": 1, "frames": n - 1} if wanted == 1 else {"unrolled": 1})
    known = Pillow.registered_extensions().get(path.suffix.lower())
    if known is not None and {known, opened.format} not in (
        {known},
        {"JPEG", "MPO"},
        {"BMP", "DIB"},
    ):
        mine["misnamed"] += 1
    frames = ImageSequence.Iterator(opened) if wanted > 1 else [opened]
    either = opened.format in _COLOURS_ONLY
    pictures = [_frame(frame, options, mine, either) for frame in frames]
    if wanted > 1:  # what is said of a file is said once
        mine = Counter({name: min(1, times) for name, times in mine.items()})
    tally.update(mine)
    yield from pictures


def _of_program(picture: Pillow.Image, options: ImageOptions, tally: Counter[str]) -> list[Picture]:
    """Return a picture that a program has loaded or made: the frame that it shows."""
    width, height = picture.size
    if width * height > options.max_pixels:
        raise _too_large(f"{width} x {height} pixels", options)
    if picture.format == "EPS" and getattr(picture, "tile", []):
        raise BadInput("PostScript, which is a program", "a picture")
    mine: Counter[str] = Counter()
    n = getattr(picture, "n_frames", 1)
    if n > 1 and picture.tell() == 0:  # whoever has sought another frame means that one
        mine.update({"paged": 1, "frames": n - 1})
    found = [_frame(picture, options, mine, picture.format in _COLOURS_ONLY)]
    tally.update(mine)
    return found


def _as_asked(picture: Picture, options: ImageOptions, tally: Counter[str]) -> Picture:
    pixels = picture.pixels
    if pixels.shape[0] * pixels.shape[1] > options.max_pixels:
        raise _too_large(f"{pixels.shape[1]} x {pixels.shape[0]} pixels", options)
    if pixels.shape[-1] in (2, 4):
        pixels = _alpha(pixels, options, tally)
    return _channelled(pixels, picture.grey, options, tally)


def _frame(
    frame: Pillow.Image, options: ImageOptions, tally: Counter[str], either: bool
) -> Picture:
    two = _as_bytes(frame)
    deep = not two and _deep(frame)
    held = getattr(frame, "tag_v2", {}).get(
        0x0112, 1
    )  # Pillow turns a TIFF itself, and forgets that it did
    frame.load()
    frame = _turned(frame, tally, held)
    if two:
        high, low = np.split(
            np.asarray(frame).astype(np.uint16).reshape(*np.asarray(frame).shape[:2], 2, 2), 2, -1
        )
        return _channelled(_alpha((high * 256 + low)[..., 0], options, tally), True, options, tally)
    if frame.mode == "F":
        values = np.asarray(frame)
        if said := not_finite(values, "pixels").removesuffix(" of"):
            raise BadInput(said, "whole numbers", "repair it first")
        came = f"real numbers from {values.min():g} to {values.max():g} as pixels"
        raise BadInput(came, "whole numbers", "turn them into levels first, or save them as .npy")
    if frame.mode.startswith("I"):
        return _channelled(_integers(frame, options, tally), True, options, tally)
    tally["deep"] += deep
    if frame.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        tally[frame.mode] += 1
    seen = frame.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in frame.info
    grey: bool | None = frame.mode in _GREY
    pixels = np.asarray(_plain(frame, bool(grey), seen))
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if not grey and (either or frame.mode in ("P", "PA")):
        colours = pixels[..., :3]
        if (colours == colours[..., :1]).all():
            grey, pixels = None, np.concatenate([colours[..., :1], pixels[..., 3:]], -1)
    if seen:
        pixels = _alpha(pixels, options, tally)
    return _channelled(pixels, grey, options, tally)


def _channelled(
    pixels: np.ndarray, grey: bool | None, options: ImageOptions, tally: Counter[str]
) -> Picture:
    """Return pixels (h, w, c) in grey or in colour, if one of them is asked for."""
    colours = 3 if grey is False else 1
    if options.channels == "grey" and colours == 3:
        tally["bleached"] += 1
        pixels, grey = greyed(pixels), True
    elif options.channels == "colour" and colours == 1:
        tally["coloured"] += 1
        pixels, grey = in_colour(pixels), False
    return Picture(pixels, grey)


def like(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return pixels (..., c) with the channels of a run where that loses nothing: greys saved as
    colours, alpha that hides nothing.

    Example:
        >>> like(np.zeros((1, 2, 2, 3), np.uint8), 1).shape, like(np.zeros((1, 2, 2, 3), np.uint8), 4).shape
        ((1, 2, 2, 1), (1, 2, 2, 4))
    """
    if channels <= 2 and pixels.shape[-1] >= 3 and bool((pixels[..., :3] == pixels[..., :1]).all()):
        # painting programs save greys as colours
        pixels = np.concatenate([pixels[..., :1], pixels[..., 3:]], -1)
    return opaque(pixels) if channels in (2, 4) and pixels.shape[-1] == channels - 1 else pixels


def _plain(frame: Pillow.Image, grey: bool, seen: bool) -> Pillow.Image:
    """Return the picture in one of the modes L, LA, RGB and RGBA."""
    if frame.mode == "LAB":
        from PIL import ImageCms

        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        turned = ImageCms.applyTransform(frame, ImageCms.buildTransform(lab, rgb, "LAB", "RGB"))
        assert turned is not None
        return turned
    if seen and grey and "transparency" in frame.info:
        # Pillow honours the see-through grey of a file only on its way to RGBA
        rgba = frame.convert("RGBA")
        return Pillow.merge("LA", (rgba.getchannel(0), rgba.getchannel(3)))
    return frame.convert(("LA" if seen else "L") if grey else ("RGBA" if seen else "RGB"))


def _as_bytes(frame: Pillow.Image) -> bool:
    """Return whether a PNG holds 16-bit greys with alpha, and have their four bytes a pixel decoded
    as they lie.

    Pillow would decode them as RGBA of 8 bits: three equal colours, without the lower half of each
    number.
    """
    tiles = getattr(frame, "tile", [])
    if frame.format != "PNG" or not tiles or any(tile[3] != "LA;16B" for tile in tiles):
        return False
    setattr(frame, "tile", [tile._replace(args="RGBA") for tile in tiles])  # noqa: B010
    return True


def _deep(frame: Pillow.Image) -> bool:
    """Return whether a colour file has more than 8 bits a channel, which Pillow reads without their
    lower half."""
    if frame.mode.startswith(("I", "F")):
        return False
    raws = [tile[3] for tile in getattr(frame, "tile", [])]
    bits = getattr(frame, "tag_v2", {}).get(258, (8,))
    raw = getattr(getattr(frame, "png", None), "im_rawmode", "") or "".join(map(str, raws))
    return "16" in str(raw) or max(bits if isinstance(bits, tuple) else (bits,)) > 8


def _turned(frame: Pillow.Image, tally: Counter[str], held: int) -> Pillow.Image:
    try:
        orientation = max(held, frame.getexif().get(0x0112, 1))
        upright = ImageOps.exif_transpose(frame)
    except Exception:  # damaged metadata do not make a picture unreadable
        tally["exif"] += 1
        return frame
    if orientation in range(2, 9):
        tally["turned"] += 1
    return upright


def _integers(frame: Pillow.Image, options: ImageOptions, tally: Counter[str]) -> np.ndarray:
    values = np.asarray(frame).astype(np.int64)
    if values.min() < 0 or values.max() > LONG:
        came = f"32-bit pixels from {values.min()} to {values.max()}"
        raise BadInput(
            came, f"levels from 0 to {LONG:,}", "scale or shift them first, or save them as .npy"
        )
    key = frame.info.get("transparency")
    if isinstance(key, int) and bool((values == key).any()):
        alpha = np.where(values == key, 0, LONG)
        return _alpha(np.stack([values, alpha], -1).astype(np.uint16), options, tally)
    return values.astype(np.uint16)[..., None]


def _alpha(pixels: np.ndarray, options: ImageOptions, tally: Counter[str]) -> np.ndarray:
    """Return pixels (h, w, c + 1) without their last channel, or with it if it is to be kept."""
    top = SHORT if pixels.dtype == np.uint8 else LONG
    alpha = pixels[..., -1:]
    if options.alpha == "keep":
        tally["kept"] += 1
        return np.concatenate([np.where(alpha == 0, top, pixels[..., :-1]), alpha], -1).astype(
            pixels.dtype
        )
    if alpha.min() == top:
        tally["opaque"] += 1
        return pixels[..., :-1]
    tally[options.alpha] += 1
    return shown_on(pixels, top if options.alpha == "white" else 0, top)
