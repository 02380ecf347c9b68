"""From the numbers that a network gives a pixel to the probabilities of its channels.

Two ideas: `p(pixel) = prod_c p(x_c | x_<c)`, where the network is asked once a pixel and a head
ties the channels together; what a head scores is what it draws.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.core.finite import require_finite, require_law
from pushforward.core.noise import Noise
from pushforward.core.walk import Walk
from pushforward.nets.logistic import bounded, discretised_logistic, sample_logistic

LOG_SCALES = (-7.0, 3.0)  # of levels scaled to [-1, 1]


def choose(log_weights: Tensor, u: Tensor, temperature: float) -> Tensor:
    """Return indices (n,) drawn by inverting the CDF of `softmax(log_weights / temperature)`.

    Shapes: log_weights (n, k), u (n,) uniform on [0, 1).

    Example:
        >>> choose(torch.tensor([[0.0, 0.0]]).repeat(2, 1), torch.tensor([0.4, 0.6]), 1.0).tolist()
        [0, 1]
    """
    cdf = require_law((log_weights.double() / temperature).softmax(-1).cumsum(-1))
    # rounding may leave the last value of the CDF below one
    return (u.double().unsqueeze(-1) >= cdf).sum(-1).clamp(max=log_weights.shape[-1] - 1)


class Head(ABC):
    """Probabilities of a pixel of `channels` values among `levels`. Concrete heads are final.

    Attributes:
        size: how many numbers the network gives for a pixel.
        uniforms: how many uniform numbers it takes to draw one.
    """

    size: int
    uniforms: int

    def __init__(self, channels: int, levels: int) -> None:
        self.channels, self.levels = channels, levels
        self.pairs = channels * (channels - 1) // 2

    def scaled(self, levels: Tensor) -> Tensor:
        """Return levels as numbers from -1 to 1."""
        return levels.float() * (2.0 / (self.levels - 1)) - 1.0

    def tie(self, coefficients: Tensor, values: Tensor, channel: int) -> Tensor:
        """Return `sum_{b < c} k_cb x_b`, what the earlier channels add; coefficients (..., pairs),
        values (..., channels)."""
        first = channel * (channel - 1) // 2
        return (coefficients[..., first : first + channel] * values[..., :channel]).sum(-1)

    @abstractmethod
    def log_prob(self, raw: Tensor, levels: Tensor) -> Tensor:
        """Return `log p(x_c | x_<c)` of shape (..., channels) from raw (..., size) and integer
        levels (..., channels)."""

    @abstractmethod
    def draw(self, raw: Tensor, u: Tensor, temperature: float) -> Tensor:
        """Return levels (n, channels) from raw (n, size) and uniforms (n, uniforms), channel after
        channel."""


class BernoulliHead(Head):
    """Two levels: a logit for each channel, linear in the channels before it.

    Example:
        >>> head = BernoulliHead(channels=1)
        >>> round(float(head.log_prob(torch.tensor([0.0]), torch.tensor([1]))), 4)
        -0.6931
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2)
        self.size, self.uniforms = channels + self.pairs, channels

    def logit(self, raw: Tensor, values: Tensor, channel: int) -> Tensor:
        """Return the logit of level 1 given the channels before."""
        return raw[..., channel] + self.tie(raw[..., self.channels :], values, channel)

    def log_prob(self, raw: Tensor, levels: Tensor) -> Tensor:
        """Return `log sigmoid(+-logit)`."""
        values = self.scaled(levels)
        logits = torch.stack([self.logit(raw, values, c) for c in range(self.channels)], dim=-1)
        return F.logsigmoid(logits * values)

    def draw(self, raw: Tensor, u: Tensor, temperature: float) -> Tensor:
        """Draw level 1 where the uniform is below its probability."""
        levels = torch.zeros(len(raw), self.channels, dtype=torch.long, device=raw.device)
        for c in range(self.channels):
            logit = self.logit(raw, self.scaled(levels), c).double() / temperature
            levels[:, c] = u[:, c] < require_finite(torch.sigmoid(logit))
        return levels


