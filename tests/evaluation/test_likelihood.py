"""Likelihood scores: units, kinds, intervals that cover, and a floor that is a genuine code."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.core.score import Score
from pushforward.core.space import Image, Points
from pushforward.evaluation.likelihood.code_length import (
    kl_to_truth,
    likelihood_score,
    marginal_floor,
    marginal_log_prob,
)


def log_prob(nats, kind="exact", space=None, given="", estimator="exact"):
    space = space or Points(2)
    return LogProb(torch.as_tensor(nats), kind, space.measure, space.unit, estimator, given=given)


def test_a_uniform_code_over_256_levels_costs_8_bits_per_dimension():
    space = Image(3, 2, 2, levels=256)
    score = likelihood_score(
        log_prob(torch.full((5,), -12 * math.log(256.0), dtype=torch.float64), space=space)
    )
    assert score.value == pytest.approx(8.0, abs=1e-12)
    assert score.unit == "bits/dim"
    assert score.better == "lower"


def test_kind_condition_and_split_are_in_the_name_and_bounds_explain_themselves():
    exact = likelihood_score(log_prob([-1.0, -2.0]), split="validation")
    assert exact.name == "negative log-likelihood [exact] vs validation"
    assert exact.warnings == ()
    bound = likelihood_score(log_prob([-1.0, -2.0], "lower_bound", given="label", estimator="elbo"))
    assert bound.name == "negative log-likelihood given label [lower_bound] vs test"
    assert bound.kind == "lower_bound"
    assert "at most" in bound.warnings[0]
    assert "elbo" in bound.warnings[0]
    assert Score.from_json(bound.to_json()) == bound


def coverage(n, repetitions=800):
    """How often the interval of n exact log-densities of N(0, 1) contains its entropy."""
    rng = np.random.default_rng(0)
    truth = 0.5 * math.log(2 * math.pi * math.e)
    scores = (
        likelihood_score(log_prob(stats.norm.logpdf(rng.normal(size=n)), space=Points(1)))
        for _ in range(repetitions)
    )
    return np.mean([score.low <= truth <= score.high for score in scores])


def test_the_interval_covers_the_entropy():
    # the standard error of a coverage of 95 % is 0.8 %
    assert 0.93 <= coverage(200) <= 0.97


def test_skew_costs_coverage_in_small_samples_as_the_docstring_says():
    assert 0.89 <= coverage(40) <= 0.935


def test_probability_zero_is_an_infinite_code_and_nan_is_refused():
    score = likelihood_score(log_prob([-1.0, -math.inf, -2.0]))
    assert score.value == math.inf
    assert score.low is None
    assert "1 of 3 examples have probability zero" in score.warnings[0]
    with pytest.raises(BadInput, match=r"examples \[1\].*diverged"):
        likelihood_score(log_prob([-1.0, math.nan]))
    with pytest.raises(BadInput, match="1 log-probabilities: expected at least 2"):
        likelihood_score(log_prob([-1.0]))


def test_the_image_floor_sums_to_one_over_every_image():
    space = Image(1, 2, 2, levels=3)
    train = np.random.default_rng(0).integers(0, 2, size=(7, 1, 2, 2))
    every = np.array(list(itertools.product(range(3), repeat=4))).reshape(-1, 1, 2, 2)
    lp = marginal_log_prob(train, every, space)
    assert lp.kind == "exact"
    assert float(lp.nats.exp().sum()) == pytest.approx(1.0, abs=1e-12)


def test_the_image_floor_is_the_kt_estimate_and_names_the_uniform_code():
    space = Image(1, 1, 2, levels=4)
    train = np.array([[0, 1], [0, 2], [3, 1]]).reshape(3, 1, 1, 2)
    p = (2 + 0.5) / (3 + 2), (1 + 0.5) / (3 + 2)
    floor = marginal_floor(train, np.array([[0, 2], [0, 2]]).reshape(2, 1, 1, 2), space)
    assert floor.value == pytest.approx(-(math.log2(p[0]) + math.log2(p[1])) / 2)
    assert "2.0000 bits/dim" in floor.warnings[0]


def test_the_points_floor_is_scipys_normal():
    rng = np.random.default_rng(1)
    train, test = rng.normal(2.0, 3.0, size=(50, 2)), rng.normal(size=(20, 2))
    expected = stats.norm(train.mean(0), train.std(0)).logpdf(test).sum(axis=1)
    np.testing.assert_allclose(
        marginal_log_prob(train, test, Points(2)).nats.numpy(), expected, rtol=1e-12
    )
    train[:, 1] = 4.0
    with pytest.raises(BadInput, match=r"constant training columns \[1\]"):
        marginal_floor(train, test, Points(2))


def test_divergence_of_two_gaussians():
    # KL(N(0,1) || N(1, 2^2)) = ln 2 + 2/8 - 1/2
    x = np.random.default_rng(0).normal(size=20000)
    score = kl_to_truth(stats.norm.logpdf(x), log_prob(stats.norm(1, 2).logpdf(x), space=Points(1)))
    assert abs(score.value - (math.log(2) + 0.25 - 0.5)) < 4 * score.stderr
    assert score.stderr < 0.01
    assert score.null == 0.0


def test_a_bound_on_log_q_bounds_the_divergence_from_the_other_side():
    kinds = {
        "exact": "exact",
        "lower_bound": "upper_bound",
        "upper_bound": "lower_bound",
        "estimate": "estimate",
    }
    for kind, flipped in kinds.items():
        score = kl_to_truth(np.zeros(3), log_prob(-torch.ones(3), kind))
        assert score.kind == kind
        assert f"[{flipped}]" in score.name
    with pytest.raises(BadInput, match="for 3 examples"):
        kl_to_truth(np.zeros(2), log_prob(-torch.ones(3)))
