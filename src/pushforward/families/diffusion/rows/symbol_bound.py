"""The bound on log p of a row's symbols: a sum over how many are hidden of what the hidden ones
cost.

Two ideas: few symbols have few subsets, which are all asked about, so that nothing is left to
chance; of more, the two ends (each hidden alone, and all of them hidden) are known, and only what
lies between is drawn, as a deviation from the line between the ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.families.diffusion.rows.row_layout import HIDDEN
from pushforward.families.diffusion.symbols.masking import hidden_count

AT_ONCE = 4096  # rows per call of the network: activations fit in the cache
FEWEST = 3  # draws that can spare one for the end
Logits = Callable[[Tensor, int], Tensor]  # symbols (n * times, S), each row `times` times -> logits


def symbol_bound(
    logits: Logits, symbols: Tensor, unknown: Tensor, sizes: list[int], noise: Noise, samples: int
) -> tuple[Tensor, Tensor | None]:
    """Return the bound on the log-probability of unknown symbols given the others and its standard
    error, (n,).

    `int_0^1 1/t E[sum over hidden i of log p(x_i | seen)] dt = sum_k T_k` with `T_k = 1/k E[sum
    over k hidden ...]`, k from 1 to the number L of unknown symbols (Ou et al. 2024). With `2^S - 1
    <= samples` it is the sum over all subsets, each with the weight `1 / (k C(L, k))`, and has no
    error. Otherwise T_L takes one call and T_1 one for each symbol (where half of the draws
    suffice); the other draws share `sum_{1<k<L} T_k`, pairs of them hiding first the first and then
    the last k of a random order. From each is subtracted `m_i(k)`, the line between what symbol i
    costs at either end, whose mean over all symbols is added again.

    Args:
        logits: answers of the network for rows that are repeated.
        symbols: shape (n, S).
        unknown: which of them are to be scored, shape (n, S).
        sizes: number of values of each symbol.
        noise: one stream per row.
        samples: calls of the network for each row, at most.
    """
    ask = _Ask(logits, symbols, unknown, sizes)
    count = symbols.shape[1]
    if 2**count - 1 <= samples:
        return _every_subset(ask, unknown), torch.zeros(
            len(symbols), dtype=torch.float64, device=symbols.device
        )
    length = unknown.sum(1)
    singles = count + 1 <= samples // 2
    spent = 1 + count * singles if samples >= FEWEST else 0
    # equally many of every pair, or the counts are not drawn evenly
    drawn = samples - spent if samples - spent == 1 else 2 * ((samples - spent) // 2)
    if not spent:
        return _between(ask, None, None, (torch.ones_like(length), length), noise, drawn)
    whole = ask.each(unknown)
    alone = ask.alone() if singles else None
    nats = _mean(whole, unknown)
    if alone is not None:
        nats = nats + torch.where(length > 1, _mean(alone, unknown), 0.0)
    low = torch.full_like(length, 2 if singles else 1)
    between, stderr = _between(ask, alone, whole, (low, length - 1), noise, drawn)
    return nats + between, stderr


def calls_of(count: int, samples: int) -> int:
    """Return how many calls of the network `symbol_bound` makes for each row.

    Example:
        >>> calls_of(3, 64), calls_of(10, 64)
        (7, 64)
    """
    return min(samples, 2**count - 1)


class _Ask:
    """Rows whose symbols may be hidden, and what the network then says of the true ones."""

    def __init__(self, logits: Logits, symbols: Tensor, unknown: Tensor, sizes: list[int]) -> None:
        self.logits, self.symbols, self.unknown, self.sizes = logits, symbols, unknown, sizes

    def nats(self, hidden: Tensor) -> Tensor:
        """Return log-probabilities (n, times, S) of all symbols where `hidden` (n, times, S)
        are."""
        times = hidden.shape[1]
        true = self.symbols.repeat_interleave(times, dim=0)
        shown = torch.where(hidden.reshape(true.shape), HIDDEN, true)
        return chosen_log_probability(self.logits(shown, times), true, self.sizes).reshape(
            hidden.shape
        )

    def each(self, hidden: Tensor) -> Tensor:
        """Return the same of one pattern for each row, (n, S)."""
        return self.nats(hidden.unsqueeze(1)).squeeze(1)

    def alone(self) -> Tensor:
        """Return the log-probability of every symbol given all others, (n, S)."""
        eye = torch.eye(self.symbols.shape[1], dtype=torch.bool, device=self.symbols.device)
        parts = []
        for one in self.groups(len(eye)):
            hidden = eye[one] & self.unknown.unsqueeze(1)
            parts.append(
                self.nats(hidden).gather(
                    2, eye[one].long().argmax(1).reshape(1, -1, 1).expand(len(hidden), -1, 1)
                )
            )
        return torch.cat(parts, dim=1).squeeze(2)

    def groups(self, total: int) -> Iterator[slice]:
        """Yield slices of as many draws as one call takes."""
        group = max(1, AT_ONCE // len(self.symbols))
        for first in range(0, total, group):
            yield slice(first, min(first + group, total))


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    return (values * chosen).sum(-1) / chosen.sum(-1).clamp(min=1)


def _every_subset(ask: _Ask, unknown: Tensor) -> Tensor:
    n, count = unknown.shape
    codes = torch.arange(1, 2**count, device=unknown.device)
    subsets = (codes.unsqueeze(1) >> torch.arange(count, device=unknown.device)) % 2 == 1
    length = unknown.sum(1)
    total = torch.zeros(n, dtype=torch.float64, device=unknown.device)
    for part in ask.groups(len(subsets)):
        hidden = subsets[part].unsqueeze(0).expand(n, -1, -1)
        within = (~hidden | unknown.unsqueeze(1)).all(2)
        k = hidden.sum(2)
        weight = torch.where(within, 1.0 / (k * _choose(length.unsqueeze(1), k)), 0.0)
        total += (weight * (ask.nats(hidden & unknown.unsqueeze(1)) * hidden).sum(2)).sum(1)
    return total


def _choose(n: Tensor, k: Tensor) -> Tensor:
    """Return binomial coefficients, one where k exceeds n, which counts for nothing."""
    n, k = n.double(), torch.minimum(k, n).double()
    return (torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)).exp()


def _between(
    ask: _Ask,
    alone: Tensor | None,
    whole: Tensor | None,
    ends: tuple[Tensor, Tensor],
    noise: Noise,
    samples: int,
) -> tuple[Tensor, Tensor | None]:
    """Return the sum of T_k over k between `ends` (both included, (n,)), and its standard error."""
    unknown, (low, high) = ask.unknown, ends
    strata = (high - low + 1).clamp(min=0)
    pairs = max(1, samples // 2)
    shift = noise.uniform(dtype=torch.float64).unsqueeze(1)
    place = (torch.arange(pairs, dtype=torch.float64, device=shift.device) + shift) / pairs
    k = low.unsqueeze(1) + (place * strata.unsqueeze(1)).floor().long()
    order = noise.uniform(pairs, unknown.shape[1], dtype=torch.float64)
    order = torch.stack([order, 1.0 - order], dim=2).flatten(1, 2)[:, :samples]
    # known symbols come last in the order of hiding, and k never reaches them
    order = order + (~unknown).double().unsqueeze(1)
    k = k.repeat_interleave(2, dim=1)[:, :samples]
    parts = []
    for part in ask.groups(samples):
        hidden = hidden_count(k[:, part].flatten(), order[:, part].flatten(0, 1)).reshape(
            order[:, part].shape
        )
        hidden &= unknown.unsqueeze(1)
        baseline = _baseline(alone, whole, k[:, part], unknown)
        term = _mean(ask.nats(hidden) - baseline, hidden) + _mean(baseline, unknown.unsqueeze(1))
        parts.append(term)
    terms = torch.cat(parts, dim=1) * strata.unsqueeze(1)
    return terms.mean(1), systematic_error(terms.reshape(len(terms), pairs, -1).mean(2))


def _baseline(alone: Tensor | None, whole: Tensor | None, k: Tensor, unknown: Tensor) -> Tensor:
    """Return the line m_i(k) between what a symbol costs alone and with all others hidden, shape
    (n, times, S)."""
    if whole is None:
        return torch.zeros((*k.shape, unknown.shape[1]), dtype=torch.float64, device=k.device)
    top = whole.unsqueeze(1)
    if alone is None:
        return top.expand(*k.shape, -1)
    share = (k - 1) / (unknown.sum(1, keepdim=True) - 1).clamp(min=1)
    return torch.lerp(alone.unsqueeze(1), top, share.double().unsqueeze(2))


def chosen_log_probability(logits: Tensor, symbols: Tensor, sizes: list[int]) -> Tensor:
    """Return the log-probability (n, S) of every symbol under its own logits.

    Example:
        >>> chosen_log_probability(torch.zeros(1, 5), torch.tensor([[0, 2]]), [2, 3]).exp().tolist()
        [[0.5, 0.3333333333333333]]
    """
    columns = zip(logits.double().split(sizes, dim=1), symbols.unbind(1), strict=True)
    return torch.cat(
        [part.log_softmax(1).gather(1, symbol.unsqueeze(1)) for part, symbol in columns], dim=1
    )
