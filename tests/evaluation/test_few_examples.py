"""Intervals of few examples: of an AUC, of a share right; and costs that a clock cannot tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.app.measuring.augmenting import augment_samples
from pushforward.evaluation.areas import area_interval, area_under_curve
from pushforward.evaluation.cards.pareto import Priced, pareto
from pushforward.evaluation.usefulness.augmentation import share_interval
from pushforward.reports.page.usefulness import sentence
from pushforward.reports.verdict.unmatched import SAME
from scored import called


@pytest.mark.parametrize("m", [2, 5, 20, 60])
@pytest.mark.parametrize(("spread", "shift"), [(1.0, 0.0), (1.0, 1.2), (1.0, 2.3), (3.0, 2.4)])
def test_an_area_of_few_examples_has_an_interval_that_holds(
    m: int, spread: float, shift: float
) -> None:
    # 300 of each: at 5 % more than 28 misses has a chance of 0.1 %; A +- 1.96 stderr missed 20 to 74 % at m = 2, 5
    rng = np.random.default_rng([m, round(10 * spread), round(10 * shift)])
    truth = float((shift + spread * rng.normal(size=10**6) > rng.normal(size=10**6)).mean())
    missed = 0
    for _ in range(300):
        area, stderr = area_under_curve(shift + spread * rng.normal(size=m), rng.normal(size=200))
        low, high = area_interval(area, stderr, m, 200)
        assert 0.0 <= low < high <= 1.0
        missed += not low <= truth <= high
    assert missed <= 28


def test_a_share_stays_a_share_and_certainty_has_a_width() -> None:
    for value, reach, n in (
        (1.0, 0.0, 100),
        (0.983, 0.034, 60),
        (0.0, 0.0, 20),
        (0.02, 0.05, 40),
        (0.5, 0.2, 1000),
    ):
        low, high = share_interval(value, reach, n)
        assert 0.0 <= low <= value <= high <= 1.0
        assert high - low >= 0.03
    # where it is nothing special it is the interval that it was
    low, high = share_interval(0.6, 0.03, 5000)
    assert (low, high) == pytest.approx((0.57, 0.63), abs=1e-3)


def test_samples_that_hold_the_test_rows_are_not_said_to_help(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b"], 240)
    frame = pd.DataFrame(
        {
            "y": y,
            "u": rng.normal(size=240).round(3) + (y == "a"),
            "v": rng.normal(size=240).round(3),
        }
    )
    frame.to_csv(tmp_path / "real.csv", index=False)
    found = augment_samples(tmp_path / "real.csv", str(tmp_path / "real.csv"), target="y", seeds=2)
    assert {one.verdict for one in found.found} == {"", "leaked"}
    assert "not known" in sentence(found.found)
    assert any("leakage" in note for note in found.notes)


def test_costs_that_differ_by_less_than_a_tenth_are_one_cost_wherever_they_lie() -> None:
    def priced(name: str, value: float, cost: float) -> Priced:
        return Priced(
            name,
            called("d", value, n=99, better="lower", low=value - 0.1, high=value + 0.1),
            {"s": cost},
        )

    for base in np.geomspace(0.01, 900.0, 101):
        for apart in (1.0001, 1.04, 1.09):
            good, poor = priced("good", 1.0, base * apart), priced("poor", 2.0, base)
            assert pareto([good, poor], SAME) == {"good": "front", "poor": "dominated"}
        assert (
            pareto([priced("good", 1.0, base * 1.2), priced("poor", 2.0, base)], SAME)["poor"]
            == "front"
        )
