"""Intervals of squared distances, which are quadratic forms near zero.

One idea: the error of a square grows with the square, so that a value that came out too small
brings too small an error with it; the law that knows this is the noncentral chi-square, and an
interval is where its tails are not too small.
"""

from __future__ import annotations

import math

from scipy import special, stats

from pushforward.evaluation.intervals import LEVEL, normal_quantile

MANY = (
    1e5  # squares of noise in a value, from which on the law is normal to a thousandth of its error
)


def quadratic_interval(
    value: float, bias: float, scale: float, level: float = LEVEL
) -> tuple[float, float]:
    """Return an interval of t, where `value` is `scale` times a noncentral chi-square variable and
    has the mean `bias + t`.

    With k = bias / scale degrees of freedom, noncentrality t / scale and F the distribution
    function (Johnson, Kotz & Balakrishnan 1995, chapter 29), it holds every t >= 0 with `F(value)`
    between both tails: mean `bias + t`, variance `4 scale (t + bias / 2)`. A value whose variance
    is V is thus given the scale `V / (4 value)`, whatever its own size. Where t = 0 is not
    excluded, the lower end lies below zero by what is missing to the tail, and no t is missed
    above: at t = 0 the interval holds it in 97.5 % of all cases and not in 95.

    Args:
        value: a squared distance, at least 0.
        bias: its mean where both laws are equal; 0 if it is negative.
        scale: variance of each of the noises whose squares add up.
        level: coverage.

    Example:
        >>> from math import sqrt
        >>> low, high = quadratic_interval(9.0, 1.0, 1.0)  # z = 3, as good as normal: (3 - 1.96)^2, (3 + 1.96)^2
        >>> round(sqrt(low), 2), round(sqrt(high), 2)
        (1.04, 4.96)
    """
    bias = max(bias, 0.0)
    if scale <= 0.0 or value <= 0.0:
        return value - bias, max(value - bias, 0.0)
    tail, times, freedom = (1.0 - level) / 2.0, value / scale, max(bias / scale, 1e-9)
    if times > MANY:
        reach = normal_quantile(level) * math.sqrt(
            4.0 * scale * max(value - bias / 2.0, bias / 2.0)
        )
        return value - bias - reach, value - bias + reach
    if special.chndtr(times, freedom, 0.0) > 1.0 - tail:
        low = scale * float(special.chndtrinc(times, freedom, 1.0 - tail))
    else:
        low = value - scale * float(stats.chi2.ppf(1.0 - tail, freedom))
    high = scale * float(special.chndtrinc(times, freedom, tail))
    return min(low, value - bias), max(high, value - bias, 0.0)


def root_interval(
    distance: float, bias: float, scale: float, level: float = LEVEL
) -> tuple[float, float]:
    """Return an interval of the mean of a distance whose square is `quadratic_interval`'s variable.

    Of the gamma law with the square's mean M and variance V and with `nu = 2 M^2 / V`, the root has
    the mean `sqrt(2 M / nu) Gamma((nu + 1) / 2) / Gamma(nu / 2)`, which grows with M.

    Args:
        distance: at least 0.
        bias: mean of its square where both laws are equal; 0 if it is negative.
        scale: variance of the distance, away from zero.
        level: coverage.

    Example:
        >>> low, high = root_interval(3.0, 1.0, 1.0)
        >>> round(low, 2), round(high, 2)
        (1.22, 4.96)
    """
    bias = max(bias, 0.0)
    ends = quadratic_interval(distance**2, bias, scale, level)
    return _mean_root(ends[0], bias, scale), _mean_root(ends[1], bias, scale)


def _mean_root(t: float, bias: float, scale: float) -> float:
    beyond = max(t, 0.0)
    mean, variance = bias + beyond, 4.0 * scale * (beyond + bias / 2.0)
    if mean <= 0.0 or variance <= 0.0:
        return math.sqrt(max(mean + t - beyond, 0.0))
    half = mean**2 / variance
    root = math.sqrt(mean / half) * float(special.poch(half, 0.5))
    # below what equal laws give, the square goes on as its interval does
    return math.sqrt(max(root**2 + t - beyond, 0.0))
