"""Build the notebooks and the site of the course from their sources.

    python course/build.py                 write theory, exercises, solutions, the Otter export as .ipynb, and the README's contents
    python course/build.py --check         exit 1 if a notebook is not what its source says, or lacks what its code shows
    python course/build.py --try FILE ...  run the code of some sources in this process, after that of 00_start.py beside them
    python course/build.py --run NAME ... [--into DIR]
                                           execute notebooks (theory, exercises, solutions), keep their outputs with small
                                           pictures, write the site to course/site; with DIR write there, keep no outputs

Two ideas: prose, code and solutions have one source, text in the py:percent format (`theory/*.py`, `exercises/*.py`); a notebook
is equal bytes for equal sources and results, so that a test can say that it is up to date.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

if str(Path(__file__).parent) not in sys.path:  # what makes pages lies beside this script
    sys.path.insert(0, str(Path(__file__).parent))

from making import pages, site
from making.shown import missing, take_over
from making.sources import cells, function_of, hints, solutions, sources, stub, title, topics, unmarked

__all__ = ["BUILDS", "PARTS", "cells", "execute", "main", "solutions", "sources", "stub", "text", "theory", "topics"]

HERE = Path(__file__).parent
PARTS = ("**Idea.**", "$$", "**By hand.**", "**What is optimised.**", "**Common mistake.**", "**Why today.**")


def theory() -> NotebookNode:
    """Return the theory: all sections, then the generated table of topics."""
    made = [cell for path in sources("theory") for cell in cells(path)]
    lines = ["## Where every topic lives", "", "| topic | cell | library | test |", "|---|---:|---|---|"]
    places = {cell.metadata["topic"]: place for place, cell in enumerate(made, 1) if "topic" in cell.metadata}
    for first, _ in topics():
        topic, uses, test = (first.metadata[key] for key in ("topic", "uses", "test"))
        anchor = re.sub(r"\s+", "-", title(first))
        lines.append(f"| [{title(first)}](#{anchor}) | {places[topic]} | `{uses}` | `{test}` |")
    return _notebook([_without(cell) for cell in made] + [new_markdown_cell("\n".join(lines))])


def exercises(solved: bool = False) -> NotebookNode:
    """Return the exercises with a cell that checks each, and its hints folded; solutions are in if `solved`."""
    made: list[NotebookNode] = []
    for cell in (cell for path in sources("exercises") for cell in cells(path)):
        name = cell.metadata.get("exercise")
        if name is None:
            made.append(_without(cell))
            continue
        made.append(new_code_cell(unmarked(cell.source) if solved else stub(cell.source)))
        made.append(new_code_cell(f'check("{name}", {function_of(cell.source)})'))
        if not solved:
            made.append(new_markdown_cell(hints(name)))
    return _notebook(made)


def otter() -> NotebookNode:
    """Return the exercises in the format of Otter Assign: raw cells around questions, solutions and tests."""
    made = [new_raw_cell("# ASSIGNMENT CONFIG\nname: pushforward\nsolutions_pdf: false\nexport_cell: false")]
    for cell in (cell for path in sources("exercises") for cell in cells(path)):
        name = cell.metadata.get("exercise")
        if name is None:
            made.append(_without(cell))
            continue
        made.append(new_raw_cell(f"# BEGIN QUESTION\nname: {name.replace('.', '_')}\npoints: 1"))
        made.append(new_raw_cell("# BEGIN SOLUTION"))
        made.append(new_code_cell(cell.source))
        made += [new_raw_cell("# END SOLUTION"), new_raw_cell("# BEGIN TESTS")]
        made += [
            new_code_cell(_asserted(name, function_of(cell.source))),
            new_raw_cell("# END TESTS"),
            new_raw_cell("# END QUESTION"),
        ]
    return _notebook(made)


def _asserted(name: str, function: str) -> str:
    """Return a test whose failure says what the checker says, and the first hint."""
    return (
        "from pushforward.course import check, hint\n"
        f'outcome = check("{name}", {function})\n'
        f"assert outcome, f\"{{outcome}}\\n  Hint: {{hint('{name}')}}\""
    )


def execute(notebook: NotebookNode, seconds: int = 180) -> NotebookNode:
    """Return the notebook with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    os.environ.setdefault("PUSHFORWARD_PROGRESS", "0")  # a page shows what was found, not how long it took to find

    # by sockets in the file system: nothing listens on the network; in a folder of their own, or two kernels would share them
    with tempfile.TemporaryDirectory(prefix="pf") as folder:
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(Path(folder) / "kernel"))
        NotebookClient(notebook, km=manager, timeout=seconds).execute()
    return notebook


