"""Sampling in one pass: a code from the base, pushed through a network.

One idea: the temperature belongs to the base, so that no family repeats it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.core.noise import Noise
from pushforward.core.walk import OneShot
from pushforward.families.shared.base import Base


def one_shot(
    base: Base, noise: Noise, temperature: float, push: Callable[[Tensor], Tensor]
) -> OneShot:
    """Return the walk of one step that draws codes and pushes them forward.

    Args:
        push: takes codes (n, dimensions) to encoded examples.

    Example:
        >>> from pushforward.core.noise import Streams
        >>> from pushforward.core.walk import run
        >>> from pushforward.families.shared.base import StandardNormal
        >>> run(one_shot(StandardNormal(2), Streams(0, 3), 0.5, lambda z: z + 1)).shape
        torch.Size([3, 2])
    """
    return OneShot(lambda: base.sample(noise, temperature), torch.no_grad()(push))
