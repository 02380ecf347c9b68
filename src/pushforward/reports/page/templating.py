"""The templates of the pages, with everything that they are given escaped."""

from __future__ import annotations

import re

import jinja2
from markupsafe import Markup, escape

from pushforward.reports.numbers import number
from pushforward.reports.page.plain import called


def environment() -> jinja2.Environment:
    """Return the environment of the templates in this package; an undefined name is an error."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("pushforward.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["number"] = number
    found.filters["topic"] = called
    found.filters["prose"] = prose
    found.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return found


def prose(text: str) -> Markup:
    """Return a sentence for a page: words in back ticks as code, and percent signs that stay with
    their number.

    Example:
        >>> prose("train `flow` on 5 % of <x>")
        Markup('train <code>flow</code> on 5\\xa0% of &lt;x&gt;')
    """
    held = str(escape(re.sub(r"(?<=\d) %", "\u00a0%", text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", held))


def stylesheet(templates: jinja2.Environment) -> Markup:
    """Return the style sheet that every page holds."""
    assert templates.loader is not None
    return Markup(templates.loader.get_source(templates, "report.css")[0])
