"""The paths of the literature, on one clock: t = 0 is data, t = 1 is noise.

Two ideas: in `y = x/alpha` all paths with the same noise levels are one, so they differ in the
speed at which the levels are passed and in the coordinates a solver steps in; each formula is
inverted in closed form, so that a level has a time.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.registry import Registry
from pushforward.families.diffusion.paths.path import Path, VariancePreserving


class _Integrated(Path):
    """`alpha = exp(-B(t)/2)`, `sigma^2 = 1 - alpha^2`, where `B(t)` is the integral of `beta` (Song
    et al. 2020, equation 29)."""

    @abstractmethod
    def integral(self, time: Tensor) -> Tensor:
        """Return `B(t)`."""

    @abstractmethod
    def speed(self, time: Tensor) -> Tensor:
        """Return `beta(t) = B'(t)`."""

    @abstractmethod
    def inverse(self, value: Tensor) -> Tensor:
        """Return the time at which `B(t)` equals a value."""

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(exp(-B/2), sqrt(1 - exp(-B)))`."""
        total = self.integral(time)
        return torch.exp(-0.5 * total), (-torch.expm1(-total)).sqrt()

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `alpha' = -beta alpha/2`, `sigma' = beta alpha^2/(2 sigma)`."""
        (alpha, sigma), beta = self.scales(time), self.speed(time)
        return -0.5 * beta * alpha, 0.5 * beta * alpha**2 / sigma

    def time(self, noise_level: Tensor) -> Tensor:
        """Solve `B(t) = log(1 + s^2)`."""
        return self.inverse(torch.log1p(noise_level**2))


class LinearBeta(_Integrated):
    """`beta` linear from 0.1 to 20, the limit of DDPM's 1,000 steps (Ho et al. 2020, section 4;
    Song et al. 2020, appendix C).

    Example:
        >>> alpha, _ = LinearBeta(0.01, 40.0).scales(torch.tensor(1.0, dtype=torch.float64))
        >>> round(float(alpha**2) * 1e5, 3)
        4.319
    """

    low, high = 0.1, 20.0
    reach = math.sqrt(math.expm1(0.5 * (low + high)))

    def integral(self, time: Tensor) -> Tensor:
        """`low t + (high - low) t^2/2`."""
        return self.low * time + 0.5 * (self.high - self.low) * time**2

    def speed(self, time: Tensor) -> Tensor:
        """`low + (high - low) t`."""
        return self.low + (self.high - self.low) * time

    def inverse(self, value: Tensor) -> Tensor:
        """The positive root of the quadratic, in the form that does not cancel."""
        return (
            2.0
            * value
            / (self.low + torch.sqrt(self.low**2 + 2.0 * (self.high - self.low) * value))
        )


class ScaledLinearBeta(_Integrated):
    """`sqrt(beta)` linear from sqrt(0.85) to sqrt(12), the limit of latent diffusion's 1,000 steps
    (Rombach et al. 2022)."""

    low, high = 0.85, 12.0
    _root, _slope = math.sqrt(low), math.sqrt(high) - math.sqrt(low)
    reach = math.sqrt(math.expm1((high * math.sqrt(high) - low * math.sqrt(low)) / (3.0 * _slope)))

    def integral(self, time: Tensor) -> Tensor:
        """`((r + d t)^3 - r^3)/(3 d)`, written out so that small times keep their digits."""
        r, d = self._root, self._slope
        return time * (r**2 + r * d * time + d**2 * time**2 / 3.0)

    def speed(self, time: Tensor) -> Tensor:
        """`(r + d t)^2`."""
        return (self._root + self._slope * time) ** 2

    def inverse(self, value: Tensor) -> Tensor:
        """`((r^3 + 3 d value)^(1/3) - r)/d`, as a quotient that does not cancel."""
        r, d = self._root, self._slope
        root = (r**3 + 3.0 * d * value) ** (1.0 / 3.0)
        return 3.0 * value / (root**2 + root * r + r**2)


class Cosine(Path):
    """`alpha = cos(a(t))/cos(a(0))` with `a(t) = (t + c)/(1 + c) pi/2`, c = 0.008 (Nichol and
    Dhariwal 2021, equation 17).

    Its signal-to-noise ratio ends at zero.
    """

    offset = 0.008

    def _angle(self, time: Tensor) -> Tensor:
        return (time + self.offset) / (1.0 + self.offset) * (math.pi / 2.0)

    @property
    def _first(self) -> float:
        return self.offset / (1.0 + self.offset) * (math.pi / 2.0)

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return alpha and `sqrt(1 - alpha^2)`, as a product of sines: the difference would cancel
        near the data."""
        angle, first = self._angle(time), self._first
        alpha = torch.cos(angle) / math.cos(first)
        # cos^2 b - cos^2 a = sin(a - b) sin(a + b)
        return alpha, (torch.sin(angle - first) * torch.sin(angle + first)).sqrt() / math.cos(first)

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `alpha' = -sin(a) a'/cos(a(0))`, `sigma' = -alpha alpha'/sigma`."""
        alpha, sigma = self.scales(time)
        slope = math.pi / 2.0 / (1.0 + self.offset)
        alpha_rate = -slope * torch.sin(self._angle(time)) / math.cos(self._first)
        return alpha_rate, -alpha * alpha_rate / sigma

    def time(self, noise_level: Tensor) -> Tensor:
        """Solve `sin^2(a) = (s^2 + sin^2(a(0)))/(1 + s^2)`, by the tangent of a."""
        first = self._first
        # tan^2 a = (s^2 + sin^2 b)/cos^2 b; the difference a - b, not a, is what must keep its
        # digits
        tangent = torch.sqrt(noise_level**2 + math.sin(first) ** 2) / math.cos(first)
        low = math.tan(first)
        # tan a - tan b = s^2 / (cos^2 b (tan a + tan b))
        difference = noise_level**2 / (math.cos(first) ** 2 * (tangent + low))
        return torch.atan(difference / (1.0 + tangent * low)) * (1.0 + self.offset) * 2.0 / math.pi


class SubVariancePreserving(LinearBeta):
    """alpha as on `LinearBeta`, `sigma = 1 - alpha^2`: the standard deviation itself (Song et al.
    2020, equation 29).

    Its noise level is `1/alpha - alpha`.
    """

    reach = math.exp(0.25 * (LinearBeta.low + LinearBeta.high)) - math.exp(
        -0.25 * (LinearBeta.low + LinearBeta.high)
    )

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(exp(-B/2), 1 - exp(-B))`."""
        total = self.integral(time)
        return torch.exp(-0.5 * total), -torch.expm1(-total)

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `alpha' = -beta alpha/2`, `sigma' = beta alpha^2`."""
        alpha, beta = torch.exp(-0.5 * self.integral(time)), self.speed(time)
        return -0.5 * beta * alpha, beta * alpha**2

    def time(self, noise_level: Tensor) -> Tensor:
        """Solve `2 sinh(B/2) = s`."""
        return self.inverse(2.0 * torch.asinh(0.5 * noise_level))


class VarianceExploding(Path):
    """`alpha = 1`, `sigma = sigma_min (sigma_max/sigma_min)^t` (Song et al. 2020, equation 30)."""

    @property
    def _rate(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return one and the noise."""
        return torch.ones_like(time), self.sigma_min * torch.exp(self._rate * time)

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return zero and `sigma log(sigma_max/sigma_min)`."""
        return torch.zeros_like(time), self._rate * self.scales(time)[1]

    def time(self, noise_level: Tensor) -> Tensor:
        """`log(s/sigma_min)/log(sigma_max/sigma_min)`."""
        return (noise_level.log() - math.log(self.sigma_min)) / self._rate


class Straight(Path):
    """`alpha = 1`, `sigma = sigma_max t`: noise level is time but for its unit (Karras et al. 2022,
    table 1)."""

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return one and the noise."""
        return torch.ones_like(time), self.sigma_max * time

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return zero and `sigma_max`."""
        return torch.zeros_like(time), torch.full_like(time, self.sigma_max)

    def time(self, noise_level: Tensor) -> Tensor:
        """`s/sigma_max`."""
        return noise_level / self.sigma_max


class RectifiedFlow(Path):
    """`alpha = 1 - t`, `sigma = t`: straight lines from data to noise (Liu et al. 2022; Lipman et
    al. 2022, equation 20).

    Its signal-to-noise ratio ends at zero.
    """

    def scales(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(1 - t, t)`."""
        return 1.0 - time, time

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return minus one and one."""
        return -torch.ones_like(time), torch.ones_like(time)

    def time(self, noise_level: Tensor) -> Tensor:
        """`s/(1 + s)`."""
        return noise_level / (1.0 + noise_level)


@dataclass(frozen=True)
class NamedPath(Choice):
    """A path that can be chosen; called with the smallest and the largest noise level it gives the
    path between them.

    Example:
        >>> PATHS["cosine"](0.01, 40.0).sigma_max, PATHS["cosine"].reach
        (40.0, inf)
    """

    formula: type[Path]

    @property
    def reach(self) -> float:
        """The noise level at time 1 of the formula."""
        return self.formula.reach

    def __call__(self, sigma_min: float, sigma_max: float) -> Path:
        return self.formula(sigma_min, sigma_max)


PATHS: Registry[NamedPath] = Registry(
    "path",
    of="pushforward.families.diffusion.paths.published:NamedPath",
    choices=(
        NamedPath(
            "log-snr", "the signal-to-noise ratio falls evenly in its logarithm", VariancePreserving
        ),
        NamedPath("ddpm-linear", "beta rises along a line, as in DDPM", LinearBeta),
        NamedPath(
            "ddpm-scaled-linear",
            "the root of beta rises along a line, as in latent diffusion",
            ScaledLinearBeta,
        ),
        NamedPath("cosine", "the signal falls as a cosine", Cosine),
        NamedPath("sub-vp", "less noise than variance preserved would have", SubVariancePreserving),
        NamedPath(
            "ve", "the data stay, the noise grows evenly in its logarithm", VarianceExploding
        ),
        NamedPath("edm", "the data stay, the noise level is time", Straight),
        NamedPath("rectified-flow", "straight lines from data to noise", RectifiedFlow),
    ),
)
