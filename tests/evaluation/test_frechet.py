"""Fréchet distance: closed forms, routes that agree, the known bias and an interval that covers."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from pushforward.core.errors import BadInput
from pushforward.evaluation.distribution.frechet import (
    FrechetDistance,
    frechet,
    frechet_distance,
    gaussian_frechet,
)
from pushforward.evaluation.measuring.batch import Batch
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.measuring.statistic import DATA


def test_the_two_by_two_pin():
    value = gaussian_frechet(
        np.zeros(2), np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2), np.diag([1.0, 3.0])
    )
    assert value == pytest.approx(8 - 2 * np.sqrt(14), abs=1e-12)
    assert value == pytest.approx(0.5166852265, abs=1e-10)


def test_isotropic_gaussians():
    for d in (1, 7):
        value = gaussian_frechet(
            np.full(d, 0.3), 4.0 * np.eye(d), np.full(d, -0.2), 0.25 * np.eye(d)
        )
        assert value == pytest.approx(d * (0.5**2 + 1.5**2), rel=1e-12)


def test_agreement_with_scipys_square_root_where_it_is_well_conditioned():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 6)), rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)) + 0.5
    sx, sy = np.cov(x.T), np.cov(y.T)
    gap = x.mean(0) - y.mean(0)
    expected = gap @ gap + np.trace(sx + sy - 2 * sqrtm(sx @ sy).real)
    assert frechet(x, y) == pytest.approx(expected, rel=1e-9)


def test_few_rows_take_the_nuclear_norm_and_get_the_same_number():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(15, 40)) * 2.0, rng.normal(size=(25, 40)) + 0.1
    dense = gaussian_frechet(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert frechet(x, y) == pytest.approx(dense, rel=1e-6)
    assert frechet(y, x) == pytest.approx(frechet(x, y), rel=1e-12)


def test_constant_features_and_equal_samples_give_zero():
    x = np.random.default_rng(2).normal(size=(50, 4))
    x[:, 2] = 7.0
    assert frechet(x, x.copy()) == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(frechet(x, x + 1.0))


def test_the_bias_of_equal_gaussians_is_the_known_one():
    # (1/n + 1/m)(d + d(d+1)/4) to first order; 60 repetitions put the mean within 2 %
    rng, d, n, m = np.random.default_rng(3), 10, 400, 300
    values = [frechet(rng.normal(size=(n, d)), rng.normal(size=(m, d))) for _ in range(60)]
    expected = (1 / n + 1 / m) * (d + d * (d + 1) / 4)
    error = np.std(values) / np.sqrt(60)
    assert abs(np.mean(values) - expected) < 4 * error + 0.02 * expected


def test_intervals_cover_and_the_bias_is_removed():
    # 300 repetitions away from the null, where the distance is asymptotically normal
    rng, d, n, m = np.random.default_rng(4), 6, 200, 150
    spread = np.linspace(0.5, 1.5, d)
    truth = gaussian_frechet(np.zeros(d), np.eye(d), np.full(d, 0.4), np.diag(spread**2))
    pairs = [
        frechet_distance(
            rng.normal(size=(n, d)), rng.normal(size=(m, d)) * spread + 0.4, "identity"
        )
        for _ in range(300)
    ]
    average = np.mean([plug_in.value for plug_in, _ in pairs])
    assert 0.93 <= np.mean([plug_in.low <= average <= plug_in.high for plug_in, _ in pairs]) <= 0.98
    assert 0.93 <= np.mean([limit.low <= truth <= limit.high for _, limit in pairs]) <= 0.98
    error = np.std([limit.value for _, limit in pairs]) / np.sqrt(300)
    assert abs(np.mean([limit.value for _, limit in pairs]) - truth) < 4 * error
    assert average - truth > 10 * error


def test_the_interval_is_conservative_at_the_null_where_a_naive_bootstrap_excludes_its_own_value():
    rng = np.random.default_rng(5)
    limits = [frechet_distance(*rng.normal(size=(2, 150, 8)), "identity")[1] for _ in range(100)]
    assert np.mean([s.low <= 0.0 <= s.high for s in limits]) >= 0.95
    x, y = rng.normal(size=(2, 150, 20))
    resampled = [
        frechet(x[rng.integers(0, 150, 150)], y[rng.integers(0, 150, 150)]) for _ in range(100)
    ]
    assert np.quantile(resampled, 0.025) > frechet(x, y)


def test_shards_give_what_arrays_give_and_terms_hold_the_error():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(300, 3)), rng.normal(size=(200, 3)) * 1.3 + 0.2
    e = Evaluation([FrechetDistance(DATA)])
    shards = [
        e.update(e.init(), "samples", Batch.of(x[k : k + 100], first=k)) for k in (0, 100, 200)
    ]
    state = e.merge(
        shards[2], e.merge(e.take(e.init(), "reference", y), e.merge(shards[0], shards[1]))
    )
    for measured, score in zip(e.compute(state), frechet_distance(x, y, "data"), strict=True):
        for key in ("value", "low", "high", "stderr"):
            assert getattr(measured.score, key) == pytest.approx(getattr(score, key), rel=1e-9)
        assert measured.samples is not None
        assert measured.reference is not None
        assert measured.samples.variance + measured.reference.variance == pytest.approx(
            measured.score.stderr**2
        )
        assert len(measured.samples.ids) == 20


def test_names_warnings_and_refusals():
    x = np.random.default_rng(6).normal(size=(50, 30))
    (only,) = frechet_distance(x, x + 1.0, "pca-30", "abc", "train")
    assert only.name == "frechet distance [pca-30] vs train"
    assert only.low is None
    assert "at least 60 examples" in only.warnings[0]
    with pytest.raises(BadInput, match="39 samples: expected at least 40; draw or provide 1 more"):
        frechet_distance(x[:39], x, "pca-30")
    x[3, 4] = np.nan
    with pytest.raises(BadInput, match=r"rows \[3\]"):
        frechet_distance(x, x, "pca-30")
    with pytest.raises(BadInput, match="same features"):
        frechet_distance(np.ones((50, 2)), np.ones((50, 3)), "pca-30")
