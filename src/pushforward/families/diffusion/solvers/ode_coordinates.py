"""Coordinates in which the probability-flow ODE is solved: a time, a way in, a way out and a
velocity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from torch import Tensor

from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.schemes import Denoise

Field = Callable[[Tensor, Tensor], Tensor]


class Coordinates(ABC):
    """Variables to integrate the probability-flow ODE in; `y = x/alpha` and the noise level are the
    common tongue."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def time(self, noise_level: Tensor) -> Tensor:
        """Return the independent variable at a noise level."""

    @abstractmethod
    def noise_level(self, time: Tensor) -> Tensor:
        """Return the noise level at a value of the independent variable."""

    @abstractmethod
    def field(self, denoise: Denoise) -> Field:
        """Return the velocity `(state, time) -> d state / d time`."""

    def enter(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """Return the state of `y`."""
        return y

    def leave(self, state: Tensor, noise_level: Tensor) -> Tensor:
        """Return `y` of a state."""
        return state


class ScaledByNoise(Coordinates):
    """`dy/ds = (y - D(y, s))/s` in `y = x/alpha`, `s = sigma/alpha` (Karras et al. 2022, equation
    3)."""

    def time(self, noise_level: Tensor) -> Tensor:
        """The noise level itself."""
        return noise_level

    def noise_level(self, time: Tensor) -> Tensor:
        """The variable itself."""
        return time

    def field(self, denoise: Denoise) -> Field:
        """`(y - D)/s`."""
        return lambda y, s: (y - denoise(y, s)) / s


class ScaledByLogNoise(Coordinates):
    """`dy/du = y - D(y, e^u)` in `y = x/alpha`, `u = log(sigma/alpha)`: never singular, suits
    likelihoods."""

    def time(self, noise_level: Tensor) -> Tensor:
        """Logarithm of the noise level."""
        return noise_level.log()

    def noise_level(self, time: Tensor) -> Tensor:
        """`e^u`."""
        return time.exp()

    def field(self, denoise: Denoise) -> Field:
        """`y - D`."""
        return lambda y, u: y - denoise(y, u.exp())


class PathTime(Coordinates):
    """`dx/dt = alpha' x0 + sigma' eps` in the path's own x and t, with x0 = D and eps = (x - alpha
    D)/sigma."""

    def time(self, noise_level: Tensor) -> Tensor:
        """The path's time."""
        return self.path.time(noise_level)

    def noise_level(self, time: Tensor) -> Tensor:
        """The path's noise level."""
        return self.path.noise_level(time)

    def enter(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """`x = alpha y`."""
        return y * self.path.scales(self.time(noise_level))[0]

    def leave(self, state: Tensor, noise_level: Tensor) -> Tensor:
        """`y = x / alpha`."""
        return state / self.path.scales(self.time(noise_level))[0]

    def field(self, denoise: Denoise) -> Field:
        """Half of the score term of the reverse SDE is already in here: this is the deterministic
        flow."""
        return partial(self._velocity, denoise)

    def _velocity(self, denoise: Denoise, x: Tensor, time: Tensor) -> Tensor:
        alpha, sigma = self.path.scales(time)
        alpha_rate, sigma_rate = self.path.rates(time)
        data = denoise(x / alpha, sigma / alpha)
        return alpha_rate * data + sigma_rate * (x - alpha * data) / sigma
