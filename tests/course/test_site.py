"""The site of the course: formulas, links, search and pictures, from two pages built of real cells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook, new_output

from course.sources import builder

BUILD = builder()
from making import maths, pages, raster, searching, site, sources  # noqa: E402, the builder says where they are

from pushforward.course.pictures import cloud, curve, explore, images, show  # noqa: E402

MARKDOWN = [
    (path, cell.source)
    for kind in ("theory", "exercises")
    for path in BUILD.sources(kind)
    for cell in BUILD.cells(path)
    if cell.cell_type == "markdown"
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the whole site of prose, with the pictures of two topics: nothing is trained."""
    cells = [cell for path in BUILD.sources("theory") for cell in BUILD.cells(path)]
    drawn = [
        cell
        for cell in cells
        if cell.cell_type == "code" and re.search(r"^(show|explore)\(", cell.source, re.MULTILINE)
    ]
    line = show(curve([0, 1, 2], {"up": [0.0, 1.0, 4.0]}, "x", "a < b"), says="a line")
    moved = explore(
        "level",
        {0.1: cloud([[0.0, 0.0], [1.0, 1.0]], says="two points"), 0.5: "<svg/>", 2.0: "<svg/>"},
        start=2.0,
    )
    for cell, shown in zip(drawn, (line, moved)):
        cell.outputs = [
            new_output(
                "display_data", data={"text/html": shown._repr_html_(), "text/plain": repr(shown)}
            )
        ]
    into = tmp_path_factory.mktemp("site")
    site.write(new_notebook(cells=cells), into)
    return into


def test_no_formula_is_left_raw() -> None:
    found = [
        tex for _, text in MARKDOWN for pair in maths.FORMULA.findall(text) for tex in pair if tex
    ]
    assert len(found) > 500
    for tex in found:
        made = maths.mathml(tex)  # which refuses what comes out raw
        assert "mathvariant" not in made.replace('mathvariant="normal"', ""), (
            f"an alphabet that browsers no longer read: {tex}"
        )


@pytest.mark.parametrize(
    ("tex", "holds"),
    [
        (r"\Big\| x \Big\|^2", "&#x02016;"),
        (
            r"\arg\max_k x",
            '<mo form="prefix" lspace="0.1em" rspace="0.17em" stretchy="false">arg</mo>',
        ),
        (r"e^{\mathrm{log\_scale}}", "<mi>log_scale</mi>"),
        (r"\mathbb E\,\mathcal N", "𝔼"),
        (r"\mathcal L", "ℒ"),
        (r"x \text{ (as $t$ falls)}", "<mi>t</mi>"),
        (r"x \sim p", '<mo lspace="0.28em" rspace="0.28em">&#x0223C;</mo>'),
    ],
)
def test_what_the_parser_leaves_raw_is_put_right(tex: str, holds: str) -> None:
    made = maths.mathml(tex)
    assert holds in made
    assert "\\" not in made


@pytest.mark.parametrize("tex", [r"\nosuchcommand x", r"\text{a\_b}"])
def test_a_formula_that_stays_raw_stops_the_build(tex: str) -> None:
    with pytest.raises(ValueError, match="left raw"):
        maths.mathml(tex)


