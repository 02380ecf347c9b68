"""Classifier two-sample test: Bayes limits, an exact null and intervals that cover."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from pushforward.core.errors import BadInput
from pushforward.evaluation.distribution.classifier_test import (
    ClassifierTest,
    classifier_test,
    halves,
    held_out_margins,
    p_value,
)
from pushforward.evaluation.measuring.statistic import DATA


@pytest.mark.parametrize("gap", [1.0, 2.0])
def test_accuracy_and_area_approach_the_bayes_limits(gap):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, 1)) + gap, rng.normal(size=(4000, 1))
    score = classifier_test(x, y, "identity")
    limit = stats.norm.cdf(gap / 2)
    # no classifier beats the limit; a kernel machine on 4000 rows loses less than a point of it
    assert limit - 0.01 - 3 * score.stderr < score.value < limit + 3 * score.stderr
    margins = held_out_margins(x, y, seed=0)
    area = roc_auc_score(np.repeat([1, 0], 2000), np.concatenate(margins))
    assert abs(area - stats.norm.cdf(gap / np.sqrt(2))) < 0.03


def test_the_null_is_an_exact_coin():
    # 400 repetitions: coverage 95 +- 1.1 %, false alarms at 5 % at most 5 + 2 x 1.1 %
    rng = np.random.default_rng(1)
    found = [classifier_test(*rng.normal(size=(2, 100, 3)), "identity", seed=i) for i in range(400)]
    assert 0.93 <= np.mean([s.low <= 0.5 <= s.high for s in found]) <= 0.97
    assert np.mean([p_value(s) < 0.05 for s in found]) < 0.072
    assert abs(np.mean([s.value for s in found]) - 0.5) < 4 * 0.05 / np.sqrt(400)


def test_the_interval_covers_the_accuracy_of_the_judged_classifier():
    # fresh data judged by the same classifier give its true accuracy: the interval's target away from the null
    rng, hits = np.random.default_rng(2), 0
    for i in range(300):
        fitted = rng.normal(size=(2, 60, 2)) + np.array([1.5, 0.0])[:, None, None] * np.array(
            [1.0, 0.0]
        )
        fresh = rng.normal(size=(2, 2000, 2)) + np.array([1.5, 0.0])[:, None, None] * np.array(
            [1.0, 0.0]
        )
        judged = classifier_test(fitted[0], fitted[1], "identity", seed=i)
        order = np.random.default_rng(i)
        first, second = order.permutation(60)[:30], order.permutation(60)[:30]
        halves = [
            np.concatenate([fitted[0][first], fresh[0]]),
            np.concatenate([fitted[1][second], fresh[1]]),
        ]
        hits += judged.low <= _accuracy(halves) <= judged.high
    assert 0.93 <= hits / 300 <= 0.97


def _accuracy(halves):
    """True accuracy of the classifier fitted on the first 30 rows of each side, by the rows after them."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    model = make_pipeline(StandardScaler(), SVC())
    model.fit(np.concatenate([h[:30] for h in halves]), np.repeat([1, 0], 30))
    return 0.5 * (model.predict(halves[0][30:]).mean() + 1 - model.predict(halves[1][30:]).mean())


def test_unequal_sizes_keep_the_coin_fair_and_the_seed_decides():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(500, 2))
    score = classifier_test(x, y, "pca-2", "abc", "train", seed=4)
    assert score.n == 30
    assert abs(score.value - 0.5) < 4 * 0.5 / np.sqrt(60)
    assert score == classifier_test(x, y, "pca-2", "abc", "train", seed=4)
    assert score.name == "classifier two-sample accuracy [pca-2] vs train"


def test_p_value_is_the_binomial_tail():
    rng = np.random.default_rng(5)
    score = classifier_test(rng.normal(size=(40, 1)) + 0.8, rng.normal(size=(40, 1)), "identity")
    right = round(score.value * 40)
    assert p_value(score) == pytest.approx(
        stats.binomtest(right, 40, 0.5, alternative="greater").pvalue
    )


def test_constant_features_and_refusals():
    constant = np.ones((40, 2))
    assert classifier_test(constant, constant, "identity").value == 0.5
    with pytest.raises(BadInput, match="19 samples: expected at least 20"):
        classifier_test(constant[:19], constant, "identity")


def test_terms_are_those_of_the_judged_examples():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(130, 2)) + 1.0, rng.normal(size=(100, 2))
    (measured,) = ClassifierTest(DATA, "train", seed=3).measure(
        x, y, np.arange(130) + 1000, np.arange(100) + 7
    )
    assert measured.score == classifier_test(x, y, "data", "", "train", seed=3)
    _, judge_x, _, judge_y = halves(130, 100, 3)
    np.testing.assert_array_equal(measured.samples.ids, judge_x + 1000)
    np.testing.assert_array_equal(measured.reference.ids, judge_y + 7)
    right = held_out_margins(x, y, 3)[1] <= 0
    np.testing.assert_array_equal(measured.reference.terms > 0, right)
    # the two rates are about equal, so both halves of the variance add up to the binomial one
    total = measured.samples.variance + measured.reference.variance
    assert total == pytest.approx(measured.score.stderr**2, rel=0.1)
