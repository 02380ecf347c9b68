"""Priors that can be asked for by name.

One idea: a name stands for a function from the sizes of a model to the prior it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pushforward.core.choice import Choice
from pushforward.core.registry import Registry
from pushforward.families.vae.learned_prior import LearnedPrior
from pushforward.families.vae.prior import GaussianPrior, PriorModel


@dataclass(frozen=True)
class NamedPrior(Choice):
    """A prior that can be asked for by name.

    Attributes:
        build: `(dimensions, context)`, the numbers of a code and of what is given, to the prior.

    Example:
        >>> PRIORS["normal"].build(3, 0).dimensions
        3
    """

    build: Callable[[int, int], PriorModel]


NORMAL = NamedPrior("normal", "N(0, I) whatever is given", lambda n, context: GaussianPrior(n))
CHAIN = NamedPrior(
    "chain", "mixtures of Gaussians, each number given those before it and the label", LearnedPrior
)
PRIORS: Registry[NamedPrior] = Registry(
    "prior of vae", of="pushforward.families.vae.priors:NamedPrior", choices=(NORMAL, CHAIN)
)
