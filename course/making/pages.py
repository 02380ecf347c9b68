"""The course as a site of plain files: pages that open from a disk, with contents, search, folded code and links both ways.

Two ideas: a page is one section of the theory or its exercises, and every topic and exercise is a heading with an address;
nothing is fetched, not even over `file://`, so that the index of the search is a script beside the pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path

from nbformat import NotebookNode

from making.maths import put_back, with_maths

HERE = Path(__file__).parent
NAME = "Generative models"


@dataclass(frozen=True)
class Heading:
    """A topic or an exercise: its address on its page, its number and title, and the addresses that belong to it elsewhere."""

    anchor: str
    title: str
    links: tuple[tuple[str, str], ...] = ()


@dataclass
class Page:
    """One file of the site.

    Attributes:
        file: its name.
        title: what stands above it.
        body: HTML of its content.
        headings: topics or exercises on it.
        prose: for every heading's anchor, empty for the page itself, the text to be searched.
    """

    file: str
    title: str
    body: str = ""
    headings: list[Heading] = field(default_factory=list)
    prose: dict[str, str] = field(default_factory=dict)


def prose(source: str) -> str:
    """Return markdown as HTML, its formulas as MathML."""
    kept: list[str] = []
    html = _markdown().render(with_maths(source, kept))
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return put_back(html, kept)


def code(source: str, folded: bool = True, summary: str = "Code") -> str:
    """Return Python as HTML, folded unless it is to be read at once."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    html = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    text = f'<pre class="code" tabindex="0"><code>{html}</code></pre>'
    return f'<details class="fold"><summary>{escape(summary)}</summary>{text}</details>' if folded else text


def outputs(cell: NotebookNode) -> str:
    """Return what an executed cell shows; a picture's style is the site's."""
    parts = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            parts.append(f'<pre class="printed" tabindex="0">{escape(output.text.rstrip())}</pre>')
        elif output.output_type == "error":
            parts.append(f'<pre class="printed">{escape(output.evalue)}</pre>')
        elif "text/html" in output.data:
            parts.append(re.sub(r"<style>.*?</style>", "", output.data["text/html"], flags=re.DOTALL))
        elif "text/markdown" in output.data:
            parts.append(prose(output.data["text/markdown"]))
        elif "image/png" in output.data:
            parts.append(f'<img alt="" src="data:image/png;base64,{output.data["image/png"]}">')
        elif "text/plain" in output.data:
            parts.append(f'<pre class="printed" tabindex="0">{escape(output.data["text/plain"])}</pre>')
    return f'<div class="output">{"".join(parts)}</div>' if parts else ""


def rendered(cells: Iterable[NotebookNode]) -> str:
    """Return cells one below the other; code that shows nothing is folded together with the code after it."""
    parts: list[str] = []
    silent: list[str] = []
    for cell in cells:
        if cell.cell_type == "code":
            silent.append(cell.source)
        shown = outputs(cell)
        if silent and (shown or cell.cell_type != "code"):
            parts.append(code("\n\n\n".join(silent)))
            silent = []
        parts.append(shown if cell.cell_type == "code" else prose(cell.source))
    return "\n".join([*parts, *([code("\n\n\n".join(silent))] if silent else [])])


def whole(name: str, notebook: NotebookNode) -> str:
    """Return a notebook on one page, for printing and for reading in one go."""
    return _framed(Page(f"{name}.html", f"{NAME}: {name}", rendered(notebook.cells)), [])


def write_site(pages: Sequence[Page], into: Path, groups: Sequence[tuple[str, Sequence[Page]]]) -> None:
    """Write the pages, their style, their script and the index of the search.

    Args:
        pages: in reading order, which is that of the links to the one before and the one after.
        groups: the contents: a name and its pages.
    """
    from making.searching import index

    into.mkdir(parents=True, exist_ok=True)
    for place, page in enumerate(pages):
        around = [pages[i] if 0 <= i < len(pages) else None for i in (place - 1, place + 1)]
        (into / page.file).write_text(_framed(page, groups, around), encoding="utf-8")
    picture = resources.files("pushforward.course").joinpath("picture.css").read_text()
    (into / "site.css").write_text(picture + _highlights() + (HERE / "site.css").read_text(), encoding="utf-8")
    (into / "site.js").write_text(f"const INDEX = {index(pages)};\n" + (HERE / "site.js").read_text(), encoding="utf-8")


def _framed(page: Page, groups: Sequence[tuple[str, Sequence[Page]]], around: Sequence[Page | None] = ()) -> str:
    steps = "".join(
        f'<a rel="{rel}" href="{other.file}"><small>{word}</small> {escape(other.title)}</a>'
        if other
        else "<span></span>"
        for other, rel, word in zip(around, ("prev", "next"), ("Before", "Next"))
    )
    ends = f'<nav class="steps" aria-label="before and next">{steps}</nav>' if around else ""
    style = '<link rel="stylesheet" href="site.css">'
    script = '<script src="site.js" defer></script>'
    if not groups:  # a page that is sent about alone carries its style
        picture = resources.files("pushforward.course").joinpath("picture.css").read_text()
        style = f"<style>{picture}{_highlights()}{(HERE / 'site.css').read_text()}</style>"
        script = ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title>{style}{script}</head>\n<body>{_top() if groups else ''}"
        f'<div class="columns">{_contents(page, groups)}<main>{page.body}\n{ends}</main></div></body></html>\n'
    )


def _top() -> str:
    return (
        f'<header><a class="home" href="index.html">{NAME}</a>'
        '<div class="search"><input type="search" id="query" placeholder="Search" aria-label="search" autocomplete="off">'
        '<ol id="found" aria-live="polite"></ol></div>'
        '<button type="button" id="unfold" aria-pressed="false">Show code</button></header>'
    )


def _contents(page: Page, groups: Sequence[tuple[str, Sequence[Page]]]) -> str:
    if not groups:
        return ""
    parts = []
    for name, members in groups:
        rows = []
        for member in members:
            here = member.file == page.file
            below = (
                "".join(f'<li><a href="#{h.anchor}">{escape(h.title)}</a></li>' for h in page.headings) if here else ""
            )
            mark = ' aria-current="page"' if here else ""
            rows.append(
                f'<li><a href="{member.file}"{mark}>{escape(member.title)}</a>{f"<ul>{below}</ul>" if below else ""}</li>'
            )
        parts.append(f"<h2>{escape(name)}</h2><ul>{''.join(rows)}</ul>")
    return f'<details class="contents"><summary>Contents</summary><nav aria-label="contents">{"".join(parts)}</nav></details>'


@cache
def _markdown():
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


@cache
def _highlights() -> str:
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs("pre.code")
    dark = HtmlFormatter(style="native").get_style_defs("pre.code")
    return re.sub(r" */\*.*?\*/", "", f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n")
