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
