"""What is noised, and how: the part of a diffusion model that depends on the kind of data.

One idea: numbers are noised by adding Gaussian noise, symbols by masking them; either way a process yields losses, a bound and a
sampler, and the family only joins it to the public verbs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.capabilities import Capabilities
from pushforward.core.codec import Codec
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.config import DiffusionConfig

COMMON = ("width", "depth", "drop_condition")


class Process(nn.Module, ABC):
    """A way from data to noise with a network that undoes it; every tensor is encoded, as `codec` says.

    Attributes:
        glance: how many training examples `prepare` sees.
        options: sampling options that it understands, of those that the family declares.
        solvers: names that `solver` takes, the default first.
        settings: keys of the configuration that it reads, besides those that all read.
    """

    glance: int = 512
    settings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    solvers: tuple[str, ...] = ()

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
                raise BadInput(came, f"one of {', '.join(read)}", "it would change nothing; leave it out")

    @staticmethod
    @abstractmethod
    def codec(space: Space) -> Codec:
        """Return the codec from a space to what is noised."""

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision."""

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers that Muon may take; the default names none."""
        return []

    @abstractmethod
    def losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """Yield the losses of one training step."""

    @abstractmethod
    def held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return minus a bound on log p(x) from few noise levels, shape (n,)."""

    @abstractmethod
    def log_prob(
        self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int, steps: int | None = None
    ) -> LogProb:
        """Return log-probabilities by one of the declared estimators; steps are passed to those that take some."""

    def vouch(self, lp: LogProb, steps: int | None) -> None:
        """Refuse log-probabilities that mean nothing; the default vouches for all."""

    @abstractmethod
    def sampler(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler of `noise.n` examples; `options` are known to be understood."""

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that `Loss.parameters` names."""
        return {"model": [p for p in self.parameters() if p.requires_grad]}

    def prepare(self, x: Tensor, given: Given | None) -> None:
        """Look once at training data; the default learns nothing."""

    def curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """Yield what there is to look at on held-out data; the default has nothing."""
        yield from ()

    def learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        """Yield what tells the training examples, which `training()` encodes, from held-out ones; the default has nothing."""
        yield from ()

    def encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return codes; the default refuses.

        Raises:
            Unsupported: a process without an inverse.
        """
        raise self._no_code()

    def decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Return what codes stand for; the default refuses."""
        raise self._no_code()

    def _no_code(self) -> Unsupported:
        return Unsupported(f"codes of {self.space.kind} by diffusion", "points or images", "masking has no inverse")

    def walk(self, noise: Noise, given: Given | None, options: SampleOptions, declared: Capabilities) -> Walk[Any]:
        """Return the sampler, refusing what this process would ignore.

        Raises:
            Unsupported: an option or a solver that the family has, but not on this kind of data.
        """
        for name in declared.options:
            if name not in self.options and getattr(options, name) != getattr(SampleOptions, name):
                known = ", ".join(self.options) or "none"
                raise Unsupported(f"sampling option '{name}' on {self.space.kind}", f"one of {known}", "leave it out")
        if options.solver is not None and options.solver not in self.solvers:
            came = f"the solver '{options.solver}' on {self.space.kind}"
            raise Unsupported(
                came, f"one of {', '.join(self.solvers)}", "this one needs what this process does not learn"
            )
        return self.sampler(noise, given, options)
