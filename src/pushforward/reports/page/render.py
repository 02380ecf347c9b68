"""One offline HTML file.

Two ideas: the page is a pure function of a `Comparison`, so equal inputs give equal bytes;
everything it needs is inside it (CSS inlined, charts as SVG, pictures as data URIs) and everything
it was given is escaped.
"""

from __future__ import annotations

from pathlib import Path

from pushforward.core.files import write_bytes
from pushforward.reports.page import figures
from pushforward.reports.page.figure import colours
from pushforward.reports.page.first_screen import first_screen
from pushforward.reports.page.pairs import pairs
from pushforward.reports.page.quality import quality_against_cost
from pushforward.reports.page.score_table import costs, repeats, scorecard
from pushforward.reports.page.shown_kind import shown_as
from pushforward.reports.page.templating import environment, stylesheet
from pushforward.reports.records import Comparison
from pushforward.reports.verdict.sentences import verdict
from pushforward.reports.verdict.unmatched import headline_key


def render(comparison: Comparison) -> str:
    """Return the report as HTML.

    Example:
        >>> from pushforward.reports.records import Data, Row
        >>> data = Data("two-moons", "points", "points in 2 dimensions", "nats/point", {"test": 100})
        >>> html = render(Comparison("A run", data, "400 steps", "cpu", 0, "today", (Row("flow"),)))
        >>> html.startswith("<!doctype html>"), "<script" in html
        (True, False)
    """
    templates = environment()
    palette = colours(comparison)
    key = headline_key(comparison)
    scores = scorecard(comparison)
    return templates.get_template("report.html").render(
        comparison=comparison,
        data=comparison.data,
        css=stylesheet(templates),
        first=first_screen(comparison),
        verdict=_by_topic(comparison),
        scores=scores,
        starred=any(
            cell.best
            for _, table, _ in scores.tables
            for _, rows in table.groups
            for _, cells in rows
            for cell in cells
        ),
        tables=figures.column_sheets(comparison),
        pairs=pairs(comparison),
        costs=costs(comparison),
        repeats=repeats(comparison),
        palette=palette,
        sheets=figures.sample_sheets(comparison),
        shown=shown_as(comparison.data),
        losses=figures.loss_curves(comparison),
        excerpts=figures.excerpts(comparison),
        curves=figures.objective_curves(comparison),
        walks=figures.trajectories(comparison),
        quality=quality_against_cost(comparison),
        headline=key.score.title if key else "",
        cards=[row for row in comparison.models if row.card is not None],
        fingerprints=list(
            dict.fromkeys(
                score.features for row in comparison.rows for score in row.scores if score.features
            )
        ),
        checked=[row for row in comparison.rows if row.memorisation],
        neighbours=figures.neighbours(comparison),
    )


def write_report(path: Path | str, html: str) -> Path:
    """Write the page so that `path` holds either the whole page or what it held before.

    Raises:
        RunFailed: the disk is full or the folder cannot be written.
    """
    target = Path(path)
    # a file name that is not UTF-8 must not cost the whole report
    write_bytes(target, html.encode("utf-8", "replace"))
    return target


def _by_topic(comparison: Comparison) -> dict[str, list[str]]:
    topics: dict[str, list[str]] = {}
    for statement in verdict(comparison):
        topics.setdefault(statement.topic, []).append(statement.text)
    return topics
