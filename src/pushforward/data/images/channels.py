"""Grey, colour and alpha of pixels.

One idea: what a picture with alpha shows, and what is grey of a colour, is one formula, whatever
the pixels came from.
"""

from __future__ import annotations

import numpy as np


def shown_on(pixels: np.ndarray, behind: int, top: int) -> np.ndarray:
    """Return pixels (..., c + 1), whose last channel is alpha, as they look on a background: (...,
    c), rounded.

    Args:
        behind: the background's value.
        top: the value of white, and of alpha that hides nothing.

    Example:
        >>> shown_on(np.array([[0, 255], [0, 0], [100, 51]], np.uint8), 255, 255).tolist()
        [[0], [255], [224]]
    """
    colours, alpha = pixels[..., :-1].astype(np.int64), pixels[..., -1:].astype(np.int64)
    return ((colours * alpha + behind * (top - alpha) + top // 2) // top).astype(pixels.dtype)


def greyed(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (..., 3) or (..., 4) with one grey channel, alpha kept.

    ITU-R BT.601, as every reader of pictures does it.

    Example:
        >>> greyed(np.array([[255, 0, 0], [7, 7, 7]], np.uint8)).tolist()
        [[76], [7]]
    """
    luma = np.round(pixels[..., :3] @ np.array([0.299, 0.587, 0.114]))[..., None].astype(
        pixels.dtype
    )
    return np.concatenate([luma, pixels[..., 3:]], -1)


def in_colour(pixels: np.ndarray) -> np.ndarray:
    """Return grey pixels (..., 1) or (..., 2) with three equal channels, alpha kept."""
    return np.concatenate([np.repeat(pixels[..., :1], 3, -1), pixels[..., 1:]], -1)


def opaque(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (..., c) with an alpha channel that hides nothing."""
    return np.concatenate([pixels, np.full_like(pixels[..., :1], np.iinfo(pixels.dtype).max)], -1)
