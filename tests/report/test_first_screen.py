"""The first screen holds a sentence, real beside generated samples of every model, one chart and what to doubt."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.evaluation.distribution.energy import ENERGY
from pushforward.reports.columns import Bins, bins_of, links_of, shares_of
from pushforward.reports.drawing.column_figures import histogram, link_map, links_off
from pushforward.reports.page.first_screen import first_screen
from pushforward.reports.page.ladder import ladder
from pushforward.reports.page.render import render
from pushforward.reports.records import Comparison, Data, Row
from pushforward.reports.verdict.doubts import doubts
from scored import called

COIN = "classifier two-sample accuracy [x] vs test"
SPACE = Table(
    (
        Column("sex", "categorical", ("f", "m")),
        Column("age", "integer", step=1.0, low=17, high=90),
        Column("pay", "continuous", low=0.0, high=9.0, missing=True),
        Column("town", "categorical", tuple(f"t{i}" for i in range(12)), missing=True),
    )
)
KINDS = ("digits", "moons", "table", "text", "foreign")


class Opening(HTMLParser):
    """The words before the first picture or excerpt, and the headings in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.seen, self.skipped = False, True
        self.headings: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped = self.skipped and tag != "body"
        self.seen = self.seen or tag in ("svg", "img", "blockquote")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data: str) -> None:
        if not (self.seen or self.skipped):
            self.words += data.split()


def coin(value: float) -> Score:
    return called(
        COIN,
        value,
        200,
        low=value - 0.03,
        high=value + 0.03,
        stderr=0.015,
        null=0.5,
        ceiling=0.5,
        floor=0.95,
    )


def rows_of(n: int, seed: int, slope: float = 1.0) -> np.ndarray:
    """Rows whose pay rises with age; some pay and some towns are missing (marked by numbers)."""
    rng = np.random.default_rng(seed)
    age = rng.integers(17, 91, n).astype(float)
    pay = np.clip(slope * (age - 17) / 10 + rng.normal(0, 1, n), 0, 9)
    pay[rng.random(n) < 0.1] = 0.0 - 9.0
    town = rng.choice(np.r_[-1.0, np.arange(12.0)], n, p=np.r_[0.1, np.full(12, 0.9 / 12)])
    return np.stack([rng.integers(0, 2, n).astype(float), age, pay, town], 1)


def table(models: int = 3) -> Comparison:
    real = rows_of(500, 0)
    bins = bins_of(real, SPACE)

    def of(rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"shares": shares_of(rows, SPACE, bins), "links": links_of(rows, SPACE)}

    data = Data(
        "people", "table", "rows of 4 columns", "nats/row", {"train": 900, "test": 500}, columns=bins, **of(real),
        lost=("column 'name' is an identifier and was left out", "2 rows could not be read"), header=("sex", "age", "pay", "town"),
        shown=(("f", "20", "1.0", "t1"),),
    )  # fmt: skip
    rows = tuple(
        Row(f"model {i}", family="vae", scores=(coin(0.6 + 0.05 * i),), seconds_per_1000=1.0 + i, **of(rows_of(400, i + 1, i)),
            memorised=False, shown=(("m", "30", "2.0", "t2"),))
        for i in range(models)
    )  # fmt: skip
    return Comparison(
        "Generative models of people", data, "60 s for every family", "cpu", 0, "today", rows
    )


