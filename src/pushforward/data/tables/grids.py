"""Grids coarser than the last decimal: whole hours, quarters, tens and hundreds.

One idea: values that all happen to be multiples of m, by chance alone, are m^-n likely for n
different ones; where that is next to nothing, multiples of m are what the column holds, and nothing
else may come back.
"""

from __future__ import annotations

import numpy as np

TIMES = (86400.0, 3600.0, 60.0, 1.0, 1e-3, 1e-6)
TIME_NAMES = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
CLOCKS = ("duration", "timedelta", "time")
CHANCE, FEW_CHANCE = 1e-6, 1e-2
FEW, ROWS_OF_ONE = 32, 20
_ROUND = tuple(head * 10**power for power in range(13) for head in (1, 2, 5, 25, 125, 625))
_OF_UNIT = {
    86400.0: (7, 14, 28),
    3600.0: (2, 3, 4, 6, 8, 12),
    60.0: (5, 10, 15, 20, 30),
    1.0: (5, 10, 15, 20, 30),
}


def coarser(values: np.ndarray, step: float, clock: bool = False, moments: bool = False) -> float:
    """Return the coarsest step that all values are multiples of by more than chance, `step` itself
    if there is none.

    The multiple m is 1, 2, 5, 25, 125 or 625 times a power of ten, and is taken where m^-n < 1e-6
    for n different values other than 0; 0.01 suffices where there are few values of many rows each.

    Args:
        values: known values, shape (n,), multiples of `step` that are below 2^52 of them.
        clock: True for seconds, whose round multiples are those of clocks.
        moments: True for seconds since 1970: a day of the week or of a month is no multiple of
            anything.

    Example:
        >>> coarser(np.arange(40) * 10.0, 1.0), coarser(np.arange(40) * 0.25, 0.01), coarser(np.arange(40) * 1.0, 1.0)
        (10.0, 0.25, 1.0)
    """
    seen = np.unique(np.rint(values / step))
    different = np.abs(seen[seen != 0.0]).astype(np.int64)
    if not len(different) or (moments and step == TIMES[0]):
        return step
    divisor, n = int(np.gcd.reduce(different)), len(different)
    few = len(seen) <= FEW and len(values) >= ROWS_OF_ONE * len(seen)
    most = FEW_CHANCE if few else CHANCE
    candidates = _OF_UNIT.get(step, ()) if clock or moments else _ROUND
    fitting = [m for m in candidates if m > 1 and divisor % m == 0 and float(m) ** -n < most]
    return _times(step, max(fitting)) if fitting else step


def clock_step(seconds: np.ndarray, step: float) -> float:
    """Return the coarsest of days, hours, minutes and seconds whose multiples all lengths are,
    `step` if they are finer.

    Example:
        >>> clock_step(np.array([3600.0, 7200.0]), 1.0), clock_step(np.array([0.5]), 0.1)
        (3600.0, 0.1)
    """
    return next(
        (unit for unit in TIMES[:3] if unit > step and bool((np.fmod(seconds, unit) == 0.0).all())),
        step,
    )


def step_words(step: float, clock: bool = False) -> str:
    """Return a grid in words: `whole hours` of seconds, else `multiples of 0.25`.

    Example:
        >>> step_words(900.0, clock=True), step_words(3600.0, clock=True), step_words(0.25)
        ('multiples of 15 minutes', 'whole hours', 'multiples of 0.25')
    """
    if clock:
        for unit, name in zip(TIMES, TIME_NAMES, strict=True):
            count = round(step / unit)
            if count >= 1 and abs(count * unit - step) < 1e-9 * step:
                return f"whole {name}" if count == 1 else f"multiples of {count} {name}"
    return f"multiples of {step:.10g}"


def _times(step: float, multiple: int) -> float:
    """Return their product as the double that its decimals mean."""
    places = 0 if step >= 1.0 else round(-np.log10(step))
    return float(round(step * 10.0**places) * multiple / 10.0**places)
