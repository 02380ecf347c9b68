"""The diffusion family: noise the data, learn to undo it.

One idea: the family joins a process, which depends on the kind of data, to the public verbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.codec import Codec
from pushforward.core.curve import Curve
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.card import CAPABILITIES, CARD
from pushforward.families.diffusion.config import PRESETS, DiffusionConfig
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.table import TableDiffusion

PROCESSES: dict[str, type[Process]] = {"points": Gaussian, "image": Gaussian, "table": TableDiffusion}


class Diffusion(GenerativeModel):
    """Gaussian diffusion of points and images; of tables too, whose symbols are masked.

    Example:
        >>> from pushforward.core.space import Points
        >>> model = Diffusion(Points(2), DiffusionConfig(width=16, depth=1))
        >>> model.walk(3, steps=18).calls
        35.0
    """

    family = "diffusion"
    capabilities, card, config_type, presets = CAPABILITIES, CARD, DiffusionConfig, PRESETS

    def __init__(self, space: Space, config: DiffusionConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.process = PROCESSES[space.kind](space, config, len(classes))

    @property
    def glance(self) -> int:
        """As many training examples as the process asks for."""
        return self.process.glance

    def _codec(self) -> Codec:
        return PROCESSES[self.space.kind].codec(self.space)

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision."""
        return self.process.networks()

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.process.prepare(x, given)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        return self.process.losses(x, given, noise)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return self.process.walk(noise, given, options, self.capabilities)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        return self.process.curves(x, given, noise)

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.held_out(x, given, noise)

    def _log_prob(self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int) -> LogProb:
        return self.process.log_prob(x, given, noise, estimator, samples)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.encode(x, given, noise)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.process.decode(z, given)
