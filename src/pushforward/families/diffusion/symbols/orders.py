"""A bound on log p(x) of symbols that are revealed in random order.

Two ideas: given which symbols are hidden, a model says a distribution for each of them, and nothing
else is asked of it; the number k of hidden symbols is drawn in equal strata, because how hard a
symbol is to guess depends on little else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.families.diffusion.symbols.masking import hidden_count

# `(rows (m,), hidden (m, length)) -> log p(x_i | what is not hidden)`, shape (m, length), of the
# rows of a batch; read where hidden
Terms = Callable[[Tensor, Tensor], Tensor]


def stratified_counts(u: Tensor, length: int) -> Tensor:
    """Return numbers of hidden symbols from 1 to `length`, one in each of as many equal strata as
    there are uniforms.

    Uniform over `1 .. length` as a whole, and never 0: a text of which all is seen says nothing.

    Args:
        u: shape (..., strata), strata in the last axis.

    Example:
        >>> stratified_counts(torch.tensor([0.0, 0.0, 0.0, 0.99]), 4).tolist()
        [1, 2, 3, 4]
    """
    strata = u.shape[-1]
    place = (torch.arange(strata, dtype=torch.float64, device=u.device) + u.double()) / strata
    return (place * length).long().clamp(max=length - 1) + 1


def summed_over(terms: Tensor, hidden: Tensor) -> Tensor:
    """Return the sum over hidden symbols, shape (m,); what a model says of the others is not
    read."""
    return torch.where(hidden, terms, 0.0).sum(1)


def all_masks(length: int) -> tuple[Tensor, Tensor]:
    """Return every non-empty choice of hidden symbols, (2^length - 1, length), and its weight `1/(k
    C(length, k))`.

    Example:
        >>> masks, weight = all_masks(2)
        >>> masks.tolist(), weight.tolist()
        ([[False, True], [True, False], [True, True]], [0.5, 0.5, 0.5])
    """
    masks = torch.tensor(list(itertools.product((False, True), repeat=length)))[1:]
    count = masks.sum(1).tolist()
    return masks, torch.tensor(
        [1.0 / (k * math.comb(length, k)) for k in count], dtype=torch.float64
    )


def bound(
    terms: Terms, n: int, length: int, noise: Noise, samples: int, rows: int = 512
) -> tuple[Tensor, Tensor | None, float]:
    """Return a lower bound on `log p(x)`, its standard error (None if nothing was drawn) and the
    network calls an example.

    `log p(x) >= sum_{k=1..L} 1/k E[sum over the k hidden of log p(x_i | the others)]`: the mean
    over all orders of what a model that reveals one symbol after another gives x (Uria et al. 2014;
    Ou et al. 2024). As `1/k = int_0^1 1/t Bin(k; L, t) dt` it is the continuous-time bound with
    weight 1/t. Equality holds where every order gives the same, as with exact conditionals.

    With as many samples as there are masks, `2^L - 1`, all of them are used. The standard error is
    that of systematic sampling, from successive differences; it is conservative where what is drawn
    is steep in k.

    Args:
        terms: of a batch of n.
        samples: masks per example.
        rows: how many masked examples to look at in one call.
    """
    shift = noise.uniform(samples, dtype=torch.float64)
    if length < 30 and 2**length - 1 <= samples:
        masks, weight = (part.to(shift.device) for part in all_masks(length))
        masks = masks.expand(n, -1, -1)
    else:
        counts, weight = stratified_counts(shift, length), None
        masks = torch.stack(
            [
                hidden_count(k, u)
                for k, u in zip(counts.T, noise.uniform(samples, length).unbind(1))
            ],
            1,
        )
    width = masks.shape[1]
    group = max(1, rows // width)
    parts = []
    for first in range(0, n, group):
        hidden = masks[first : first + group].flatten(0, 1)
        which = torch.arange(first, min(n, first + group), device=shift.device).repeat_interleave(
            width
        )
        parts.append(summed_over(terms(which, hidden).double(), hidden).reshape(-1, width))
    found = torch.cat(parts)
    if weight is not None:
        return (found * weight.to(found)).sum(1), None, float(width)
    found = length * found / masks.sum(2)
    return found.mean(1), systematic_error(found), float(samples)