def attempt(paths: list[Path]) -> None:
    """Run the code of sources in one name space, quicker than a kernel; pictures are made and thrown away."""
    import ast
    import time

    names: dict = {}
    for path in [paths[0].parent / "00_start.py", *paths]:
        for cell in cells(path):
            if cell.cell_type != "code":
                continue
            began, tree = time.perf_counter(), ast.parse(cell.source)
            last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
            where = f"{path.name}: {cell.source.splitlines()[0]}"
            exec(compile(tree, where, "exec"), names)
            shown = None if last is None else eval(compile(last, where, "eval"), names)
            if hasattr(shown, "_repr_html_"):
                shown._repr_html_()
            print(f"{time.perf_counter() - began:6.2f} s  {where}", "" if shown is None else repr(shown)[:80])


def text(notebook: NotebookNode) -> str:
    """Return the notebook as it is stored; a cell's name is a hash of where it stands and what it holds."""
    for place, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{place} {cell.source}".encode()).hexdigest()[:8]
        if cell.cell_type == "code":
            cell.execution_count = None
    return nbformat.writes(notebook, version=4) + "\n"


def stored(name: str) -> NotebookNode:
    """Return a notebook as its source says, with the outputs that the stored one has for the same code."""
    made, path = BUILDS[name](), HERE / f"{name}.ipynb"
    return take_over(made, nbformat.read(path, as_version=4)) if path.exists() else made


BUILDS = {
    "theory": theory,
    "exercises": exercises,
    "solutions": lambda: exercises(solved=True),
    "exercises-otter": otter,
}
SHOWN = ("theory", "exercises", "solutions")  # executed, with pictures


def run(names: list[str], into: Path | None) -> None:
    """Execute notebooks; write a page of each and, with the theory among them, the site."""
    for name in names:
        done = execute(BUILDS[name]())
        if into is None:
            (HERE / f"{name}.ipynb").write_text(text(take_over(BUILDS[name](), done)))
        folder = HERE / "site" if into is None else into
        folder.mkdir(parents=True, exist_ok=True)
        if name == "theory":
            for stem, png in site.pictures(done).items() if into is None else ():
                (HERE / "pictures").mkdir(exist_ok=True)
                (HERE / "pictures" / f"{stem}.png").write_bytes(png)
            site.write(done, folder)
        (folder / f"{name}.html").write_text(pages.whole(name, done), encoding="utf-8")


def main(words: list[str]) -> int:
    """Do what the words ask for and return the exit status."""
    if words[:1] == ["--run"]:
        run([word for word in words[1:] if word in BUILDS], Path(words[-1]) if "--into" in words else None)
        return 0
    if words[:1] == ["--try"]:
        attempt([Path(word).resolve() for word in words[1:]])
        return 0
    stale = []
    for name in BUILDS:
        path, made = HERE / f"{name}.ipynb", text(stored(name))
        if words != ["--check"]:
            path.write_text(made)
        elif not path.exists() or path.read_text() != made or (name in SHOWN and missing(stored(name))):
            stale.append(path.name)
    readme = HERE / "README.md"
    if words != ["--check"]:
        readme.write_text(site.readme(readme.read_text()))
    elif readme.read_text() != site.readme(readme.read_text()):
        stale.append(readme.name)
    if stale:
        print(f"not what the sources say: {', '.join(stale)}; run `make course`", file=sys.stderr)
    return 1 if stale else 0


def _notebook(made: list[NotebookNode]) -> NotebookNode:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _without(cell: NotebookNode) -> NotebookNode:
    """Return a cell without the metadata that only this script reads, and without tags of the source's format."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}[cell.cell_type]
    return make(cell.source)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
