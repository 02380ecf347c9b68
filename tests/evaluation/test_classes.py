"""What a judge sees: closed forms, brute force, coverage, and samplers that lose or blur classes."""

import math

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.evaluation.diversity.classes import (
    ClassVariation,
    InceptionScore,
    LabelAccuracy,
    RareClassRecall,
    class_variation,
    inception_score,
    inception_value,
    label_accuracy,
    rare_class_recall,
    rarest_classes,
)
from pushforward.evaluation.diversity.judge import Judge, Judged, seen
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.evaluation import Evaluation

SHARES = np.array([0.4, 0.3, 0.18, 0.07, 0.05])


class Nearest:
    """Sees a number as the nearest whole one, with a certainty of its own."""

    name, fingerprint, classes = "nearest", "n", ("a", "b", "c", "d", "e")

    def __init__(self, sharpness=3.0):
        self.sharpness = sharpness

    def probabilities(self, x):
        p = np.exp(-self.sharpness * (x.reshape(-1, 1) - np.arange(5.0)) ** 2)
        return p / p.sum(axis=1, keepdims=True)


def draw(rng, n, shares=SHARES, noise=0.1):
    labels = rng.choice(5, size=n, p=shares)
    return labels + noise * rng.normal(size=n), labels


def judged(rng, n=200, m=300, shares=SHARES):
    return Judged.by(Nearest(), draw(rng, n, shares)[0][:, None], draw(rng, m)[0][:, None])


def test_the_rarest_quarter_is_filled_from_below():
    assert rarest_classes(np.array([400, 300, 180, 70, 50])).tolist() == [3, 4]
    assert rarest_classes(np.array([40, 35, 25])).tolist() == [2]
    assert rarest_classes(np.array([50, 50])).tolist() == [0]  # none fits, yet one is asked for
    assert rarest_classes(np.array([0, 60, 40, 0])).tolist() == [2]


def test_rare_class_recall_covers_its_ratio_and_its_null():
    # 300 repetitions: 95 % +- 3 x 1.26 %; half as many rare ones as the reference has, then equal laws
    rng = np.random.default_rng(0)
    half = np.array([0.46, 0.3, 0.18, 0.035, 0.025])
    for shares, ratio in ((half, 0.5), (SHARES, 1.0)):
        scores = [rare_class_recall(judged(rng, 300, 600, shares)).score for _ in range(300)]
        assert 0.92 <= np.mean([s.low <= ratio <= s.high for s in scores]) <= 0.985
        assert scores[0].null == 1.0
        assert "2 of 5 classes" in scores[0].warnings[0]


def test_equal_classes_are_no_rarer_than_they_are():
    # chosen and counted on the same examples, the two rarest of five equal classes would make the ratio 15 % too large
    rng, equal = np.random.default_rng(1), np.full(5, 0.2)
    values = []
    for _ in range(200):
        x, y = (draw(rng, n, equal)[0][:, None] for n in (200, 200))
        values.append(math.log(rare_class_recall(Judged.by(Nearest(), x, y)).score.value))
    assert np.mean(values) == pytest.approx(0.0, abs=4 * np.std(values) / 200**0.5)


def test_a_sampler_without_rare_classes_has_none():
    rng = np.random.default_rng(2)
    score = rare_class_recall(judged(rng, shares=np.array([0.5, 0.3, 0.2, 0, 0]))).score
    assert score.value < 0.05
    assert score.high < 0.5
    assert score.name == "rare-class recall [nearest] vs test"
    assert score.features == "n"


def test_class_variation_is_by_hand_and_covers():
    rng = np.random.default_rng(3)
    by_hand = Judged.of_classes(np.repeat([0, 1], [30, 10]), np.repeat([0, 1, 2], [10, 20, 10]), 3)
    assert class_variation(by_hand).score.value == pytest.approx(0.5)
    # 300 repetitions; the truth is the average at these sizes, and at the null the interval is conservative
    for shares, lowest, highest in (
        (np.array([0.2, 0.3, 0.2, 0.15, 0.15]), 0.92, 0.98),
        (SHARES, 0.95, 1.0),
    ):
        scores = [class_variation(judged(rng, shares=shares)).score for _ in range(300)]
        truth = np.mean([s.value for s in scores])
        # low is cut at zero, which no average is below
        assert lowest <= np.mean([s.low <= truth <= s.high for s in scores]) <= highest
    assert np.mean([s.null for s in scores]) == pytest.approx(truth, rel=0.05)


