"""Build the notebooks of the course from their sources.

    python course/build.py                 write theory, exercises, solutions and the Otter export as .ipynb
    python course/build.py --check         exit 1 if a notebook is not what its source says
    python course/build.py --try FILE ...  run the code of some sources in this process, after that of 00_start.py beside them
    python course/build.py --run NAME [--into DIR]
                                           execute a notebook (theory, exercises, solutions) and write course/site/NAME.html

Two ideas: prose, code and solutions have one source, text in the py:percent format (`theory/*.py`, `exercises/*.py`); notebooks are
generated without outputs, equal bytes for equal sources, so that a test can say that they are up to date.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

HERE = Path(__file__).parent
SOLUTION = re.compile(r"( *)# BEGIN SOLUTION\n.*?# END SOLUTION\n?", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`])\$([^$`]+?)\$", re.DOTALL)
PARTS = ("**Idea.**", "$$", "**By hand.**", "**What is optimised.**", "**Common mistake.**", "**Why today.**")


def sources(kind: str) -> list[Path]:
    """Return the sources of `theory` or `exercises`, in order."""
    return sorted((HERE / kind).glob("*.py"))


def cells(path: Path) -> list[NotebookNode]:
    """Return the cells of a source; metadata are those written after `# %%`."""
    return list(jupytext.read(path, fmt="py:percent").cells)


def topics() -> Iterator[tuple[NotebookNode, list[NotebookNode]]]:
    """Yield for every topic of the theory its first cell and all of its cells."""
    for path in sources("theory"):
        found: list[list[NotebookNode]] = []
        for cell in cells(path):
            if "topic" in cell.metadata:
                found.append([])
            elif cell.source.startswith("## "):
                continue
            if found:
                found[-1].append(cell)
        yield from ((group[0], group) for group in found)


def theory() -> NotebookNode:
    """Return the theory: all sections, then the generated table of topics."""
    made = [cell for path in sources("theory") for cell in cells(path)]
    lines = ["## Where every topic lives", "", "| topic | cell | library | test |", "|---|---:|---|---|"]
    places = {cell.metadata["topic"]: place for place, cell in enumerate(made, 1) if "topic" in cell.metadata}
    for first, _ in topics():
        topic, uses, test = (first.metadata[key] for key in ("topic", "uses", "test"))
        anchor = re.sub(r"\s+", "-", _title(first))
        lines.append(f"| [{_title(first)}](#{anchor}) | {places[topic]} | `{uses}` | `{test}` |")
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
            made.append(new_markdown_cell(_hints(name)))
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


def solutions() -> dict[str, str]:
    """Return the source of every published solution by the exercise's name."""
    found = (cell for path in sources("exercises") for cell in cells(path))
    return {cell.metadata["exercise"]: cell.source for cell in found if "exercise" in cell.metadata}


def stub(source: str) -> str:
    """Return a solution with its body taken out."""
    return SOLUTION.sub(r"\1raise NotImplementedError  # your turn\n", source + "\n").rstrip("\n")


def unmarked(source: str) -> str:
    """Return a solution without the marks around its body."""
    return re.sub(r" *# (BEGIN|END) SOLUTION\n?", "", source).rstrip("\n")


def function_of(source: str) -> str:
    """Return the name of the last function that a cell defines: the one to be checked."""
    return re.findall(r"^def (\w+)\(", source, re.MULTILINE)[-1]


def execute(notebook: NotebookNode, seconds: int = 180) -> NotebookNode:
    """Return the notebook with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

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


def render(notebook: NotebookNode, path: Path) -> None:
    """Write an executed notebook as one page, its equations as MathML: nothing is fetched when it is read."""
    from nbconvert import HTMLExporter

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(_mathml, cell.source)
    text, _ = HTMLExporter(sanitize_html=False, mathjax_url="", require_js_url="").from_notebook_node(notebook)
    text = re.sub(r'<script[^>]*src="https?://[^"]*"[^>]*></script>', "", text)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _mathml(found: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    display, inline = found.groups()
    made = convert(display or inline, display="block" if display else "inline")
    # markdown would take these for its own marks
    return made.replace("*", "&#x2a;").replace("_", "&#x5f;").replace("|", "&#x7c;")


def text(notebook: NotebookNode) -> str:
    """Return the notebook as it is stored; a cell's name is a hash of where it stands and what it holds."""
    for place, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{place} {cell.source}".encode()).hexdigest()[:8]
    return nbformat.writes(notebook, version=4) + "\n"


BUILDS = {
    "theory": theory,
    "exercises": exercises,
    "solutions": lambda: exercises(solved=True),
    "exercises-otter": otter,
}


def main(words: list[str]) -> int:
    """Do what the words ask for and return the exit status."""
    if words[:1] == ["--run"]:
        into = Path(words[-1]) if "--into" in words else HERE / "site"
        for name in (word for word in words[1:] if word in BUILDS):
            render(execute(BUILDS[name]()), into / f"{name}.html")
        return 0
    if words[:1] == ["--try"]:
        attempt([Path(word).resolve() for word in words[1:]])
        return 0
    stale = []
    for name, build in BUILDS.items():
        path, made = HERE / f"{name}.ipynb", text(build())
        if words == ["--check"]:
            stale += [] if path.exists() and path.read_text() == made else [path.name]
        else:
            path.write_text(made)
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


def _title(cell: NotebookNode) -> str:
    return re.findall(r"^### (.*)$", cell.source, re.MULTILINE)[0]


def _hints(name: str) -> str:
    from pushforward.course import hint

    folded = [f"<details><summary>Hint {i}</summary>\n\n{hint(name, i)}\n\n</details>" for i in (1, 2, 3)]
    return "\n".join(folded)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
