"""Coordinates one after another: a mixture of Gaussians for each given all before it.

Two ideas: `p(x) = prod_d sum_k w_k N(x_d; m_k, s_k^2)` with parameters from x_<d; the conditional CDFs turn a point into
independent uniforms and back, which makes the family's code exact on continuous data.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.codec import Codec, Standardise
from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.nets.mlp import LabelEmbedding, ResidualMLP

SMALLEST_LOG_SCALE = -6.0


class CoordinateBackbone(Backbone):
    """One network per coordinate, from the coordinates before it (with Fourier features) to mixture parameters."""

    place = "coordinate, in the order they are modelled"

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        self.dim, self.components = space.dimensions, config.components
        self.embedding = LabelEmbedding(classes, config.context) if classes else None
        size = config.context if classes else 0
        self.nets = nn.ModuleList(
            ResidualMLP(max(1, 5 * d), 3 * config.components, config.width, config.depth, size) for d in range(self.dim)
        )

    @classmethod
    def codec(cls, space: Space) -> Codec:
        """Standardised coordinates."""
        return Codec(space, [Standardise(space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """Return the coordinates' networks; mixture arithmetic stays in float32."""
        return {f"coordinate {d}": net for d, net in enumerate(self.nets)}

    def context(self, given: Given | None, n: int) -> Tensor | None:
        """Return the label embedding."""
        return None if self.embedding is None else self.embedding(label_of(given), n)

    def mixture(self, d: int, before: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-weights, means and log-scales, each (n, components), of coordinate d given (n, d) before it."""
        if d == 0:
            inputs = before.new_zeros(len(before), 1)
        else:
            # two frequencies help sharp edges; the plain coordinate keeps the tails simple
            waves = [f(k * before) for k in (2.0, 6.0) for f in (torch.sin, torch.cos)]
            inputs = torch.cat([before, *waves], dim=1)
        raw = self.nets[d](inputs, context).reshape(len(before), 3, self.components)
        spread = torch.linspace(-2.0, 2.0, self.components, device=raw.device, dtype=raw.dtype)
        log_scale = (raw[:, 2] - math.log(self.components / 3.0 + 1.0)).clamp(SMALLEST_LOG_SCALE, 3.0)
        return raw[:, 0].log_softmax(-1), raw[:, 1] + spread, log_scale

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log sum_k w_k N(x_d; m_k, s_k^2)`, (n, D)."""
        context, terms = self.context(given, len(x)), []
        for d in range(self.dim):
            log_w, mean, log_scale = self.mixture(d, x[:, :d], context)
            z = (x[:, d : d + 1] - mean) * torch.exp(-log_scale)
            log_n = -0.5 * z.square() - log_scale - 0.5 * math.log(2 * math.pi)
            terms.append(torch.logsumexp(log_w + log_n, dim=1))
        return torch.stack(terms, dim=1)

    def walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler, coordinate by coordinate."""
        return CoordinateWalk(self, noise, given, options.temperature)

    def encode(self, x: Tensor, given: Given | None) -> Tensor:
        """Return `u_d = F(x_d | x_<d)`, uniform on (0, 1)^D under the model; float64."""
        context, u = self.context(given, len(x)), []
        for d in range(self.dim):
            u.append(_cdf(x[:, d : d + 1], *self.mixture(d, x[:, :d], context)))
        return torch.cat(u, dim=1)

    def decode(self, u: Tensor, given: Given | None) -> Tensor:
        """Invert `encode` coordinate by coordinate, by bisection in float64."""
        context = self.context(given, len(u))
        x = torch.zeros(len(u), self.dim, device=u.device)
        for d in range(self.dim):
            log_w, mean, log_scale = self.mixture(d, x[:, :d], context)
            x[:, d] = _inverse_cdf(u[:, d : d + 1].double(), log_w, mean, log_scale).squeeze(1).float()
        return x


def _cdf(x: Tensor, log_w: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    z = (x.double() - mean.double()) * torch.exp(-log_scale.double())
    return (log_w.double().exp() * torch.special.ndtr(z)).sum(1, keepdim=True)


def _inverse_cdf(u: Tensor, log_w: Tensor, mean: Tensor, log_scale: Tensor, steps: int = 60) -> Tensor:
    # every component has 1 - 1e-15 of its mass within 8 scales
    reach = 8.0 * log_scale.double().exp()
    low = (mean.double() - reach).amin(1, keepdim=True)
    high = (mean.double() + reach).amax(1, keepdim=True)
    for _ in range(steps):
        middle = 0.5 * (low + high)
        below = _cdf(middle, log_w, mean, log_scale) < u
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return 0.5 * (low + high)


class CoordinateWalk(Walk[Tensor]):
    """Ancestral sampling: choose a component, then draw from it; temperature scales log-weights and variances."""

    def __init__(self, model: CoordinateBackbone, noise: Noise, given: Given | None, temperature: float) -> None:
        self.model, self.noise, self.temperature = model, noise, temperature
        self.context = model.context(given, noise.n)
        self.length, self.calls = model.dim, float(model.dim)

    @torch.no_grad()
    def start(self) -> Tensor:
        """Draw the randomness of all coordinates."""
        self.uniforms, self.normals = self.noise.uniform(self.length), self.noise.normal(self.length)
        return torch.zeros(self.noise.n, self.length, device=self.uniforms.device)

    @torch.no_grad()
    def step(self, state: Tensor, index: int) -> Tensor:
        """Draw coordinate `index`."""
        log_w, mean, log_scale = self.model.mixture(index, state[:, :index], self.context)
        cdf = (log_w.double() / self.temperature).softmax(-1).cumsum(-1)
        k = (self.uniforms[:, index : index + 1].double() >= cdf).sum(1, keepdim=True).clamp(max=mean.shape[1] - 1)
        scale = log_scale.gather(1, k).exp() * math.sqrt(self.temperature)
        state = state.clone()
        state[:, index] = (mean.gather(1, k) + scale * self.normals[:, index : index + 1]).squeeze(1)
        return state

    def finish(self, state: Tensor) -> Tensor:
        """Return the points."""
        return state
