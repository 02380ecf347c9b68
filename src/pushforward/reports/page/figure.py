"""What a page is made of: a figure below, a panel on the first screen, and one colour a model.

Two ideas: a figure has a title, a caption and a text for those who cannot see it; a model has one
colour throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from pushforward.reports.records import Comparison

ASIDES = {"ceiling": "ceiling: real data", "floor": "floor", "copycat": "training data replayed"}
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
