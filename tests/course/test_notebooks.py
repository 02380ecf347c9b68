"""The notebooks are what their sources say, have every part of every topic, and run."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.sources import COURSE, builder

BUILD = builder()
ROOT = COURSE.parent
TOPICS = list(BUILD.topics())
# the outline of the course: ten sections of five topics
OUTLINE = {
    "goal": 5,
    "autoregressive": 5,
    "vae": 5,
    "gan": 5,
    "flow": 5,
    "diffusion": 5,
    "score": 5,
    "evaluation": 5,
    "applications": 5,
    "diagnostics": 5,
}


def test_there_are_fifty_topics_in_order() -> None:
    names = [first.metadata["topic"] for first, _ in TOPICS]
    assert len(set(names)) == len(names) == 50
    assert [name.partition(".")[0] for name in names] == [s for s, n in OUTLINE.items() for _ in range(n)]
    numbers = [re.findall(r"^### (\d+)\.(\d+) ", first.source)[0] for first, _ in TOPICS]
    assert numbers == [(str(s), str(t)) for s in range(1, 11) for t in range(1, 6)]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic[0].metadata["topic"])
def test_a_topic_has_all_of_its_parts(topic: tuple) -> None:
    _, cells = topic
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    for part in BUILD.PARTS:
        assert part in text, f"no {part}"
    idea = re.findall(r"\*\*Idea\.\*\*(.*?)\n\n", text + "\n\n", re.DOTALL)[0]
    assert len(re.findall(r"[.?!](?=\s|$)", idea.strip())) == 2, f"the idea is not two sentences: {idea}"
    assert any("assert" in part for part in code), "no number is asserted"
    assert any(re.search(r"^(show|explore)\(", part, re.MULTILINE) for part in code), "no picture"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic[0].metadata["topic"])
def test_a_topic_names_a_library_function_and_its_test(topic: tuple) -> None:
    module, _, names = topic[0].metadata["uses"].partition(":")
    found = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    path, _, test = topic[0].metadata["test"].partition("::")
    assert f"def {test}(" in (ROOT / path).read_text()
    assert not path.startswith("tests/course/")


def test_the_table_of_topics_says_where_each_one_is() -> None:
    made = BUILD.theory().cells
    rows = re.findall(r"^\| \[(.*?)\]\(#.*?\) \| (\d+) \| `(.*?)` \| `(.*?)` \|$", made[-1].source, re.MULTILINE)
    assert len(rows) == 50
    for title, place, uses, test in rows:
        assert made[int(place) - 1].source.startswith(f"### {title}\n")
        assert any((t.metadata["uses"], t.metadata["test"]) == (uses, test) for t, _ in TOPICS)


@pytest.mark.parametrize("name", BUILD.BUILDS)
def test_a_notebook_is_what_its_source_says(name: str) -> None:
    stored = (COURSE / f"{name}.ipynb").read_text()
    assert stored == BUILD.text(BUILD.stored(name)), "run `make course`"
    assert len(stored) < 1_000_000  # what a repository's page still shows
    made = BUILD.BUILDS[name]().cells
    assert [(c.cell_type, c.source) for c in BUILD.stored(name).cells] == [(c.cell_type, c.source) for c in made]


def test_nothing_of_a_solution_is_left_in_the_exercises() -> None:
    for name, source in BUILD.solutions().items():
        stub = BUILD.stub(source)
        assert "raise NotImplementedError" in stub
        assert "SOLUTION" not in stub
        body = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", source, re.DOTALL)[0]
        assert all(line not in stub for line in body.splitlines() if line.strip()), name


def test_the_otter_export_has_balanced_marks() -> None:
    raw = [cell.source.split("\n")[0] for cell in BUILD.otter().cells if cell.cell_type == "raw"]
    per = ["# BEGIN QUESTION", "# BEGIN SOLUTION", "# END SOLUTION", "# BEGIN TESTS", "# END TESTS", "# END QUESTION"]
    assert raw == ["# ASSIGNMENT CONFIG", *(per * len(BUILD.solutions()))]


def test_an_assertion_of_the_otter_export_says_what_is_wrong_and_gives_a_hint() -> None:
    tests = [cell.source for cell in BUILD.otter().cells if "\nassert outcome" in cell.source]
    assert len(tests) == len(BUILD.solutions())
    for text in tests:
        function = re.findall(r'check\(".*?", (\w+)\)', text)[0]
        with pytest.raises(AssertionError, match=r"(?s)not yet\. it raised KeyError: 'mine'.*Hint: \w+"):
            exec(text, {function: lambda *arguments: {}["mine"]})


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["theory", "exercises", "solutions"])
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(COURSE / "build.py"), "--run", name, "--into", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    page = (tmp_path / f"{name}.html").read_text()
    assert "Traceback" not in page
    if name != "theory":
        shown = len(re.findall(r"<b style[^>]*>[\w.]+: (passed|not yet)", page))
        assert shown == len(BUILD.solutions())
        assert ("not yet" in page) == (name == "exercises")
    print(f"{name}: {time.perf_counter() - began:.0f} s")
