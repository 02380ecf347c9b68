"""How many levels pixels have.

Two ideas: the space of a model is no larger than its data need, so levels are counted, not taken
from the type; a picture file knows what white is, so its values may lie on a coarser grid from
black to white.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput

SMALL = 64
DEPTHS = (8, 10, 12, 14)


def shown(levels: int, top: int = 255) -> np.ndarray:
    """Return the value that a picture file has for each level: evenly spaced from 0 to white,
    rounded.

    Example:
        >>> shown(3).tolist()
        [0, 128, 255]
    """
    return np.round(np.arange(levels) * (top / (levels - 1))).astype(np.int64)


def levels_of_array(x: np.ndarray) -> tuple[int, str]:
    """Return the number of levels of an array that says nothing about white, and why.

    Example:
        >>> levels_of_array(np.array([0, 1, 2]))[0], levels_of_array(np.array([0, 250]))[0]
        (3, 256)
    """
    top = int(x.max())
    whole = 1 << max(1, top.bit_length())
    # photographs rarely reach white; a byte, or a power of two nearly reached, is meant as a whole
    levels = 256 if 128 <= top < 256 else whole if top >= 256 and top >= 0.9 * whole else top + 1
    return (
        levels,
        f"the largest value is {top:,}, so {levels:,} levels (-s data.levels sets another number)",
    )


def levels_of_pictures(values: np.ndarray, top: int) -> tuple[int, np.ndarray, str | None]:
    """Return the number of levels of pictures, the level of each of their different values, and the
    reason if it is not plain.

    Args:
        values: all different values.
        top: what white is in the files, 255 or 65,535.

    Example:
        >>> levels_of_pictures(np.array([0, 128, 255]), 255)[:2]
        (3, array([0, 1, 2]))
    """
    for levels in range(2, min(SMALL, 2 * len(values)) + 1):
        if (found := _on_grid(values, levels, top)) is not None:
            return (
                levels,
                found,
                f"{len(values)} different values, evenly spaced from black to white, so {levels} levels",
            )
    if top == 255:
        return 256, values, None
    for bits in DEPTHS:
        if (found := _on_grid(values, 2**bits, top)) is not None:
            factor = "257 times" if bits == 8 else "spread over 16 bits from"
            return 2**bits, found, f"every 16-bit value is {factor} one of {2**bits:,} levels"
    for bits in DEPTHS:
        if values.max() < 2**bits:
            return (
                2**bits,
                values,
                f"16-bit files whose largest value is {values.max():,}, so {2**bits:,} levels",
            )
        if not (values % 2 ** (16 - bits)).any():
            return (
                2**bits,
                values >> (16 - bits),
                f"the lower {16 - bits} bits of 16 are unused: {2**bits:,} levels",
            )
    said = (
        "16-bit files, so 65,536 levels; autoregressive and diffusion models compute a number for each level of each pixel, which "
        "is slow: -s data.levels=256 scales them by 257"
    )
    return 65536, values, said


def to_levels(values: np.ndarray, levels: int, top: int) -> np.ndarray | None:
    """Return the level of each value of a picture file, None if one of them is no level: raw, or
    spread from black to white.

    Example:
        >>> to_levels(np.array([0, 255]), 17, 255)
        array([ 0, 16])
    """
    if levels == top + 1:
        return values
    if levels > top + 1:
        return values * 257 if (levels, top) == (65536, 255) else None
    grid = _on_grid(values, levels, top)
    raw = values if values.max() < levels else None
    # a short scale is written spread (`shown`), a long one as it is
    first, second = (grid, raw) if top == 255 else (raw, grid)
    return second if first is None else first


def first_odd(values: np.ndarray, levels: int, top: int) -> int:
    """Return the first value that is none of `levels` evenly spaced ones.

    Example:
        >>> first_odd(np.array([0, 100, 255]), 3, 255)
        100
    """
    distance = np.abs(values - np.round(values / (top / (levels - 1))) * (top / (levels - 1)))
    odd = values[distance >= 1 - 1e-9]
    return int(odd[0] if len(odd) else values[-1])


def scaled(values: np.ndarray, levels: int, top: int) -> np.ndarray:
    """Return the nearest of `levels` levels from black to white: of 65,536 values, 256 levels are
    257 apart.

    Raises:
        BadInput: more levels than there are values.

    Example:
        >>> scaled(np.array([0, 257, 65535]), 256, 65535)
        array([  0,   1, 255])
    """
    if levels > top + 1:
        raise BadInput(f"data.levels={levels}", f"at most {top + 1:,}, the depth of the files")
    return np.round(values.astype(np.float64) * ((levels - 1) / top)).astype(np.int64)


def _on_grid(values: np.ndarray, levels: int, top: int) -> np.ndarray | None:
    """Return levels if every value is one of `levels` evenly spaced ones, rounded either way, and
    none is two of them."""
    if levels > top + 1:
        return None
    step = top / (levels - 1)
    level = np.round(values / step).astype(np.int64)
    exact = np.abs(values - level * step) < 1 - 1e-9
    # rounded either way is one spelling in one data set: two values of one level are two levels
    return level if bool(exact.all()) and len(np.unique(level)) == len(np.unique(values)) else None
