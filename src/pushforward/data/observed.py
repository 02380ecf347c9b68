"""Observed values and masks from files: arrays or pictures, one for all samples or one for each.

One idea: a file says what it is by its shape; nothing is resized, thresholded or rounded to make it fit.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Space
from pushforward.data.pictures import SUFFIXES
from pushforward.data.write import grey

NAMES = ("x", "data", "images", "mask", "arr_0")


def read_array(path: Path) -> tuple[np.ndarray, bool]:
    """Return the numbers in an `.npy`, an `.npz` or a picture, and whether it was a picture.

    Raises:
        BadInput: no such file, another ending, or what cannot be read.
    """
    if not path.is_file():
        raise BadInput(f"no file at {path}", "an .npy, an .npz or a picture")
    picture = path.suffix.lower() in SUFFIXES
    if not picture and path.suffix.lower() not in (".npy", ".npz"):
        raise BadInput(f"{path}", "an .npy, an .npz or a picture", "save the numbers as one of these")
    try:
        if picture:
            with Pillow.open(path) as opened:
                opened.load()
                mode = "L" if opened.mode in ("L", "1", "I;16", "LA") else "RGB"
                array = np.asarray(opened.convert(mode))
                return (array if mode == "L" else np.moveaxis(array, -1, 0)), True
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                found = loaded
            else:
                name = next((one for one in NAMES if one in loaded.files), None)
                if name is None:
                    raise BadInput(
                        f"{path} holds {', '.join(loaded.files) or 'nothing'}", "an array " + " or ".join(NAMES)
                    )
                found = loaded[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, UnidentifiedImageError, SyntaxError) as error:
        raise BadInput(f"{path} cannot be read ({str(error).splitlines()[0]})", "a complete file of numbers") from None
    if found.dtype.kind not in "buif":
        raise BadInput(f"{path} has dtype {found.dtype}", "numbers")
    return found, False


def as_batch(array: np.ndarray, shape: tuple[int, ...], where: Path) -> Tensor:
    """Return an array as a batch of examples of a shape; one example is a batch of one, and a lone channel may be left out.

    Raises:
        BadInput: another shape, both of which are named.

    Example:
        >>> as_batch(np.zeros((8, 8)), (1, 8, 8), Path("x.npy")).shape
        torch.Size([1, 1, 8, 8])
    """
    shapes = [shape, shape[1:]] if len(shape) == 3 and shape[0] == 1 else [shape]
    for one in shapes:
        if array.shape == one:
            return torch.from_numpy(np.array(array)).reshape(1, *shape)
        if array.shape[1:] == one and len(array):
            return torch.from_numpy(np.array(array)).reshape(len(array), *shape)
    raise BadInput(f"an array of shape {array.shape} in {where}", f"{shape}, or (n, {', '.join(map(str, shape))})")


def read_values(path: Path, shape: tuple[int, ...], space: Space) -> Tensor:
    """Return observed values in data units, shape (n or 1, *shape); a picture's greys are those that `sample -o FOLDER` writes.

    Raises:
        BadInput: another shape, or a grey that is none of the space's levels.
    """
    array, picture = read_array(path)
    values = as_batch(array, shape, path)
    if picture and isinstance(space, Image):
        shown = grey(np.arange(space.levels).reshape(-1, 1, 1, 1), space.levels).reshape(-1).astype(np.int64)
        index = np.searchsorted(shown, values.numpy().astype(np.int64)).clip(max=len(shown) - 1)
        wrong = shown[index] != values.numpy()
        if wrong.any():
            few = ", ".join(map(str, shown[:3]))
            came = f"the grey {int(values.numpy()[wrong][0])} in {path}"
            raise BadInput(
                came, f"one of the {space.levels} greys of the run ({few}, ...)", "an .npy holds levels as they are"
            )
        values = torch.from_numpy(index)
    return values.float()


def read_mask(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Return a mask, True where a value is known, shape (n or 1, *shape): booleans, 0 and 1, or black and white.

    Raises:
        BadInput: another shape, or other values.
    """
    array, picture = read_array(path)
    mask = as_batch(array, shape, path)
    top = 255 if picture else 1
    odd = mask[(mask != 0) & (mask != top)] if mask.dtype != torch.bool else mask[:0]
    if odd.numel():
        raise BadInput(
            f"the value {float(odd.flatten()[0]):g} in the mask {path}",
            f"0 and {top} only",
            "255 is white and known" if picture else "1 is known",
        )
    return mask != 0
