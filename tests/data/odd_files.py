"""Picture files of every odd kind, generated: modes, depths, orientations, alpha, frames, damage, folders of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

WIDTH, HEIGHT = 6, 5


def bytes_of(seed: int, channels: int = 1, top: int = 255) -> np.ndarray:
    """Return pixels (5, 6) or (5, 6, channels) between 0 and `top`, drawn evenly."""
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return (
        np.random.default_rng(seed)
        .integers(0, top + 1, shape)
        .astype(np.uint8 if top < 256 else np.uint16)
    )


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    """Write pixels, turned into a mode of Pillow if one is named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Pillow.fromarray(pixels)
    (picture if mode is None else picture.convert(mode)).save(path, **options)
    return path


def folder(
    path: Path, n: int = 12, suffix: str = ".png", channels: int = 1, mode: str | None = None
) -> Path:
    """Write n different pictures and return their folder."""
    for i in range(n):
        save(path / f"{i:03d}{suffix}", bytes_of(i, channels), mode)
    return path


def deep_grey(path: Path, pixels: np.ndarray, kind: str) -> Path:
    """Write 16-bit greys as a PNG, as a TIFF of either byte order, as a PGM, or as a 32-bit TIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = (pixels.shape[1], pixels.shape[0])
    if kind == "pgm":
        path.write_bytes(b"P5 %d %d 65535\n" % size + pixels.astype(">u2").tobytes())
    elif kind == "big-endian":
        Pillow.frombytes("I;16B", size, pixels.astype(">u2").tobytes()).save(path, format="TIFF")
    elif kind == "32-bit":
        Pillow.fromarray(pixels.astype(np.int32)).save(path, format="TIFF")
    else:
        Pillow.fromarray(pixels.astype(np.uint16)).save(path)
    return path


def deep_png(path: Path, pixels: np.ndarray) -> Path:
    """Write a PNG with 16 bits for each of two (grey, alpha) or three channels, which Pillow itself cannot."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2}[channels], 0, 0, 0)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def orientation(n: int) -> Pillow.Exif:
    """Return EXIF data that say how to hold a picture."""
    exif = Pillow.Exif()
    exif[0x0112] = n
    return exif


def as_held(pixels: np.ndarray, n: int) -> np.ndarray:
    """Return how a picture with an EXIF orientation is to be seen (EXIF 2.32, section 4.6.4)."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: pixels.swapaxes(0, 1)[:, ::-1],
        7: pixels.swapaxes(0, 1)[::-1, ::-1],
        8: pixels.swapaxes(0, 1)[::-1],
    }[n]


def animation(path: Path, frames: Sequence[np.ndarray], **options: object) -> Path:
    """Write pictures as the frames of one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = [Pillow.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=rest, **options)
    return path


def palette(
    path: Path, colours: Sequence[tuple[int, int, int]], index: np.ndarray, **options: object
) -> Path:
    """Write a picture of palette colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Pillow.fromarray(index.astype(np.uint8), "P")
    picture.putpalette([value for colour in colours for value in colour])
    picture.save(path, **options)
    return path


def lab(path: Path, pixels: np.ndarray) -> Path:
    """Write colours as a CIELAB TIFF."""
    turn = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    turned = ImageCms.applyTransform(Pillow.fromarray(pixels), turn)
    assert turned is not None
    turned.save(path)
    return path


def bomb(path: Path, side: int = 100_000) -> Path:
    """Write a PNG of a few bytes that claims to be very large."""
    buffer = io.BytesIO()
    Pillow.new("L", (8, 8)).save(buffer, format="PNG")
    raw = bytearray(buffer.getvalue())
    raw[16:24] = struct.pack(">II", side, side)
    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    path.write_bytes(bytes(raw))
    return path
