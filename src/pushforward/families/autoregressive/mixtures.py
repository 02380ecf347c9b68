"""Conditionals of points that are mixtures of Gaussians: their density, their code and their
sampler, whatever network gives them.

Two ideas: `p(x) = prod_d sum_k w_k N(x_d; m_k, s_k^2)` with parameters from x_<d; the conditional
CDFs turn a point into independent uniforms and back, which makes the family's code exact on
continuous data.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.heads import choose
from pushforward.families.shared.given_embedding import GivenEmbedding

SMALLEST_LOG_SCALE = -6.0


def waves(x: Tensor) -> list[Tensor]:
    """Return the features of coordinates: themselves, and sines and cosines of two frequencies,
    each shaped like x.

    Sines help sharp edges; the plain coordinate keeps the tails simple.

    Example:
        >>> len(waves(torch.zeros(1, 2)))
        5
    """
    return [x, *(f(k * x) for k in (2.0, 6.0) for f in (torch.sin, torch.cos))]


def mixture_of(raw: Tensor, components: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-weights, means and log-scales, each (..., components), from a network's numbers
    (..., 3 components)."""
    raw = raw.unflatten(-1, (3, components))
    # components start side by side over the bulk of standardised data, each as wide as its share
    spread = torch.linspace(-2.0, 2.0, components, device=raw.device, dtype=raw.dtype)
    log_scale = (raw[..., 2, :] - math.log(components / 3.0 + 1.0)).clamp(SMALLEST_LOG_SCALE, 3.0)
    return raw[..., 0, :].log_softmax(-1), raw[..., 1, :] + spread, log_scale


class MixtureBackbone(Backbone):
    """Points whose coordinates are modelled one after another by mixtures; a network gives the
    parameters."""

    place = "coordinate, in the order they are modelled"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        self.dim, self.components = space.dimensions, config.components
        self.embedding = GivenEmbedding(classes, config.context)

    @abstractmethod
    def mixtures(
        self, x: Tensor, context: Tensor | None, noise: Noise | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-weights, means and log-scales, each (n, D, components), of every coordinate
        given those before it."""

    @abstractmethod
    def mixture(
        self, d: int, before: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-weights, means and log-scales, each (n, components), of coordinate d given (n,
        d) before it."""

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log sum_k w_k N(x_d; m_k, s_k^2)`, (n, D)."""
        log_w, mean, log_scale = self.mixtures(x, self.embedding(given, len(x)), noise)
        z = (x.unsqueeze(-1) - mean) * torch.exp(-log_scale)
        log_n = -0.5 * z.square() - log_scale - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(log_w + log_n, dim=-1)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return CoordinateWalk(self, noise, given, options.temperature)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return `u_d = F(x_d | x_<d)`, uniform on (0, 1)^D under the model; float64."""
        return _cdf(x, *self.mixtures(x, self.embedding(given, len(x))))

    def _decode(self, u: Tensor, given: Given | None) -> Tensor:
        """Invert `encode` coordinate by coordinate, by bisection in float64."""
        context = self.embedding(given, len(u))
        x = torch.zeros(len(u), self.dim, device=u.device)
        for d in range(self.dim):
            x[:, d] = _inverse_cdf(u[:, d].double(), *self.mixture(d, x[:, :d], context)).float()
        return x


def _cdf(x: Tensor, log_w: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    z = (x.double().unsqueeze(-1) - mean.double()) * torch.exp(-log_scale.double())
    return (log_w.double().exp() * torch.special.ndtr(z)).sum(-1)


def _inverse_cdf(
    u: Tensor, log_w: Tensor, mean: Tensor, log_scale: Tensor, steps: int = 60
) -> Tensor:
    # every component has 1 - 1e-15 of its mass within 8 scales
    reach = 8.0 * log_scale.double().exp()
    low, high = (mean.double() - reach).amin(-1), (mean.double() + reach).amax(-1)
    for _ in range(steps):
        middle = 0.5 * (low + high)
        below = _cdf(middle, log_w, mean, log_scale) < u
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return 0.5 * (low + high)


class CoordinateWalk(Walk[Tensor]):
    """Ancestral sampling: choose a component, then draw from it; temperature scales log-weights and
    variances."""

    def __init__(
        self, model: MixtureBackbone, noise: Noise, given: Given | None, temperature: float
    ) -> None:
        self.model, self.noise, self.temperature = model, noise, temperature
        self.context = model.embedding(given, noise.n)
        self.length, self.calls = model.dim, float(model.dim)

    @torch.no_grad()
    def start(self) -> Tensor:
        """Draw the randomness of all coordinates."""
        self.uniforms, self.normals = (
            self.noise.uniform(self.length),
            self.noise.normal(self.length),
        )
        return torch.zeros(self.noise.n, self.length, device=self.uniforms.device)

    @torch.no_grad()
    def step(self, state: Tensor, index: int) -> Tensor:
        """Draw coordinate `index`."""
        log_w, mean, log_scale = self.model.mixture(index, state[:, :index], self.context)
        k = choose(log_w, self.uniforms[:, index], self.temperature).unsqueeze(1)
        scale = log_scale.gather(1, k).exp() * math.sqrt(self.temperature)
        state = state.clone()
        state[:, index] = (mean.gather(1, k) + scale * self.normals[:, index : index + 1]).squeeze(
            1
        )
        return state

    def finish(self, state: Tensor) -> Tensor:
        """Return the points."""
        return state
