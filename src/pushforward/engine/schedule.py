"""The learning rate as a function of the fraction of the budget spent."""

from __future__ import annotations

import math


def warmup_cosine(fraction: float, warmup: float, final: float) -> float:
    """Return the factor of the peak learning rate.

    Linear from 0 over the first `warmup` of the budget, then `final + (1 - final) (1 + cos(pi u)) /
    2` with u from 0 to 1 over the rest (Loshchilov & Hutter 2017, equation 5, without restarts).

    Example:
        >>> warmup_cosine(0.05, 0.1, 0.0), warmup_cosine(0.1, 0.1, 0.0), round(warmup_cosine(1.0, 0.1, 0.2), 6)
        (0.5, 1.0, 0.2)
    """
    if fraction < warmup:
        # never exactly zero, so that the first step of a run moves
        return max(fraction / warmup, 1e-3)
    u = min(1.0, (fraction - warmup) / max(1e-12, 1.0 - warmup))
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * u))
