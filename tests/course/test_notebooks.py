"""The notebooks are what their sources say, have every part of every topic, and run."""

from __future__ import annotations

import base64
import importlib
import io
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from course.sources import COURSE, builder
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES

BUILD = builder()
from making.shown import missing, take_over  # noqa: E402, the builder says where it is

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
    assert [name.partition(".")[0] for name in names] == [
        s for s, n in OUTLINE.items() for _ in range(n)
    ]
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
    assert len(re.findall(r"[.?!](?=\s|$)", idea.strip())) == 2, (
        f"the idea is not two sentences: {idea}"
    )
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
    rows = re.findall(
        r"^\| \[(.*?)\]\(#.*?\) \| (\d+) \| `(.*?)` \| `(.*?)` \|$", made[-1].source, re.MULTILINE
    )
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
    assert [(c.cell_type, c.source) for c in BUILD.stored(name).cells] == [
        (c.cell_type, c.source) for c in made
    ]


@pytest.mark.parametrize("name", BUILD.SHOWN)
def test_a_notebook_is_shown_with_its_pictures_and_without_errors(name: str) -> None:
    shown = nbformat.read(COURSE / f"{name}.ipynb", as_version=4)
    assert not missing(shown), "run `make course`"
    data = [o.get("data", {}) for c in shown.cells if c.cell_type == "code" for o in c.outputs]
    for kinds in data:
        assert not re.search(r"<(svg|style|script)", str(kinds.get("text/html", ""))), (
            "what a repository's page strips"
        )
    said = "".join(
        str(o.get("text", "")) for c in shown.cells if c.cell_type == "code" for o in c.outputs
    )
    assert "\r" not in said, "a bar of progress is no result"
    pictures = [base64.b64decode(kinds["image/png"]) for kinds in data if "image/png" in kinds]
    assert len(pictures) >= {"theory": 50, "solutions": 20}.get(name, 0)
    for png in pictures:
        picture = Image.open(io.BytesIO(png))
        assert min(picture.size) > 60
        assert len(picture.getcolors(256) or ()) > 2, "a picture of nothing"


def test_a_change_of_prose_keeps_outputs_and_a_change_of_code_drops_them() -> None:
    shown = new_notebook(
        cells=[new_code_cell("print(1)"), new_markdown_cell("one"), new_code_cell("show(2)")]
    )
    shown.cells[0].outputs = [new_output("stream", name="stdout", text="1\n")]
    shown.cells[2].outputs = [new_output("display_data", data={"image/png": "aGk="})]
    made = new_notebook(
        cells=[new_markdown_cell("two"), new_code_cell("print(1)"), new_code_cell("show(3)")]
    )
    kept = take_over(made, shown)
    assert [o.text for o in kept.cells[1].outputs] == ["1\n"]
    assert not kept.cells[2].outputs
    assert missing(kept) == ["show(3)"]
    kept.cells[2].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=[])]
    assert missing(kept) == ["show(3)"]


def test_the_readme_has_the_contents_that_the_sources_have_and_is_found_from_the_first_screen() -> (
    None
):
    text = (COURSE / "README.md").read_text()
    assert text == BUILD.site.readme(text), "run `make course`"
    for first, _ in TOPICS:
        assert re.findall(r"^### (.*)$", first.source, re.MULTILINE)[0] in text
    pictures = re.findall(r'<img src="(pictures/[^"]*)"', text)
    assert len(pictures) == 10
    for picture in pictures:
        assert 500 < (COURSE / picture).stat().st_size < 10_000
    screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    assert "course/README.md" in screen


def test_every_section_says_what_one_learns_and_the_references_are_links() -> None:
    for path in BUILD.sources("theory"):
        opening = BUILD.cells(path)[0].source
        if re.match(r"## \d", opening):
            goals = re.findall(
                r"^- ", opening.partition("**After this section you can**")[2], re.MULTILINE
            )
            assert 3 <= len(goals) <= 5, path.name
    references = BUILD.cells(BUILD.sources("theory")[-1])[-1].source
    for paper in ("1312.6114", "1406.2661", "2006.11239", "2011.13456", "1807.03039"):
        assert f"(https://arxiv.org/abs/{paper})" in references
    for line in re.findall(r"^- .*$", references, re.MULTILINE):
        assert re.search(
            r"\((1|2)\d{3}\).*\]\(https://(arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\..*)\)$", line
        ), line
        year, identity = re.findall(r"\((\d{4})\)", line)[0], re.findall(r"abs/(\d\d)", line)
        assert not identity or year == f"20{identity[0]}", f"the year of the first version: {line}"


def test_the_map_says_what_every_family_is_best_at_and_what_it_costs() -> None:
    for name in FAMILIES.names():
        card = family_class(name).card
        assert card.strength, name
        assert card.cost, name
    shown = "".join(
        str(o.get("data", {}).get("text/markdown", ""))
        for c in nbformat.read(COURSE / "theory.ipynb", as_version=4).cells
        for o in c.get("outputs", ())
    )
    assert "| family | main strength | main cost |" in shown
    assert all(family_class(name).card.strength in shown for name in FAMILIES.names())


def test_nothing_of_a_solution_is_left_in_the_exercises() -> None:
    for name, source in BUILD.solutions().items():
        stub = BUILD.stub(source)
        assert "raise NotImplementedError" in stub
        assert "SOLUTION" not in stub
        body = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", source, re.DOTALL)[0]
        assert all(line not in stub for line in body.splitlines() if line.strip()), name


def test_the_otter_export_has_balanced_marks() -> None:
    raw = [cell.source.split("\n")[0] for cell in BUILD.otter().cells if cell.cell_type == "raw"]
    per = [
        "# BEGIN QUESTION",
        "# BEGIN SOLUTION",
        "# END SOLUTION",
        "# BEGIN TESTS",
        "# END TESTS",
        "# END QUESTION",
    ]
    assert raw == ["# ASSIGNMENT CONFIG", *(per * len(BUILD.solutions()))]


def test_an_assertion_of_the_otter_export_says_what_is_wrong_and_gives_a_hint() -> None:
    tests = [cell.source for cell in BUILD.otter().cells if "\nassert outcome" in cell.source]
    assert len(tests) == len(BUILD.solutions())
    for text in tests:
        function = re.findall(r'check\(".*?", (\w+)\)', text)[0]
        with pytest.raises(
            AssertionError, match=r"(?s)not yet\. it raised KeyError: 'mine'.*Hint: \w+"
        ):
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
