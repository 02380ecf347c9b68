"""What a few-step student is taught, and how it samples afterwards.

Two ideas: a lesson turns noisy data into points that should coincide and never moves a weight
itself; every lesson ends at the smallest noise of the path, where one leap over all levels is one
and the same map, the flow of the teacher's ODE.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.walk import Walk
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.schemes import Denoise, Draw


def bound(denoiser: Denoiser, given: Given | None) -> Denoise:
    """Return a denoiser as a function of y and the noise level, its condition settled."""
    return lambda y, s: denoiser.denoise(y, s, given)


class Lesson(nn.Module, ABC):
    """A way to teach few steps.

    Args:
        calls: steps of a sample, each of which is one network call.
        intervals: how finely the teacher's path is cut.
        student: the network that is taught, of which a lesson may keep an earlier state.

    Attributes:
        name: what the loss is.
    """

    name: str = ""

    def __init__(
        self, path: Path, calls: int, intervals: int, student: NetworkDenoiser | None = None
    ) -> None:
        super().__init__()
        self.path, self.calls, self.intervals = path, calls, intervals

    @property
    def stages_needed(self) -> int:
        """The fewest steps of training that leave no stage out; one unless there are stages."""
        return 1

    @abstractmethod
    def loss(
        self,
        x: Tensor,
        teacher: Denoiser,
        student: NetworkDenoiser,
        given: Given | None,
        noise: Noise,
    ) -> Tensor:
        """Return the loss of a batch of encoded data, a scalar."""

    @abstractmethod
    def steps(self, asked: int | None) -> int:
        """Return how many steps to take.

        Raises:
            BadInput: a number that the student was not made for.
        """

    @abstractmethod
    def sampler(self, student: Denoise, draw: Draw, steps: int) -> Walk[Any]:
        """Return the sampler."""

    @abstractmethod
    def ends(self, student: Denoise, x: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return noise levels (k,), increasing, and what is made of x noised to each of them, shape
        (k, n, ...)."""

    def advance(self, student: NetworkDenoiser, fraction: float) -> None:
        """Follow training; the default has no stages.

        Args:
            fraction: share of the budget that is spent.
        """
