"""What a reader sees without scrolling: a sentence, real beside generated, one chart, and what to
doubt.

Three ideas: the pictures of every model are small, alike and in one row, so that only the samples
differ; the chart is quality against cost, or of one model its measures between a bad model and real
data; whatever is longer than that stands below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pushforward.reports.drawing.column_figures import (
    furthest_columns,
    histogram,
    link_map,
    links_off,
)
from pushforward.reports.drawing.sheets import (
    axis_names,
    outside,
    picture,
    plane,
    planes,
    scatter_sheet,
)
from pushforward.reports.numbers import number, seconds
from pushforward.reports.page.figures import COLOURS, colours
from pushforward.reports.page.ladder import ladder
from pushforward.reports.page.quality import quality_against_cost
from pushforward.reports.records import Comparison, Row
from pushforward.reports.verdict.doubts import doubts
from pushforward.reports.verdict.headline import percent
from pushforward.reports.verdict.sentences import verdict
from pushforward.reports.verdict.told_apart import told_apart

COLUMNS, ROWS, HISTOGRAMS, LETTERS = 5, 4, 4, 150


@dataclass(frozen=True)
class Panel:
    """Real data or one model: a name, a picture or some lines, and one line below.

    Attributes:
        title: whose examples these are.
        art: pictures, the first one large.
        lines: for text and for tables of old records, a few examples.
        under: one line in words.
    """

    title: str
    art: tuple[Markup, ...] = ()
    lines: tuple[str, ...] = ()
    under: str = ""


@dataclass(frozen=True)
class FirstScreen:
    """The parts, in the order in which they are read.

    Attributes:
        sentence: what to do.
        panels: real data, then every model; empty if nothing can be shown.
        chart: with `about`, its title and what to read in it.
        doubts: a few sentences.
    """

    sentence: str
    panels: tuple[Panel, ...]
    chart: Markup | None
    about: tuple[str, str]
    doubts: tuple[str, ...]


def first_screen(comparison: Comparison) -> FirstScreen:
    """Return the first screen of a page.

    Example:
        >>> from pushforward.reports.records import Data
        >>> data = Data("verse", "text", "texts", "bits/byte", {"test": 9}, shown=(("to be",),))
        >>> page = Comparison("A run", data, "", "cpu", 0, "today", (Row("diffusion", shown=(("or not",),)),))
        >>> [(panel.title, panel.lines) for panel in first_screen(page).panels]
        [('real', ('to be',)), ('diffusion', ('or not',))]
    """
    chart, title, says = _chart(comparison)
    return FirstScreen(
        verdict(comparison)[0].text, _panels(comparison), chart, (title, says), doubts(comparison)
    )


def _chart(comparison: Comparison) -> tuple[Markup | None, str, str]:
    priced = quality_against_cost(comparison)
    if priced:
        return priced[0].art[0], "Quality against cost", priced[0].caption
    for row in comparison.models[:1]:
        found = ladder(row, comparison.rows, colours(comparison)[row.name])
        return (
            found,
            "Between a bad model and real data",
            "each measure on its own scale; bars are 95 % intervals",
        )
    return None, "", ""


def _panels(comparison: Comparison) -> tuple[Panel, ...]:
    data, models = comparison.data, comparison.models
    if data.kind == "image":
        found = [_image(comparison, "real", data.real, data.real_labels, "")]
        found += [
            _image(comparison, row.name, row.samples, row.labels, _under(comparison, row))
            for row in models
        ]
    elif data.kind == "points":
        found = [_points(comparison, "real", data.real, "")]
        found += [
            _points(comparison, row.name, row.samples, _under(comparison, row)) for row in models
        ]
    elif data.shares is not None and data.columns:
        found = _tables(comparison)
    else:
        found = [Panel("real", (), _lines(data.shown))]
        found += [Panel(row.name, (), _lines(row.shown), _under(comparison, row)) for row in models]
    shown = [panel for panel in found if panel is not None and (panel.art or panel.lines)]
    return tuple(shown) if any(panel.title != "real" for panel in shown) else ()


def _under(comparison: Comparison, row: Row) -> str:
    """Return how often a classifier is right about a model's samples, and how long they take."""
    coin = told_apart(row, comparison.rows).classifier
    parts = ["" if coin is None else f"classifier right: {percent(coin.value)}"]
    parts.append("" if row.seconds_per_1000 is None else f"1000 in {seconds(row.seconds_per_1000)}")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _image(
    comparison: Comparison,
    title: str,
    images: np.ndarray | None,
    labels: np.ndarray | None,
    under: str,
) -> Panel | None:
    if images is None or not len(images):
        return None
    rows, columns = (
        (ROWS, COLUMNS) if images.shape[2] <= 32 else (3, 3) if images.shape[2] <= 96 else (2, 2)
    )
    cells = _spread(labels, len(images), len(comparison.data.classes), rows * columns).reshape(
        rows, columns
    )
    said = (
        f"{int((cells >= 0).sum())} {'real examples' if title == 'real' else f'samples of {title}'}"
    )
    return Panel(title, (picture(images, cells, comparison.data.levels or 256, said),), (), under)


