"""Held-out likelihood as a code length in the unit of the space.

Three ideas: the kind of the log-probability is part of the score's name and value; the interval is
over examples; the floor is a model that knows every coordinate's marginal and nothing about how
coordinates go together.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from pushforward.core.errors import BadInput
from pushforward.core.logprob import Kind, LogProb
from pushforward.core.measure import LIKELIHOOD, Measure
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.evaluation.checks import require
from pushforward.evaluation.intervals import mean_interval, t_quantile
from pushforward.evaluation.kinds.example_kind import examples_of
from pushforward.evaluation.likelihood.marginals import marginal_log_prob
from pushforward.evaluation.measuring.metric import Metric

CODE_LENGTH = Measure(
    "negative log-likelihood",
    "How many bits or nats the model needs for data that it never saw.",
    "Surprise at unseen data (negative log-likelihood)",
    "see heading",
    LIKELIHOOD,
)
MARGINALS = replace(CODE_LENGTH, name="negative log-likelihood of independent marginals")
TRUTH = Measure(
    "KL to the truth",
    "What the model needs beyond the true law, which is known here.",
    "Distance to the truth",
    "nats an example",
    role="truth",
)
METRIC = Metric(
    "negative log-likelihood", CODE_LENGTH.says.removesuffix("."), (CODE_LENGTH, MARGINALS)
)
KL_TO_TRUTH = Metric.of(TRUTH)
MEANING: dict[Kind, str] = {
    "lower_bound": "the log-probability is a lower bound: the model's true code length is at most this value",
    "upper_bound": "the log-probability is an upper bound: the model's true code length is at least this value",
    "estimate": "the log-probability is an estimate: the model's true code length may lie on either side of this value",
}
_FLIPPED: dict[Kind, Kind] = {
    "exact": "exact",
    "lower_bound": "upper_bound",
    "upper_bound": "lower_bound",
    "estimate": "estimate",
}


def likelihood_score(lp: LogProb, split: str = "test") -> Score:
    """Return the mean code length of held-out examples, `-mean(log p) / nats_per_unit`, with a 95 %
    t interval.

    The interval is over the choice of examples; code lengths are skewed, so below about 100
    examples of few dimensions it covers less (91 % for 40 one-dimensional Gaussians, 95 % for 200).
    The randomness of an estimator is part of their scatter. The interval says nothing about the gap
    between a bound and the truth, which the warnings do. `kind` is that of the *log-probability*.

    Args:
        lp: log-probabilities in data units.
        split: which split the examples come from.

    Raises:
        BadInput: fewer than two examples, NaN, or a log-probability of plus infinity.

    Example:
        >>> from pushforward.core.space import Points
        >>> lp = LogProb(torch.tensor([-1.0, -3.0, -2.0]), "exact", "lebesgue", Points(2).unit, "exact")
        >>> s = likelihood_score(lp)
        >>> s.name, s.value, s.unit
        ('negative log-likelihood [exact] vs test', 2.0, 'nats/point')
    """
    nats = _finite_or_zero_probability(lp)
    parts, lp = len(lp), lp.by_case()
    given = "" if lp.given == "marginal" else lp.given
    warnings = [] if lp.kind == "exact" else [f"{MEANING[lp.kind]} (estimator: {lp.estimator})"]
    unit = lp.unit.name
    score = Score(
        CODE_LENGTH,
        math.inf,
        len(lp),
        unit=unit,
        kind=lp.kind,
        given=given,
        view=lp.kind,
        reference=split,
    )
    impossible = int(np.isneginf(nats).sum())
    if impossible:
        warnings.append(
            f"{impossible} of {parts} examples have probability zero under the model: infinite code length"
        )
        return replace(score, warnings=tuple(warnings))
    if len(lp) < parts:
        warnings.append(f"{parts} windows of {len(lp)} documents; the interval is over documents")
    if lp.sizes is None:
        mean, low, high, stderr = mean_interval(-nats / lp.unit.nats_per_unit)
    else:
        mean, stderr = lp.value, lp.standard_error
        reach = t_quantile(len(lp) - 1) * stderr
        low, high = mean - reach, mean + reach
    return replace(score, value=mean, low=low, high=high, stderr=stderr, warnings=tuple(warnings))


def marginal_floor(
    train: np.ndarray,
    test: np.ndarray,
    space: Space,
    split: str = "test",
    sizes: torch.Tensor | None = None,
    cases: torch.Tensor | None = None,
) -> Score:
    """Return the code length of `test` under independent marginals: the floor of every likelihood.

    A model above it has learnt nothing about how pixels or coordinates go together. The warning
    states the model, and for images the code length of knowing nothing at all, `log2(levels)`.

    Raises:
        BadInput: see `marginal_log_prob`.

    Example:
        >>> from pushforward.core.space import Image
        >>> x = np.random.default_rng(0).integers(0, 4, size=(500, 1, 2, 2))
        >>> round(marginal_floor(x[:400], x[400:], Image(1, 2, 2, levels=4)).value, 1)
        2.0
    """
    score = likelihood_score(
        replace(marginal_log_prob(train, test, space), sizes=sizes, cases=cases), split
    )
    note = examples_of(space).marginals(space)
    return replace(score, measure=MARGINALS, given="", warnings=(note, *score.warnings))


def kl_to_truth(truth_log_prob: np.ndarray, model_log_prob: LogProb, split: str = "test") -> Score:
    """Return `KL(p || q) = E_p[log p(x) - log q(x)]` over examples of a known density p, with the
    paired standard error.

    Null 0; the estimate may be slightly negative. A lower bound on log q gives an upper bound on
    the divergence: the name says what the divergence is, `kind` what log q is, as in every score of
    a likelihood.

    Args:
        truth_log_prob: log p at the same examples in nats, shape (n,).
        model_log_prob: log q at those examples.
        split: which split the examples come from.

    Raises:
        BadInput: different numbers of examples, fewer than two, or NaN.

    Example:
        >>> from pushforward.core.space import Points
        >>> x = np.random.default_rng(0).normal(size=4000)
        >>> log_q = LogProb(torch.from_numpy(-0.5 * (x - 1) ** 2), "exact", "lebesgue", Points(1).unit, "exact")
        >>> s = kl_to_truth(-0.5 * x**2, log_q)
        >>> s.low < 0.5 < s.high
        True
    """
    truth = _one_each(truth_log_prob, len(model_log_prob))
    nats = _finite_or_zero_probability(model_log_prob)
    kind = _FLIPPED[model_log_prob.kind]
    given = "label" if model_log_prob.given == "label" else ""
    unit, bound = model_log_prob.unit.name, model_log_prob.kind
    score = Score(
        TRUTH,
        math.inf,
        len(nats),
        null=0.0,
        unit=unit,
        kind=bound,
        given=given,
        view=kind,
        reference=split,
    )
    warnings = (
        []
        if kind == "exact"
        else [f"log q is a {model_log_prob.kind} ({model_log_prob.estimator})"]
    )
    if np.isneginf(nats).any():
        return replace(
            score, warnings=(*warnings, "the model gives some examples probability zero")
        )
    mean, low, high, stderr = mean_interval((truth - nats) / model_log_prob.unit.nats_per_unit)
    return replace(score, value=mean, low=low, high=high, stderr=stderr, warnings=tuple(warnings))


def _one_each(truth_log_prob: np.ndarray, n: int) -> np.ndarray:
    """Return n true log-probabilities, refusing another number and what is not finite."""
    truth = np.asarray(truth_log_prob, dtype=np.float64)
    if truth.shape != (n,):
        raise BadInput(
            f"true log-probabilities of shape {truth.shape} for {n} examples", "one per example"
        )
    if not np.isfinite(truth).all():
        count = int((~np.isfinite(truth)).sum())
        raise BadInput(f"{count} true log-probabilities that are not finite", "finite numbers")
    return truth


def _finite_or_zero_probability(lp: LogProb) -> np.ndarray:
    """Return the nats in float64; minus infinity is legal (probability zero), NaN and plus infinity
    are not."""
    require(len(lp), 2, "log-probabilities")
    nats = lp.nats.detach().double().cpu().numpy()
    broken = np.isnan(nats) | np.isposinf(nats)
    if broken.any():
        raise BadInput(
            f"NaN or infinite log-probabilities at examples {np.flatnonzero(broken)[:10].tolist()}",
            "finite numbers",
            "the model has diverged; do not average around it",
        )
    return nats
