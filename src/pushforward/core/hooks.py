"""The mathematics of a model on encoded tensors: what a family, or the part that it is made of, has
to say.

Two ideas: the public verbs (`core/model.py`) validate, encode and decode, so that a hook never sees
data units or a wrong shape; a family made of one interchangeable part (a process, a backbone) hands
every hook on in one place, here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from pushforward.core.curve import Curve
from pushforward.core.errors import Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions, SamplingOption
from pushforward.core.walk import Walk


class Hooks(nn.Module, ABC):
    """What a generative model, and any part that stands for all of one, implements.

    To write one: `networks`, `_losses` and `_walk`; then what there is of `_held_out`, `_prepare`,
    `_encode` and `_decode`, `_terms`, `_curves`.

    Attributes:
        glance: how many training examples `_prepare` sees; 512 are enough for a data-dependent
            initialisation.
        held_out_passes: network passes that the held-out quantity of one example takes.
        options: sampling options that it reads, of those that the family declares; None = all.
        differentiated_twice: networks whose gradients are differentiated in a loss, which compiled
            code cannot do.
    """

    glance: int = 512
    differentiated_twice: tuple[str, ...] = ()
    held_out_passes: int = 1
    options: tuple[SamplingOption, ...] | None = None

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Return the networks the engine may wrap (precision, memory format, compilation)."""

    @abstractmethod
    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """Yield the losses of one training step on an encoded batch."""

    @abstractmethod
    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the sampler of `noise.n` examples; `options` are known to be read."""

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that `Loss.parameters` names; override for a game."""
        return {"model": [p for p in self.parameters() if p.requires_grad]}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers that Muon may take (no embeddings, no heads);
        none by default."""
        return []

    def step_taken(self, fraction: float = 0.0) -> None:
        """Follow training by one step; the engine calls it, so that `losses` itself changes nothing
        (a warm-up's counter).

        Args:
            fraction: share of the budget that was spent before this step.
        """

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        """Look once at encoded training data (data-dependent initialisation, scales)."""

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        """Refuse log-probabilities that mean nothing; the default vouches for all."""

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Return codes of an encoded batch."""
        raise self._refusal("encode")

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Return the encoded batch that codes stand for."""
        raise self._refusal("decode")

    def _terms(self, x: Tensor, given: Given | None) -> Tensor:
        """Return `log p(x_d | x_<d)`, shape (N, D), where there is a chain rule over positions."""
        raise self._refusal("terms")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor | None:
        """Return shape (N,): the quantity that `capabilities.held_out` names, lower is better; None
        if there is none."""
        return None

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """Yield the curves in which the objective shows itself, on an encoded held-out batch."""
        yield from ()

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        """Yield what tells the training examples, which `training()` encodes, from held-out
        ones."""
        yield from ()

    def _refusal(self, verb: str) -> Unsupported:
        """Return the error for a hook that there is not; a family knows the reason and an
        alternative."""
        return Unsupported(f"{type(self).__name__} has no `{verb}`")
