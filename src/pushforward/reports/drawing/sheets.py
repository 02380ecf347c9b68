"""Sheets of samples: pictures as PNG, points as scatter plots.

Three ideas: every sheet of one comparison has the same grid, scale and axes, so that only the
samples differ; column = class when the samples are labelled; a picture is a base64 data URI, so
that the page needs no second file.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from PIL import Image

from pushforward.reports.drawing.axes import pixel, spanning, tag, tick_label

COLUMNS, ROWS = 10, 6
SIDE, EDGE, FOOT = 240.0, 8.0, 18.0
POINTS = 600
LONGEST_NAME = 18


def grid_order(labels: np.ndarray | None, n: int, classes: int, rows: int = ROWS) -> np.ndarray:
    """Return indices of shape (rows, columns), -1 for an empty place: column = class if labelled,
    else reading order.

    With more than ten classes the first ten are shown.

    Example:
        >>> grid_order(np.array([1, 0, 1]), 3, 2, rows=2)
        array([[ 1,  0],
               [-1,  2]])
    """
    if labels is None or classes < 2:
        cells = np.full(rows * COLUMNS, -1)
        cells[: min(n, len(cells))] = np.arange(min(n, len(cells)))
        return cells.reshape(rows, COLUMNS)
    columns = min(classes, COLUMNS)
    cells = np.full((rows, columns), -1)
    for column in range(columns):
        members = np.flatnonzero(labels == column)[:rows]
        cells[: len(members), column] = members
    return cells


def tiles(images: np.ndarray, cells: np.ndarray, levels: int) -> np.ndarray:
    """Return one RGBA picture of shape (height, width, 4) holding `images[cells]`, with transparent
    gaps.

    Args:
        images: shape (n, channels, h, w) with values `0 .. levels-1`; others are cut to that range.
    """
    n, channels, height, width = images.shape
    up = max(1, min(4, 320 // (cells.shape[1] * (width + 1))))
    gap = up  # one pixel of the data
    shape = (
        cells.shape[0] * (height * up + gap) - gap,
        cells.shape[1] * (width * up + gap) - gap,
        4,
    )
    sheet = np.zeros(shape, dtype=np.uint8)
    bytes_ = np.round(
        np.clip(np.nan_to_num(images.astype(np.float64)) / (levels - 1), 0, 1) * 255
    ).astype(np.uint8)
    for (i, j), index in np.ndenumerate(cells):
        if index < 0 or index >= n:
            continue
        colour = (
            bytes_[index][[0, 1, 2]] if channels >= 3 else np.repeat(bytes_[index][:1], 3, axis=0)
        )
        tile = colour.transpose(1, 2, 0).repeat(up, axis=0).repeat(up, axis=1)
        top, left = i * (height * up + gap), j * (width * up + gap)
        sheet[top : top + height * up, left : left + width * up, :3] = tile
        sheet[top : top + height * up, left : left + width * up, 3] = 255
    return sheet


def data_uri(picture: np.ndarray) -> str:
    """Return an RGBA picture as a PNG data URI; grey pictures are stored with two channels."""
    grey = bool(
        (picture[..., 0] == picture[..., 1]).all() and (picture[..., 1] == picture[..., 2]).all()
    )
    image = Image.fromarray(picture)
    buffer = io.BytesIO()
    (image.convert("LA") if grey else image).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def picture(
    images: np.ndarray, cells: np.ndarray, levels: int, describe: str, class_: str = "sheet"
) -> Markup:
    """Return an `img` element showing `images[cells]`."""
    sheet = tiles(images, cells, levels)
    text = Markup('<img class="{}" alt="{}" width="{}" height="{}" src="{}">')
    return text.format(class_, describe, sheet.shape[1], sheet.shape[0], data_uri(sheet))


def strip_cells(steps: int, examples: int) -> np.ndarray:
    """Return the grid of a trajectory whose frames were concatenated: one row per example, one
    column per frame.

    Example:
        >>> strip_cells(steps=3, examples=2)
        array([[0, 2, 4],
               [1, 3, 5]])
    """
    return np.arange(steps * examples).reshape(steps, examples).T


def limits(arrays: Sequence[np.ndarray]) -> tuple[tuple[float, float], ...]:
    """Return for each dimension the range that holds 99 % of the first array (the real data),
    padded by a tenth."""
    real = arrays[0].astype(np.float64)
    found = []
    for column in real.T:
        column = column[np.isfinite(column)]
        low, high = (
            (float(v) for v in np.quantile(column, [0.005, 0.995])) if len(column) else (0.0, 1.0)
        )
        pad = 0.12 * (high - low) or 0.5
        found.append((low - pad, high + pad))
    return tuple(found)


def _short(name: str) -> str:
    return (
        name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def axis_names(header: Sequence[str], i: int, j: int) -> tuple[str, str]:
    """Return what two coordinates are called: as the file of the points does, else `x0`, `x1`, ...
    as their CSV does.

    Example:
        >>> axis_names((), 0, 2), axis_names(("age", "height"), 0, 1)
        (('x0', 'x2'), ('age', 'height'))
    """
    named = [header[k] if k < len(header) else f"x{k}" for k in (i, j)]
    return named[0], named[1]


def scatter_sheet(
    points: np.ndarray,
    axes: tuple[tuple[float, float], tuple[float, float]],
    describe: str,
    *,
    behind: np.ndarray | None = None,
    colour: int = 0,
    heat: tuple[np.ndarray, tuple[float, float, float, float]] | None = None,
    names: tuple[str, str] = ("", ""),
) -> Markup:
    """Return two columns of points called `names`, over the real points `behind` them, over the
    true density as a heat map."""
    (left, right), (bottom, top) = axes
    x = spanning([left, right], EDGE, SIDE - EDGE, pad=0.0)
    y = spanning([bottom, top], SIDE - EDGE - FOOT, EDGE, pad=0.0)
    parts = []
    size = {"x": EDGE, "y": EDGE, "width": SIDE - 2 * EDGE, "height": SIDE - 2 * EDGE - FOOT}
    if heat is not None:
        grid, (x0, x1, y0, y1) = heat
        place = {"x": x(x0), "y": y(y1), "width": x(x1) - x(x0), "height": y(y0) - y(y1)}
        image = tag(
            "image", href=data_uri(_heat(grid)), preserveAspectRatio="none", class_="heat", **place
        )
        window = (
            f"{pixel(EDGE)} {pixel(EDGE)} {pixel(SIDE - 2 * EDGE)} {pixel(SIDE - 2 * EDGE - FOOT)}"
        )
        parts.append(tag("svg", image, viewBox=window, **size))
    for cloud, class_ in ((behind, "cloud real"), (points, f"cloud c{colour}")):
        if cloud is not None:
            inside = _inside(cloud, axes)[:POINTS].astype(np.float64).tolist()
            parts.append(
                tag(
                    "path", d="".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in inside), class_=class_
                )
            )
    parts.append(tag("rect", class_="frame", **size))
    for scale, value, anchor in ((x, left, "start"), (x, right, "end")):
        parts.append(
            tag(
                "text",
                tick_label(float(f"{value:.2g}")),
                x=scale(value),
                y=SIDE - 10,
                class_="tick",
                text_anchor=anchor,
            )
        )
    middle = {"x": SIDE / 2, "y": SIDE - 10, "text_anchor": "middle"}
    parts.append(tag("text", _short(names[0]), class_="tick name", **middle))
    for value, down, name in ((top, 12.0, names[1]), (bottom, -4.0, "")):
        label = f"{tick_label(float(f'{value:.2g}'))}  {_short(name)}".rstrip()
        parts.append(tag("text", label, x=EDGE + 4, y=y(value) + down, class_="tick"))
    return tag(
        "svg",
        Markup("").join(parts),
        viewBox=f"0 0 {SIDE:.0f} {SIDE:.0f}",
        role="img",
        class_="points",
        aria_label=describe,
    )


def outside(points: np.ndarray, axes: tuple[tuple[float, float], tuple[float, float]]) -> int:
    """Return how many points a sheet with these axes does not show.

    Example:
        >>> outside(np.array([[0.0, 0.0], [9.0, 0.0]]), ((-1.0, 1.0), (-1.0, 1.0)))
        1
    """
    return len(points) - len(_inside(points, axes))


def planes(
    points: np.ndarray,
) -> list[tuple[tuple[int, int], tuple[tuple[float, float], tuple[float, float]]]]:
    """Return every two of the first three dimensions, with their ranges; the only one alone."""
    ranges = limits([points])
    if len(ranges) == 1:
        return [((0, 0), (ranges[0], (-1.0, 1.0)))]
    shown = range(min(3, len(ranges)))
    return [((i, j), (ranges[i], ranges[j])) for i in shown for j in shown if i < j]


def plane(points: np.ndarray, i: int, j: int) -> np.ndarray:
    """Return two columns of points; a single one is spread by order of drawing, which moves no
    point along the first."""
    if points.shape[1] == 1:
        return np.stack([points[:, 0], np.linspace(-0.9, 0.9, len(points))], axis=1)
    return points[:, [i, j]]


def _inside(
    points: np.ndarray, axes: tuple[tuple[float, float], tuple[float, float]]
) -> np.ndarray:
    (left, right), (bottom, top) = axes
    a, b = points[:, 0], points[:, 1]
    return points[(a >= left) & (a <= right) & (b >= bottom) & (b <= top)]


def _heat(grid: np.ndarray) -> np.ndarray:
    """Return a density as transparency of one blue, so that it works on light and dark paper."""
    grid = np.nan_to_num(grid.astype(np.float64))
    peak = grid.max() if grid.size and grid.max() > 0 else 1.0
    rgba = np.zeros((*grid.shape, 4), dtype=np.uint8)
    rgba[..., :3] = (86, 140, 200)
    rgba[..., 3] = np.round(np.clip(grid / peak, 0, 1) ** 0.6 * 130).astype(np.uint8)
    return rgba
