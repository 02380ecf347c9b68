"""Gaussian-kernel MMD and energy distance: closed forms on Gaussians, brute force, and intervals that cover."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics.pairwise import rbf_kernel as peer_kernel

from pushforward.core.errors import BadInput
from pushforward.evaluation.distribution import gram as module
from pushforward.evaluation.distribution.discrepancy import squared_mmd
from pushforward.evaluation.distribution.energy import (
    EnergyDistance,
    energy_distance,
    negative_distance,
)
from pushforward.evaluation.distribution.mmd import (
    MaximumMeanDiscrepancy,
    median_bandwidth,
    rbf_kernel,
)
from pushforward.evaluation.measuring.statistic import DATA
from scored import scored


def maximum_mean_discrepancy(x, y, *about, **options):
    return scored(MaximumMeanDiscrepancy, x, y, *about, **options)[0]


def energy_distance_score(x, y, *about):
    return scored(EnergyDistance, x, y, *about)[0]


def population_mmd(d: int, mu: float, s: float) -> float:
    """Squared MMD of N(0, I) and N(mu 1, I) under the Gaussian kernel of bandwidth s."""
    return 2 * (s**2 / (s**2 + 2)) ** (d / 2) * (1 - math.exp(-d * mu**2 / (2 * (s**2 + 2))))


def population_energy(mu: float) -> float:
    """Energy distance of N(0, 1) and N(mu, 1): both differences are normal with variance 2."""
    folded = math.sqrt(4 / math.pi) * math.exp(-(mu**2) / 4) + mu * (
        1 - 2 * stats.norm.cdf(-mu / math.sqrt(2))
    )
    return 2 * folded - 2 * math.sqrt(4 / math.pi)


def test_brute_force_in_small_tiles(monkeypatch):
    monkeypatch.setattr(module, "TILE_NUMBERS", 110)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)) + 5.0, rng.normal(size=(15, 3)) + 5.7
    xx, yy, xy = (peer_kernel(a, b, gamma=1 / (2 * 1.3**2)) for a, b in ((x, x), (y, y), (x, y)))
    expected = (xx.sum() - np.trace(xx)) / 380 + (yy.sum() - np.trace(yy)) / 210 - 2 * xy.mean()
    assert maximum_mean_discrepancy(x, y, "f", bandwidth=1.3).value == pytest.approx(
        expected, rel=1e-10
    )
    assert energy_distance_score(x, y, "f").value == pytest.approx(energy_distance(x, y), rel=1e-10)


def test_kernels_of_one_pair():
    x, y = np.array([[1.0, 2.0]]), np.array([[4.0, 6.0]])
    assert rbf_kernel(x, y, 10.0)[0, 0] == pytest.approx(math.exp(-25 / 200), rel=1e-14)
    assert negative_distance(x, y)[0, 0] == pytest.approx(-5.0, rel=1e-14)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_error_from_whole_matrices_centred_entry_by_entry(shift, monkeypatch):
    monkeypatch.setattr(module, "TILE_NUMBERS", 50)
    rng, n, m = np.random.default_rng(4), 14, 11
    x, y = rng.normal(size=(n, 2)) + shift, rng.normal(size=(m, 2))
    xx, yy, xy = (peer_kernel(a, b, gamma=0.5) for a, b in ((x, x), (y, y), (x, y)))
    of_x = [
        2 * (sum(xx[i, j] for j in range(n) if j != i) / (n - 1) - xy[i].mean()) for i in range(n)
    ]
    of_y = [
        2 * (sum(yy[i, j] for j in range(m) if j != i) / (m - 1) - xy[:, i].mean())
        for i in range(m)
    ]

    def degenerate(a):
        size = len(a)
        a = a - np.diag(np.diag(a))
        rows = a.sum(axis=0)
        centred = (
            a - rows / (size - 2) - rows[:, None] / (size - 2) + a.sum() / ((size - 1) * (size - 2))
        )
        return sum(centred[i, j] ** 2 for i in range(size) for j in range(size) if i != j) / (
            size * (size - 3)
        )

    between = xy - xy.mean(axis=0) - xy.mean(axis=1)[:, None] + xy.mean()
    second = 2 * degenerate(xx) / (n * (n - 1)) + 2 * degenerate(yy) / (m * (m - 1))
    second += 4 * (between**2).sum() / ((n - 1) * (m - 1)) / (n * m)
    first = np.var(of_x, ddof=1) / n + np.var(of_y, ddof=1) / m
    found = squared_mmd(x, y, lambda a, b: rbf_kernel(a, b, 1.0))
    np.testing.assert_allclose(found.influence_x, of_x, rtol=1e-9)
    np.testing.assert_allclose(found.influence_y, of_y, rtol=1e-9)
    assert found.stderr**2 == pytest.approx(max(first - second, second), rel=1e-9)
    # either branch occurs
    assert (first - second > second) == (shift == 1.0)


@pytest.mark.parametrize(("mu", "coverage"), [(0.6, (0.93, 0.97)), (0.0, (0.95, 1.0))])
def test_mmd_is_unbiased_and_nominal(mu, coverage):
    # 400 repetitions: the standard error of a coverage of 95 % is 1.1 %; the null is conservative by construction
    rng, d, s = np.random.default_rng(1), 3, 1.5
    truth = population_mmd(d, mu, s)
    found = [
        maximum_mean_discrepancy(
            rng.normal(size=(90, d)) + mu, rng.normal(size=(120, d)), "f", bandwidth=s
        )
        for _ in range(400)
    ]
    values = np.array([score.value for score in found])
    assert abs(values.mean() - truth) < 4 * values.std() / 20
    assert (
        coverage[0] <= np.mean([score.low <= truth <= score.high for score in found]) <= coverage[1]
    )


@pytest.mark.parametrize(("mu", "coverage"), [(0.8, (0.93, 0.97)), (0.0, (0.95, 1.0))])
def test_energy_distance_is_unbiased_and_nominal(mu, coverage):
    rng = np.random.default_rng(2)
    truth = population_energy(mu)
    found = [
        energy_distance_score(rng.normal(size=(120, 1)) + mu, rng.normal(size=(90, 1)), "f")
        for _ in range(400)
    ]
    values = np.array([score.value for score in found])
    assert abs(values.mean() - truth) < 4 * values.std() / 20
    assert (
        coverage[0] <= np.mean([score.low <= truth <= score.high for score in found]) <= coverage[1]
    )


def test_the_bandwidth_is_the_references_and_is_named():
    rng = np.random.default_rng(3)
    y = rng.normal(size=(500, 8))
    # |x - y|^2 is twice a chi-square of 8; the median of 124,750 dependent pairs is good to about a per cent
    assert median_bandwidth(y) == pytest.approx(math.sqrt(2 * stats.chi2.median(8)), rel=0.02)
    near, far = (
        maximum_mean_discrepancy(rng.normal(size=(40, 8)) + shift, y, "pca-8")
        for shift in (0.0, 9.0)
    )
    assert (
        near.name
        == far.name
        == f"squared mmd, gaussian kernel of bandwidth {median_bandwidth(y):.4g} [pca-8] vs test"
    )
    assert median_bandwidth(np.repeat(y, 20, axis=0)) == pytest.approx(
        median_bandwidth(y), rel=0.02
    )


def test_classes_name_their_view_and_carry_terms():
    rng = np.random.default_rng(5)
    x, y, x_ids, y_ids = (
        rng.normal(size=(30, 2)) + 1,
        rng.normal(size=(25, 2)),
        np.arange(30) + 3,
        np.arange(25),
    )
    for metric, expected in (
        (
            MaximumMeanDiscrepancy(DATA, "train", bandwidth=2.0),
            maximum_mean_discrepancy(x, y, "data", "", "train", bandwidth=2.0),
        ),
        (EnergyDistance(DATA, "train"), energy_distance_score(x, y, "data", "", "train")),
    ):
        (measured,) = metric.measure(x, y, x_ids, y_ids)
        assert measured.score == expected
        assert measured.samples.ids.tolist() == x_ids.tolist()
        first_order = measured.samples.variance + measured.reference.variance
        # the variance of influences counts the second-order part twice, the standard error once
        assert 1.0 < first_order / measured.score.stderr**2 < 1.5


def test_equal_examples_and_refusals():
    x = np.random.default_rng(6).normal(size=(10, 2))
    same = energy_distance_score(np.ones((9, 2)) * 0.1, np.ones((8, 2)) * 0.1, "f")
    assert (same.value, same.stderr) == (pytest.approx(0.0, abs=1e-7), pytest.approx(0.0, abs=1e-7))
    with pytest.raises(BadInput, match="a median distance of zero"):
        maximum_mean_discrepancy(x, np.ones((9, 2)), "f")
    with pytest.raises(BadInput, match="a bandwidth of -1"):
        maximum_mean_discrepancy(x, x, "f", bandwidth=-1.0)
    with pytest.raises(BadInput, match="3 samples: expected at least 4"):
        energy_distance_score(x[:3], x, "f")
    with pytest.raises(BadInput, match="rows of 2 and 3 numbers"):
        maximum_mean_discrepancy(x, np.ones((9, 3)), "f")
