"""The figures of a report, built from its records.

Two ideas: what a kind of data looks like, its own object draws (see `shown_kind`); losses of
different families are different quantities, so each has its own small chart and none shares an
axis.
"""

from __future__ import annotations

from dataclasses import dataclass

from pushforward.reports.drawing.charts import Line, line_chart, thinned
from pushforward.reports.drawing.column_figures import histogram, link_map
from pushforward.reports.page.figure import ASIDES, COLOURS, Figure, colours
from pushforward.reports.page.shown_kind import ShownExamples, shown_as
from pushforward.reports.records import Comparison, Row

HIDDEN = {"step", "seconds", "loss", "held_out", "learning_rate"}


def sample_sheets(comparison: Comparison) -> tuple[Figure, ...]:
    """Return the real examples and then every row's samples, on the same grid or the same axes."""
    data, shown = comparison.data, []
    if data.real is not None and len(data.real):
        name = f"{data.name}: held-out data"
        shown.append(ShownExamples(name, "real", data.real, data.real_labels))
    for row in comparison.rows:
        if row.samples is not None and len(row.samples):
            shown.append(ShownExamples(row.name, row.role, row.samples, row.labels))
    known = shown_as(data)
    return tuple(known.sheet(comparison, shown[0].examples, of) for of in shown)


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
    found = []
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
        art = shown_as(comparison.data).walk(comparison, row, said)
        found.append(
            Figure(
                row.name, art, f"{steps} snapshots, left to right, start to finished sample{calls}"
            )
        )
    return tuple(found)


def neighbours(comparison: Comparison) -> tuple[Figure, ...]:
    """Return for each row its most suspicious samples above the training examples nearest to them
    (pictures only)."""
    known = shown_as(comparison.data)
    found = [known.nearest(comparison, row) for row in comparison.rows]
    return tuple(figure for figure in found if figure is not None)


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
