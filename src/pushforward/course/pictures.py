"""Pictures for the course: the report's charts as notebook objects, and explorable ones with a slider.

Two ideas: a picture carries its own style, so that it looks the same in a notebook and on a page; an explorable one shows all its
frames until a script, where scripts run, puts a slider in their place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

import numpy as np
import torch

from pushforward.report.charts import Line, Mark, line_chart, scatter_chart
from pushforward.report.sheets import limits, picture, scatter_sheet

STYLE = f"<style>{resources.files('pushforward.course').joinpath('picture.css').read_text()}</style>"
SCRIPT = """<script>(() => {
  const box = document.getElementById("%s"); if (!box) return;
  const frames = box.querySelectorAll("figure"), slider = box.querySelector("input");
  const show = () => frames.forEach((f, i) => f.classList.toggle("now", i == slider.value));
  slider.addEventListener("input", show); box.classList.add("live"); show();
})()</script>"""


@dataclass(frozen=True)
class Picture:
    """HTML that a notebook shows, with the sentence that says what it shows."""

    html: str
    says: str

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="pf">{self.html}</div>'

    def __repr__(self) -> str:
        return f"[picture: {self.says}]"


@dataclass(frozen=True)
class Explorable:
    """Pictures of one thing at several settings, under a slider; all of them side by side where no script runs."""

    name: str
    frames: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        figures = "".join(
            f"<figure>{html}<figcaption>{escape(self.name)} = {escape(value)}</figcaption></figure>"
            for value, html in self.frames
        )
        key = "pf" + hashlib.sha256(figures.encode()).hexdigest()[:12]
        slider = (
            f'<label class="slider">{escape(self.name)} <input type="range" min="0" max="{len(self.frames) - 1}" value="0" '
            f'aria-label="{escape(self.name)}"></label>'
        )
        return f'{STYLE}<div class="pf" id="{key}">{slider}<div class="frames">{figures}</div></div>{SCRIPT % key}'

    def __repr__(self) -> str:
        return f"[explorable picture: {self.name} = {', '.join(value for value, _ in self.frames)}]"


def curve(x: Any, lines: Mapping[str, Any], x_label: str, says: str, log_x: bool = False, log_y: bool = False) -> str:
    """Return lines over x as an SVG; every line is named at its end.

    Example:
        >>> curve([0, 1], {"a": [1.0, 2.0]}, "x", "a line").startswith("<svg")
        True
    """
    drawn = [Line(_numbers(x), _numbers(y), name, i % 7) for i, (name, y) in enumerate(lines.items())]
    return str(line_chart(drawn, x_label, says, log_x=log_x, log_y=log_y))


def cloud(points: Any, real: Any | None = None, says: str = "points", colour: int = 0) -> str:
    """Return points of the plane as an SVG, over real ones in grey if these are given."""
    mine = np.asarray(_array(points))
    behind = mine if real is None else np.asarray(_array(real))
    across, up = limits([behind])[:2]
    return str(scatter_sheet(mine, (across, up), says, behind=None if real is None else behind, colour=colour))


def marks(places: Mapping[str, tuple[float, float]], x_label: str, y_label: str, says: str) -> str:
    """Return named points, each at (x, y)."""
    found = [Mark(x, y, name, colour=i % 7) for i, (name, (x, y)) in enumerate(places.items())]
    return str(scatter_chart(found, x_label, y_label, says))


def images(pixels: Any, columns: int = 8, levels: int = 256, says: str = "pictures") -> str:
    """Return pictures (n, channels, height, width) in a grid, row by row."""
    array = np.asarray(_array(pixels))
    rows = -(-len(array) // columns)
    places = np.full(rows * columns, -1)
    places[: len(array)] = np.arange(len(array))
    return str(picture(array, places.reshape(rows, columns), levels, says))


def show(*parts: str, says: str = "") -> Picture:
    """Return pictures one below the other, for the last line of a cell."""
    return Picture("".join(parts), says or "a picture")


def explore(name: str, frames: Mapping[Any, str]) -> Explorable:
    """Return one picture for each setting of `name`, under a slider.

    Example:
        >>> explore("noise level", {0.1: "<svg/>", 1.0: "<svg/>"})
        [explorable picture: noise level = 0.1, 1]
    """
    return Explorable(
        name, tuple((f"{value:g}" if isinstance(value, float) else str(value), svg) for value, svg in frames.items())
    )


def _array(values: Any) -> Any:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values


def _numbers(values: Any) -> Sequence[float]:
    return [float(v) for v in np.asarray(_array(values)).ravel()]
