"""What the decoder's numbers mean: the law `p(x | z)` that scores data and draws them.

Two ideas: a decoder is a likelihood, with its constant and its own noise, never a squared error;
its scale is learned, because a fixed variance is a hidden hyperparameter of the bound.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.noise import Noise
from pushforward.core.space import Measure
from pushforward.nets.logistic import bounded, discretised_logistic, sample_logistic

LOG_SCALES = (-7.0, 4.0)


def gaussian(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return `log N(x; m, s^2)` elementwise, normalising constant included.

    Example:
        >>> round(float(gaussian(torch.tensor(1.0), torch.tensor(0.0), torch.tensor(0.0))), 4)
        -1.4189
    """
    return (
        -0.5 * ((x - mean) * torch.exp(-log_scale)).square()
        - log_scale
        - 0.5 * math.log(2 * math.pi)
    )


class Observation(ABC):
    """The law of a batch of encoded data given their codes.

    Attributes:
        mean: the data that the codes stand for, shape (n, *event).
    """

    mean: Tensor

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Return `log p(x | z)` in nats, shape (n,)."""

    @abstractmethod
    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """Return data with the noise of the law, of the shape of `mean`."""


@dataclass(frozen=True)
class GaussianObservation(Observation):
    """`N(m, s^2)` in every coordinate: `mean` and `log_scale` of shape (n, *event)."""

    mean: Tensor
    log_scale: Tensor

    def log_prob(self, x: Tensor) -> Tensor:
        """Sum over coordinates."""
        return gaussian(x, self.mean, self.log_scale).flatten(1).sum(1)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """`m + t s eps`."""
        return self.mean + self.log_scale.exp() * temperature * noise.normal(*self.mean.shape[1:])


@dataclass(frozen=True)
class LogisticObservation(Observation):
    """A discretised logistic in every pixel, over levels scaled to [-1, 1] (Salimans et al. 2017,
    equation 2)."""

    mean: Tensor
    log_scale: Tensor
    levels: int

    def log_prob(self, x: Tensor) -> Tensor:
        """Sum over pixels and channels."""
        return discretised_logistic(x, self.mean, self.log_scale, self.levels).flatten(1).sum(1)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """By the quantile function; the codec rounds to the nearest level."""
        u = noise.uniform(*self.mean.shape[1:], dtype=torch.float64)
        return sample_logistic(u, self.mean, self.log_scale + math.log(temperature))


@dataclass(frozen=True)
class LogisticMixture(Observation):
    """A mixture of discretised logistics in every pixel, each pixel's choice its own: `log_weight`,
    `means` and `log_scale` of shape (n, components, *event).

    Where an edge may lie here or beside, a pixel is dark or bright and seldom between.
    """

    log_weight: Tensor
    means: Tensor
    log_scale: Tensor
    levels: int

    @property
    def mean(self) -> Tensor:  # type: ignore[override]
        """Of the components, by their weights."""
        return (self.log_weight.exp() * self.means).sum(1)

    def log_prob(self, x: Tensor) -> Tensor:
        """`log sum_k w_k P_k(x)`, summed over pixels and channels."""
        each = discretised_logistic(x.unsqueeze(1), self.means, self.log_scale, self.levels)
        return torch.logsumexp(self.log_weight + each, dim=1).flatten(1).sum(1)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        """Choose a component, then by its quantile function; the codec rounds to the nearest
        level."""
        event = self.means.shape[2:]
        cdf = (self.log_weight / temperature).softmax(1).cumsum(1)
        u = noise.uniform(*event).unsqueeze(1)
        # rounding may leave the last CDF below one
        k = (u * cdf[:, -1:] >= cdf).sum(1, keepdim=True).clamp_(max=cdf.shape[1] - 1)
        mean, log_scale = (of.gather(1, k).squeeze(1) for of in (self.means, self.log_scale))
        u = noise.uniform(*event, dtype=torch.float64)
        return sample_logistic(u, mean, log_scale + math.log(temperature))


class ObservationModel(ABC):
    """A family of laws of data, one for each output of the decoder's network.

    Attributes:
        outputs: numbers that the network says of each number (or channel) of the data.
        measure: under which the laws have densities.
        first_log_scale: where a log-scale of every dimension that is learned beside the network
            starts; None without one.
    """

    outputs: int
    measure: Measure
    first_log_scale: float | None

    @abstractmethod
    def law(self, raw: Tensor, log_scale: Tensor | None, shape: tuple[int, ...]) -> Observation:
        """Return the laws of a batch.

        Args:
            raw: the network's output, (n, outputs * channels, ...).
            log_scale: of every dimension, (D,), None without one.
            shape: of an encoded example.
        """


@dataclass(frozen=True)
class LocationScale(ObservationModel):
    """A location and a scale for every number: the network's, the scale beside one of its own.

    Attributes:
        of: `(mean, log_scale) -> law`, both of shape (n, *event).
    """

    of: Callable[[Tensor, Tensor], Observation]
    measure: Measure
    outputs: int = 2
    first_log_scale: (
        float | None
    ) = -0.5  # wide: a narrow decoder explodes on the first, random, means

    def law(self, raw: Tensor, log_scale: Tensor | None, shape: tuple[int, ...]) -> Observation:
        """The first half of the channels are locations, the second half changes of log-scales."""
        assert log_scale is not None
        mean, change = raw.chunk(2, dim=1)
        # bounded here, once, so that what is scored is what is sampled
        bounded_scale = bounded(log_scale + change.flatten(1), *LOG_SCALES)
        return self.of(mean.reshape(-1, *shape), bounded_scale.reshape(-1, *shape))


@dataclass(frozen=True)
class LogisticMixtures(ObservationModel):
    """Weights, locations and scales of `components` logistics for every pixel and channel."""

    components: int
    levels: int
    measure: Measure = "counting"
    first_log_scale: float | None = -0.5

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Three numbers for each component."""
        return 3 * self.components

    def law(self, raw: Tensor, log_scale: Tensor | None, shape: tuple[int, ...]) -> Observation:
        """Components start side by side over the range of levels."""
        assert log_scale is not None
        weight, means, change = raw.reshape(-1, 3, self.components, *shape).unbind(1)
        places = torch.linspace(-1.0, 1.0, self.components + 2, device=raw.device)[1:-1]
        means = means + places.view(-1, *(1 for _ in shape))
        scales = bounded(log_scale.reshape(shape) + change, *LOG_SCALES)
        return LogisticMixture(weight.log_softmax(1), means, scales, self.levels)
