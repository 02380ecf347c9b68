"""Which noise levels are drawn: laws given by their quantile function and their density.

Two ideas: a quantile function lets a batch be stratified; a density lets an average over the law
stand for any integral over log noise level (importance sampling), so that training and the bound
may look hardest where it matters.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.registry import Registry
from pushforward.families.diffusion.paths.path import Path


class NoiseLaw(ABC):
    """A distribution of noise levels, given by its quantile function."""

    @abstractmethod
    def quantile(self, u: Tensor) -> Tensor:
        """Return noise levels of quantiles `u` in [0, 1)."""

    @abstractmethod
    def density(self, noise_level: Tensor) -> Tensor:
        """Return the density per unit of log noise level."""


class LogUniform(NoiseLaw):
    """`log s` uniform between the ends of a path: uniform in log-SNR.

    In the time of any path it is the density `g^2/sigma^2`, of which importance sampling of t is
    made (Song, Durkan et al. 2021): `g^2 = -sigma^2 d lambda/dt`.
    """

    def __init__(self, path: Path) -> None:
        self.low, self.high = math.log(path.sigma_min), math.log(path.sigma_max)

    def quantile(self, u: Tensor) -> Tensor:
        """`exp(low + u (high - low))`."""
        return torch.exp(self.low + u * (self.high - self.low))

    def density(self, noise_level: Tensor) -> Tensor:
        """`1/(high - low)`."""
        return torch.full_like(noise_level, 1.0 / (self.high - self.low))


class LogNormal(NoiseLaw):
    """`log s ~ N(mean, std^2)`, cut to the path by clamping the quantile (Karras et al. 2022: -1.2
    and 1.2)."""

    def __init__(self, path: Path, mean: float = -1.2, std: float = 1.2) -> None:
        self.mean, self.std = mean, std
        self.normal = torch.distributions.Normal(0.0, 1.0)
        ends = torch.tensor([path.sigma_min, path.sigma_max], dtype=torch.float64)
        self.low, self.high = self.normal.cdf((ends.log() - mean) / std).tolist()

    def quantile(self, u: Tensor) -> Tensor:
        """The truncated normal's quantile."""
        inner = (self.low + u.double() * (self.high - self.low)).clamp(1e-12, 1.0 - 1e-12)
        return torch.exp(self.mean + self.std * self.normal.icdf(inner)).to(u)

    def density(self, noise_level: Tensor) -> Tensor:
        """The truncated normal's density in log noise level."""
        z = (noise_level.log() - self.mean) / self.std
        return self.normal.log_prob(z).exp() / (self.std * (self.high - self.low))


class UniformTime(NoiseLaw):
    """Time uniform between the ends of a path: the law of most published models, and the one that
    depends on the path."""

    def __init__(self, path: Path) -> None:
        self.path, (self.start, self.end) = path, path.ends

    def quantile(self, u: Tensor) -> Tensor:
        """The noise level at `start + u (end - start)`."""
        level = self.path.noise_level(self.start + u.double() * (self.end - self.start))
        return level.clamp(self.path.sigma_min, self.path.sigma_max).to(u)

    def density(self, noise_level: Tensor) -> Tensor:
        """`dt/d log s`, over the length of the interval; `d log s/dt = -1/2 d lambda/dt`."""
        speed = -0.5 * self.path.log_snr_rate(self.path.time(noise_level.double()))
        return (1.0 / (speed * (self.end - self.start))).to(noise_level)


class Knee(NoiseLaw):
    """`p(log s)` proportional to `1/(1 + s/knee)` between the ends of a path: even up to the scale
    of the data, then thinning.

    The integrand of the bound behaves like this: noise below the scale of the data hides detail,
    noise above it hides less and less that was not hidden already. The antiderivative is
    `-softplus(log(knee/s))`, so that the quantile is closed.

    Args:
        knee: the scale of the data, a scalar tensor.

    Example:
        >>> from pushforward.families.diffusion.paths.path import VariancePreserving
        >>> law = Knee(VariancePreserving(0.01, 40.0), torch.tensor(1.0))
        >>> [round(float(s), 3) for s in law.quantile(torch.tensor([0.0, 0.5, 1.0]))]
        [0.01, 0.109, 40.0]
    """

    def __init__(self, path: Path, knee: Tensor) -> None:
        self.knee = knee
        self.low, self.high = (
            self._mass(knee.new_tensor(s)) for s in (path.sigma_min, path.sigma_max)
        )

    def _mass(self, s: Tensor) -> Tensor:
        return -torch.log1p(self.knee.to(s) / s)

    def quantile(self, u: Tensor) -> Tensor:
        """Solve `-log(1 + knee/s) = low + u (high - low)`."""
        mass = self.low.to(u) + u * (self.high - self.low).to(u)
        return self.knee.to(u) / torch.expm1(-mass)

    def density(self, noise_level: Tensor) -> Tensor:
        """`1/(1 + s/knee)`, normalised."""
        return 1.0 / (
            (1.0 + noise_level / self.knee.to(noise_level)) * (self.high - self.low).to(noise_level)
        )


class LogLogistic(NoiseLaw):
    """`log s` logistic about half the scale of the data, cut to the path: a bell whose tails fall
    like a power of s.

    Uniform time on the straight line `y = (1 - t) x + t eps` is this law about one: there `log s =
    log(t / (1 - t))` (Lipman et al. 2022). A normal bell of the same width all but never looks at
    the small noise that most of a bound on bits is made of.

    Args:
        scale: of the data, a scalar tensor.

    Example:
        >>> from pushforward.families.diffusion.paths.path import VariancePreserving
        >>> law = LogLogistic(VariancePreserving(0.01, 40.0), torch.tensor(1.0))
        >>> [round(float(s), 3) for s in law.quantile(torch.tensor([0.0, 0.5, 1.0]))]
        [0.01, 0.507, 40.0]
    """

    def __init__(self, path: Path, scale: Tensor) -> None:
        self.centre = 0.5 * scale.double().cpu()
        self.low, self.high = (
            float(s / (s + self.centre)) for s in (path.sigma_min, path.sigma_max)
        )

    def quantile(self, u: Tensor) -> Tensor:
        """`centre v/(1 - v)` at the quantile v of the whole bell."""
        v = self.low + u * (self.high - self.low)
        return self.centre.to(u) * v / (1.0 - v)

    def density(self, noise_level: Tensor) -> Tensor:
        """`v (1 - v)` with `v = s/(s + centre)`, over the share of the bell that is kept."""
        v = noise_level / (noise_level + self.centre.to(noise_level))
        return v * (1.0 - v) / (self.high - self.low)


@dataclass(frozen=True)
class NamedLaw(Choice):
    """A law that can be chosen; called with a path and the scale of the data it gives the law
    between the path's ends."""

    make: Callable[[Path, Tensor], NoiseLaw]

    def __call__(self, path: Path, scale: Tensor) -> NoiseLaw:
        return self.make(path, scale)


LAWS: Registry[NamedLaw] = Registry(
    "law of noise levels",
    of="pushforward.families.diffusion.paths.noise_law:NamedLaw",
    choices=(
        NamedLaw("knee", "even up to the scale of the data, then thinning", Knee),
        NamedLaw("log-uniform", "even in the logarithm", lambda path, scale: LogUniform(path)),
        NamedLaw(
            "log-normal", "a bell around intermediate noise", lambda path, scale: LogNormal(path)
        ),
        NamedLaw("log-logistic", "a bell with wide tails about half the scale", LogLogistic),
        NamedLaw("time", "even in the time of the path", lambda path, scale: UniformTime(path)),
    ),
)
