"""Samples of images and points as pictures: one sheet of all, or a folder of files.

One idea: what a file of pictures holds is what is read back from it, so greys of more than 256
levels are written in 16 bits.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from pushforward.core.files import fill, new_folder
from pushforward.data.class_folders import TABLE, folder_names, table_of
from pushforward.data.formats.format import Samples

SHEET, MARGIN = 512, 2


def grey(x: np.ndarray, levels: int) -> np.ndarray:
    """Map levels to 0..255 by rounding; (n, c, h, w) to (n, h, w) or (n, h, w, c), the last of 2 or
    4 of them alpha."""
    shown = np.round(x.astype(np.float64) * (255.0 / (levels - 1))).astype(np.uint8)
    return shown[:, 0] if shown.shape[1] == 1 else np.moveaxis(shown, 1, -1)


def as_files(x: np.ndarray, levels: int) -> np.ndarray:
    """Return images as picture files hold them: like `grey`, but grey ones of more than 256 levels
    as they are, in 16 bits."""
    return x[:, 0].astype(np.uint16) if x.shape[1] == 1 and levels > 256 else grey(x, levels)


def _on_white(pictures: np.ndarray) -> np.ndarray:
    """Return what is seen of pictures with alpha (n, h, w, 2 or 4) on white paper."""
    if pictures.ndim == 3 or pictures.shape[-1] == 3:
        return pictures
    colours, alpha = pictures[..., :-1].astype(np.float64), pictures[..., -1:] / 255.0
    seen = np.round(colours * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)
    return seen[..., 0] if seen.shape[-1] == 1 else seen


def sheet(x: np.ndarray, levels: int) -> Pillow.Image:
    """Return a grid of images, enlarged by a whole factor so that pixels stay square."""
    pictures = _on_white(grey(x, levels))
    n, h, w = pictures.shape[:3]
    columns = int(np.ceil(np.sqrt(n)))
    scale = max(1, SHEET // (columns * max(h, w)))
    rows = -(-n // columns)
    size = (columns * (w * scale + MARGIN) + MARGIN, rows * (h * scale + MARGIN) + MARGIN)
    page = Pillow.new(
        "L" if pictures.ndim == 3 else "RGB",
        size,
        color=128 if pictures.ndim == 3 else (128, 128, 128),
    )
    for i, picture in enumerate(pictures):
        tile = Pillow.fromarray(picture).resize((w * scale, h * scale), Pillow.Resampling.NEAREST)
        page.paste(
            tile,
            (
                MARGIN + (i % columns) * (w * scale + MARGIN),
                MARGIN + (i // columns) * (h * scale + MARGIN),
            ),
        )
    return page


def scatter(x: np.ndarray) -> Pillow.Image:
    """Return the first two coordinates as dots (one coordinate is drawn against its rank)."""
    if x.shape[1] == 1:
        x = np.concatenate([np.sort(x, axis=0), np.linspace(0, 1, len(x))[:, None]], axis=1)
    low, high = x[:, :2].min(0), x[:, :2].max(0)
    unit = (x[:, :2] - low) / np.where(high > low, high - low, 1.0)
    page = Pillow.new("L", (SHEET, SHEET), color=255)
    pen = ImageDraw.Draw(page)
    for u, v in unit:
        a, b = 8 + u * (SHEET - 16), SHEET - 8 - v * (SHEET - 16)
        pen.ellipse((a - 1, b - 1, a + 1, b + 1), fill=0)
    return page


def sheet_bytes(samples: Samples, path: Path) -> bytes:
    """Return all samples as one picture: images as a grid, points as dots."""
    values, buffer = samples.x.numpy(), io.BytesIO()
    picture = (
        scatter(values) if samples.space.levels is None else sheet(values, samples.space.levels)
    )
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def write_picture_folder(samples: Samples, path: Path) -> list[Path]:
    """Write each image to a file of its own, in folders that are called by their classes, and
    return the files."""
    values, levels, labels = samples.x.numpy(), samples.space.levels, samples.labels
    names = {} if labels is None else folder_names(labels)
    written = []
    with new_folder(path) as beside:
        for i, picture in enumerate(as_files(values, levels)):
            name = Path("." if labels is None else names[labels[i]], f"{i:05d}.png")
            buffer = io.BytesIO()
            Pillow.fromarray(picture).save(buffer, format="PNG")
            fill(beside / name, buffer.getvalue())
            written.append(path / name)
        if (table := table_of(names)) is not None:
            fill(beside / TABLE, table.encode())
            written.append(path / TABLE)
    return written
