"""What is known of an example, from a file: an array of truths, or a picture whose white or opaque
pixels are known.

One idea: two conventions say in a picture what is to be filled, black paint and holes; where both
speak they must agree.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.data.formats.file_formats import PICTURE
from pushforward.data.images.folder import read_one
from pushforward.data.images.options import ImageOptions
from pushforward.data.observed import as_batch, read_array


def read_mask(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Return a mask, True where a value is known, shape (n or 1, *shape): booleans, 0 and 1, or a
    picture.

    An array of (height, width), or of one channel, holds for all channels. In a picture white is
    known and black is to be filled; in one with holes what is opaque is known, whatever its
    colours, and what is see-through is to be filled.

    Raises:
        BadInput: another shape, other values, holes in black paint, or alpha between see-through
            and opaque.
    """
    if path.is_file() and PICTURE.is_named(path):
        found = _of_picture(path, shape)
        return as_batch(found, shape, path, shared=True)
    array, _ = read_array(path, 1)
    mask = as_batch(array, shape, path, shared=True)
    _require((mask == 0) | (mask == 1), mask.numpy(), path, "0 and 1 only", "1 is known")
    return mask != 0


def _of_picture(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return truths (n, height, width, channels), one channel unless the colours of the mask
    differ."""
    raw = read_one(path, ImageOptions(alpha="keep", frames="all"))  # pyright: ignore[reportCallIssue]
    white = raw.white or 255
    holes = raw.x.shape[-1] in (2, 4) and bool((raw.x[..., -1] < white).any())
    colours = raw.x[..., :-1] if raw.x.shape[-1] in (2, 4) else raw.x
    if holes:
        return _of_alpha(path, colours, raw.x[..., -1:], white)
    if bool((colours == colours[..., :1]).all()):
        colours = colours[..., :1]
    elif len(shape) != 3 or shape[0] != colours.shape[-1]:
        raise BadInput(
            f"colours in the mask {path}",
            "black and white",
            "white is known, black is to be filled",
        )
    legal = (colours == 0) | (colours == white)
    _require(legal, colours, path, f"0 and {white} only", f"{white} is white and known")
    return colours != 0


def _of_alpha(path: Path, colours: np.ndarray, alpha: np.ndarray, white: int) -> np.ndarray:
    legal = (alpha == 0) | (alpha == white)
    _require(
        legal,
        alpha,
        path,
        f"an alpha of 0 or {white}",
        "what is opaque is known, what is see-through is to be filled",
    )
    opaque = alpha != 0
    painted = colours[np.broadcast_to(opaque, colours.shape)]
    if bool(((painted == 0) | (painted == white)).all()) and bool((painted == 0).any()):
        raise BadInput(
            f"the mask {path}, with black pixels and see-through ones",
            "one way to say what is to be filled",
            "white and black without alpha, or opaque and see-through without black",
        )
    return opaque


def _require(
    legal: np.ndarray | Tensor, values: np.ndarray, path: Path, expected: str, hint: str
) -> None:
    odd = values[~np.asarray(legal)]
    if odd.size:
        raise BadInput(f"the value {float(odd.flat[0]):g} in the mask {path}", expected, hint)
