"""From an array to a space: images or points, which axis is the channel, how many levels.

One idea: every decision is returned as a sentence with its reason, and nothing is rescaled, clamped or dropped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points, Space


def checked(x: np.ndarray, where: str, few: bool = False) -> np.ndarray:
    """Return `x` if it holds real numbers.

    Raises:
        BadInput: object, string, complex or empty arrays, or one example alone unless a `few` will do.
    """
    if x.dtype == object:
        raise BadInput(
            f"{where} holds Python objects", "a numeric array", "convert it with numpy.asarray(..., dtype=float)"
        )
    if x.dtype.kind not in "buif":
        raise BadInput(f"{where} has dtype {x.dtype}", "integers or floating-point numbers", "convert it first")
    if x.ndim == 0 or len(x) == 0:
        raise BadInput(f"{where} is empty", "at least five examples")
    if len(x) == 1 and not few:
        raise BadInput(f"{where} holds one example", "at least five distinct examples", "bring more data")
    return x


def as_space(
    x: np.ndarray, where: str, levels: int | None = None, varied: bool = True
) -> tuple[Tensor, Space, list[str]]:
    """Return the tensor in data units, its space and the reasons.

    Args:
        varied: whether examples must differ, as those to learn from must; samples of a collapsed model need not.

    Raises:
        BadInput: NaN or infinity (rows named), constant columns, shapes that are neither images nor points.
    """
    x = checked(x, where, few=not varied)
    if x.dtype.kind == "f" and x.ndim >= 3 and np.isfinite(x).all() and bool((x == np.round(x)).all()) and x.min() >= 0:
        x = x.astype(np.int64)
    if x.ndim == 2 or (x.ndim == 1 and x.dtype.kind in "fui"):
        return _points(x.reshape(len(x), -1), where, varied)
    if x.ndim in (3, 4) and x.dtype.kind in "bui":
        return _images(x, where, levels, varied)
    if x.ndim in (3, 4):
        raise BadInput(
            f"{where} holds real numbers of shape {x.shape}",
            "integer grey levels for images, or two dimensions for points",
            "turn intensities in [0, 1] into levels with (255 * x).round().astype('uint8')",
        )
    raise BadInput(f"{where} has shape {x.shape}", "(n, columns), (n, height, width) or (n, height, width, channels)")


def _points(x: np.ndarray, where: str, varied: bool) -> tuple[Tensor, Space, list[str]]:
    bad = np.flatnonzero(~np.isfinite(x.astype(np.float64)).all(axis=1))
    if len(bad):
        shown = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
        raise BadInput(
            f"NaN or infinity in {len(bad)} rows of {where} (rows {shown}, counted from 0)",
            "finite numbers",
            "repair or drop them",
        )
    constant = np.flatnonzero(np.ptp(x, axis=0) == 0)
    if len(constant) and varied:
        shown = ", ".join(map(str, constant[:10]))
        raise BadInput(
            f"constant columns in {where} (columns {shown}, counted from 0)",
            "columns that vary",
            "drop them: a constant has no density",
        )
    note = f"two dimensions, so {x.shape[1]} real columns per point (kept as float32)"
    return torch.from_numpy(x.astype(np.float32)), Points(int(x.shape[1])), [note]


def _images(x: np.ndarray, where: str, levels: int | None, varied: bool) -> tuple[Tensor, Space, list[str]]:
    notes = []
    if x.ndim == 3:
        x = x[:, None]
        notes.append(f"three dimensions of integers, so grey images of {x.shape[2]} x {x.shape[3]} pixels")
    elif x.shape[-1] in (1, 3) and x.shape[1] not in (1, 3):
        x = np.moveaxis(x, -1, 1)
        notes.append(f"the last axis has length {x.shape[1]}, so it is the channel axis")
    elif x.shape[1] in (1, 3):
        notes.append(f"the second axis has length {x.shape[1]}, so it is the channel axis")
    else:
        raise BadInput(
            f"{where} has shape {x.shape}", "one or three channels, first or last", "choose the channels to keep"
        )
    if x.dtype != bool and int(x.min()) < 0:
        raise BadInput(f"{where} holds negative pixels (down to {int(x.min())})", "levels from 0", "shift them")
    top = int(x.max())
    if top == int(x.min()) and varied:
        raise BadInput(f"every pixel of {where} equals {top}", "images that vary")
    if levels is None:
        levels = next((known for known in (2, 17, 256) if top < known), top + 1)
        notes.append(f"the largest value is {top}, so {levels} grey levels")
    elif top >= levels:
        raise BadInput(f"{where} holds the value {top}", f"values below levels={levels}", "raise levels")
    dtype = np.uint8 if levels <= 256 else np.int64
    tensor = torch.from_numpy(np.ascontiguousarray(x.astype(dtype)))
    return tensor, Image(*map(int, x.shape[1:]), levels=levels), notes
