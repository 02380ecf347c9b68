"""Resizing of image batches: part of the features, because it moves a distance as much as a model
does.

Three ideas: resizing is linear and separable, so it is one matrix for each axis; a filter whose
support widens with the factor of reduction averages what it drops (no aliasing), while sampling a
few neighbours lets whole frequencies through as others; the filter is part of the features' name,
since two resizings give two distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pushforward.core.errors import BadInput, unknown

SUPPORT = {"bilinear": 1.0, "bicubic": 2.0, "lanczos-3": 3.0}


@dataclass(frozen=True)
class Resizing:
    """Images brought to one height and width.

    Attributes:
        height, width: of the result, in pixels.
        filter: `bilinear`, `bicubic` or `lanczos-3`, antialiased; or `tensorflow`, the sampling of
            TensorFlow 1 that the published Fréchet distances on Inception-v3 used, which is not.

    Raises:
        BadInput: an unknown filter, or no pixels.

    Example:
        >>> resizing = Resizing(2, 2, "bilinear")
        >>> resizing.name, resizing(np.arange(16.0).reshape(1, 1, 4, 4)).shape
        ('resized 2x2 bilinear antialiased', (1, 1, 2, 2))
    """

    height: int
    width: int
    filter: str = "bicubic"

    def __post_init__(self) -> None:
        if self.filter != "tensorflow" and self.filter not in SUPPORT:
            raise BadInput(*unknown("filter", self.filter, (*SUPPORT, "tensorflow")))
        if min(self.height, self.width) < 1:
            raise BadInput(f"images of {self.height}x{self.width} pixels", "at least 1x1")

    @property
    def name(self) -> str:
        """What a score's name says of it."""
        how = (
            "bilinear of TensorFlow 1"
            if self.filter == "tensorflow"
            else f"{self.filter} antialiased"
        )
        return f"resized {self.height}x{self.width} {how}"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return images (..., H, W) as float64 (..., height, width); bicubic and Lanczos may leave
        the range of `x`.

        Raises:
            BadInput: not images.
        """
        if x.ndim < 2:
            raise BadInput(f"an array of shape {x.shape}", "images (..., height, width)")
        down = resizing_matrix(x.shape[-2], self.height, self.filter)
        across = resizing_matrix(x.shape[-1], self.width, self.filter)
        return down @ (x.astype(np.float64) @ across.T)


@lru_cache(maxsize=32)
def resizing_matrix(size: int, new: int, filter: str) -> np.ndarray:
    """Return the weights (new, size) with which old pixels make up each new one; every row sums to
    one.

    Antialiased: `w_ij = k((j + 1/2 - c_i) / s) / sum_j`, with centre `c_i = (i + 1/2) size / new`
    and `s = max(1, size / new)`, the factor by which the kernel k is stretched where pixels are
    dropped. TensorFlow 1: `i size / new` lies between two pixels, which are mixed linearly; there
    are neither half pixels nor a stretched kernel.

    Example:
        >>> resizing_matrix(4, 2, "bilinear").round(3).tolist()
        [[0.429, 0.429, 0.143, 0.0], [0.0, 0.143, 0.429, 0.429]]
        >>> resizing_matrix(4, 2, "tensorflow").tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    """
    if filter == "tensorflow":
        weights = _sampling(size, new)
    else:
        scale = size / new
        centres = (np.arange(new) + 0.5) * scale
        offsets = (np.arange(size) + 0.5 - centres[:, None]) / max(1.0, scale)
        weights = kernel(offsets, filter)
        weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False  # the cache hands out one array
    return weights


def _sampling(size: int, new: int) -> np.ndarray:
    # single precision, as in TensorFlow: where a place falls exactly between two pixels depends on
    # it
    places = np.arange(new, dtype=np.float32) * np.float32(size / new)
    low = np.floor(places).astype(np.int64).clip(max=size - 1)
    share = (places - low).astype(np.float64)
    weights = np.zeros((new, size))
    np.add.at(weights, (np.arange(new), low), 1.0 - share)
    np.add.at(weights, (np.arange(new), (low + 1).clip(max=size - 1)), share)
    return weights


def kernel(t: np.ndarray, filter: str) -> np.ndarray:
    """Return the value of an interpolation kernel at distances `t` in pixels.

    Bilinear: `1 - |t|`. Bicubic: Keys (1981), equation 15 (a = -1/2), which reproduces quadratics.
    Lanczos: `sinc(t) sinc(t / 3)` (Duchon 1979), zero from three pixels on.

    Example:
        >>> kernel(np.array([0.0, 0.5, 1.0, 1.5]), "bicubic").tolist()
        [1.0, 0.5625, 0.0, -0.0625]
    """
    t = np.abs(t)
    if filter == "bilinear":
        return (1.0 - t).clip(min=0.0)
    if filter == "lanczos-3":
        return np.where(t < 3.0, np.sinc(t) * np.sinc(t / 3.0), 0.0)
    inner = (1.5 * t - 2.5) * t * t + 1.0
    outer = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.where(t < 1.0, inner, np.where(t < 2.0, outer, 0.0))
