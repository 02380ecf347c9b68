"""The figures of a report, built from its records.

Three ideas: every figure has a title, a caption and a text for those who cannot see it; a model has
one colour throughout; losses of different families are different quantities, so each has its own
small chart and none shares an axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pushforward.reports.drawing.charts import Line, line_chart, thinned
from pushforward.reports.drawing.column_figures import histogram, link_map
from pushforward.reports.drawing.sheets import (
    ROWS,
    axis_names,
    grid_order,
    outside,
    picture,
    plane,
    planes,
    scatter_sheet,
    strip_cells,
)
from pushforward.reports.records import Comparison, Row

ASIDES = {"ceiling": "ceiling: real data", "floor": "floor", "copycat": "training data replayed"}
HIDDEN = {"step", "seconds", "loss", "held_out", "learning_rate"}
COLOURS = 8


@dataclass(frozen=True)
class Figure:
    """A title with an aside, its drawings (each under its own head, if given) and a caption."""

    title: str
    art: tuple[Markup, ...]
    caption: str = ""
    aside: str = ""
    heads: tuple[str, ...] = ()


def colours(comparison: Comparison) -> dict[str, int]:
    """Return the colour class of each row: models in order, controls grey (the last class)."""
    models = [row.name for row in comparison.models]
    return {
        row.name: models.index(row.name) % (COLOURS - 1) if row.name in models else COLOURS - 1
        for row in comparison.rows
    }


def sample_sheets(comparison: Comparison) -> tuple[Figure, ...]:
    """Return the real examples and then every row's samples, on the same grid or the same axes."""
    data = comparison.data
    shown: list[tuple[str, str, np.ndarray, np.ndarray | None]] = []
    if data.real is not None and len(data.real):
        shown.append((f"{data.name}: held-out data", "real", data.real, data.real_labels))
    for row in comparison.rows:
        if row.samples is not None and len(row.samples):
            shown.append((row.name, row.role, row.samples, row.labels))
    if not shown:
        return ()
    if data.kind == "image":
        return tuple(_image_sheet(comparison, *entry) for entry in shown)
    return tuple(_point_sheet(comparison, shown[0][2], *entry) for entry in shown)


def column_sheets(comparison: Comparison) -> tuple[Figure, ...]:
    """Return every column of a table and the map of dependences, for the real rows and then for
    every row."""
    data = comparison.data
    if data.shares is None or not data.columns:
        return ()
    names, found = [cut.name for cut in data.columns], []
    palette = colours(comparison)
    shown = [(f"{data.name}: held-out data", "", None, data.links)]
    shown += [
        (row.name, ASIDES.get(row.role, ""), row.shares, row.links)
        for row in comparison.rows
        if row.shares is not None
    ]
    for title, aside, shares, links in shown:
        art = [] if links is None or len(links) < 2 else [link_map(links, f"of {title}", names)]
        for k, cut in enumerate(data.columns):
            mine = None if shares is None else shares[k]
            art.append(histogram(cut, data.shares[k], mine, palette.get(title, COLOURS - 1), title))
        found.append(Figure(title, tuple(art), aside=aside))
    return tuple(found)


@dataclass(frozen=True)
class Excerpt:
    """A few examples of text or tables: whose they are, an aside, and rows of cells."""

    title: str
    aside: str
    rows: tuple[tuple[str, ...], ...]


def excerpts(comparison: Comparison) -> tuple[Excerpt, ...]:
    """Return real examples and then every row's samples, for data that are read and not looked
    at."""
    data = comparison.data
    real = (Excerpt(f"{data.name}: held-out data", "", data.shown),) if data.shown else ()
    return real + tuple(
        Excerpt(row.name, ASIDES.get(row.role, ""), row.shown)
        for row in comparison.rows
        if row.shown
    )


def loss_curves(comparison: Comparison) -> tuple[Figure, ...]:
    """Return one figure per model with a history: its loss over training time, titled by what the
    loss is."""
    found = []
    for row in comparison.models:
        if not row.history:
            continue
        colour = colours(comparison)[row.name]
        shared = not row.held_out_name or row.held_out_name == row.loss_name
        others = [
            k
            for k in dict.fromkeys(k for entry in row.history for k in entry)
            if k not in HIDDEN and "loss" in k
        ]
        name = (
            "train"
            if shared and _has(row, "held_out")
            else _player(row.loss_name)
            if others
            else ""
        )
        losses = [_line(row, "loss", name, colour)]
        losses += [
            _line(row, key, _player(key), (colour + 2 + i) % COLOURS)
            for i, key in enumerate(others)
        ]
        if shared:
            losses.append(_line(row, "held_out", "held out", colour, dashed=True))
        art = [
            line_chart(
                losses, "seconds of training", f"{row.name}: {row.loss_name} over training time"
            )
        ]
        if not shared and _has(row, "held_out"):
            held = [_line(row, "held_out", "held out", colour, dashed=True)]
            art.append(
                line_chart(
                    held, "seconds of training", f"{row.name}: {row.held_out_name} on held-out data"
                )
            )
        heads = ("; ".join([row.loss_name, *others]), f"held out: {row.held_out_name}")[: len(art)]
        found.append(Figure(row.name, tuple(art), heads=heads))
    return tuple(found)


