"""What every metric asks of its input before it computes anything.

Two ideas: a metric sees float64 rows; a sample too small to measure is refused with the number that
is needed.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput


def as_rows(x: np.ndarray, role: str = "features", at_least: int = 1) -> np.ndarray:
    """Return `x` as float64 rows (n, d), refusing NaN, infinity and too few rows.

    Raises:
        BadInput: no rows axis, not finite (row numbers are named), or fewer than `at_least` rows.

    Example:
        >>> as_rows(np.zeros((3, 1, 2, 2), dtype=np.uint8)).shape
        (3, 4)
    """
    if x.ndim < 2:
        raise BadInput(f"{role} of shape {x.shape}", "one row per example, shape (n, d)")
    require(len(x), at_least, role)
    rows = x.reshape(len(x), -1).astype(np.float64)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise BadInput(
            f"NaN or infinity in {len(bad)} of {len(rows)} {role} (rows {bad[:10].tolist()})",
            "finite numbers",
            "a model that emits NaN has diverged; do not drop those rows, fix the model",
        )
    return rows


def require(n: int, at_least: int, role: str) -> None:
    """Refuse fewer than `at_least` examples.

    Example:
        >>> require(3, 5, "samples")
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 3 samples: expected at least 5; draw or provide 2 more
    """
    if n < at_least:
        raise BadInput(
            f"{n} {role}", f"at least {at_least}", f"draw or provide {at_least - n} more"
        )


def same_width(x: np.ndarray, y: np.ndarray) -> None:
    """Refuse two sets of rows of different dimension.

    Raises:
        BadInput: the widths differ.
    """
    if x.shape[1] != y.shape[1]:
        raise BadInput(
            f"rows of {x.shape[1]} and {y.shape[1]} numbers",
            "equal features",
            "measure both with the same features",
        )


def two_samples(
    samples: np.ndarray, reference: np.ndarray, at_least: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides of a comparison as float64 rows, refusing too few rows on either, NaN and
    different widths.

    Example:
        >>> [side.shape for side in two_samples(np.zeros((3, 2)), np.ones((4, 2)))]
        [(3, 2), (4, 2)]
    """
    x = as_rows(samples, "samples", at_least)
    y = as_rows(reference, "reference examples", at_least)
    same_width(x, y)
    return x, y
