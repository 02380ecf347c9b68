"""Held-out likelihood of a model, and what its training examples gain by it.

One idea: every model is asked about the same examples, so that its code lengths can be compared
example by example.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from pushforward.app.measuring.examples import drawn_places, for_model, held_out
from pushforward.core.errors import Unsupported
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.data.dataset import Dataset
from pushforward.evaluation.likelihood.code_length import kl_to_truth, likelihood_score
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.evaluation.memorisation.membership import membership_scores

MOST_SCORED, MOST_TRAINED = (
    2000,
    500,
)  # examples whose likelihood is asked for: a bound may cost 64 network calls


def true_likelihood(dataset: Dataset) -> Score | None:
    """Return the code length of the test split under the true density, the ceiling of every
    likelihood; None if it is not known."""
    if dataset.density is None:
        return None
    nats = dataset.density.log_prob(dataset.test.x.double())
    unit, measure = dataset.space.unit, dataset.space.measure
    score = likelihood_score(LogProb(nats, "exact", measure, unit, "true density", calls=0.0))
    entropy = dataset.density.entropy
    return replace(
        score,
        null=entropy,
        warnings=(f"the true density's own code length; its entropy is {entropy:.4f}",),
    )


def trained_rows(rows: int) -> int:
    """Return how many training examples are asked for their likelihood beside so many test
    examples.

    Example:
        >>> trained_rows(2000), trained_rows(500), trained_rows(100)
        (500, 125, 64)
    """
    return min(MOST_TRAINED, max(64, rows // 4))


def curve_rows(rows: int) -> int:
    """Return how many examples a family's curves are drawn from where so many are asked for their
    likelihood.

    The distance of a diffusion model to the memoriser of its training set takes as many examples
    times all of train.

    Example:
        >>> curve_rows(2000), curve_rows(500), curve_rows(64)
        (2000, 62, 32)
    """
    return rows if rows >= MOST_SCORED else max(32, rows // 8)


@dataclass(frozen=True)
class Likelihood:
    """A likelihood score or the reason why there is none, the divergence from a known truth, and
    what training examples gain."""

    score: Score | None
    refusal: str
    nats: np.ndarray | None
    to_truth: Score | None
    checks: tuple[Score, ...] = ()


def measure_likelihood(
    model: GenerativeModel,
    dataset: Dataset,
    floor: Score | None,
    seed: int,
    rows: int = MOST_SCORED,
    told: Callable[[int, int], None] | None = None,
) -> Likelihood:
    """Score held-out data under the model with the family's default estimator: the same examples
    for every model.

    Args:
        rows: how many test examples at most.
        told: called with how many examples are scored, of test and of train, and of how many.
    """
    places = torch.from_numpy(drawn_places(len(dataset.test), min(rows, len(dataset.test)), seed))
    test, trained = held_out(model, dataset)[places], trained_rows(rows)
    try:
        lp = model.log_prob(
            test, seed=seed, on_chunk=None if told is None else lambda i, n: told(i, n + trained)
        )
    except Unsupported as refusal:
        return Likelihood(None, f"{refusal.came.partition(': ')[2]}; {refusal.fix}", None, None)
    score = likelihood_score(lp)
    if floor is not None:
        score = replace(score, floor=floor.value)
    to_truth = None
    if dataset.density is not None:
        truth = dataset.density.log_prob(test.x.double()).numpy()
        to_truth = kl_to_truth(truth, lp)
        score = replace(score, null=dataset.density.entropy, ceiling=float(-truth.mean()))
    checks = likelihood_checks(model, dataset, lp, seed, trained)
    return Likelihood(score, "", lp.per_case().numpy(), to_truth, tuple(checks))


def _means_of_cases(lp: LogProb) -> np.ndarray:
    """Return the mean log-probability of every case: of documents, of which windows are no members
    by themselves."""
    counted = replace(lp, nats=torch.ones_like(lp.nats), stderr=None, errors={}).by_case().nats
    return (lp.by_case().nats.double() / counted).detach().cpu().numpy()


def likelihood_checks(
    model: GenerativeModel, dataset: Dataset, test: LogProb, seed: int, most: int = MOST_TRAINED
) -> list[Score]:
    """Return how much shorter the code of training examples is, and what an attacker who sees code
    lengths gains by that.

    Nothing where a code length is infinite or there are fewer than 20 examples, or documents, of
    either.
    """
    n = min(len(test), len(dataset.train), most)
    places = torch.from_numpy(drawn_places(len(dataset.train), n, derive_seed(seed, "members")))
    train = model.log_prob(for_model(model, dataset.train)[places], seed=seed)
    mine, theirs = (_means_of_cases(p) for p in (train, test))
    if min(len(mine), len(theirs)) < 20 or not (
        np.isfinite(mine).all() and np.isfinite(theirs).all()
    ):
        return []
    return [
        likelihood_gap(train, test),
        *membership_scores(mine, theirs, f"{train.kind} likelihood"),
    ]
