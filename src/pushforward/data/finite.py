"""Values that are no numbers, counted and named.

One idea: whoever has to repair data wants to know what is wrong, how often and where, not that a
sum came out as nan.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.data.folders import few


def require_finite(
    x: np.ndarray, where: str, noun: str = "values", fix: str = "repair or drop them"
) -> None:
    """Refuse an array that holds NaN or infinity, with how many there are of each and in which
    examples.

    Args:
        x: numbers of any type; the first axis counts examples.
        where: what the array is called.
        noun: what its entries are called.

    Raises:
        BadInput: says how many of how many, and where.

    Example:
        >>> require_finite(np.array([0, 1]), "x")
    """
    said = not_finite(x, noun)
    if said:
        raise BadInput(f"{said} {where}{_rows(x)}", f"finite {noun}", fix)


def not_finite(x: np.ndarray, noun: str = "values") -> str:
    """Return how many entries are NaN or infinite, empty if none is.

    Example:
        >>> not_finite(np.array([0.0, np.nan, -np.inf, np.nan]))
        'NaN in 2 and infinity in 1 of 4 values of'
    """
    if x.dtype.kind not in "fc":
        return ""
    counts = {"NaN": int(np.isnan(x).sum()), "infinity": int(np.isinf(x).sum())}
    found = [f"{word} in {count:,}" for word, count in counts.items() if count]
    return f"{' and '.join(found)} of {x.size:,} {noun} of" if found else ""


def _rows(x: np.ndarray) -> str:
    if x.ndim < 2:
        return ""
    bad = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
    return f", in {len(bad):,} of {len(x):,} examples ({few([str(row) for row in bad], 10)}, counted from 0)"
