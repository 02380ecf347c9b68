"""Membership inference and near duplicates against closed forms, brute force and honest models."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from pushforward.core.errors import BadInput
from pushforward.evaluation.areas import area_under_curve
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.measuring.statistic import DATA
from pushforward.evaluation.memorisation.duplicates import Duplicates, duplicate_rate
from pushforward.evaluation.memorisation.membership import (
    NearnessAttack,
    membership_scores,
    nearness_attack,
)
from pushforward.evaluation.memorisation.near_duplicates import (
    NearDuplicates,
    closeness,
    near_duplicate_rate,
)
from pushforward.evaluation.memorisation.pull import TrainingPull, training_pull

PHI, QUANTILE = NormalDist().cdf, NormalDist().inv_cdf


def test_the_area_is_scikit_learns_also_with_ties():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 70) + rng.integers(0, 2, 70), rng.integers(0, 6, 45)
    expected = roc_auc_score(np.r_[np.ones(70), np.zeros(45)], np.r_[a, b])
    area, stderr = area_under_curve(a.astype(float), b.astype(float))
    assert area == pytest.approx(expected, abs=1e-12)
    above = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    assert stderr**2 == pytest.approx(
        above.mean(1).var(ddof=1) / 70 + above.mean(0).var(ddof=1) / 45
    )


def test_the_rate_is_that_of_scikit_learns_curve_and_the_pinned_threshold():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=400) + 1.5, rng.normal(size=300)
    false, true, _ = roc_curve(
        np.r_[np.ones(400), np.zeros(300)], np.r_[a, b], drop_intermediate=False
    )
    assert membership_scores(a, b, "x")[1].value == pytest.approx(true[false <= 0.01].max())
    # three of three hundred may be wrong: the fourth largest non-member is the threshold, and an equal member is not above it
    others = np.arange(300.0)
    members = np.r_[np.full(10, 296.0), np.full(10, 296.5), np.zeros(80)]
    assert membership_scores(members, others, "x")[1].value == pytest.approx(0.1)


def test_intervals_cover_the_closed_forms():
    # N(d, 1) against N(0, 1): AUC = Phi(d / sqrt 2), TPR = 1 - Phi(z_99 - d); 300 repetitions, 95 % +- 3 x 1.26 %
    rng, d = np.random.default_rng(2), 0.8
    area, rate = PHI(d / 2**0.5), 1 - PHI(QUANTILE(0.99) - d)
    inside = np.zeros(2)
    for _ in range(300):
        auc, tpr = membership_scores(rng.normal(size=250) + d, rng.normal(size=250), "x")
        inside += [auc.low <= area <= auc.high, tpr.low <= rate <= tpr.high]
    covered = inside / 300
    assert 0.93 <= covered[0] <= 0.98
    assert covered[1] >= 0.95  # conservative by construction
    assert auc.null == 0.5
    assert tpr.null == 0.01


def test_few_non_members_give_no_rate_and_too_few_nothing():
    rng = np.random.default_rng(3)
    assert len(membership_scores(rng.normal(size=50), rng.normal(size=99), "x")) == 1
    with pytest.raises(BadInput, match="19 attack values of non-members: expected at least 20"):
        membership_scores(rng.normal(size=50), rng.normal(size=19), "x")
    with pytest.raises(BadInput, match="NaN or infinity in 1 of 30 attack values of members"):
        membership_scores(np.r_[np.nan, np.zeros(29)], np.zeros(30), "x")


def test_closeness_is_brute_force_and_scale_free():
    rng = np.random.default_rng(4)
    rows, train = rng.normal(size=(30, 3)), rng.normal(size=(80, 3))
    ordered = np.sort(np.linalg.norm(rows[:, None] - train, axis=2), axis=1)
    np.testing.assert_allclose(
        closeness(rows, train, 7), ordered[:, 0] / ordered[:, :7].mean(1), rtol=1e-12
    )
    np.testing.assert_allclose(
        closeness(3 * rows, 3 * train, 7), closeness(rows, train, 7), rtol=1e-12
    )
    assert closeness(rows, train[:5]).max() <= 1.0
    assert closeness(np.ones((2, 1)), np.ones((4, 1))).tolist() == [0.0, 0.0]


def honest(seed, *sizes, d=6):
    rng = np.random.default_rng(seed)
    return rng, *(rng.normal(size=(n, d)) for n in sizes)


def test_an_honest_model_has_the_null_rate_with_its_spread_and_an_interval_that_covers():
    # 300 seeds; the spread of 300 values is known to 4 % (more for this skewed law), coverage to 1.26 %
    rates, inside = [], np.zeros(2)
    for seed in range(300):
        _, samples, train, heldout = honest(seed, 150, 80, 150, d=2)
        score = near_duplicate_rate(samples, train, heldout, "identity")
        auc = nearness_attack(samples, train, heldout, "identity")[0]
        rates.append(score.value)
        # what the rate estimates: the share of the model's own distribution below this threshold
        threshold = np.sort(closeness(heldout, train))[1]
        many = np.random.default_rng(10_000 + seed).normal(size=(4000, 2))
        share = (closeness(many, train) <= threshold).mean()
        inside += [score.low <= share <= score.high, auc.low <= 0.5 <= auc.high]
    assert score.null == pytest.approx(2 / 151)
    assert np.mean(rates) == pytest.approx(2 / 151, abs=4 * score.stderr / np.sqrt(300))
    assert np.std(rates) == pytest.approx(score.stderr, rel=0.25)
    assert 0.93 <= inside[0] / 300 <= 0.99
    assert 0.92 <= inside[1] / 300 <= 0.985


def test_quality_alone_makes_no_near_duplicates():
    rng, samples, train, heldout = honest(5, 400, 600, 400)
    for damaged in (0.6 * samples, samples + rng.normal(size=samples.shape), samples + 3.0):
        score = near_duplicate_rate(damaged, train, heldout, "identity")
        assert score.low <= 0.02


@pytest.mark.parametrize(("noise", "copied"), [(0.0, 1.0), (0.05, 0.3), (0.05, 0.1)])
def test_copies_are_found_in_their_number(noise, copied):
    rng, samples, train, heldout = honest(6, 500, 600, 400)
    k = int(copied * 500)
    samples[:k] = train[rng.permutation(600)[:k]] + noise * rng.normal(size=(k, 6))
    score = near_duplicate_rate(samples, train, heldout, "identity")
    assert score.value == pytest.approx(copied, abs=0.03)
    assert (score.value - score.null) / score.stderr > 5
    assert score.low > score.null
    auc, rate = nearness_attack(samples, train, heldout, "identity")
    assert auc.low > 0.5
    assert rate.low > 0.01


def test_metrics_give_what_functions_give_on_the_rows_kept():
    _, samples, train, heldout = honest(7, 120, 300, 150)
    samples[:20] = train[:20]
    e = Evaluation([Duplicates(), NearDuplicates(DATA), NearnessAttack(DATA), TrainingPull(DATA)])
    state = e.take(
        e.take(e.take(e.init(), "samples", samples), "train", train), "reference", heldout
    )
    found = {m.score.name: m.score for m in e.compute(state)}
    for score in (
        duplicate_rate(samples, train, heldout),
        near_duplicate_rate(samples, train, heldout, "data"),
        training_pull(samples, train, heldout, "data"),
    ):
        assert found[score.name].value == pytest.approx(score.value, rel=1e-12)
        assert found[score.name].null == score.null
    assert found["exact duplicates [data] vs train"].value == pytest.approx(1 / 6)
    with pytest.raises(BadInput, match="99 held-out examples: expected at least 100"):
        near_duplicate_rate(samples, train, heldout[:99], "data")
