"""Answers in files: stubs to fill in, and the functions of a script or a notebook.

One idea: a function is an answer if its name is that of an exercise's function; whatever else a
file holds is its own business.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.files import write_text
from pushforward.course.catalogue import exercises
from pushforward.course.exercise import Answer
from pushforward.course.running import of_the_user

HEAD = '''"""Answers to the exercises of the course; `pushforward course check {name}` says which are right."""

import math

import torch
'''


def write_stubs(path: Path) -> int:
    """Write a file with every function to fill in, and return how many there are.

    Raises:
        BadInput: the file exists, or is no Python file.
    """
    if path.suffix != ".py":
        raise BadInput(f"{path}", "a file that ends in .py")
    if path.exists():
        raise BadInput(
            f"{path}, which exists", "a new file", "it may hold your answers; choose another name"
        )
    parts = [HEAD.format(name=path.name)]
    for exercise in exercises():
        harder = ", harder" if exercise.harder else ""
        parts.append(
            f"\n# {exercise.name}: {exercise.title} (section {exercise.section}{harder})\n{exercise.starter()}"
        )
    write_text(path, "\n".join(parts))
    return len(exercises())


def read_answers(path: Path) -> dict[str, Answer]:
    """Run a script or the code of a notebook and return its answers by the exercise's name.

    Raises:
        BadInput: no such file, one of another kind, one that fails when it runs, or one without any
            answer.
    """
    readable(path)
    names = _names(path)
    by_function = {exercise.function: exercise.name for exercise in exercises()}
    found = {
        by_function[key]: value
        for key, value in names.items()
        if key in by_function and callable(value)
    }
    if not found:
        wanted = ", ".join(list(by_function)[:3])
        raise BadInput(
            f"{path} without any of the exercises' functions", f"functions such as {wanted}"
        )
    return {
        exercise.name: found[exercise.name] for exercise in exercises() if exercise.name in found
    }


def readable(path: Path) -> None:
    """Look whether a file can hold answers, without running it.

    Raises:
        BadInput: no such file, or one of another kind.
    """
    if path.is_dir():
        raise BadInput(
            f"{path}, which is a folder",
            "a .py or .ipynb with your functions",
            "name the file in it",
        )
    if not path.is_file():
        raise BadInput(f"no file at {path}", "a .py or .ipynb with your functions")
    if path.suffix not in (".py", ".ipynb"):
        raise BadInput(f"{path}", "a file that ends in .py or .ipynb")
    if path.suffix == ".ipynb":
        _code(path)


def _names(path: Path) -> dict[str, Any]:
    if path.suffix == ".py":
        return _run(path, path)
    code = _code(path)
    lines = [
        line
        for part in code
        for line in part.splitlines()
        if not line.lstrip().startswith(("%", "!"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / f"{path.stem}.py"
        script.write_text("\n".join(lines) + "\n")
        return _run(script, path)


def _code(path: Path) -> list[str]:
    """Return the code cells of a notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path}", "a notebook, which is JSON with cells") from None


def _run(script: Path, path: Path) -> dict[str, Any]:
    try:
        # what a file prints is not this command's data
        with contextlib.redirect_stdout(sys.stderr):
            # a notebook's `display` shows nothing here
            return runpy.run_path(str(script), {"display": lambda *_: None}, run_name="answers")
    except BaseException as error:
        if of_the_user(error):
            raise
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise BadInput(
            f"{path}, which raised {type(error).__name__}{line}: {error}", "a file that runs"
        ) from None
