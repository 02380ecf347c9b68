"""One set of samples gets a verdict: first on the terminal, in JSON, Markdown and HTML, with how many samples were compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pushforward.app.measuring.evaluating import EvaluationSetting, evaluate_samples
from pushforward.reports.page.plain import to_markdown

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 400 people with an identifier, foreign samples of it, and copies of its rows."""
    path = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)

    def rows(n: int, slope: float = 1.3) -> list[str]:
        size, colour = rng.normal(50, 10, n), rng.choice(["red", "blue", "green"], n)
        return [
            f"{c},{s:.1f},{60 + slope * s + rng.normal(0, 5):.2f}"
            for c, s in zip(colour, size, strict=True)
        ]

    real = rows(400)
    (path / "people.csv").write_text(
        "\n".join(["id,colour,size,weight", *(f"A{i:05d},{r}" for i, r in enumerate(real))])
    )
    (path / "foreign.csv").write_text("\n".join(["colour,size,weight", *rows(200, 0.2)]))
    (path / "copies.csv").write_text("\n".join(["colour,size,weight", *real[:200]]))
    return path


def test_foreign_samples_are_judged_everywhere_alike(folder: Path, run: Run) -> None:
    words = ("evaluate", "--samples", folder / "foreign.csv", "--reference", folder / "people.csv")
    status, out, _ = run(*words, "-o", folder / "page.html")
    assert status == 0
    sentence = " ".join(out.splitlines()[:3])
    assert sentence.startswith("foreign is ")
    assert "trees choose the sample beside a real row in" in sentence
    # 400 rows hold 80 for testing: 80 of the 200 samples are compared, and that is said
    assert (
        "80 of 200 samples were compared, with 80 test examples: the test split has 80."
        in " ".join(out.split())
    )
    found = evaluate_samples(
        folder / "foreign.csv", str(folder / "people.csv"), EvaluationSetting(n=150)
    )
    record = found.record
    (mine,) = record["verdict"]["models"].values()
    assert mine["told_apart"] is True
    assert mine["leaks"] == []
    assert mine["n"] == 80
    assert record["compared"]["wanted"] == 150
    assert record["compared"]["samples"] == 80
    assert record["verdict"]["statements"][0]["text"] == record["verdict"]["sentence"]
    assert "beside a real row in" in to_markdown(found.comparison).split("\n\n")[2]
    page = (folder / "page.html").read_text()
    first = page[: page.index('<nav aria-label="Sections">')]
    assert first.count('class="links"') == 2  # real and foreign
    assert "identifier" not in first  # it comes back, made anew
    assert "--seeds" not in out


def test_copies_are_called_copies_before_anything_else(folder: Path, run: Run) -> None:
    words = (
        "evaluate",
        "--samples",
        folder / "copies.csv",
        "--reference",
        folder / "people.csv",
        "--json",
    )
    status, out, _ = run(*words)
    assert status == 0
    verdict = json.loads(out)["verdict"]
    assert verdict["sentence"].startswith("copies replays training data: ")
    assert verdict["models"]["copies"]["replays_training_data"] is True
    assert verdict["models"]["copies"]["leaks"]
    assert "Do not share its rows: training rows leak." in verdict["sentence"]
