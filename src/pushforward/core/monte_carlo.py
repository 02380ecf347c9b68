"""Ways to combine repeated unbiased weights into a bound, and the labels of a mixture into one.

One idea: `log w` averaged is a looser bound than the logarithm of averaged `w`; both are below `log
E[w]` by Jensen's inequality.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from pushforward.core.logprob import LogProb


def mean_bound(draws: list[LogProb]) -> LogProb:
    """Return `1/K sum_k log w_k` with its standard error over the draws."""
    if len(draws) == 1:
        return draws[0]
    nats = torch.stack([d.nats for d in draws])
    stderr = nats.std(dim=0) / math.sqrt(len(draws))
    return replace(
        draws[0], nats=nats.mean(dim=0), stderr=stderr, calls=sum(d.calls for d in draws), errors={}
    )


def mixture(parts: list[LogProb], log_weights: Tensor) -> LogProb:
    """Return `log sum_y p(y) p(x|y)` from the log-probabilities under every label.

    A bound stays a bound, because `exp(log w)` is an unbiased or smaller estimate of p(x|y) and the
    logarithm is concave.
    """
    joint = torch.stack([p.nats for p in parts]) + log_weights.to(parts[0].nats).unsqueeze(1)
    calls = sum(p.calls for p in parts)
    return replace(
        parts[0],
        nats=torch.logsumexp(joint, dim=0),
        stderr=None,
        calls=calls,
        given="marginal",
        errors={},
    )


def importance_weighted(draws: list[LogProb]) -> LogProb:
    """Return `log 1/K sum_k w_k` (Burda et al. 2016, equation 8): tighter as K grows, and still a
    lower bound."""
    nats = torch.stack([d.nats for d in draws])
    return replace(
        draws[0],
        nats=torch.logsumexp(nats, dim=0) - math.log(len(draws)),
        calls=sum(d.calls for d in draws),
    )


def systematic_error(terms: Tensor) -> Tensor | None:
    """Return the standard error of means over the last axis of terms (n, draws) that were drawn
    systematically; None of one draw.

    `sqrt(sum_i (t_(i+1) - t_i)^2 / (2 (k - 1) k) + (t_k - t_1)^2 / (12 k^2))`: the first from
    successive differences (Cochran 1977, chapter 8), the second what one uniform shift of an even
    grid does to the mean of a smooth term between its ends, which is all that is left of many
    draws.

    Example:
        >>> round(float(systematic_error(torch.tensor([[1.0, 3.0, 1.0, 1.0]]))), 4)
        0.5774
        >>> round(float(systematic_error(torch.linspace(0, 1, 1000).unsqueeze(0))) * 1000 * 12**0.5, 2)
        1.0
    """
    draws = terms.shape[1]
    if draws < 2:
        return None
    successive = 0.5 * terms.diff(dim=1).square().mean(1) / draws
    return (successive + ((terms[:, -1] - terms[:, 0]) / draws).square() / 12.0).sqrt()
