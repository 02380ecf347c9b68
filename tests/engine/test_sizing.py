"""Presets fit a budget: the choice is a function of measured seconds, checked against an exhaustive search over the ladder."""

from __future__ import annotations

import pytest

from pushforward.engine.sizing import (
    FEWEST,
    FEWEST_ROWS,
    KEPT,
    TIMING,
    TRAINING,
    WANTED,
    Cost,
    Rung,
    choose,
    held_out_rows,
    ladder,
    steps_in,
)


def machine(speed: float, batch: int, asked: list[float]):
    """A network whose step costs `speed (w^2 b / B + 0.05)`: quadratic in width, linear in the batch, with a fixed part.

    It is measured by three steps at two batches each, an eighth of the batch and a quarter of that.
    """

    def timed(width: float) -> tuple[Cost, float]:
        asked.append(width)
        cost = Cost(0.05 * speed, speed * width**2 / batch)
        return cost, 4 * (cost.seconds(batch // 8) + cost.seconds(batch // 32))

    return timed


@pytest.mark.parametrize("batch", [2, 32, 128])
@pytest.mark.parametrize("speed", [1e-3, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 60.0])
@pytest.mark.parametrize("seconds", [5.0, 40.0, 300.0])
def test_the_first_rung_that_fits_is_taken(batch: int, speed: float, seconds: float) -> None:
    asked: list[float] = []
    rungs = ladder(batch)
    choice = choose(rungs, seconds, machine(speed, batch, asked))
    real = {w: machine(speed, batch, [])(w) for w in {r.width for r in rungs}}
    assert len(asked) == len(set(asked))
    assert choice.seconds == real[choice.rung.width][0].seconds(choice.rung.batch)
    steps = {r: TRAINING * seconds / real[r.width][0].seconds(r.batch) for r in rungs}
    tiers = [[r for r in rungs[:1] if steps[r] >= KEPT]]
    tiers += [[r for r in rungs if steps[r] >= wanted] for wanted in (WANTED, KEPT)]
    fits = next(filter(None, tiers), [])
    if choice.rung in fits:
        # only what is too dear to be timed is passed over
        assert all(r.width not in asked for r in fits[: fits.index(choice.rung)])
    else:
        assert all(r.width not in asked for r in fits)
    if asked[1:]:
        assert sum(real[w][1] for w in asked) <= TIMING * seconds


def test_a_fast_machine_keeps_the_preset() -> None:
    assert choose(ladder(128), 40.0, machine(1e-3, 128, [])).rung == Rung(1.0, 128)


def test_what_is_too_slow_for_any_size_is_told_by_its_steps() -> None:
    choice = choose(ladder(32), 40.0, machine(100.0, 32, []))
    assert choice.rung == Rung(0.25, 8)
    assert steps_in(40.0, choice.seconds) < FEWEST


@pytest.mark.parametrize("batch", [1, 2, 7, 32, 512])
def test_what_somebody_chose_is_no_rung(batch: int) -> None:
    assert {r.width for r in ladder(batch, width_free=False)} == {1.0}
    assert {r.batch for r in ladder(batch, batch_free=False)} == {batch}
    assert ladder(batch, False, False) == [Rung(1.0, batch)]
    assert all(1 <= r.batch <= batch for r in ladder(batch))
    assert ladder(batch)[0] == Rung(1.0, batch)


def test_a_line_through_two_measurements() -> None:
    line = Cost.through(4, 0.3, 16, 0.9)
    assert line.seconds(4) == pytest.approx(0.3)
    assert line.seconds(64) == pytest.approx(3.3)
    assert Cost.through(4, 0.5, 16, 0.4) == Cost(
        0.5, 0.0
    )  # noise: a larger batch was not faster in truth
    assert Cost.through(4, 0.1, 16, 0.9).fixed >= 0.0


@pytest.mark.parametrize("each", [0.0, 1e-6, 0.01, 0.1, 100.0])
def test_one_evaluation_is_a_small_share_of_the_budget_or_of_the_fewest_examples(
    each: float,
) -> None:
    """Fewer than 64 choose the best step by chance; the engine then measures less often."""
    rows = held_out_rows(60.0, each, 512)
    if rows is None:
        assert each * 512 <= 0.02 * 60.0 + 1e-9
    else:
        assert rows == FEWEST_ROWS or FEWEST_ROWS < rows <= 0.02 * 60.0 / each


def test_how_long_timing_took_is_not_what_a_step_costs() -> None:
    """Timing takes its share of a budget however quick steps are: the preset is still asked."""

    def timed(width: float) -> tuple[Cost, float]:
        return Cost(0.01, 2e-4 * width**2), 0.025 * 60.0

    assert choose(ladder(256), 60.0, timed).rung == Rung(1.0, 256)
