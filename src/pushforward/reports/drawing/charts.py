"""Line and scatter charts as SVG strings.

Three ideas: a chart is a pure function of its series, so equal inputs give equal bytes; things are
labelled where they are drawn, not in a legend; colour comes from CSS classes `c0` to `c7`, so that
one drawing serves light, dark and print.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from pushforward.reports.drawing.axes import AxisScale, finite, path, spanning, tag, tick_label

WIDTH, HEIGHT = 360.0, 220.0
LETTER = 6.4  # width of a letter of a label, a little generous
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 10.0, 34.0


@dataclass(frozen=True)
class Line:
    """A series of equal lengths (points with None or NaN are left out), its label, colour class and
    whether it is dashed.

    `reach` is the half-width of a band around y, empty for none.
    """

    x: Sequence[float | int | None]
    y: Sequence[float | int | None]
    label: str
    colour: int = 0
    dashed: bool = False
    reach: Sequence[float] = ()


@dataclass(frozen=True)
class Mark:
    """A point with an optional vertical interval, its label, its colour class, and whether it is
    only a ring."""

    x: float | None
    y: float | None
    label: str
    low: float | None = None
    high: float | None = None
    colour: int = 0
    hollow: bool = False


def line_chart(
    lines: Sequence[Line],
    x_label: str,
    describe: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    named_first: bool = False,
) -> Markup:
    """Return a line chart; each line is labelled at its end, right of the frame, or at its first
    point, left of all lines.

    The frame holds the values after the first two hundredths of each line, so that one huge first
    loss does not flatten the rest; what lies outside is cut at the frame.

    Args:
        describe: the sentence a screen reader says.
        named_first: for lines that begin apart and end together.
    """
    lines = [replace(line, label=shortened(line.label)) for line in lines if _known(line)]
    room = RIGHT + LETTER * max([len(line.label) for line in lines], default=0)
    left, right = (LEFT + room, WIDTH - RIGHT) if named_first else (LEFT, WIDTH - room)
    x = spanning([v for line in lines for v in line.x], left, right, log=log_x, pad=0.0)
    y = spanning([v for line in lines for v in _settled(line.y)], HEIGHT - BOTTOM, TOP, log=log_y)
    drawn = [
        tag("path", d=_band(line, x, y), class_=f"band c{line.colour}")
        for line in lines
        if line.reach
    ]
    drawn += [
        tag(
            "path",
            d=path(_pixels(line, x, y)),
            class_=f"line c{line.colour}{' dashed' if line.dashed else ''}",
        )
        for line in lines
        if len(_known(line)) > 1
    ]
    named = [(line, _known(line)[0 if named_first else -1]) for line in lines]
    dots = [
        tag("circle", cx=x(px), cy=y.clip(py), r=2.6, class_=f"dot c{line.colour}")
        for line, (px, py) in named
    ]
    at, anchor = (left - 6, {"text_anchor": "end"}) if named_first else (right + 6, {})
    labels = [
        tag("text", line.label, x=at, y=place + 4.0, class_="label", **anchor)
        for place, (line, _) in zip(
            spread([y.clip(py) for _, (_, py) in named], 13.0, TOP, HEIGHT - BOTTOM), named
        )
    ]
    empty = [] if lines else [_nothing()]
    return _frame([*_axes(x, y, x_label, right), *drawn, *dots, *labels, *empty], describe)


def scatter_chart(
    marks: Sequence[Mark],
    x_label: str,
    y_label: str,
    describe: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    level: tuple[float, str] | None = None,
    steps: Sequence[tuple[float, float]] = (),
) -> Markup:
    """Return points with vertical 95 % intervals and their names.

    Args:
        level: a dashed horizontal line and its name.
        steps: points that a staircase joins, from left to right and on to the frame.
    """
    marks = [m for m in marks if _drawable(m.x, log_x) and _drawable(m.y, log_y)]
    if level is not None and not _drawable(level[0], log_y):
        level = None
    reach = [v for m in marks for v in (m.y, m.low, m.high)] + ([level[0]] if level else [])
    x = spanning([m.x for m in marks], LEFT, WIDTH - RIGHT, log=log_x, pad=0.14)
    y = spanning(reach, HEIGHT - BOTTOM, TOP + 16, log=log_y, pad=0.1)
    parts = _axes(x, y, x_label, WIDTH - RIGHT)
    parts.append(tag("text", y_label, x=4.0, y=TOP + 2, class_="axis"))
    if level is not None:
        at = y(level[0])
        parts.append(tag("path", d=path([(LEFT, at), (WIDTH - RIGHT, at)]), class_="line level"))
        parts.append(_level_name(level[1], at, marks, x, y))
    if len(steps) > 1:
        parts.append(tag("path", d=path(_stairs(steps, x, y)), class_="line level stairs"))
    for m in marks:
        assert m.x is not None
        assert m.y is not None
        if m.low is not None and m.high is not None and math.isfinite(m.low + m.high):
            low, high = (y.low if log_y and m.low <= 0 else m.low), m.high
            parts.append(
                tag(
                    "path",
                    d=path([(x(m.x), y.clip(low)), (x(m.x), y.clip(high))]),
                    class_=f"whisker c{m.colour}",
                )
            )
        parts.append(
            tag(
                "circle",
                cx=x(m.x),
                cy=y(m.y),
                r=4.5,
                class_=f"dot c{m.colour}{' ring' if m.hollow else ''}",
            )
        )
    parts += _names(marks, x, y)
    return _frame(parts if marks else [*parts, _nothing()], describe)


def shortened(label: str, most: int = 16) -> str:
    """Return a label that leaves room for the line it names: cut at a word, marked by an ellipsis.

    Example:
        >>> shortened("generator"), shortened("generator's game loss (no measure)")
        ('generator', "generator's…")
    """
    if len(label) <= most:
        return label
    cut = label[: most - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "\N{HORIZONTAL ELLIPSIS}"


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return the places moved apart to at least `gap`, in their order, within `[low, high]` where
    there is room.

    Example:
        >>> spread([10.0, 11.0, 50.0], 12.0, 0.0, 100.0)
        [10.0, 22.0, 50.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, i in zip([None, *order], order):
        moved[i] = max(places[i], low) if before is None else max(places[i], moved[before] + gap)
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def thinned(values: Sequence[float | int | None], most: int = 240) -> list[float | None]:
    """Return at most `most` means over consecutive values; a block without a finite value is a gap.

    Example:
        >>> thinned([1.0, 3.0, None, 5.0], most=2)
        [2.0, 5.0]
    """
    size = max(1, math.ceil(len(values) / most))
    blocks = [finite(values[i : i + size]) for i in range(0, len(values), size)]
    return [sum(block) / len(block) if block else None for block in blocks]


def _settled(values: Sequence[float | int | None]) -> list[float | int | None]:
    skip = math.ceil(len(values) * 0.02) if len(values) >= 10 else 0
    return list(values[skip:])


def _pixels(line: Line, x: AxisScale, y: AxisScale) -> list[tuple[float, float]]:
    return [(x(a), y.clip(b)) for a, b in _known(line)]


def _band(line: Line, x: AxisScale, y: AxisScale) -> str:
    found = [
        (float(a), float(b), float(r))
        for a, b, r in zip(line.x, line.y, line.reach)
        if a is not None and b is not None and math.isfinite(a + b + r)
    ]
    above = [(x(a), y.clip(b + r)) for a, b, r in found]
    return (
        path(above + [(x(a), y.clip(b - r)) for a, b, r in reversed(found)]) + "Z" if found else ""
    )


def _known(line: Line) -> list[tuple[float, float]]:
    # a missing value between two logged ones is not a gap in the curve: held-out values are logged
    # less often
    pairs = zip(line.x, line.y)
    return [
        (float(a), float(b))
        for a, b in pairs
        if a is not None and b is not None and math.isfinite(a + b)
    ]


def _axes(x: AxisScale, y: AxisScale, x_label: str, right: float) -> list[Markup]:
    parts = []
    for value in y.ticks(5):
        at = y(value)
        parts.append(tag("path", d=path([(LEFT, at), (right, at)]), class_="grid"))
        parts.append(
            tag("text", tick_label(value), x=LEFT - 6, y=at + 3.5, class_="tick", text_anchor="end")
        )
    floor = HEIGHT - BOTTOM
    parts.append(tag("path", d=path([(LEFT, floor), (right, floor)]), class_="base"))
    for value in x.ticks(5):
        at = x(value)
        parts.append(tag("path", d=path([(at, floor), (at, floor + 4)]), class_="base"))
        parts.append(
            tag("text", tick_label(value), x=at, y=floor + 15, class_="tick", text_anchor="middle")
        )
    parts.append(tag("text", x_label, x=right, y=HEIGHT - 4, class_="axis", text_anchor="end"))
    return parts


def _stairs(
    steps: Sequence[tuple[float, float]], x: AxisScale, y: AxisScale
) -> list[tuple[float, float]]:
    """Return the corners of a staircase: right along the height of each point as far as the next,
    then to its height."""
    places = [(x(a), y.clip(b)) for a, b in sorted(steps)]
    corners = [places[0]]
    for (_, before), (at, height) in itertools.pairwise(places):
        corners += [(at, before), (at, height)]
    return [*corners, (WIDTH - RIGHT, places[-1][1])]


def _level_name(name: str, at: float, marks: Sequence[Mark], x: AxisScale, y: AxisScale) -> Markup:
    """Name a level below or above its line, at the right or the left end: where no point and no name
    of one is, as far as that can be had."""
    length, taken = LETTER * len(name), []
    for m in marks:
        here, own = x(m.x or 0.0), 8.0 + LETTER * len(m.label)
        span = (here - own, here + 5.0) if _to_the_left(m, x) else (here - 5.0, here + own)
        taken.append((*span, y(m.y or 0.0)))
    ends = (("end", WIDTH - RIGHT - length, WIDTH - RIGHT), ("start", LEFT, LEFT + length))
    places = [(end, low, high, at + off) for end, low, high in ends for off in (12.0, -5.0)]

    def crossed(place: tuple[str, float, float, float]) -> int:
        _, low, high, base = place
        return sum(a < high and b > low and abs(base - 4.0 - v) < 12.0 for a, b, v in taken)

    end, low, high, base = min(places, key=crossed)
    edge = high if end == "end" else low
    return tag("text", name, x=edge, y=base, class_="axis", text_anchor=end)


def _to_the_left(m: Mark, x: AxisScale) -> bool:
    """Return whether the name of a point stands to its left, because the frame ends."""
    return x(m.x or 0.0) > WIDTH - RIGHT - 12 - LETTER * len(m.label)


def _names(marks: Sequence[Mark], x: AxisScale, y: AxisScale) -> list[Markup]:
    """Name each point to its right, or its left where the frame ends, moved apart from the names
    beside it."""
    sides: dict[str, list[Mark]] = {"start": [], "end": []}
    for m in marks:
        sides["end" if _to_the_left(m, x) else "start"].append(m)
    parts = []
    for anchor, group in sides.items():
        places = spread([y(m.y or 0.0) for m in group], 13.0, TOP + 20, HEIGHT - BOTTOM - 4)
        for m, place in zip(group, places):
            shift = 8.0 if anchor == "start" else -8.0
            parts.append(
                tag(
                    "text",
                    m.label,
                    x=x(m.x or 0.0) + shift,
                    y=place + 4,
                    class_="label",
                    text_anchor=anchor,
                )
            )
    return parts


def _drawable(value: float | None, log: bool) -> bool:
    return value is not None and math.isfinite(value) and (not log or value > 0)


def _nothing() -> Markup:
    return tag(
        "text", "nothing to draw", x=WIDTH / 2, y=HEIGHT / 2, class_="axis", text_anchor="middle"
    )


def _frame(parts: Sequence[Markup], describe: str) -> Markup:
    view = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return tag(
        "svg", Markup("").join(parts), viewBox=view, role="img", class_="chart", aria_label=describe
    )
