"""Ranking by likelihood: kinds apart, pairs paired, bounds only where they are certain."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.core.space import Points
from pushforward.evaluation.likelihood.code_length import likelihood_score
from pushforward.evaluation.likelihood.ranking import paired_test, rank_likelihoods
from scored import paired


def log_prob(nats, kind="exact", estimator="exact", given="", space=None):
    space = space or Points(2)
    return LogProb(
        torch.as_tensor(np.asarray(nats)), kind, space.measure, space.unit, estimator, given=given
    )


def models(**code_lengths):
    """Models whose code lengths scatter by 0.1 around the given means, and their kinds: name=(mean, kind)."""
    rng = np.random.default_rng(0)
    found = {
        name: log_prob(rng.normal(-mean, 0.1, size=100), kind)
        for name, (mean, kind) in code_lengths.items()
    }
    return {name: likelihood_score(lp) for name, lp in found.items()}, found


def test_the_paired_test_is_students_and_signed_by_code_length():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=50), rng.normal(size=50) - 0.4
    test = paired(log_prob(a), log_prob(b))
    expected = stats.ttest_rel(b, a)
    assert test.z == pytest.approx(expected.statistic)
    assert (test.verdict == "undecided") == (expected.pvalue >= 0.05)
    assert test.low == pytest.approx(expected.confidence_interval().low)
    assert paired(log_prob(b), log_prob(a)).z == pytest.approx(-test.z)


def test_pairing_decides_what_intervals_cannot():
    rng = np.random.default_rng(2)
    hard = rng.normal(-50, 10, size=200)
    better, worse = (
        log_prob(hard + 0.2 * rng.normal(size=200)),
        log_prob(hard - 0.3 + 0.2 * rng.normal(size=200)),
    )
    scores = {"b": likelihood_score(better), "w": likelihood_score(worse)}
    assert rank_likelihoods(scores).comparisons[0].verdict == "undecided"
    paired = rank_likelihoods(
        scores, {"b": better.nats.numpy(), "w": worse.nats.numpy()}
    ).comparisons[0]
    assert paired.verdict == "first"
    assert paired.paired.difference < 0


def test_false_verdicts_and_their_correction():
    # 600 equal pairs: 5 % +- 4 x 0.9 % at one comparison, at most 0.5 % + 4 x 0.3 % when it is one of ten
    rng = np.random.default_rng(3)
    pairs = [(log_prob(a), log_prob(b)) for a, b in rng.normal(size=(600, 2, 60))]
    assert 0.015 < np.mean([paired(a, b).verdict != "undecided" for a, b in pairs]) < 0.085
    assert np.mean([paired(a, b, comparisons=10).verdict != "undecided" for a, b in pairs]) < 0.017
    assert "shared by 10 comparisons" in paired(*pairs[0], comparisons=10).note


def test_kinds_are_grouped_and_ordered_within():
    scores, _ = models(
        flow=(2.0, "exact"), ar=(1.0, "exact"), vae=(1.5, "lower_bound"), ode=(0.5, "estimate")
    )
    ranking = rank_likelihoods(scores)
    assert ranking.groups == {
        "estimate": ("ode",),
        "exact": ("ar", "flow"),
        "lower_bound": ("vae",),
    }
    assert len(ranking.comparisons) == 6


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((1.0, "lower_bound"), (2.0, "exact"), "first"),
        ((2.0, "exact"), (1.0, "lower_bound"), "second"),
        ((1.0, "exact"), (2.0, "lower_bound"), "undecided"),
        ((1.0, "exact"), (2.0, "upper_bound"), "first"),
        ((2.0, "exact"), (1.0, "upper_bound"), "undecided"),
        ((1.0, "lower_bound"), (2.0, "upper_bound"), "first"),
        ((1.0, "upper_bound"), (2.0, "lower_bound"), "undecided"),
        ((1.0, "estimate"), (9.0, "exact"), "undecided"),
        ((1.0, "lower_bound"), (1.01, "exact"), "undecided"),
    ],
)
def test_across_kinds_only_a_bound_on_the_right_side_decides(first, second, verdict):
    scores, log_probs = models(a=first, b=second)
    for nats in (None, {name: lp.nats.numpy() for name, lp in log_probs.items()}):
        comparison = rank_likelihoods(scores, nats).comparisons[0]
        assert comparison.verdict == verdict
        assert (comparison.paired is None) == (nats is None)
        assert comparison.reason.startswith("certain by bound") == (verdict != "undecided")


def test_a_bound_can_win_by_pairing_where_intervals_overlap():
    rng = np.random.default_rng(8)
    hard = rng.normal(-50, 10, size=200)
    bound, exact = (
        log_prob(hard + 0.1, "lower_bound"),
        log_prob(hard - 0.1 + 0.1 * rng.normal(size=200)),
    )
    scores = {"bound": likelihood_score(bound), "exact": likelihood_score(exact)}
    nats = {"bound": bound.nats.numpy(), "exact": exact.nats.numpy()}
    assert rank_likelihoods(scores).comparisons[0].verdict == "undecided"
    assert rank_likelihoods(scores, nats).comparisons[0].verdict == "first"
    # the other way round nothing follows: the bound may be loose
    behind = {"bound": nats["bound"] - 1.0, "exact": nats["exact"]}
    assert rank_likelihoods(scores, behind).comparisons[0].verdict == "undecided"


@pytest.mark.parametrize(("luck", "examples"), [(1.0, 0.01), (0.01, 1.0), (0.3, 0.3)])
@pytest.mark.parametrize("runs", [2, 4])
def test_equal_families_are_rarely_told_apart_whatever_their_scatter(luck, examples, runs):
    # 400 pairs of equal families, n = 25 examples: at most 5 % + 4 standard errors (4.4 %) may differ, in units of the scatter
    rng = np.random.default_rng(9)
    wrong = 0
    for _ in range(400):
        a, b = (
            luck * rng.normal(size=(runs, 1)) + 5 * examples * rng.normal(size=25) for _ in "ab"
        )
        wrong += paired_test(a, b, 1.0, "nats").verdict != "undecided"
    assert wrong / 400 < 0.094


def test_luck_of_training_is_welchs():
    # examples that do not scatter leave the two-sample t test of the runs' means
    rng = np.random.default_rng(10)
    a, b = rng.normal(size=(3, 1)), rng.normal(size=(5, 1)) * 2
    found = paired_test(np.repeat(a, 9, axis=1), np.repeat(b, 9, axis=1), 1.0, "nats")
    expected = stats.ttest_ind(-a[:, 0], -b[:, 0], equal_var=False)
    interval = expected.confidence_interval()
    assert found.z == pytest.approx(expected.statistic)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_ignoring_the_seeds_would_decide_what_luck_explains():
    rng = np.random.default_rng(11)
    base = rng.normal(size=300)
    lucky, unlucky = np.stack([base + 1.0, base - 1.0]), np.stack([base + 0.6, base - 1.4])
    assert paired_test(lucky[:1], unlucky[:1], 1.0, "nats").verdict == "first"
    assert paired_test(lucky, unlucky, 1.0, "nats").verdict == "undecided"


def test_conditional_and_unconditional_are_never_ordered():
    plain, labelled = log_prob(-np.arange(9.0)), log_prob(-np.arange(9.0) + 50, given="label")
    scores = {"plain": likelihood_score(plain), "labelled": likelihood_score(labelled)}
    comparison = rank_likelihoods(
        scores, {"plain": plain.nats.numpy(), "labelled": labelled.nats.numpy()}
    ).comparisons[0]
    assert comparison.verdict == "undecided"
    assert "different quantities" in comparison.reason


def test_impossible_examples_and_ties():
    good, bad = log_prob([-1.0, -2.0, -3.0]), log_prob([-1.0, -math.inf, -0.1])
    assert paired(good, bad).verdict == "first"
    assert paired(bad, good).verdict == "second"
    assert paired(bad, bad).verdict == "undecided"
    assert paired(good, good).verdict == "undecided"
    # differences without spread are no certainty: three of three examples agree in one case of four
    assert paired(good, log_prob([-1.5, -2.5, -3.5])).verdict == "undecided"
    many = [-1.0, -2.0, -3.0] * 3
    assert paired(log_prob(many), log_prob([x - 0.5 for x in many])).verdict == "first"


def test_refusals():
    a = log_prob([-1.0, -2.0])
    with pytest.raises(BadInput, match="2 and 3 examples"):
        paired(a, log_prob([-1.0, -2.0, 0.0]))
    with pytest.raises(BadInput, match="diverged"):
        paired(a, log_prob([-1.0, math.nan]))


@pytest.mark.parametrize("scatter", [0.0, 0.1])
def test_what_rounding_makes_of_equal_models_is_no_difference(scatter: float) -> None:
    """Sums in another order differ in the seventh digit, all in one direction."""
    rng = np.random.default_rng(0)
    nats = rng.normal(-700.0, 60.0, 400)
    for share in (1e-12, 5e-8, 3e-7):
        other = nats * (1.0 + share * (1.0 + scatter * rng.normal(size=400)))
        found = paired_test(nats, other, 1.0, "nats")
        assert (found.verdict, found.difference) == ("undecided", 0.0)
    truly = paired_test(nats, nats * (1.0 - 1e-5), 1.0, "nats")
    assert truly.verdict == "second"
    assert truly.difference == pytest.approx(-1e-5 * nats.mean(), rel=1e-6)
