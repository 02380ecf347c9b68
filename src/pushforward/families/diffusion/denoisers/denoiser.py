"""Denoisers: from noisy data to the mean of the clean data, at every noise level.

Two ideas: a denoiser lives in the coordinates `y = x0 + noise_level eps`, which all paths share;
the network only has to predict a unit-variance target from unit-variance inputs, because its
preconditioner knows the scale of the data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pushforward.core.choice import Choice
from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.registry import Registry
from pushforward.families.diffusion.denoisers.known_levels import level_frequencies, level_mean


class Denoiser(ABC):
    """`D(y, noise_level) = E[x0 | y]` for `y = x0 + noise_level eps`.

    Attributes:
        calls: network calls that one denoising costs, the most where that depends on the noise
            level.
    """

    calls: float = 1.0

    def cost(self, noise_level: float) -> float:
        """Return the network calls of one denoising at a noise level; override where they depend on
        it."""
        return self.calls

    @abstractmethod
    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""


@dataclass(frozen=True)
class PredictionType(Choice):
    """What the output F of a network means: `D - centre = skip (y - centre) + out F`.

    Attributes:
        scales: `(skip, out)` as a function of noise level and data scale; calling the type calls
            it.
    """

    scales: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

    def __call__(self, noise_level: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        return self.scales(noise_level, scale)

    @property
    def of_level(self) -> float:
        """What of a level `(m - y)/s` is in the output for which `D = m` at small noise s: 1 or -1,
        and 0 where that changes with s.

        Example:
            >>> [FORMS[name].of_level for name in ("preconditioned", "noise", "data", "score")]
            [1.0, -1.0, 0.0, 0.0]
        """
        noise_level = torch.tensor(1e-6, dtype=torch.float64, device="cpu")
        skip, out = self(noise_level, torch.ones_like(noise_level))
        share = float(noise_level / out)
        kept = abs(float(skip) - 1.0) < 1e-3 and abs(abs(share) - 1.0) < 1e-3
        return float(round(share)) if kept else 0.0


class ReadsScale(ABC):
    """A network, or a part of one, that wants to know the scale of the data."""

    @abstractmethod
    def read_scale(self, scale: Tensor) -> None:
        """Note a standard deviation, of shape ()."""


FORMS: Registry[PredictionType] = Registry(
    "prediction",
    of="pushforward.families.diffusion.denoisers.denoiser:PredictionType",
    choices=(
        PredictionType(
            "preconditioned",
            "what is left of the best linear estimate, of unit variance",
            lambda s, d: (d**2 / (s**2 + d**2), s * d / (s**2 + d**2).sqrt()),
        ),
        # eps = (y - x0)/s
        PredictionType("noise", "the noise", lambda s, d: (torch.ones_like(s), -s)),
        # x0, in units of its scale
        PredictionType(
            "data", "the clean data", lambda s, d: (torch.zeros_like(s), d.expand_as(s))
        ),
        # v = alpha eps - sigma x0 where alpha^2 + sigma^2 = 1: x0 = alpha x - sigma v with x =
        # alpha y
        PredictionType(
            "velocity", "v", lambda s, d: (1.0 / (1.0 + s**2), -s / (1.0 + s**2).sqrt())
        ),
        # u = eps - x0 with eps = (y - x0)/s: x0 = (y - s u)/(1 + s)
        PredictionType(
            "flow",
            "the velocity of a straight line",
            lambda s, d: (1.0 / (1.0 + s), -s / (1.0 + s)),
        ),
        # the gradient of the log-density of y (Tweedie): x0 = y + s^2 score
        PredictionType(
            "score", "the gradient of the log-density", lambda s, d: (torch.ones_like(s), s**2)
        ),
    ),
)


class Preconditioner(nn.Module):
    """`D = c_skip y + c_out F(c_in y, c_noise)`, Karras et al. 2022, equation 7 and table 1.

    `c_skip = d^2/(s^2+d^2)`, `c_out = s d/sqrt(s^2+d^2)`, `c_in = 1/sqrt(s^2+d^2)`, `c_noise =
    log(s)/4` for noise level `s` and data scale `d`: with `F = 0` it is the exact denoiser of
    `N(centre, d^2)`.

    Args:
        shape: shape of one example; the centre of the data is kept per channel.
    """

    sigma_data: Tensor
    centre: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("sigma_data", torch.tensor(1.0))
        self.register_buffer("centre", torch.zeros(shape[0], *(1 for _ in shape[1:])))

    def fit(self, x: Tensor) -> None:
        """Estimate the centre per channel and one scale from data of shape (n, ...)."""
        axes = [0, *range(2, x.dim())]
        centre = x.double().mean(dim=axes).reshape(self.centre.shape)
        self.centre.copy_(centre)
        # a constant data set has no scale; a tiny one keeps every coefficient finite
        self.sigma_data.copy_((x.double() - centre).square().mean().sqrt().clamp(min=1e-3))

    def inputs(self, noise_level: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(c_in, c_noise)`, each of the shape of `noise_level`; `FORMS["preconditioned"]`
        are the other two."""
        data = self.sigma_data.to(noise_level)
        return (noise_level**2 + data**2).rsqrt(), noise_level.log() / 4.0


