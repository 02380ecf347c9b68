"""Pictures as real intensities: what programs make of levels before they train on them.

One idea: a level divided by the number of steps from black to white, and perhaps spread from -1 to
1, can be taken back without a loss, so it is; numbers that never were levels are rounded only
where somebody asks for it, and what that loses is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BYTE = 256
SMALL = 64  # levels of other scales that are looked for, such as sixteenths
USUAL = 1e-4  # of one step: what sums and quotients in single precision are off by, with room


@dataclass(frozen=True)
class Levels:
    """The levels of intensities, how many there are, why those, and what is lost."""

    x: np.ndarray
    levels: int
    note: str
    lost: str = ""


def taken_back(x: np.ndarray, levels: int | None = None) -> Levels | None:
    """Return the levels that intensities from 0 or -1 to 1 were made of; None if there are none
    that they are multiples of, or if they are whole numbers from 0, which are levels already.

    Args:
        levels: how many there are from black to white, None = 256 if they are whole 255ths, else
            the fewest that will do.

    Example:
        >>> taken_back(np.array([0.0, 0.2, 1.0])).x.tolist(), taken_back(np.array([-1.0, 1.0])).x.tolist()
        ([0, 51, 255], [0, 1])
        >>> taken_back(np.array([0.0, 0.25, 1.0])).x.tolist(), taken_back(np.array([0.0, 0.314159]))
        ([0, 1, 4], None)
    """
    black = _black(x)
    if black is None or (levels == 2 and black == 0):
        return None
    ends = bool(((x == black) | (x == 1)).all())
    if levels is None and ends and black == 0:
        return None
    scales = [1] if ends else [BYTE - 1, *range(2, SMALL)]
    for steps in scales if levels is None else [levels - 1]:
        found = whole_steps(x, steps, black)
        if found is not None:
            of = f"intensities from {black} to 1 are whole steps of 1/{steps:,} of the way to white"
            return Levels(found, steps + 1, f"{of}, so {steps + 1:,} levels")
    return None


def rounded(x: np.ndarray, levels: int) -> Levels | None:
    """Return the nearest of `levels` levels of intensities from 0 or -1 to 1, or from 0 to the
    highest level; None for any other range.

    Example:
        >>> rounded(np.array([0.0, 0.3, 1.0]), 11).x.tolist(), rounded(np.array([0.4, 9.6]), 11).x.tolist()
        ([0, 3, 10], [0, 10])
        >>> rounded(np.array([0.0, 300.0]), 256)
    """
    black, steps = _black(x), levels - 1
    if black is not None:
        exact = (x.astype(np.float64) - black) * (steps / (1 - black))
    elif x.dtype.kind == "f" and bool(np.isfinite(x).all()) and x.min() >= 0 and x.max() <= steps:
        exact = x.astype(np.float64)
    else:
        return None
    found = np.rint(exact)
    furthest = float(np.abs(exact - found).max())
    return Levels(
        found.astype(np.int64),
        levels,
        f"real intensities rounded to the nearest of {levels:,} levels, as asked",
        f"precision: intensities were rounded to {levels:,} levels, by up to {furthest:.2g} of a level",
    )


def whole_steps(x: np.ndarray, steps: int, black: int = 0) -> np.ndarray | None:
    """Return how many steps above black each intensity is, None if one of them lies between two.

    Example:
        >>> whole_steps(np.float32([0, 0.5, 1]), 2), whole_steps(np.float32([0, 0.5, 1]), 3)
        (array([0, 1, 2]), None)
    """
    spread = (x.astype(np.float64) - black) * (steps / (1 - black))
    found = np.rint(spread)
    # a quotient is off by half a unit of its last place, which half precision makes large
    off = np.finfo(x.dtype).eps / 2 if x.dtype.kind == "f" else 0.0
    exact = float(np.abs(spread - found).max()) <= max(USUAL, steps * off)
    return found.astype(np.int64) if exact else None


def _black(x: np.ndarray) -> int | None:
    """Return the intensity of black, None where numbers are no intensities up to 1."""
    if x.dtype.kind not in "fb" or x.size == 0 or not np.isfinite(x).all() or x.max() > 1:
        return None
    low = float(x.min())
    return 0 if low >= 0 else -1 if low >= -1 else None
