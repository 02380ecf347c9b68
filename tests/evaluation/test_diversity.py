"""Diversity against closed forms, brute force, known coverage, and samplers that lost modes or make noise."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon, pdist

from pushforward.core.errors import BadInput
from pushforward.evaluation.diversity.bins import (
    BinShares,
    bin_centres,
    bin_scores,
    count_scores,
    dealt_again,
    different_bins,
    jensen_shannon,
)
from pushforward.evaluation.diversity.pairwise import (
    PairwiseDistance,
    mean_distances,
    pairwise_distance,
)
from pushforward.evaluation.diversity.vendi import Vendi, vendi, vendi_score
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.measuring.statistic import DATA, MeasuredOn

ON = MeasuredOn("bins")


def test_vendi_pins():
    assert vendi(np.tile([0.3, -2.0, 1.0], (7, 1))) == pytest.approx(1.0, abs=1e-12)
    for k in (2, 5):
        orthogonal = np.repeat(np.diag(np.arange(1.0, k + 1)), 3, axis=0)
        assert vendi(orthogonal) == pytest.approx(k, rel=1e-12)
    # shares 3/4 and 1/4 of two orthogonal kinds: the exponential of their entropy
    assert vendi(np.array([[1.0, 0], [1, 0], [2, 0], [0, 1]])) == pytest.approx(
        4 / 3**0.75, rel=1e-12
    )


def test_vendi_is_that_of_the_eigenvalues_of_all_similarities():
    x = np.random.default_rng(0).normal(size=(30, 4)) * [3, 1, 1, 0.2]
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / 30)
    values = values[values > 1e-12]
    assert vendi(x) == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-9)


def test_vendis_interval_covers_and_its_null_warns_one_time_in_forty():
    # 300 repetitions: 95 % +- 3 x 1.26 %
    rng, scale = np.random.default_rng(1), np.array([2.0, 1.0, 0.7])
    scores = [vendi_score(*rng.normal(size=(2, 100, 3)) * scale, "identity") for _ in range(300)]
    truth = np.mean([s.value for s in scores])
    assert 0.92 <= np.mean([s.low <= truth <= s.high for s in scores]) <= 0.98
    assert np.mean([len(s.warnings) for s in scores]) <= 0.055


def test_the_vendi_score_is_read_at_equal_size_and_noise_is_called_noise():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(300, 4)) * [3, 1, 1, 1]
    lost, noise = real[:90] * [1, 1, 0.3, 0.3], rng.normal(size=(150, 4))
    low, high = (vendi_score(x, real, "identity", "abc", "train") for x in (lost, noise))
    assert low.high < low.null
    assert (low.n, high.n) == (90, 150)
    assert "noise is" in high.warnings[0]
    assert not low.warnings
    assert (low.name, low.features) == ("vendi score [identity] vs train", "abc")
    with pytest.raises(BadInput, match="1 rows of zeros"):
        vendi_score(np.concatenate([np.zeros((1, 4)), lost]), real, "identity")
    with pytest.raises(BadInput, match="39 samples: expected at least 40"):
        vendi_score(lost[:39], real, "identity")


def test_pairwise_distance_is_brute_force():
    x = np.random.default_rng(3).normal(size=(40, 3))
    assert mean_distances(x).mean() == pytest.approx(pdist(x).mean(), rel=1e-12)
    assert pairwise_distance(x, 2 * x, "identity").null == pytest.approx(
        2 * pdist(x).mean(), rel=1e-12
    )


def test_the_interval_of_pairwise_distance_covers_its_closed_form():
    # in two dimensions the difference of two standard normal points has Rayleigh length: mean sqrt(2) sqrt(pi / 2)
    rng = np.random.default_rng(4)
    scores = [pairwise_distance(*rng.normal(size=(2, 60, 2)), "identity") for _ in range(300)]
    inside = [s.low <= np.pi**0.5 <= s.high for s in scores]
    assert 0.92 <= np.mean(inside) <= 0.985
    error = np.std([s.value for s in scores])
    assert np.mean([s.value for s in scores]) == pytest.approx(np.pi**0.5, abs=4 * error / 300**0.5)
    assert np.mean([s.stderr for s in scores]) == pytest.approx(error, rel=0.12)
    assert np.mean([len(s.warnings) for s in scores]) <= 0.055


def test_the_z_test_by_hand_and_the_divergence_of_scipy():
    # 30 of 100 against 45 of 100: z = 0.15 / sqrt(0.375 x 0.625 x 0.02) = 2.19; 32 against 45: 1.89
    assert different_bins(np.array([30, 70]), np.array([45, 55])).all()
    assert not different_bins(np.array([32, 68]), np.array([45, 55])).any()
    # sides of different sizes: 30 of 100 against 90 of 200, z = 0.15 / sqrt(0.4 x 0.6 x 0.015) = 2.5
    assert different_bins(np.array([30, 70]), np.array([90, 110])).all()
    p, q = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.1, 0.0, 0.6, 0.3])
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, rel=1e-12)
    assert jensen_shannon(q, p) == pytest.approx(float(jensen_shannon(p, q)), rel=1e-12)


def test_deals_keep_the_pool_and_both_sizes():
    x, y = np.array([30, 0, 12]), np.array([5, 40, 3])
    a, b = dealt_again(x, y, seed=3)
    assert (a.sum(axis=1) == 42).all()
    assert (a + b == x + y).all()
    # hypergeometric: n K (N - K) (N - n) / (N^2 (N - 1)) for the first bin, to the 6 % that 500 deals know
    n, kind, everything = 42, 35, 90
    variance = (
        n * kind * (everything - kind) * (everything - n) / (everything**2 * (everything - 1))
    )
    assert a[:, 0].var() == pytest.approx(variance, rel=0.25)


@pytest.mark.parametrize("spread", [0.0, 0.25, 0.8])
def test_the_divergence_covers_its_average_and_equal_laws_raise_few_alarms(spread):
    # 300 repetitions, 95 % +- 3 x 1.26 %; at the null the interval is conservative
    rng, k, n, m = np.random.default_rng(5), 10, 300, 250
    q = np.exp(spread * rng.normal(size=k))
    values, found, alarms = [], [], 0
    for _ in range(300):
        x, y = rng.multinomial(n, np.full(k, 1 / k)), rng.multinomial(m, q / q.sum())
        share, divergence = count_scores(x, y, ON)
        values.append(divergence.value)
        found.append((divergence.stderr, divergence.low <= divergence.null, share.null))
        alarms += share.value > np.quantile(different_bins(*dealt_again(x, y)).mean(axis=-1), 0.95)
    errors, at_null, nulls = np.array(found).T
    inside = np.mean(np.abs(values - np.mean(values)) < 1.96 * errors)
    assert inside >= 0.92
    assert nulls.mean() == pytest.approx(0.05, abs=0.01)
    if spread == 0:
        assert at_null.mean() >= 0.94
        assert alarms / 300 <= 0.08
        # the plug-in average of equal shares, (k - 1) / (8 log 2) (1 / n + 1 / m) to first order
        assert np.mean(values) == pytest.approx(
            (k - 1) / (8 * np.log(2)) * (1 / n + 1 / m), rel=0.1
        )
    else:
        assert inside <= 0.98


def test_a_lost_mode_shows_in_its_bin():
    rng = np.random.default_rng(6)
    modes = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [8.0, 8.0]])
    data = modes[rng.integers(0, 4, 900)] + rng.normal(size=(900, 2))
    train, reference, samples = data[:300], data[300:600], data[600:]
    assert len(bin_centres(np.repeat(np.eye(3), 9, 0), 50)) == 3
    for score in bin_scores(samples, reference, train, "identity", bins=4):
        assert score.value <= score.null + 3 * score.stderr
    samples = samples[np.linalg.norm(samples - modes[3], axis=1) > 4]
    share, divergence = bin_scores(samples, reference, train, "identity", bins=4)
    assert share.value >= 0.25
    assert divergence.low > divergence.null
    # a quarter has nothing of it and the others a third: JS([1/3, 1/3, 1/3, 0], [1/4] x 4)
    expected = jensenshannon([1 / 3] * 3 + [0.0], [0.25] * 4, base=2) ** 2
    assert divergence.low <= expected <= divergence.high
    assert share.name == "share of different bins [identity, 4 bins] vs test"
    assert share.low is None


def test_diversity_in_the_engine():
    rng = np.random.default_rng(7)
    x, y, train = rng.normal(size=(3, 120, 2)) + 1.0
    e = Evaluation([Vendi(DATA), PairwiseDistance(DATA), BinShares(DATA)])
    state = e.take(e.take(e.take(e.init(), "samples", 0.5 * x), "reference", y), "train", train)
    score, distance, share, divergence = e.compute(state)
    assert score.score.value == pytest.approx(vendi(0.5 * x))
    assert distance.score.value == pytest.approx(pdist(0.5 * x).mean())
    assert len(score.samples.ids) <= 20
    for m in (score, distance):
        assert m.samples.variance == pytest.approx(m.score.stderr**2)
    assert share.samples is None
    assert (
        divergence.samples.variance + divergence.reference.variance
        <= divergence.score.stderr** 2 * (1 + 1e-9)
    )
    with pytest.raises(BadInput, match="1 bins: expected at least two"):
        bin_scores(x, y, train, "identity", bins=1)
    with pytest.raises(BadInput, match="19 samples: expected at least 20"):
        pairwise_distance(x[:19], y, "identity")
