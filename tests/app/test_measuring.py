"""Measuring takes no longer than training: what is chosen fits by the costs that it was chosen by, and says how little it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.app.measuring.assessing import measure_controls
from pushforward.app.measuring.comparing import Callbacks, ComparisonPlan, compare
from pushforward.app.measuring.extent import (
    FULL,
    Extent,
    Settling,
    Use,
    by_size,
    fewest_of,
    seconds_of,
    use_of,
    within,
)
from pushforward.app.measuring.pace import Measuring, announced, limit_of
from pushforward.app.runs.fitting import SizedPlan
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.timing import timed
from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points
from pushforward.core.text import Text
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.data.text.corpus import builtin_text
from pushforward.families.build import family_class


@pytest.fixture(scope="module")
def points() -> Dataset:
    rng = np.random.default_rng(0)
    return open_data(rng.normal(size=(1500, 2)).astype(np.float32))


def fits_of(data: Dataset, **budget: float) -> list[SizedPlan]:
    return [
        SizedPlan(plan_training(name, data, budget=budget, preset="smoke"), None, 0)
        for name in ("flow", "vae", "diffusion")
    ]


@pytest.mark.parametrize("slow", [0.0, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("rows", [0.0, 1e-3, 0.2])
@pytest.mark.parametrize("seconds", [1.0, 60.0, 1000.0])
def test_the_extent_fits_or_nothing_is_left_to_halve(
    slow: float, rows: float, seconds: float
) -> None:
    uses = [Use(256, slow, slow / 10, rows), Use(256, 0.0, 1e-5, 0.0)]
    fewest = Extent(100, 64)
    found = within(seconds, FULL, fewest, uses, lambda n: slow * n / 100)
    assert fewest.samples <= found.samples <= FULL.samples
    assert fewest.rows <= found.rows <= FULL.rows
    takes = seconds_of(found, uses, lambda n: slow * n / 100)
    if found != FULL and takes <= seconds:
        # a step less of halving would not have fitted: one of the two doubled is too much
        doubled = [Extent(2 * found.samples, found.rows), Extent(found.samples, 2 * found.rows)]
        assert any(seconds_of(more, uses, lambda n: slow * n / 100) > seconds for more in doubled)
    assert takes <= seconds or found == fewest


def test_less_is_there_than_the_fewest() -> None:
    small = Extent(57, 57)
    assert within(0.0, small, Extent(100, 64), [Use(256, 1.0, 1.0, 1.0)], lambda n: 1.0) == small


def test_an_extent_by_size_never_grows_with_the_example() -> None:
    sizes = [by_size(Image(1, side, side, 256)) for side in (4, 8, 16, 28, 32, 64, 256)]
    assert sizes[0] == FULL
    assert [s.samples for s in sizes] == sorted((s.samples for s in sizes), reverse=True)
    assert all(s.samples >= 200 and s.rows >= 64 for s in sizes)
    assert by_size(Points(2)) == FULL
    assert fewest_of(Text(length=64, vocabulary=256, boundary=0)).samples == 500


def test_limits(points: Dataset) -> None:
    timed, counted = fits_of(points, seconds=20.0), fits_of(points, steps=5)
    assert limit_of(None, timed, points).seconds == 60.0
    assert limit_of("2m", timed, points).seconds == 120.0
    assert limit_of("full", timed, points).seconds is None
    assert limit_of(None, counted, points).seconds is None
    assert limit_of("30s", counted, points).seconds == 30.0
    assert "1:00 of training (3 of 0:20) and about 1:00 of measuring" in announced(
        timed, limit_of(None, timed, points)
    )
    assert announced(counted, limit_of(None, counted, points)) == "3 trainings of 5 steps"
    with pytest.raises(
        BadInput, match=r"--measure-budget soon: expected a time such as 2m, or 'full'"
    ):
        limit_of("soon", timed, points)


def test_a_budget_of_steps_times_nothing(points: Dataset) -> None:
    def never(plan):
        raise AssertionError("timed")

    counted = fits_of(points, steps=5)
    measuring = Measuring(limit_of(None, counted, points), counted, points, never)
    assert measuring.settle is None
    assert measuring.extent.samples == len(points.test)
    assert measuring.says() == ""


def test_settling_counts_what_was_spent_already() -> None:
    time = [0.0]
    uses = [Use(256, 0.0, 0.0, 0.01)]
    early = Settling(40.0, uses, Points(2), 0.0, lambda: time[0])
    late = Settling(40.0, uses, Points(2), 0.0, lambda: time[0])
    early.settle(FULL, lambda n: 0.0)
    time[0] = 30.0
    late.settle(FULL, lambda n: 0.0)
    assert early.extent == FULL  # 27.6 s of 40
    assert late.extent.rows < FULL.rows
    assert late.predicted <= 40.0


@pytest.mark.parametrize("family", ["flow", "vae", "gan", "diffusion", "autoregressive"])
def test_the_use_of_a_model_is_timed_by_its_calls(points: Dataset, family: str) -> None:
    use = use_of(plan_training(family, points, budget={"steps": 1}, preset="smoke"))
    assert use.each_row > 0 or family == "gan"
    assert use.sampling(1000) >= use.sampling(10) >= 0
    assert use.scoring(100) <= use.scoring(1000)


def test_controls_are_narrowed_to_what_was_settled(points: Dataset) -> None:
    """Fewer examples: the numbers say so, their intervals are wider, and the reference is part of the larger one."""
    seen: list[float] = []

    def half(card) -> int:
        seen.append(card(200) - card(100))
        return 150

    parts: list[tuple[float, str]] = []
    whole = measure_controls(points)
    fewer = measure_controls(
        points, settle=half, told=lambda share, what: parts.append((share, what))
    )
    assert seen[0] > 0
    assert whole.n == len(points.test)
    assert fewer.n == 150
    assert set(fewer.places.tolist()) <= set(whole.places.tolist())
    wide = {score.name: score for score in fewer.ceiling}
    widths = []
    for score in whole.ceiling:
        other = wide.get(
            score.name
        )  # the number of bins is in the name, and follows from the number of examples
        if (
            other is not None
            and score.low is not None
            and score.high is not None
            and score.high > score.low
        ):
            assert other.n <= 300
            assert other.low is not None
            assert other.high is not None
            widths.append((other.high - other.low) / (score.high - score.low))
    assert np.median(widths) > 1.1  # sqrt(300 / 150) = 1.41 for a mean
    shares = [share for share, _ in parts]
    assert shares == sorted(shares)
    assert {"real vs real", "uniform noise"} <= {what for _, what in parts}


@pytest.mark.parametrize("answer", [0, 100, 5000])
def test_what_is_settled_stays_between_what_a_card_needs_and_what_there_is(
    points: Dataset, answer: int
) -> None:
    assert measure_controls(points, settle=lambda card: answer).n == (
        len(points.test) if answer == 5000 else 100
    )


def test_a_comparison_says_what_it_takes_and_on_how_many(
    points: Dataset, tmp_path: Path, monkeypatch
) -> None:
    """A slow machine, by decree: 10 s for a likelihood. The page and every number say how many examples there were."""
    slow = Use(256, 0.0, 0.0, 10.0)
    monkeypatch.setattr(
        "pushforward.app.measuring.comparing.Measuring",
        lambda *given: Measuring(*given, use=lambda plan: slow),
    )
    said: list[str] = []
    stages: list[str] = []

    def stage(label: str):
        stages.append(label)
        return lambda share, what: None

    compared = compare(
        points,
        ComparisonPlan({"steps": 3}, ["flow", "vae"], "smoke", measure="60s"),
        tmp_path / "c",
        tell=Callbacks(said.append, stage=stage),
    )
    assert said[0] == "2 trainings of 3 steps, then measuring of at most 1:00"
    assert "longer than the 1:00 there are" in said[1]
    assert "likelihoods on 64" in said[2]
    assert stages[-3:] == ["controls", "scoring flow", "scoring vae"]
    flow = next(row for row in compared.comparison.models if row.name == "flow")
    assert flow.likelihood is not None
    assert flow.likelihood.n == 64
    record = json.loads((tmp_path / "c" / "comparison.json").read_text())
    assert any("likelihoods on 64" in note for note in record["data"]["notes"])


def test_equal_step_budgets_measure_equal_numbers(points: Dataset) -> None:
    rows = [
        compare(points, ComparisonPlan({"steps": 3}, ["flow"], "smoke")).comparison.models[0]
        for _ in range(2)
    ]
    assert [s.value for s in rows[0].scores] == [s.value for s in rows[1].scores]
    assert rows[0].likelihood == rows[1].likelihood


def test_a_score_of_some_rows_says_how_many(run, tmp_path: Path) -> None:
    assert (
        run("train", "flow", "two-moons", "--preset", "smoke", "--steps", 3, "-o", tmp_path / "r")[
            0
        ]
        == 0
    )
    status, out, _ = run("score", tmp_path / "r", "two-moons", "-n", 200)
    assert status == 0
    assert "n = 200 of 5,000" in out
    whole, few = (
        json.loads(run("score", tmp_path / "r", "two-moons", "--json", *more)[1])
        for more in ([], ["-n", 200])
    )
    assert (whole["n"], whole["of"], few["n"], few["of"]) == (5000, 5000, 200, 5000)
    # 200 of the same rows: standard errors are sqrt(25) apart, and the means within four of them
    assert few["stderr"] == pytest.approx(5 * whole["stderr"], rel=0.4)
    assert abs(few["mean_nats"] - whole["mean_nats"]) < 4 * few["stderr"]
    status, _, err = run("score", tmp_path / "r", "two-moons", "-n", 5001)
    assert status == 2
    assert "5,000" in err


def test_every_stage_of_scoring_tells_where_it_is(points: Dataset) -> None:
    from pushforward.families.build import build

    model = build("flow", points.space)
    model.prepare(points.train)
    for n in (1, 256, 300):
        told: list[tuple[int, int]] = []
        model.log_prob(points.test[:n], on_chunk=lambda i, of, told=told: told.append((i, of)))
        assert told[-1] == (n, n)
        assert [i for i, _ in told] == sorted(i for i, _ in told)


@pytest.mark.parametrize("family", ["autoregressive", "flow", "vae", "gan", "diffusion"])
@pytest.mark.parametrize("kind", ["image", "table", "text"])
def test_every_family_is_timed_on_every_kind_it_supports(family: str, kind: str) -> None:
    if kind not in family_class(family).capabilities.spaces:
        return
    rng = np.random.default_rng(0)
    if kind == "image":
        data = open_data(rng.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8))
    elif kind == "text":
        data = open_data(builtin_text("shakespeare")[:20_000], text={"length": 16})
    else:
        data = open_data(
            pd.DataFrame(
                {"a": rng.integers(0, 9, 90), "b": rng.normal(size=90), "c": ["x", "y", "z"] * 30}
            )
        )
    plan = plan_training(family, data, budget={"seconds": 20.0}, preset="smoke")
    use = use_of(plan)
    assert (use.each_row > 0) == (family != "gan")
    assert min(use.sampling(50), use.scoring(50)) >= 0.0
    assert timed(plan).cost.seconds(8) > 0.0
