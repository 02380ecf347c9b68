"""Kernel distance: unbiased against a brute-force U-statistic and a population value, with intervals that cover."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from pushforward.core.errors import BadInput
from pushforward.evaluation.distribution import gram as module
from pushforward.evaluation.distribution.discrepancy import squared_mmd
from pushforward.evaluation.distribution.kernel_distance import (
    KernelDistance,
    cubic_kernel,
    kernel_distance,
)
from pushforward.evaluation.measuring.statistic import DATA


def population(d: int, a: float) -> float:
    """Squared MMD of N(0, I) and N(a 1, I) under the cubic kernel, from the moments of x.y/d."""
    shifted = (1 + a**2) ** 3 + 3 * (1 + a**2) * (1 + 2 * a**2) / d + 6 * a**2 / d**2
    return shifted + (1 + 3 / d) - 2 * (1 + 3 * (1 + a**2) / d)


def test_the_population_pin():
    assert population(10, 0.5) == pytest.approx(1.080625, abs=1e-12)


def test_brute_force_u_statistic(monkeypatch):
    monkeypatch.setattr(module, "TILE_NUMBERS", 110)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(15, 3)) + 0.7
    xx, yy, xy = (
        polynomial_kernel(a, b, degree=3, gamma=1 / 3, coef0=1) for a, b in ((x, x), (y, y), (x, y))
    )
    expected = (xx.sum() - np.trace(xx)) / 380 + (yy.sum() - np.trace(yy)) / 210 - 2 * xy.mean()
    assert squared_mmd(x, y, cubic_kernel).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("shift", "coverage"), [(0.5, (0.92, 0.975)), (0.0, (0.95, 1.0))])
def test_unbiased_and_nominal(shift, coverage):
    # 400 repetitions: the standard error of a coverage of 95 % is 1.1 %; the null is conservative by construction
    rng, d = np.random.default_rng(1), 10
    truth = population(d, shift)
    found = [
        kernel_distance(rng.normal(size=(200, d)), rng.normal(size=(160, d)) + shift, "identity")
        for _ in range(400)
    ]
    values = np.array([s.value for s in found])
    assert abs(values.mean() - truth) < 4 * values.std() / 20
    assert coverage[0] <= np.mean([s.low <= truth <= s.high for s in found]) <= coverage[1]
    if shift == 0.0:
        assert 0.3 < np.mean(values < 0) < 0.8
        assert 0.9 < np.mean([s.stderr for s in found]) / values.std() < 1.3


def test_name_null_and_refusals():
    x = np.random.default_rng(2).normal(size=(10, 2))
    score = kernel_distance(x, x[::-1] + 1, "pca-2", "abc", "train")
    assert (score.name, score.null, score.features) == (
        "kernel distance [pca-2] vs train",
        0.0,
        "abc",
    )
    with pytest.raises(BadInput, match="3 samples: expected at least 4"):
        kernel_distance(x[:3], x, "pca-2")
    with pytest.raises(BadInput, match="NaN"):
        kernel_distance(x * np.nan, x, "pca-2")


def test_constant_features_have_no_distance():
    score = kernel_distance(np.ones((9, 2)), np.ones((8, 2)), "identity")
    assert score.value == pytest.approx(0.0, abs=1e-12)
    assert score.stderr == pytest.approx(0.0, abs=1e-6)


def test_terms_are_the_first_order_error_of_either_side():
    # U-statistics of order one: leaving example i out moves the value by -influence_i / n, up to terms of second order
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 2)) + 1.0, rng.normal(size=(50, 2))
    (measured,) = KernelDistance(DATA, "train").measure(x, y, np.arange(60), np.arange(50) + 7)
    assert measured.score.name == "kernel distance [data] vs train"
    assert measured.reference.ids.tolist() == list(range(7, 57))
    whole = measured.score.value
    without_x = np.array(
        [squared_mmd(np.delete(x, i, axis=0), y, cubic_kernel).value for i in range(60)]
    )
    without_y = np.array(
        [squared_mmd(x, np.delete(y, i, axis=0), cubic_kernel).value for i in range(50)]
    )
    for terms, without in (
        (measured.samples.terms, without_x),
        (measured.reference.terms, without_y),
    ):
        moved = whole - without
        assert np.corrcoef(terms, moved)[0, 1] > 0.999
        assert np.std(moved) == pytest.approx(np.std(terms), rel=0.05)