def objective_curves(comparison: Comparison) -> tuple[Figure, ...]:
    """Return one figure per model that has curves: what its own objective gives to look at, with
    the reference in grey."""
    found = []
    for row in comparison.models:
        colour, art = colours(comparison)[row.name], []
        for curve in row.curves:
            reach = [1.96 * e for e in curve.stderr]
            label = curve.name or (row.name if curve.reference else "")
            lines = [Line(curve.x, curve.y, label, colour, reach=reach)]
            if curve.other:
                spread = [1.96 * e for e in curve.other_stderr]
                lines.append(
                    Line(
                        curve.x, curve.other, curve.other_name, (colour + 1) % COLOURS, reach=spread
                    )
                )
            if curve.reference:
                lines.append(
                    Line(curve.x, curve.reference, curve.reference_name, COLOURS - 1, dashed=True)
                )
            said = f"{row.name}: {curve.title}, {curve.y_name} against {curve.x_name}"
            art.append(line_chart(lines, curve.x_name, said, log_x=curve.log_x))
        if art:
            heads = tuple(f"{curve.title}: {curve.y_name}" for curve in row.curves)
            flags = [f"{row.name.capitalize()} {curve.flag}." for curve in row.curves if curve.flag]
            says = " ".join([*flags, *(curve.says for curve in row.curves)])
            found.append(Figure(row.name, tuple(art), says, heads=heads))
    return tuple(found)


def trajectories(comparison: Comparison) -> tuple[Figure, ...]:
    """Return one figure per model that iterates: snapshots of one sampling run, first to last."""
    found, data = [], comparison.data
    for row in comparison.models:
        if len(row.walk) < 2 or not all(len(frame) for frame in row.walk):
            continue
        steps = len(row.walk)
        said = f"{steps} snapshots of {row.name} generating, from its start on the left to the finished sample on the right"
        calls = (
            ""
            if row.calls_per_sample is None
            else f"; network calls per sample: {row.calls_per_sample:g}"
        )
        if data.kind == "image":
            examples = min(4, *(len(frame) for frame in row.walk))
            frames = np.concatenate([frame[:examples].astype(np.float64) for frame in row.walk])
            art = (
                picture(frames, strip_cells(steps, examples), data.levels or 256, said, "strip"),
            )
        else:
            last = data.real if data.real is not None else row.walk[-1]
            axes = planes(last)[0][1]
            colour = colours(comparison)[row.name]
            pairs = [(i, frame) for i, frame in enumerate(row.walk)]
            art = tuple(
                scatter_sheet(
                    plane(frame, 0, 1),
                    axes,
                    f"{row.name}, snapshot {i + 1} of {steps}",
                    colour=colour,
                )
                for i, frame in pairs
            )
        found.append(
            Figure(
                row.name, art, f"{steps} snapshots, left to right, start to finished sample{calls}"
            )
        )
    return tuple(found)


def neighbours(comparison: Comparison) -> tuple[Figure, ...]:
    """Return for each row its most suspicious samples above the training examples nearest to them
    (pictures only)."""
    found, data = [], comparison.data
    for row in comparison.rows:
        if data.kind != "image" or row.suspicious is None or row.neighbours is None:
            continue
        n = min(10, len(row.suspicious), len(row.neighbours))
        if n == 0:
            continue
        pairs = np.concatenate([row.suspicious[:n], row.neighbours[:n]])
        said = f"Top: the {n} samples of {row.name} closest to training data. Bottom: the training example nearest to each."
        art = picture(pairs, np.arange(2 * n).reshape(2, n), data.levels or 256, said)
        found.append(
            Figure(
                row.name,
                (art,),
                "above: samples; below: nearest training example",
                ASIDES.get(row.role, ""),
            )
        )
    return tuple(found)


def _image_sheet(
    comparison: Comparison, title: str, role: str, images: np.ndarray, labels: np.ndarray | None
) -> Figure:
    data = comparison.data
    height = images.shape[2]
    rows = ROWS if height <= 32 else 4 if height <= 64 else 2
    cells = grid_order(labels, len(images), len(data.classes), rows)
    said = f"{int((cells >= 0).sum())} {'examples of' if role == 'real' else 'samples of'} {title}"
    said += ", one class per column" if labels is not None and len(data.classes) > 1 else ""
    return Figure(
        title, (picture(images, cells, data.levels or 256, said),), aside=ASIDES.get(role, "")
    )


def _point_sheet(
    comparison: Comparison,
    real: np.ndarray,
    title: str,
    role: str,
    points: np.ndarray,
    labels: np.ndarray | None,
) -> Figure:
    data = comparison.data
    colour = colours(comparison).get(title, COLOURS - 1)
    heat = None
    if data.density is not None and data.extent is not None and points.shape[1] == 2:
        heat = (data.density, data.extent)
    art, missed = [], 0
    for (i, j), axes in planes(real):
        flat = plane(points, i, j)
        behind = None if role == "real" else plane(real, i, j)
        said = f"Scatter plot of {title}, dimensions {i + 1} and {j + 1}" + (
            "" if role == "real" else ", over real data in grey"
        )
        names = axis_names(data.header, i, j) if points.shape[1] > 1 else ("", "")
        art.append(
            scatter_sheet(flat, axes, said, behind=behind, colour=colour, heat=heat, names=names)
        )
        missed = max(missed, outside(flat, axes))
    caption = f"{missed} of {len(points)} points lie outside the axes" if missed else ""
    return Figure(title, tuple(art), caption, ASIDES.get(role, ""))


def _line(row: Row, key: str, label: str, colour: int, *, dashed: bool = False) -> Line:
    clock = "seconds" if _has(row, "seconds") else "step"
    kept = [entry for entry in row.history if entry.get(key) is not None]
    return Line(
        thinned([e.get(clock) for e in kept]),
        thinned([e.get(key) for e in kept]),
        label,
        colour,
        dashed,
    )


def _has(row: Row, key: str) -> bool:
    return any(entry.get(key) is not None for entry in row.history)


def _player(loss: str) -> str:
    """Return whose loss it is, where the name says so."""
    return loss.partition("'s ")[0].replace("_loss", "").replace("_", " ")
