"""The variational bound in continuous time.

Two ideas: the bound is three terms, of which only the integral over log-SNR is Monte Carlo; a
Gaussian model of the data is a control variate with a known mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.estimator import Draws
from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.families.diffusion.denoisers.known_levels import DataDecoder
from pushforward.families.diffusion.paths.noise_law import NoiseLaw
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.schemes import Denoise

Estimate = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class GaussianControl:
    """The model `N(centre, scale^2)` of the data, of which the expected error at every noise level
    is known.

    With `D_0 = centre + k (y - centre)` and `k = scale^2/(s^2 + scale^2)`,
    `E_eps |x - D_0|^2 = (1 - k)^2 |x - centre|^2 + k^2 s^2 D`.
    """

    centre: Tensor
    scale: float

    def surplus(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        """Return `|x - D_0|^2 - E |x - D_0|^2`, shape (n,): noise of mean zero."""
        k = self.scale**2 / (s**2 + self.scale**2)
        error = x - self.centre - k * (y - self.centre)
        expected = ((1.0 - k) * (x - self.centre)).square() + k**2 * s**2
        return (error.square() - expected).flatten(1).sum(1)


def prior_divergence(path: Path, x: Tensor) -> Tensor:
    """Return `KL(q(x_1 | x) || p(x_1))` at the noisy end of a path, shape (n,)."""
    return path.prior.divergence(x, *path.last)


def noised_groups(
    x: Tensor, levels: Tensor, noise: Noise, scalars: int = 1 << 15
) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
    """Yield which columns of levels (n, draws), the examples once for each, their noisy versions
    and those levels, flat.

    Args:
        scalars: how many numbers to yield at once; activations that fit in the cache made denoising
            five times faster than 2^20.
    """
    event, draws = x.shape[1:], levels.shape[1]
    eps = noise.normal(draws, *event, dtype=x.dtype)
    group = max(1, scalars // max(1, x.numel()))
    for first in range(0, draws, group):
        columns = slice(first, first + group)
        s = levels[:, columns]
        clean = x.repeat_interleave(s.shape[1], dim=0)
        flat = s.flatten().to(x)
        y = clean + flat.reshape(-1, *(1 for _ in event)) * eps[:, columns].reshape(-1, *event)
        yield columns, clean, y, flat


def elbo(
    path: Path,
    denoise: Denoise,
    decoder: DataDecoder,
    law: NoiseLaw,
    x: Tensor,
    draws: Draws,
    control: GaussianControl | None = None,
    scalars: int = 1 << 15,
) -> Estimate:
    """Return the continuous-time variational bound and its standard error, both of shape (n,) in
    nats.

    `log p(x) >= -KL(q(x_1|x) || p(x_1)) + E log p(x|x_0) - 1/2 int e^lambda E|x - D(y, lambda)|^2 d
    lambda` (Kingma et al. 2021, equations 11 and 17). The quantiles of the noise levels are one
    random shift of an even grid per example; with `d lambda = 2 d log s` the integral is the mean
    of `|x - D|^2 / (s^2 p(log s))` under any law p.

    The standard error is that of systematic sampling, from successive differences; it is
    conservative where the integrand is steep.

    Args:
        law: where to look; it changes the variance only.
        draws: their samples are noise levels per example.
        control: a Gaussian model of the data whose error is subtracted and added back in
            expectation.
        scalars: see `noised_groups`.
    """
    n, noise, samples = x.shape[0], draws.noise, draws.samples
    shift = noise.uniform(dtype=torch.float64).unsqueeze(1)
    u = (torch.arange(samples, dtype=torch.float64, device=shift.device) + shift) / samples
    levels = law.quantile(u).clamp(path.sigma_min, path.sigma_max).to(x)
    parts = []
    for _, clean, y, s in noised_groups(x, levels, noise, scalars):
        error = (clean - denoise(y, s)).square().flatten(1).sum(1)
        if control is not None:
            error = error - control.surplus(clean, y, s.reshape(-1, *(1 for _ in x.shape[1:])))
        parts.append((error / (s**2 * law.density(s))).reshape(n, -1))
    integrand = torch.cat(parts, dim=1)
    nats = decoder.expected(x) - prior_divergence(path, x) - integrand.mean(1)
    return nats, systematic_error(integrand)
