"""Which smaller examples, and which size of pictures, to suggest to whoever has too little time for
theirs.

One idea: advice must change something, so a size is suggested only where it is really smaller and
something is left to see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pushforward.core.space import Image, Space

USUAL, SMALLEST = 16, 6  # pixels of a side; with fewer there is nothing to recognise


def smaller_pictures(space: Image) -> str:
    """Return the option for smaller pictures of the same shape, empty where they are tiny already.

    Example:
        >>> [smaller_pictures(Image(3, h, w, 256)) for h, w in ((32, 32), (12, 12), (9, 16), (48, 64), (8, 8))]
        ['-s data.resize=16', '-s data.resize=8', '', '-s data.resize=16x12', '']
        >>> smaller_pictures(Image(1, 12, 16, 256))
        '-s data.resize=11x8'
    """
    longest, least = max(space.width, space.height), min(space.width, space.height)
    if least < 2 * SMALLEST:
        return ""
    scale = max(
        min(USUAL, 2 * longest / 3 if longest <= USUAL else longest / 2) / longest, SMALLEST / least
    )
    width, height = round(space.width * scale), round(space.height * scale)
    return f"-s data.resize={width}" + (f"x{height}" if height != width else "")


def smaller_examples(space: Space) -> str:
    """Return what would make examples smaller, to follow a list of advice; empty where nothing
    does.

    Example:
        >>> smaller_examples(Image(1, 32, 32))
        ', or smaller pictures, such as `-s data.resize=16`'
    """
    found = _SMALLER.get(space.kind)
    return "" if found is None else found(space)


def _pictures(space: Any) -> str:
    size = smaller_pictures(space)
    return f", or smaller pictures, such as `{size}`" if size else ""


_SMALLER: dict[str, Callable[[Any], str]] = {
    "image": _pictures,
    "text": lambda space: ", or shorter windows, `-s data.length=...`",
}
