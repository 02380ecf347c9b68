"""Presets fit a budget in real plans; what a machine takes is told by the test, never by its clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import pushforward as pf
from pushforward.app.runs import timing
from pushforward.app.runs.expecting import expected, memory
from pushforward.app.runs.fitting import fitted, in_words, too_short
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.app.runs.recognisable import (
    IN_A_MINUTE,
    NEEDED,
    NOT_ENOUGH,
    foresight,
    needed,
    shortfall,
)
from pushforward.app.runs.resizing import resized
from pushforward.app.runs.timing import Timed, timed
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.engine.precision import PRECISIONS
from pushforward.engine.sizing import FEWEST, KEPT, TRAINING, Cost
from pushforward.families.catalogue import FAMILIES


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    """Sixty colour pictures of 32 x 32: blobs on a ground."""
    rng = np.random.default_rng(0)
    at = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1)
    centre, colour = rng.uniform(8, 24, (90, 1, 1, 2)), rng.uniform(0, 255, (90, 1, 1, 3))
    near = np.exp(-((at - centre) ** 2).sum(-1) / 40)[..., None]
    return open_data((near * colour).astype(np.uint8).transpose(0, 3, 1, 2).copy())


def computer(speed: float, held_out: float = 0.0, half: float = 1.0):
    """A machine that needs `speed` seconds for a step of width 32 and batch 32; bfloat16 takes `half` of it."""

    def measure(plan: Plan) -> Timed:
        width = plan.model_values.get("width", 32)
        factor = half if plan.train_config.precision == "auto" else 1.0
        return Timed(
            Cost(0.02 * speed, factor * speed * (width / 32) ** 2 / 32), held_out, 0.01 * speed
        )

    return measure


def plan_of(data: Dataset, family: str, seconds: float = 40.0, **sections: Any) -> Plan:
    return plan_training(family, data, budget={"seconds": seconds}, overrides=sections)


def changes(plan: Plan) -> dict[str, Any]:
    return {key: value for values in plan.fitted.values() for key, value in values.items()}


@pytest.mark.parametrize("family", FAMILIES.names())
@pytest.mark.parametrize("speed", [0.0001, 0.3, 0.8])
def test_every_family_gets_its_steps(pictures: Dataset, family: str, speed: float) -> None:
    plan = plan_of(pictures, family)
    fits = fitted(plan, computer(speed))
    assert fits.steps >= FEWEST
    assert fits.warning == ""
    assert fits.plan.build() is not None  # whatever was chosen can be built
    if speed == 0.0001:
        assert fits.plan == plan  # a fast machine keeps the preset, word for word
        assert fits.notes == ()
    else:
        assert "fitted to 40 s" in fits.notes[0]
        assert fits.steps >= KEPT


def test_settings_that_somebody_chose_always_win(pictures: Dataset) -> None:
    slow = computer(5.0)
    assert set(changes(fitted(plan_of(pictures, "vae"), slow).plan)) >= {
        "width",
        "batch_size",
        "learning_rate",
    }
    for section, key, value in (
        ("model", "width", 24),
        ("train", "batch_size", 64),
        ("train", "learning_rate", 0.007),
        ("train", "precision", "auto"),
    ):
        plan = fitted(plan_of(pictures, "diffusion", **{section: {key: value}}), slow).plan
        assert key not in changes(plan)
        assert plan.config()[section][key] == value
    both = {"model": {"width": 24}, "train": {"batch_size": 64}}
    assert not {"width", "batch_size", "learning_rate"} & set(
        changes(fitted(plan_of(pictures, "vae", **both), slow).plan)
    )


def test_too_little_time_is_told_with_what_to_change(pictures: Dataset) -> None:
    fits = fitted(plan_of(pictures, "gan", 10.0), computer(30.0))
    assert fits.steps < FEWEST
    assert "only about" in fits.warning
    assert "data.resize" in fits.warning
    assert "--budget" in fits.warning
    advice = fits.warning.split("--budget ")[1].split("`")[0]
    from pushforward.engine.budget import parse_seconds

    # what is advised is enough by the same arithmetic
    assert fits.step is not None
    assert TRAINING * parse_seconds(advice) / fits.step >= FEWEST
    assert expected(fits)["change"] == [fits.warning]


def test_a_budget_without_a_single_step_is_refused_with_one_that_works(pictures: Dataset) -> None:
    with pytest.raises(BadInput, match=r"one step takes .* s at its smallest") as refused:
        fitted(plan_of(pictures, "gan", 0.5), computer(300.0))
    words = str(refused.value)
    from pushforward.engine.budget import parse_seconds

    advised = [parse_seconds(part.split("`")[0]) for part in words.split("--budget ")[2:]]
    assert len(advised) == 2
    for seconds, wanted in zip(advised, (1, FEWEST), strict=True):
        assert fitted(plan_of(pictures, "gan", seconds), computer(300.0)).steps >= wanted


def test_a_budget_of_steps_never_asks_the_clock(pictures: Dataset) -> None:
    def never(plan: Plan) -> Timed:
        raise AssertionError("timed")

    for budget in ({"steps": 7}, {"examples": 900}):
        plan = plan_training("vae", pictures, budget=budget)
        fits = fitted(plan, never)
        assert fits.plan is plan
        assert "fitted" not in plan.config()
    assert fits.steps == -(-900 // plan.train_config.batch_size)


def test_the_faster_precision_is_taken_and_written(
    pictures: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pushforward.app.runs.fitting.resolved", lambda *_: PRECISIONS["bfloat16"])
    slower = fitted(plan_of(pictures, "diffusion"), computer(0.2, half=3.0)).plan
    faster = fitted(plan_of(pictures, "diffusion"), computer(0.2, half=0.3)).plan
    assert slower.train_config.precision == "float32"
    assert faster.train_config.precision == "auto"


def test_the_faster_layout_is_taken_and_written(pictures: Dataset) -> None:
    def measure(plan: Plan, last: float) -> Timed:
        factor = last if plan.train_config.channels_last else 1.0
        return Timed(Cost(0.0, factor * 0.001), 0.0, 0.01)

    for last, found in ((0.5, True), (0.97, None), (2.0, None)):
        fits = fitted(plan_of(pictures, "vae"), lambda plan, last=last: measure(plan, last))
        assert changes(fits.plan).get("channels_last") == found
        assert fits.step == 0.001 * (last if found else 1.0) * fits.plan.train_config.batch_size
    asked = fitted(
        plan_of(pictures, "vae", train={"channels_last": False}), lambda plan: measure(plan, 0.5)
    )
    assert not asked.plan.train_config.channels_last
    points = fitted(plan_of(pf.load("two-moons"), "vae"), lambda plan: measure(plan, 0.5))
    assert "channels_last" not in changes(points.plan)  # no filters, no layout


def test_held_out_examples_are_fewer_where_they_are_dear_and_never_a_handful(
    pictures: Dataset,
) -> None:
    """A hundredth of 40 s measures that many; 64 where that is less, all where there are no more."""
    many = pf.load("two-moons")
    for data, each, rows in (
        (many, 0.5, 64),
        (many, 0.004, 100),
        (many, 1e-6, None),
        (pictures, 0.5, None),  # there are nine
    ):
        found = fitted(plan_of(data, "flow"), computer(0.001, held_out=each))
        assert found.plan.train_config.held_out_rows == rows


@pytest.mark.parametrize("heads", [1, 3, 4, 6])
def test_widths_divide_into_heads(pictures: Dataset, heads: int) -> None:
    small = open_data((pictures.train.x[:60, :1, 13:19, 13:19]).numpy())
    plan = plan_of(small, "ar", model={"heads": heads, "width": 16 * heads})
    for share in (0.75, 0.5, 0.375, 0.25):
        assert resized(plan, share, 4).build() is not None


def test_learning_rate_falls_with_the_root_of_the_batch(pictures: Dataset) -> None:
    plan = plan_of(pictures, "vae")
    smaller = resized(plan, 1.0, plan.train_config.batch_size // 4)
    assert smaller.train_config.learning_rate == pytest.approx(plan.train_config.learning_rate / 2)


def test_what_was_chosen_is_written_resumed_and_opened(pictures: Dataset, tmp_path: Path) -> None:
    """A run with fitted sizes is stopped, goes on with the sizes of its config and opens; timing again would choose others."""
    from pushforward.app.runs.fitting import as_recorded

    tiny = open_data(pictures.train.x[:, :, 14:18, 14:18].numpy())
    plan = fitted(plan_of(tiny, "vae", 0.6), computer(0.01)).plan
    assert changes(plan)["width"] < 32
    train(plan, tmp_path / "run")
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert config["fitted"] == plan.fitted
    assert config["model"]["width"] == plan.fitted["model"]["width"]
    again = as_recorded(plan_of(tiny, "vae", 0.9), tmp_path / "run")
    assert again is not None
    assert again.fitted == plan.fitted
    train(again, tmp_path / "run", resume=True)
    assert as_recorded(plan, tmp_path / "nothing") is None
    assert pf.open(tmp_path / "run").sample(2).shape == (2, 3, 4, 4)
    other = as_recorded(plan_of(tiny, "vae", 0.9, model={"width": 20}), tmp_path / "run")
    assert other is not None
    with pytest.raises(BadInput, match="other settings"):
        train(other, tmp_path / "run", resume=True)


def test_the_real_timer_measures_the_real_loop(pictures: Dataset) -> None:
    found = timed(plan_of(pictures, "vae", model={"width": 8}))
    assert found.cost.seconds(8) > 0
    assert found.held_out > 0
    assert found.spent > found.cost.seconds(8)
    time = iter(range(1000))
    ticks = timed(plan_of(pictures, "gan", model={"width": 8}), now=lambda: float(next(time)))
    assert ticks.cost == Cost(1.0, 0.0)  # one tick of that clock a step, at either batch
    assert ticks.held_out == 0.0  # nothing of a GAN's objective is held out


def test_another_program_for_a_while_makes_no_network_smaller(pictures: Dataset) -> None:
    """Of the steps of a clock that jumps at two of three, the quick third counts."""
    clock, calls = [0.0], [0]

    def now() -> float:
        calls[0] += 1
        clock[0] += 0.001 if calls[0] % 3 == 0 else 0.05
        return clock[0]

    plan = plan_of(pictures, "gan", 600.0, model={"width": 8}, train={"batch_size": 2})
    assert timed(plan, now=now).cost.seconds(2) == pytest.approx(0.001)


def test_what_a_process_imports_first_is_not_held_against_a_candidate(
    pictures: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that runs fast until the network is built: nothing before the first step counts."""
    clock, build = [0.0], Plan.build

    def slow(self: Plan) -> GenerativeModel:
        clock[0] += 100.0
        return build(self)

    def now() -> float:
        clock[0] += 0.01
        return clock[0]

    monkeypatch.setattr(Plan, "build", slow)
    found = timed(plan_of(pictures, "gan", model={"width": 8}), now=now)
    assert 0.0 < found.spent < 1.0


