"""An estimator: one way from a model to log p(x), with the kind of number that it gives.

Two ideas: a family lists for each kind of data which estimators it has, as a registry whose first
entry is the default; the numbers are in the measure of the encoding, and what a codec adds (its
volume, its draws) is added once for all of them (`core/scoring.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.given import Given
from pushforward.core.logprob import Kind, LogProb
from pushforward.core.monte_carlo import mean_bound
from pushforward.core.noise import Noise
from pushforward.core.registry import Registry


@dataclass(frozen=True)
class Draws:
    """What an estimator may draw.

    Attributes:
        noise: where random numbers come from.
        samples: Monte Carlo samples an example, 0 = the estimator's own number.
        steps: of a chain or a solver, None = the model's own number; given to estimators that take
            some only.
    """

    noise: Noise
    samples: int = 0
    steps: int | None = None


@dataclass(frozen=True)
class Estimator(Choice):
    """One way to a log-probability.

    Attributes:
        kind: of number that it yields.
        log_prob: from a model, an encoded batch, its condition and what may be drawn to
            log-probabilities of the encoded batch; one that leaves `LogProb.estimator` empty gets
            its name there.
        takes_steps: True if it is made in a number of steps that the caller may choose.
        combine: what becomes of draws of a codec that adds noise: their mean, or the logarithm of
            their mean.
        codec_draws: how many of those where nobody asks for a number of samples.

    Example:
        >>> import torch
        >>> from pushforward.core.space import Points
        >>> def flat(model, x, given, draws):
        ...     return LogProb(torch.zeros(len(x)), "exact", "lebesgue", Points(2).unit, "flat")
        >>> uniform = Estimator("flat", "the density of a unit square", "exact", flat)
        >>> uniform.log_prob(None, torch.zeros(3, 2), None, None).value
        -0.0
    """

    kind: Kind
    log_prob: Callable[[Any, Tensor, Given | None, Draws], LogProb]
    takes_steps: bool = False
    combine: Callable[[list[LogProb]], LogProb] = mean_bound
    codec_draws: int = 1


def estimators(family: str, kind: str, *choices: Estimator) -> Registry[Estimator]:
    """Return the registry of a family's estimators on one kind of space; the first one is the
    default.

    An installed package adds one by the entry point `estimator-of-FAMILY-on-KIND.NAME`.

    Example:
        >>> estimators("gan", "points").names()
        ()
    """
    noun = f"estimator of {family} on {kind}"
    return Registry(noun, of="pushforward.core.estimator:Estimator", choices=choices)
