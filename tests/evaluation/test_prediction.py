"""Scores of predictions: against closed forms, other implementations and simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from pushforward.evaluation.prediction.categories import (
    area_under_curve,
    calibration,
    category_scores,
)
from pushforward.evaluation.prediction.numbers import PredictedNumbers, crps, number_scores
from pushforward.evaluation.prediction.over_cases import mean_over, reach_of


def sure(n: int, rng: np.random.Generator, categories: int = 3) -> np.ndarray:
    return rng.dirichlet(np.ones(categories), n)


def truth_of(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(p))[:, None] > p.cumsum(1)).sum(1)


def named(scores: list, name: str):
    return next(one for one in scores if one.metric == name)


def test_scores_of_categories_are_those_of_another_implementation() -> None:
    rng = np.random.default_rng(0)
    p = sure(300, rng)
    y = truth_of(p, rng)
    found = category_scores(p, y, np.array([0.2, 0.3, 0.5]))
    assert named(found, "log loss").value == pytest.approx(log_loss(y, p))
    assert named(found, "accuracy").value == pytest.approx((p.argmax(1) == y).mean())
    areas = [roc_auc_score(y == c, p[:, c]) for c in range(3)]
    assert named(found, "auc").value == pytest.approx(np.mean(areas))
    binary = np.stack([1 - p[:, 0], p[:, 0]], axis=1)
    two = category_scores(binary, (y == 0).astype(int), None)
    assert named(two, "brier score").value == pytest.approx(2 * brier_score_loss(y == 0, p[:, 0]))
    assert named(two, "log loss").floor is None
    floor = -np.log(np.array([0.2, 0.3, 0.5]))[y].mean()
    assert named(found, "log loss").floor == pytest.approx(floor)


def test_ties_of_probabilities_count_half() -> None:
    p = np.array([[0.5, 0.5]] * 6 + [[0.3, 0.7]] * 4)
    y = np.array([0, 1, 0, 1, 1, 0, 1, 1, 0, 1])
    (found,) = area_under_curve(p, y)
    assert found.value == pytest.approx(roc_auc_score(y, p[:, 1]))


def test_the_error_of_an_area_is_that_of_other_samples() -> None:
    """The mean squared standard error over 400 samples against their variance: 7 % of noise."""
    rng = np.random.default_rng(1)
    values, errors = [], []
    for _ in range(400):
        y = (rng.random(120) < 0.4).astype(int)
        s = stats.norm.cdf(rng.normal(size=120) + y)
        (found,) = area_under_curve(np.stack([1 - s, s], axis=1), y)
        values.append(found.value)
        assert found.stderr is not None
        errors.append(found.stderr)
    assert np.mean(np.square(errors)) == pytest.approx(np.var(values), rel=0.25)


def test_rows_of_one_case_tell_as_much_as_one() -> None:
    rng = np.random.default_rng(2)
    v = rng.normal(size=40)
    alone, twice = mean_over(v, None), mean_over(np.repeat(v, 5), np.repeat(np.arange(40), 5))
    assert twice[0] == pytest.approx(alone[0])
    assert twice[3] == pytest.approx(alone[3])
    assert twice[1] == pytest.approx(alone[1])
    assert math.isnan(reach_of(np.zeros(3), np.zeros(3))[0])


def test_calibrated_predictions_are_called_so_and_others_are_not() -> None:
    """Of 60 calibrated predictors about 3 have p < 0.05; 9 or more would be one in 1,000."""
    rng = np.random.default_rng(3)
    small = 0
    for seed in range(60):
        p = sure(400, rng)
        found = calibration(p, truth_of(p, rng), seed)
        assert found is not None
        small += found.p_value < 0.05
    assert small < 9
    p = sure(2000, rng)
    y = truth_of(p, rng)
    bold = p**3 / (p**3).sum(1, keepdims=True)
    found = calibration(bold, y)
    assert found is not None
    assert found.p_value < 0.01
    assert found.score.low is not None
    assert found.score.null is not None
    assert found.score.low > found.score.null
    for one in found.bins[-3:]:
        assert one.true < one.confidence


def test_a_calibration_error_is_the_mean_distance_in_bins() -> None:
    sure_of = np.repeat([0.6, 0.9], 40)
    p = np.stack([sure_of, 1 - sure_of], axis=1)
    y = np.array([0] * 20 + [1] * 20 + [0] * 38 + [1] * 2)
    found = calibration(p, y)
    assert found is not None
    assert [one.n for one in found.bins] == [20, 20, 20, 20]
    # bins are cut in the order of the rows where confidences are equal
    expected = (20 * 0.4 + 20 * 0.6 + 20 * 0.1 + 20 * 0.0) / 80
    assert found.score.value == pytest.approx(expected)
    assert calibration(p[:30], y[:30]) is None


def test_crps_is_the_integral_of_squared_distances() -> None:
    """Of a normal law its closed form, of points the integral over their steps."""
    y = np.array([-0.7, 0.0, 2.3])
    points = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    closed = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / math.sqrt(math.pi)
    found = crps(np.tile(points, (3, 1)), y)
    assert found == pytest.approx(closed, abs=1e-3)
    few = np.array([0.0, 1.0, 1.0, 4.0])

    def squared(z: float) -> float:
        return (float((few <= z).mean()) - float(z >= 2.5)) ** 2

    expected = integrate.quad(squared, -1, 5, points=[0, 1, 2.5, 4])[0]
    assert crps(few[None], np.array([2.5]))[0] == pytest.approx(expected)


def test_the_true_law_is_never_worse_than_another() -> None:
    rng = np.random.default_rng(4)
    mean = rng.normal(size=800)
    y = mean + rng.normal(size=800)
    levels = (np.arange(200) + 0.5) / 200

    def scored(scale: float) -> list:
        points = mean[:, None] + scale * stats.norm.ppf(levels)
        ends = mean[:, None] + scale * stats.norm.ppf([0.05, 0.5, 0.95])
        return number_scores(PredictedNumbers(mean, ends, points), y, y)

    right, bold = scored(1.0), scored(0.4)
    assert named(right, "crps").value < named(bold, "crps").value
    assert named(right, "crps").floor is not None
    assert named(right, "crps").value < named(right, "crps").floor
    held = named(right, "coverage of 90 %")
    assert held.null == pytest.approx(0.9)
    assert held.low < 0.9 < held.high
    assert named(bold, "coverage of 90 %").high < 0.9
    root = named(right, "root mean square error")
    assert root.value == pytest.approx(math.sqrt(((mean - y) ** 2).mean()))
    assert root.low < 1.0 < root.high
    assert root.floor == pytest.approx(float(y.std()))


def test_what_came_true_without_probability_is_said() -> None:
    p = np.array([[1.0, 0.0], [0.5, 0.5]])
    found = named(category_scores(p, np.array([1, 0]), None), "log loss")
    assert math.isinf(found.value)
    assert "no probability" in found.warnings[0]
