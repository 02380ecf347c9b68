"""Pictures as real intensities: what programs make of levels before they train on them.

One idea: a level divided by the number of steps from black to white, and perhaps spread from -1 to
1, can be taken back without a loss, so it is; numbers that never were levels are rounded only
where somebody asks for it, and what that loses is said. What black and white were is kept with a
run, so that other files are read and samples are written on the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput

BYTE = 256
SMALL = 64  # levels of other scales that are looked for, such as sixteenths
USUAL = 1e-4  # of one step: what sums and quotients in single precision are off by, with room


@dataclass(frozen=True)
class Intensities:
    """What levels are as real intensities.

    Attributes:
        black, white: of the lowest level and of the highest.
        steps: from one to the other.
        dtype: of the numbers.
        rounded: whether numbers between two levels are the nearer one.

    Example:
        >>> scale = Intensities(-1.0, 1.0, 4, "float32")
        >>> scale.values(np.array([0, 1, 4])).tolist(), scale.levels(np.float32([0.5, 1.0])).tolist()
        ([-1.0, -0.5, 1.0], [3, 4])
        >>> scale.levels(np.float32([0.3])) is None
        True
    """

    black: float
    white: float
    steps: int
    dtype: str = "float32"
    rounded: bool = False

    def levels(self, x: np.ndarray) -> np.ndarray | None:
        """Return the level of each intensity; None if one of them is beyond black or white, or
        lies between two levels and is not to be rounded."""
        exact = self._exact(x)
        found = np.rint(exact)
        if x.size and (found.min() < 0 or found.max() > self.steps):
            return None
        # a quotient is off by half a unit of its last place, which half precision makes large
        off = np.finfo(x.dtype).eps / 2 if x.dtype.kind == "f" else 0.0
        near = x.size == 0 or float(np.abs(exact - found).max()) <= max(USUAL, self.steps * off)
        return found.astype(np.int64) if near or self.rounded else None

    def values(self, levels: np.ndarray) -> np.ndarray:
        """Return the intensity of each level."""
        share = levels.astype(np.float64) / self.steps
        return (self.black + share * (self.white - self.black)).astype(self.dtype)

    def lost(self, x: np.ndarray) -> float:
        """Return how far the nearest level is at most, in steps."""
        exact = self._exact(x)
        return float(np.abs(exact - np.rint(exact)).max())

    def _exact(self, x: np.ndarray) -> np.ndarray:
        return (x.astype(np.float64) - self.black) * (self.steps / (self.white - self.black))

    @property
    def range(self) -> str:
        """Black and white in words."""
        return f"from {self.black:.4g} to {self.white:.4g}"


@dataclass(frozen=True)
class Levels:
    """The levels of intensities, their scale, why it is that, and what is lost."""

    x: np.ndarray
    scale: Intensities
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
        scale = Intensities(black, 1.0, steps, _float(x))
        found = scale.levels(x)
        if found is not None:
            of = f"intensities {scale.range} are whole steps of 1/{steps:,} of the way to white"
            return Levels(found, scale, f"{of}, so {steps + 1:,} levels")
    return None


def rounded(x: np.ndarray, levels: int) -> Levels | None:
    """Return the nearest of `levels` levels of real intensities: from 0 or -1 to 1, from 0 to the
    highest level, else from the lowest to the highest number; None if they are not finite, or all
    the same.

    Example:
        >>> rounded(np.array([0.0, 0.3, 1.0]), 11).x.tolist(), rounded(np.array([0.4, 9.6]), 11).x.tolist()
        ([0, 3, 10], [0, 10])
        >>> rounded(np.array([-60.0, -30.0, 0.0]), 3).x.tolist()
        [0, 1, 2]
    """
    if x.dtype.kind != "f" or x.size == 0 or not np.isfinite(x).all() or x.min() == x.max():
        return None
    low, high, black = float(x.min()), float(x.max()), _black(x)
    span = (low, high)
    if black is not None:
        span = (float(black), 1.0)
    elif low >= 0 and high <= levels - 1:
        span = (0.0, float(levels - 1))
    scale = Intensities(*span, levels - 1, _float(x), rounded=True)
    ends = f"black {scale.black:.4g} and white {scale.white:.4g}"
    return Levels(
        np.rint(scale._exact(x)).astype(np.int64),
        scale,
        f"real intensities, {ends}, rounded to the nearest of {levels:,} levels, as asked",
        f"precision: intensities were rounded to {levels:,} levels, by up to {scale.lost(x):.2g} of a level",
    )


def read_alike(x: np.ndarray, scale: Intensities, where: str) -> np.ndarray:
    """Return the levels of other real intensities on the scale of a run.

    Raises:
        BadInput: intensities that have no level there.
    """
    found = scale.levels(x)
    if found is None:
        between = "" if scale.rounded else f" in whole steps of 1/{scale.steps:,} of the way"
        raise BadInput(
            f"{where} holds real numbers from {x.min():.4g} to {x.max():.4g}",
            f"intensities {scale.range}{between}, as the run was trained on",
            "bring them to that scale",
        )
    return found


def _float(x: np.ndarray) -> str:
    return str(x.dtype) if x.dtype.kind == "f" else "float32"


def _black(x: np.ndarray) -> int | None:
    """Return the intensity of black, None where numbers are no intensities up to 1."""
    if x.dtype.kind not in "fb" or x.size == 0 or not np.isfinite(x).all() or x.max() > 1:
        return None
    low = float(x.min())
    return 0 if low >= 0 else -1 if low >= -1 else None
