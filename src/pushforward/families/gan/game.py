"""Games: what the critic and the generator each minimise, given the critic's scores of real and of
generated examples.

One idea: a game is two functions of scores, so that minimax, hinge or relativistic pairs are
objects beside each other, and one training loop plays them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from pushforward.core.choice import Choice

Scores = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Game(Choice):
    """What both players minimise.

    Attributes:
        critic: `(D(x), D(G(z))) -> loss` of the critic, a scalar of two batches of scores (n,).
        generator: the generator's, of the same two batches.
    """

    critic: Scores
    generator: Scores


def relativistic(better: Tensor, worse: Tensor) -> Tensor:
    """Return `E softplus(-(better - worse))`: small when the first scores exceed the second.

    Example:
        >>> import torch
        >>> round(float(relativistic(torch.zeros(2), torch.zeros(2))), 4)
        0.6931
    """
    return F.softplus(worse - better).mean()


# the critic judges pairs, so that pushing all scores up gains nothing (Jolicoeur-Martineau 2019)
RELATIVISTIC = Game(
    "relativistic",
    "each player wants its examples to score above the other's",
    critic=relativistic,
    generator=lambda real, fake: relativistic(fake, real),
)
