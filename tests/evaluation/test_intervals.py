"""Intervals and moments against closed forms."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushforward.evaluation.intervals import jackknife, mean_interval, wilson
from pushforward.evaluation.measuring.moments import Moments


def test_wilsons_pin():
    low, high = wilson(850, 1000)
    assert (low + high) / 2 == pytest.approx(0.849, abs=5e-4)
    assert (high - low) / 2 == pytest.approx(0.022, abs=5e-4)


def test_wilson_solves_its_quadratic():
    z = NormalDist().inv_cdf(0.975)
    for k, n in ((0, 10), (3, 17), (17, 17)):
        for p in wilson(k, n):
            assert (k / n - p) ** 2 == pytest.approx(z * z * p * (1 - p) / n, abs=1e-12)


def test_the_jackknife_of_a_mean_is_its_standard_error_and_has_no_bias():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=40)
    without_x = np.array([np.delete(x, i).mean() - y.mean() for i in range(30)])
    without_y = np.array([x.mean() - np.delete(y, i).mean() for i in range(40)])
    found = jackknife(x.mean() - y.mean(), without_x, without_y)
    assert found.stderr == pytest.approx(np.sqrt(x.var(ddof=1) / 30 + y.var(ddof=1) / 40))
    assert found.bias == pytest.approx(0.0, abs=1e-12)


def test_the_jackknife_finds_the_bias_of_a_plug_in_variance_exactly():
    x = np.random.default_rng(1).normal(size=25)
    without = np.array([np.delete(x, i).var() for i in range(25)])
    found = jackknife(float(x.var()), without, np.full(5, x.var()))
    assert found.value - found.bias == pytest.approx(x.var(ddof=1))


def test_unequal_blocks_are_weighted_by_their_rows():
    # of a mean, every pseudo-value is its block's mean: no bias, and the variance of block means weighted by size
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 9, size=12)
    x = rng.normal(size=int(sizes.sum()))
    blocks = np.split(x, np.cumsum(sizes)[:-1])
    without = np.array([np.concatenate(blocks[:k] + blocks[k + 1 :]).mean() for k in range(12)])
    found = jackknife(x.mean(), without, np.full(12, x.mean()), sizes=(sizes, np.full(12, 3)))
    assert found.bias == pytest.approx(0.0, abs=1e-12)
    means, h = np.array([b.mean() for b in blocks]), sizes.sum() / sizes
    assert found.stderr**2 == pytest.approx(((means - x.mean()) ** 2 / (h - 1)).sum() / 12)
    assert (found.first**2).sum() == pytest.approx(found.stderr**2)
    # and its expectation over draws is the variance of the mean, 1 / n: 400 draws put the ratio within 7 % at three standard errors
    ratios = []
    for _ in range(400):
        x = rng.normal(size=int(sizes.sum()))
        parts = np.split(x, np.cumsum(sizes)[:-1])
        out = np.array([(x.sum() - p.sum()) / (len(x) - len(p)) for p in parts])
        ratios.append(
            jackknife(x.mean(), out, np.full(12, x.mean()), sizes=(sizes, sizes)).stderr ** 2
            * len(x)
        )
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)


def test_unequal_blocks_remove_the_bias_of_a_plug_in_variance_to_first_order():
    rng, sizes = np.random.default_rng(4), np.array([3, 8, 5, 6, 4, 9, 5])
    n = int(sizes.sum())
    gaps = []
    for _ in range(300):
        x = rng.normal(size=n)
        parts = np.split(x, np.cumsum(sizes)[:-1])
        out = np.array([np.concatenate(parts[:k] + parts[k + 1 :]).var() for k in range(7)])
        found = jackknife(float(x.var()), out, np.full(7, x.var()), sizes=(sizes, sizes))
        gaps.append(found.bias + 1 / n)  # the bias of the plug-in variance is -1/n
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(300)


def test_the_mean_interval_is_students():
    x = np.random.default_rng(2).normal(size=12)
    mean, low, high, stderr = mean_interval(x)
    assert (high - mean) / stderr == pytest.approx(2.200985, abs=1e-6)
    assert mean - low == pytest.approx(high - mean)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 10**6))
def test_moments_merge_and_part_again(n, m, seed):
    rows = np.random.default_rng(seed).normal(1000.0, 1.0, size=(n + m, 3))
    first, second, whole = Moments.of(rows[:n]), Moments.of(rows[n:]), Moments.of(rows)
    for merged in (first.merge(second), second.merge(first)):
        np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-13)
        np.testing.assert_allclose(merged.scatter, whole.scatter, atol=1e-8)
    np.testing.assert_allclose(whole.without(second).scatter, first.scatter, atol=1e-8)
    np.testing.assert_allclose(whole.covariance, np.cov(rows.T), atol=1e-9)


@pytest.mark.parametrize("value", [0.01, 1 / 3, 1e9 / 7, -0.1])
def test_what_rounding_leaves_of_a_spread_is_no_error(value: float) -> None:
    values = np.full(20, value)
    values[7] += 2 * np.spacing(value)
    assert mean_interval(values) == (values[0], values[0], values[0], 0.0)
    assert mean_interval(values + np.arange(20) * 1e-6 * abs(value))[3] > 0.0
