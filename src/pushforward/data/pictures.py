"""A folder of images, sub-folders being labels.

One idea: a file that cannot be read stops the run and is named, unless the user asked to skip and count such files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from pushforward.core.errors import BadInput

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}


def image_files(folder: Path) -> list[Path]:
    """Return the image files below a folder in a stable order; hidden files are not looked at."""
    files = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(p for p in files if p.is_file())


def read_folder(folder: Path, skip_bad: bool) -> tuple[np.ndarray, list[str] | None, list[str], tuple[str, ...]]:
    """Return images (n, h, w) or (n, h, w, 3), labels or None, notes and skipped files.

    Raises:
        BadInput: no images, unreadable images, mixed sizes or channels.
    """
    files = image_files(folder)
    if not files:
        raise BadInput(f"the folder {folder}", "image files (" + " ".join(sorted(SUFFIXES)) + ")", "it holds none")
    arrays, kept, bad = [], [], []
    for path in files:
        try:
            with Pillow.open(path) as picture:
                picture.load()
                mode = "L" if picture.mode in ("L", "1", "I;16", "LA") else "RGB"
                arrays.append(np.asarray(picture.convert(mode)))
                kept.append(path)
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError) as error:
            bad.append(f"{path.relative_to(folder)} ({str(error).splitlines()[0]})")
    if bad and not skip_bad:
        shown = "; ".join(bad[:5]) + ("; ..." if len(bad) > 5 else "")
        raise BadInput(
            f"{len(bad)} unreadable image(s) in {folder}: {shown}",
            "readable images",
            "repair them, or leave them out with --skip-bad",
        )
    if not arrays:
        raise BadInput(f"all {len(bad)} images in {folder} are unreadable", "readable images")
    shapes: dict[tuple[int, ...], Path] = {}
    for array, path in zip(arrays, kept, strict=True):
        shapes.setdefault(array.shape, path)
    if len(shapes) > 1:
        shown = "; ".join(f"{p.relative_to(folder)} is {_words(s)}" for s, p in list(shapes.items())[:4])
        raise BadInput(
            f"mixed sizes or channels in {folder}: {shown}",
            "one size and one number of channels",
            "resize or convert them first",
        )
    parents = {p.parent for p in kept}
    labels = None
    notes = [f"a folder of {len(kept)} images of {_words(arrays[0].shape)}"]
    if len(parents) > 1 and folder not in parents:
        labels = [p.relative_to(folder).parts[0] for p in kept]
        notes.append(f"{len(set(labels))} sub-folders, so their names are the labels")
    else:
        notes.append("no sub-folders, so no labels")
    if bad:
        notes.append(f"{len(bad)} unreadable images were skipped as asked: " + "; ".join(bad[:5]))
    return np.stack(arrays), labels, notes, tuple(bad)


def _words(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} {'colour' if len(shape) == 3 else 'grey'}"
