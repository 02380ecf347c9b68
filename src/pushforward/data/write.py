"""Write samples as a sheet, an array, a table or a folder, never half of one."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.files import fill, new_folder, write_bytes
from pushforward.core.space import Image, Space
from pushforward.data.class_folders import TABLE, folder_names, table_of
from pushforward.data.encoding import Encoding
from pushforward.data.tables.output import table_bytes
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.output import write_texts

SHEET, MARGIN = 512, 2


def grey(x: np.ndarray, levels: int) -> np.ndarray:
    """Map levels to 0..255 by rounding; (n, c, h, w) to (n, h, w) or (n, h, w, c), the last of 2 or 4 of them alpha."""
    shown = np.round(x.astype(np.float64) * (255.0 / (levels - 1))).astype(np.uint8)
    return shown[:, 0] if shown.shape[1] == 1 else np.moveaxis(shown, 1, -1)


def as_files(x: np.ndarray, levels: int) -> np.ndarray:
    """Return images as picture files hold them: like `grey`, but grey ones of more than 256 levels as they are, in 16 bits."""
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
    page = Pillow.new("L" if pictures.ndim == 3 else "RGB", size, color=128 if pictures.ndim == 3 else (128, 128, 128))
    for i, picture in enumerate(pictures):
        tile = Pillow.fromarray(picture).resize((w * scale, h * scale), Pillow.Resampling.NEAREST)
        page.paste(
            tile, (MARGIN + (i % columns) * (w * scale + MARGIN), MARGIN + (i // columns) * (h * scale + MARGIN))
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


def is_folder(path: str | Path) -> bool:
    """Return whether a name is that of a folder: it ends in a slash, has no ending, or is a folder already.

    Example:
        >>> is_folder("out.v1/"), is_folder("out"), is_folder("out.png")
        (True, True, False)
    """
    return str(path).endswith(("/", os.sep)) or not Path(path).suffix or Path(path).is_dir()


def write_samples(path: str | Path, x: Tensor, space: Space, labels: Sequence[str] | None = None) -> list[Path]:
    """Write samples by extension: `.png`, `.npz`, `.npy`, `.csv`, or a folder of PNG files (see `is_folder`).

    Raises:
        BadInput: another extension, or a folder that is not empty.
    """
    name, path, folder = str(path), Path(path), is_folder(path)
    values, suffix, buffer = x.numpy(), "" if folder else path.suffix.lower(), io.BytesIO()
    if suffix == ".npy":
        np.save(buffer, values, allow_pickle=False)
    elif suffix == ".npz":
        arrays = {"x": values} if labels is None else {"x": values, "labels": np.array(labels)}
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    elif suffix == ".csv":
        buffer.write(_csv(values, labels).encode())
    elif suffix == ".png":
        picture = sheet(values, space.levels) if isinstance(space, Image) else scatter(values)
        picture.save(buffer, format="PNG")
    elif folder and isinstance(space, Image):
        return _write_folder(path, values, space.levels, labels)
    else:
        kinds, hint = ".png, .npz, .npy, .csv", ""
        if isinstance(space, Image):
            kinds, hint = f"{kinds}, or a folder", f"a folder's name may end in a slash: -o {name}/"
        raise BadInput(f"-o {name}", f"a name that ends in {kinds}", hint)
    write_bytes(path, buffer.getvalue())
    return [path]


def write_shown(path: str | Path, shown: Any, encoding: Encoding | None = None) -> list[Path]:
    """Write strings as `data.text.output` has it, a DataFrame as `data.tables.output` has it.

    Args:
        encoding: what writes them as their source was; None = plain text, or a DataFrame as pandas does.

    Raises:
        BadInput: another extension.
    """
    folder, path = is_folder(path), Path(path)
    if isinstance(shown, list):
        return write_texts(path, shown, encoding if isinstance(encoding, TextEncoding) else None, folder)

    def to_csv(delimiter: str | None) -> bytes:
        if encoding is None:
            return shown.to_csv(index=False, sep=delimiter or ",").encode()
        return encoding.csv_file(shown, delimiter)

    write_bytes(path, table_bytes(shown, path, to_csv, "" if encoding is None else encoding.schema))
    return [path]


def _csv(values: np.ndarray, labels: Sequence[str] | None) -> str:
    flat = values.reshape(len(values), -1)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"x{i}" for i in range(flat.shape[1])] + ([] if labels is None else ["label"]))
    for i, row in enumerate(flat.tolist()):
        writer.writerow([repr(v) for v in row] + ([] if labels is None else [labels[i]]))
    return text.getvalue()


def _write_folder(path: Path, values: np.ndarray, levels: int, labels: Sequence[str] | None) -> list[Path]:
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
