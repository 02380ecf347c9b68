"""Tables on a page: the columns that models miss most, and the links between columns."""

from __future__ import annotations

from pushforward.reports.drawing.column_figures import (
    furthest_columns,
    histogram,
    link_map,
    links_off,
)
from pushforward.reports.numbers import number
from pushforward.reports.page.figure import Panel, colours
from pushforward.reports.page.shown_kind import ShownKind, under
from pushforward.reports.records import Comparison

HISTOGRAMS = 4


class ShownTables(ShownKind):
    """Histograms and maps; a few rows in words where a record is from before there were any."""

    def panels(self, comparison: Comparison) -> list[Panel | None]:
        """Return a map and a few histograms of each."""
        data = comparison.data
        if data.shares is None or not data.columns:  # an old record
            return super().panels(comparison)
        models = [row for row in comparison.models if row.shares is not None]
        chosen = furthest_columns(
            data.shares, [row.shares for row in models if row.shares is not None], HISTOGRAMS
        )
        palette = colours(comparison)
        found: list[Panel | None] = []
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
            below = (
                "map: links between columns; bars: the columns that models miss most"
                if row is None
                else under(comparison, row)
            )
            if links is not None and data.links is not None and row is not None and len(links) > 1:
                below += f" \N{MIDDLE DOT} links off by {number(links_off(links, data.links), 2)}"
            found.append(Panel(title, tuple(art), (), below))
        return found


TABLES = ShownTables()
