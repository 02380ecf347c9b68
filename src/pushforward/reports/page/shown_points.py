"""Points on a page: dots on the axes of the real ones, a plane at a time."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from pushforward.reports.drawing.sheets import axis_names, outside, plane, planes, scatter_sheet
from pushforward.reports.page.figure import ASIDES, COLOURS, Figure, Panel, colours
from pushforward.reports.page.shown_kind import ShownExamples, ShownKind, under
from pushforward.reports.records import Comparison, Data, Row


class ShownPoints(ShownKind):
    """Dots in front of real ones, or of their density."""

    single = True

    def sheet(self, comparison: Comparison, real: np.ndarray, of: ShownExamples) -> Figure:
        """Return scatter plots, one a plane of two coordinates."""
        data = comparison.data
        colour = colours(comparison).get(of.title, COLOURS - 1)
        heat = None
        if data.density is not None and data.extent is not None and of.examples.shape[1] == 2:
            heat = (data.density, data.extent)
        art, missed = [], 0
        for (i, j), axes in planes(real):
            flat = plane(of.examples, i, j)
            behind = None if of.role == "real" else plane(real, i, j)
            said = f"Scatter plot of {of.title}, dimensions {i + 1} and {j + 1}" + (
                "" if of.role == "real" else ", over real data in grey"
            )
            names = axis_names(data.header, i, j) if of.examples.shape[1] > 1 else ("", "")
            art.append(
                scatter_sheet(
                    flat, axes, said, behind=behind, colour=colour, heat=heat, names=names
                )
            )
            missed = max(missed, outside(flat, axes))
        caption = f"{missed} of {len(of.examples)} points lie outside the axes" if missed else ""
        return Figure(of.title, tuple(art), caption, ASIDES.get(of.role, ""))

    def sheets_say(self, data: Data) -> str:
        """Return what lies behind the samples."""
        density = "" if data.density is None else ", the true density in blue"
        return f"; real data in grey behind the samples{density}"

    def walk(self, comparison: Comparison, row: Row, said: str) -> tuple[Markup, ...]:
        """Return a scatter plot of the first two coordinates a snapshot, all on the same axes."""
        data, steps = comparison.data, len(row.walk)
        axes = planes(data.real if data.real is not None else row.walk[-1])[0][1]
        colour = colours(comparison)[row.name]
        return tuple(
            scatter_sheet(
                plane(frame, 0, 1), axes, f"{row.name}, snapshot {i + 1} of {steps}", colour=colour
            )
            for i, frame in enumerate(row.walk)
        )

    def panels(self, comparison: Comparison) -> list[Panel | None]:
        """Return a scatter plot of each."""
        return [
            _panel(comparison, "real", comparison.data.real, ""),
            *(
                _panel(comparison, row.name, row.samples, under(comparison, row))
                for row in comparison.models
            ),
        ]


def _panel(
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


POINTS = ShownPoints()
