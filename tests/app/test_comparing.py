"""A comparison end to end: every family, several seeds, and a record from which the same page can be made again."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.app.measuring.comparing import Callbacks, ComparisonPlan, compare
from pushforward.app.measuring.kept import COMPARISON, load_comparison
from pushforward.app.measuring.repeating import mean_row
from pushforward.core.errors import BadInput
from pushforward.data.open import open_data
from pushforward.data.text.corpus import builtin_text
from pushforward.engine.fit_records import Interrupted, Progress
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES
from pushforward.reports.page.render import render
from pushforward.reports.records import Row
from pushforward.reports.verdict.sentences import verdict
from scored import called


@pytest.fixture
def points(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    table = np.round(rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3)), 4)
    path = tmp_path / "points.csv"
    path.write_text("a,b,c\n" + "\n".join(",".join(map(str, row)) for row in table) + "\n")
    return path


def test_every_family_is_compared_on_a_file_of_points(points: Path, tmp_path: Path) -> None:
    compared = compare(
        open_data(str(points)), ComparisonPlan({"steps": 3}, preset="smoke"), tmp_path / "c"
    )
    assert {row.name for row in compared.comparison.models} == set(FAMILIES.names())
    for row in compared.comparison.models:
        assert row.scores
        assert (row.likelihood is None) == (row.name == "gan")
        assert (len(row.walk) > 2) == ((row.calls_per_sample or 0) > 5)


@pytest.mark.parametrize("kind", ["text", "table"])
def test_text_and_tables_are_compared_by_the_families_that_support_them(
    kind: str, tmp_path: Path
) -> None:
    if kind == "text":
        data = open_data(builtin_text("shakespeare")[:50_000], text={"length": 16})
    else:
        rng = np.random.default_rng(0)
        age = rng.integers(18, 80, 400)
        frame = pd.DataFrame(
            {"age": age, "old": np.where(age > 50, "yes", "no"), "score": rng.normal(age, 3.0)}
        )
        frame.loc[::7, "score"] = np.nan
        data = open_data(frame)
    compared = compare(data, ComparisonPlan({"steps": 3}, preset="smoke"), tmp_path / "c")
    names = {name for name in FAMILIES.names() if kind in family_class(name).capabilities.spaces}
    assert "autoregressive" in names
    assert {row.name for row in compared.comparison.models} == names
    assert len(compared.left_out) == len(FAMILIES.names()) - len(names)
    for row in compared.comparison.models:
        assert row.likelihood is not None
        assert row.likelihood.unit == ("bits/byte" if kind == "text" else "nats/row")
        assert row.likelihood.floor is not None
        assert len(row.shown) == 6
    copycat = next(r for r in compared.comparison.rows if r.role == "copycat")
    assert copycat.memorised
    loaded = load_comparison(tmp_path / "c")
    assert render(loaded) == render(compared.comparison)
    assert (
        'class="excerpt"' if kind == "text" else '<th scope="col" class="text">score</th>'
    ) in render(loaded)


def test_the_record_on_disk_makes_the_same_page(points: Path, tmp_path: Path) -> None:
    compared = compare(
        open_data(str(points)),
        ComparisonPlan({"steps": 3}, ["flow", "vae"], "smoke"),
        tmp_path / "c",
    )
    loaded = load_comparison(tmp_path / "c")
    assert verdict(loaded) == verdict(compared.comparison)
    assert render(loaded) == render(compared.comparison)
    json.loads(
        (tmp_path / "c" / COMPARISON).read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} in JSON"),
    )


def test_seeds_make_one_row_with_a_wider_interval(points: Path, tmp_path: Path) -> None:
    compared = compare(
        open_data(str(points)),
        ComparisonPlan({"steps": 3}, ["flow"], "smoke", seed=5, seeds=2),
        tmp_path / "c",
    )
    (row,) = compared.comparison.models
    assert row.name == "flow"
    assert [run["seed"] for run in row.repeats] == [5, 6]
    assert sorted(p.name for p in (tmp_path / "c").iterdir() if p.is_dir()) == [
        "flow-seed5",
        "flow-seed6",
    ]
    values = [run["held-out likelihood"] for run in row.repeats]
    assert row.likelihood is not None
    assert row.likelihood.value == pytest.approx(np.mean(values))
    alone = json.loads((tmp_path / "c" / "flow-seed5" / "scores.json").read_text())["scores"][0]
    assert row.likelihood.high - row.likelihood.low > alone["high"] - alone["low"]
    assert row.nats is not None
    assert row.nats.shape == (2, compared.comparison.data.counts["test"])
    page = render(compared.comparison)
    assert "Every training run by itself" in page
    assert "seed 6" in page


@pytest.mark.parametrize("gentle", [True, False], ids=["ctrl-c", "killed"])
def test_an_interrupted_comparison_goes_on_where_it_was(
    points: Path, tmp_path: Path, gentle: bool
) -> None:
    data = open_data(str(points))
    families = ["flow", "vae", "gan"]

    def stop_second(label: str):
        def observe(progress: Progress) -> None:
            if label == "vae" and progress.step == 2:
                if not gentle:
                    raise SystemError
                os.kill(os.getpid(), signal.SIGINT)

        return observe

    trial = ComparisonPlan({"steps": 5}, families, "smoke")
    with pytest.raises(Interrupted if gentle else SystemError) as stopped:
        compare(data, trial, tmp_path / "cut", tell=Callbacks(observe=stop_second))
    if gentle:
        assert "vae stopped at step 2" in str(stopped.value)
        assert "--resume" in str(stopped.value)
    before = (tmp_path / "cut" / "flow" / "weights.safetensors").stat().st_mtime_ns
    assert not (tmp_path / "cut" / "gan").exists()
    resumed = compare(data, trial, tmp_path / "cut", resume=True)
    whole = compare(data, trial, tmp_path / "whole")
    assert {row.name for row in resumed.comparison.models} == set(families)
    for name in families:
        a, b = (
            (tmp_path / run / name / "weights.safetensors").read_bytes() for run in ("cut", "whole")
        )
        assert a == b, name
    assert [row.likelihood for row in resumed.comparison.models] == [
        row.likelihood for row in whole.comparison.models
    ]
    assert before
    with pytest.raises(BadInput, match="other settings"):
        compare(data, dataclasses.replace(trial, seed=4), tmp_path / "cut", resume=True)


def test_copying_in_one_run_is_copying() -> None:
    score = called("d", 1.0, n=9, better="lower")
    rows = [
        Row("flow", scores=(score,), memorised=False, memorisation="fine"),
        Row("flow", scores=(score,)),
    ]
    rows[1] = dataclasses.replace(rows[1], memorised=True, memorisation="near copies")
    row = mean_row("flow", rows, [0, 1])
    assert row.memorised
    assert row.memorisation == "Seed 1: near copies"
    with pytest.raises(BadInput, match="one row for each seed"):
        mean_row("flow", rows, [0])
