"""Levels with weights of their own for black and white, and a mixture of logistics in between.

Two ideas: drawings and scans have most of their pixels at either end of the scale, where a smooth
law has to be bent and an atom has not; and only what lies in between costs the mixture's
arithmetic.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.finite import require_finite
from pushforward.families.autoregressive.heads import LOG_SCALES, Head, choose, head_of
from pushforward.nets.logistic import bounded, discretised_logistic, sample_logistic

FEWEST = 8  # levels from which on the ends are worth weights of their own


class EndsHead(Head):
    """`p(x_c | x_<c) = a_c(kind of x_c) [q(x_c) if it lies between the ends]`, with kinds low, high
    and between.

    The weights `a_c = softmax` are of logits that are linear in the values and kinds of the
    channels before. `q` is a mixture of discretised logistics on the levels between the ends
    (`LogisticHead`, Salimans et al. 2017), whose components are weighed by those channels before
    that lie between the ends too.

    Example:
        >>> head = EndsHead(channels=1, levels=8, components=2)
        >>> p = head.log_prob(torch.zeros(8, head.size), torch.arange(8).unsqueeze(1)).exp()
        >>> round(float(p.sum()), 4), round(float(p[0]), 4)
        (1.0, 0.3333)
    """

    def __init__(self, channels: int, levels: int, components: int) -> None:
        super().__init__(channels, levels)
        self.components = components
        # three logits a channel; those of the ends have three coefficients for each channel before
        self.kinds = 3 * channels + 6 * self.pairs
        self.size = self.kinds + components * (1 + 2 * channels + self.pairs)
        self.uniforms = 1 + 2 * channels

    def between(self, levels: Tensor) -> Tensor:
        """Return levels as numbers that go from -1 to 1 between the ends."""
        return (levels.float() - 1.0) * (2.0 / (self.levels - 3)) - 1.0

    def log_kinds(self, raw: Tensor, levels: Tensor, channel: int) -> Tensor:
        """Return log-probabilities (3, n) of low, high and between, from raw (size, n) and levels
        (channels, n)."""
        logits = raw[3 * channel : 3 * channel + 3]
        ties = raw[3 * self.channels :]
        for b in range(channel):
            first = 6 * (channel * (channel - 1) // 2 + b)
            tie, x = ties[first : first + 6].unflatten(0, (2, 3)), levels[b]
            seen = torch.stack([self.scaled(x), (x == 0).float(), (x == self.levels - 1).float()])
            told = (tie * seen.to(raw)).sum(1)
            logits = logits + torch.cat([told, torch.zeros_like(told[:1])])
        return logits.log_softmax(0)

    def mixture(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return log-weights (k, n), means and log-scales (channels, k, n) and coefficients (pairs,
        k, n) from raw (size, n)."""
        k, c = self.components, self.channels
        log_w, each = raw[self.kinds : self.kinds + k], raw[self.kinds + k :].unflatten(0, (-1, k))
        centres = (2.0 * torch.arange(k, device=raw.device) + 1.0) / k - 1.0
        log_scale = bounded(each[c : 2 * c] - math.log(k + 1.0), *LOG_SCALES)
        means = each[:c] + centres.to(raw).unsqueeze(-1)
        return log_w.log_softmax(0), means, log_scale, torch.tanh(each[2 * c :])

    def log_prob(self, raw: Tensor, levels: Tensor) -> Tensor:
        """Return `log p(x_c | x_<c)`; the mixture is asked for pixels of which a channel lies
        between the ends."""
        shape, raw = levels.shape, raw.reshape(-1, self.size)
        # rows of numbers of all pixels: reductions over few numbers in a row are slow
        x, raw_t = levels.reshape(-1, self.channels).t().long(), raw.t().contiguous()
        kind = torch.where(x == 0, 0, torch.where(x == self.levels - 1, 1, 2))
        terms = [
            self.log_kinds(raw_t, x, c).gather(0, kind[c : c + 1])[0] for c in range(self.channels)
        ]
        found = torch.stack(terms)
        some = (kind == 2).any(0).nonzero().squeeze(1)
        told = self._between(raw.index_select(0, some).t().contiguous(), x[:, some], kind[:, some])
        return found.index_add(1, some, told).t().reshape(shape)

    def _between(self, raw: Tensor, x: Tensor, kind: Tensor) -> Tensor:
        """Return `log q(x_c | x_<c)` (channels, n), 0 where x_c is at an end."""
        joint, mean, log_scale, ties = self.mixture(raw)
        values = self.between(x).to(raw)
        known, terms = torch.zeros_like(raw[0]), []
        for c in range(self.channels):
            m = mean[c] + self._tied(ties, values, c)
            # what is at an end is thrown away, so it may stand anywhere
            v = values[c].clamp(-1.0, 1.0).expand_as(joint)
            told = discretised_logistic(v, m, log_scale[c], self.levels - 2)
            joint = joint + torch.where(kind[c] == 2, told, 0.0)
            total = torch.logsumexp(joint, dim=0)
            terms.append(total - known)
            known = total
        return torch.stack(terms)

    def _tied(self, ties: Tensor, values: Tensor, channel: int) -> Tensor | float:
        first = channel * (channel - 1) // 2
        parts = [ties[first + b] * values[b] for b in range(channel)]
        return torch.stack(parts).sum(0) if parts else 0.0

    def draw(self, raw: Tensor, u: Tensor, temperature: float) -> Tensor:
        """Choose a component, then the kind of each channel and what lies between; temperature
        scales log-weights and scales."""
        raw = raw.t()
        log_w, mean, log_scale, ties = self.mixture(raw)
        k = choose(log_w.t(), u[:, 0], temperature)
        of_k = lambda part: part.gather(1, k.expand(len(part), 1, -1)).squeeze(1)  # noqa: E731
        mean, log_scale, ties = of_k(mean), of_k(log_scale) + math.log(temperature), of_k(ties)
        levels = torch.zeros(self.channels, len(k), dtype=torch.long, device=raw.device)
        for c in range(self.channels):
            kind = choose(self.log_kinds(raw, levels, c).t(), u[:, 1 + 2 * c], temperature)
            m = mean[c] + self._tied(ties, self.between(levels).to(raw), c)
            value = require_finite(sample_logistic(u[:, 2 + 2 * c], m, log_scale[c]))
            # the nearest level has exactly the probability of its cell
            place = ((value + 1.0) * (0.5 * (self.levels - 3))).round().clamp(0, self.levels - 3)
            ends = torch.where(kind == 0, 0, self.levels - 1)
            levels[c] = torch.where(kind == 2, 1 + place.long(), ends)
        return levels.t()


def head_with_ends(channels: int, levels: int, components: int) -> Head:
    """Return the head that suits a number of levels, with weights for the ends where there are
    many.

    Example:
        >>> type(head_with_ends(1, 256, 5)).__name__, type(head_with_ends(1, 4, 5)).__name__
        ('EndsHead', 'LogisticHead')
    """
    head = EndsHead if levels >= FEWEST else head_of
    return head(channels, levels, components)
