"""What stands on the pages of the site, and the contents that the repository shows.

Two ideas: a section of the theory and its exercises are two pages that link topic by topic; contents and README are read from
the sources, so that they cannot drift from them.
"""

from __future__ import annotations

import base64
import re
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from making.pages import Heading, Page, code, prose, rendered, write_site
from making.raster import figures, sheet
from making.sources import COURSE, cells, hints, sources, stub, title, unmarked

OBJECTIVES = re.compile(r"\*\*After this section you can\*\*\n\n((?:- .*(?:\n  .*)*\n?)+)")
# the topic, and which of its pictures, that stands for a section
COVERS = {
    "01_goal": ("goal.model", 1),
    "02_autoregressive": ("autoregressive.sampling", 3),
    "03_vae": ("vae.latent", 1),
    "04_gan": ("gan.collapse", 1),
    "05_flow": ("flow.map", 2),
    "06_diffusion": ("diffusion.sampling", 6),
    "07_score": ("score.langevin", 3),
    "08_evaluation": ("evaluation.precision_recall", 0),
    "09_applications": ("applications.images", 4),
    "10_diagnostics": ("diagnostics.denoising", 0),
    "11_families": ("", 0),
}
START, END = "<!-- contents -->", "<!-- /contents -->"


def write(done: NotebookNode, into: Path) -> None:
    """Write the site: the executed theory section by section, the exercises beside it, and a first page."""
    theory, tasks = _theory(done), _exercises()
    first = Page("index.html", "Contents", prose={"": _opening()})
    first.body = _first(theory, tasks)
    groups = [("Theory", [first, *theory]), ("Exercises", tasks)]
    write_site([first, *theory, *tasks], into, groups)


def pictures(done: NotebookNode) -> dict[str, bytes]:
    """Return one small PNG for every section, by the name of its source: of a topic that shows what the section is about."""
    found: dict[str, bytes] = {}
    at = 0
    for path in sources("theory"):
        topic = ""
        for cell in cells(path):
            topic = cell.metadata.get("topic", topic)
            html = "".join(o.get("data", {}).get("text/html", "") for o in done.cells[at].get("outputs", ()))
            at += 1
            wanted, place = COVERS.get(path.stem, ("", 0))
            shown = figures(html) if topic == wanted and path.stem in COVERS else []
            if shown:
                found[path.stem] = sheet([(shown[min(place, len(shown) - 1)][0], "")])
    return found


def readme(text: str) -> str:
    """Return the course's README with its contents as the sources have them."""
    rows = []
    for path in sources("theory"):
        made = cells(path)
        heading = re.match(r"## (\d+)\. (.*)", made[0].source)
        if heading is None:
            continue
        number, name = heading.groups()
        topics = "; ".join(title(c) for c in made if "topic" in c.metadata)
        goals = "<br>".join(f"• {goal}" for goal in _objectives(made[0].source))
        tasks = ", ".join(_short(title_) for title_, _ in _tasks().values() if title_.startswith(f"{number}."))
        picture = f'<img src="pictures/{path.stem}.png" alt="{escape(name)}" width="190">'
        rows.append(f"| {picture} | **{number}. {name}**<br>{goals} | {topics} | {tasks} |")
    table = "\n".join(
        ["| | you learn to | topics (`theory.ipynb`) | exercises (`exercises.ipynb`) |", "|---|---|---|---|", *rows]
    )
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table}\n{END}{rest.partition(END)[2]}" if rest else text


def _theory(done: NotebookNode) -> list[Page]:
    """Cut the executed theory into its sections, in the order of the sources."""
    pages, at, homes = [], 0, _homes()
    for path in sources("theory"):
        written = cells(path)
        shown, at = done.cells[at : at + len(written)], at + len(written)
        if path.stem.endswith("start"):
            continue
        page = Page(f"{path.stem.replace('_', '-')}.html", re.findall(r"^## (.*)$", written[0].source, re.MULTILINE)[0])
        body, anchor, waiting = [f"<h1>{escape(page.title)}</h1>"], "", []
        for cell, result in zip(written, shown):
            if "topic" in cell.metadata:
                anchor, name = cell.metadata["topic"], title(cell)
                page.headings.append(Heading(anchor, name))
                target = cell.metadata["exercise"]
                body += [
                    rendered(waiting),
                    f'<h3 id="{anchor}">{escape(name)}</h3>',
                    f'<p class="links">Exercise: <a href="{homes[target]}#{target}">{escape(_tasks()[target][0])}</a> · '
                    f"in the library: <code>{escape(cell.metadata['uses'])}</code></p>",
                ]
                waiting = []
            if cell.cell_type == "markdown":
                result = new_markdown_cell(re.sub(r"\A##+ .*\n", "", cell.source))
                page.prose[anchor] = f"{page.prose.get(anchor, '')}\n{result.source}"
            waiting.append(result)
        page.body = "\n".join([*body, rendered(waiting)])
        pages.append(page)
    return pages


