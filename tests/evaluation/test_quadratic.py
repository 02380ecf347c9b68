"""Intervals of squared distances: scipy's other noncentral chi-square, exact coverage, and both ends of the scale."""

import math

import numpy as np
import pytest
from scipy import stats

from pushforward.evaluation.quadratic import MANY, quadratic_interval, root_interval


@pytest.mark.parametrize(
    ("value", "bias", "scale"), [(3.0, 1.0, 0.2), (9.0, 0.5, 1.0), (40.0, 12.0, 0.3)]
)
def test_the_ends_leave_the_tails_that_scipys_law_says(value: float, bias: float, scale: float):
    low, high = quadratic_interval(value, bias, scale)
    law = stats.ncx2(bias / scale, np.array([low, high]) / scale, scale=scale)
    assert law.cdf(value).tolist() == pytest.approx([0.975, 0.025], abs=1e-9)
    assert law.mean() == pytest.approx([bias + low, bias + high])


@pytest.mark.parametrize("freedom", [1, 5, 40])
def test_it_covers_exactly_what_it_claims(freedom: int):
    # 3,000 draws: a share of 95 % is known to 0.4 points; at zero only one side can miss. Four errors: 0.05 % of false alarms
    rng, scale = np.random.default_rng(0), 0.3
    for shift, share in ((0.0, 0.975), (2.0, 0.95), (30.0, 0.95)):
        gaps = rng.normal(size=(3000, freedom))
        gaps[:, 0] += math.sqrt(shift)
        ends = [
            quadratic_interval(v, freedom * scale, scale) for v in scale * (gaps**2).sum(axis=1)
        ]
        held = np.mean([low <= shift * scale <= high for low, high in ends])
        assert abs(held - share) < 4 * 0.004


def test_ends_are_steady_where_the_formula_turns():
    # at the null's tail the lower end passes through zero, and at many squares the law becomes normal
    edge = float(stats.chi2.ppf(0.975, 4))
    below, above = (quadratic_interval(edge * f, 4.0, 1.0)[0] for f in (1 - 1e-6, 1 + 1e-6))
    assert below == pytest.approx(0.0, abs=1e-3)
    assert above == pytest.approx(0.0, abs=1e-3)
    exact, normal = (quadratic_interval(MANY * f, 10.0, 1.0) for f in (1 - 1e-9, 1 + 1e-9))
    reach = 1.96 * math.sqrt(4 * MANY)
    assert np.subtract(exact, normal) == pytest.approx([0.0, 0.0], abs=0.01 * reach)


def test_nothing_varies_and_nothing_is_there():
    assert quadratic_interval(2.0, 0.5, 0.0) == (1.5, 1.5)
    assert quadratic_interval(0.0, 0.5, 1.0) == (-0.5, 0.0)
    assert root_interval(2.0, 0.0, 0.0) == (2.0, 2.0)
    low, high = quadratic_interval(1e-3, 0.001, 1.0)
    assert low <= 0.0 <= high
    low, high = quadratic_interval(2.0, -1.0, 0.1)  # no bias: the mean itself
    assert 0.0 < low < 2.0 < high


@pytest.mark.parametrize("shift", [0.0, 3.0, 40.0])
def test_the_root_is_held_on_average(shift: float):
    # 2,000 draws know a share of 95 % to 0.5 points; the mean root of a noncentral law is not quite a gamma law's
    rng, freedom, scale = np.random.default_rng(1), 3, 0.2
    gaps = rng.normal(size=(2000, freedom))
    gaps[:, 0] += math.sqrt(shift)
    roots = np.sqrt(scale * (gaps**2).sum(axis=1))
    ends = [root_interval(r, freedom * scale, scale) for r in roots]
    held = np.mean([low <= roots.mean() <= high for low, high in ends])
    assert 0.93 <= held <= 0.985
