"""Which token comes next, or stands behind a mask: filters of a distribution, and the draw.

Two ideas: every filter is a map from log-probabilities to log-probabilities, applied in a stated
order and renormalised; a draw inverts the CDF at one uniform number, so that a seed and a row
decide it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.finite import require_law
from pushforward.core.options import SampleOptions


def filtered(logits: Tensor, options: SampleOptions, seen: Tensor | None = None) -> Tensor:
    """Return the log-probabilities (n, V) that are left by repetition, temperature, top-k, typical,
    top-p, min-p, in this order.

    With default options it is `log softmax(logits)` and nothing else.

    Args:
        seen: (n, V) booleans, True for tokens that have occurred; read by the repetition penalty.
    """
    if options.repetition_penalty != 1.0 and seen is not None:
        # Keskar et al. 2019, section 4.1: positive scores are divided, negative ones multiplied
        penalised = torch.where(
            logits > 0, logits / options.repetition_penalty, logits * options.repetition_penalty
        )
        logits = torch.where(seen, penalised, logits)
    log_p = (logits.double() / options.temperature).log_softmax(-1)
    if options.top_k is not None:
        log_p = keep_top_k(log_p, options.top_k)
    if options.typical is not None:
        log_p = keep_typical(log_p, options.typical)
    if options.top_p is not None:
        log_p = keep_top_p(log_p, options.top_p)
    if options.min_p is not None:
        log_p = keep_min_p(log_p, options.min_p)
    return log_p


def keep_top_k(log_p: Tensor, k: int) -> Tensor:
    """Keep exactly the k most probable tokens, the lower index first among ties (Fan et al. 2018).

    Example:
        >>> keep_top_k(torch.tensor([[0.2, 0.4, 0.4]]).log(), 1).exp().tolist()
        [[0.0, 1.0, 0.0]]
    """
    order = log_p.sort(dim=-1, descending=True, stable=True).indices
    return _keep(log_p, order, torch.arange(log_p.shape[-1], device=log_p.device) < k)


def keep_top_p(log_p: Tensor, share: float) -> Tensor:
    """Keep the fewest most probable tokens whose probabilities reach `share` (Holtzman et al. 2020,
    equation 2).

    Example:
        >>> keep_top_p(torch.tensor([[0.5, 0.3, 0.2]]).log(), 0.6).exp().tolist()
        [[0.625, 0.375, 0.0]]
    """
    order = log_p.sort(dim=-1, descending=True, stable=True).indices
    before = _mass_before(log_p, order)
    return _keep(log_p, order, before < share)


def keep_typical(log_p: Tensor, share: float) -> Tensor:
    """Keep the fewest tokens of most typical surprise `|-log p - H|` that reach `share` (Meister et
    al. 2023, equation 11)."""
    p = log_p.exp()
    entropy = -torch.where(p > 0, p * log_p, 0.0).sum(-1, keepdim=True)
    distance = torch.where(p > 0, (-log_p - entropy).abs(), math.inf)
    order = distance.sort(dim=-1, stable=True).indices
    return _keep(log_p, order, _mass_before(log_p, order) < share)


def keep_min_p(log_p: Tensor, share: float) -> Tensor:
    """Keep tokens of at least `share` times the probability of the most probable one (Nguyen et al.
    2024)."""
    kept = log_p >= log_p.amax(-1, keepdim=True) + math.log(share)
    return log_p.masked_fill(~kept, -math.inf).log_softmax(-1)


def draw_plainly(logits: Tensor, u: Tensor) -> Tensor:
    """Return what `draw(log softmax(logits), u)` does, in half the passes: the model's own
    distribution is the common case."""
    cdf = require_law(logits.double().softmax(-1).cumsum(-1))
    return (u.unsqueeze(-1) * cdf[:, -1:] >= cdf).sum(-1).clamp_(max=logits.shape[-1] - 1)


def draw(log_p: Tensor, u: Tensor) -> Tensor:
    """Return the token (n,) at which the CDF passes `u` (n,) in [0, 1); a token of probability zero
    is never drawn."""
    cdf = require_law(log_p.double().exp().cumsum(-1))
    # rounding may leave the last CDF below one: scale u to what there is
    index = (u.double().unsqueeze(-1) * cdf[..., -1:] >= cdf).sum(-1)
    last = (
        torch.isfinite(log_p)
        .long()
        .mul(torch.arange(1, log_p.shape[-1] + 1, device=log_p.device))
        .amax(-1)
        - 1
    )
    return torch.minimum(index, last)


def _mass_before(log_p: Tensor, order: Tensor) -> Tensor:
    p = log_p.exp().gather(-1, order)
    return p.cumsum(-1) - p


def _keep(log_p: Tensor, order: Tensor, kept: Tensor) -> Tensor:
    mask = torch.zeros_like(log_p, dtype=torch.bool).scatter(-1, order, kept.expand_as(order))
    return log_p.masked_fill(~mask, -math.inf).log_softmax(-1)
