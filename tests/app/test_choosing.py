"""Between presets learning curves and the seconds of a step decide; a test tells the seconds, never the clock."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import pushforward as pf
from pushforward.app.runs import planning
from pushforward.app.runs.choosing import choice_in_words
from pushforward.app.runs.fitting import as_recorded, fitted, like
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.app.runs.timing import Timed
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput
from pushforward.core.preset import AUTO, Preset, named
from pushforward.core.rng import generator
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.engine.sizing import FEWEST, Cost, steps_in
from pushforward.families import learning_curves as table
from pushforward.families.build import family_class
from pushforward.families.flow.config import PRESETS
from pushforward.families.learning_curves import LearningCurve, Reference

TABLE = table.learning_curves
MINUTE = Preset({"layers": 1, "width": 16}, {"batch_size": 40, "learning_rate": 5e-3})
CURVES = [
    LearningCurve("minute", 1.0, 40, ((100, 3.0), (1000, 2.5))),
    LearningCurve("cpu", 1.0, 512, ((100, 4.0), (1000, 2.0))),
    LearningCurve("cpu", 1.0, 128, ((100, 4.5), (1000, 2.2))),
]


MEASURED = table.learning_curves()


def test_the_table_is_of_presets_that_there_are() -> None:
    for family, found in MEASURED.items():
        for reference, of in found:
            assert len({(curve.preset, curve.width, curve.batch) for curve in of}) == len(of)
            for curve in of:
                assert curve.preset in named(family_class(family).presets, reference.kind)
                steps = [at for at, _ in curve.points]
                assert steps == sorted(set(steps))
                assert all(math.isfinite(value) for _, value in curve.points)


@pytest.fixture(autouse=True)
def curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small table of a family on points, and a second preset."""
    found = {"flow": [(Reference("moons", "points", 2, 1000), CURVES)]}
    monkeypatch.setattr(table, "learning_curves", lambda: found)
    monkeypatch.setitem(PRESETS, ("minute", "points"), MINUTE)


@pytest.fixture(scope="module")
def moons() -> Dataset:
    return pf.load("two-moons")


def open_plan(data: Dataset, seconds: float = 60.0, **sections: dict[str, object]) -> Plan:
    return plan_training("flow", data, budget={"seconds": seconds}, preset=AUTO, overrides=sections)


def computer(each: float, spent: float = 0.0):
    """A machine whose steps take `each` seconds an example, twelve times that with the deep body."""

    def measure(plan: Plan) -> Timed:
        deep = plan.preset == "cpu"
        return Timed(Cost(0.0, each * (12.0 if deep else 1.0)), 0.0, spent)

    return measure


def test_a_slow_machine_takes_the_cheap_body_and_a_fast_one_the_deep(moons: Dataset) -> None:
    for each, preset, batch in ((1e-3, "minute", 40), (3.5e-5, "cpu", 128), (1e-6, "cpu", 512)):
        fits = fitted(open_plan(moons), computer(each))
        assert (fits.plan.preset, fits.plan.train_config.batch_size) == (preset, batch)
        taken = fits.plan.choice["taken"]
        step = each * (12.0 if preset == "cpu" else 1.0) * batch
        assert taken["steps"] == fits.steps == steps_in(60.0, step)
        expected = next(c for c in CURVES if (c.preset, c.batch) == (preset, batch)).at(fits.steps)
        assert taken["expected"] == expected <= fits.plan.choice["runner_up"]["expected"]
        assert "rather than" in fits.notes[0]
        assert f"preset {preset} (about {fits.steps:,} steps of {batch}" in fits.notes[0]
        assert fits.plan.build() is not None


def test_no_candidate_is_timed_where_somebody_chose(moons: Dataset) -> None:
    slow = computer(1e-3)
    assert fitted(open_plan(moons), slow).plan.preset == "minute"
    # a width that somebody said is that of whatever is taken, and no narrower one is tried
    wide = fitted(open_plan(moons, model={"width": 32}), slow).plan
    assert (wide.preset, wide.model_values["width"]) == ("minute", 32)
    assert wide.choice["taken"]["width"] == 1.0
    layers = fitted(open_plan(moons, model={"architecture": "nsf"}), slow).plan
    assert (layers.preset, layers.choice) == ("cpu", {})
    for preset in ("cpu", "minute"):
        plan = plan_training("flow", moons, budget={"seconds": 60.0}, preset=preset)
        assert fitted(plan, slow).plan.preset == preset
        assert not fitted(plan, slow).plan.choice
    named = plan_training("flow:nsf", moons, budget={"seconds": 60.0}, preset=AUTO)
    assert fitted(named, slow).plan.preset == "cpu"
    batch = fitted(open_plan(moons, train={"batch_size": 77}), slow).plan
    assert (batch.preset, batch.train_config.batch_size) == ("minute", 77)