def _spread(labels: np.ndarray | None, n: int, classes: int, many: int) -> np.ndarray:
    """Return `many` places: one of each class in turn where there are labels, else the first ones;
    -1 where there are too few.

    Example:
        >>> _spread(np.array([1, 1, 0]), 3, 2, 4).tolist()
        [2, 0, -1, 1]
    """
    found = np.full(many, -1)
    if labels is None or classes < 2:
        found[: min(n, many)] = np.arange(min(n, many))
        return found
    shown = min(classes, many)
    for place in range(many):
        members = np.flatnonzero(labels[:n] == place % shown)
        if place // shown < len(members):
            found[place] = members[place // shown]
    return found


def _points(
    comparison: Comparison, title: str, points: np.ndarray | None, under: str
) -> Panel | None:
    data = comparison.data
    if points is None or not len(points):
        return None
    behind = data.real if data.real is not None and title != "real" else None
    (i, j), axes = planes(data.real if data.real is not None else points)[0]
    heat = None
    if data.density is not None and data.extent is not None and points.shape[1] == 2:
        heat = (data.density, data.extent)
    flat = plane(points, i, j)
    said = "Real points" if title == "real" else f"Points of {title}, in front of real ones in grey"
    art = scatter_sheet(
        flat,
        axes,
        said,
        behind=None if behind is None else plane(behind, i, j),
        colour=colours(comparison).get(title, COLOURS - 1),
        heat=heat,
        names=axis_names(data.header, i, j) if points.shape[1] > 1 else ("", ""),
    )
    missed = outside(flat, axes)
    return Panel(
        title,
        (art,),
        (),
        under + (f" \N{MIDDLE DOT} {missed} outside" if missed and title != "real" else ""),
    )


def _tables(comparison: Comparison) -> list[Panel | None]:
    data, models = comparison.data, [row for row in comparison.models if row.shares is not None]
    assert data.shares is not None
    chosen = furthest_columns(
        data.shares, [row.shares for row in models if row.shares is not None], HISTOGRAMS
    )
    palette, found = colours(comparison), []
    for title, shares, links, row in (
        ("real", None, data.links, None),
        *((row.name, row.shares, row.links, row) for row in models),
    ):
        art = [] if links is None or len(links) < 2 else [link_map(links, f"of {title}")]
        art += [
            histogram(
                data.columns[k],
                data.shares[k],
                None if shares is None else shares[k],
                palette.get(title, 0),
                title,
            )
            for k in chosen
        ]
        under = (
            "map: links between columns; bars: the columns that models miss most"
            if row is None
            else _under(comparison, row)
        )
        if links is not None and data.links is not None and row is not None and len(links) > 1:
            under += f" \N{MIDDLE DOT} links off by {number(links_off(links, data.links), 2)}"
        found.append(Panel(title, tuple(art), (), under))
    return found


def _lines(shown: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    texts = [" ".join(", ".join(cells).split()) for cells in shown[:2]]
    return tuple(
        text if len(text) <= LETTERS else text[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
        for text in texts
    )