def test_large_pictures_have_an_architecture_and_a_batch_that_fit(pictures: Dataset) -> None:
    assert plan_of(pictures, "ar").model_values["architecture"] == "pixelcnn"
    assert "architecture" not in plan_of(pictures, "ar", model={"heads": 2}).model_values
    assert plan_of(pictures, "ar:made").model_values["architecture"] == "made"
    large = open_data(
        np.zeros((40, 128, 128, 3), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None]
    )
    for budget in ({"steps": 3}, {"seconds": 3.0}):
        assert plan_training(
            "diffusion", large, budget=budget
        ).train_config.batch_size == 2**19 // (128 * 128 * 3)
    chosen = plan_training(
        "diffusion", large, budget={"steps": 3}, overrides={"train": {"batch_size": 64}}
    )
    assert chosen.train_config.batch_size == 64


def test_memory_grows_with_the_batch_by_what_autograd_keeps(pictures: Dataset) -> None:
    """Of a step of a larger batch, autograd keeps the same per example; the line is checked at a batch it was not drawn through."""
    plan = plan_of(pictures, "vae", model={"width": 8})
    sizes = {batch: memory(resized(plan, 1.0, batch)).total for batch in (8, 16, 24)}
    assert sizes[24] - sizes[16] == pytest.approx(sizes[16] - sizes[8])
    assert (
        sizes[16] - sizes[8] > 8 * 8 * 32 * 32 * 4
    )  # at least one layer of 8 channels at full size
    model = plan.build()
    weights = 4 * sum(p.numel() for p in model.parameters())
    assert sizes[8] > 6 * weights
    # a batch in parts keeps what a part keeps, and the weights are what they were
    parts = memory(
        plan_of(pictures, "vae", model={"width": 8}, train={"batch_size": 24, "accumulate": 3})
    )
    whole = memory(resized(plan, 1.0, 8))
    assert parts == whole
    assert (whole.weights, whole.optimiser) == (3 * weights, 3 * weights)


