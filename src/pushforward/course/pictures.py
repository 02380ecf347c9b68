"""Pictures for the course: the report's charts as notebook objects, and explorable ones with a
slider.

Two ideas: a picture carries its own style and its caption, so that it looks the same in a notebook
and on a page; an explorable one shows all its frames until a script, where scripts run, puts a
slider in their place.
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

from pushforward.core.errors import BadInput
from pushforward.reports.drawing.charts import Line, Mark, line_chart, scatter_chart
from pushforward.reports.drawing.sheets import limits, picture, scatter_sheet

STYLE = (
    f"<style>{resources.files('pushforward.course').joinpath('picture.css').read_text()}</style>"
)
SCRIPT = """<script>(() => {
  const box = document.getElementById("%s"); if (!box) return;
  const frames = box.querySelectorAll(".view"), slider = box.querySelector("input");
  const show = () => frames.forEach((f, i) => f.classList.toggle("now", i == slider.value));
  slider.addEventListener("input", show); box.classList.add("live"); show();
})()</script>"""


@dataclass(frozen=True)
class CoursePicture:
    """HTML that a notebook shows, with the sentence that says what it shows."""

    html: str
    says: str

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="pf">{self.html}</div>'

    def __repr__(self) -> str:
        return f"[picture: {self.says}]"


@dataclass(frozen=True)
class Explorable:
    """Pictures of one thing at several settings, under a slider; all of them side by side where no
    script runs.

    Attributes:
        name: what is set.
        frames: value and picture of every setting.
        start: place of the setting that is shown first.
    """

    name: str
    frames: tuple[tuple[str, str], ...]
    start: int = 0

    def _repr_html_(self) -> str:
        figures = "".join(
            f'<div class="view">{html}<p class="setting">{escape(self.name)} = {escape(value)}</p></div>'
            for value, html in self.frames
        )
        key = "pf" + hashlib.sha256(figures.encode()).hexdigest()[:12]
        slider = (
            f'<label class="slider">{escape(self.name)} <input type="range" min="0" max="{len(self.frames) - 1}" '
            f'value="{self.start}" aria-label="{escape(self.name)}"></label>'
        )
        return f'{STYLE}<div class="pf" id="{key}">{slider}<div class="frames">{figures}</div></div>{SCRIPT % key}'

    def __repr__(self) -> str:
        return f"[explorable picture: {self.name} = {', '.join(value for value, _ in self.frames)}]"


def curve(
    x: Any,
    lines: Mapping[str, Any],
    x_label: str,
    says: str,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """Return lines over x as a figure; every line is named at its end, and `says` is the caption.

    Example:
        >>> curve([0, 1], {"a": [1.0, 2.0]}, "x", "a line").endswith("<figcaption>a line</figcaption></figure>")
        True
    """
    drawn = [
        Line(_numbers(x), _numbers(y), name, i % 7) for i, (name, y) in enumerate(lines.items())
    ]
    return _figure(line_chart(drawn, x_label, says, log_x=log_x, log_y=log_y), says)


def cloud(points: Any, real: Any | None = None, says: str = "points", colour: int = 0) -> str:
    """Return points of the plane as a figure, over real ones in grey if these are given."""
    mine = np.asarray(_array(points))
    behind = mine if real is None else np.asarray(_array(real))
    across, up = limits([behind])[:2]
    sheet = scatter_sheet(
        mine, (across, up), says, behind=None if real is None else behind, colour=colour
    )
    return _figure(sheet, says, "points")


def marks(places: Mapping[str, tuple[float, float]], x_label: str, y_label: str, says: str) -> str:
    """Return named points, each at (x, y)."""
    found = [Mark(x, y, name, colour=i % 7) for i, (name, (x, y)) in enumerate(places.items())]
    return _figure(scatter_chart(found, x_label, y_label, says), says)


def images(pixels: Any, columns: int = 8, levels: int = 256, says: str = "pictures") -> str:
    """Return pictures (n, channels, height, width) in a grid, row by row."""
    array = np.asarray(_array(pixels))
    rows = -(-len(array) // columns)
    places = np.full(rows * columns, -1)
    places[: len(array)] = np.arange(len(array))
    return _figure(picture(array, places.reshape(rows, columns), levels, says), says)


def show(*parts: str, says: str = "") -> CoursePicture:
    """Return pictures one below the other, for the last line of a cell."""
    return CoursePicture("".join(parts), says or "a picture")


def explore(name: str, frames: Mapping[Any, str], start: Any = None) -> Explorable:
    """Return one picture for each setting of `name`, under a slider that begins at `start`.

    Args:
        start: one of the settings, the one that says most; None for the one in the middle.

    Raises:
        BadInput: `start` is none of the settings.

    Example:
        >>> explore("noise level", {0.1: "<svg/>", 1.0: "<svg/>"}, start=0.1)
        [explorable picture: noise level = 0.1, 1]
    """
    settings = list(frames)
    if start is not None and start not in settings:
        raise BadInput(
            f"start = {start}",
            f"one of {', '.join(map(str, settings))}",
            "name a setting that has a picture",
        )
    return Explorable(
        name,
        tuple(
            (f"{value:g}" if isinstance(value, float) else str(value), svg)
            for value, svg in frames.items()
        ),
        len(settings) // 2 if start is None else settings.index(start),
    )


def _figure(drawn: str, says: str, kind: str = "") -> str:
    return f"<figure{kind and f' class={kind}'}>{drawn}<figcaption>{escape(says, quote=False)}</figcaption></figure>"


def _array(values: Any) -> Any:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values


def _numbers(values: Any) -> Sequence[float]:
    return [float(v) for v in np.asarray(_array(values)).ravel()]
