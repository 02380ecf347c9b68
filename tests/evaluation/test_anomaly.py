"""Likelihood beyond the mean: the gap, Parzen windows that mislead, and anomaly scores with valid p-values."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.neighbors import KernelDensity

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.core.space import Image, Points
from pushforward.evaluation.likelihood.anomaly import anomalies, complexity, conformal
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.evaluation.likelihood.parzen import parzen, parzen_log_density

POINTS = Points(2)


def lp(nats: np.ndarray, space=POINTS, kind="exact") -> LogProb:
    return LogProb(
        torch.from_numpy(np.asarray(nats, dtype=float)), kind, space.measure, space.unit, kind
    )


def test_the_gap_is_welchs_and_in_the_unit():
    rng = np.random.default_rng(0)
    a, b = -rng.gamma(3.0, 2.0, 80), -rng.gamma(3.0, 5.0, 50)
    space = Image(1, 2, 2, levels=4)
    score = likelihood_gap(lp(a, space), lp(b, space))
    scale = 4 * np.log(2)
    interval = stats.ttest_ind(a / scale, b / scale, equal_var=False).confidence_interval(0.95)
    assert score.value == pytest.approx((a.mean() - b.mean()) / scale)
    assert (score.low, score.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert score.unit == "bits/dim"
    assert score.value > 0  # train is coded better
    with pytest.raises(BadInput, match=r"kind differ \(exact and lower_bound\)"):
        likelihood_gap(lp(a), lp(b, kind="lower_bound"))
    with pytest.raises(BadInput, match="infinite log-probabilities of test"):
        likelihood_gap(lp(a), lp(np.r_[b, -np.inf]))


def test_parzen_is_scikit_learns_density_and_prefers_centroids_to_true_samples():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 3)), rng.normal(size=(20, 3))
    np.testing.assert_allclose(
        parzen_log_density(x, y, 0.4),
        KernelDensity(bandwidth=0.4).fit(x).score_samples(y),
        rtol=1e-10,
    )
    data = rng.normal(size=(7000, 8))
    true, train, validation, test = data[:200], data[200:2000], data[2000:2400], data[2400:]
    centroids = KMeans(200, n_init=1, random_state=0).fit(train).cluster_centers_
    honest, fooled = parzen(true, validation, test), parzen(centroids, validation, test)
    assert fooled.low > honest.high  # the failing case that the warning names
    assert "mislead" in honest.warnings[0]


def test_conformal_p_values_are_uniform_or_larger_and_count_ties():
    assert conformal(np.array([1.0, 1.5, 9.0]), np.array([1.0, 1.0, 2.0])).tolist() == [
        1.0,
        0.5,
        0.25,
    ]
    rng = np.random.default_rng(2)
    p = np.concatenate([conformal(rng.normal(size=1), rng.normal(size=39)) for _ in range(2000)])
    # exactly uniform on multiples of 1/40: P(p <= 0.1) = 0.1; four standard errors
    assert abs((p <= 0.1).mean() - 0.1) < 4 * np.sqrt(0.09 / 2000)


def test_typicality_p_values_are_valid_though_the_mean_is_estimated():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(1000):
        found = anomalies(lp(-rng.gamma(2.0, size=1)), lp(-rng.gamma(2.0, size=80)))
        hits += found.p_values["typicality"][0] <= 0.1
    # floor(0.1 * 41) / 41 = 0.0976
    assert abs(hits / 1000 - 4 / 41) < 4 * np.sqrt(0.09 / 1000)


def test_a_flat_picture_is_likely_but_strange():
    # independent pixels with small variance around the middle: a flat grey picture beats every true one in likelihood
    rng = np.random.default_rng(4)
    levels = np.arange(256)
    log_p = stats.norm.logpdf(levels, 128, 20)
    log_p -= np.logaddexp.reduce(log_p)
    draw = lambda n: rng.choice(256, size=(n, 1, 12, 12), p=np.exp(log_p))  # noqa: E731
    heldout, flat = draw(200), np.full((1, 1, 12, 12), 128)
    space = Image(1, 12, 12, levels=256)
    score = lambda x: lp(log_p[x].sum(axis=(1, 2, 3)), space)  # noqa: E731
    found = anomalies(score(flat), score(heldout), flat, heldout)
    assert found.p_values["code length"][0] == 1.0
    assert found.p_values["complexity-corrected"][0] < 0.01
    assert found.p_values["typicality"][0] < 0.02
    fresh = draw(100)
    normal = anomalies(score(fresh), score(heldout), fresh, heldout)
    for name, p in normal.p_values.items():
        assert (p < 0.05).mean() < 0.15, name


def test_complexity_orders_and_refuses():
    rng = np.random.default_rng(5)
    few, many = rng.integers(0, 2, (1, 900)), rng.integers(0, 256, (1, 900))
    assert complexity(few)[0] < complexity(many)[0]
    # noise cannot be compressed: its code is its entropy within 2 %
    assert complexity(many)[0] == pytest.approx(900 * np.log(256), rel=0.02)
    with pytest.raises(BadInput, match="real numbers"):
        complexity(np.array([[0.5]]))
    with pytest.raises(BadInput, match="39 held-out examples: expected at least 40"):
        anomalies(lp(np.zeros(2)), lp(np.zeros(39)))