class NetworkDenoiser(Denoiser, nn.Module):
    """A network that sees inputs of unit variance and predicts one of `FORMS`.

    Args:
        prediction: what the output means; `preconditioned` alone has a target of unit variance at
            every noise level.
        network: maps (inputs, c_noise, label) to the shape of the data.
        shape: shape of one example.
        levels: number of integer levels in [-1, 1], 0 for continuous data. With levels the network
            also sees `(m - y)/s`, where m is the mean of a pixel given its noisy value alone: at
            small noise the data are known exactly, a background already at larger noise, and no
            network should have to learn the grid of integers.
        learns_variance: whether the network has as many outputs again, of which `share` is made.
    """

    frequencies: Tensor

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, ...],
        levels: int = 0,
        prediction: str = "preconditioned",
        learns_variance: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.levels, self.form = network, levels, FORMS[prediction]
        self.learns_variance = learns_variance
        self.preconditioner = Preconditioner(shape)
        if levels:
            self.register_buffer("frequencies", torch.full((levels,), 1.0 / levels))

    def fit(self, x: Tensor) -> None:
        """Look once at training data: their centre, their scale, and how often each level
        occurs."""
        self.preconditioner.fit(x)
        for part in self.network.modules():
            if isinstance(part, ReadsScale):
                part.read_scale(self.preconditioner.sigma_data)
        if self.levels:
            self.frequencies.copy_(level_frequencies(x, self.levels))

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""
        return self.reverse(y, noise_level, given)[0]

    def reverse(
        self, y: Tensor, noise_level: Tensor, given: Given | None, dropout: Noise | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the clean estimate and the share of `variance.between`: zero, the small variance,
        where none is learned.

        A raw output of zero stands for a half (Nichol and Dhariwal 2021 scale it likewise).

        Args:
            dropout: what the network draws in training; None drops nothing.
        """
        s = noise_level.to(y).expand(y.shape[0])
        c_skip, c_out = (
            self._like(c, y) for c in self.form(s, self.preconditioner.sigma_data.to(s))
        )
        c_in, c_noise = (self._like(c, y) for c in self.preconditioner.inputs(s))
        centre = self.preconditioner.centre.to(y)
        inputs = c_in * (y - centre)
        if self.levels:
            noise = self._like(s, y)
            inputs = torch.cat(
                [inputs, (level_mean(y, noise, self.frequencies) - y) / noise], dim=1
            )
        label = label_of(given)
        drawn = () if dropout is None else (dropout,)
        raw = self.network(inputs, c_noise.flatten(), label, *drawn)
        share = y.new_zeros(())
        if self.learns_variance:
            raw, share = raw.chunk(2, dim=1)
            share = 0.5 * (share + 1.0)
        return centre + c_skip * (y - centre) + c_out * raw, share

    @staticmethod
    def _like(c: Tensor, y: Tensor) -> Tensor:
        return c.reshape(-1, *(1 for _ in y.shape[1:]))
