"""The data that come with the package; this module imports nothing heavy, so that listing them is
instant."""

from __future__ import annotations

BUILTINS = (
    (
        "digits",
        "1,797 handwritten digits of 8 x 8 pixels and 17 grey levels, ten classes (UCI, from scikit-learn)",
    ),
    ("two-moons", "two interleaving half circles with noise, exact density known"),
    ("gaussians-8", "eight Gaussians on a circle, entropy 2.8319 nats"),
    ("gaussians-25", "twenty-five narrow Gaussians on a grid, a test of mode coverage"),
    ("checkerboard", "uniform on the black squares of a 4 x 4 board, entropy ln 32 = 3.4657 nats"),
    ("spiral", "two arms of a spiral with noise, exact density known"),
    (
        "adult-mini",
        "6,000 people of the 1994 US census in 15 columns, 9 of them categorical (UCI Adult)",
    ),
    ("rings", "four concentric rings with noise, exact density known"),
    (
        "shakespeare",
        "1,115,394 characters from Shakespeare's plays (public domain), text in bits/byte",
    ),
)


def builtins() -> tuple[tuple[str, str], ...]:
    """Return `(name, description)` of every built-in.

    Example:
        >>> builtins()[0][0]
        'digits'
    """
    return BUILTINS
