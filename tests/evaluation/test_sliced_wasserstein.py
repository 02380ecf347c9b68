"""Sliced Wasserstein: scipy's distance on a line, closed forms on Gaussians, potentials that are dual optimal, and coverage."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from pushforward.core.errors import BadInput
from pushforward.evaluation.distribution import sliced_wasserstein as module
from pushforward.evaluation.distribution.sliced_wasserstein import (
    Coupling,
    SlicedWasserstein,
    directions,
    freedom_of,
    mean_variance,
    slices,
)
from pushforward.evaluation.measuring.statistic import DATA, Terms
from pushforward.evaluation.quadratic import root_interval
from scored import scored


def sliced_wasserstein_distance(x, y, *about, **options):
    return scored(SlicedWasserstein, x, y, *about, **options)[0]


@pytest.mark.parametrize(("n", "m"), [(20, 20), (21, 35), (50, 23)])
def test_on_a_line_it_is_scipys_distance(n, m):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 1)) * 2 + 1, rng.normal(size=(m, 1))
    expected = stats.wasserstein_distance(x[:, 0], y[:, 0])
    assert sliced_wasserstein_distance(x, y, "f", order=1).value == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("n", "m"), [(6, 6), (4, 7), (9, 6)])
def test_the_plan_and_its_potentials_are_optimal_by_linear_programming(order, n, m):
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.normal(size=(1, n))), np.sort(rng.normal(size=(1, m)) + 0.5)
    cost = np.abs(x.T - y) ** order
    marginals = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    weights = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    least = linprog(cost.ravel(), A_eq=marginals, b_eq=weights).fun
    assert Coupling.of(n, m).cost(x, y, order)[0] == pytest.approx(least, rel=1e-9)
    phi, psi = module._potentials(x, y, order)[0], module._potentials(y, x, order)[0]
    # dual feasible up to the constant, and without a gap: sum phi/n + sum psi/m + constant is the least cost
    constant = (cost - phi[:, None] - psi).min()
    assert phi.mean() + psi.mean() + constant == pytest.approx(least, rel=1e-9, abs=1e-12)


def test_a_shift_is_its_share_in_every_direction_whatever_the_seed():
    # W2 of a pure shift is the projected shift, and orthonormal blocks add up the squares to |mu|^2
    rng = np.random.default_rng(2)
    for d in (1, 3, 64):
        x, mu = rng.normal(size=(30, d)), rng.normal(size=d)
        for seed in (0, 1):
            assert slices(x, x + mu, 2, seed).power == pytest.approx(mu @ mu / d, rel=1e-9)
    score = sliced_wasserstein_distance(x + mu, x, "f")
    assert score.value == pytest.approx(math.sqrt(mu @ mu / 64), rel=1e-9)
    assert score.low < score.value < score.high


def test_gaussians_of_other_scale():
    # isotropic: every projection is N(0, 1) against N(0, s^2), so W2 = |s - 1| and W1 = |s - 1| sqrt(2 / pi)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2000, 5)) * 1.5, rng.normal(size=(3000, 5))
    for order, truth in ((1, 0.5 * math.sqrt(2 / math.pi)), (2, 0.5)):
        score = sliced_wasserstein_distance(x, y, "f", order=order)
        assert abs(score.value - truth) < 4 * score.stderr
        assert score.stderr < 0.02


def test_directions_are_orthonormal_seeded_and_enough():
    for d in (2, 40, 90):
        blocks = directions(d, 5)
        assert len(blocks) >= 8
        assert blocks.shape[0] * blocks.shape[1] >= 512
        np.testing.assert_allclose(
            blocks @ blocks.transpose(0, 2, 1) - np.eye(blocks.shape[1]), 0, atol=1e-12
        )
        np.testing.assert_array_equal(blocks, directions(d, 5))
        assert not np.array_equal(blocks, directions(d, 6))
    # uniform on the sphere: E u u^T = I / d and E u_1^4 = 3 / (d (d + 2))
    first = np.concatenate([directions(3, seed)[:, 0] for seed in range(60)])
    np.testing.assert_allclose(first.T @ first / len(first), np.eye(3) / 3, atol=0.02)
    assert (first**4).mean() == pytest.approx(1 / 5, abs=0.01)


@pytest.mark.parametrize("order", [1, 2])
def test_the_interval_covers_the_average_at_this_size_and_the_null_is_right(order, monkeypatch):
    # 300 repetitions: standard error of a coverage of 95 % 1.3 %; blocks of directions are few here, so Student's quantile counts
    monkeypatch.setattr(module, "DIRECTIONS", 40)
    rng, d = np.random.default_rng(4), 4
    for shift, coverage in ((0.7, (0.92, 0.98)), (0.0, (0.95, 1.0))):
        found = [
            sliced_wasserstein_distance(
                rng.normal(size=(60, d)) * 1.2 + shift * np.eye(d)[0],
                rng.normal(size=(80, d)),
                "f",
                order=order,
                seed=r,
            )
            if shift
            else sliced_wasserstein_distance(
                rng.normal(size=(60, d)), rng.normal(size=(80, d)), "f", order=order, seed=r
            )
            for r in range(300)
        ]
        values = np.array([score.value for score in found])
        assert (
            coverage[0] <= np.mean([s.low <= values.mean() <= s.high for s in found]) <= coverage[1]
        )
        if shift == 0.0:
            assert np.mean([s.null for s in found]) == pytest.approx(values.mean(), rel=0.04)


def test_terms_follow_an_example_that_moves():
    # the derivative of W_2^2 along one example is the weight of its displacement, which its potential has to predict
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(40, 3)) + 1.5, rng.normal(size=(33, 3))
    (measured,) = SlicedWasserstein(DATA, seed=2).measure(x, y, np.arange(40) + 9, np.arange(33))
    assert measured.samples.ids[0] == 9
    without = np.array([slices(np.delete(x, i, axis=0), y, 2, 2).power ** 0.5 for i in range(40)])
    moved = measured.score.value - without
    assert np.corrcoef(moved, measured.samples.terms)[0, 1] > 0.99
    assert np.std(moved) == pytest.approx(np.std(measured.samples.terms), rel=0.1)


def test_the_interval_adds_the_variance_over_directions(monkeypatch):
    # one coordinate differs, so directions disagree; 40 seeds say how much the mean over blocks of directions varies
    monkeypatch.setattr(module, "DIRECTIONS", 40)
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(150, 3)), rng.normal(size=(120, 3))
    x[:, 0] *= 4.0
    found = [slices(x, y, 2, seed) for seed in range(40)]
    turning = np.mean([f.blocks.var(ddof=1) / len(f.blocks) for f in found])
    assert np.var([f.power for f in found], ddof=1) == pytest.approx(turning, rel=0.6)
    (measured,) = SlicedWasserstein(DATA, seed=3).measure(x, y, np.arange(150), np.arange(120))
    score, blocks = measured.score, found[3].blocks
    sampling = (measured.samples.variance + measured.reference.variance) * (2 * score.value) ** 2
    turning = blocks.var(ddof=1) / len(blocks)
    assert score.stderr**2 == pytest.approx((sampling + turning) / 4 / found[3].power, rel=1e-5)
    sampling *= (
        stats.t.ppf(0.975, freedom_of([measured.samples, measured.reference])) / 1.959964
    ) ** 2
    both = sampling + (stats.t.ppf(0.975, len(blocks) - 1) / 1.959964) ** 2 * turning
    # the variance of a distance is its square's over four times the square; the null's part weighs half of its bias
    weight = 0.5 * found[3].null_square
    shared = mean_variance(x, y) / 3 * weight
    scale = (both / 4 + shared) / (found[3].power + weight)
    assert (score.low, score.high) == pytest.approx(
        root_interval(score.value, found[3].null_square, scale), rel=1e-5
    )


def test_tails_leave_few_degrees_of_freedom():
    rng = np.random.default_rng(9)
    normal, heavy = (
        Terms.of_mean(np.arange(400), v)
        for v in (rng.normal(size=400), rng.standard_t(3, size=400))
    )
    # Var of a sum of squares of normal terms is 2 V^2 / n: 400 degrees, known to 20 %
    assert freedom_of([normal]) == pytest.approx(400, rel=0.4)
    assert freedom_of([heavy]) < 120
    lone = Terms(np.arange(50), np.eye(50)[0])
    assert freedom_of([lone]) == 3.0
    assert freedom_of([Terms(np.arange(5), np.zeros(5))]) == math.inf


def test_the_largest_variance_of_a_gap_of_means_is_the_largest_eigenvalue():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(90, 6)) * np.array([5.0, 1, 1, 1, 0.1, 0]), rng.normal(size=(50, 6))
    expected = np.linalg.eigvalsh(np.cov(x.T) / 90 + np.cov(y.T) / 50)[-1]
    assert mean_variance(x, y) == pytest.approx(expected, rel=1e-6)
    assert mean_variance(np.ones((20, 2)), np.zeros((20, 2))) == 0.0


def test_names_warnings_and_refusals():
    x = np.random.default_rng(6).normal(size=(30, 2))
    score = sliced_wasserstein_distance(x, x, "pca-2", "abc", "train", order=1)
    assert score.name == "sliced wasserstein distance, order 1 [pca-2] vs train"
    assert (score.value, score.low, score.features) == (0.0, 0.0, "abc")
    assert "biased upwards at 30 against 30" in score.warnings[0]
    with pytest.raises(BadInput, match="order 3: expected 1 or 2"):
        sliced_wasserstein_distance(x, x, "f", order=3)
    with pytest.raises(BadInput, match="19 samples: expected at least 20"):
        sliced_wasserstein_distance(x[:19], x, "f")