def test_inception_value_is_the_mean_divergence_from_the_mean():
    p = np.random.default_rng(4).dirichlet(np.ones(4), size=30)
    mean = p.mean(axis=0)
    expected = np.exp(np.mean([np.sum(row * np.log(row / mean)) for row in p]))
    assert inception_value(p) == pytest.approx(expected, rel=1e-12)
    assert inception_value(np.eye(5)) == pytest.approx(5.0)
    assert inception_value(np.tile([0.2, 0.8], (4, 1))) == pytest.approx(1.0)


def test_inception_scores_interval_covers_and_sharper_than_real_is_said():
    rng, found = np.random.default_rng(5), []
    for _ in range(300):
        j = judged(rng, 120, 120)
        found.append(inception_score(j).score)
    truth = np.mean([s.value for s in found])
    assert 0.92 <= np.mean([s.low <= truth <= s.high for s in found]) <= 0.98
    assert np.mean([len(s.warnings) for s in found]) <= 0.055
    even = judged(rng, 400, 400, np.full(5, 0.2))
    assert "clearer or more evenly" in inception_score(even).score.warnings[0]


def test_label_accuracy_counts_what_was_asked_for():
    rng = np.random.default_rng(6)
    (x, asked), (y, real) = draw(rng, 300, noise=0.5), draw(rng, 200)
    j = Judged.by(Nearest(), x[:, None], y[:, None])
    expected = np.rint(x).clip(0, 4) == asked
    score = label_accuracy(j, asked, real).score
    assert score.value == pytest.approx(expected.mean())
    assert (score.low, score.high) == wilson(int(expected.sum()), 300)
    assert score.null == score.ceiling == 1.0
    some = np.where(np.arange(300) < 100, asked, -1)
    assert label_accuracy(j, some).score.value == pytest.approx(expected[:100].mean())
    assert label_accuracy(j, some).score.null is None
    with pytest.raises(BadInput, match="0 samples with a label: expected at least 20"):
        label_accuracy(j, np.full(300, -1))
    with pytest.raises(BadInput, match="labels from 0 to 5: expected 0 to 4"):
        label_accuracy(j, np.where(asked == 2, 5, asked))


def test_the_engine_keeps_labels_beside_rows():
    rng = np.random.default_rng(7)
    (x, asked), (y, real) = draw(rng, 150, noise=0.4), draw(rng, 250, noise=0.3)
    judge = Nearest()
    assert isinstance(judge, Judge)
    e = Evaluation(
        [RareClassRecall(judge), ClassVariation(judge), InceptionScore(judge), LabelAccuracy(judge)]
    )
    state = e.take(e.take(e.init(), "samples", x[:, None], asked), "reference", y[:, None], real)
    found = e.compute(state)
    for m in found:
        parts = [side.variance for side in (m.samples, m.reference) if side is not None]
        assert sum(parts) == pytest.approx(m.score.stderr**2, rel=0.1)
    recall, variation, clear, right = (m.score for m in found)
    j = Judged.by(judge, x[:, None], y[:, None])
    assert variation.value == pytest.approx(class_variation(j).score.value)
    assert clear.value == pytest.approx(inception_value(j.samples))
    assert right.value == pytest.approx((np.rint(x).clip(0, 4) == asked).mean())
    assert right.null == pytest.approx((np.rint(y).clip(0, 4) == real).mean())
    assert recall.low < 1 < recall.high


def test_judges_that_return_no_probabilities_are_refused():
    x = np.zeros((30, 1))

    class Loud(Nearest):
        def probabilities(self, x):
            return 2 * super().probabilities(x)

    class Narrow(Nearest):
        classes = ("a", "b")

    with pytest.raises(BadInput, match="rows that sum to one"):
        seen(Loud(), x)
    with pytest.raises(BadInput, match=r"shape \(30, 5\): expected \(30, 2\)"):
        seen(Narrow(), x)
    with pytest.raises(BadInput, match="19 samples: expected at least 20"):
        Judged.by(Nearest(), x[:19], x)
