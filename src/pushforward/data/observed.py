"""Observed values from files: arrays or pictures, one for all samples or one for each.

One idea: a file says what it is by its shape; nothing is resized, thresholded or rounded to make it
fit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Space
from pushforward.data.array_files import Archive, opened_arrays
from pushforward.data.arrays import no_level
from pushforward.data.formats.file_formats import NPY, NPZ, PICTURE
from pushforward.data.images.folder import read_one
from pushforward.data.images.levels import to_levels
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.picture import like

NAMES = ("x", "data", "images", "mask", "arr_0")


def read_array(path: Path, channels: int) -> tuple[np.ndarray, int | None]:
    """Return the numbers in an `.npy`, an `.npz` or a picture, and what white is if it was a
    picture: 255 or 65,535.

    A picture is read as data are: turned upright, on white if it is see-through, every frame of an
    animated one; its shape is (frames, channels, height, width).

    Args:
        channels: that a picture should have; two or four keep alpha, and greys are colours too.

    Raises:
        BadInput: no such file, another ending, or what cannot be read.
    """
    if not path.is_file():
        raise BadInput(f"no file at {path}", "an .npy, an .npz or a picture")
    picture = PICTURE.is_named(path)
    if not (picture or NPY.is_named(path) or NPZ.is_named(path)):
        raise BadInput(
            f"{path}", "an .npy, an .npz or a picture", "save the numbers as one of these"
        )
    if picture:
        return _picture(path, channels)
    with opened_arrays(path) as loaded:
        if isinstance(loaded, Archive):
            name = next((one for one in NAMES if one in loaded), None)
            if name is None:
                came = f"{path} holds {', '.join(loaded.files) or 'nothing'}"
                raise BadInput(came, "an array " + " or ".join(NAMES))
            loaded = loaded[name]
        found = loaded
    if found.dtype.kind not in "buif":
        raise BadInput(f"{path} has dtype {found.dtype}", "numbers")
    return found, None


def _picture(path: Path, channels: int) -> tuple[np.ndarray, int | None]:
    options = ImageOptions(  # pyright: ignore[reportCallIssue]
        frames="all",
        alpha="keep" if channels in (2, 4) else "white",
        channels="colour" if channels in (3, 4) else None,
    )
    raw = read_one(path, options)
    return np.moveaxis(like(raw.x, channels), -1, 1), raw.white


def as_batch(
    array: np.ndarray, shape: tuple[int, ...], where: Path, shared: bool = False
) -> Tensor:
    """Return an array as a batch of examples of a shape; one example is a batch of one.

    Channels may come first or last, as in data to train on, and a lone one may be left out; numbers
    of one column each are points on a line.

    Args:
        shared: what holds for a pixel holds for all its channels, so that these may be left out
            whatever their number.

    Raises:
        BadInput: another shape, both of which are named.

    Example:
        >>> as_batch(np.zeros((8, 8)), (1, 8, 8), Path("x.npy")).shape
        torch.Size([1, 1, 8, 8])
        >>> as_batch(np.zeros((5, 8, 6, 3)), (3, 8, 6), Path("x.npy")).shape
        torch.Size([5, 3, 8, 6])
    """
    for one, place in _layouts(shape, shared):
        if array.shape == one:
            batch = array[None]
        elif array.shape[1:] == one and len(array):
            batch = array
        else:
            continue
        whole = (
            np.moveaxis(batch, -1, 1)
            if place == "last"
            else batch[:, None]
            if place == "none"
            else batch
        )
        return torch.from_numpy(np.array(np.broadcast_to(whole, (len(batch), *shape))))
    last = ", channels first or last" if len(shape) == 3 else ""
    came = f"an array of shape {array.shape} in {where}"
    raise BadInput(came, f"{shape}, or (n, {', '.join(map(str, shape))}){last}")


def _layouts(shape: tuple[int, ...], shared: bool) -> list[tuple[tuple[int, ...], str]]:
    """Return the shapes that one example may come in, and where its channels are: `first`, `last`
    or `none`."""
    if len(shape) != 3:
        return [(shape, "first"), *([((), "none")] if shape == (1,) else [])]
    channels, side = shape[0], shape[1:]
    found = [(shape, "first"), ((*side, channels), "last")]
    found += [(side, "none")] if channels == 1 or shared else []
    return found + ([((1, *side), "first"), ((*side, 1), "last")] if shared else [])


def read_values(path: Path, shape: tuple[int, ...], space: Space) -> Tensor:
    """Return observed values in data units, shape (n or 1, *shape); a picture's greys are those
    that `sample -o FOLDER` writes.

    Raises:
        BadInput: another shape, or a grey that is none of the space's levels.
    """
    array, white = read_array(path, 1 if space.levels is None else shape[0])
    if white is not None and space.levels is not None:
        found = to_levels(array.astype(np.int64), space.levels, white)
        if found is None:
            raise no_level(np.unique(array).astype(np.int64), space.levels, white, str(path))
        array = found
    values = as_batch(array, shape, path)
    return values.double() if space.dtype.is_floating_point else values.float()