@pytest.mark.parametrize("words", [["--steps", 2], ["--budget", "30s"]])
def test_a_dry_run_says_what_to_expect(
    run, words: list[object], tmp_path: Path, pictures: Dataset
) -> None:
    np.savez(tmp_path / "p.npz", x=pictures.train.x[:, :, :8, :8].numpy())
    common = [
        "train",
        "vae",
        tmp_path / "p.npz",
        "--dry-run",
        "--json",
        "-o",
        tmp_path / "r",
        "-s",
        "model.width=8",
    ]
    status, out, err = run(*common, *words)
    assert status == 0
    told = json.loads(out)["expected"]
    assert told["seconds_per_step"] > 0
    assert told["memory_mb"] >= 0
    assert sum(told["memory_parts_mb"].values()) == pytest.approx(told["memory_mb"], abs=0.7)
    assert list(told["memory_parts_mb"]) == ["weights", "optimiser", "activations"]
    assert not (tmp_path / "r").exists()
    if words[0] == "--steps":
        assert told["steps"] == 2
        assert "fewer than 100" in err
        assert told["seconds"] == pytest.approx(2 * told["seconds_per_step"], rel=0.02)
    else:
        assert told["seconds"] == 30.0


def test_a_run_of_few_steps_says_so_at_its_end(run, tmp_path: Path) -> None:
    status, _, err = run(
        "train", "flow", "two-moons", "--preset", "smoke", "--steps", 3, "-o", tmp_path / "r"
    )
    assert status == 0
    assert "flow did 3 steps only" in err
    assert too_short(1, "vae").startswith("vae did 1 step only")


