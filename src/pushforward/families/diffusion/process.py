"""What is noised, and how: the part of a diffusion model that depends on the kind of data.

One idea: numbers are noised by adding Gaussian noise, symbols by masking them; either way a process
yields losses, a bound and a sampler, and the family only joins it to the public verbs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.hooks import Hooks
from pushforward.core.noise import Noise
from pushforward.core.options import SamplingOption
from pushforward.core.space import Space
from pushforward.families.diffusion.config import DiffusionConfig

COMMON = ("width", "depth", "drop_condition")


class Process(Hooks, ABC):
    """A way from data to noise with a network that undoes it; every tensor is encoded, as `codec`
    says.

    Attributes:
        options: sampling options that it understands, of those that the family declares.
        settings: keys of the configuration that it reads, besides those that all read.
    """

    settings: tuple[str, ...] = ()
    options: tuple[SamplingOption, ...] = ()

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__()
        self._require_read(space, config)
        self.space, self.config, self.classes = space, config, classes

    def _require_read(self, space: Space, config: DiffusionConfig) -> None:
        read = (*COMMON, *self.settings)
        for name, field in type(config).model_fields.items():
            value = getattr(config, name)
            if name not in read and value != field.default:
                came = f"'model.{name}={value}' for diffusion of {space.kind}"
                raise BadInput(
                    came, f"one of {', '.join(read)}", "it would change nothing; leave it out"
                )

    @staticmethod
    @abstractmethod
    def codec(space: Space) -> Codec:
        """Return the codec from a space to what is noised."""

    @abstractmethod
    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return minus a bound on log p(x) from few noise levels, shape (n,)."""
