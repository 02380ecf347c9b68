"""The sources of the course: text in the py:percent format, cell by cell.

Two ideas: prose, code and solutions have one source each; what belongs together (a topic, the library's function, its test,
the exercise) is written as metadata of the topic's first cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
from nbformat import NotebookNode

COURSE = Path(__file__).parents[1]
SOLUTION = re.compile(r"( *)# BEGIN SOLUTION\n.*?# END SOLUTION\n?", re.DOTALL)


def sources(kind: str) -> list[Path]:
    """Return the sources of `theory` or `exercises`, in order."""
    return sorted((COURSE / kind).glob("*.py"))


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


def title(cell: NotebookNode) -> str:
    """Return the heading of a topic or an exercise."""
    return re.findall(r"^### (.*)$", cell.source, re.MULTILINE)[0]


def hints(name: str) -> str:
    """Return the hints of an exercise, folded, as markdown."""
    from pushforward.course import hint

    folded = [f"<details><summary>Hint {i}</summary>\n\n{hint(name, i)}\n\n</details>" for i in (1, 2, 3)]
    return "\n".join(folded)