class LogisticHead(Head):
    """A mixture of discretised logistics whose means are linear in the channels before (Salimans et
    al. 2017, section 2.2).

    `p(x) = sum_k w_k prod_c P(x_c; m_kc + sum_{b < c} tanh(t_kcb) x_b, s_kc)`, equation 3 for three
    channels. The mixture is one of pixels, so a term of a later channel weighs the components by
    how well they told the earlier ones.

    Example:
        >>> head = LogisticHead(channels=3, levels=256, components=10)
        >>> head.size, head.log_prob(torch.zeros(100), torch.tensor([0, 128, 255])).shape
        (100, torch.Size([3]))
    """

    def __init__(self, channels: int, levels: int, components: int) -> None:
        super().__init__(channels, levels)
        self.components = components
        self.size, self.uniforms = components * (1 + 2 * channels + self.pairs), 1 + channels

    def mixture(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return log-weights (..., k), means and log-scales (..., k, channels) and coefficients
        (..., k, pairs)."""
        k, c = self.components, self.channels
        each = raw[..., k:].unflatten(-1, (k, 2 * c + self.pairs))
        # components start side by side over the range, each as wide as its share
        centres = (2.0 * torch.arange(k, device=raw.device) + 1.0) / k - 1.0
        log_scale = bounded(each[..., c : 2 * c] - math.log(k + 1.0), *LOG_SCALES)
        means = each[..., :c] + centres.to(raw).unsqueeze(-1)
        return raw[..., :k].log_softmax(-1), means, log_scale, torch.tanh(each[..., 2 * c :])

    def log_prob(self, raw: Tensor, levels: Tensor) -> Tensor:
        """Return differences of `log sum_k w_k prod_{b <= c} P_kb` over the channels."""
        log_w, mean, log_scale, ties = self.mixture(raw)
        values = self.scaled(levels).to(raw).unsqueeze(-2)
        joint, known, terms = log_w, torch.zeros_like(log_w[..., 0]), []
        for c in range(self.channels):
            x = values[..., c].expand_as(log_w)
            told = discretised_logistic(
                x, mean[..., c] + self.tie(ties, values, c), log_scale[..., c], self.levels
            )
            joint = joint + told
            total = torch.logsumexp(joint, dim=-1)
            terms.append(total - known)
            known = total
        return torch.stack(terms, dim=-1)

    def draw(self, raw: Tensor, u: Tensor, temperature: float) -> Tensor:
        """Choose a component, then draw every channel from it; temperature scales log-weights and
        scales."""
        log_w, mean, log_scale, ties = self.mixture(raw)
        rows, k = torch.arange(len(raw), device=raw.device), choose(log_w, u[:, 0], temperature)
        mean, log_scale, ties = (
            mean[rows, k],
            log_scale[rows, k] + math.log(temperature),
            ties[rows, k],
        )
        levels = torch.zeros(len(raw), self.channels, dtype=torch.long, device=raw.device)
        for c in range(self.channels):
            m = mean[:, c] + self.tie(ties, self.scaled(levels).to(raw), c)
            value = require_finite(sample_logistic(u[:, 1 + c], m, log_scale[:, c]))
            # the nearest level has exactly the probability of its cell
            levels[:, c] = (
                ((value + 1.0) * (0.5 * (self.levels - 1))).round().clamp(0, self.levels - 1).long()
            )
        return levels


def head_of(channels: int, levels: int, components: int) -> Head:
    """Return the head that suits a number of levels."""
    return BernoulliHead(channels) if levels == 2 else LogisticHead(channels, levels, components)


@dataclass
class LevelState:
    """Levels so far, (n, places, channels of a place), and the uniforms of every place."""

    levels: Tensor
    uniforms: Tensor


class HeadWalk(Walk[LevelState]):
    """Ancestral sampling, one network call for each place of an image in raster order.

    Args:
        shape: (channels, height, width) of the images; a place is a pixel if the head has their
            channels, else one channel of it.
        raw: from images of levels so far and the index of a place to the numbers (n, size) of that
            place.
    """

    def __init__(
        self,
        head: Head,
        shape: tuple[int, ...],
        noise: Noise,
        temperature: float,
        raw: Callable[[Tensor, int], Tensor],
    ) -> None:
        self.head, self.shape, self.noise, self.temperature, self.raw = (
            head,
            shape,
            noise,
            temperature,
            raw,
        )
        self.length = math.prod(shape) // head.channels
        self.calls = float(self.length)

    @torch.no_grad()
    def start(self) -> LevelState:
        """Draw every uniform at once."""
        uniforms = self.noise.uniform(self.length, self.head.uniforms, dtype=torch.float64)
        shape = (self.noise.n, self.length, self.head.channels)
        return LevelState(torch.zeros(shape, dtype=torch.long, device=uniforms.device), uniforms)

    @torch.no_grad()
    def step(self, state: LevelState, index: int) -> LevelState:
        """Draw place `index`."""
        raw = self.raw(self.finish(state), index)
        state.levels[:, index] = self.head.draw(raw, state.uniforms[:, index], self.temperature)
        return state

    def finish(self, state: LevelState) -> Tensor:
        """Return images of levels."""
        c, h, w = self.shape
        return state.levels.reshape(-1, h, w, c).permute(0, 3, 1, 2)
