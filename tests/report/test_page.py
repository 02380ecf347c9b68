"""The page is one accessible, escaped, offline file."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import resource
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pushforward.core.errors import BadInput, RunFailed
from pushforward.core.measure import Measure
from pushforward.reports.drawing.sheets import grid_order, tiles
from pushforward.reports.page.plain import to_markdown
from pushforward.reports.page.render import render, write_report
from pushforward.reports.records import Comparison, Data, Row

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Every start tag with its attributes, the visible text, and whether the tags nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.stack: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(digits: Comparison) -> str:
    return render(digits)


def test_structure_is_sound_and_accessible(html: str, moons: Comparison) -> None:
    for text in (html, render(moons)):
        page = Page(text)
        assert page.stack == []
        assert all(image.get("alt") for image in page.all("img"))
        assert all(svg.get("aria-label") for svg in page.all("svg") if svg.get("role") == "img")
        assert all(th.get("scope") for th in page.all("th"))
        ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
        assert set(ids.values()) == {1}
        anchors = [a["href"] for a in page.all("a")]
        assert anchors
        assert all(href[0] == "#" and href[1:] in ids for href in anchors)
        assert all(tag != "script" for tag, _ in page.tags)


def test_nothing_is_fetched(html: str) -> None:
    for tag, attributes in Page(html).tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        for name in ("src", "href", "xlink:href", "srcset", "style"):
            value = attributes.get(name, "")
            assert not re.search(r"(?i)https?:|^//|url\(", value), (tag, name)
    style = re.findall(r"<style>(.*?)</style>", html, re.S)[0]
    assert "@import" not in style
    assert "url(" not in style
    assert "https://arxiv.org/abs/1312.6114" in "".join(Page(html).text)


def test_sections_stand_in_order(html: str) -> None:
    ids = [
        attributes["id"]
        for _, attributes in Page(html).tags
        if attributes.get("id", "note-").count("-") == 0
    ]
    expected = [
        "first",
        "title",
        "verdict",
        "scorecard",
        "samples",
        "training",
        "trajectories",
        "cost",
        "families",
        "reproduce",
        "memorisation",
    ]
    assert ids == expected


def test_small_enough_to_mail(html: str) -> None:
    assert len(html.encode()) < 2_000_000


def test_equal_inputs_give_equal_bytes(digits: Comparison, html: str) -> None:
    again = Comparison.from_json(digits.to_json(), digits.arrays())
    assert render(again) == html


def test_tables_scroll_in_their_own_box_and_light_and_dark_exist(html: str) -> None:
    assert re.search(r'<div class="scroll"[^>]*>\s*<table', html)
    assert html.count("<table") == len(re.findall(r'<div class="scroll"[^>]*>\s*<table', html))
    for rule in (
        r"\.scroll \{ overflow-x: auto",
        "@media \\(max-width: 600px\\)",
        "prefers-color-scheme: dark",
        "@media print",
    ):
        assert re.search(rule, html), rule
    assert 'name="viewport" content="width=device-width' in html


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_meets_wcag_aa_in_light_and_dark(html: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", html, re.S)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colour = dict(re.findall(r"--([\w]+): (#[0-9a-f]{6})", block))
        for paper in ("paper", "card"):
            back = luminance(colour[paper])
            for name, least in (
                [("ink", 7.0)]
                + [(n, 4.5) for n in ("muted", "accent", "good", "alarm")]
                + [(f"c{i}", 3.0) for i in range(8)]
            ):
                light, dark = sorted((luminance(colour[name]), back), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= least, (name, paper)


def test_everything_given_is_escaped(digits: Comparison) -> None:
    evil = "<script>alert('x')</script>\"&"
    row = dataclasses.replace(
        digits.models[0], name=evil, loss_name=evil, memorisation=evil, stopped_because=evil
    )
    score = dataclasses.replace(row.scores[0], measure=Measure(evil), view=evil, warnings=(evil,))
    assert row.card is not None
    card = dataclasses.replace(
        row.card, title=evil, objective=evil, look_at=(evil,), references=((evil, evil),)
    )
    row = dataclasses.replace(row, scores=(score,), card=card)
    data = dataclasses.replace(
        digits.data, name=evil, space=evil, notes=(evil,), counts={evil: 1}, classes=(evil, "b")
    )
    other = dataclasses.replace(row, name="other")
    page = render(
        dataclasses.replace(
            digits,
            title=evil,
            data=data,
            rows=(row, other),
            commands=(evil,),
            versions={evil: evil},
        )
    )
    assert "<script" not in page
    assert "alert(" in page
    assert Page(page).stack == []


def test_the_likelihood_cell_says_its_kind(html: str) -> None:
    badges = re.findall(r'<span class="badge ([\w-]+)">', html)
    assert Counter(badges) == {"exact": 2, "lower-bound": 3}
    assert html.count('<td class="absent">none</td>') == 1
    assert "gan: no density; a GAN maps noise to samples" in html
    assert "≤\N{NARROW NO-BREAK SPACE}2.041" in html


def test_sheets_show_one_class_per_column(digits: Comparison) -> None:
    data = digits.data
    assert data.real is not None
    assert data.real_labels is not None
    cells = grid_order(data.real_labels, len(data.real), 10)
    assert (data.real_labels[cells] == np.arange(10)).all()
    page = Page(render(digits))
    sheet = next(image for image in page.all("img") if "held-out data" in image["alt"])
    shown = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(sheet["src"].split(",")[1]))).convert("RGBA")
    )
    side = 8 * (up := 3)
    assert shown.shape == (6 * (side + up) - up, 10 * (side + up) - up, 4)
    # row 2, column 7 holds the third real example of class 7, scaled from 0 .. 16 to 0 .. 255
    tile = shown[2 * (side + up) :, 7 * (side + up) :][:side:up, :side:up, 0]
    assert (tile == np.round(data.real[cells[2, 7], 0] / 16 * 255)).all()
    assert (shown[side, :, 3] == 0).all()


def test_colour_images_and_odd_channels_are_drawn() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 3, 40, 40))
    sheet = tiles(rgb, grid_order(None, 3, 0, rows=1), 256)
    assert (sheet[:40, :40, :3] == rgb[0].transpose(1, 2, 0)).all()
    assert tiles(rgb[:, :2], np.array([[0]]), 256).shape[2] == 4


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_points_of_any_dimension(dim: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, dim)), rng.normal(size=(50, dim)) * 9
    data = Data("p", "points", f"points in {dim} dimensions", "nats/point", {"test": 50}, real=real)
    row = Row("flow", samples=fake, walk=(fake, real), history=({"step": 1, "loss": 2.0},))
    page = Page(render(Comparison("t", data, "400 steps", "cpu", 0, "now", (row,))))
    clouds = [a for a in page.all("path") if "cloud" in a.get("class", "")]
    panels = 1 if dim < 3 else 3
    # and on the first screen real points alone, then samples in front of them
    assert len(clouds) == panels * 3 + 2 + 3
    assert "points lie outside the axes" in "".join(page.text)


def test_a_comparison_of_nothing_still_renders() -> None:
    data = Data("d", "image", "s", "bits/dim", {})
    page = Page(render(Comparison("t", data, "b", "p", 0, "c", ())))
    assert page.stack == []


def test_write_is_whole_or_not_at_all(tmp_path: Path, html: str) -> None:
    target = write_report(tmp_path / "deep" / "report.html", html)
    assert target.read_text(encoding="utf-8") == html
    with pytest.raises(BadInput, match="could not write"):
        write_report(target / "below-a-file.html", html)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(RunFailed, match="free some space"):
            write_report(target, html)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_text(encoding="utf-8") == html
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_a_name_that_is_not_utf8_does_not_cost_the_report(tmp_path: Path) -> None:
    assert write_report(tmp_path / "r.html", "half \ud800").read_text(encoding="utf-8") == "half ?"


def test_records_survive_json(digits: Comparison, moons: Comparison) -> None:
    for comparison in (digits, moons):
        again = Comparison.from_json(
            json.loads(json.dumps(comparison.to_json(), allow_nan=False)), comparison.arrays()
        )
        assert again == comparison
        assert {k: v.tobytes() for k, v in again.arrays().items()} == {
            k: v.tobytes() for k, v in comparison.arrays().items()
        }
    assert Comparison.from_json(digits.to_json()).models[0].samples is None


def test_records_from_before_scores_had_fields_give_the_same_page(
    digits: Comparison, html: str
) -> None:
    record = json.loads(json.dumps(digits.to_json()))
    del record["measures"]
    for row in record["rows"]:
        for score in filter(None, (*row["scores"], row["likelihood"])):
            for field in (
                "metric",
                "setting",
                "given",
                "view",
                "subject",
                "reference",
                "aspect",
                "role",
            ):
                del score[field]
    assert render(Comparison.from_json(record, digits.arrays())) == html


def test_two_rows_of_one_name_are_refused(digits: Comparison) -> None:
    with pytest.raises(BadInput, match="two rows called 'flow'"):
        dataclasses.replace(digits, rows=(*digits.rows, Row("flow")))


def test_markdown_prints_the_page_s_numbers(digits: Comparison, html: str) -> None:
    markdown = to_markdown(digits)
    for number in ("1.713", "2.041", "0.850", "1.75 to 2.05"):
        assert number in markdown
        assert number in html
    assert [line for line in markdown.splitlines() if line.startswith("## ")] == [
        "## Distance to the data",
        "## Fidelity and coverage",
        "## Size and cost",
    ]
    widths = []
    for block in markdown.split("## ")[1:]:
        widths.append({line.count("|") for line in block.splitlines() if line.startswith("|")})
    # a name, the likelihood in the first table, and every measure once
    assert widths == [{6}, {5}, {8}]
    assert "**1.90**" in markdown


def test_markdown_escapes_names(digits: Comparison) -> None:
    row = dataclasses.replace(digits.models[0], name="a|b<script>")
    assert "a\\|b&lt;script>" in to_markdown(dataclasses.replace(digits, rows=(row,)))
