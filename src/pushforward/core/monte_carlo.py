"""Two ways to combine repeated unbiased weights into a bound.

One idea: `log w` averaged is a looser bound than the logarithm of averaged `w`; both are below `log E[w]` by Jensen's inequality.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from pushforward.core.logprob import LogProb


def mean_bound(draws: list[LogProb]) -> LogProb:
    """Return `1/K sum_k log w_k` with its standard error over the draws."""
    if len(draws) == 1:
        return draws[0]
    nats = torch.stack([d.nats for d in draws])
    stderr = nats.std(dim=0) / math.sqrt(len(draws))
    return replace(draws[0], nats=nats.mean(dim=0), stderr=stderr, calls=sum(d.calls for d in draws))


def importance_weighted(draws: list[LogProb]) -> LogProb:
    """Return `log 1/K sum_k w_k` (Burda et al. 2016, equation 8): tighter as K grows, and still a lower bound."""
    nats = torch.stack([d.nats for d in draws])
    return replace(
        draws[0], nats=torch.logsumexp(nats, dim=0) - math.log(len(draws)), calls=sum(d.calls for d in draws)
    )