def _exercises() -> list[Page]:
    """Return the exercises' pages: what is asked, the stub, hints and solution folded, and the topics that prepare for it."""
    pages, prepares = [], _prepares()
    for path in sources("exercises"):
        written = cells(path)
        name = re.findall(r"^##? (.*)$", written[0].source, re.MULTILINE)[0]
        page = Page(f"exercises-{path.stem.replace('_', '-')}.html", f"Exercises: {name}")
        if path.stem.endswith("start"):
            page.title = "Exercises: how they work"
        body, anchor, waiting = [f"<h1>{escape(page.title)}</h1>"], "", None
        for cell in written:
            task = cell.metadata.get("exercise")
            if task is not None:
                if waiting is not None:
                    body.append(_asked(task, waiting, prepares[task]))
                    page.headings.append(Heading(task, title(waiting)))
                    page.prose[task] = waiting.source
                    waiting = None
                body += [
                    code(stub(cell.source), folded=False),
                    prose(hints(task)),
                    code(unmarked(cell.source), summary="Solution"),
                ]
            elif cell.cell_type == "markdown" and cell.source.startswith("### "):
                waiting = cell
            elif cell.cell_type == "markdown":
                source = re.sub(r"\A##? .*\n", "", cell.source)
                page.prose[anchor] = f"{page.prose.get(anchor, '')}\n{source}"
                body.append(prose(source))
            else:
                body.append(code(cell.source, folded=False))
        page.body = "\n".join(body)
        pages.append(page)
    return pages


def _asked(task: str, cell: NotebookNode, topics: list[tuple[str, str]]) -> str:
    back = ", ".join(f'<a href="{address}">{escape(name)}</a>' for address, name in topics)
    source = re.sub(r"\A### .*\n", "", cell.source)
    return (
        f'<h3 id="{task}">{escape(title(cell))}</h3>\n<p class="links">Theory: {back} · '
        f"<code>check(&quot;{task}&quot;, your_function)</code></p>\n{prose(source)}"
    )


def _first(theory: list[Page], tasks: list[Page]) -> str:
    """Return the first page: for every section what one learns, its topics and its exercises."""
    practice = {re.findall(r"\d+|$", page.title)[0]: page for page in tasks}
    cards = []
    for page in theory:
        picture = COURSE / "pictures" / f"{page.file.removesuffix('.html').replace('-', '_')}.png"
        shown = base64.b64encode(picture.read_bytes()).decode() if picture.exists() else ""
        goals = "".join(f"<li>{_inline(goal)}</li>" for goal in _objectives(page.prose[""]))
        task = practice.get(page.title.split(".")[0])
        cards += [
            f'<section class="card"><h2><a href="{page.file}">{escape(page.title)}</a></h2>',
            f'<img alt="" src="data:image/png;base64,{shown}">' if shown else "",
            f"<ul>{goals}</ul>" if goals else "",
            f"<p>{_links(page)}</p>" if page.headings else "",
            f"<p>Exercises: {_links(task)}</p>" if task else "",
            "</section>",
        ]
    return f'<h1>Generative models</h1>\n{prose(_opening())}\n<div class="cards">{"".join(cards)}</div>'


def _links(page: Page) -> str:
    return ", ".join(f'<a href="{page.file}#{h.anchor}">{escape(_short(h.title))}</a>' for h in page.headings)


def _inline(text: str) -> str:
    return prose(text).strip().removeprefix("<p>").removesuffix("</p>")


def _opening() -> str:
    return re.sub(r"\A# .*\n", "", cells(sources("theory")[0])[0].source)


def _objectives(source: str) -> list[str]:
    found = OBJECTIVES.search(source)
    return (
        []
        if found is None
        else [" ".join(goal.split()) for goal in re.findall(r"^- ((?:.|\n  )*)", found.group(1), re.MULTILINE)]
    )


def _tasks() -> dict[str, tuple[str, Path]]:
    """Return for every exercise its title and its source."""
    found: dict[str, tuple[str, Path]] = {}
    for path in sources("exercises"):
        heading = ""
        for cell in cells(path):
            if cell.source.startswith("### "):
                heading = title(cell)
            if "exercise" in cell.metadata:
                found[cell.metadata["exercise"]] = (heading, path)
    return found


def _homes() -> dict[str, str]:
    return {name: f"exercises-{path.stem.replace('_', '-')}.html" for name, (_, path) in _tasks().items()}


def _prepares() -> dict[str, list[tuple[str, str]]]:
    """Return for every exercise the addresses and titles of the topics that link to it."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in _tasks()}
    for path in sources("theory"):
        for cell in cells(path):
            if "topic" in cell.metadata:
                address = f"{path.stem.replace('_', '-')}.html#{cell.metadata['topic']}"
                found[cell.metadata["exercise"]].append((address, title(cell)))
    return found


def _short(heading: str) -> str:
    return heading.replace(" (harder)", "")
