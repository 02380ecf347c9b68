"""`pushforward course`: list, start, check, hint, in scripts and in notebooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from course.sources import solutions
from pushforward.course.catalogue import exercises
from pushforward.faces.cli.main import main

Run = Callable[..., tuple[int, str, str]]
SOLUTIONS = solutions()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["course", *(str(word) for word in words)])
        told = capsys.readouterr()
        return int(stop.value.code or 0), told.out, " ".join(told.err.split())

    return call


@pytest.fixture
def solved(tmp_path: Path) -> Path:
    """A file of right answers but one, which averages over the batch."""
    path = tmp_path / "mine.py"
    sources = {**SOLUTIONS, "vae.kl": SOLUTIONS["vae.kl"].replace(").sum(1)", ").sum(1).mean()")}
    path.write_text(
        "import math\n\nimport torch\n\nprint('noise')\n\n" + "\n\n\n".join(sources.values()) + "\n"
    )
    return path


def test_every_exercise_is_listed_with_what_to_write(run: Run) -> None:
    status, out, _ = run("list", "--json")
    listed = json.loads(out)["exercises"]
    assert status == 0
    assert [e["name"] for e in listed] == [e.name for e in exercises()]
    assert {"name", "section", "title", "harder", "function", "task"} == set(listed[0])
    assert len(run("list")[1].splitlines()) == len(listed)


def test_stubs_are_written_once_and_fail_cleanly(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    assert run("start", path)[0] == 0
    status, out, err = run("check", path)
    assert status == 1
    assert out.count("it is not written yet") == len(exercises()) == len(out.splitlines())
    assert err == f"0 of {len(exercises())} right"
    assert run("start", path) == (2, "", run("start", path)[2])
    assert "which exists" in run("start", path)[2]
    assert "ends in .py" in run("start", tmp_path / "new.txt")[2]


def test_a_script_is_checked_and_what_it_prints_is_not_data(run: Run, solved: Path) -> None:
    status, out, _ = run("check", solved, "--json")
    found = {c["name"]: c for c in json.loads(out)["checks"]}
    assert status == 1
    assert [name for name, c in found.items() if not c["passed"]] == ["vae.kl"]
    assert "averaged over the batch" in found["vae.kl"]["says"]
    status, out, err = run("check", solved, "vae.elbo")
    assert (status, err.endswith("1 of 1 right"), out.startswith("vae.elbo: passed.")) == (
        0,
        True,
        True,
    )


def test_a_notebook_is_checked_as_a_script_is(run: Run, tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": "def elbo(): no code"}]
    cells += [
        {"cell_type": "code", "source": text}
        for text in ("%pip install x\nimport math, torch", *SOLUTIONS.values())
    ]
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    status, out, _ = run("check", path)
    assert status == 0, out
    assert len(out.splitlines()) == len(SOLUTIONS)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.py", "def elbo(:", r"which raised SyntaxError in line 1"),
        ("a.py", "1 / 0", "which raised ZeroDivisionError: division by zero"),
        ("a.py", "import sys; sys.exit(3)", "which raised SystemExit"),
        ("a.py", "x = 1", "without any of the exercises' functions"),
        ("a.ipynb", "no json", "a notebook, which is JSON with cells"),
        ("a.txt", "x", "ends in .py or .ipynb"),
        (None, "", "no file at"),
    ],
)
def test_files_that_are_no_answers(
    run: Run, tmp_path: Path, name: str | None, text: str, says: str
) -> None:
    path = tmp_path / (name or "none.py")
    if name:
        path.write_text(text)
    status, out, err = run("check", path)
    assert (status, out) == (2, "")
    assert says in err


def test_words_that_mean_nothing(run: Run, solved: Path) -> None:
    assert "did you mean 'vae.kl'" in run("check", solved, "vae.lk")[2]
    assert "expected 1, 2 or 3" in run("hint", "vae.kl", "--level", "4")[2]
    assert run("hint", "vae.kl")[1].startswith("Both densities are products")
    solved.write_text(SOLUTIONS["vae.iwae"])
    assert "without `elbo`: expected def elbo(x, mean" in run("check", solved, "vae.elbo")[2]
