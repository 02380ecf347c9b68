"""What a page shows of each kind of data.

One idea: everything that a page draws differently for pictures, points, tables and texts is a
method here, of one object a kind, in one file a kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pushforward.core.registry import Registry
from pushforward.reports.numbers import seconds
from pushforward.reports.page.figure import Figure, Panel
from pushforward.reports.records import Comparison, Data, Row
from pushforward.reports.verdict.odds import percent, share_right
from pushforward.reports.verdict.told_apart import told_apart

LETTERS = 150  # of an example on the first screen


@dataclass(frozen=True)
class ShownExamples:
    """Examples to draw on a sheet: whose they are, `real` or the role of their row, arrays (n, ...)
    and their labels, if any."""

    title: str
    role: str
    examples: np.ndarray
    labels: np.ndarray | None = None


class ShownKind:
    """Examples of a kind on a page; of one that says nothing a few examples are shown in words, as
    texts are.

    To add a kind, write a subclass, and name an object of it in `SHOWN_KINDS`.

    Attributes:
        shared: what the sheets of real and generated examples have in common.
        single: whether a sheet takes a line for itself.
    """

    shared = "axes"
    single = False

    def sheet(self, comparison: Comparison, real: np.ndarray, of: ShownExamples) -> Figure:
        """Return a sheet of examples beside real ones; asked only where a record holds arrays."""
        return Figure(of.title, ())

    def sheets_say(self, data: Data) -> str:
        """Return what is to be known of all sheets, behind their first sentence."""
        return ""

    def walk(self, comparison: Comparison, row: Row, said: str) -> tuple[Markup, ...]:
        """Return the snapshots of a model that generates, first to last."""
        return ()

    def nearest(self, comparison: Comparison, row: Row) -> Figure | None:
        """Return suspicious samples above the training examples nearest to them, None where nobody
        would see it."""
        return None

    def panels(self, comparison: Comparison) -> list[Panel | None]:
        """Return what the first screen shows of real data and of each model."""
        models = comparison.models
        return [
            Panel("real", (), lines(comparison.data.shown)),
            *(Panel(row.name, (), lines(row.shown), under(comparison, row)) for row in models),
        ]


SHOWN_KINDS: Registry[ShownKind] = Registry(
    "shown kind",
    {
        "points": "pushforward.reports.page.shown_points:POINTS",
        "image": "pushforward.reports.page.shown_images:IMAGES",
        "table": "pushforward.reports.page.shown_tables:TABLES",
    },
    of="pushforward.reports.page.shown_kind:ShownKind",
)


def shown_as(data: Data) -> ShownKind:
    """Return how examples of data are shown."""
    return SHOWN_KINDS.load(data.kind) if data.kind in SHOWN_KINDS else ShownKind()


def under(comparison: Comparison, row: Row) -> str:
    """Return how often a classifier is right about a model's samples, and how long they take."""
    odds = told_apart(row, comparison.rows).odds
    parts = ["" if odds is None else f"classifier right: {percent(share_right(odds))}"]
    parts.append("" if row.seconds_per_1000 is None else f"1000 in {seconds(row.seconds_per_1000)}")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def lines(shown: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the first examples, a short line each."""
    texts = [" ".join(", ".join(cells).split()) for cells in shown[:2]]
    return tuple(
        text if len(text) <= LETTERS else text[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
        for text in texts
    )
