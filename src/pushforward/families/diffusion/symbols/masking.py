"""Noise for symbols: every symbol is hidden with probability t, and never changes otherwise.

Two ideas: t = 0 is data and t = 1 is nothing but masks, and what is hidden is drawn from what the
network says of it (Sahoo et al. 2024; Shi et al. 2024); how many symbols are hidden is all that
counts, so that time never appears.

The bound is `log p(x) >= -int_0^1 1/t E[sum over masked i of -log p(x_i | x_t)] dt`. The number k
of masked symbols of L is uniform under it, and the weight integrates to `1/k`: the bound is that of
a model that reveals symbols in random order (Ou et al. 2024).
"""

from __future__ import annotations

from torch import Tensor

from pushforward.core.finite import require_law


def hidden_count(count: Tensor, u: Tensor) -> Tensor:
    """Return masks of exactly `count` (n,) symbols each, evenly among all choices, for distinct
    uniforms (n, length).

    Example:
        >>> import torch
        >>> hidden_count(torch.tensor([2]), torch.tensor([[0.2, 0.9, 0.4]])).tolist()
        [[True, False, True]]
    """
    return u.argsort(1).argsort(1) < count.unsqueeze(1)


def draw_symbols(logits: Tensor, u: Tensor) -> Tensor:
    """Return one symbol per row of logits (..., vocabulary), by inverting its CDF in float64 at
    uniforms (...).

    Sums in single precision would cut the tails off, which lowers the temperature without saying so
    (Zheng et al. 2024).

    Example:
        >>> import torch
        >>> draw_symbols(torch.tensor([[0.0, 0.0]]), torch.tensor([0.6])).tolist()
        [1]
    """
    cdf = require_law(logits.double().softmax(-1).cumsum(-1))
    # the last entry is one exactly and a uniform is below it, so that a symbol without mass is
    # never drawn
    return (u.double().unsqueeze(-1) >= cdf / cdf[..., -1:]).sum(-1)
