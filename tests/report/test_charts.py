"""A known value lands on the known pixel; nothing to draw is drawn as nothing."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pushforward.reports.drawing.axes import AxisScale, linear_ticks, log_ticks, spanning
from pushforward.reports.drawing.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    Mark,
    line_chart,
    scatter_chart,
    spread,
    thinned,
)
from pushforward.reports.page.score_table import bar, position
from scored import called


def elements(svg: str, name: str, class_: str = "") -> list[ET.Element]:
    return [
        e
        for e in ET.fromstring(svg).iter(name)
        if class_ in e.get("class", "").split() or not class_
    ]


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.?\d*", text)]


def test_a_line_ends_at_its_value_s_pixels() -> None:
    svg = line_chart([Line([0.0, 5.0, 10.0], [0.0, 2.0, 10.0], "a")], "seconds", "a line")
    (drawn,) = elements(svg, "path", "line")
    x0, y0, x1, y1, x2, y2 = numbers(drawn.get("d", ""))
    right = WIDTH - RIGHT - 6.4
    assert (x0, x2) == pytest.approx((LEFT, right), abs=0.01)
    assert x1 == pytest.approx((LEFT + right) / 2, abs=0.01)
    # the frame is padded by 6 % of the range at both ends: pixel of v is bottom - (v + 0.6) / 11.2 of the height
    height = HEIGHT - BOTTOM - TOP
    for v, y in ((0.0, y0), (2.0, y1), (10.0, y2)):
        assert y == pytest.approx(HEIGHT - BOTTOM - height * (v + 0.6) / 11.2, abs=0.01)


def test_a_point_on_a_logarithmic_axis_is_halfway_between_its_square_s_ends() -> None:
    marks = [Mark(x, 1.0, name) for x, name in ((0.01, "a"), (1.0, "b"), (100.0, "c"))]
    dots = elements(scatter_chart(marks, "s", "d", "three", log_x=True), "circle")
    a, b, c = (float(dot.get("cx", "nan")) for dot in dots)
    assert b == pytest.approx((a + c) / 2, abs=0.01)
    assert c - a == pytest.approx(
        (WIDTH - RIGHT - LEFT) / 1.28, abs=0.02
    )  # padded by 14 % at both ends


def test_whiskers_span_the_interval() -> None:
    svg = scatter_chart([Mark(1.0, 2.0, "a", 1.0, 4.0), Mark(2.0, 2.0, "b")], "s", "d", "two")
    (whisker,) = elements(svg, "path", "whisker")
    _, low, _, high = numbers(whisker.get("d", ""))
    middle = float(elements(svg, "circle")[0].get("cy", "nan"))
    assert (low - middle) / (low - high) == pytest.approx(1 / 3, abs=1e-3)


def test_stairs_go_along_the_height_of_what_is_cheaper() -> None:
    marks = [Mark(3.0, 1.0, "c"), Mark(1.0, 4.0, "a"), Mark(2.0, 9.0, "b", hollow=True)]
    svg = scatter_chart(marks, "s", "d", "three", steps=[(3.0, 1.0), (1.0, 4.0)])
    (drawn,) = elements(svg, "path", "stairs")
    c, a, b = [
        (float(dot.get("cx", "nan")), float(dot.get("cy", "nan")))
        for dot in elements(svg, "circle")
    ]
    expected = [*a, c[0], a[1], *c, WIDTH - RIGHT, c[1]]
    assert numbers(drawn.get("d", "")) == pytest.approx(expected, abs=0.01)
    assert [dot.get("class", "").split()[-1] == "ring" for dot in elements(svg, "circle")] == [
        False,
        False,
        True,
    ]
    assert not elements(scatter_chart(marks, "s", "d", "one", steps=[(1.0, 4.0)]), "path", "stairs")
    assert b[0] == pytest.approx((a[0] + c[0]) / 2, abs=0.01)


@pytest.mark.parametrize(
    "values", [[], [math.nan, None], [3.0], [2.0, 2.0], [math.inf, 1.0], [1e-9, 1e9]]
)
def test_line_charts_survive_anything(values: list[float | None]) -> None:
    svg = line_chart([Line(list(range(len(values))), values, "<a&b>")], "x", "<said>")
    coordinates = [n for e in elements(svg, "path") for n in numbers(e.get("d", ""))]
    assert all(-1 <= n <= WIDTH + 1 for n in coordinates)
    assert "nan" not in svg
    assert "<a&b>" not in svg


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("y", [0.0, -1.0, math.nan, None, 1e-300])
def test_scatter_charts_survive_anything(y: float | None, log: bool) -> None:
    svg = scatter_chart(
        [Mark(0.0, y, "a", y, y), Mark(1.0, 1.0, "b")],
        "x",
        "y",
        "s",
        log_x=log,
        log_y=log,
        level=(0.0, "l"),
    )
    assert "nan" not in svg
    assert elements(svg, "circle")


def test_empty_charts_say_so() -> None:
    assert "nothing to draw" in line_chart([], "x", "s")
    assert "nothing to draw" in scatter_chart([], "x", "y", "s")


def test_one_huge_first_loss_does_not_flatten_the_rest() -> None:
    losses = [1e6] + [2.0 - i / 100 for i in range(99)]
    (drawn,) = elements(line_chart([Line(list(range(100)), losses, "")], "x", "s"), "path", "line")
    ys = numbers(drawn.get("d", ""))[1::2]
    assert min(ys) == pytest.approx(TOP, abs=0.01)
    assert max(ys) - ys[2] > 0.8 * (HEIGHT - TOP - BOTTOM)


def test_equal_inputs_give_equal_bytes() -> None:
    lines = [Line([0.0, 1.0], [1.0, 2.0], "a")]
    assert line_chart(lines, "x", "s") == line_chart(lines, "x", "s")


def test_ticks_are_round_inside_and_few() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = float(rng.normal() * 10 ** rng.uniform(-6, 6))
        high = low + float(10 ** rng.uniform(-3, 6))
        ticks = linear_ticks(low, high)
        assert 2 <= len(ticks) <= 5
        assert all(low - 1e-6 * (high - low) <= t <= high + 1e-6 * (high - low) for t in ticks)
        start = float(10 ** rng.uniform(-6, 6))
        stop = start * float(10 ** rng.uniform(0.4, 8))
        found = log_ticks(start, stop)
        assert len(found) <= 5
        assert all(start <= t <= stop for t in found)


def test_spread_keeps_order_gap_and_frame() -> None:
    places = spread([50.0, 49.0, 99.0, 98.0], 10.0, 0.0, 100.0)
    assert sorted(places) == [places[1], places[0], places[3], places[2]]
    assert min(np.diff(sorted(places))) >= 10.0 - 1e-9
    assert max(places) <= 100.0


def test_scales_are_padded_and_safe() -> None:
    assert spanning([], 0.0, 1.0) == AxisScale(-0.06, 1.06, 0.0, 1.0)
    assert spanning([5.0, -1.0, 500.0], 0.0, 1.0, log=True, pad=0.0).low == 5.0
    assert spanning([0.0, 10.0], 0.0, 100.0, pad=0.0).clip(99.0) == 100.0


def test_thinned_means_are_the_means() -> None:
    values = list(np.arange(1000.0))
    assert thinned(values, most=100) == [
        float(np.mean(values[i : i + 10])) for i in range(0, 1000, 10)
    ]


def test_the_scorecard_s_bar_runs_from_floor_to_ceiling() -> None:
    score = called("d", 2.5, n=9, better="lower", low=0.0, high=5.0)
    (dot,) = elements(bar(score, 10.0, 0.0), "circle")
    assert float(dot.get("cx", "nan")) == pytest.approx(4 + 0.75 * 80)
    (reach,) = elements(bar(score, 10.0, 0.0), "path", "reach")
    assert numbers(reach.get("d", ""))[::2] == pytest.approx([4 + 80, 4 + 40])
    assert position(99.0, floor=10.0, ceiling=0.0) == 0.0
    assert math.isnan(position(1.0, floor=2.0, ceiling=2.0))
    assert bar(score, None, 0.0) == ""


def test_lines_are_named_where_they_lie_apart() -> None:
    """Two lines that begin apart and end together: named first, their labels stand left of both, in the order they begin in."""
    lines = [Line([4, 64], [3.0, 2.0], "low", 0), Line([4, 64], [80.0, 2.0], "high", 1)]
    svg = str(line_chart(lines, "calls", "d", log_x=True, log_y=True, named_first=True))
    labels = re.findall(r"<text[^>]*>(?:low|high)</text>", svg)
    place = {
        name: [
            float(v) for v in re.search(rf'x="([\d.]+)" y="([\d.]+)"[^>]*>{name}<', svg).groups()
        ]
        for name in ("low", "high")
    }  # type: ignore[union-attr]
    starts = [float(v) for v in re.findall(r'd="M([\d.]+)[ ,][\d.]+[^"]*" class="line', svg)]
    assert len(labels) == 2
    assert place["high"][1] < place["low"][1]
    assert all(x < min(starts) for x, _ in place.values())
    assert all('text-anchor="end"' in label for label in labels)


@pytest.mark.parametrize(
    ("at", "anchor", "above"),
    [
        ([(2.0, 5.0)], "end", False),  # nothing near the right end of the line
        ([(0.1, 0.85), (9.9, 0.85)], "end", True),  # points just below it at both ends
        (
            [(0.1, 5.0), (9.9, 0.85), (9.0, 1.15)],
            "start",
            False,
        ),  # points on both sides of its right end
    ],
)
def test_the_name_of_a_level_stands_where_no_point_is(
    at: list[tuple[float, float]], anchor: str, above: bool
) -> None:
    marks = [Mark(x, y, "m" * 9, colour=i) for i, (x, y) in enumerate([*at, (5.0, 3.0)])]
    drawn = str(scatter_chart(marks, "x", "y", "d", level=(1.0, "real vs real")))
    line = float(re.search(r'd="M[\d.]+,?\s?([\d.]+)[^"]*" class="line level"', drawn)[1])
    found = re.search(r"<text([^>]*)>real vs real", drawn)[1]
    assert f'text-anchor="{anchor}"' in found
    assert (float(re.search(r' y="([\d.]+)"', found)[1]) < line) == above
