"""The Fréchet distance by symmetric eigenvalues against scipy's matrix square root, which the common tools call."""

from __future__ import annotations

import numpy as np
from paired import paired
from scipy import linalg

from pushforward.evaluation.distribution.frechet import frechet, gaussian_frechet


def with_sqrtm(x: np.ndarray, y: np.ndarray) -> float:
    """`tr(S_x + S_y - 2 (S_x S_y)^{1/2})` by a general matrix square root."""
    sx, sy = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    gap = x.mean(0) - y.mean(0)
    return float(gap @ gap + np.trace(sx + sy - 2 * linalg.sqrtm(sx @ sy).real))


def roots_alone(width: int, n: int) -> None:
    """Compare what is done with two covariances that are known, as where they are counted batch by batch."""
    rng = np.random.default_rng(0)
    a, b = (np.cov(rng.normal(size=(n, width)), rowvar=False) for _ in range(2))
    none = np.zeros(width)
    paired(
        f"width {width}, covariances known",
        lambda: gaussian_frechet(none, a, none, b),
        "scipy sqrtm",
        lambda: np.trace(a + b - 2 * linalg.sqrtm(a @ b).real),
        1,
    )


def main() -> None:
    """Print ratios at some feature widths, from rows and from covariances."""
    for width, n in ((64, 2000), (512, 4000), (2048, 1000), (2048, 10_000)):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(n, width)), rng.normal(size=(n, width)) + 0.1
        ours, theirs = frechet(x, y), with_sqrtm(x, y)
        print(
            f"width {width}, n {n}: ours {ours:.9f}, sqrtm {theirs:.9f}, relative {abs(ours - theirs) / theirs:.1e}"
        )
        turns = 11 if width < 1000 else 1
        paired(
            f"width {width}",
            lambda x=x, y=y: frechet(x, y),
            "scipy sqrtm",
            lambda x=x, y=y: with_sqrtm(x, y),
            turns,
        )
    roots_alone(2048, 10_000)


if __name__ == "__main__":
    main()
