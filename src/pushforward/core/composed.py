"""A family that is made of one part: an architecture of many, a process for each kind of data.

One idea: the part implements the hooks, the family declares, and handing on is written once, here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.curve import Curve
from pushforward.core.given import Examples, Given
from pushforward.core.hooks import Hooks
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions, SamplingOption
from pushforward.core.walk import Walk


class Composed(GenerativeModel):
    """A family made of one part that can be exchanged, which every hook is handed to; subclasses
    override what they add."""

    @property
    @abstractmethod
    def part(self) -> Hooks:
        """The part; as a property, so that its weights keep the name that the family gives it."""

    @property
    def glance(self) -> int:  # type: ignore[override]
        """As many training examples as the part asks for."""
        return self.part.glance

    @property
    def held_out_passes(self) -> int:  # type: ignore[override]
        """Those of the part."""
        return self.part.held_out_passes

    @property
    def options(self) -> tuple[SamplingOption, ...] | None:  # type: ignore[override]
        """The options that the part reads."""
        return self.part.options

    def networks(self) -> dict[str, nn.Module]:
        """Return those of the part."""
        return self.part.networks()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that the part's losses name."""
        return self.part.parameter_groups()

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return those of the part."""
        return self.part.hidden_matrices()

    def step_taken(self, fraction: float = 0.0) -> None:
        """Tell the part."""
        self.part.step_taken(fraction)

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.part._prepare(x, given)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        return self.part._losses(x, given, noise)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return self.part._walk(noise, given, options)

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        self.part._vouch(lp, steps)

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor | None:
        return self.part._held_out(x, given, noise)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.part._encode(x, given, noise)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.part._decode(z, given)

    def _terms(self, x: Tensor, given: Given | None) -> Tensor:
        return self.part._terms(x, given)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        return self.part._curves(x, given, noise)

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        return self.part._learned_curves(x, given, noise, training)
