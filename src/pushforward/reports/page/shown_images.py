"""Pictures on a page: on a grid, in a strip, beside their nearest neighbours."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from pushforward.reports.drawing.sheets import ROWS, grid_order, picture, strip_cells
from pushforward.reports.page.figure import ASIDES, Figure, Panel
from pushforward.reports.page.shown_kind import ShownExamples, ShownKind, under
from pushforward.reports.records import Comparison, Data, Row

FEW_COLUMNS, FEW_ROWS = 5, 4  # on the first screen


class ShownImages(ShownKind):
    """Pictures, enlarged so that pixels are seen."""

    shared = "grid and scale"

    def sheet(self, comparison: Comparison, real: np.ndarray, of: ShownExamples) -> Figure:
        """Return a grid of pictures, one class a column."""
        data = comparison.data
        height = of.examples.shape[2]
        rows = ROWS if height <= 32 else 4 if height <= 64 else 2
        cells = grid_order(of.labels, len(of.examples), len(data.classes), rows)
        said = f"{int((cells >= 0).sum())} {'examples of' if of.role == 'real' else 'samples of'} {of.title}"
        said += ", one class per column" if of.labels is not None and len(data.classes) > 1 else ""
        return Figure(
            of.title,
            (picture(of.examples, cells, data.levels or 256, said),),
            aside=ASIDES.get(of.role, ""),
        )

    def sheets_say(self, data: Data) -> str:
        """Return how classes are laid out."""
        return "; where labels are known, one class per column" if data.classes else ""

    def walk(self, comparison: Comparison, row: Row, said: str) -> tuple[Markup, ...]:
        """Return a strip: a few samples from top to bottom, their snapshots from left to right."""
        examples = min(4, *(len(frame) for frame in row.walk))
        frames = np.concatenate([frame[:examples].astype(np.float64) for frame in row.walk])
        cells, levels = strip_cells(len(row.walk), examples), comparison.data.levels or 256
        return (picture(frames, cells, levels, said, "strip"),)

    def nearest(self, comparison: Comparison, row: Row) -> Figure | None:
        """Return the samples closest to training data above the training pictures nearest to
        them."""
        if row.suspicious is None or row.neighbours is None:
            return None
        n = min(10, len(row.suspicious), len(row.neighbours))
        if n == 0:
            return None
        pairs = np.concatenate([row.suspicious[:n], row.neighbours[:n]])
        said = f"Top: the {n} samples of {row.name} closest to training data. Bottom: the training example nearest to each."
        levels = comparison.data.levels or 256
        art = picture(pairs, np.arange(2 * n).reshape(2, n), levels, said)
        caption = "above: samples; below: nearest training example"
        return Figure(row.name, (art,), caption, ASIDES.get(row.role, ""))

    def panels(self, comparison: Comparison) -> list[Panel | None]:
        """Return a few pictures of each."""
        data = comparison.data
        return [
            _panel(comparison, "real", data.real, data.real_labels, ""),
            *(
                _panel(comparison, row.name, row.samples, row.labels, under(comparison, row))
                for row in comparison.models
            ),
        ]


def _panel(
    comparison: Comparison,
    title: str,
    images: np.ndarray | None,
    labels: np.ndarray | None,
    under: str,
) -> Panel | None:
    if images is None or not len(images):
        return None
    rows, columns = (
        (FEW_ROWS, FEW_COLUMNS)
        if images.shape[2] <= 32
        else (3, 3)
        if images.shape[2] <= 96
        else (2, 2)
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


IMAGES = ShownImages()
