"""Noise for symbols: every symbol is hidden with probability t, and never changes otherwise.

Two ideas: at time t a symbol is masked with probability t, so that t = 0 is data and t = 1 is nothing but masks; from t to an
earlier t' a masked symbol is revealed with probability (t - t')/t, drawn from what the network says of it (Sahoo et al. 2024;
Shi et al. 2024).

The bound is `log p(x) >= -int_0^1 1/t E[sum over masked i of -log p(x_i | x_t)] dt`. The number k of masked symbols of L is
uniform under it, and the weight integrates to `1/k`: the bound is that of a model that reveals symbols in random order
(Ou et al. 2024).
"""

from __future__ import annotations

from torch import Tensor


def hidden_at(rate: Tensor, u: Tensor) -> Tensor:
    """Return which symbols are masked at time `rate` (n,), for uniforms (n, length).

    Example:
        >>> import torch
        >>> hidden_at(torch.tensor([0.5]), torch.tensor([[0.2, 0.7]])).tolist()
        [[True, False]]
    """
    return u < rate.unsqueeze(1)


def hidden_count(count: Tensor, u: Tensor) -> Tensor:
    """Return masks of exactly `count` (n,) symbols each, evenly among all choices, for distinct uniforms (n, length).

    Example:
        >>> import torch
        >>> hidden_count(torch.tensor([2]), torch.tensor([[0.2, 0.9, 0.4]])).tolist()
        [[True, False, True]]
    """
    return u.argsort(1).argsort(1) < count.unsqueeze(1)


def reveal_probability(now: float, then: float) -> float:
    """Return the probability `(t - t')/t` that a symbol masked at t is revealed at the earlier t'.

    Example:
        >>> reveal_probability(1.0, 0.75), reveal_probability(0.5, 0.0)
        (0.25, 1.0)
    """
    return (now - then) / now


def draw_symbols(logits: Tensor, u: Tensor) -> Tensor:
    """Return one symbol per row of logits (..., vocabulary), by inverting its CDF in float64 at uniforms (...).

    Sums in single precision would cut the tails off, which lowers the temperature without saying so (Zheng et al. 2024).

    Example:
        >>> import torch
        >>> draw_symbols(torch.tensor([[0.0, 0.0]]), torch.tensor([0.6])).tolist()
        [1]
    """
    cdf = logits.double().softmax(-1).cumsum(-1)
    # the last entry is one exactly and a uniform is below it, so that a symbol without mass is never drawn
    return (u.double().unsqueeze(-1) >= cdf / cdf[..., -1:]).sum(-1)