@pytest.fixture(scope="module")
def pages(digits: Comparison, moons: Comparison) -> dict[str, Comparison]:
    lines = tuple((f"To be, or not to be, that is the question {i}",) for i in range(6))
    data = Data(
        "verse",
        "text",
        "text in windows of 64 tokens",
        "bits/byte",
        {"train": 9, "test": 9},
        shown=lines,
    )
    models = [
        Row(name, family=name, scores=(coin(0.7),), seconds_per_1000=s, shown=lines)
        for name, s in (("autoregressive", 1.0), ("diffusion", 9.0))
    ]
    text = Comparison("Generative models of verse", data, "60 s", "cpu", 0, "today", tuple(models))
    alone = dataclasses.replace(
        digits.models[0], name="their samples", family="", history=(), card=None
    )
    foreign = dataclasses.replace(
        digits, rows=(alone, *digits.rows[5:]), budget="samples of another tool"
    )
    return {"digits": digits, "moons": moons, "table": table(), "text": text, "foreign": foreign}


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_sixty_words_before_the_first_picture(
    pages: dict[str, Comparison], kind: str
) -> None:
    opening = Opening(render(pages[kind]))
    assert opening.seen
    assert len(opening.words) <= 60, " ".join(opening.words)
    assert opening.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(opening.headings, opening.headings[1:]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_has_samples_beside_real_ones(pages: dict[str, Comparison], kind: str) -> None:
    page = pages[kind]
    first = first_screen(page)
    assert [panel.title for panel in first.panels] == ["real", *(row.name for row in page.models)]
    assert all(panel.art or panel.lines for panel in first.panels)
    assert first.chart is not None
    html = render(page)
    above = html[: html.index('<nav aria-label="Sections">')]
    assert above.count('<figure class="panel">') == 1 + len(page.models)
    assert above.count('class="chief"') == 1
    if kind == "table":
        assert above.count('class="links"') == 1 + len(page.models)
        assert "What to doubt" in above
        assert "Column &#39;name&#39; is an identifier and was left out." in above


def test_no_footnote_is_a_number(digits: Comparison) -> None:
    html = render(digits)
    assert "<sup>" not in html
    assert "#note-" not in html
    # a warning that all rows share is said once, where the measure is explained
    assert html.count("500 samples: the distance is biased upwards at this size.") == 1
    # a heading is in plain words; the measure's own name stands where it is explained
    assert '<span class="technical">recall, pca-16, k=5, vs test.</span>' in html
    assert (
        '<abbr title="How many real examples have a sample close by.">Real data covered</abbr>'
        in html
    )


def test_old_records_still_open() -> None:
    page = table()
    record = json.loads(json.dumps(page.to_json()))
    for part in ("columns", "lost"):
        del record["data"][part]
    arrays = {
        name: a for name, a in page.arrays().items() if not name.endswith(("shares", "links"))
    }
    old = Comparison.from_json(record, arrays)
    assert [panel.lines for panel in first_screen(old).panels][:2] == [
        ("f, 20, 1.0, t1",),
        ("m, 30, 2.0, t2",),
    ]
    assert "blockquote" in render(old)
    again = Comparison.from_json(page.to_json(), page.arrays())
    assert again == page
    assert render(again) == render(page)


def test_shares_and_links_are_those_of_the_rows() -> None:
    rows = rows_of(1000, 3)
    bins = bins_of(rows, SPACE)
    shares, links = shares_of(rows, SPACE, bins), links_of(rows, SPACE)
    assert np.nansum(shares, axis=1) == pytest.approx(np.ones(4))
    sex = dict(zip(bins[0].labels, shares[0]))
    assert sex["m"] == pytest.approx((rows[:, 0] == 1).mean())
    assert bins[3].labels[-2:] == ("other", "missing")
    assert shares[3, len(bins[3].labels) - 1] == pytest.approx((rows[:, 3] == -1).mean())
    assert shares[2, len(bins[2].labels) - 1] == pytest.approx((rows[:, 2] == -9).mean())
    ages = np.searchsorted(bins[1].edges, rows[:, 1], side="right") - 1
    assert shares[1, 3] == pytest.approx((ages == 3).mean())
    # pay rises with age, and sex has nothing to do with either
    assert links[1, 2] > 0.8
    assert abs(links[0, 1]) < 0.2
    assert np.array_equal(links, links.T)
    assert links_off(links_of(rows_of(1000, 4, 0.0), SPACE), links) > 0.1


def test_drawings_are_labelled_and_in_their_frame() -> None:
    cut = Bins("a column with a very long name", ("f", "m"), kept=(0, 1))
    drawn = histogram(cut, np.array([0.4, 0.6]), np.array([0.9, 0.1]), 2, "vae")
    assert (
        'aria-label="Column a column with a very long name: shares of vae in front of those of real rows"'
        in drawn
    )
    assert "a column with a …" in drawn
    tops = [float(v) for v in re.findall(r"V([\d.]+)H", drawn)]
    assert min(tops) == 16.0  # the tallest bar, .9, reaches the top
    chart = link_map(np.array([[1.0, -0.25], [-0.25, 1.0]]), "of vae", ("a", "b"))
    assert 'class="against s4"' in chart
    assert "of vae" in chart


def test_one_model_has_its_measures_on_one_scale() -> None:
    row = Row(
        "vae", scores=(coin(0.65), dataclasses.replace(coin(0.5), measure=ENERGY, ceiling=None))
    )
    drawn = ladder(row, (row,))
    assert drawn is not None
    assert "Told apart by a classifier 67 %" in drawn  # 0.65 of 0.95 to 0.5
    assert "every scale" not in drawn
    assert ladder(Row("vae"), ()) is None


def test_what_to_doubt_begins_with_what_was_lost() -> None:
    page = table(1)
    found = doubts(page)
    assert found[:2] == (
        "Column 'name' is an identifier and was left out.",
        "2 rows could not be read.",
    )
    assert "Trained once, by one seed." in found
    many = dataclasses.replace(
        page, data=dataclasses.replace(page.data, lost=tuple(f"row {i} is odd" for i in range(9)))
    )
    assert (
        doubts(many)[3]
        == "6 more things of your data did not reach the models; all are listed below."
    )
    assert "row 8 is odd" not in "".join(doubts(many))
    assert "Row 8 is odd." in render(many)
    copying = dataclasses.replace(page, rows=(dataclasses.replace(page.rows[0], memorised=True),))
    assert "model 0: samples copy training data." in doubts(copying)
