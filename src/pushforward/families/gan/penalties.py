"""Penalties on the critic, which make the game converge.

One idea: a penalty sees one round of the game, real and generated examples with their scores and
the graph between them; penalising the critic's gradient on real data (R1) and on fake data (R2) is
enough (Huang et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pushforward.core.choice import Choice


@dataclass(frozen=True)
class Round:
    """What a critic saw: examples of shape (n, *event) that carry gradients, and its scores of
    them, (n,)."""

    real: Tensor
    fake: Tensor
    real_scores: Tensor
    fake_scores: Tensor

    @cached_property
    def gradients(self) -> tuple[Tensor, Tensor]:
        """The critic's gradients at real and at fake examples, from one pass back: a score depends
        on its own example only."""
        scores = self.real_scores.sum() + self.fake_scores.sum()
        real, fake = torch.autograd.grad(scores, (self.real, self.fake), create_graph=True)
        return real, fake


@dataclass(frozen=True)
class Penalty(Choice):
    """What is added to the critic's loss.

    Attributes:
        of: a scalar of a round.
    """

    of: Callable[[Round], Tensor]


def gradient_penalty(gradient: Tensor) -> Tensor:
    """Return `E ||grad_x D(x)||^2 / 2`, the squared norm summed over each example (Mescheder et al.
    2018, equation 9, gamma = 1).

    Shapes: the critic's gradients (n, ...).

    Example:
        >>> float(gradient_penalty(torch.tensor([[3.0, 4.0], [0.0, 0.0]])))
        6.25
    """
    return 0.5 * gradient.flatten(1).square().sum(1).mean()


R1 = Penalty(
    "R1",
    "squared gradient of the critic on real data",
    lambda seen: gradient_penalty(seen.gradients[0]),
)
R2 = Penalty(
    "R2",
    "squared gradient of the critic on generated data",
    lambda seen: gradient_penalty(seen.gradients[1]),
)
