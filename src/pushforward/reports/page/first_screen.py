"""What a reader sees without scrolling: a sentence, real beside generated, one chart, and what to
doubt.

Three ideas: the pictures of every model are small, alike and in one row, so that only the samples
differ; the chart is quality against cost, or of one model its measures between a bad model and real
data; whatever is longer than that stands below.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from pushforward.reports.page.figure import Panel, colours
from pushforward.reports.page.ladder import ladder
from pushforward.reports.page.quality import quality_against_cost
from pushforward.reports.page.shown_kind import shown_as
from pushforward.reports.records import Comparison
from pushforward.reports.verdict.doubts import doubts
from pushforward.reports.verdict.sentences import verdict


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
        >>> from pushforward.reports.records import Data, Row
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
    found = shown_as(comparison.data).panels(comparison)
    shown = [panel for panel in found if panel is not None and (panel.art or panel.lines)]
    return tuple(shown) if any(panel.title != "real" for panel in shown) else ()
