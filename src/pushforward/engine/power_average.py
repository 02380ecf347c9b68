"""Averages of the weights over a share of the training time, whatever its length.

Two ideas: a power of time as the profile of an average keeps its shape as training goes on, so its
width is a share of the training time and not a number of steps; several widths are followed at
once, because no run knows beforehand which one suits it.

    theta_gamma(t) = (gamma + 1) / t^(gamma + 1) * integral from 0 to t of tau^gamma theta(tau) dtau

Karras, Aittala, Lehtinen, Hellsten, Aila & Laine 2024, "Analyzing and improving the training
dynamics of diffusion models", section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pushforward.core.errors import BadInput

TRACKED = (0.05, 0.1)  # widths that a run follows; others are combined from their snapshots
WIDEST = 1.0 / math.sqrt(12.0)  # the even average over all of training, gamma = 0


def width_of(exponent: float) -> float:
    """Return the standard deviation of the profile, as a share of training time.

        width = sqrt((gamma + 1) / (gamma + 3)) / (gamma + 2)

    Example:
        >>> round(width_of(6.94), 4), round(width_of(0.0), 4)
        (0.1, 0.2887)
    """
    return math.sqrt((exponent + 1.0) / (exponent + 3.0)) / (exponent + 2.0)


def exponent_of(width: float) -> float:
    """Return the exponent gamma > 0 of a width; the inverse of `width_of`.

    With n = gamma + 2 the width is the largest root of `n^3 + n^2 - (n - 1) / width^2 = 0`, all
    three of which are real (Viete's formula).

    Raises:
        BadInput: a width outside 0 < width < 0.2887.

    Example:
        >>> round(exponent_of(0.1), 2), round(exponent_of(0.05), 2)
        (6.94, 16.97)
    """
    if not 0.0 < width < WIDEST:
        raise BadInput(
            f"the width {width:g}",
            f"a share of the training time above 0 and below {WIDEST:.4f}",
            "0.05 to 0.15 are usual; the upper end is the even average over the whole training",
        )
    inverse = width**-2
    p, q = (
        -1.0 / 3.0 - inverse,
        2.0 / 27.0 + 4.0 / 3.0 * inverse,
    )  # n = m - 1/3 gives m^3 + p m + q = 0
    m = 2.0 * math.sqrt(-p / 3.0) * math.cos(math.acos(1.5 * q / p * math.sqrt(-3.0 / p)) / 3.0)
    return m - 1.0 / 3.0 - 2.0


def decay_of(step: int, exponent: float) -> float:
    """Return what the average keeps of itself at update `step` = 1, 2, ...: `beta = (1 -
    1/step)^(gamma + 1)`.

    This integrates the definition exactly for weights that stay put between updates; the first
    update takes all, so that nothing of the random start is left.
    """
    return (1.0 - 1.0 / step) ** (exponent + 1.0)


class PowerAverages:
    """Averages of a model's parameters, one for each exponent.

    Example:
        >>> net = nn.Linear(1, 1, bias=False); averages = PowerAverages(net, [1.0])
        >>> for step in (1, 2, 3):
        ...     _ = nn.init.constant_(net.weight, float(step)); averages.update(net, step)
        >>> round(averages.values[0]["weight"].item(), 4)  # (1 * 1 + 3 * 2 + 5 * 3) / 9
        2.4444
    """

    def __init__(self, model: nn.Module, exponents: Sequence[float]) -> None:
        self.exponents = tuple(exponents)
        self.values = [
            {name: p.detach().clone() for name, p in model.named_parameters()}
            for _ in self.exponents
        ]

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after update `step`, the first of which is 1."""
        weights = [p.detach() for p in model.parameters()]
        for exponent, values in zip(self.exponents, self.values, strict=True):
            share = 1.0 - decay_of(step, exponent)
            for average, weight in zip(values.values(), weights, strict=True):
                average.lerp_(weight, share)

    def sections(self) -> dict[str, dict[str, Tensor]]:
        """Return the averages under the names that a file keeps them by."""
        return {f"average {place}": values for place, values in enumerate(self.values)}

    def load(self, sections: dict[str, dict[str, Tensor]]) -> None:
        """Put back what `sections` returned.

        Raises:
            BadInput: sections without these averages.
        """
        for name, values in self.sections().items():
            if name not in sections:
                raise BadInput(
                    "a checkpoint without averages of several widths",
                    "one that has them",
                    "start a new run",
                )
            for key, value in values.items():
                value.copy_(sections[name][key])
