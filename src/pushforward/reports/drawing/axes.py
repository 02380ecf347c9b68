"""From data to pixels: scales, ticks and SVG elements.

Three ideas: a scale is a frozen value that maps a number to a pixel; ticks are round numbers; every
string that enters an SVG passes through one escaping function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from pushforward.reports.numbers import number


@dataclass(frozen=True)
class AxisScale:
    """A linear or logarithmic map from `[low, high]` to the pixels `[start, stop]`.

    Equation: `pixel = start + (stop - start) (f(v) - f(low)) / (f(high) - f(low))`, f the identity
    or the logarithm.

    Example:
        >>> AxisScale(0.0, 10.0, 0.0, 200.0)(2.5), AxisScale(1.0, 100.0, 0.0, 200.0, log=True)(10.0)
        (50.0, 100.0)
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of `value`."""
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + (self.stop - self.start) * part

    def clip(self, value: float) -> float:
        """Return the pixel of `value` moved into the frame."""
        return self(min(max(value, self.low), self.high))

    def ticks(self, most: int = 5) -> list[float]:
        """Return at most `most` round values inside the scale."""
        return (
            log_ticks(self.low, self.high, most)
            if self.log
            else linear_ticks(self.low, self.high, most)
        )


def finite(values: Iterable[float | int | None]) -> list[float]:
    """Return the values that can be drawn."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]


def spanning(
    values: Iterable[float | int | None],
    start: float,
    stop: float,
    *,
    log: bool = False,
    pad: float = 0.06,
) -> AxisScale:
    """Return a scale over the finite `values` (the positive ones if logarithmic), padded; safe for
    none, one or equal values.

    Example:
        >>> spanning([2.0], 0.0, 100.0)(2.0)
        50.0
    """
    found = [v for v in finite(values) if not log or v > 0]
    low, high = (min(found), max(found)) if found else (1.0, 10.0) if log else (0.0, 1.0)
    if log:
        if high / low < 1.5:
            low, high = low / 2, high * 2
        factor = (high / low) ** pad
        return AxisScale(low / factor, high * factor, start, stop, log=True)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        half = 0.5 * abs(high) or 0.5
        low, high = low - half, high + half
    margin = (high - low) * pad
    return AxisScale(low - margin, high + margin, start, stop)


def linear_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten inside `[low, high]`.

    Example:
        >>> linear_ticks(0.0, 1.0), linear_ticks(-3.2, 11.0, 4)
        ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 5.0, 10.0])
    """
    span = high - low
    power = math.floor(math.log10(span / most))
    for exponent in (power, power + 1, power + 2):
        for base in (1.0, 2.0, 2.5, 5.0):
            step = base * 10.0**exponent
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]
    return [low, high]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return powers of ten inside `[low, high]`, with 2 and 5 in between where there is room.

    Example:
        >>> log_ticks(0.5, 2000.0), log_ticks(1.5, 30.0)
        ([1.0, 10.0, 100.0, 1000.0], [2.0, 5.0, 10.0, 20.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for bases in ((1, 2, 5), (1, 3), (1,)):
        found = [
            b * 10.0**e for e in range(first, last + 1) for b in bases if low <= b * 10.0**e <= high
        ]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def tick_label(value: float) -> str:
    """Return a short label.

    Example:
        >>> tick_label(0.25), tick_label(20000.0), tick_label(0.0), tick_label(0.001)
        ('0.25', '20k', '0', '0.001')
    """
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return (
            f"{value:.2g}".replace("e+0", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
        )
    if size >= 1e4:
        return f"{value / 1000:g}k".replace("-", "\N{MINUS SIGN}")
    return (
        number(value, 0) if value == round(value) else f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
    )


def tag(
    element: str, content: Markup | str = "", /, **attributes: str | float | int | None
) -> Markup:
    """Return one SVG element; `_` in an attribute becomes `-`, `class_` is `class`, floats are
    rounded to 0.01 pixels.

    Example:
        >>> tag("text", "<b>", x=1.0, text_anchor="end")
        Markup('<text x="1" text-anchor="end">&lt;b&gt;</text>')
    """
    parts = [element]
    for name, value in attributes.items():
        if value is None:
            continue
        text = pixel(value) if isinstance(value, float) else escape(str(value))
        parts.append(f'{name.rstrip("_").replace("_", "-")}="{text}"')
    opened = " ".join(parts)
    inner = escape(content)
    return Markup(f"<{opened}>{inner}</{element}>" if inner else f"<{opened}/>")


def pixel(value: float) -> str:
    """Return a coordinate with at most two decimals.

    Example:
        >>> pixel(3.0), pixel(1.23456), pixel(-0.001)
        ('3', '1.23', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the path through pixels.

    Example:
        >>> path([(0.0, 0.0), (1.0, 2.0)])
        'M0 0L1 2'
    """
    return "".join(f"{'L' if i else 'M'}{pixel(x)} {pixel(y)}" for i, (x, y) in enumerate(points))
