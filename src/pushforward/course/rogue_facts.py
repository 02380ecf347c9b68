"""What is measured of a run of the rogues' gallery, the same for all.

One idea: every number is the library's own, so that a checklist judges runs by what a user would
see.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.data.toys import GaussianMixture
from pushforward.evaluation.areas import area_under_curve
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.evaluation.memorisation.duplicates import duplicate_rate
from pushforward.evaluation.memorisation.near_duplicates import near_duplicate_rate

DRAWN, LOOKED_AT, CELLS = 1000, 2000, 140
NEAR_A_MODE = 3.0  # standard deviations
MODES = 8  # at most: more are not countable with so few samples
A_TENTH = 0.1  # of its fair share: what a mode must get to count as covered

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "kind",
        "train_nats",
        "test_nats",
        "gap_error",
        "mass",
        "kl",
        "modes",
        "near_duplicates",
        "near_duplicates_by_chance",
        "nearest",
        "nearest_held_out",
        "critic",
        "test_in_train",
    )
)


def measured(model: GenerativeModel, data: Dataset, fresh: Tensor, fed: Examples) -> dict[str, Any]:
    """Return the facts about a trained model; `rogues.FACTS` says what each is.

    Args:
        fresh: real examples that no run has seen.
        fed: what the model was really trained on.
    """
    samples = model.sample(DRAWN).flatten(1).double()
    train, held = data.train.x.flatten(1).double(), fresh.flatten(1).double()
    near = near_duplicate_rate(samples.numpy(), train.numpy(), held.numpy(), "data")
    facts = {**NOTHING, **_likelihoods(model, data)}
    facts["near_duplicates"], facts["near_duplicates_by_chance"] = near.value, near.null
    facts["nearest"] = float(torch.tensor(nearest(samples.numpy(), train.numpy())[1]).median())
    facts["nearest_held_out"] = float(
        torch.tensor(nearest(held.numpy(), train.numpy())[1]).median()
    )
    facts["test_in_train"] = duplicate_rate(data.test.x.numpy(), fed.x.numpy(), fresh.numpy()).value
    if isinstance(data.density, GaussianMixture) and len(data.density.means) <= MODES:
        facts["modes"] = covered(samples, data.density)
    if model.family == "vae":
        facts["kl"] = _divergence(model, fresh)
    if model.family == "gan":
        facts["critic"] = _pairs_in_order(model, fresh)
    return {key: rounded(value) for key, value in facts.items()}


def covered(samples: Tensor, density: GaussianMixture) -> float:
    """Return the share of modes that get a tenth of their fair share of samples, each within three
    standard deviations.

    Example:
        >>> covered(torch.zeros(9, 2), GaussianMixture(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), sigma=0.1))
        0.5
    """
    place, distance = nearest(samples.numpy(), density.means.numpy())
    near = torch.tensor(place)[torch.tensor(distance) < NEAR_A_MODE * density.sigma]
    counts = near.bincount(minlength=len(density.means))
    return float((counts >= A_TENTH * len(samples) / len(density.means)).double().mean())


def mass(model: GenerativeModel, real: Tensor) -> float:
    """Return the integral of `exp(log_prob)` over a rectangle three units wider than the data on
    every side."""
    low, high = real.amin(0) - 3.0, real.amax(0) + 3.0
    steps = (high - low) / CELLS
    axes = [a + h * (torch.arange(CELLS) + 0.5) for a, h in zip(low, steps, strict=True)]
    log_p = model.log_prob(torch.cartesian_prod(*axes).float()).nats.double()
    return float(log_p.exp().sum() * steps.double().prod())


def _likelihoods(model: GenerativeModel, data: Dataset) -> dict[str, Any]:
    if not model.capabilities.estimators[data.space.kind]:
        return {}
    train, test = (model.log_prob(side.x[:LOOKED_AT]) for side in (data.train, data.test))
    gap = likelihood_gap(train, test)
    facts = {
        "kind": train.kind,
        "train_nats": train.mean_nats,
        "test_nats": test.mean_nats,
        "gap_error": gap.stderr,
    }
    # the noise of an estimate would be taken for mass by the exponential
    return (
        {**facts, "mass": mass(model, data.train.x)}
        if model.family in ("flow", "autoregressive", "vae")
        else facts
    )


@torch.no_grad()
def _divergence(model: Any, fresh: Tensor) -> float:
    x = model.codec.encode(fresh).value
    posterior = model.posterior.law(model.encoder(x, None))
    prior = model.prior.given(None)
    return float(prior.divergence(posterior, posterior.mean).sum(1).mean())


@torch.no_grad()
def _pairs_in_order(model: Any, fresh: Tensor) -> float:
    drawn = model.sample(len(fresh), seed=1)
    real, fake = (
        model.judge(model.codec.encode(x).value, None).double().numpy() for x in (fresh, drawn)
    )
    return area_under_curve(real, fake)[0]


def rounded(value: Any) -> Any:
    """Return a number with four digits, None if it is not finite.

    Example:
        >>> rounded(0.123456), rounded(math.inf), rounded("exact")
        (0.1235, None, 'exact')
    """
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else None