def test_pages_hold_no_raw_tex_and_fetch_nothing(built: Path) -> None:
    for path in built.glob("*.html"):
        page = path.read_text()
        bare = re.sub(r"<(pre|code|script)\b.*?</\1>", "", page, flags=re.DOTALL)
        bare = re.sub(r"<[^>]*>", " ", bare)
        assert not re.search(r"\\[a-zA-Z|]|\$|MATH\d", bare), (
            path.name,
            re.findall(r".{20}(?:\\[a-zA-Z|]|\$|MATH\d).{20}", bare)[:3],
        )
        fetched = re.findall(
            r"<(?:script|img|iframe|source|video|audio)[^>]*\ssrc=\"([^\"]*)\"|<link[^>]*href=\"([^\"]*)\"",
            page,
        )
        assert {a or b for a, b in fetched if not a.startswith("data:")} <= {"site.css", "site.js"}
    style = (built / "site.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in (built / "site.js").read_text().partition("\n")[2]
    assert re.search(
        r"math \{ font-family: [^}]*Math", style
    )  # roots that do not strike through their digits


def test_every_link_arrives(built: Path) -> None:
    ids = {
        path.name: set(re.findall(r'\sid="([^"]*)"', path.read_text()))
        for path in built.glob("*.html")
    }
    count = 0
    for path in built.glob("*.html"):
        for address in re.findall(r'<a [^>]*?href="([^"]*)"', path.read_text()):
            if address.startswith("https://"):
                continue
            file, _, anchor = address.partition("#")
            file = file or path.name
            assert file in ids, f"{path.name} links to {address}"
            assert not anchor or anchor in ids[file], f"{path.name} links to {address}"
            count += 1
    assert count > 400


def test_pages_are_a_chain(built: Path) -> None:
    at, seen = "index.html", []
    while at:
        seen.append(at)
        after = re.findall(r'<a rel="next" href="([^"]*)"', (built / at).read_text())
        if after:
            assert re.findall(r'<a rel="prev" href="([^"]*)"', (built / after[0]).read_text()) == [
                at
            ]
        at = after[0] if after else ""
    assert sorted(seen) == sorted(path.name for path in built.glob("*.html"))


def test_every_topic_links_to_an_exercise_and_back(built: Path) -> None:
    names = BUILD.solutions()
    for first, _ in BUILD.topics():
        topic, task = first.metadata["topic"], first.metadata["exercise"]
        assert task in names
        (home,) = [p for p in built.glob("[01]*.html") if f'<h3 id="{topic}">' in p.read_text()]
        (away,) = [
            p for p in built.glob("exercises-*.html") if f'<h3 id="{task}">' in p.read_text()
        ]
        assert f'href="{away.name}#{task}"' in home.read_text()
        assert f'href="{home.name}#{topic}"' in away.read_text()
    assert {first.metadata["exercise"] for first, _ in BUILD.topics()} == set(names), (
        "an exercise that no topic leads to"
    )


def test_code_is_folded_captions_show_and_a_slider_opens_where_it_was_told(built: Path) -> None:
    page = (built / "01-goal.html").read_text()
    assert '<pre class="code" tabindex="0"><code>' in page
    outside = re.sub(r'<details class="fold">.*?</details>', "", page, flags=re.DOTALL)
    assert 'class="code"' not in outside
    assert "<figcaption>a &lt; b</figcaption>" in page
    assert re.search(r'<input type="range" min="0" max="2" value="2"', page)
    assert '<meta name="viewport"' in page


def test_the_index_knows_where_words_stand(built: Path) -> None:
    index = json.loads(
        (built / "site.js")
        .read_text()
        .splitlines()[0]
        .removeprefix("const INDEX = ")
        .removesuffix(";")
    )
    at = index["words"]["vendi"]
    best = max(range(0, len(at), 2), key=lambda i: (at[i + 1], -at[i]))
    assert index["places"][at[best]][0] == "08-evaluation.html#evaluation.diversity"
    for word in ("frechet", "diffusion", "guidance", "posterior", "collapse", "checklist"):
        assert index["words"][word], word
    addresses = {place[0] for place in index["places"]}
    assert all(f"#{first.metadata['topic']}" in " ".join(addresses) for first, _ in BUILD.topics())


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_search_of_the_page_reads_words_as_the_index_does(built: Path) -> None:
    script = (built / "site.js").read_text()
    words = re.findall(r"const words = .*?;\n", script, re.DOTALL)[0]
    queries = ["Fréchet distances", "the loss, and classes", "KL", "bits per dimension", "GANs"]
    code = f"const common = new Set({json.dumps(sorted(searching.COMMON))});{words}"
    code += f"console.log(JSON.stringify({json.dumps(queries)}.map(words)))"
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [searching.words(query) for query in queries]


PAGE = """
const made = () => ({children: [], on: {}, addEventListener(name, f) {this.on[name] = f}, append(...x) {this.children.push(...x)},
  replaceChildren(...x) {this.children = x}, setAttribute() {}, getAttribute() {return "false"}, querySelector() {return null}});
const parts = {query: made(), found: made(), unfold: made()};
globalThis.document = {getElementById: name => parts[name], createElement: made, querySelector: () => null,
  querySelectorAll: () => [], addEventListener() {}};
"""
ASKED = """
const found = text => {
  parts.query.value = text; parts.query.on.input();
  return parts.found.children.map(row => row.children[0]?.href);
};
console.log(JSON.stringify([found("langevin"), found("Fréchet dist"), found("the mode collapse"), found("zebra"), found("")]));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_search_finds_topics_and_exercises_by_unfinished_words(built: Path) -> None:
    script = PAGE + (built / "site.js").read_text() + ASKED
    done = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True)
    langevin, frechet, modes, nothing, empty = json.loads(done.stdout)
    assert set(langevin[:2]) == {
        "07-score.html#score.langevin",
        "exercises-07-score.html#score.langevin",
    }
    assert "exercises-08-evaluation.html#evaluation.frechet" in frechet[:2]
    assert "08-evaluation.html#evaluation.fid" in frechet[:3]
    assert modes[0] == "04-gan.html#gan.collapse"
    assert (nothing, empty) == ([None], [])  # a row that says so; no row


def test_pictures_become_one_small_png_with_captions() -> None:
    html = explore(
        "level", {v: cloud([[v, 0.0], [1.0, 1.0]], says=f"at {v}") for v in (0.1, 0.5, 2.0)}
    )._repr_html_()
    found = raster.figures(html)
    assert [says for _, says in found] == [
        "level = 0.1: at 0.1",
        "level = 0.5: at 0.5",
        "level = 2: at 2.0",
    ]
    line = raster.figures(show(curve(range(9), {"a": range(9)}, "x", "rises"))._repr_html_())
    assert [says for _, says in line] == ["rises"]
    pixels = raster.figures(
        show(images([[[[0, 1], [1, 0]]]], levels=2, says="black and white"))._repr_html_()
    )
    # white ends somewhere, whatever it lies on
    assert pixels[0][0].getpixel((0, 0)) == (0x7F, 0x93, 0xAB)
    png = raster.sheet(found + line + pixels)
    assert png == raster.sheet(raster.figures(html) + line + pixels)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 12_000


def test_what_nobody_can_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no way to draw"):
        raster.drawn('<svg viewBox="0 0 10 10"><ellipse class="new"/></svg>')


def test_words_are_compared_without_accents_and_plurals() -> None:
    assert searching.words("Fréchet distances of the classes") == ["frechet", "distance", "classe"]


def test_a_page_for_printing_stands_alone() -> None:
    page = pages.whole("theory", new_notebook(cells=BUILD.cells(sources.sources("theory")[1])[:3]))
    assert "<style>" in page
    assert 'src="' not in page
