"""The sign-flip test of a sum of differences: exact where two laws are equal, whatever the law is.

Two ideas: exchanging the members of a pair turns the sign of its difference, so under equal laws
every pattern of signs is as likely as the one that came, and no normal law is assumed of anything;
the largest differences are gone through one by one and the others by a saddlepoint, which holds far
out in the tail, where a page of many tests looks.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

ENUMERATED = 12  # so few differences: all of their 4096 patterns
LARGEST = 8  # differences whose 256 patterns are gone through where there are more
STEPS = 200
TIE = 1e-9


def sign_flip_p_value(differences: np.ndarray) -> float:
    """Return the share of sign patterns whose sum is at least as far from zero as the one that
    came.

    `p = P(|sum_i e_i d_i| >= |sum_i d_i|)`, each e_i being -1 or 1 with equal chances (Fisher 1935,
    section 21). Of at most 12 differences that are not zero it is counted, and of equally large
    ones it is a binomial tail. Otherwise `p = 2 E_c P(R >= |sum d| - c)`, c running over the signed
    sums of the 8 largest, and R, the sum of the others, by the formula of Lugannani & Rice (1980)
    with `K(t) = sum log cosh(t d_i)`: of 20 differences good to a quarter of p, to a factor of two
    for the last few patterns, and better of more. p is never below that of one pattern and its
    mirror image.

    Args:
        differences: d, shape (n,), finite.

    Example:
        >>> sign_flip_p_value(np.ones(5)), sign_flip_p_value(np.array([1.0, -1.0])), sign_flip_p_value(np.zeros(3))
        (0.0625, 1.0, 1.0)
    """
    size = np.sort(np.abs(differences[differences != 0.0]))[::-1]
    if len(size) == 0:
        return 1.0
    reached = abs(float(differences.sum())) / size[0]
    size = size / size[0]
    if len(size) <= ENUMERATED:
        return float(np.mean(np.abs(_signed_sums(size)) >= reached - TIE))
    if size[-1] > 1.0 - TIE:
        # `k` of n are positive where the sum is 2 k - n
        least = np.ceil((len(size) + reached) / 2 - TIE)
        return min(1.0, 2.0 * float(stats.binom.sf(least - 1, len(size), 0.5)))
    found = 2.0 * float(_tail(reached - _signed_sums(size[:LARGEST]), size[LARGEST:]).mean())
    return min(1.0, max(found, 2.0 ** (1 - min(len(size), 1000))))


def _signed_sums(size: np.ndarray) -> np.ndarray:
    """Return the sums under all patterns of signs, shape (2^n,)."""
    sums = np.zeros(1)
    for one in size:
        sums = np.concatenate([sums - one, sums + one])
    return sums


def _tail(x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return `P(sum e_i size_i >= x)`, shape of x."""
    far = np.abs(x)
    most = float(size.sum())
    beyond = far > most * (1.0 + TIE)
    far = np.minimum(far, most * (1.0 - 1e-6))
    with np.errstate(over="ignore", under="ignore"):
        t = _saddlepoint(far, size)
        z = t[:, None] * size
        above = t * far - (z + np.log1p(np.exp(-2.0 * z)) - np.log(2.0)).sum(axis=1)
        curvature = (size**2 / np.cosh(np.minimum(z, 300.0)) ** 2).sum(axis=1)
        r, u = np.sqrt(2.0 * np.maximum(above, 0.0)), t * np.sqrt(curvature)
        correction = np.zeros_like(r)
        apart = r > 1e-4
        correction[apart] = 1.0 / np.maximum(u[apart], 1e-300) - 1.0 / r[apart]
        # Chernoff's bound holds where the sum is all but at its end and the formula is not good
        tail = np.clip(
            stats.norm.sf(r) + stats.norm.pdf(r) * correction, 0.0, np.exp(-np.maximum(above, 0.0))
        )
    tail = np.where(beyond, 0.0, np.minimum(tail, 0.5))
    return np.where(x >= 0, tail, 1.0 - tail)


def _saddlepoint(x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return t with `K'(t) = sum size tanh(t size) = x`, from below, where Newton's steps never
    overshoot."""
    t = x / float((size**2).sum())
    for _ in range(STEPS):
        slope = np.tanh(t[:, None] * size)
        gap = x - slope @ size
        step = gap / np.maximum((1.0 - slope**2) @ size**2, 1e-300)
        t = t + np.clip(step, 0.0, 1.0 + t)
        if np.all(gap <= 1e-9 * float(size.sum())):
            break
    return t
