"""Pictures of one size from pictures of many.

One idea: every new pixel is a weighted mean over all that it covers (Lanczos, a = 3), so that a
smaller picture has no aliases.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image as Pillow

_FILTER = Pillow.Resampling.LANCZOS
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def resized(
    pixels: np.ndarray, size: tuple[int, int], fit: str, tally: Counter[str], top: int | None = None
) -> np.ndarray:
    """Return pixels (h, w, c) as (size[1], size[0], c); those of that size already are left alone.

    Args:
        size: width and height.
        fit: `crop`, `pad` or `stretch`; see `ImageOptions`.
        tally: where `resized`, `smaller`, `crop` and `pad` are counted.
        top: the largest value, None = the type's.

    Example:
        >>> resized(np.full((4, 8, 1), 7, np.uint8), (2, 2), "crop", Counter()).tolist()
        [[[7], [7]], [[7], [7]]]
    """
    (height, width), (new_width, new_height) = pixels.shape[:2], size
    if (width, height) == size:
        return pixels
    tally["resized"] += 1
    same_shape = width * new_height == height * new_width
    if fit == "stretch" or same_shape:
        tally["smaller"] += width > new_width or height > new_height
        return _scaled(pixels, size, (0.0, 0.0, width, height), top)
    ratios = (new_width / width, new_height / height)
    scale = max(ratios) if fit == "crop" else min(ratios)
    tally["smaller"] += scale < 1
    tally[fit] += 1
    if fit == "crop":
        left, above = (width - new_width / scale) / 2, (height - new_height / scale) / 2
        return _scaled(pixels, size, (left, above, width - left, height - above), top)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    before = ((new_height - inner[1]) // 2, (new_width - inner[0]) // 2)
    after = (new_height - inner[1] - before[0], new_width - inner[0] - before[1])
    small = _scaled(pixels, inner, (0.0, 0.0, width, height), top)
    return np.pad(small, ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="edge")


def said_of_sizes(tally: Counter[str], size: tuple[int, int]) -> tuple[list[str], list[str]]:
    """Return what is noted and what is lost.

    Example:
        >>> said_of_sizes(Counter(resized=2, smaller=2), (32, 32))[1]
        ['fine detail of 2 pictures made smaller']
    """
    n, lost = tally["resized"], []
    if not n:
        return [], []
    done = [f"{tally['crop']} cut to their middle"] * (tally["crop"] > 0)
    done += [f"{tally['pad']} with their border continued"] * (tally["pad"] > 0)
    if tally["smaller"]:
        lost.append(f"fine detail of {_pictures(tally['smaller'])} made smaller")
    if tally["crop"]:
        lost.append(f"what {_pictures(tally['crop'])} show beside their middle")
    shape = "".join(f", {words}" for words in done)
    return [
        f"{_pictures(n)} resized to {size[0]} x {size[1]} with a Lanczos filter (antialiased){shape}"
    ], lost


def _pictures(n: int) -> str:
    return f"{n:,} picture{'' if n == 1 else 's'}"


def _scaled(
    pixels: np.ndarray,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    top: int | None,
) -> np.ndarray:
    if pixels.dtype == np.uint8 and top is None:
        mode = _MODES[pixels.shape[-1]]
        picture = Pillow.fromarray(pixels[..., 0] if mode == "L" else pixels, mode)
        return np.asarray(picture.resize(size, _FILTER, box)).reshape(size[1], size[0], -1)
    most = np.iinfo(pixels.dtype).max if top is None else top
    channels = [
        np.asarray(Pillow.fromarray(channel.astype(np.float32)).resize(size, _FILTER, box))
        for channel in np.moveaxis(pixels, -1, 0)
    ]
    # the filter overshoots at edges
    return np.round(np.stack(channels, -1)).clip(0, most).astype(pixels.dtype)
