"""Energy distance: a held-out quantity for a model that has no likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist


def energy_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the unbiased squared energy distance of two samples.

    `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (Szekely & Rizzo 2013, equation 2.1), with pairs of distinct points inside
    each sample, so that its expectation is zero for equal distributions; it may be negative.

    Shapes: x (n, d), y (m, d) with n, m >= 2.

    Example:
        >>> energy_distance(np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]]))
        2.0
    """
    return float(2.0 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean())