@pytest.mark.parametrize("family", FAMILIES.names())
@pytest.mark.parametrize("preset", ["cpu", "minute"])
def test_pictures_that_nobody_will_recognise_are_announced(
    pictures: Dataset, family: str, preset: str
) -> None:
    wanted = (NEEDED if preset == "cpu" else IN_A_MINUTE)[family]
    enough = int(wanted * 3072 / 8) + 1
    for steps, short in ((enough, False), (enough // 4, True)):
        plan = plan_training(
            family,
            pictures,
            budget={"steps": steps},
            preset=preset,
            overrides={"train": {"batch_size": 8}},
        )
        fits = fitted(plan)
        assert fits.steps == steps
        assert needed(plan) == wanted
        assert shortfall(fits) == pytest.approx(wanted * 3072 / (8 * steps))
        said = foresight([fits])
        assert bool(said) == short
        if short:
            about = "more than" if preset == "cpu" and family in NOT_ENOUGH else "about"
            assert f"be recognised yet in samples of {family} ({about} 4 times the steps)" in said
            assert any("data.resize" in one for one in expected(fits, computer(0.01))["change"])


def test_nothing_is_foreseen_of_what_nobody_measured() -> None:
    moons = fitted(plan_training("flow", open_data("two-moons"), budget={"steps": 3}))
    smoke = fitted(
        plan_training("vae", open_data("digits"), budget={"seconds": 5.0}, preset="smoke")
    )
    assert foresight([moons, smoke]) == ""


def test_what_no_memory_holds_is_refused_before_a_step_is_timed() -> None:
    """A batch of a billion and a matrix whose bytes no number of 64 bits counts, at once."""
    moons = pf.load("two-moons")
    with pytest.raises(
        BadInput, match=r"train.batch_size=1,000,000,000, which needs about 7.45 GiB"
    ):
        plan_of(moons, "flow", train={"batch_size": 10**9})
    plan_of(moons, "flow", train={"batch_size": 10**9, "accumulate": 100})  # ten million at a time
    for architecture in ("nsf", "subset"):
        asked = {"width": 10**9, "architecture": architecture}
        with pytest.raises(BadInput, match="parameters, which needs about"):
            plan_of(pf.load("digits"), "flow", model=asked).build()


def test_a_large_batch_is_timed_on_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps of a few say that it is too slow for the budget; no large step is tried."""
    seen: list[int] = []

    def steps(model, plan, values, now):
        seen.append(values["batch_size"])
        return values["batch_size"] * 1e-3, 0.0, 0.0

    monkeypatch.setattr(timing, "_steps", steps)
    for batch, budget, tried in (
        (2**20, {"seconds": 4.0}, [timing.FIRST]),  # an eighth of all would take its time already
        (2**20, {"seconds": 20.0}, [timing.FIRST, 2 * timing.FIRST]),
        (2**20, {"steps": 9}, [timing.FIRST, 2 * timing.FIRST]),
        (256, {"seconds": 60.0}, [32, 256]),
        (256, {"seconds": 8.0}, [32, 100]),  # 0.4 s for four steps of a millisecond an example
        (256, {"seconds": 2.0}, [32, 64]),
    ):
        seen.clear()
        plan = plan_training(
            "flow",
            pf.load("two-moons"),
            budget=budget,
            preset="cpu",
            overrides={"train": {"batch_size": batch}},
        )
        cost = timing.timed(plan).cost
        assert seen == tried
        assert cost.seconds(1000) == pytest.approx(1.0)


def test_what_would_do_is_said_in_the_words_of_the_budget(pictures: Dataset) -> None:
    """A hundred steps of eight are 0.26 for each value; 11 are wanted, and a GAN has 10 s."""
    plan = plan_training("gan", pictures, budget={"seconds": 10.0}, preset="minute")
    fits = fitted(plan, computer(0.01))
    factor = IN_A_MINUTE["gan"] / (fits.steps * fits.plan.train_config.batch_size / 3072)
    assert f"gan (about `--budget {in_words(10.0 * factor)}`)" in foresight([fits])