def test_a_candidate_that_cannot_do_what_was_asked_is_passed_over(moons: Dataset) -> None:
    """128 parts of a batch are more than the 40 examples that one of `minute` has."""
    fits = fitted(open_plan(moons, train={"accumulate": 128}), computer(1e-4))
    assert fits.plan.preset == "cpu"
    assert fits.plan.choice["taken"]["preset"] == "cpu"
    assert fits.plan.train_config.accumulate == 128


def test_a_batch_of_a_curve_is_no_larger_than_memory_holds(
    moons: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(planning.MOST_VALUES, "minute", 2 * 24)
    taken = fitted(open_plan(moons), computer(1e-3)).plan
    assert (taken.preset, taken.train_config.batch_size) == ("minute", 24)
    assert taken.train_config.learning_rate == 5e-3  # of the preset with that batch


def test_what_was_tuned_for_a_short_time_goes_down_no_ladder(moons: Dataset) -> None:
    plan = plan_training("flow", moons, budget={"seconds": 60.0}, preset="minute")
    for each, batch in ((5e-3, 40), (2e-2, 8)):  # 255 steps of the whole preset, and 63
        assert fitted(plan, computer(each)).plan.train_config.batch_size == batch
    # timing that takes long is no reason to be narrow
    assert fitted(plan, computer(5e-3, spent=10.0)).plan.model_values == plan.model_values


def test_steps_are_those_of_cpu_on_any_machine(moons: Dataset) -> None:
    def never(plan: Plan) -> Timed:
        raise AssertionError("timed")

    plan = plan_training("flow", moons, budget={"steps": 5}, preset=AUTO)
    assert (
        fitted(plan, never).plan.config()
        == plan_training("flow", moons, budget={"steps": 5}).config()
    )


def test_timing_stays_a_share_of_the_budget(moons: Dataset) -> None:
    timed: list[str] = []

    def measure(plan: Plan) -> Timed:
        timed.append(plan.preset)
        return computer(1e-3, spent=10.0)(plan)

    assert fitted(open_plan(moons), measure).plan.preset == "minute"
    assert timed[:1] == ["minute"]
    assert "cpu" not in timed


def test_where_a_minute_is_short_steps_become_smaller_and_not_the_body_another(
    moons: Dataset,
) -> None:
    """With 0.02 s an example 63 whole steps fit, and 318 of 8 examples; with 0.2 s not a hundred of any."""
    for each, steps in ((0.02, 318), (0.2, 31)):
        fits = fitted(open_plan(moons), computer(each))
        assert (fits.plan.preset, fits.plan.train_config.batch_size) == ("minute", 8)
        assert fits.plan.train_config.learning_rate == 2.2e-3  # 5e-3 over the root of five
        assert fits.plan.choice["taken"]["steps"] == fits.steps == steps
        assert bool(fits.warning) == (steps < FEWEST)
        # as many examples tell what few steps of few are worth; of other widths there are no curves
        taken = fits.plan.choice["taken"]
        worth = CURVES[0].at(steps * 8 // 40) if taken["width"] == 1.0 else None
        assert taken["expected"] == worth
        assert (
            (f", for which the curve says {worth:.4g})" in fits.notes[0])
            if worth
            else (" of 8)" in fits.notes[0])
        )
    with pytest.raises(BadInput, match="one step takes"):
        fitted(open_plan(moons), computer(20.0))


def test_a_resumed_run_keeps_what_was_chosen(moons: Dataset, tmp_path: Path) -> None:
    first = fitted(open_plan(moons, 0.5), computer(1e-4)).plan
    assert first.preset == "minute"
    train(first, tmp_path / "run")
    again = as_recorded(open_plan(moons, 9.0), tmp_path / "run")
    assert again is not None
    assert (again.preset, again.model_values, again.choice) == (
        "minute",
        first.model_values,
        first.choice,
    )
    in_steps = plan_training("flow", moons, budget={"steps": 9000}, preset=AUTO)
    assert as_recorded(in_steps, tmp_path / "run") is not None
    trained = train(again, tmp_path / "run", resume=True)
    assert trained.record.seconds > 0.5


def test_runs_of_one_family_share_the_choice(moons: Dataset) -> None:
    first = fitted(open_plan(moons), computer(1e-3)).plan
    other = plan_training("flow", moons, budget={"seconds": 60.0}, preset=AUTO, seed=3)
    assert like(other, first).config() == {**first.config(), "seed": 3} | {
        "train": {**first.config()["train"], "seed": 3}
    }


def test_curves_are_of_larger_examples_too_and_not_of_far_smaller_ones(
    moons: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = open_data(torch.randn(100, 40, generator=generator(0, "wide")).numpy())
    plan = plan_training("flow", wide, budget={"seconds": 60.0}, preset=AUTO)
    assert fitted(plan, computer(1e-3)).plan.preset == "minute"
    for dimensions, near in ((16, True), (17, False)):
        found = {"flow": [(Reference("wide", "points", dimensions, 1000), CURVES)]}
        monkeypatch.setattr(table, "learning_curves", lambda found=found: found)
        fits = fitted(open_plan(moons), computer(1e-3))
        assert (fits.plan.preset == "minute") == bool(fits.plan.choice) == near
        assert ("no other was measured on such data with" in fits.notes[0]) != near
        assert f"takes the preset {fits.plan.preset}" in fits.notes[0]


def test_large_examples_have_fewer_in_a_step(
    monkeypatch: pytest.MonkeyPatch, moons: Dataset
) -> None:
    monkeypatch.setitem(PRESETS, ("minute", "points"), replace(MINUTE, numbers=1))
    fits = fitted(open_plan(moons), computer(1e-3))
    assert fits.plan.preset == "minute"
    assert fits.plan.train_config.batch_size == 16  # half of 40, in eights
    assert fits.plan.train_config.learning_rate == 3.2e-3  # 5e-3 by the root of 16 / 40


def test_the_nearest_reference_is_of_the_same_size_before_the_same_rows() -> None:
    from pushforward.core.space import Image

    small, large = Reference("digits", "image", 64, 1200), Reference("mnist", "image", 784, 50_000)
    assert large.distance(Image(1, 28, 28, levels=256), 1000) < small.distance(
        Image(1, 28, 28, levels=256), 1000
    )
    assert small.distance(Image(1, 10, 10, levels=17), 50_000) < large.distance(
        Image(1, 10, 10, levels=17), 50_000
    )


def test_small_pictures_choose_between_bodies_and_the_body_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step of `cpu` takes twelve times as long: it pays where there is time for many of both."""
    monkeypatch.setattr(table, "learning_curves", TABLE)
    digits = open_data("digits")
    for seconds, preset, body in ((20.0, "minute", "vae:patches"), (2000.0, "cpu", "")):
        plan = plan_training("vae", digits, budget={"seconds": seconds}, preset=AUTO)
        fits = fitted(plan, computer(1e-3))
        assert fits.plan.preset == preset
        assert f"preset {preset} (about" in fits.notes[0]
        assert (f", which is {body}, rather than preset cpu" in fits.notes[0]) == bool(body)
        assert "learning curves of -ELBO of the data [nats] on digits" in fits.notes[0]


def test_where_no_other_was_tried_it_is_said(moons: Dataset) -> None:
    slow = fitted(open_plan(moons), computer(1e-3, spent=60.0))
    assert "; no other was tried" in slow.notes[0]


def test_where_no_other_was_ever_measured_it_is_said_in_the_run_too(
    moons: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"flow": [(Reference("moons", "points", 2, 1000), CURVES[:1])]}
    monkeypatch.setattr(table, "learning_curves", lambda: found)
    only = fitted(open_plan(moons), computer(1e-3))
    said = "; no other was ever measured on such data"
    assert said in only.notes[0]
    assert said in choice_in_words(only.plan.choice)
