"""The diffusion family: noise the data, learn to undo it.

One idea: the family joins a process, which depends on the kind of data, to the public verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.codec import Codec
from pushforward.core.curve import Curve
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.card import CAPABILITIES, CARD, COUPLED
from pushforward.families.diffusion.config import PRESETS, DiffusionConfig
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.table import TableDiffusion
from pushforward.families.diffusion.text import MaskedText

PROCESSES: dict[str, type[Process]] = {
    "points": Gaussian,
    "image": Gaussian,
    "table": TableDiffusion,
    "text": MaskedText,
}


class Diffusion(GenerativeModel):
    """Gaussian diffusion of points and images, masked diffusion of text, both for tables.

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
        if config.coupling != "independent":
            self.capabilities = COUPLED

    @property
    def glance(self) -> int:
        """As many training examples as the process asks for."""
        return self.process.glance

    def _codec(self) -> Codec:
        return PROCESSES[self.space.kind].codec(self.space)

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision."""
        return self.process.networks()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that the process's losses name."""
        return self.process.parameter_groups()

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return those of the process."""
        return self.process.hidden_matrices()

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.process.prepare(x, given)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        return self.process.losses(x, given, noise)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return self.process.walk(noise, given, options, self.capabilities)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        return self.process.curves(x, given, noise)

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        return self.process.learned_curves(x, given, noise, training)

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.held_out(x, given, noise)

    def _log_prob(
        self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int, steps: int | None = None
    ) -> LogProb:
        return self.process.log_prob(x, given, noise, estimator, samples, steps)

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        self.process.vouch(lp, steps)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.encode(x, given, noise)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.process.decode(z, given)
